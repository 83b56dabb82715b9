"""A YAML file as plain values, with the line of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from osteometa.io.problems import Problem, ProblemsFound


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[tuple[int | str, ...], int]]:
    """Read a YAML file: plain values, and the line of each key and item by its path.

    Raises
    ------
    ProblemsFound
        If the file is missing, not UTF-8, not YAML, or has a key twice.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    def fail(message: str, line: int | None = None, found: str = "") -> ProblemsFound:
        return ProblemsFound(
            [
                Problem(
                    file=path.name, row=line, column="", code="E101", message=message, found=found
                )
            ]
        )

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise fail("The file is missing. Copy the shipped config.yaml and edit it.") from None
    except (OSError, UnicodeDecodeError):
        raise fail("The file cannot be read as UTF-8 text. Save it as UTF-8.") from None
    try:
        data = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        key = error.problem.split('"')[1] if '"' in (error.problem or "") else ""
        raise fail(
            "The key occurs twice. Keep one of the two.", error.problem_mark.line + 1, key
        ) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise fail(f"This is not valid YAML: {error.problem}. Correct the line.", line) from None
    except YAMLError:
        raise fail("This is not valid YAML. Correct the file.") from None
    if not isinstance(data, dict):
        raise fail("The file has no keys. Copy the shipped config.yaml and edit it.")
    return _plain(data), _lines_of(data)


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, bool | int) or node is None:
        return bool(node) if isinstance(node, bool) else node if node is None else int(node)
    return float(node) if isinstance(node, float) else str(node)


def _lines_of(node: object, path: tuple[int | str, ...] = ()) -> dict[tuple[int | str, ...], int]:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    lines: dict[tuple[int | str, ...], int] = {}
    if isinstance(node, CommentedMap):
        items, position = list(node.items()), node.lc.key
    elif isinstance(node, CommentedSeq):
        items, position = list(enumerate(node)), node.lc.item
    else:
        return lines
    for key, value in items:
        where = (*path, key if isinstance(key, int) else str(key))
        lines[where] = position(key)[0] + 1
        lines.update(_lines_of(value, where))
    return lines
