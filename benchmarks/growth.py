"""How time and memory of a run grow with the number of studies.

usage: .venv/bin/python benchmarks/growth.py [--write] [TIMES ...]      (1 2 5 10)

A review of n times as many studies has each study of the shipped tables n times, under names of
their own; no number is changed. Each is run whole on two cores. Times are those that Snakemake
records of its jobs. The exponent is the slope of log time on log studies between the smallest and
the largest review; ``--write`` puts the table into docs/benchmarks.md.
"""

import csv
import json
import math
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
PAGE = PROJECT / "docs" / "benchmarks.md"
START, END = "<!-- growth: begin -->", "<!-- growth: end -->"
STEPS = ("extract", "wanted", "pool", "figures", "overview", "agreement", "summary", "report")


def multiplied(review: Path, times: int) -> int:
    """Write the shipped tables with each study `times` times; return the number of studies."""
    shutil.copytree(PROJECT / "data/raw", review / "data/raw")
    shutil.copy(PROJECT / "config.yaml", review)
    studies = 0
    for path in (review / "data/raw").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.reader(lines))
        header, own = rows[0], rows[1:]
        if "study_id" in header:
            copies = [_renamed(row, header, n) for n in range(times) for row in own]
            studies = len(copies) if path.stem == "studies" else studies
        else:
            copies = own
        with path.open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines, lineterminator="\n").writerows([header, *copies])
    return studies


def _renamed(row: list[str], header: list[str], number: int) -> list[str]:
    """Return a row of the copy with a number; the first copy keeps its names."""
    if not number:
        return row
    cells = dict(zip(header, row, strict=True))
    for name in ("study_id", "duplicate_of", "same_people_as"):
        if cells.get(name):
            cells[name] = f"c{number}_{cells[name]}"
    for name in ("doi", "pmid", "registration"):
        if name in cells:
            cells[name] = ""
    if "label" in cells and "arm_id" not in cells:
        cells["label"] = f"{cells['label']} ({number})"
    return list(cells.values())


def seconds_of(review: Path) -> dict[str, float]:
    """Return the sum of the times of each rule's jobs, as Snakemake has recorded them."""
    jobs: dict[tuple, float] = defaultdict(float)
    for path in (review / ".snakemake/metadata").rglob("*"):
        if path.is_file():
            data = json.loads(path.read_text(encoding="utf-8"))
            # One file for each output; the job's time is the longest of its outputs.
            job = (data["rule"], *data["input"])
            jobs[job] = max(jobs[job], data["endtime"] - data["starttime"])
    found: dict[str, float] = defaultdict(float)
    for (rule, *_), seconds in jobs.items():
        found[rule] += seconds
    return found


def measured(times: int) -> dict[str, float]:
    """Run a review of `times` as many studies; return its numbers."""
    with tempfile.TemporaryDirectory() as name:
        review = Path(name)
        studies = multiplied(review, times)
        start = time.perf_counter()
        done = subprocess.run(
            [str(SNAKEMAKE), "--directory", name], cwd=PROJECT, capture_output=True, text=True
        )
        wall = time.perf_counter() - start
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        report = (review / "results/report.html").stat().st_size / 1e6
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return {"studies": studies, **{step: seconds_of(review)[step] for step in STEPS},
                "whole run": wall, "report, MB": report, "largest process, MB": peak}  # fmt: skip


def main() -> None:
    """Measure, print, and write if asked to."""
    times = [int(word) for word in sys.argv[1:] if word.isdigit()] or [1, 2, 5, 10]
    columns = []
    for n in times:
        columns.append(measured(n))
        print(columns[-1], flush=True)
    first, last = columns[0], columns[-1]
    lines = ["| | " + " | ".join(f"{c['studies']:.0f} studies" for c in columns) + " | exponent |",
             "|---|" + "---:|" * (len(columns) + 1)]  # fmt: skip
    for name in list(first)[1:]:
        growth = math.log(last[name] / first[name]) / math.log(last["studies"] / first["studies"])
        unit = "" if "MB" in name else " s"
        cells = " | ".join(f"{column[name]:.1f}{unit}" for column in columns)
        lines.append(f"| {name} | {cells} | {growth:.2f} |")
    print("\n".join(lines))
    if "--write" in sys.argv:
        old = PAGE.read_text(encoding="utf-8")
        before, rest = old.split(START)
        PAGE.write_text(
            before + "\n".join([START, "", *lines, "", END]) + rest.split(END)[1], encoding="utf-8"
        )


if __name__ == "__main__":
    main()
