"""CSV files as spreadsheets save them, read in one way for raw tables and `osteometa pool`.

Commas or semicolons between cells, decimal points or commas, byte-order marks and all line ends.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
MINUS = "\N{MINUS SIGN}"


class SheetError(ValueError):
    """A file that cannot be read as CSV; the text gives the reason and the remedy."""

    def __init__(self, message: str, row: int | None = None):
        self.row = row
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a CSV file, without spaces around them."""

    header: tuple[str, ...]
    """Empty if the file is."""
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """Rows with any content, each with its number in the spreadsheet; the header is row 1."""
    semicolons: bool
    """Whether semicolons separate cells; numbers may then have decimal commas."""

    def misfit(self, cells: tuple[str, ...]) -> str:
        """Return what is wrong with the number of cells of a row; empty if nothing is."""
        if len(cells) == len(self.header):
            return ""
        return (
            f"The row has {len(cells)} cells, the header {len(self.header)}. Put text with a comma "
            "between double quotes; numbers with a decimal comma need semicolons between cells."
        )


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    SheetError
        If the file cannot be opened, is not UTF-8 or not CSV.
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
    first = text.split("\n", 1)[0]
    semicolons = first.count(";") > first.count(",")
    try:
        # Not splitlines: it also splits at characters that are line ends in a PDF only.
        source = io.StringIO(text, newline="")
        lines = list(csv.reader(source, delimiter=";" if semicolons else ",", strict=True))
    except csv.Error as error:
        message = f"The file cannot be read as CSV ({error}). Look for a stray quote."
        raise SheetError(message) from None
    cells = _named([tuple(cell.strip() for cell in line) for line in lines])
    if not cells or not any(cells[0]):
        return Sheet((), (), semicolons)
    rows = ((number, line) for number, line in enumerate(cells[1:], start=2) if any(line))
    return Sheet(cells[0], tuple(rows), semicolons)


def _named(lines: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out columns without name and content, which spreadsheets append."""
    header = lines[0] if lines else ()
    empty = {
        column
        for column, name in enumerate(header)
        if not name and not any(line[column] for line in lines if len(line) > column)
    }
    return [tuple(c for place, c in enumerate(line) if place not in empty) for line in lines]


def plain_number(text: str, *, decimal_comma: bool = False) -> str | None:
    """Return a number with a decimal point and a plain minus sign; None if it is not a number."""
    text = text.strip().replace(MINUS, "-")
    if decimal_comma:
        text = text.replace(",", ".")
    return text if NUMBER.fullmatch(text) else None
