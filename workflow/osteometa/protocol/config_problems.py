"""Problems of config.yaml as a reviewer reads them: line, key, value found, what is allowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from osteometa.extraction.tables import Arm, Study
from osteometa.extraction.units import UNITS, units_of
from osteometa.io.cell_text import unseen
from osteometa.io.problems import Problem, suggestion
from osteometa.protocol.sources import Location, Places

if TYPE_CHECKING:
    from osteometa.protocol.config import Config

RENAMED: dict[Location, str] = {
    ("directions", "vote_share"): "agreement_share",
    ("multiverse", "people"): "inclusion",
    ("multiverse", "prints"): "inconsistent_data",
    ("sites",): "outcomes.NAME.sites",
    ("outcomes", "*", "baseline_mean"): "analytes.NAME.baseline_mean",
}
"""Keys of earlier versions by their place (`*` for any name), with what each is called now."""
EXPECTED = {
    "greater_than": "above {gt:.10g}",
    "greater_than_equal": "at least {ge:.10g}",
    "less_than": "below {lt:.10g}",
    "less_than_equal": "at most {le:.10g}",
    "int_type": "a whole number",
    "int_parsing_size": "a whole number",
    "float_type": "a number",
    "finite_number": "a number with an end",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text; put it between quotes",
    "string_pattern_mismatch": "made of small letters, digits and _ only",
    "tuple_type": "a list, for instance [a, b]",
    "list_type": "a list, for instance [a, b]",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "text of at least {min_length} character",
    "string_too_long": "text of at most {max_length} characters",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
}
"""What a value must be, by pydantic's type of error."""


def validation_problems(
    errors: Sequence[ErrorDetails], places: Places, model: type[BaseModel]
) -> list[Problem]:
    """Return the problems of single keys and values; a renamed key is one problem, not two."""
    under_old_name = {(*item["loc"][:-1], _new_name(item["loc"])) for item in errors}
    named = (item for item in errors if item["loc"] not in under_old_name)
    return [_validation_problem(item, places, model) for item in named]


def _new_name(location: Location) -> str | None:
    for old, new in RENAMED.items():
        parts = zip(old, location, strict=False)
        if len(old) == len(location) and all(name in ("*", part) for name, part in parts):
            return new
    return None


def _validation_problem(item: ErrorDetails, places: Places, model: type[BaseModel]) -> Problem:
    location: Location = item["loc"]
    while len(location) > 1 and location not in places and location[:-1] not in places:
        location = location[:-1]
    code, message = "E105", _message(item, location)
    found = "" if isinstance(item["input"], dict) else str(item["input"])
    if item["type"] == "extra_forbidden":
        code, found = "E101", str(item["loc"][-1])
        message = _unknown_key(location, model)
    elif item["type"] == "missing":
        code, found = "E101", ""
    elif item["type"] == "literal_error" and isinstance(item["input"], list):
        code = "E601"
    return _problem(location, places, code, message, found)


def _message(item: ErrorDetails, location: Location) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "missing":
        return "This key is missing. Add it (see docs/reference/config.md)."
    if kind == "literal_error":
        message = f"Use {context['expected']}."
        if {"phase", "design_class"} & set(location):
            message += " A synthesis may not mix phases or design classes: declare two."
        return message
    if kind in EXPECTED:
        return f"The value must be {EXPECTED[kind].format(**context)}. Correct it."
    return f"{item['msg'].removeprefix('Value error, ').rstrip('.')}."


def _unknown_key(location: Location, model: type[BaseModel]) -> str:
    new = _new_name(location)
    if new is not None:
        return f"'{location[-1]}' is now called '{new}'. Rename the key."
    known = _keys_at(location[:-1], model)
    near = suggestion(str(location[-1]), known)
    return f"This key is not known. {near}Allowed: {', '.join(known)}."


