"""Rows of the raw tables, made from a table of another source by its mapping."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from osteometa.exchange.differences import MODELS, Cells, Sheets, with_cells
from osteometa.exchange.mapping import FINDING, SIDES, VARIANCE, Field, mapped
from osteometa.extraction.cell_types import LONGEST
from osteometa.io.cell_text import Mark, NumberError, is_missing, plain_number
from osteometa.io.problems import Problem, ProblemsFound
from osteometa.io.sheet import Sheet, SheetError
from osteometa.validation.cells import STATISTICS

Groups = Mapping[str, dict[str, Field]]
LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ß": "ss", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
"""Letters that are no letter with an accent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a new row comes from: a row of the table, and the group that made it."""

    row: int
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The raw tables with new rows."""

    sheets: dict[str, Sheet]
    origins: dict[tuple[str, int], Origin]
    """By raw table and row."""
    problems: tuple[Problem, ...]
    """Cells that could not be read, and studies or arms that two rows describe differently."""


def rows_from(table: Sheet, fields: tuple[Field, ...], own: Sheets, file: str) -> Made:
    """Return a review's tables with the rows that another table adds.

    A row with the key of one that is there fills or changes the cells that are mapped, and no
    other. `own` are the tables of the review, `file` the name of the other one in messages.
    """
    groups = mapped(fields)
    columns = [f.text for f in fields if f.kind == "column" and f.is_number]
    mark = table.decimal_mark(columns)
    made: list[tuple[str, Cells, Origin]] = []
    problems: list[Problem] = []
    for row, line in table.rows:
        source = dict(zip(table.header, line, strict=False))
        try:
            made += _made_of(row, source, groups, mark)
        except NumberError as error:
            message, *column = error.args
            where = {"file": file, "row": row, "column": "".join(column)}
            problems.append(Problem(**where, code="E105", message=f"{message}."))
    if "arms" in groups:
        made, unpaired = _with_comparators(made, file, controlled="control" in groups["arms"])
        problems += unpaired
    problems += _contradictions(made, file)
    sheets, origins = {}, {}
    for name, sheet in own.items():
        new = [(cells, origin) for made_for, cells, origin in made if made_for == name]
        sheets[name], places = _with_rows(name, sheet, new)
        origins |= {(name, number): origin for number, origin in places.items()}
    return Made(sheets=sheets, origins=origins, problems=tuple(problems))


def _made_of(
    row: int, source: Cells, groups: Groups, mark: Mark
) -> Iterator[tuple[str, Cells, Origin]]:
    """Yield table, cells and origin of each row that one row of the other table makes."""
    cells = {group: _cells(source, named, mark) for group, named in groups.items()}
    study = cells.get("study", {})
    label, year = study.get("label", ""), study.get("year", "")
    if not label:
        raise NumberError("The row names no study")
    study["label"] = label if not year or year in label else f"{label} {year}"
    study_id = identifier(study["label"])
    two = "control" in cells
    sides, named = SIDES if two else SIDES[:1], cells.get("arms")
    arms = {side: identifier(cells.get(side, {}).get("arm_id") or side) for side in SIDES}
    if named is not None:
        if not named.get("arm"):
            raise NumberError("The row names no arm")
        sides = (_side(named),)
        arms = {"arm": identifier(named["arm"])}
        cells |= {sides[0]: {"label": named["arm"]} | cells.get(sides[0], {})}
    yield "studies", study | {"study_id": study_id}, Origin(row=row, group="study")
    for side in sides:
        arm_id = arms.get(side) or arms["arm"]
        arm = cells.get(side, {}) | {"study_id": study_id, "arm_id": arm_id, "role": side}
        if side == "exercise" and two and named is None:
            arm["comparator"] = arms["control"]
        yield "arms", arm, Origin(row=row, group=side)
    shared = cells.get("finding", {}) | {"study_id": study_id}
    weeks = "" if shared.get("time_h") else shared.get("time_wk", "")
    before = shared.get("timepoint", "").casefold() in BEFORE or (weeks and not float(weeks))
    for group, found in cells.items():
        side, _, when = group.partition("_")
        if when and any(found.get(name) for name in STATISTICS):
            kind = {"kind": "change" if when == "change" else "level", "arm_id": arms[side]}
            time = BASELINE if when == "before" or before else {}
            yield "measurements", shared | kind | time | found, Origin(row=row, group=group)
        elif group == "contrast" and any(found.get(name) for name in ("value", "p", "ci_low")):
            both = {name: text for name, text in shared.items() if name != "assay"}
            contrast = both | {"arm_id": arms["exercise"]} | _with_se(found)
            yield "contrasts", contrast, Origin(row=row, group=group)


