"""The reviews of a folder, run as `osteometa run` runs one, but loading Snakemake only once.

A review is left alone while nothing of it has changed since its last finished run: the sizes and
times of its tables, settings and results and of the code. Anything else is decided by its own run,
which compares contents.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from osteometa.run.code import PACKAGE, workflow_home
from osteometa.run.preloaded import address_of_process
from osteometa.run.progress import print_line

BATCHES = ".snakemake/reviews"
"""Folder of the batches of a run, each a list of reviews for one job."""
STAMP = Path(".snakemake/run.sha256")
"""In a review: its state after its last finished run."""
LOG = Path(".snakemake/run.log")
"""In a review: what its last run printed."""


def reviews_in(folder: str | Path = ".") -> list[str]:
    """Return the names of the folders that have a config.yaml, sorted."""
    return sorted(path.parent.name for path in Path(folder).glob("*/config.yaml"))


def is_current(review: str | Path) -> bool:
    """Return whether nothing of a review has changed since its last finished run."""
    stamp = Path(review, STAMP)
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == stamp_of(review)


def stamp_of(review: str | Path, given: str = "") -> str:
    """Return the state of a review, by sizes and times; `given` is one of what it is made from."""
    return f"{given or state_given(review)}\n{_state(Path(review, 'results'))}\n"


def state_given(review: str | Path) -> str:
    """Return the state of what a review is made from: tables, settings, code."""
    code = _state_of_code(PACKAGE, workflow_home())
    return f"{code}\n{_state(Path(review, 'config.yaml'), Path(review, 'data/raw'))}"


@cache
def _state_of_code(package: Path, home: Path) -> str:
    return _state(package, home / "Snakefile", home / "workflow/rules", home / "workflow/scripts")


def _state(*places: Path) -> str:
    content = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc":
                facts = path.stat()
                name = path.relative_to(place)
                content.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return content.hexdigest()


def make_batches(number: int) -> None:
    """Write the names of the reviews of this folder that are not current, as at most some lists."""
    shutil.rmtree(BATCHES, ignore_errors=True)
    Path(BATCHES).mkdir(parents=True)
    waiting = [name for name in reviews_in() if not is_current(name)]
    for batch in range(min(number, len(waiting))):
        names = "\n".join(waiting[batch::number]) + "\n"
        Path(BATCHES, f"{batch + 1}.txt").write_text(names, encoding="utf-8")


def run_reviews(names: Sequence[str], cores: int) -> list[str]:
    """Run reviews of this folder, as many at a time as there are cores; return those that failed.

    A signal to stop lets the running ones finish.
    """
    # Loaded here, once for all; each review has a process that is copied from this one, and its
    # steps are copies of one process too.
    import_module("snakemake.cli").get_argument_parser()

    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _: stopped.append(got))
    waiting = [name for name in names if not is_current(name)]
    if waiting and sys.platform == "linux":
        address_of_process()
    each = max(1, cores // max(1, len(waiting)))
    running: dict[int, tuple[str, str]] = {}
    failed: list[str] = []
    began, ended, total = time.monotonic(), 0, len(waiting)
    while running or (waiting and not stopped):
        if waiting and not stopped and len(running) < cores:
            name = waiting.pop(0)
            # What changes while it runs is left to the next run.
            given = state_given(name)
            running[_started(name, each)] = name, given
            continue
        process, status = os.wait()
        if process not in running:  # that of the steps, which is not needed
            continue
        name, given = running.pop(process)
        ended += 1
        if status:
            failed.append(name)
        else:
            Path(name, STAMP).write_text(stamp_of(name, given), encoding="utf-8")
        left = (time.monotonic() - began) / ended * (total - ended)
        words = "not finished" if status else "done"
        print_line(f"[{ended} of {total}, about {left:.0f} s left] {name}: {words}")
    return failed + waiting


def _started(name: str, cores: int) -> int:
    """Run a review in a copy of this process; return its number."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        Path(name, LOG).parent.mkdir(exist_ok=True)
        log = os.open(Path(name, LOG), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(log, 1)
        os.dup2(log, 2)
        home = workflow_home()
        words = [
            "--snakefile", str(home / "Snakefile"),
            "--workflow-profile", str(home / "profiles/default"),
            "--directory", name, "--cores", str(cores),
        ]  # fmt: skip
        sys.argv = ["snakemake", *words]  # which the Snakefile reads
        from snakemake.cli import main

        main(words)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main(batch: str, cores: str) -> int:
    """Run the reviews of a batch; return 1 if one of them failed for another reason than its data.

    Then the job is worth another trial.
    """
    failed = run_reviews(Path(batch).read_text(encoding="utf-8").split("\n")[:-1], int(cores))
    if not failed:
        return 0
    from osteometa.validation.review import check_review

    return int(any(check_review(name).passed for name in failed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
