"""Which files of the package a script imports, so that a change of code reruns what uses it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


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


def code_of(script: str | Path) -> list[str]:
    """Return the files of the package that a script imports, directly or not, sorted."""
    seen: set[Path] = set()
    waiting = [Path(script)]
    while waiting:
        for module in _direct(waiting.pop()):
            path = _path_of(module)
            if path is not None and path not in seen:
                seen.add(path)
                waiting.append(path)
    return sorted(str(path) for path in seen)