def _side(named: Cells) -> str:
    """Return whether a row with one arm is of a control arm."""
    names = {name.strip().casefold() for name in named.get("control", "").split(";")}
    found = named.get("role") or named["arm"]
    return "control" if found.casefold() in names - {""} else "exercise"


def _with_comparators(
    made: Iterable[tuple[str, Cells, Origin]], file: str, *, controlled: bool
) -> tuple[list[tuple[str, Cells, Origin]], list[Problem]]:
    """Return the rows with the control arm of its study for each exercise arm.

    A study of a controlled review with no control arm, or with several, is a problem.
    """
    made = list(made)
    controls: dict[str, set[str]] = defaultdict(set)
    for table, cells, _ in made:
        if table == "arms" and cells["role"] == "control":
            controls[cells["study_id"]].add(cells["arm_id"])
    first: dict[str, Problem] = {}
    for table, cells, origin in made:
        if not controlled or table != "arms" or cells["role"] != "exercise":
            continue
        found = controls[cells["study_id"]]
        if len(found) == 1:
            cells["comparator"] = next(iter(found))
            continue
        several = f"has {len(found)} control arms ({', '.join(sorted(found))})"
        message = (
            f"The study {several if found else 'has no control arm'}. Correct arms.control in the "
            "mapping, or leave the rows of this study out and enter it in the tables."
        )
        study = cells["study_id"]
        problem = Problem(file=file, row=origin.row, code="E105", study=study, message=message)
        first.setdefault(study, problem)
    return made, list(first.values())


BEFORE = ("baseline", "before", "pre")
"""Names of the time before exercise."""
BASELINE = {"timepoint": "baseline", "time_wk": "", "time_h": ""}


def _cells(source: Cells, named: dict[str, Field], mark: Mark) -> Cells:
    """Return the cells of one group; a word for a missing value is an empty cell."""
    cells = {}
    for name, field in named.items():
        text = source.get(field.text, "") if field.kind == "column" else field.text
        meaning = (field.words or {}).get(text.strip())
        text = text if meaning is None else meaning
        text = "" if is_missing(text) else text
        if text and field.is_number:
            from_table = field.kind == "column" and meaning is None
            try:
                text = plain_number(text, mark if from_table else ".")
            except NumberError as error:
                raise NumberError(str(error), f"{field.text} ({name})") from None
        cells[name] = text
    return cells


def _with_se(cells: Cells) -> Cells:
    """Return the cells of a contrast with the SE that a variance gives, and how in the note."""
    rest = {name: text for name, text in cells.items() if name != VARIANCE}
    variance = cells.get(VARIANCE, "")
    if not variance or rest.get("se"):
        return rest
    if float(variance) <= 0:
        raise NumberError(f"The variance {variance} is not above 0")
    said = f"se is the root of the variance {variance}"
    note = "; ".join(filter(None, (rest.get("note", ""), said)))
    return rest | {"se": repr(math.sqrt(float(variance))), "note": note}


def identifier(text: str) -> str:
    """Return a text as an id: small letters without accents, digits and underscores."""
    text = text.lower().translate(LETTERS)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "_", plain).strip("_")[:LONGEST]


