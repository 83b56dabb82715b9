"""The states of a review that can be compared: now, the last finished run, a revision, a folder."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from osteometa.derivation.derive import derive
from osteometa.inspection.memory import snapshot_in_memory
from osteometa.io.problems import errors_of, render
from osteometa.records.sets import set_key
from osteometa.run.changes import Snapshot
from osteometa.run.remembered import FINISHED, recalled
from osteometa.validation.review import check_review

LAST_RUN = "the last finished run"


class NoStateError(ValueError):
    """What was named cannot be compared; the text says why, and what to do."""


def state_of(folder: str | Path) -> Snapshot:
    """Return the state of tables and settings in a folder; NoStateError if they have problems."""
    outcome = check_review(folder)
    if outcome.checked is None:
        raise NoStateError(render(errors_of(outcome.problems)).rstrip())
    return snapshot_in_memory(outcome.checked.tables, outcome.checked.config)


def effects_outside(folder: str | Path) -> set[str]:
    """Return the effects of a review without problems that belong to no planned analysis."""
    checked = check_review(folder).checked
    if checked is None:
        return set()
    planned = {set_key(synthesis) for synthesis in checked.config.syntheses}
    effects = derive(checked.tables, checked.config).effects
    return {effect.effect_id for effect in effects if set_key(effect) not in planned}


def other_state(name: str, folder: str | Path) -> tuple[str, Snapshot]:
    """Return what a name means beside the review in a folder, and its state (else NoStateError).

    Nothing is the last finished run; a folder is a review or the results of one; anything else is a
    revision of git.
    """
    if not name:
        return LAST_RUN, _of_run(Path(folder))
    other = Path(name)
    if (other / "config.yaml").is_file() and (other / "data/raw").is_dir():
        return f"the review in {name}", _without_problems(other, f"the review in {name}")
    if other.is_dir():
        home = other.parent if (other / FINISHED.relative_to("results")).is_file() else other
        return f"the results in {name}", _of_run(home)
    return f"revision {name}", _of_revision(name, Path(folder))


def _of_run(folder: Path) -> Snapshot:
    found = recalled(folder / FINISHED)
    if found is None:
        raise NoStateError(f"{folder} has no finished run. Run osteometa run {folder} first.")
    return found


def _of_revision(name: str, folder: Path) -> Snapshot:
    command = ["git", "-C", str(folder), "archive", "--format=tar", name, "config.yaml", "data/raw"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise NoStateError("git is not installed, which reads earlier revisions.") from None
    if done.returncode:
        why = "".join(done.stderr.decode(errors="replace").strip().splitlines()[-1:])
        raise NoStateError(
            f"'{name}' is neither a folder of a review nor a revision with one: {why}"
        )
    with TemporaryDirectory() as copy:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(copy, filter="data")
        return _without_problems(copy, f"revision {name}")


def _without_problems(folder: str | Path, name: str) -> Snapshot:
    try:
        return state_of(folder)
    except NoStateError as error:
        raise NoStateError(f"The tables of {name} have problems.\n{error}") from None
