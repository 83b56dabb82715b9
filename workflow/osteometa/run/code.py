"""A hash of the code that a script uses, so that a change of it reruns the rule."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
DATA = {".j2", ".css", ".js"}
# Each start of Snakemake looks at all modules: to parse them takes a second.
IMPORT = re.compile(
    r"^ *(?:from (osteometa[\w.]*) import (\([^)]*\)|.*)|import (osteometa[\w.]*))", re.MULTILINE
)
FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?: .*\n|\n(?= ))+", re.MULTILINE)
"""Imports that no run does."""


def workflow_home() -> Path:
    """Return the folder of the Snakefile: in an installed package, else the checkout."""
    installed = PACKAGE / "workflow"
    return installed if installed.is_dir() else PACKAGE.parents[1]


@cache
def _path_of(module: str) -> Path | None:
    folder = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (folder.with_suffix(".py"), folder / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _direct(path: Path) -> frozenset[str]:
    found = set()
    text = FOR_TYPES.sub("", path.read_text(encoding="utf-8"))
    for module, names, imported in IMPORT.findall(text):
        found |= {module or imported, *(f"{module}.{name}" for name in re.findall(r"\w+", names))}
    # Importing a module runs the packages above it.
    return frozenset(".".join(name.split(".")[:depth]) for name in found for depth in range(1, 6))


def files_behind(script: str | Path) -> list[Path]:
    """Return a script and what it imports of the package, directly or not, sorted.

    Templates and other files beside a module are part of it.
    """
    seen = {Path(script)}
    waiting = [Path(script)]
    while waiting:
        for module in _direct(waiting.pop()):
            path = _path_of(module)
            if path is not None and path not in seen:
                seen.add(path)
                waiting.append(path)
    packages = [path.parent for path in seen if path.name == "__init__.py"]
    seen |= {path for folder in packages for path in folder.iterdir() if path.suffix in DATA}
    return sorted(seen)


@cache
def _content_of(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@cache
def code_of(script: str | Path) -> str:
    """Return a hash of the contents of `files_behind` a script, as this process first read them."""
    return hashlib.sha256(b"".join(map(_content_of, files_behind(script)))).hexdigest()
