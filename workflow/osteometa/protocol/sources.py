"""Where the settings of a run come from: files, and values given beside them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from osteometa.io.yaml_file import read_yaml

Location = tuple[int | str, ...]
Place = tuple[str, int | None]
"""A file and its line; for a value that is in no file, its origin."""
Places = Mapping[Location, Place]


def read_settings(
    files: Sequence[str | Path], given: Mapping[str, Any], giver: str = "--config"
) -> tuple[dict[str, Any], dict[Location, Place]]:
    """Merge settings as Snakemake does: mappings by key, everything else is replaced.

    Each file extends the ones before it, and the given values all of them; `giver` names where
    these are from. Returned are plain values, and the place of each key and item by its path.
    ProblemsFound if a file cannot be read or holds a key twice.
    """
    values: dict[str, Any] = {}
    places: dict[Location, Place] = {(): (Path(files[0]).name if files else giver, None)}
    for path in files:
        found, lines = read_yaml(Path(path))
        named = {where: (Path(path).name, line) for where, line in lines.items()}
        _extend(values, found, places, named.__getitem__)
    _extend(values, _plain(given), places, lambda where: (giver, None))
    return values, places


def _extend(
    values: dict[str, Any],
    more: Mapping[str, Any],
    places: dict[Location, Place],
    place_of: Callable[[Location], Place],
    at: Location = (),
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


def _positions(value: Any, where: Location) -> list[Location]:
    inner: list[Location] = []
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        inner = [position for key, item in items for position in _positions(item, (*where, key))]
    return [where, *inner]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
