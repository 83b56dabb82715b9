"""Who made which result: hashes that tell an edited file from a made one.

Every job removes its record before it writes and leaves a new one after the last file, so a killed
job has no record and nobody is accused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from osteometa.files import write_rows, write_text

RECORDS = Path("data/processed/records")


def sha256(path: str | Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def forget(job: str, root: str | Path = ".") -> None:
    """Remove the record of a job that is about to write."""
    (Path(root) / RECORDS / f"{job}.json").unlink(missing_ok=True)


def record(job: str, outputs: Iterable[str], inputs: Iterable[str], root: str | Path = ".") -> None:
    """Record what a job wrote, and from what."""
    root = Path(root)
    made = {str(path): sha256(root / path) for path in sorted(outputs)}
    data = {"made": made, "from": sorted(str(path) for path in inputs)}
    write_text(root / RECORDS / f"{job}.json", json.dumps(data, indent=1, sort_keys=True) + "\n")


def _records(root: Path) -> list[dict]:
    found = []
    for path in sorted((root / RECORDS).glob("*.json")):
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            path.unlink(missing_ok=True)
    return found


def set_edited_aside(root: str | Path = ".") -> list[str]:
    """Rename results that were edited by hand to `*.edited` and return their names.

    The next run makes them again, since they are missing then.
    """
    root = Path(root)
    edited = []
    for data in _records(root):
        for name, digest in data["made"].items():
            path = root / name
            if name.startswith("results/") and path.is_file() and sha256(path) != digest:
                path.replace(path.with_name(path.name + ".edited"))
                edited.append(name)
    return sorted(edited)


def write_manifest(path: str | Path, root: str | Path = ".") -> None:
    """Write results/manifest.csv: file, hash, what it was made from."""
    root = Path(root)
    rows = sorted(
        (name, digest, " ".join(data["from"]))
        for data in _records(root)
        for name, digest in data["made"].items()
        if (root / name).is_file()
    )
    write_rows(path, ("file", "sha256", "made_from"), rows)


def forget_syntheses(kept: Sequence[str], root: str | Path = ".") -> list[str]:
    """Remove the results and records of syntheses that left the config; return their ids."""
    import shutil

    root = Path(root)
    gone = []
    for directory in sorted((root / "results").iterdir()):
        if (directory / "pooled.csv").is_file() and directory.name not in kept:
            shutil.rmtree(directory)
            for job in ("pool", "forest"):
                forget(f"{job}.{directory.name}", root)
            gone.append(directory.name)
    return gone
