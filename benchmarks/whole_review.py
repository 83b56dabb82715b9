"""Wall times of the shipped review beside the same review scripted in R with metafor.

usage: .venv/bin/python benchmarks/whole_review.py [--write]     (needs Rscript with metafor)

Each run is compared with a run of ``review.R`` on the same effects in the same minute: cold (no
results), nothing to do, one cell edited (a mean of one study), another style of figures. The cold
run is compared with ``same_work.R`` too, which scripts the same tables and figures. The review is
copied to a temporary directory first; nothing in the project changes, but for docs/benchmarks.md
with ``--write``.
"""

import csv
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[1]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
PAGE = PROJECT / "docs" / "benchmarks.md"
START, END = "<!-- whole: begin -->", "<!-- whole: end -->"
EDITED = ("nelson_1994", "strength", "lumbar_spine", "pct_change")


def timed(command: list[str]) -> float:
    """Seconds of one command; a failure shows what it printed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return seconds


@contextmanager
def largest_process() -> Iterator[list[int]]:
    """Look at the sizes of all processes below this one four times a second, in bytes.

    Steps are copies of a process that no one waits for, so the system does not report their sizes.
    """
    sizes, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(0.25):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    sizes.append(process.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield sizes
    finally:
        ended.set()
        thread.join()


def table(path: Path) -> list[dict[str, str]]:
    """Read a table of results."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def run_r(script: str, review: Path, folder: Path) -> float:
    """Seconds of a script in R on the effects that our run has just pooled.

    ``review.R`` reads those of the primary measure, ``same_work.R`` all, and how many
    specifications of the multiverse were fitted.
    """
    primary = {row["synthesis"]: row["measure"] for row in table(review / "results/syntheses.csv")}
    whole = script == "same_work.R"
    columns = ["synthesis", *(["measure"] if whole else []), "label", "exercise_type", "yi", "vi"]
    effects, counts = [], Counter()
    for name, measure in primary.items():
        home = review / "results" / name
        if not home.is_dir():
            continue
        rows = [row for row in table(home / "effects.csv") if row["pooled"] == "yes"]
        rows.sort(key=lambda row: row["measure"] != measure)
        effects += [[name if c == "synthesis" else row[c] for c in columns] for row in rows
                    if whole or row["measure"] == measure]  # fmt: skip
        counts.update((name, row["measure"]) for row in table(home / "multiverse.csv"))
    paths = [folder / "effects.csv", folder / "specifications.csv"][: 2 if whole else 1]
    write(paths[0], [columns, *effects])
    if whole:
        write(paths[1], [["synthesis", "measure", "n"], *([*key, n] for key, n in counts.items())])
    r = str(PROJECT / "benchmarks" / script)
    return timed(["Rscript", r, *map(str, paths), str(folder / "r")])


def write(path: Path, rows: list[list]) -> None:
    """Write a table."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, lineterminator="\n").writerows(rows)


def edit_one_cell(review: Path) -> None:
    """Raise one reported mean by a tenth of a per cent."""
    path = review / "data/raw/measurements.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    place = {name: i for i, name in enumerate(rows[0])}
    keys = [place[name] for name in ("study_id", "arm_id", "site", "kind")]
    (row,) = (row for row in rows if tuple(row[i] for i in keys) == EDITED)
    row[place["mean"]] = str(round(float(row[place["mean"]]) + 0.1, 3))
    write(path, rows)


def another_style(review: Path) -> None:
    """Set figures to the style of the BMJ."""
    config = review / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("style: standard", "style: bmj"), "utf-8")


RUNS = (
    ("cold", None, "review.R", 12.0),
    ("cold", None, "same_work.R", 0.25),
    ("nothing to do", None, "review.R", None),
    ("one cell of a pooled study", edit_one_cell, "review.R", 4.0),
    ("another style in config.yaml", another_style, "review.R", 4.0),
)
"""Name, preparation, peer, and the target ratio."""


def measured() -> list[str]:
    """Time the runs, each beside its peer; return the section of docs/benchmarks.md."""
    lines = ["| run | osteometa | peer | | ratio | target |", "|---|---:|---|---:|---:|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder, seconds, sizes = Path(name), 0.0, [0]
        review = folder / "review"
        (review / "data").mkdir(parents=True)
        shutil.copytree(PROJECT / "data/raw", review / "data/raw")
        shutil.copy(PROJECT / "config.yaml", review)
        for what, prepare, peer, target in RUNS:
            if prepare:
                prepare(review)
            if peer != "same_work.R":  # beside the cold run that was timed before
                with largest_process() if what == "cold" else nullcontext(sizes) as sizes:
                    seconds = timed([sys.executable, "-m", "osteometa.cli", "run", str(review)])
            other = run_r(peer, review, folder)
            ratio = seconds / other
            word = "" if target is None else (
                f"at most {target:g}: {'met' if ratio <= target else 'not met'}"
            )  # fmt: skip
            lines.append(
                f"| {what} | {seconds:.1f} s | {peer} | {other:.1f} s | {ratio:.2f} | {word} |"
            )
            print(lines[-1], flush=True)
    start = timed([str(SNAKEMAKE), "--version"])
    return [*lines, "", f"Snakemake's own start (`snakemake --version`): {start:.1f} s. Largest "
            f"process of the cold run: {max(sizes) / 2**20:.0f} MB."]  # fmt: skip


def main() -> None:
    """Measure, print, and write if asked to."""
    lines = measured()
    print("\n".join(lines))
    if "--write" in sys.argv:
        old = PAGE.read_text(encoding="utf-8")
        before, rest = old.split(START)
        text = "\n".join([START, "", *lines, "", END])
        PAGE.write_text(before + text + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
