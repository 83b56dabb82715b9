"""All specifications of a synthesis: what is fitted, part by part, in one process or in several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from osteometa.derivation.combinations import Combinations
from osteometa.extraction.tables import Tables
from osteometa.pooling.kernel import pool_many
from osteometa.protocol.config import Config, Synthesis
from osteometa.sensitivity.analyses import pooled_effects
from osteometa.sensitivity.influence import PooledEffects
from osteometa.specifications.choices import Part, Registered, Sample, parts_of, registered
from osteometa.specifications.fit import Fits, fit_part, fits_of
from osteometa.specifications.summary import Summaries, summarised

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
    """Write the specifications of a part to a Parquet file, whole or not at all.

    Rows are in the order of their numbers; each of `names`, the choices of all measures, is a
    column, empty where a measure does not have it.
    """
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
    }
    for name in names:
        nothing = pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int16()), [""])
        found[name] = coded(places[name], columns[name]) if name in columns else nothing
    found |= {name: getattr(fits, name) for name in ("k", *NUMBERS, "excludes_null")}
    return pa.table(found)


def choices_of(measures: Sequence[Registered]) -> list[str]:
    """Return the columns of choices of all measures."""
    return list(dict.fromkeys(name for one in measures for name in one.columns))


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


@dataclass(frozen=True)
class Work:
    """The specifications of one synthesis in a folder."""

    tables: Tables
    config: Config
    synthesis: Synthesis
    folder: Path
    made_from: str
    """Hash of all that the numbers depend on."""
    limit: int | None = None
    """Most specifications that are fitted."""
    subsets: bool = False
    """Whether studies in or out are the choices, in place of those of config.yaml."""

    @cached_property
    def combinations(self) -> Combinations:
        """The effects under any choices."""
        return Combinations(self.tables, self.config, self.synthesis)

    @cached_property
    def measures(self) -> tuple[Registered, ...]:
        """The choices of each measure."""
        if self.subsets:
            return (subsets_of(self.effects, self.combinations.under(()).measure),)
        return registered(self.combinations, self.config)

    @cached_property
    def effects(self) -> PooledEffects:
        """The primary effects."""
        return pooled_effects(self.combinations.under(()))

    @property
    def size(self) -> int:
        """Number of combinations."""
        return sum(one.size for one in self.measures)

    @property
    def primary(self) -> int | None:
        """Number of the primary specification, if it is registered."""
        if self.subsets:
            return 0
        return self.measures[0].primary(self.config)

    @property
    def sample(self) -> Sample:
        """Which specifications are fitted."""
        limit = self.size if self.limit is None else self.limit
        return Sample(size=self.size, limit=limit, seed=self.config.seed, primary=self.primary)

    @property
    def parts(self) -> list[Part]:
        """All parts, in their order."""
        return list(parts_of(self.measures))

    def missing(self, parts: Sequence[Part]) -> list[Part]:
        """Return the parts that are not on disk."""
        return [p for p in parts if not is_made(path_of(self.folder, p.number), self.made_from)]

    def make(self, part: Part) -> None:
        """Fit a part and write it."""
        if self.subsets:
            fits = fit_subsets(part, self.effects, self.sample)
        else:
            fits = fit_part(part, self.combinations, self.sample)
        path = path_of(self.folder, part.number)
        write_part(path, fits, part, choices_of(self.measures), self.made_from)

    def make_all(self, parts: Sequence[Part], cores: int = 1) -> Iterator[None]:
        """Make parts, and yield after each."""
        if cores == 1:
            for part in parts:
                yield self.make(part)
            return
        with ProcessPoolExecutor(cores, initializer=_take, initargs=(self,)) as pool:
            for made in as_completed([pool.submit(_make, part) for part in parts]):
                yield made.result()

    def summarised(self) -> Summaries:
        """Return the summaries of all parts, which are on disk; other files are removed."""
        parts = self.parts
        known = {path_of(self.folder, part.number) for part in parts}
        for path in (self.folder / "parts").iterdir():
            if path not in known:
                path.unlink()
        return summarised(lambda names: streamed(self.folder, parts, names), self.primary)


_taken: list[Work] = []
"""The work of a process of a pool."""


def _take(work: Work) -> None:
    _taken[:] = [work]


def _make(part: Part) -> None:
    _taken[0].make(part)


MOST_STUDIES = 24
"""Studies up to which all subsets are taken."""


def subsets_of(effects: PooledEffects, measure: str) -> Registered:
    """Return the choices of which studies are left out, with the primary model."""
    labels = dict(zip(effects.studies, effects.labels, strict=True))
    names = [f"without {label}" for label in labels.values()]
    return Registered(
        measure=measure, derivation={}, rules=dict.fromkeys(names, ()),
        designs=("randomised",), inconsistent_data=("excluded",),
        models=((effects.method, effects.ci),),
    )  # fmt: skip


def fit_subsets(part: Part, effects: PooledEffects, sample: Sample) -> Fits:
    """Return the pools of a part, of one effect per study as in `gosh`."""
    one = part.registered
    y, v = effects.one_per_study()
    ((_, numbers),) = part.blocks()
    numbers = sample.of(one, 0, numbers)
    inside = (numbers[:, None] >> np.arange(len(y) - 1, -1, -1)) & 1 == 0
    studies = np.sum(inside, axis=1)
    enough = studies >= 2
    numbers, inside, studies = numbers[enough], inside[enough], studies[enough]
    found = pool_many(y, v, inside, method=effects.method, ci="wald")
    place = np.arange(len(numbers))
    return fits_of(one, one.first + numbers, place, studies, lambda method, used: found.take(used))
