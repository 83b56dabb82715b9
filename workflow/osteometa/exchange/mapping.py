"""Which column of a table from another source holds what: the mapping file, read and written.

A group of the mapping makes one row of one raw table from each row of the table; its fields are the
columns of that raw table, each taken from a column or given as one value by the reviewer. With the
group `arms` each row of the table is one arm, otherwise one comparison.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from osteometa.exchange.choices import choice_of
from osteometa.extraction.cell_types import Row
from osteometa.extraction.codebook import allowed
from osteometa.extraction.tables import Arm, Contrast, Measurement, Study
from osteometa.io.cell_text import NumberError, is_missing, plain_number
from osteometa.io.problems import Problem, ProblemsFound, suggestion
from osteometa.io.yaml_file import read_yaml
from osteometa.protocol.config import Config
from osteometa.records.groups import grouped

FINDING = (
    "outcome", "analyte", "site", "assay", "timepoint", "time_h", "time_wk", "unit", "report",
    "population_analysed", "source", "origin", "flag",
)  # fmt: skip
"""Columns that measurements and contrasts of one row have in common."""
GROUPS: dict[str, type[Row]] = {
    "study": Study, "arms": Arm, "exercise": Arm, "control": Arm, "finding": Measurement,
    "exercise_before": Measurement, "control_before": Measurement,
    "exercise_after": Measurement, "control_after": Measurement,
    "exercise_change": Measurement, "control_change": Measurement,
    "arm_before": Measurement, "arm_after": Measurement, "arm_change": Measurement,
    "contrast": Contrast,
}  # fmt: skip
"""Groups of the mapping, each with the raw table that its rows are for."""
ARMS = {
    "arm": "Column that names the arm of each row",
    "control": "Names of the control arms in that column, with semicolons between",
    "role": "Another column in which `control` is looked for",
}
"""Fields of `arms`."""
VARIANCE = "variance"
"""A field of `contrast` beside its columns: the variance of `value`, whose root becomes the SE."""
IMPLIED = {
    "study": ("study_id",), "exercise": ("study_id", "role", "comparator"),
    "control": ("study_id", "role"), "contrast": ("study_id", "arm_id", "outcome", "timepoint"),
}  # fmt: skip
"""Columns of each group that need no field: they follow from the group, or from another."""

SIDES = ("exercise", "control")
NAMED = ("outcome", "analyte", "site", "modality")
"""Columns whose names config.yaml defines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Where the cells of one column come from."""

    group: str
    name: str
    kind: Literal["column", "value"] = "column"
    text: str = ""
    """A column of the table, or the value; an empty value is a question to the reviewer."""
    words: Mapping[str, str] | None = None
    """Words of the column with what each stands for; other words stay."""
    line: int | None = None
    """Line of the mapping file."""

    @property
    def path(self) -> str:
        """Name of the field in messages, such as study.design."""
        return f"{self.group}.{self.name}"

    @property
    def is_number(self) -> bool:
        """Whether the cells are numbers."""
        if self.group == "arms":
            return False
        return self.name == VARIANCE or GROUPS[self.group].is_number(self.name)


def fields_of_group(group: str) -> tuple[str, ...]:
    """Return the fields that a group may have."""
    if group in ("finding", "arms"):
        return FINDING if group == "finding" else tuple(ARMS)
    extra = (VARIANCE,) if group == "contrast" else ()
    return tuple(name for name in GROUPS[group].columns() if name != "study_id") + extra


def read_mapping(
    path: Path, heads: tuple[str, ...], config: Config | None = None
) -> tuple[Field, ...]:
    """Return the fields of a mapping file; `config` gives the names that its questions list.

    ProblemsFound has every problem: unknown groups, fields and columns, and questions left open.
    """
    values, lines = read_yaml(path)
    fields: list[Field] = []
    wrong: list[tuple[tuple[int | str, ...], str, str]] = []
    for group, named in values.items():
        if group in GROUPS and not named:
            wrong.append(((group,), "The group is empty. Add its fields, or delete the line.", ""))
        elif group not in GROUPS or not isinstance(named, dict):
            message = f"No group. {suggestion(group, GROUPS)}Use: {', '.join(GROUPS)}."
            wrong.append(((group,), message, ""))
        else:
            for name, given in named.items():
                message = _misfit(group, str(name), given)
                if message:
                    wrong.append(((group, name), message, ""))
                    continue
                kind = "column" if "column" in given else "value"
                words = {word.strip(): text or "" for word, text in given.get("words", {}).items()}
                fields.append(Field(group=group, name=name, kind=kind, text=given[kind] or "",
                                    line=lines.get((group, name)), words=words))  # fmt: skip
    for field in fields:
        for message, found in _faults(field, heads, config):
            wrong.append(((field.group, field.name), message, found))
    problems = [
        Problem(file=path.name, row=lines.get(where), column=".".join(map(str, where)),
                code="E105", message=message, found=found)
        for where, message, found in wrong
    ]  # fmt: skip
    problems += _needed(path.name, fields, config)
    if problems:
        raise ProblemsFound(problems)
    return tuple(fields)


def _misfit(group: str, name: str, given: object) -> str:
    """Return why an entry is no field of its group; '' where it is one."""
    known = fields_of_group(group)
    if name not in known:
        return f"Not a field. {suggestion(name, known)}Use: {', '.join(known)}."
    forms = ({"column"}, {"value"}, {"column", "words"})
    words = given.get("words", {}) if isinstance(given, dict) else None
    if not isinstance(given, dict) or set(given) not in forms or not isinstance(words, dict):
        return (
            "Write {column: NAME}, {column: NAME, words: {WORD: MEANING}} or {value: TEXT}; put "
            "text with a comma or a colon between quotes."
        )
    texts = [*words.values(), *(given[name] for name in given if name != "words")]
    if not all(text is None or isinstance(text, str) for text in texts):
        return "This is not text. Put it between quotes."  # YAML reads 12.50 as the number 12.5
    return ""


def _faults(
    field: Field, heads: tuple[str, ...], config: Config | None
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a field, each with what was found."""
    if not field.text:
        words = question(field.group, field.name, config)
        yield f"{words} Or delete the line, where its cells may stay empty.", ""
    elif field.kind == "column" and field.text not in heads:
        yield f"The table has no such column. {suggestion(field.text, heads)}", field.text
    elif field.kind == "value" and field.is_number and not is_missing(field.text):
        try:
            plain_number(field.text)
        except NumberError as error:
            yield f"{error}.", ""


