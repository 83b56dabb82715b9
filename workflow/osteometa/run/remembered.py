"""The last finished run, and the one before it that had other inputs.

A run that begins with other tables, settings or code than those of the last finished run keeps
that one's state as the earlier one: the report says what changed since. A run with the same inputs
changes neither, so its results are the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from osteometa.io.csv_records import copy_whole, write_text
from osteometa.run.changes import Snapshot
from osteometa.run.manifest import hashes

FINISHED = Path("results/.runs/finished.json")
EARLIER = Path("results/.runs/earlier.json")
BEFORE = Path("results/.runs/before.json")
"""The earlier one until a run with other inputs finishes."""


def inputs_of(root: str | Path, settings: Mapping[str, Any], code: str) -> dict[str, Any]:
    """Return what a run depends on: the bytes of the raw tables, settings, and code."""
    tables = sorted((Path(root) / "data/raw").glob("*.csv"))
    names = [path.relative_to(root).as_posix() for path in tables]
    return {"tables": hashes(names, root), "settings": settings, "code": code}


def remember(root: str | Path, inputs: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Write the state that a run has reached, with its inputs."""
    parts = {part.name: getattr(snapshot, part.name) for part in fields(snapshot)}
    text = json.dumps({"inputs": inputs, "snapshot": parts}, sort_keys=True, indent=0)
    write_text(Path(root) / FINISHED, text + "\n")


def keep_earlier(root: str | Path, inputs: Mapping[str, Any]) -> None:
    """Keep the last finished run as the earlier one if the run that begins has other inputs.

    If that run did not finish and its inputs are taken back, the one before is the earlier again.
    """
    last, earlier, before = (Path(root) / path for path in (FINISHED, EARLIER, BEFORE))
    finished = _read(last)
    if finished is None:
        return
    same = finished["inputs"] == json.loads(json.dumps(inputs))
    kept = earlier.is_file() and earlier.read_bytes() == last.read_bytes()
    if same and kept:
        before.replace(earlier) if before.is_file() else earlier.unlink()
    elif not same and not kept:
        before.unlink(missing_ok=True)
        if earlier.is_file():
            copy_whole(earlier, before)
        copy_whole(last, earlier)


def recalled(path: str | Path) -> Snapshot | None:
    """Return a remembered state; None if there is none that can be read."""
    data = _read(Path(path))
    return None if data is None else Snapshot(**data["snapshot"])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        Snapshot(**data["snapshot"])
        return data if "inputs" in data else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
