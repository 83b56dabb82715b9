"""What a run of Snakemake is given: its settings, and the folder in which it works."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osteometa.io.problems import ProblemsFound
from osteometa.protocol.config import Config, load_config, part

FILE = "config.yaml"


@dataclass(frozen=True, slots=True)
class Invocation:
    """Where a run takes its settings from and where its review lies.

    All are plain values, so that a rule can have them as parameters.
    """

    files: tuple[str, ...] = (FILE,)
    """Each extends the ones before it."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Values that extend the files."""
    giver: str = "--config"
    """What gave them, for messages."""
    root: str = "."
    """Folder of data/ and results/."""

    def load(self) -> Config:
        """Read the settings; ProblemsFound carries everything that is wrong with them."""
        return load_config(*self.files, given=self.given, giver=self.giver)

    def unchanged(self, choices: Mapping[str, Any]) -> Config | None:
        """Read the settings again; None if some of these are others by now."""
        try:
            config = self.load()
        except ProblemsFound:
            return None
        return config if part(config, *choices) == choices else None


def invocation_of(workflow: Any, config: Mapping[str, Any]) -> Invocation:
    """Return what Snakemake was given on its command line, or by the workflow that uses this one.

    Snakemake's own merged `config` is not used where files can be read: it lets the second of two
    equal keys win without a word, and takes the word `no` for a truth value. ValueError if a module
    replaces prefixes one by one, so that data/ and results/ are torn apart.
    """
    root = _root_of(workflow)
    if workflow.modifier.skip_configfile:
        return Invocation((), dict(config), "config of the module", root)
    settings = workflow.config_settings
    files = tuple(_from_here(path) for path in settings.configfiles)
    replaced = files and (settings.replace_workflow_config or not Path(FILE).exists())
    return Invocation(files if replaced else (FILE, *files), dict(settings.config), root=root)


def _root_of(workflow: Any) -> str:
    modify = workflow.modifier.path_modifier.modify
    folders = {str(modify(f"{name}/x")).removesuffix(f"{name}/x") for name in ("data", "results")}
    if len(folders) > 1 or any(folder and not folder.endswith("/") for folder in folders):
        raise ValueError(
            "osteometa as a module takes `prefix`, not `replace_prefix`: data/ and results/ of a "
            "review stay in one folder."
        )
    return folders.pop() or "."


def _from_here(path: str | os.PathLike) -> str:
    """Return a path as it is written from the folder of the run, where that is inside it."""
    path, here = Path(path).absolute(), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