def _needed(file: str, fields: list[Field], config: Config | None) -> Iterator[Problem]:
    """Yield the columns that every row of a raw table needs and that the mapping does not give."""
    given = {(field.group, field.name) for field in fields}
    groups = {field.group for field in fields}
    numbers = groups - {"study", "arms", "exercise", "control", "finding"}
    if not numbers:
        message = "No numbers are mapped. Add a group such as exercise_after or contrast."
        yield Problem(file=file, code="E105", message=message)
    for group in sorted(numbers):
        if group.startswith("arm_") != ("arms" in groups):
            message = (
                "With the group arms each row is one arm. Map its numbers to arm_before, arm_after "
                "or arm_change."
                if "arms" in groups
                else "Add the group arms, which names the arm of each row, or map the numbers to "
                "groups of exercise and control."
            )
            yield Problem(file=file, column=group, code="E105", message=message)
    if "arms" in groups and ("arms", "arm") not in given:
        message = f"The mapping lacks it. {question('arms', 'arm', config)}"
        yield Problem(file=file, column="arms.arm", code="E105", message=message)
    for group in ("study", "exercise", *groups & {"control", "contrast"}, "finding"):
        required = ("outcome", "timepoint") if group == "finding" else (
            GROUPS[group].model_json_schema().get("required", ()))  # fmt: skip
        for name in required:
            named = "arms" in groups and name in ("arm_id", "label") and group in SIDES
            if (group, name) not in given and name not in IMPLIED.get(group, ()) and not named:
                message = f"The mapping lacks it. {question(group, name, config)}"
                yield Problem(file=file, column=f"{group}.{name}", code="E105", message=message)


def question(group: str, name: str, config: Config | None) -> str:
    """Return what to add to the mapping for a field that the table does not give."""
    words = f"{holds(group, name)} ({_words(group, name, config)})"
    return f"State it as {{value: ...}} or {{column: ...}}. It is: {words}."


def _words(group: str, name: str, config: Config | None) -> str:
    """Return what a field may hold: its names in config.yaml, or what the codebook allows."""
    if group == "arms":
        return "text" if name == "control" else "a column"
    choice = choice_of(GROUPS[group], name, config) if config and name in NAMED else None
    words = ", ".join(choice.words) if choice else allowed(GROUPS[group], name)
    return words.removesuffix("; needed")


def holds(group: str, name: str) -> str:
    """Return what a field holds, in the words of the codebook."""
    if group == "arms":
        return ARMS[name]
    if name == VARIANCE:
        return "Variance of the value; its root becomes the SE"
    return (GROUPS[group].model_fields[name].description or "").removesuffix(".")


def mapping_text(
    table: str, fields: tuple[Field, ...], unused: tuple[str, ...], config: Config | None
) -> str:
    """Return a mapping as the text of its file, with its questions and the unused columns."""
    lines = [
        f"# Which column of {table} holds what. Write {{column: NAME}} for a column of the table,",
        "# {column: NAME, words: {WORD: MEANING}} where it uses words of its own, or {value: TEXT}",
        "# for what is the same in all rows. Answer each empty field, or delete its line where its",
        "# cells may stay empty: nothing else is filled in.",
    ]
    if unused:
        lines.append(f"# Columns that are not used: {', '.join(unused)}")
    for group in GROUPS:
        named = [field for field in fields if field.group == group]
        if named:
            lines += ["", f"{group}:"]
        for field in named:
            text = json.dumps(field.text, ensure_ascii=False) if field.text else ""
            lines.append(f"  {field.name}: {{{field.kind}: {text}}}{_asked(field, config)}")
    return "\n".join(lines) + "\n"


def _asked(field: Field, config: Config | None) -> str:
    """Return what an empty field is to hold, as a comment."""
    if field.text:
        return ""
    words = _words(field.group, field.name, config)
    return f"    # {holds(field.group, field.name).partition(';')[0]} ({words})"


def mapped(fields: tuple[Field, ...]) -> dict[str, dict[str, Field]]:
    """Return the fields by group and name."""
    groups = grouped(fields, lambda field: field.group)
    return {group: {field.name: field for field in own} for group, own in groups.items()}
