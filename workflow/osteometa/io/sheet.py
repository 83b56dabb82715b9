"""CSV files as spreadsheets save them, read in one way for raw tables and `osteometa pool`.

Commas, semicolons or tabs between cells, decimal points or commas, byte-order marks and all line
ends.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from osteometa.io.cell_text import Mark, NumberError, decimal_mark, unguarded, unseen

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}


class SheetError(ValueError):
    """A file that cannot be read as CSV; the text gives the reason and the remedy."""

    def __init__(self, message: str, row: int | None = None):
        self.row = row
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a CSV file; a space for each run of spaces, tabs and line ends."""

    header: tuple[str, ...]
    """Empty if the file is."""
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """Rows with any content, each with its number in the spreadsheet; the header is row 1."""
    separator: str = ","
    """What stands between cells."""

    def decimal_mark(self, columns: Iterable[str]) -> Mark:
        """Return the decimal mark of most numbers in some columns.

        SheetError if they separate thousands in two ways.
        """
        places = [self.header.index(name) for name in columns if name in self.header]
        numbers = [(row, line[i]) for row, line in self.rows for i in places if i < len(line)]
        try:
            return decimal_mark(text for _, text in numbers)
        except NumberError as error:
            row = next(row for row, text in numbers if text == error.args[1])
            raise SheetError(f"{error}.", row) from None

    def misfit(self, cells: tuple[str, ...]) -> str:
        """Return what is wrong with the number of cells of a row; empty if nothing is."""
        if len(cells) == len(self.header):
            return ""
        return (
            f"The row has {len(cells)} cells, the header {len(self.header)}. Put text with a comma "
            "between double quotes, or save the file with semicolons or tabs between cells."
        )


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file; raises as `read_lines`."""
    separator, lines = read_lines(path)
    return sheet_of(lines, separator)


def read_lines(path: Path) -> tuple[str, list[list[str]]]:
    """Return what separates the cells of a CSV file, and its lines with the cells as they stand.

    FileNotFoundError if there is no such file; SheetError if it cannot be opened, is not UTF-8 or
    not CSV.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError:
        message = "The file cannot be opened. Check that it is a file and that you may read it."
        raise SheetError(message) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = "The file is not UTF-8. Save it as 'CSV UTF-8' in the spreadsheet."
        raise SheetError(message, data[: error.start].count(b"\n") + 1) from None
    separator, text = _separator(text)
    first = text.partition("\n")[0]
    if "|" in first and separator not in first:
        message = "The cells stand between '|'. Save the file with commas, semicolons or tabs."
        raise SheetError(message, 1)
    try:
        # Not splitlines: it also splits at characters that are line ends in a PDF only.
        source = io.StringIO(text, newline="")
        lines = list(csv.reader(source, delimiter=separator, strict=True))
    except csv.Error as error:
        message = f"The file cannot be read as CSV ({error}). Look for a stray quote."
        raise SheetError(message) from None
    return separator, lines


def sheet_of(lines: Iterable[Iterable[str]], separator: str = ",") -> Sheet:
    """Return the cells of a table, the header first."""
    cells = _named([tuple(map(_one_line, line)) for line in lines])
    if not cells or not any(cells[0]):
        return Sheet((), (), separator)
    rows = ((number, line) for number, line in enumerate(cells[1:], start=2) if any(line))
    return Sheet(cells[0], tuple(rows), separator)


def _separator(text: str) -> tuple[str, str]:
    """Return what separates the cells, and the text without a first line `sep=;` that says so."""
    first, *rest = re.split("\r\n|\r|\n", text, maxsplit=1)
    named = first.strip('"')
    if named[:4].lower() == "sep=" and named[4:] in SEPARATORS:
        return named[4:], "".join(rest)
    return max(SEPARATORS, key=first.count), text


def _one_line(cell: str) -> str:
    """Return a cell without spaces around it and without line ends; unseen characters stay."""
    return unguarded(cell.strip(" \t\r\n") if unseen(cell) else " ".join(cell.split()))


def _named(lines: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out columns without name and content, which spreadsheets append."""
    header = enumerate(lines[0] if lines else ())
    unnamed = [column for column, name in header if not name]
    empty = {c for c in unnamed if not any(line[c] for line in lines if len(line) > c)}
    return [tuple(c for place, c in enumerate(line) if place not in empty) for line in lines]
