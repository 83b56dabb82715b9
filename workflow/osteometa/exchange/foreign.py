"""Tables from other sources: CSV files of any encoding and separator, and sheets of Excel files."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from osteometa.io.cell_text import is_missing
from osteometa.io.sheet import Sheet, SheetError, sheet_of

MARKS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
"""What may separate cells, by the names that `--separator` takes."""
COVIDENCE = ("study identifier", "intervention")
"""First heads of an extraction that Covidence exports, with one row per arm, in small letters."""


def read_foreign(path: Path, encoding: str | None = None, separator: str | None = None) -> Sheet:
    """Return the cells of a CSV file, or of the first sheet of a workbook.

    SheetError if the file cannot be read, or its encoding or separator is not certain.
    """
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        from osteometa.exchange.reading import FORMULA, PERCENTAGE, grids, text_of_cell, wrong_in

        sheets = grids(path)
        if next(iter(sheets), "") == "Studies" and len(sheets) > 1:
            raise SheetError(
                "The first sheet is named 'Studies', as in Covidence's workbook with a sheet for "
                "each study. Export the extraction as CSV, or give the sheet of the data alone."
            )
        grid = next(iter(sheets.values()), ())
        for cell in (cell for line in grid for cell in line):
            what = wrong_in(cell)
            holds = f"Cell {cell.coordinate} holds {what}"
            if what == FORMULA:
                raise SheetError(f"{holds}. Save a copy with values only.")
            if what == PERCENTAGE:
                remedy = "Enter the number as text, without the sign %."
                raise SheetError(f"{holds}, stored as {text_of_cell(cell)}. {remedy}")
        return _distinct(sheet_of([text_of_cell(cell) for cell in line] for line in grid))
    try:
        data = path.read_bytes()
    except OSError:
        raise SheetError("The file cannot be opened. Check its name.") from None
    text = _decoded(data, encoding)
    mark = MARKS[separator] if separator else _separator(text)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        message = f"The file cannot be read as CSV ({error}). Is the separator another one?"
        raise SheetError(message) from None
    sheet = sheet_of(lines, mark)
    for number, cells in sheet.rows:
        if wrong := sheet.misfit(cells):
            raise SheetError(f"Row {number}: {wrong}", number)
    return _distinct(sheet)


def is_of_covidence(heads: tuple[str, ...]) -> bool:
    """Return whether a table is an extraction that Covidence exported."""
    return tuple(head.lower() for head in heads[:2]) == COVIDENCE


def _joined(table: Sheet) -> Sheet:
    """Join columns of one head: Covidence writes one for the own table of each study.

    They are joined only where no row has numbers in both.
    """
    columns: list[tuple[str, list[str]]] = []
    for head, *cells in zip(table.header, *(row for _, row in table.rows), strict=True):
        cells = ["" if is_missing(cell) else cell for cell in cells]
        for name, filled in columns:
            both = any(a and b for a, b in zip(filled, cells, strict=True))
            if name.casefold() == head.casefold() and not both:
                filled[:] = [a or b for a, b in zip(filled, cells, strict=True)]
                break
        else:
            columns.append((head, cells))
    lines = zip(*(cells for _, cells in columns), strict=True)
    rows = zip((number for number, _ in table.rows), lines, strict=True)
    return replace(table, header=tuple(head for head, _ in columns), rows=tuple(rows))


def _distinct(table: Sheet) -> Sheet:
    """Number heads that occur again, as in exports with an SE beside each of several effects."""
    heads: list[str] = []
    if is_of_covidence(table.header):
        table = _joined(table)
    for head in table.header:
        names = (head, *(f"{head} ({n})" for n in range(2, len(table.header) + 1)))
        heads.append(next(name for name in names if name not in heads))
    return replace(table, header=tuple(heads))


def filled_heads(table: Sheet) -> tuple[str, ...]:
    """Return the heads of columns with any content: exports have columns for every kind of data."""
    columns = zip(*(cells for _, cells in table.rows), strict=False)
    return tuple(head for head, cells in zip(table.header, columns, strict=False) if any(cells))


def _decoded(data: bytes, encoding: str | None) -> str:
    """Return the text of a file: UTF-8, what a mark at its start says, or what is given.

    Another encoding must be named; what one or two of them read is shown, because it can only be
    guessed.
    """
    if encoding is None:
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            raise SheetError(_encodings(data)) from None
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except (UnicodeError, LookupError):
        raise SheetError(f"The file is not of the encoding {encoding}.") from None


def _encodings(data: bytes) -> str:
    from charset_normalizer import from_bytes

    found = from_bytes(data).best()
    readings: dict[str, str] = {}
    for encoding in ("cp1252", found.encoding if found is not None else "cp1252"):
        lines = data.decode(encoding, "replace").splitlines()
        sample = next((line for line in lines if not line.isascii()), "")
        readings.setdefault(sample[:60], encoding)
    shown = ", ".join(f"--encoding {name} reads '{text}'" for text, name in readings.items())
    return f"The file is not UTF-8. Name its encoding: {shown}."


def _separator(text: str) -> str:
    """Return the separator that gives every line the same number of cells, more than one."""
    fits = []
    for mark in MARKS.values():
        try:
            lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
        except csv.Error:
            continue
        sizes = {len(line) for line in lines if any(line)}
        if len(sizes) == 1 and sizes != {1}:
            fits.append((sizes.pop(), mark))
    if len(fits) != 1:
        names = ", ".join(MARKS)
        raise SheetError(f"What separates the cells is not certain. Name it: --separator {names}.")
    return fits[0][1]
