"""Runs that are disturbed: each ends in a sentence or finishes, and the same command goes on.

usage: .venv/bin/python benchmarks/faults.py [--write] [--dozen] [KIND ...]
(Linux, with unshare and mount. ``--dozen``, for the tests: twelve of each kind in runs up to the
derived tables; of those that end by themselves each fourth is resumed.)

A small review is run undisturbed once. Then runs of a copy are killed, stopped, short of disk space
and so on, by `make` and by plain `snakemake` in turn, at moments from a seeded generator. A
disturbance counts as passed if the disturbed run printed no traceback, the next run with the same
command and nothing else done finishes, and every file in results/ and data/processed/ then has the
bytes of the undisturbed run. With ``--write`` the counts go into docs/reliability.md.

The script enters a user and mount namespace of its own, in which small and read-only file systems
can be mounted without being root; nothing outside its temporary folder changes.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import psutil
from disturbed import (
    DERIVED,
    DOZEN,
    PROJECT,
    SEED,
    SIGNALS,
    STARTS,
    WAYS,
    Folder,
    Trials,
    Undisturbed,
    undisturbed,
)

PAGE = PROJECT / "docs" / "reliability.md"
START, END = "<!-- faults: begin -->", "<!-- faults: end -->"
INSIDE = "OSTEOMETA_FAULTS"
DAY = 86400
SHARES = 2 if DOZEN else 4
"""Processes at work."""


def kills(trials: Trials, number: int = 36 // SHARES if DOZEN else 200 // SHARES) -> None:
    """Signals at random moments: one or more in a row, then a run to the end."""
    for trial in range(number):
        sent = SIGNALS[trial % 3]
        kind, way = f"{sent.name} at a random moment", STARTS[trial // 3 % 2]
        process = trials.folder.start(way)
        time.sleep(trials.moment())
        # The out-of-memory killer ends one process; a user in a terminal all of them.
        group = sent == signal.SIGINT or trials.random.random() < 0.5
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if group:
                os.killpg(process.pid, sent)
            else:
                starter = psutil.Process(process.pid)
                run = starter.children()[:1] if way == "make" else []
                (run or [starter])[0].send_signal(sent)
        trials.judge(kind, way, trials.folder.ended(process), silent=True)
        enough = trial % 8 == 7 if DOZEN else trials.random.random() < 0.5
        if enough or trial == number - 1:
            trials.resume(kind, way)
            trials.folder.fresh()


def full_disk(trials: Trials, number: int = 12 if DOZEN else 10) -> None:
    """A file system of several sizes, each too small for the run, then large enough."""
    base = used(trials.folder.path)
    trials.must(trials.folder.run("snakemake"))
    space = used(trials.folder.path)
    trials.folder.fresh()
    for trial in range(number):
        way = STARTS[trial % 2]
        size = base + (space - base) * (trial + 0.3) / number
        with mounted(trials.folder.path, "-t", "tmpfs", "-o", f"size={int(size)}", "tmpfs"):
            trials.judge("full disk", way, trials.folder.run(way))
            command = ["mount", "-o", "remount,size=1g", str(trials.folder.path)]
            subprocess.run(command, check=True)
            trials.resume("full disk", way)


def used(folder: Path) -> int:
    """Bytes that a file system of blocks of 4096 needs for all files and folders."""
    paths = [path for path in folder.rglob("*") if not path.is_symlink()]
    return sum(4096 if p.is_dir() else -(-p.stat().st_size // 4096) * 4096 for p in paths)


@contextmanager
def mounted(path: Path, *options: str):
    """Mount a file system with the content of the folder on it, for a while."""
    keep = path.with_name("keep")
    shutil.rmtree(keep, ignore_errors=True)
    ignored = shutil.ignore_patterns("results", "processed", ".snakemake")
    shutil.copytree(path, keep, symlinks=True, ignore=ignored)
    subprocess.run(["mount", *options, str(path)], check=True)
    try:
        shutil.copytree(keep, path, symlinks=True, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def read_only(trials: Trials, number: int = 12 if DOZEN else 10) -> None:
    """Folders that cannot be written to, before a first run and with a table to read anew."""
    home = trials.folder.path.parent / "home"
    home.mkdir(exist_ok=True)
    names = ("results", "data/processed", ".snakemake", ".", "home")
    for trial in range(number):
        name, way = names[trial % len(names)], STARTS[trial % 2]
        place = home if name == "home" else trials.folder.path / name
        kind = f"read-only {'HOME' if name == 'home' else 'folder' if name == '.' else name}"
        if trial < len(names):
            trials.folder.fresh()
        place.mkdir(parents=True, exist_ok=True)
        with trials.edited() if trial >= len(names) else nullcontext():
            subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
            try:
                remount = ["mount", "-o", "remount,ro,bind", str(place), str(place)]
                subprocess.run(remount, check=True)
                trials.judge(kind, way, trials.folder.run(way, HOME=str(home)))
            finally:
                subprocess.run(["umount", "-l", str(place)], check=True)
        trials.resume(kind, way)


def removed(trials: Trials, number: int = 12 if DOZEN else 8) -> None:
    """Results, or derived tables, removed while a run goes on."""
    for trial in range(number):
        way = STARTS[trial % 2]
        trials.folder.fresh()
        process = trials.folder.start(way)
        time.sleep(trials.moment())
        for path in (trials.folder.path / DERIVED[trial // 2 % 2]).glob("*"):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(
                missing_ok=True
            )
        trials.judge("results removed", way, trials.folder.ended(process))
        trials.resume("results removed", way)


def two_at_once(trials: Trials, number: int = 12 if DOZEN else 8) -> None:
    """A second run while the first goes on, the two ways of starting combined."""
    for trial in range(number):
        first, second = STARTS[trial % 2], STARTS[trial // 2 % 2]
        trials.folder.fresh()
        one = trials.folder.start(first)
        time.sleep(0 if trial < 4 else trials.moment())
        output = trials.folder.output.rename(trials.folder.output.with_name("first.txt"))
        two = trials.folder.run(second)
        status = one.wait(timeout=600)
        ended = [trials.judge("two at once", first, (status, output.read_text())),
                 trials.judge("two at once", second, two)]  # fmt: skip
        if not any(ended):
            trials.fail("two at once", first, "neither finished")
        trials.resume("two at once", second)


def tables_edited(trials: Trials, number: int = 12 if DOZEN else 8) -> None:
    """A cell edited while a run reads or has read it: the run says so, or its results have it."""
    kind = "table edited"
    for trial in range(number):
        way = STARTS[trial % 2]
        trials.folder.fresh()
        process = trials.folder.start(way)
        time.sleep(trials.moment())
        with trials.edited():
            finished = trials.judge(kind, way, trials.folder.ended(process))
            found = trials.folder.bytes()
            if finished and found not in (trials.other, trials.reference):
                trials.fail(kind, way, "finished with results of neither table")
            trials.resume(kind, way, trials.other)
        trials.resume(kind, way)


def clock(trials: Trials, number: int = 12 if DOZEN else 8) -> None:
    """All times of files shifted while a run goes on, as a clock that is set would do."""
    kind = "clock set"
    for trial in range(number):
        way = STARTS[trial % 2]
        if trial % 3 == 0:
            trials.folder.fresh()
        with trials.edited() if trial % 2 else nullcontext():
            process = trials.folder.start(way)
            time.sleep(trials.moment())
            by = trials.random.choice((-400, -1, 1, 400)) * DAY
            for path in (
                *trials.folder.path.glob("data/**/*"),
                *trials.folder.path.glob("results/**/*"),
            ):
                try:
                    os.utime(path, (path.stat().st_mtime + by,) * 2)
                except FileNotFoundError:
                    continue
            trials.judge(kind, way, trials.folder.ended(process))
            trials.resume(kind, way, trials.other if trial % 2 else trials.reference)


def network(trials: Trials) -> None:
    """A run in a network namespace without any interface, with every connect recorded."""
    trials.folder.fresh()
    trace = trials.folder.path.parent / "trace"
    watch = ["unshare", "-n"]
    if shutil.which("strace"):
        watch += ["strace", "-f", "-qq", "-e", "trace=connect,sendto", "-o", str(trace)]
    WAYS["offline"] = [*watch, *WAYS["snakemake"]]
    trials.judge("no network", "offline", trials.folder.run("offline"))
    trials.resume("no network", "snakemake")
    if trace.exists():
        calls = [line for line in trace.read_text().splitlines() if "AF_INET" in line]
        for line in calls:
            trials.fail("no network", "offline", line)


KINDS: tuple[Callable[[Trials], None], ...] = (
    kills, full_disk, read_only, removed, two_at_once, tables_edited, clock, network,
)  # fmt: skip


def of_kind(task: tuple[Callable[[Trials], None], int, Path, Undisturbed]) -> Trials:
    """Disturb runs in one way, in a folder of its own."""
    kind, seed, place, alone = task
    trials = Trials(Folder(place), alone, seed)
    kind(trials)
    return trials


def main() -> None:
    """Run the kinds that are named, or all."""
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-rm", sys.executable, *sys.argv])
    names = {word for word in sys.argv[1:] if not word.startswith("--")}
    counts: dict[str, Counter] = {}
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as base, ProcessPoolExecutor(SHARES) as pool:
        alone = undisturbed(Folder(Path(base) / "alone"))
        print(f"undisturbed: {alone.seconds:.1f} s", flush=True)
        kinds = [kind for kind in KINDS if not names or kind.__name__ in names]
        each = [kind for kind in kinds for _ in range(SHARES if kind is kills else 1)]
        tasks = [(k, SEED + i, Path(base) / str(i) / "review", alone) for i, k in enumerate(each)]
        for trials in pool.map(of_kind, tasks):
            failures += trials.failures
            for name, found in trials.counts.items():
                counts.setdefault(name, Counter()).update(found)
    rows = rows_of(counts)
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        before, (now, after) = page.split(START)[0], page.split(START)[1].split(END)
        # Of kinds that were not run the counts of before remain.
        rows = {**{row.split("|")[1].strip(): row for row in now.splitlines()[5:] if row}, **rows}
        text = "\n".join([f"\n{WORDS}\n", *HEAD, *rows.values()])
        PAGE.write_text(f"{before}{START}{text}\n{END}{after}", encoding="utf-8")
    print(*HEAD, *rows.values(), sep="\n")
    if failures:  # an empty message would be a failure too
        sys.exit("\n".join(failures))


COLUMNS = {
    "Disturbance": "", "Finished": "finished", "Ended with words": "a sentence",
    "Ended without a word": "nothing printed", "Ended while Python starts": "early",
    "Failed": "FAILED", "Resumed to the same bytes": "resumed", "Not so": "WRONG",
}  # fmt: skip
HEAD = (f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}")
WORDS = (
    "Made by `python benchmarks/faults.py --write`: a small review, by `make` and by plain "
    "`snakemake` in turn. One or more signals come in a row before a run goes on to the end; "
    "bytes are compared then. The words of a run that was killed may be its steps only."
)


def rows_of(counts: dict[str, Counter]) -> dict[str, str]:
    """Return the row of each kind of disturbance."""
    return {
        name: f"| {' | '.join([name, *(str(found[c]) for c in COLUMNS.values() if c)])} |"
        for name, found in counts.items()
    }


if __name__ == "__main__":
    main()
