"""A finished run: whether there is one, current and unedited, and what its manifest lists."""

from pathlib import Path
from typing import NamedTuple

from osteometa.io.csv_records import read_rows
from osteometa.io.problems import ProblemsFound
from osteometa.protocol.config import Config, load_config
from osteometa.run.manifest import SETTINGS, not_current, settings_hash, sha256

MANIFEST = "results/manifest.csv"
NAMED = 3
"""Files that a refusal names."""


class NotFinishedError(Exception):
    """There is no finished run that is current; its text says what to do."""


class Listed(NamedTuple):
    """A row of `manifest.csv`: a file, its hash, and the files it was made from."""

    file: str
    sha256: str
    made_from: str


def manifest_of(root: Path) -> list[Listed]:
    """Return the files of the finished run in a folder.

    NotFinishedError if there is none, something it read has changed since, or a result was edited.
    """
    if not (root / MANIFEST).is_file():
        raise NotFinishedError(f"{root} has no finished run. First: osteometa run {root}")
    _, *rows = read_rows(root / MANIFEST)
    listed = [Listed(*row) for row in rows]
    changed = not_current(root)
    changed += [
        row.file
        for row in listed
        if row.file not in changed
        and not ((root / row.file).is_file() and sha256(root / row.file) == row.sha256)
    ]
    if changed:
        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        raise NotFinishedError(
            f"changed since the last run: {', '.join(changed[:NAMED])}{more}. First: osteometa "
            f"run {root}"
        )
    return listed


def config_of(root: Path) -> Config:
    """Return the settings of a finished run; NotFinishedError unless `config.yaml` has the same."""
    try:
        config = load_config(root / "config.yaml")
    except ProblemsFound as problems:
        raise NotFinishedError(f"config.yaml has problems:\n{problems}") from problems
    used = (root / SETTINGS).read_text(encoding="utf-8") if (root / SETTINGS).is_file() else ""
    if used != settings_hash(config.model_dump(mode="json")):
        raise NotFinishedError(
            f"the last run had other settings than config.yaml. First: osteometa run {root}"
        )
    return config
