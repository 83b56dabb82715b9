"""Tables of frozen records as CSV files: one fixed format, written whole or not at all.

The only place where typed fields (codes, sets of flags, tuples of cells) become text and back.
A type of its own has a class method `read`; `str` writes it.
"""

import csv
import io
import math
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from osteometa.io.cell_text import guarded, unguarded

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Joined:
    """How several values are written into one cell; those of a set in alphabetical order.

    A field is declared, for instance, as `Annotated[frozenset[Flag], Joined(" ")]`.
    """

    separator: str


def text_of(value: Any) -> str:
    """Return a cell as text: empty for nothing, yes/no for booleans, 12 digits for numbers.

    Twelve significant digits are more than any table reports and fewer than the last bits in which
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
    try:
        part.write_bytes(data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_all_whole(files: Mapping[Path, bytes]) -> None:
    """Write several files: all of them, or none if one cannot be written."""
    parts = {path: path.with_name(f".{path.name}.part") for path in files}
    before = {path: path.read_bytes() if path.exists() else None for path in files}
    moved: list[Path] = []
    try:
        for path, part in parts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(files[path])
        for path, part in parts.items():
            part.replace(path)
            moved.append(path)
    except BaseException:
        for path in moved:
            old = before[path]
            path.unlink() if old is None else path.write_bytes(old)
        raise
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def copy_whole(source: str | Path, path: str | Path) -> None:
    """Copy a file, whole or not at all."""
    write_whole(path, Path(source).read_bytes())


def write_text(path: str | Path, text: str) -> None:
    """Write a text as UTF-8 with its line ends as they are, whole or not at all."""
    write_whole(path, text.encode("utf-8"))


def write_rows(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows under a header as UTF-8 CSV with LF line ends."""
    write_text(path, csv_text(columns, rows))


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows under a header as CSV; no text in it is run as a formula by a spreadsheet."""
    return csv_lines([columns, *([guarded(text_of(cell)) for cell in row] for row in rows)])


def csv_lines(lines: Iterable[Sequence[str]]) -> str:
    """Return lines of cells as CSV with LF line ends, the cells as they are."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def read_rows(path: str | Path) -> Iterator[list[str]]:
    """Yield the rows that `write_rows` wrote, the header first."""
    with Path(path).open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines):
            yield [unguarded(cell) for cell in row]


def columns_of(record: type) -> tuple[str, ...]:
    """Return the columns of a record type: its fields in order."""
    return tuple(field.name for field in fields(record))


def fields_of(source: object, record: type) -> dict[str, Any]:
    """Return the fields of a record type that another record has too, with the values there."""
    names = [name for name in columns_of(record) if hasattr(source, name)]
    return {name: getattr(source, name) for name in names}


def write_records(path: str | Path, record: type[Record], rows: Iterable[Record]) -> None:
    """Write frozen records of one dataclass, a column per field."""
    write_rows(path, columns_of(record), texts_of(record, rows))


def texts_of(record: type[Record], rows: Iterable[Record]) -> Iterator[list[str]]:
    """Yield the texts of the cells of each record."""
    writers = [(name, _writer_of(hint)) for name, hint in _hints_of(record)]
    for row in rows:
        yield [write(getattr(row, name)) for name, write in writers]


def read_records(path: str | Path, record: type[Record]) -> list[Record]:
    """Read what `write_records` wrote.

    ValueError if the header is not that of the record type, or a cell holds no value of its column.
    """
    readers = [(name, _reader_of(hint)) for name, hint in _hints_of(record)]
    rows = read_rows(path)
    if tuple(next(rows, ())) != columns_of(record):
        raise ValueError(f"{path}: the columns are not those of {record.__name__}")
    return [
        record(**{name: read(cell) for (name, read), cell in zip(readers, row, strict=True)})
        for row in rows
        if row
    ]


@cache
def _hints_of(record: type) -> list[tuple[str, Any]]:
    hints = get_type_hints(record, include_extras=True)
    return [(name, hints[name]) for name in columns_of(record)]


def _writer_of(hint: Any) -> Callable[[Any], str]:
    """Return what writes a value of a field's type as the text of its cell."""
    if get_origin(hint) is not Annotated:
        return text_of
    several, joined = get_args(hint)
    order = sorted if get_origin(several) is frozenset else list
    return lambda values: joined.separator.join(order(map(str, values)))


def _reader_of(hint: Any) -> Callable[[str], Any]:
    """Return what reads a value of a field's type from the text of its cell."""
    origin = get_origin(hint)
    if origin is Annotated:
        several, joined = get_args(hint)
        make, read = get_origin(several), _reader_of(get_args(several)[0])
        return lambda cell: make(map(read, cell.split(joined.separator) if cell else ()))
    if origin is types.UnionType:
        kinds = [kind for kind in get_args(hint) if kind is not types.NoneType]
        read = _reader_of(kinds[0]) if len(kinds) == 1 else partial(_first_of, kinds)
        return lambda cell: read(cell) if cell or types.NoneType not in get_args(hint) else None
    if origin is Literal:
        return partial(_one_of, get_args(hint))
    if hint is bool:
        return lambda cell: cell == "yes"
    return getattr(hint, "read", hint)


def _first_of(kinds: Sequence[type[Enum]], cell: str) -> Enum:
    """Return the member of the first of several enumerations that has the code."""
    for kind in kinds:
        if cell in kind.__members__.values():
            return kind(cell)
    raise ValueError(f"'{cell}' is no code of {' or '.join(kind.__name__ for kind in kinds)}")


def _one_of(allowed: Sequence[str], cell: str) -> str:
    if cell not in allowed:
        raise ValueError(f"'{cell}' is none of {', '.join(allowed)}")
    return cell
