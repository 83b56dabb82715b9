"""Fitted specifications on disk: a Parquet file for each part, written whole or not at all.

Rows are specifications in the order of their numbers; each choice is a column, empty where a
measure does not have it. A file names what it was made from, so that a part which an earlier call
finished is made again only where tables, settings or code have changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from osteometa.specifications.choices import Part, Registered
from osteometa.specifications.fit import Fits

if TYPE_CHECKING:
    import pyarrow as pa  # pyright: ignore[reportMissingImports]

NUMBERS = ("estimate", "se", "ci_low", "ci_high", "tau2")
MADE_FROM = b"osteometa"
"""Key of the hash in the files."""


def path_of(folder: Path, part: int) -> Path:
    """Return the file of a part."""
    return folder / "parts" / f"{part:06d}.parquet"


def is_made(path: Path, made_from: str) -> bool:
    """Return whether a part is on disk, made from the same tables, settings and code."""
    import pyarrow as pa  # pyright: ignore[reportMissingImports]
    import pyarrow.parquet as pq  # pyright: ignore[reportMissingImports]

    try:
        known = pq.read_schema(path).metadata or {}
    except (FileNotFoundError, pa.ArrowInvalid):
        return False
    return known.get(MADE_FROM) == made_from.encode()


def write_part(path: Path, fits: Fits, part: Part, names: Sequence[str], made_from: str) -> None:
    """Write the specifications of a part; `names` are the choices of all measures."""
    import pyarrow.parquet as pq  # pyright: ignore[reportMissingImports]

    table = _table(fits, part.registered, names).replace_schema_metadata({MADE_FROM: made_from})
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.part")
    pq.write_table(table, begun, compression="zstd", use_dictionary=True)
    begun.replace(path)


def _table(fits: Fits, one: Registered, names: Sequence[str]) -> pa.Table:
    import pyarrow as pa  # pyright: ignore[reportMissingImports]

    columns, places = one.columns, one.places(fits.number)
    rows = len(fits.number)

    def coded(own: Any, levels: Sequence[str]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(own.astype(np.int16), list(levels))

    found: dict[str, Any] = {
        "specification": fits.number,
        "measure": coded(np.zeros(rows), [one.measure]),
        **{
            name: coded(places[name], columns[name])
            if name in columns
            else pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int16()), [""])
            for name in names
        },
        "k": fits.k,
        **{name: getattr(fits, name) for name in NUMBERS},
        "excludes_null": fits.excludes_null,
    }
    return pa.table(found)


def columns_of_part(path: Path, names: Sequence[str]) -> Mapping[str, NDArray[Any]]:
    """Return some columns of a part; numbers alone."""
    import pyarrow.parquet as pq  # pyright: ignore[reportMissingImports]

    table = pq.read_table(path, columns=list(names))
    return {name: table.column(name).to_numpy() for name in names}


def streamed(
    folder: Path, parts: Sequence[Part], names: Sequence[str]
) -> Iterator[tuple[Registered, Mapping[str, NDArray[Any]]]]:
    """Yield the parts in their order: their choices, and some columns of numbers."""
    for part in parts:
        yield part.registered, columns_of_part(path_of(folder, part.number), names)