def _keys_at(location: Location, model: Any) -> list[str]:
    """Return the keys that a model knows at a place; names of the review count as any."""
    top = model
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        model = model if field is None else field.annotation
        model = next(iter(_models_in(model)), model)
    return list(getattr(model, "model_fields", top.model_fields))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models_in(part)


def _problem(location: Location, places: Places, code: str, message: str, found: str) -> Problem:
    file, line = places.get(location) or places.get(location[:-1]) or places[()]
    column = ".".join(map(str, location))
    return Problem(file=file, row=line, column=column, code=code, found=found, message=message)


def unseen_problems(value: Any, places: Places, at: Location = ()) -> Iterator[Problem]:
    """Yield the keys and texts with a character that cannot be seen."""
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for key, item in inner:
        if character := unseen(str(key)) or (isinstance(item, str) and unseen(item)):
            message = f"There is the character {character}, which cannot be seen. Type it anew."
            yield _problem((*at, key), places, "E106", message, "")
        yield from unseen_problems(item, places, (*at, key))


def reference_problems(config: Config, places: Places) -> Iterator[Problem]:
    """Yield names that refer to nothing declared, and ids that are used twice."""
    for index, synthesis in enumerate(config.syntheses):
        where: Location = ("syntheses", index)
        outcome = config.outcomes.get(synthesis.outcome)
        names: list[tuple[str, str, Sequence[str]]] = [
            ("outcome", synthesis.outcome, list(config.outcomes)),
            ("window", synthesis.window,
             ["during", *config.windows] if synthesis.phase == "acute" else [""]),
        ]  # fmt: skip
        if outcome is not None:
            names += [
                ("analyte", synthesis.analyte, list(outcome.analytes)),
                ("site", synthesis.site, outcome.sites or [""]),
            ]
        for key, value, allowed in names:
            yield from _undeclared((*where, key), places, key, value, allowed)
    for name, outcome in config.outcomes.items():
        place: Location = ("outcomes", name)
        scores = all(analyte.quantity == "other" for analyte in outcome.analytes.values())
        for unit in () if scores else outcome.units:
            yield from _undeclared((*place, "units", unit), places, "unit", unit, list(UNITS))
        for key, analyte in outcome.analytes.items():
            for site in analyte.baseline_mean:
                here = (*place, "analytes", key, "baseline_mean", site)
                yield from _undeclared(here, places, "site", site, outcome.sites)
            if analyte.baseline_mean and not outcome.unit_of(key):
                message = (
                    "Means need one unit: give `units` of this outcome exactly one that fits the "
                    f"quantity. Use one of: {', '.join(units_of(analyte.quantity))}."
                )
                here = (*place, "analytes", key, "baseline_mean")
                yield _problem(here, places, "E105", message, ", ".join(outcome.units))
    for column, bounds in config.subgroups.by.items():
        here = ("subgroups", "by", column)
        columns = {name: model for model in (Study, Arm) for name in model.subgroups}
        yield from _undeclared(here, places, "column", column, list(columns))
        if column in columns and columns[column].is_number(column) != bool(bounds):
            message = (
                "This column holds codes: write [] for it." if bounds else
                "This column holds numbers: give the bounds between its bands, for instance "
                "[26, 52]."
            )  # fmt: skip
            yield _problem(here, places, "E105", message, ", ".join(f"{b:g}" for b in bounds))
    counts = Counter(synthesis.id for synthesis in config.syntheses)
    for index, synthesis in enumerate(config.syntheses):
        if counts[synthesis.id] > 1:
            message = "Two syntheses have this id. Give each its own."
            yield _problem(("syntheses", index, "id"), places, "E103", message, synthesis.id)


def _undeclared(
    location: Location, places: Places, what: str, value: str, allowed: Sequence[str]
) -> Iterator[Problem]:
    if value not in allowed:
        words = ", ".join(name or "(empty)" for name in allowed) or "(none is declared)"
        near = suggestion(value, allowed)
        message = f"This {what} is not known. {near}Use one of: {words}."
        yield _problem(location, places, "E105", message, value)
