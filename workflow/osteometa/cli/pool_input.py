"""What `osteometa pool` reads: effects, moderators, groups and covariances from CSV files."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from osteometa.numerics.range import out_of_range


class UsageError(ValueError):
    """The file cannot be pooled; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One effect as it stands in the file."""

    number: int
    """Row as a spreadsheet counts it."""
    study: str
    effect: str
    """`effect_id` if the file has that column, else the study."""
    yi: float
    vi: float
    cells: dict[str, str]


def read_effects(path: Path, columns: Sequence[str] = ()) -> tuple[list[Row], str]:
    """Return the effects and the delimiter of the file.

    Raises
    ------
    UsageError
        For a file that is missing, empty, without the columns, or with a cell that cannot be used.
    """
    delimiter, header, lines = _table(path, "study, yi, vi")
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
            near = get_close_matches(name, header, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise UsageError(f"{path} has no column '{name}'.{hint} It has: {', '.join(header)}.")
    rows: list[Row] = []
    problems: list[str] = []
    for number, values in lines:
        cells = dict(zip(header, values, strict=False))
        study = cells.get("study", "")
        yi, vi = (_number(cells, name, number, delimiter, problems) for name in ("yi", "vi"))
        rows.append(
            Row(number=number, study=study, effect=cells.get("effect_id") or study, yi=yi, vi=vi,
                cells=cells)
        )  # fmt: skip
    if problems:
        raise UsageError(f"{path}:\n" + "\n".join(f"  {problem}" for problem in problems))
    if not rows:
        raise UsageError(f"{path} has a header and no study: there is nothing to pool (k = 0).")
    return rows, delimiter


def _table(path: Path, needed: str) -> tuple[str, list[str], list[tuple[int, list[str]]]]:
    """Return delimiter, header and the rows that hold something, with their numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist. Name a CSV file with {needed}.") from None
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{path} cannot be read as UTF-8 text. Save it as CSV UTF-8.") from None
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise UsageError(f"{path} is empty. It needs the columns {needed}.")
    delimiter = ";" if lines[0].count(";") > lines[0].count(",") else ","
    try:
        reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
        header, *rows = reader
    except csv.Error as error:
        raise UsageError(
            f"{path} cannot be read as CSV ({error}). Look for a stray quote."
        ) from None
    cleaned = [(number, [cell.strip() for cell in row]) for number, row in enumerate(rows, 2)]
    header = [name.strip() for name in header]
    filled = [(number, row) for number, row in cleaned if any(row)]
    _refuse_misfits(path, header, filled)
    return delimiter, header, filled


def _refuse_misfits(path: Path, header: list[str], rows: list[tuple[int, list[str]]]) -> None:
    """Raise where a cell could be taken for that of another column."""
    problems = [
        f"row {number} has {len(row)} cells, the header {len(header)}. A number with a decimal "
        "comma needs semicolons between the columns, text with a comma needs quotes."
        for number, row in rows
        if len(row) != len(header)
    ]
    if problems:
        raise UsageError(f"{path}:\n" + "\n".join(f"  {problem}" for problem in problems))


def number_of(text: str, delimiter: str) -> float | None:
    """Return a cell as a number, or None; a decimal comma where semicolons separate."""
    try:
        value = float(text.replace(",", ".") if delimiter == ";" else text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _number(
    cells: dict[str, str], name: str, row: int, delimiter: str, problems: list[str]
) -> float:
    text = cells.get(name, "")
    where = f"row {row}, study {cells.get('study') or '(no name)'}, column {name}"
    try:
        value = float(text.replace(",", ".") if delimiter == ";" else text)
    except ValueError:
        problems.append(f"{where}: '{text}' is no number. Type one, or delete the row.")
        return 0.0
    if not math.isfinite(value) or (name == "vi" and value <= 0):
        need = "must be above 0" if name == "vi" else "must be finite"
        problems.append(f"{where}: {text} {need}.")
    else:
        wrong = out_of_range(value, 1.0) if name == "yi" else out_of_range(0.0, value)
        problems += [f"{where}: {wrong}."] if wrong else []
    return value


def read_covariance(path: Path, rows: Sequence[Row]) -> list[list[float]]:
    """Return the sampling covariance of the effects (k x k), 0 where the file says nothing.

    Raises
    ------
    UsageError
        For a file that cannot be read, names that are not among the effects or not unique, a pair
        that stands twice with different numbers, and a variance that is not that of the effect.
    """
    index = {row.effect: i for i, row in enumerate(rows)}
    if len(index) < len(rows):
        names = [row.effect for row in rows]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise UsageError(
            f"covariances need one name per effect, but {', '.join(twice)} occurs more than once. "
            "Add a column effect_id with a name of its own for each row."
        )
    needed = "effect, effect, covariance"
    delimiter, header, lines = _table(path, needed)
    if len(header) != 3 or header[2] != "covariance":
        raise UsageError(
            f"{path} must have three columns, two names of effects and 'covariance' "
            f"(found {', '.join(header)})."
        )
    V = [[row.vi if i == j else 0.0 for j in range(len(rows))] for i, row in enumerate(rows)]
    seen: dict[tuple[int, int], float] = {}
    problems: list[str] = []
    for number, values in lines:
        first, second, text, *_ = [*values, "", "", ""]
        unknown = [name for name in (first, second) if name not in index]
        value = number_of(text, delimiter)
        if unknown:
            problems.append(f"row {number}: there is no effect '{unknown[0]}' in the table.")
        elif value is None:
            problems.append(f"row {number}, column covariance: '{text}' is no number.")
        else:
            i, j = sorted((index[first], index[second]))
            problems += _contradiction(number, seen, (i, j), value, rows)
            V[i][j] = V[j][i] = rows[i].vi if i == j else value
    if problems:
        raise UsageError(f"{path}:\n" + "\n".join(f"  {problem}" for problem in problems))
    return V


def _contradiction(
    number: int, seen: dict[tuple[int, int], float], pair: tuple[int, int], value: float,
    rows: Sequence[Row],
) -> list[str]:  # fmt: skip
    """Return what a covariance contradicts: another row of the file, or the effect's variance."""
    before = seen.setdefault(pair, value)
    names = f"{rows[pair[0]].effect} and {rows[pair[1]].effect}"
    if before != value:
        return [f"row {number}: {names} have {value:g} here and {before:g} above. Keep one."]
    if pair[0] == pair[1] and not math.isclose(value, rows[pair[0]].vi, rel_tol=1e-9):
        return [
            f"row {number}: the variance of {rows[pair[0]].effect} is {value:g} here and "
            f"{rows[pair[0]].vi:g} in the table."
        ]
    return []


def moderators(
    rows: Sequence[Row], columns: Sequence[str], delimiter: str
) -> tuple[list[int], dict[str, list[float] | list[str]]]:
    """Return the rows that have all moderators, and the values of each: numbers, or words.

    Raises
    ------
    UsageError
        For a column that mixes numbers and words.
    """
    kept = [i for i, row in enumerate(rows) if all(row.cells.get(name) for name in columns)]
    values: dict[str, list[float] | list[str]] = {}
    for column in columns:
        texts = [rows[i].cells[column] for i in kept]
        numbers = [value for text in texts if (value := number_of(text, delimiter)) is not None]
        if numbers and len(numbers) < len(texts):
            odd = next(text for text in texts if number_of(text, delimiter) is None)
            raise UsageError(f"column '{column}' mixes numbers and words ('{odd}').")
        values[column] = numbers or texts
    return kept, values
