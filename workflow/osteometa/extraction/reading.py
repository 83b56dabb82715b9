"""Reading the raw tables as spreadsheets save them, and writing the checked ones.

Commas or semicolons between cells, decimal points or commas, byte-order marks and Windows line ends
are read; a note reports semicolons. Checked tables have one fixed form.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from osteometa.extraction.cell_types import ReportedNumber, Row
from osteometa.extraction.tables import ROWS, AnyRow, Tables, tables_from
from osteometa.io.csv_records import write_rows
from osteometa.io.problems import Problem, ProblemsFound, suggestion

FILLERS = ("na", "n/a", "nr", "-", "--", "n.a.", "nd", "?", "none reported", ".")
DECIMAL_COMMA = re.compile(r"^[+-]?\d*,\d+$")


def read_raw(directory: str | Path) -> tuple[Tables, list[Problem]]:
    """Read all raw tables of a review.

    Returns
    -------
    tables, problems
        The rows that could be read, and everything that is wrong with cells and headers.
    """
    problems: list[Problem] = []

    def rows(model: type[AnyRow]) -> tuple[AnyRow, ...]:
        found, wrong = _read_table(Path(directory) / f"{model.table}.csv", model)
        problems.extend(wrong)
        return found

    return tables_from(rows), problems


def require_tables(directory: str | Path) -> None:
    """Require that every raw table exists, whatever its content.

    Raises
    ------
    ProblemsFound
        If one is missing.
    """
    paths = [Path(directory) / f"{model.table}.csv" for model in ROWS]
    problems = [_missing(p, m) for p, m in zip(paths, ROWS, strict=True) if not p.is_file()]
    if problems:
        raise ProblemsFound(problems)


def _missing(path: Path, model: type[Row]) -> Problem:
    message = f"The file is missing. Create it with this header: {','.join(model.columns())}"
    return Problem(file=f"data/raw/{path.name}", row=None, column="", code="E101", message=message)


def write_checked(directory: str | Path, tables: Tables) -> None:
    """Write the tables in one fixed form, numbers as reported, with the row of the spreadsheet."""
    for model in ROWS:
        columns = model.columns()
        rows = getattr(tables, model.table)
        write_rows(
            Path(directory) / f"{model.table}.csv",
            ("row", *columns),
            ([row.row, *(_typed(getattr(row, name)) for name in columns)] for row in rows),
        )


def read_checked(directory: str | Path) -> Tables:
    """Read what `write_checked` wrote."""

    def rows(model: type[AnyRow]) -> tuple[AnyRow, ...]:
        path = Path(directory) / f"{model.table}.csv"
        with path.open(encoding="utf-8", newline="") as lines:
            return tuple(model.model_validate(row) for row in csv.DictReader(lines))

    return tables_from(rows)


def _typed(value: Any) -> Any:
    return value.text if isinstance(value, ReportedNumber) else value


def _read_table(path: Path, model: type[AnyRow]) -> tuple[tuple[AnyRow, ...], list[Problem]]:
    file = f"data/raw/{path.name}"

    def whole(message: str, code: str = "E101", found: str = "", **more: Any) -> Problem:
        return Problem(
            file=file, row=None, column="", code=code, message=message, found=found, **more
        )

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return (), [_missing(path, model)]
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        message = "The file is not UTF-8. Save it as 'CSV UTF-8' in the spreadsheet."
        return (), [Problem(file=file, row=line, column="", code="E101", message=message)]
    except OSError:
        return (), [
            whole("The file cannot be opened. Check that it is a file and that you may read it.")
        ]
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        # Not splitlines: it also splits at characters that are line ends in a PDF only.
        source = io.StringIO(text, newline="")
        lines = _named(list(csv.reader(source, delimiter=delimiter, strict=True)))
    except csv.Error as error:
        return (), [whole(f"The file cannot be read as CSV ({error}). Look for a stray quote.")]
    if not lines or not any(name.strip() for name in lines[0]):
        return (), [whole(f"The file is empty. Its header is: {','.join(model.columns())}")]
    problems = _header_problems(file, [name.strip() for name in lines[0]], model)
    if problems:
        return (), problems
    if delimiter == ";":
        message = "Read with semicolons between cells and decimal commas in numbers."
        problems.append(whole(message, "N001", severity="note"))
    rows, wrong = _read_rows(file, lines, model, decimal_comma=delimiter == ";")
    return rows, problems + wrong


def _named(lines: list[list[str]]) -> list[list[str]]:
    """Leave out columns without name and content, which spreadsheets append."""
    header = lines[0] if lines else []
    empty = {
        column
        for column, name in enumerate(header)
        if not name.strip() and not any(line[column].strip() for line in lines if line[column:])
    }
    if not empty:
        return lines
    return [[cell for column, cell in enumerate(line) if column not in empty] for line in lines]


def _header_problems(file: str, header: list[str], model: type[Row]) -> list[Problem]:
    expected = model.columns()
    unknown = [name for name in header if name not in expected]
    problems = []
    for name in expected:
        if name not in header:
            near = suggestion(name, unknown).replace("Did you mean", "Is it")
            message = f"Column '{name}' is missing. {near}Expected: {', '.join(expected)}."
            problems.append(("", name, message))
    for name in unknown:
        message = f"Column '{name}' is not known. {suggestion(name, expected)}Remove or rename it."
        problems.append((name, name, message))
    for name in sorted({name for name in header if header.count(name) > 1}):
        problems.append((name, name, f"Column '{name}' occurs twice. Keep one of the two."))
    return [
        Problem(file=file, row=1, column=column, code="E101", message=message, found=found)
        for found, column, message in problems
    ]


def _read_rows(
    file: str, lines: list[list[str]], model: type[AnyRow], *, decimal_comma: bool
) -> tuple[tuple[AnyRow, ...], list[Problem]]:
    header = [name.strip() for name in lines[0]]
    rows: list[AnyRow] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines[1:], start=2):
        if not any(text.strip() for text in line):
            continue
        if len(line) != len(header):
            message = (
                f"The row has {len(line)} cells, the header {len(header)}. Put cells that contain "
                "a comma between double quotes."
            )
            problems.append(Problem(file=file, row=number, column="", code="E101", message=message))
            continue
        cells = dict(zip(header, (text.strip() for text in line), strict=True))
        wrong = _filler_problems(file, number, cells)
        if decimal_comma:
            cells = {
                name: text.replace(",", ".") if DECIMAL_COMMA.match(text) else text
                for name, text in cells.items()
            }
        if not wrong:
            try:
                rows.append(model.model_validate({**cells, "row": number}))
            except ValidationError as error:
                details = error.errors()
                wrong = [_cell_problem(file, number, cells, item, model) for item in details]
        problems += wrong
    return tuple(rows), problems


def _filler_problems(file: str, number: int, cells: dict[str, str]) -> list[Problem]:
    message = "is not a value. Leave the cell empty if the paper does not report it."
    return [
        Problem(
            file=file,
            row=number,
            study=cells.get("study_id", ""),
            column=name,
            code="E102",
            found=text,
            message=f"'{text}' {message}",
        )
        for name, text in cells.items()
        if text.lower() in FILLERS
    ]


def _cell_problem(
    file: str, number: int, cells: dict[str, str], item: ErrorDetails, model: type[Row]
) -> Problem:
    column = str(item["loc"][0])
    found = cells.get(column, "")
    code, message = "E105", item["msg"].removeprefix("Value error, ")
    if item["type"] == "literal_error":
        allowed = [word for word in get_args(model.model_fields[column].annotation) if word]
        near = suggestion(found, allowed)
        message = f"'{found}' is not allowed for {column}. {near}Use: {', '.join(allowed)}"
        if not found:
            message = f"{column} must not be empty. Use: {', '.join(allowed)}"
    elif item["type"] == "string_pattern_mismatch":
        message = f"{column} must consist of small letters, digits and _. Correct it"
    elif item["type"] == "string_too_short":
        message = f"{column} must not be empty. Enter it"
    elif "whole number" in message:
        code = "E201" if not column.startswith("n") else "E202"
        message = f"{column} must be a whole number of at least 1. Correct it"
    return Problem(
        file=file,
        row=number,
        study=cells.get("study_id", ""),
        column=column,
        code=code,
        found=found,
        message=message if message.endswith(".") else f"{message}.",
    )
