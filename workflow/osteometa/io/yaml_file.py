"""A YAML file as plain values, with the line of each.

Of YAML only mappings, lists and plain values are read. Aliases, merge keys and tags are refused:
each choice stands in its place, and no file grows or runs anything while it is read.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osteometa.io.problems import Problem, ProblemsFound

LARGEST, DEEPEST = 1_000_000, 20
"""Bytes of a file, and depth of its values."""
_LONG = re.compile(r"[-+]?[0-9][0-9a-fox]{20,}", re.IGNORECASE)
_JOINED = re.compile(r"[-+]?[0-9.]+_[0-9_.]*(e[-+]?[0-9_]+)?", re.IGNORECASE)


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[tuple[int | str, ...], int]]:
    """Read a YAML file: plain values, and the line of each key and item by its path.

    ProblemsFound if it is missing, too large, not UTF-8, not YAML, or holds what is not read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    def fail(message: str, line: int | None = None, found: str = "") -> ProblemsFound:
        problem = Problem(file=path.name, row=line, code="E101", message=message, found=found)
        return ProblemsFound([problem])

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise fail("The file is missing. Make a review: osteometa new FOLDER.") from None
    except (OSError, UnicodeDecodeError):
        raise fail("The file cannot be read as UTF-8 text. Save it as UTF-8.") from None
    if len(text) > LARGEST:
        raise fail(f"The file has more than {LARGEST} characters. Is it another file?")
    try:
        for line, found, message in _refused(YAML(typ="rt").parse(text)):
            raise fail(message, line, found)
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
        raise fail("The file has no keys. Make a review anew: osteometa new FOLDER.")
    return _plain(data), _lines_of(data)


def _refused(events: Iterator[Any]) -> Iterator[tuple[int, str, str]]:
    """Yield line, text and remedy of what YAML allows and a file of settings may not have."""
    depth = 0
    for event in events:
        kind, line = type(event).__name__, event.start_mark.line + 1
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        value = getattr(event, "value", "")
        if depth > DEEPEST:
            yield line, "", f"Values lie more than {DEEPEST} levels deep. Correct the brackets."
        elif kind == "AliasEvent":
            yield line, f"*{event.anchor}", "Aliases are not read. Write the value out here."
        elif getattr(event, "tag", None):
            yield line, str(event.tag), "Tags are not read. Write the value without it."
        elif kind != "ScalarEvent" or event.style is not None:
            continue
        elif value == "<<":
            yield line, value, "Merge keys are not read. Write the keys out here."
        elif _LONG.fullmatch(value):
            yield line, "", f"This number has {len(value)} characters; at most 20 are read."
        elif _JOINED.fullmatch(value):
            yield line, value, "A number has no underscores. Write digits with a decimal point."


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    plain = next((kind for kind in (int, float) if isinstance(node, kind)), str)
    return plain(node)


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
