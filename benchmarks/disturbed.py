"""A copy of the project whose runs are disturbed, and the count of what came of it."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

PROJECT = Path(__file__).resolve().parents[1]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
KILLED = {sent.name for sent in SIGNALS}
STEP = re.compile(r"^(\[|Check|Pool|Draw|Summarise|Compare|List|Cut|Write|Stopping)", re.MULTILINE)
DERIVED = ("results", "data/processed")
EDIT = (",20,1.5,3.1,", ",20,1.6,3.1,")
SEED = 20261130
DOZEN = "--dozen" in sys.argv
TARGETS = ["data/processed/inputs.sha256"]
WAYS = {"make": ["make"], "snakemake": [".venv/bin/snakemake"]}
if DOZEN:
    WAYS = {
        "make": [".venv/bin/python", "-m", "osteometa.run", *TARGETS],
        "snakemake": [".venv/bin/snakemake", *TARGETS],
    }
STARTS = tuple(WAYS)


class Folder:
    """A copy of the project with a small review, run in both ways."""

    def __init__(self, place: Path):
        self.path = place
        self.output = place.with_name(f"{place.name}.txt")
        place.mkdir(parents=True)
        shutil.copytree(PROJECT / "tests/reviews/small", place, dirs_exist_ok=True)
        for name in ("Snakefile", "Makefile", "requirements.txt", "pyproject.toml"):
            shutil.copy(PROJECT / name, place)
        shutil.copytree(PROJECT / "profiles", place / "profiles")
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / "workflow", place / "workflow", ignore=ignored)
        yaml = YAML()
        config = yaml.load(place / "config.yaml")
        config["syntheses"] = config["syntheses"][:1]
        config["figures"]["formats"] = ["svg"]
        yaml.dump(config, place / "config.yaml")
        (place / ".venv").mkdir()
        for name in ("bin", "lib", "pyvenv.cfg"):
            (place / ".venv" / name).symlink_to(Path(sys.prefix) / name)
        rests = "cat requirements.txt pyproject.toml workflow/setup.sh | cksum"
        sums = subprocess.run(rests, shell=True, cwd=place, capture_output=True, text=True)
        (place / ".venv/.complete").write_text(f"{sums.stdout}{place}\n")

    def fresh(self) -> None:
        """Remove everything that runs have made."""
        for name in (*DERIVED, ".snakemake"):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def start(self, way: str, **more: str) -> subprocess.Popen:
        """Start a run as the leader of a process group, its output in a file.

        What the last run remembered is removed: the report says what changed since, so its bytes
        would depend on the runs before.
        """
        shutil.rmtree(self.path / "results/.runs", ignore_errors=True)
        with self.output.open("w") as output:
            return subprocess.Popen(
                WAYS[way], cwd=self.path, env={**os.environ, **more}, stdout=output, stderr=output,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )  # fmt: skip

    def ended(self, process: subprocess.Popen) -> tuple[int, str]:
        """Wait for a run; return its status and what it printed."""
        try:
            status = process.wait(timeout=600)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return 1, "Traceback: none, the run hung"
        return status, self.output.read_text()

    def run(self, way: str, **more: str) -> tuple[int, str]:
        """Run to the end."""
        return self.ended(self.start(way, **more))

    def bytes(self) -> dict[str, str]:
        """Return the hash of each derived file, hidden ones but for records left out."""
        files = (path for name in DERIVED for path in (self.path / name).rglob("*"))
        names = {
            path.relative_to(self.path).as_posix(): path
            for path in files
            if path.is_file()
            and path.name not in (".snakemake_timestamp", ".gitkeep")
            and path.parent.name != ".runs"  # what the next run is compared with
        }
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in sorted(names.items())
        }


@dataclass(frozen=True)
class Undisturbed:
    """What a run gives that nothing disturbs."""

    seconds: float
    reference: dict[str, str]
    """Hashes of all derived files."""
    other: dict[str, str]
    """The same with one cell edited."""


def undisturbed(folder: Folder) -> Undisturbed:
    """Run three times: as it is, with an edit, and with the edit taken back."""
    trials = Trials(folder, Undisturbed(0, {}, {}))
    began = time.monotonic()
    trials.must(folder.run("snakemake"))
    seconds, reference = time.monotonic() - began, folder.bytes()
    with trials.edited():
        trials.must(folder.run("snakemake"))
        other = folder.bytes()
    trials.must(folder.run("snakemake"))
    if folder.bytes() != reference or other == reference:
        sys.exit("the undisturbed runs differ")
    return Undisturbed(seconds, reference, other)


class Trials:
    """Disturbs runs and counts what came of it."""

    def __init__(self, folder: Folder, alone: Undisturbed, seed: int = SEED):
        self.folder, self.random = folder, random.Random(seed)
        self.seconds, self.reference, self.other = alone.seconds, alone.reference, alone.other
        self.counts: dict[str, Counter] = {}
        self.failures: list[str] = []
        self.disturbed = 0

    def must(self, outcome: tuple[int, str]) -> None:
        """Stop unless a run finished."""
        if outcome[0]:
            sys.exit(f"an undisturbed run failed:\n{outcome[1]}")

    @contextmanager
    def edited(self):
        """Edit one cell of a raw table, and take it back."""
        table = self.folder.path / "data/raw/measurements.csv"
        text = table.read_text(encoding="utf-8")
        if EDIT[0] not in text:
            sys.exit(f"no cell to edit in {table}")
        table.write_text(text.replace(*EDIT, 1), encoding="utf-8")
        try:
            yield
        finally:
            table.write_text(text, encoding="utf-8")

    def moment(self) -> float:
        """Seconds until a disturbance."""
        return self.random.uniform(0, self.seconds)

    def judge(self, kind: str, way: str, outcome: tuple[int, str], *, silent: bool = False) -> bool:
        """Count how a disturbed run ended; return whether it finished."""
        status, text = outcome
        words = [line for line in text.splitlines() if line and not line.startswith("Using workf")]
        if not silent:
            words = [line for line in words if not line.startswith("make:")]
        end = "finished" if status == 0 else "a sentence" if words else "nothing printed"
        if "KeyboardInterrupt" in text and not STEP.search(text):
            end = "early"  # while Python starts
        elif "Traceback" in text or (end == "nothing printed" and not silent):
            end = "FAILED"
            self.fail(kind, way, text or "nothing was printed")
        self.counts.setdefault(kind, Counter())[end] += 1
        if status:
            print(f"  {kind}, {way}: {words[-3:]}", flush=True)
        return status == 0

    def resume(self, kind: str, way: str, expected: dict[str, str] | None = None) -> None:
        """Run again with the same command; all must be as if nothing had happened."""
        self.disturbed += 1
        if DOZEN and kind.split()[0] not in KILLED and self.disturbed % 4:
            return
        status, text = self.folder.run(way)
        found = self.folder.bytes()
        expected = self.reference if expected is None else expected
        wrong = sorted(
            name for name in {*found, *expected} if found.get(name) != expected.get(name)
        )
        good = status == 0 and not wrong and "edited by hand" not in text
        locks = list(self.folder.path.glob(".snakemake/locks/*"))
        self.counts.setdefault(kind, Counter())["resumed" if good and not locks else "WRONG"] += 1
        if not good or locks:
            self.fail(kind, way, f"resumed with {status}; differing: {wrong}; {locks}\n{text}")
            self.folder.fresh()

    def fail(self, kind: str, way: str, text: str) -> None:
        """Keep what went wrong."""
        self.failures.append(f"== {kind}, {way}\n{text[-3000:]}")
        print(self.failures[-1], flush=True)
