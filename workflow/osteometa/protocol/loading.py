"""Reading the settings of a run: from files, and from values given beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from osteometa.extraction.units import UNITS
from osteometa.io.problems import Problem, ProblemsFound, suggestion
from osteometa.io.yaml_file import read_yaml
from osteometa.protocol.config import Closed, Config

Place = tuple[str, int | None]
"""A file and its line; for a value that stands in no file, what gave it."""
RENAMED = {
    ("directions", "vote_share"): "agreement_share",
    ("multiverse", "people"): "inclusion",
    ("multiverse", "prints"): "inconsistent_data",
}
"""Keys of earlier versions, by their place, with the name that each has now."""


def load_config(
    *files: str | Path, given: Mapping[str, Any] | None = None, giver: str = "--config"
) -> Config:
    """Read config.yaml, further files that extend it, and values that extend both.

    Raises
    ------
    ProblemsFound
        With every problem: file and line, key, value, and what is allowed.
    """
    raw, places = read_settings(files, given or {}, giver)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        items = error.errors()
        under_old_name = {
            (*item["loc"][:-1], RENAMED[item["loc"]]) for item in items if item["loc"] in RENAMED
        }
        raise ProblemsFound(
            [_problem_of(item, places) for item in items if item["loc"] not in under_old_name]
        ) from None
    problems = list(_references(config, places))
    if problems:
        raise ProblemsFound(problems)
    return config


def _problem_of(item: dict[str, Any], places: dict[tuple, Place]) -> Problem:
    location = tuple(item["loc"])
    while location and location not in places:
        if location[:-1] in places or len(location) == 1:
            break
        location = location[:-1]
    file, line = _place(places, location)
    found = "" if isinstance(item["input"], dict) else str(item["input"])
    message = item["msg"].removeprefix("Value error, ")
    code = "E105"
    if item["type"] == "extra_forbidden":
        known = _keys_at(location[:-1])
        near = suggestion(str(location[-1]), known)
        message = f"This key is not known. {near}Allowed: {', '.join(known)}."
        if location in RENAMED:
            message = f"'{location[-1]}' is now called '{RENAMED[location]}'. Rename the key."
        code, found = "E101", str(location[-1])
    elif item["type"] == "missing":
        message, code, found = (
            "This key is missing. Add it as in the project's config.yaml.",
            "E101",
            "",
        )
    elif item["type"] == "literal_error":
        message = f"Use {item['ctx']['expected']}."
        if location[-1:] and location[-1] in ("phase", "design_class"):
            code = "E601" if isinstance(item["input"], list) else code
            message += " A synthesis may not mix phases or design classes: declare two."
    return Problem(
        file=file,
        row=line,
        column=".".join(str(part) for part in location),
        code=code,
        found=found,
        message=message if message.endswith(".") else f"{message}.",
    )


def _keys_at(location: tuple) -> list[str]:
    model: Any = Config
    for part in location:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if field is not None:
            model = field.annotation
        for inner in _models_in(model):
            model = inner
    return list(getattr(model, "model_fields", Config.model_fields))


def _models_in(annotation: Any) -> list[type[Closed]]:
    if isinstance(annotation, type) and issubclass(annotation, Closed):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


def _place(places: dict[tuple, Place], where: tuple) -> Place:
    """Return the place of a key, or of what should hold it."""
    return places.get(where) or places.get(where[:-1]) or places[()]


def _references(config: Config, places: dict[tuple, Place]) -> list[Problem]:
    problems: list[Problem] = []

    def check(where: tuple, value: str, allowed: list[str], what: str) -> None:
        if value not in allowed:
            message = f"This {what} is not declared. {suggestion(value, allowed)}"
            file, line = _place(places, where)
            problems.append(
                Problem(
                    file=file,
                    row=line,
                    column=".".join(map(str, where)),
                    code="E105",
                    found=value,
                    message=f"{message}Use one of: {', '.join(allowed)}.",
                )
            )

    counts = Counter(synthesis.id for synthesis in config.syntheses)
    for index, synthesis in enumerate(config.syntheses):
        where = ("syntheses", index)
        check((*where, "outcome"), synthesis.outcome, list(config.outcomes), "outcome")
        if synthesis.outcome in config.outcomes:
            analytes = list(config.outcomes[synthesis.outcome].analytes)
            check((*where, "analyte"), synthesis.analyte, analytes, "analyte")
        declared = config.outcomes.get(synthesis.outcome)
        sites = list(declared.sites if declared else ()) or [""]
        check((*where, "site"), synthesis.site, sites, "site")
        windows = ["during", *config.windows] if synthesis.phase == "acute" else [""]
        check((*where, "window"), synthesis.window, windows, "window")
        if counts[synthesis.id] > 1:
            file, line = _place(places, (*where, "id"))
            problems.append(
                Problem(
                    file=file,
                    row=line,
                    column=f"syntheses.{index}.id",
                    code="E103",
                    found=synthesis.id,
                    message="Two syntheses have this id. Give each its own.",
                )
            )
    for name, outcome in config.outcomes.items():
        for unit in outcome.units:
            check(("outcomes", name, "units", unit), unit, list(UNITS), "unit")
        for key, analyte in outcome.analytes.items():
            for site in analyte.baseline_mean:
                where = ("outcomes", name, "analytes", key, "baseline_mean", site)
                check(where, site, list(outcome.sites), "site")
    return problems


def read_settings(
    files: Sequence[str | Path], given: Mapping[str, Any], giver: str = "--config"
) -> tuple[dict[str, Any], dict[tuple, Place]]:
    """Merge settings as Snakemake does: mappings by key, everything else is replaced.

    Parameters
    ----------
    files : sequence of path
        Each extends the ones before it.
    given : mapping
        Values that extend the files.
    giver : str
        What gave them, for messages.

    Returns
    -------
    values : dict
        Plain values.
    places : dict
        Place of each key and item, by its path of keys and positions.

    Raises
    ------
    ProblemsFound
        If a file cannot be read or holds a key twice.
    """
    values: dict[str, Any] = {}
    places: dict[tuple, Place] = {(): (Path(files[0]).name if files else giver, None)}
    for path in files:
        found, lines = read_yaml(Path(path))
        named = {where: (Path(path).name, line) for where, line in lines.items()}
        _extend(values, found, places, named.__getitem__)
    _extend(values, _plain(given), places, lambda where: (giver, None))
    return values, places


def _extend(
    values: dict[str, Any],
    more: Mapping[str, Any],
    places: dict[tuple, Place],
    place_of: Callable[[tuple], Place],
    at: tuple = (),
) -> None:
    for key, value in more.items():
        where = (*at, key)
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _extend(values[key], value, places, place_of, where)
            continue
        for old in _positions(values.get(key), where):
            places.pop(old, None)
        places.update({new: place_of(new) for new in _positions(value, where)})
        values[key] = value


def _positions(value: Any, where: tuple) -> list[tuple]:
    inner: list[tuple] = []
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        inner = [position for key, item in items for position in _positions(item, (*where, key))]
    return [where, *inner]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