def _contradictions(made: Iterable[tuple[str, Cells, Origin]], file: str) -> Iterator[Problem]:
    """Yield studies and arms of which two rows differ."""
    first: dict[tuple[str, ...], tuple[Cells, int]] = {}
    for table, cells, origin in made:
        if table not in ("studies", "arms"):
            continue
        key = (table, *(cells.get(name, "") for name in MODELS[table].key))
        known, row = first.setdefault(key, (cells, origin.row))
        for column, text in cells.items():
            if text != known.get(column, ""):
                yield Problem(
                    file=file, row=origin.row, column=column, code="E105",
                    study=cells["study_id"], found=text,
                    message=f"Row {row} has '{known.get(column, '')}' for {'/'.join(key[1:])}. "
                    "Give the two different names (another study.label, arm or arm_id), or correct "
                    "one.",
                )  # fmt: skip


def _with_rows(
    name: str, sheet: Sheet, new: list[tuple[Cells, Origin]]
) -> tuple[Sheet, dict[int, Origin]]:
    """Return a raw table with new rows at its end, and the origins of its rows by number.

    Numbers are written with the decimal mark of the table.
    """
    numbers = [column for column in sheet.header if MODELS[name].is_number(column)]
    try:
        mark = sheet.decimal_mark(numbers)
    except SheetError as error:
        wrong = Problem(file=f"data/raw/{name}.csv", row=error.row, code="E101", message=str(error))
        raise ProblemsFound([wrong]) from None
    if mark == ",":
        new = [
            ({c: t.replace(".", ",") if c in numbers else t for c, t in cells.items()}, origin)
            for cells, origin in new
        ]
    rows = [(number, dict(zip(sheet.header, line, strict=False))) for number, line in sheet.rows]
    there = {tuple(cells.get(k, "") for k in MODELS[name].key): place
             for place, (_, cells) in enumerate(rows)}  # fmt: skip
    own, last = len(rows), max((number for number, _ in rows), default=1)
    origins: dict[int, Origin] = {}
    for cells, origin in new:
        key = tuple(cells.get(column, "") for column in MODELS[name].key)
        place = there.get(key)
        once = name in ("studies", "arms")
        if place is not None and (once or place < own) and (once or rows[place][0] not in origins):
            rows[place][1].update({column: text for column, text in cells.items() if text})
        else:
            last, place = last + 1, len(rows)
            rows.append((last, cells))
            there.setdefault(key, place)
        origins.setdefault(rows[place][0], origin)
    return replace(with_cells(sheet, rows), separator=","), origins


def at_sources(
    problems: Iterable[Problem], made: Made, fields: tuple[Field, ...], file: str, mapping: str
) -> list[Problem]:
    """Return problems of new rows at the rows and columns of the table, or fields of the mapping.

    What the mapping states once is reported once.
    """
    groups = mapped(fields)
    placed: dict[Problem, None] = {}
    for problem in problems:
        origin = made.origins.get((problem.in_table, problem.row or 0))
        if origin is None or not problem.file.startswith("data/raw/"):
            placed[problem] = None
            continue
        column = problem.column.split(",")[0]
        field = groups.get(origin.group, {}).get(column)
        if field is None and column in FINDING:
            field = groups.get("finding", {}).get(column)
        message = problem.message
        if "arms" in groups:
            message = message.replace("by `report`", "by two names of arms, or by `report`")
        if field is None and column == "exercise_type":  # what the modality leaves open
            field = groups.get(origin.group, {}).get("modality")
            message = message.replace(
                "Enter the type here, with the reason in type_reason.",
                f"Add exercise_type and type_reason under {origin.group}:.",
            )
        if field is not None and field.kind == "value":
            new = replace(problem, file=mapping, row=field.line, column=field.path, study="",
                          row_key="", message=message)  # fmt: skip
        else:

            def source_row(found: re.Match[str], table: str = problem.in_table) -> str:
                other = made.origins.get((table, int(found[1])))
                return f"first in row {other.row})" if other else f"first in {table}.csv)"

            message = re.sub(r"first in row ([0-9]+)\)", source_row, message)
            column = f"{field.text} ({problem.column})" if field else problem.column
            new = replace(problem, file=file, row=origin.row, column=column, message=message)
        placed[new] = None
    return list(placed)
