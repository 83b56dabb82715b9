"""Tables of frozen records as CSV files: one fixed format, written whole or not at all."""

from __future__ import annotations

import csv
import io
import math
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


def text_of(value: Any) -> str:
    """Return a cell as text: empty for nothing, yes/no for booleans, 12 digits for numbers.

    Twelve significant digits are more than any table prints and fewer than the last bits in which
    two machines may differ, so the same input gives the same bytes.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return format(value + 0.0, ".12g")
    return str(value)


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file under a temporary name and move it into place: never half written."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def write_text(path: str | Path, text: str) -> None:
    """Write a text as UTF-8 with its line ends as they are, whole or not at all."""
    write_whole(path, text.encode("utf-8"))


def write_rows(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows under a header as UTF-8 CSV with LF line ends."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([text_of(cell) for cell in row] for row in rows)
    write_text(path, buffer.getvalue())


def columns_of(record: type) -> tuple[str, ...]:
    """Return the columns of a record type: its fields in order."""
    return tuple(field.name for field in fields(record))


def write_records(path: str | Path, record: type[Record], rows: Iterable[Record]) -> None:
    """Write frozen records of one dataclass, a column per field."""
    names = columns_of(record)
    write_rows(path, names, ([getattr(row, name) for name in names] for row in rows))


def read_records(path: str | Path, record: type[Record]) -> list[Record]:
    """Read what `write_records` wrote.

    Raises
    ------
    ValueError
        If the header is not that of the record type.
    """
    makers = {name: _maker_of(hint) for name, hint in get_type_hints(record).items()}
    with Path(path).open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        if tuple(next(reader, ())) != columns_of(record):
            raise ValueError(f"{path}: the columns are not those of {record.__name__}")
        named = [(name, makers[name]) for name in columns_of(record)]
        return [
            record(**{name: make(cell) for (name, make), cell in zip(named, row, strict=True)})
            for row in reader
            if row
        ]


def _maker_of(hint: Any) -> Callable[[str], Any]:
    """Return what makes a value of a field's type of the text of its cell."""
    if get_origin(hint) is types.UnionType:
        make = _maker_of(next(kind for kind in get_args(hint) if kind is not type(None)))
        return lambda cell: None if cell == "" else make(cell)
    return (lambda cell: cell == "yes") if hint is bool else hint
