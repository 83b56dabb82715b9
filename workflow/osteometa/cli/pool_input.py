"""What `osteometa pool` reads: effects, moderators, groups and covariances from CSV files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osteometa.io.cell_text import (
    Mark,
    NumberError,
    date_words,
    is_date,
    is_missing,
    plain_number,
    unseen,
)
from osteometa.io.problems import suggestion
from osteometa.io.sheet import Sheet, SheetError, read_sheet
from osteometa.numerics.range import out_of_range


class UsageError(ValueError):
    """The file cannot be pooled; the text gives the reason and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One effect of the file."""

    number: int
    """Row as a spreadsheet counts it."""
    study: str
    effect: str
    """`effect_id` if the file has that column, else the study."""
    yi: float
    vi: float
    cells: dict[str, str]


def read_effects(path: Path, columns: Sequence[str] = ()) -> tuple[list[Row], Mark]:
    """Return the effects, a word for a missing value as an empty cell, and the decimal mark.

    UsageError for a file that is missing, empty, without the columns, or with an unusable cell.
    """
    sheet = _table(path, "study, yi, vi")
    header = sheet.header
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise UsageError(f"{path} has two columns {', '.join(twice)}. Keep one of them.")
    missing = [name for name in ("study", "yi", "vi") if name not in header]
    if missing:
        raise UsageError(
            f"{path} has no column {', '.join(missing)}. It has: {', '.join(header)}. "
            "Needed are study, yi, vi."
        )
    for name in columns:
        if name not in header:
            near = suggestion(name, header)
            raise UsageError(f"{path} has no column '{name}'. {near}It has: {', '.join(header)}.")
    mark = _mark_of(path, sheet, ("yi", "vi", *columns))
    rows: list[Row] = []
    problems: list[str] = []
    for number, values in sheet.rows:
        values = ["" if is_missing(text) else text for text in values]
        cells = dict(zip(header, values, strict=True))
        study, effect = cells["study"], cells.get("effect_id") or cells["study"]
        for name in dict.fromkeys(("study", "effect_id", "group", *columns)):
            if is_date(cells.get(name, "")):
                words = f"{date_words(cells[name])}; write the year of a name in four digits"
                problems.append(f"row {number}, column {name}: {words}.")
        yi, vi = (_number(cells, name, number, mark, problems) for name in ("yi", "vi"))
        rows.append(Row(number=number, study=study, effect=effect, yi=yi, vi=vi, cells=cells))
    _refuse(path, problems)
    if not rows:
        raise UsageError(f"{path} has a header but no study to pool (k = 0).")
    return rows, mark


def _table(path: Path, needed: str) -> Sheet:
    """Return the cells of a file.

    UsageError if it cannot be read, or a cell could be taken for that of another column.
    """
    try:
        sheet = read_sheet(path)
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist. Name a CSV file with {needed}.") from None
    except SheetError as error:
        raise UsageError(f"{path}: {error}") from None
    if not sheet.header:
        raise UsageError(f"{path} is empty. It needs the columns {needed}.")
    problems = [
        f"row {number}: {misfit}" for number, cells in sheet.rows if (misfit := sheet.misfit(cells))
    ]
    problems += [
        f"row {number}: a cell has the character {character}, which cannot be seen. Type it anew."
        for number, cells in [(1, sheet.header), *sheet.rows]
        for character in filter(None, map(unseen, cells))
    ]
    _refuse(path, problems)
    return sheet


def _mark_of(path: Path, sheet: Sheet, columns: Sequence[str]) -> Mark:
    try:
        return sheet.decimal_mark(columns)
    except SheetError as error:
        raise UsageError(f"{path}: {error}") from None


def _refuse(path: Path, problems: Sequence[str]) -> None:
    """Raise UsageError if there are problems."""
    if problems:
        raise UsageError(f"{path}:\n" + "\n".join(f"  {problem}" for problem in problems))


def number_of(text: str, mark: Mark) -> float:
    """Return a cell as a finite number; a NumberError says what is wrong with it."""
    if is_missing(text):
        raise NumberError("the number is missing. Type one, or delete the row")
    value = float(plain_number(text, mark))
    if not math.isfinite(value):
        raise NumberError(f"{text} must be finite")
    return value


def _number(cells: dict[str, str], name: str, row: int, mark: Mark, problems: list[str]) -> float:
    where = f"row {row}, study {cells['study'] or '(no name)'}, column {name}"
    try:
        value = number_of(cells[name], mark)
    except NumberError as error:
        problems.append(f"{where}: {error}.")
        return 0.0
    if name == "vi" and value <= 0:
        problems.append(f"{where}: {cells[name]} must be above 0.")
    else:
        wrong = out_of_range(value, 1.0) if name == "yi" else out_of_range(0.0, value)
        problems += [f"{where}: {wrong}."] if wrong else []
    return value


def read_covariance(path: Path, rows: Sequence[Row]) -> list[list[float]]:
    """Return the sampling covariance of the effects (k x k), 0 for pairs not in the file.

    UsageError for a file that cannot be read, names that are not among the effects or not unique, a
    pair that stands twice with different numbers, and a variance that is not that of the effect.
    """
    index = {row.effect: i for i, row in enumerate(rows)}
    if len(index) < len(rows):
        names = [row.effect for row in rows]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise UsageError(
            f"covariances need one name per effect, but {', '.join(twice)} occurs more than once. "
            "Add a column effect_id with a name of its own for each row."
        )
    sheet = _table(path, "effect, effect, covariance")
    if len(sheet.header) != 3 or sheet.header[2] != "covariance":
        raise UsageError(
            f"{path} must have three columns, two names of effects and 'covariance' "
            f"(found {', '.join(sheet.header)})."
        )
    V = [[row.vi if i == j else 0.0 for j in range(len(rows))] for i, row in enumerate(rows)]
    seen: dict[tuple[int, int], float] = {}
    problems: list[str] = []
    mark = _mark_of(path, sheet, ("covariance",))
    for number, (first, second, text) in sheet.rows:
        unknown = [name for name in (first, second) if name not in index]
        if unknown:
            problems.append(f"row {number}: there is no effect '{unknown[0]}' in the table.")
            continue
        try:
            value = number_of(text, mark)
        except NumberError as error:
            problems.append(f"row {number}, column covariance: {error}.")
            continue
        i, j = sorted((index[first], index[second]))
        problems += _contradiction(number, seen, (i, j), value, rows)
        V[i][j] = V[j][i] = rows[i].vi if i == j else value
    _refuse(path, problems)
    return V


def _contradiction(
    number: int, seen: dict[tuple[int, int], float], pair: tuple[int, int], value: float,
    rows: Sequence[Row],
) -> list[str]:  # fmt: skip
    """Return what a covariance contradicts: another row of the file, or the effect's variance."""
    before = seen.setdefault(pair, value)
    one, other = (rows[i] for i in pair)
    if before != value:
        names = f"{one.effect} and {other.effect}"
        return [f"row {number}: {names} have {value:g} here and {before:g} above. Keep one."]
    if one is other and not math.isclose(value, one.vi, rel_tol=1e-9):
        words = f"the variance of {one.effect} is {value:g} here and {one.vi:g} in the table."
        return [f"row {number}: {words}"]
    return []


def moderators(
    rows: Sequence[Row], columns: Sequence[str], mark: Mark
) -> tuple[list[int], dict[str, list[float] | list[str]]]:
    """Return the rows that have all moderators, and the values of each: numbers, or words.

    UsageError for a column that mixes numbers and words.
    """
    kept = [i for i, row in enumerate(rows) if all(row.cells.get(name) for name in columns)]
    values: dict[str, list[float] | list[str]] = {}
    for column in columns:
        texts = [rows[i].cells[column] for i in kept]
        numbers: list[float] = []
        odd: list[str] = []
        for i in kept:
            try:
                numbers.append(number_of(rows[i].cells[column], mark))
            except NumberError:
                odd.append(f"'{rows[i].cells[column]}' in row {rows[i].number}")
        if numbers and odd:
            raise UsageError(f"column '{column}' mixes numbers and words ({', '.join(odd)}).")
        values[column] = numbers or texts
    return kept, values
