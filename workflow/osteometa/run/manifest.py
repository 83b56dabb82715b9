"""Who made which file: hashes that tell an edited file from a made one.

Every job removes its record before it writes and leaves a new one after the last file, so a killed
job has no record and nobody is accused. A record lies in the same tree as what it speaks of: who
deletes one of the two trees leaves the other with its records.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from osteometa.io.csv_records import write_rows, write_text

RECORDS = Path("results/.records")
RECORDS_PROCESSED = Path("data/processed/records")
GONE = ("what_if",)
"""Jobs of earlier versions, whose files another job makes now: their records accuse nobody."""


def sha256(path: str | Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def stamp(path: str | Path, inputs: Iterable[str], given: Mapping[str, Any] | None = None) -> None:
    """Write the hash of a job's inputs, contents only: it changes when the job has cause to run.

    Values that the job was given beside files count too.

    A step whose other outputs stay the same would else end the run: Snakemake plans what lies
    behind a checkpoint anew only when the checkpoint has run.
    """
    together = "".join(sha256(name) for name in inputs)
    together += json.dumps(given, sort_keys=True) if given else ""
    write_text(path, hashlib.sha256(together.encode()).hexdigest() + "\n")


def forget(job: str, root: str | Path = ".") -> None:
    """Remove the record of a job that is about to write."""
    for folder in (RECORDS, RECORDS_PROCESSED):
        (Path(root) / folder / f"{job}.json").unlink(missing_ok=True)


def record(job: str, outputs: Iterable[str], inputs: Iterable[str], root: str | Path = ".") -> None:
    """Record what a job wrote, each file of an output folder included, and from what."""
    root = Path(root)
    outputs = sorted(str(path) for path in outputs)
    folders = [path for path in outputs if (root / path).is_dir()]
    files = [path for path in outputs if path not in folders]
    for folder in folders:
        files += [str(path.relative_to(root)) for path in _written(root / folder)]
    data = {
        "made": {path: sha256(root / path) for path in files},
        "folders": folders,
        "from": sorted(str(path) for path in inputs),
    }
    place = RECORDS if outputs[0].startswith("results/") else RECORDS_PROCESSED
    write_text(root / place / f"{job}.json", json.dumps(data, indent=1, sort_keys=True) + "\n")


def _written(folder: Path) -> list[Path]:
    # Snakemake leaves a hidden time stamp in a folder that is an output.
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith(".")]


def _records(root: Path) -> list[dict]:
    found = []
    for path in sorted(
        p for at in (RECORDS, RECORDS_PROCESSED) for p in (root / at).glob("*.json")
    ):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            found.append({key: data[key] for key in ("made", "folders", "from")})
        except (OSError, ValueError, KeyError, TypeError):
            path.unlink(missing_ok=True)
    return found


def is_real_run(words: Sequence[str]) -> bool:
    """Tell whether a command line of Snakemake makes results, rather than only looks at them.

    A job that Snakemake starts elsewhere for a run (`--mode`) is not a run of its own.
    """
    looks = ("--dry", "--lint", "--report", "--unlock", "--list", "--summary", "--detailed-summary",
             "--dag", "--rulegraph", "--filegraph", "--d3dag", "--archive", "--mode", "--help",
             "--touch", "--cleanup-metadata", "--print-compilation")  # fmt: skip
    short = re.compile(r"-[a-zA-Z]*[nlDSht]")
    return not any(word.startswith(looks) or short.fullmatch(word) for word in words)


def set_edited_aside(root: str | Path = ".") -> dict[str, str]:
    """Rename derived files that were edited by hand; return the name each is kept under.

    The next run makes them again, since they are missing then. Of an output folder Snakemake sees
    only whether it is there: one with a file edited or missing is removed, and what was edited is
    kept beside it.
    """
    root = Path(root)
    for job in GONE:
        for stale in (root / RECORDS).glob(f"{job}.*.json"):
            stale.unlink()
    edited = {}
    for data in _records(root):
        for name, digest in data["made"].items():
            path = root / name
            if path.is_file() and sha256(path) != digest:
                folder = next((f for f in data["folders"] if path.is_relative_to(root / f)), None)
                home = path.parent if folder is None else root / folder
                place = home if folder is None else home.parent
                kept = place / f"{'.'.join(path.relative_to(home).parts)}.edited"
                path.replace(kept)
                edited[name] = kept.relative_to(root).as_posix()
        for folder in data["folders"]:
            inside = [name for name in data["made"] if name.startswith(f"{folder}/")]
            if not all((root / name).is_file() for name in inside):
                shutil.rmtree(root / folder, ignore_errors=True)
    return dict(sorted(edited.items()))


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
    """Remove the results and records of syntheses that left the config; return their ids.

    What was edited by hand there is kept beside the folder.
    """
    root = Path(root)
    gone = []
    for directory in sorted((root / "results").iterdir()):
        if (directory / "pooled.csv").is_file() and directory.name not in kept:
            for path in directory.glob("*.edited"):
                path.replace(directory.with_name(f"{directory.name}.{path.name}"))
            shutil.rmtree(directory)
            # Of every job of the synthesis: pool, figures. No id holds a point.
            for written in (root / RECORDS).glob(f"*.{directory.name}.json"):
                written.unlink()
            gone.append(directory.name)
    return gone
