"""Reading the raw tables, and writing the checked ones in one fixed form."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from osteometa.extraction.cell_types import LONGEST, Row
from osteometa.extraction.tables import ROWS, Tables
from osteometa.io.cell_text import Mark, NumberError, is_missing, plain_number, unseen
from osteometa.io.csv_records import read_rows, write_rows
from osteometa.io.problems import Problem, ProblemsFound, suggestion
from osteometa.io.sheet import SEPARATORS, Sheet, SheetError, read_sheet


def read_raw(directory: str | Path) -> tuple[Tables, list[Problem]]:
    """Return the rows of a review that could be read, and what is wrong with cells and headers."""
    return _tables_of(_read_table(Path(directory) / f"{model.table}.csv", model) for model in ROWS)


def read_sheets(sheets: Mapping[str, Sheet]) -> tuple[Tables, list[Problem]]:
    """Return the same of tables that are no files yet, by their names; a row keeps its number."""
    return _tables_of(_rows_of_sheet(sheets[model.table], model) for model in ROWS)


def _tables_of(
    found: Iterable[tuple[tuple[Row, ...], list[Problem]]],
) -> tuple[Tables, list[Problem]]:
    """Return what was read of each table, in the order of ROWS, and all that is wrong with them."""
    rows: dict[str, Any] = {}
    problems: list[Problem] = []
    for model, (own, wrong) in zip(ROWS, found, strict=True):
        rows[model.table] = own
        problems += wrong
    return Tables(**rows), problems


def require_tables(directory: str | Path) -> None:
    """Require (else ProblemsFound) that every needed raw table exists, with or without rows."""
    paths = [(Path(directory) / f"{model.table}.csv", model) for model in ROWS]
    problems = [_missing(p, m) for p, m in paths if not (m.may_be_absent or p.is_file())]
    if problems:
        raise ProblemsFound(problems)


def _missing(path: Path, model: type[Row]) -> Problem:
    message = f"The file is missing. Create it with this header: {','.join(model.columns())}"
    return Problem(file=f"data/raw/{path.name}", code="E101", message=message)


def write_checked(directory: str | Path, tables: Tables) -> None:
    """Write the tables in one fixed form, numbers as reported, with the row of the spreadsheet."""
    for model in ROWS:
        columns = ("row", *model.columns())
        rows = ([row.text_of(name) for name in columns] for row in getattr(tables, model.table))
        write_rows(Path(directory) / f"{model.table}.csv", columns, rows)


def read_checked(directory: str | Path) -> Tables:
    """Read what `write_checked` wrote."""
    rows: dict[str, Any] = {}
    for model in ROWS:
        header, *lines = read_rows(Path(directory) / f"{model.table}.csv")
        cells = (dict(zip(header, line, strict=True)) for line in lines)
        rows[model.table] = tuple(map(model.model_validate, cells))
    return Tables(**rows)


def _read_table(path: Path, model: type[Row]) -> tuple[tuple[Row, ...], list[Problem]]:
    file = f"data/raw/{path.name}"
    try:
        sheet = read_sheet(path)
    except FileNotFoundError:
        return (), [] if model.may_be_absent else [_missing(path, model)]
    except SheetError as error:
        return (), [Problem(file=file, row=error.row, code="E101", message=str(error))]
    return _rows_of_sheet(sheet, model)


def _rows_of_sheet(sheet: Sheet, model: type[Row]) -> tuple[tuple[Row, ...], list[Problem]]:
    file = f"data/raw/{model.table}.csv"
    if not sheet.header:
        message = f"The file is empty. Its header is: {','.join(model.columns())}"
        return (), [Problem(file=file, code="E101", message=message)]
    problems = _header_problems(file, sheet.header, model)
    if problems:
        return (), problems
    try:
        mark = sheet.decimal_mark(filter(model.is_number, sheet.header))
    except SheetError as error:
        return (), [Problem(file=file, row=error.row, code="E101", message=str(error))]
    if sheet.separator != "," or mark != ".":
        message = (
            f"Read with {SEPARATORS[sheet.separator]} between cells and decimal "
            f"{'commas' if mark == ',' else 'points'} in numbers."
        )
        problems.append(Problem(file=file, code="N001", message=message, severity="note"))
    rows, wrong = _read_rows(file, sheet, mark, model)
    return rows, problems + wrong


def _header_problems(file: str, header: Sequence[str], model: type[Row]) -> list[Problem]:
    expected = model.columns()
    unknown = [name for name in header if name not in expected]
    problems = []
    for name in expected:
        if name not in header and name not in model.optional:
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
    file: str, sheet: Sheet, mark: Mark, model: type[Row]
) -> tuple[tuple[Row, ...], list[Problem]]:
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, line in sheet.rows:
        misfit = sheet.misfit(line)
        if misfit:
            problems.append(Problem(file=file, row=number, code="E101", message=misfit))
            continue
        cells = dict(zip(sheet.header, line, strict=True))
        plain, wrong = _plain_cells(cells, mark, model)
        try:
            rows.append(model.model_validate({**plain, "row": number}))
        except ValidationError as error:
            named = {column for column, _, _ in wrong}
            found = [_cell_problem(item, cells, model) for item in error.errors()]
            wrong += [one for one in found if one[0] not in named]
        study = cells.get("study_id", "")
        problems += [
            Problem(file=file, row=number, study=study, column=column, code=code,
                    found=cells.get(column, ""), message=message)
            for column, code, message in wrong
        ]  # fmt: skip
    return tuple(rows), problems


def _plain_cells(
    cells: dict[str, str], mark: Mark, model: type[Row]
) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Return the cells with numbers in plain digits, and what no cell of any column may hold.

    As column, code and message.
    """
    plain, wrong = dict(cells), []
    for name, text in cells.items():
        code, message = "", ""
        if character := unseen(text):
            code = "E106"
            message = f"The cell has the character {character}, which cannot be seen. Type it anew."
        elif text and is_missing(text):
            code = "E102"
            message = (
                f"'{text}' is not a value. Leave the cell empty if the paper does not report it."
            )
        elif text and model.is_number(name):
            try:
                plain[name] = plain_number(text, mark)
            except NumberError as error:
                code, message = "E105", f"{error}."
        if message:
            wrong.append((name, code, message))
    return plain, wrong


def _cell_problem(
    item: ErrorDetails, cells: dict[str, str], model: type[Row]
) -> tuple[str, str, str]:
    """Return column, code and message of what is wrong with the type of a cell."""
    column = str(item["loc"][0])
    found = cells.get(column, "")
    message = str(item["msg"]).removeprefix("Value error, ")
    of_name = item["type"] == "string_pattern_mismatch"
    if item["type"] == "literal_error":
        allowed = [word for word in get_args(model.model_fields[column].annotation) if word]
        near = suggestion(found, allowed)
        message = f"'{found}' is not allowed for {column}. {near}Use: {', '.join(allowed)}"
        if not found:
            message = f"{column} must not be empty. Use: {', '.join(allowed)}"
    elif item["type"].endswith(("too_short", "missing")) or (of_name and not found):
        message = f"{column} must not be empty. Enter it"
    elif of_name:
        message = f"{column} must consist of small letters, digits and _. Correct it"
    elif item["type"].endswith("too_long"):
        message = f"{column} has {len(found)} characters; at most {LONGEST} are allowed. Shorten it"
    return column, "E105", message if message.endswith(".") else f"{message}."
