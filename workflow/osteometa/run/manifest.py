"""Records of which job wrote which file, with hashes by which edited files are recognised.

A job removes its record before it writes and writes a new one after its last file, so a killed job
leaves no record, and its files do not count as edited. A record is in the same folder (results or
data/processed) as the files it lists, so that either folder can be deleted alone. It has the hashes
of what the job read too: whether a result is current is decided by content, not by times.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Any

from osteometa.io.csv_records import write_rows, write_text

RESULTS = Path("results/.records")
PROCESSED = Path("data/processed/records")
TOPS = (RESULTS.parent, PROCESSED.parent)
SETTINGS = RESULTS / "settings.sha256"
"""Hash of the settings of the last finished run."""
STAMP = ".sha256"
"""Ends the name of the file that a checkpoint writes for its inputs."""
FORMER_JOBS = ("*what_if.*", "*check", "*effects", "*split", "*variants")
"""Jobs of earlier versions, as a module with a prefix before the name."""


def sha256(path: str | Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def hashes(paths: Iterable[str], root: str | Path = ".") -> dict[str, str]:
    """Return the hash of each path that is a file, not a folder, by its name below the root."""
    return {name: sha256(Path(root) / name) for name in paths if (Path(root) / name).is_file()}


def stamp(path: str | Path, tables: Mapping[str, str], given: Mapping[str, Any] | None) -> None:
    """Write the hashes of the raw tables that were checked, and settings given beside files.

    Snakemake plans the jobs after a checkpoint anew only if an output of the checkpoint has
    changed; with this one it does whenever a table has.
    """
    lines = [f"{digest}  {name}\n" for name, digest in sorted(tables.items())]
    lines += [f"# {json.dumps(given, sort_keys=True)}\n"] if given else []
    write_text(path, "".join(lines))


def checked_tables(root: str | Path = ".") -> dict[str, str]:
    """Return the hashes of the raw tables that were checked, by name."""
    path = Path(root) / PROCESSED.parent / f"inputs{STAMP}"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pairs = (line.split("  ", 1) for line in lines if not line.startswith("#"))
    return {name: digest for digest, name in pairs}


def forget(job: str, root: str | Path = ".") -> None:
    """Remove the record of a job that is about to write, and what it wrote before.

    Snakemake removes only what is an output now: an earlier version may have written other files.
    """
    for folder in (RESULTS, PROCESSED):
        _drop(Path(root) / folder / f"{job}.json", Path(root))


def _drop(record: Path, root: Path) -> None:
    """Remove a record with its files and folders, but not what was edited or no job wrote."""
    for _, data in _read([record]):
        for name, digest in data["made"].items():
            if (root / name).is_file() and sha256(root / name) == digest:
                (root / name).unlink()
        for folder in data["folders"]:
            if not _written(root / folder):
                shutil.rmtree(root / folder, ignore_errors=True)
        for folder in {(root / name).parent for name in (*data["made"], *data["folders"])}:
            if folder.relative_to(root) not in TOPS:
                with suppress(OSError):  # it has other files
                    folder.rmdir()
    record.unlink(missing_ok=True)


def record(
    job: str, outputs: Iterable[str], inputs: Mapping[str, str], root: str | Path = "."
) -> None:
    """Record the files that a job wrote, those in output folders included, and `hashes` it read."""
    root = Path(root)
    outputs = sorted(str(path) for path in outputs)
    folders = [path for path in outputs if (root / path).is_dir()]
    files = [path for path in outputs if path not in folders]
    for folder in folders:
        files += [str(path.relative_to(root)) for path in _written(root / folder)]
    data = {
        "made": hashes(files, root),
        "folders": folders,
        "from": dict(inputs),
    }
    place = RESULTS if outputs[0].startswith("results/") else PROCESSED
    write_text(root / place / f"{job}.json", json.dumps(data, indent=1, sort_keys=True) + "\n")


def _written(folder: Path) -> list[Path]:
    # Snakemake leaves a hidden time stamp in a folder that is an output.
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith(".")]


def _records(root: Path) -> list[tuple[Path, dict]]:
    return _read(sorted(p for at in (RESULTS, PROCESSED) for p in (root / at).glob("*.json")))


def _read(paths: Iterable[Path]) -> list[tuple[Path, dict]]:
    """Return the records that can be read, each with its file; a broken one is removed."""
    found = []
    for path in filter(Path.is_file, paths):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            made, folders, read = (data[key] for key in ("made", "folders", "from"))
            # Earlier versions recorded inputs without hashes.
            read = read if isinstance(read, dict) else dict.fromkeys(read, "")
            found.append((path, {"made": made, "folders": folders, "from": read}))
        except (ValueError, KeyError, TypeError):
            path.unlink(missing_ok=True)
    return found


def not_current(root: str | Path = ".") -> list[str]:
    """Return the files that were changed after a job had read them, and results that are gone."""
    root = Path(root)
    return sorted({name for _, data in _records(root) for name in _differing(data, root)})


def _differing(data: Mapping[str, Any], root: Path) -> list[str]:
    """Return the inputs of a record that are others by now, and its files that are gone.

    Only what has a hash is compared: no folders.
    """
    now = hashes(data["from"], root)
    changed = [name for name, digest in now.items() if data["from"][name] not in ("", digest)]
    return changed + [name for name in data["made"] if not (root / name).is_file()]


def is_real_run(words: Sequence[str]) -> bool:
    """Return whether a command line of Snakemake writes results, rather than inspects them.

    A job that Snakemake starts in a process of its own (`--mode`) is part of another run.
    """
    inspecting = (
        "--dry", "--lint", "--report", "--unlock", "--list", "--summary", "--detailed-summary",
        "--dag", "--rulegraph", "--filegraph", "--d3dag", "--archive", "--mode", "--help",
        "--touch", "--cleanup-metadata", "--print-compilation",
    )  # fmt: skip
    short = re.compile(r"-[a-zA-Z]*[nlDSht]")
    return not any(word.startswith(inspecting) or short.fullmatch(word) for word in words)


def reset_future_times(root: str | Path = ".") -> None:
    """Set the time of each table and derived file that lies in the future to now.

    Snakemake refuses to go on from a file that is newer than what it has just made from it.
    """
    folders = (Path(root) / at for at in ("data/raw", "data/processed", "results"))
    for path in [path for folder in folders for path in folder.rglob("*")]:
        if path.exists() and path.stat().st_mtime > time.time():
            os.utime(path)


def set_edited_aside(root: str | Path = ".", targets: Collection[str] = ()) -> dict[str, str]:
    """Rename derived files that were edited by hand; return the name under which each is kept.

    All files of a job of which one is edited or missing, or whose inputs are others by now, are
    removed, so that the run writes them again. Edited files of an output folder are kept beside it.

    Of what `targets` (files, folders or rules) are made from, results with a missing input are
    removed too: Snakemake takes such a result for current if it is what it was asked for.
    """
    root = Path(root)
    for job in FORMER_JOBS:
        for folder in (RESULTS, PROCESSED):
            for former in (root / folder).glob(f"{job}.json"):
                _drop(former, root)
    edited = {}
    for _, data in _records(root):
        for name, digest in data["made"].items():
            path = root / name
            if path.is_file() and sha256(path) != digest:
                folder = next((f for f in data["folders"] if path.is_relative_to(root / f)), None)
                home = path.parent if folder is None else root / folder
                place = home if folder is None else home.parent
                kept = _free(place / f"{'.'.join(path.relative_to(home).parts)}.edited")
                path.replace(kept)
                edited[name] = kept.relative_to(root).as_posix()
    asked = _behind(targets, _records(root))
    while stale := [
        record
        for record, data in _records(root)
        if _differing(data, root)
        or (record in asked and not all((root / name).exists() for name in data["from"]))
    ]:
        for record in stale:
            _drop(record, root)
    return dict(sorted(edited.items()))


def _behind(targets: Collection[str], records: Sequence[tuple[Path, dict]]) -> set[Path]:
    """Return the records of targets and of what they are made from; all if a target has none."""
    maker = {name: path for path, data in records for name in (*data["made"], *data["folders"])}
    sources = {path: data["from"] for path, data in records}
    waiting: list[Path] = []
    for target in targets:
        of_rule = [path for path in sources if path.stem.partition(".")[0] == target]
        file = target.rstrip("/")
        if file not in maker and not of_rule:
            return {*sources}
        waiting += [maker[file]] if file in maker else of_rule
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [maker[name] for name in sources[path] if name in maker]
    return found


def move_user_files(root: str | Path = ".") -> dict[str, str]:
    """Move files that no job wrote out of output folders; return the name that each has now.

    Snakemake empties an output folder before it is made again.
    """
    root = Path(root)
    moved = {}
    for folder, made in [(f, data["made"]) for _, data in _records(root) for f in data["folders"]]:
        for path in _written(root / folder):
            name = path.relative_to(root).as_posix()
            if name not in made:
                inside = path.relative_to((root / folder).parent)
                place = _free((root / folder).parent / ".".join(inside.parts))
                path.replace(place)
                moved[name] = place.relative_to(root).as_posix()
    return moved


def remove_unrecorded(is_output: Callable[[str], bool], root: str | Path = ".") -> None:
    """Remove outputs of a rule that no record lists: a job that was killed left them.

    Snakemake takes those that depend on a checkpoint for finished ones.
    """
    root = Path(root)
    listed = {name for _, data in _records(root) for name in (*data["made"], *data["folders"])}
    for top in ("results", "data/processed"):
        unseen = list((root / top).glob("*"))
        while unseen:
            path = unseen.pop()
            name = path.relative_to(root).as_posix()
            is_folder = path.is_dir() and not path.is_symlink()
            if name in listed and is_folder:
                continue
            if name not in listed and is_output(name):
                shutil.rmtree(path) if is_folder else path.unlink()
            elif is_folder:
                unseen += path.glob("*")


def _free(path: Path) -> Path:
    """Return the path, with a number if there is such a file already."""
    names = (path.with_name(f"{path.stem}_{number}{path.suffix}") for number in count(2))
    return next(name for name in chain([path], names) if not name.exists())


def settings_hash(choices: Mapping[str, Any]) -> str:
    """Return a hash of resolved settings, the same however config.yaml writes them."""
    return hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()


def write_manifest(path: str | Path, root: str | Path = ".") -> None:
    """Write results/manifest.csv: each file, its hash, and the files it was made from.

    The hashes of the raw tables are those of the bytes that were checked.
    """
    root = Path(root)
    rows = [(name, digest, "") for name, digest in checked_tables(root).items()]
    rows += [
        (name, digest, " ".join(sorted(data["from"])))
        for _, data in _records(root)
        for name, digest in data["made"].items()
    ]
    rows.sort()
    write_rows(path, ("file", "sha256", "made_from"), rows)


def forget_syntheses(kept: Collection[str], root: str | Path = ".") -> None:
    """Remove what records list of syntheses without an effect or no longer in the config.

    Files that were edited by hand stay, and so do files that no job wrote.
    """
    for record in (Path(root) / RESULTS).glob("*.*.json"):  # of pool and figures; no id has a point
        if record.stem.partition(".")[2] not in kept:
            _drop(record, Path(root))
