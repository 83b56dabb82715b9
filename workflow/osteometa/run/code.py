"""A hash of the code that a script uses, so that a change of it reruns the rule."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
DATA = {".j2", ".css", ".js"}


def workflow_home() -> Path:
    """Return the folder of the Snakefile: in an installed package, else the checkout."""
    installed = PACKAGE / "workflow"
    return installed if installed.is_dir() else PACKAGE.parents[1]


def _path_of(module: str) -> Path | None:
    folder = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (folder.with_suffix(".py"), folder / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _direct(path: Path) -> frozenset[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("osteometa"):
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name.startswith("osteometa")}
    # Importing a module runs the packages above it.
    above = {".".join(name.split(".")[:depth]) for name in found for depth in range(1, 6)}
    return frozenset(found | above)


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


def code_of(script: str | Path) -> str:
    """Return a hash of the contents of `files_behind` a script."""
    content = hashlib.sha256()
    for path in files_behind(script):
        content.update(path.read_bytes())
    return content.hexdigest()
