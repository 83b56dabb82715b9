"""How time and memory of a run grow with the number of studies and of planned analyses.

usage: .venv/bin/python benchmarks/growth.py [--write] [--syntheses] [NUMBER ...]

A review of N studies (100, 1000 and 10000) takes whole studies of the shipped tables, again under
names of their own where there are not enough; no number is changed. With ``--syntheses`` the
shipped review gets N planned analyses (10, 100 and 1000): total-hip BMD again and again, its rows
under sites of their own. Each is run whole on two cores. Times are those that Snakemake records of
its jobs. The exponent is the slope of log time on log number between the smallest and the largest
review; ``--write`` puts the table into docs/benchmarks.md.
"""

import csv
import json
import math
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

PROJECT = Path(__file__).resolve().parents[1]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
PAGE = PROJECT / "docs" / "benchmarks.md"
STEPS = ("extract", "wanted", "pool", "figures", "overview", "agreement", "summary", "report")
SITE, SYNTHESIS = "total_hip", "bmd_total_hip_training_controlled"
SEED = 20120229


def tables_of(review: Path) -> dict[Path, tuple[list[str], list[dict[str, str]]]]:
    """Return the header and rows of each raw table of a review, by path."""
    found = {}
    for path in sorted((review / "data/raw").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            found[path] = (list(reader.fieldnames or ()), list(reader))
    return found


def write(path: Path, header: list[str], rows: list[dict[str, str]]) -> None:
    """Write one raw table."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def of_studies(review: Path, number: int) -> None:
    """Let a review have `number` studies."""
    tables = tables_of(review)
    ids = [row["study_id"] for row in tables[review / "data/raw/studies.csv"][1]]
    whole, part = divmod(number, len(ids))
    kept = set(random.Random(SEED).sample(ids, part))
    for path, (header, rows) in tables.items():
        if path.stem == "claims" or "study_id" not in header:
            write(path, header, [] if path.stem == "claims" else rows)
            continue
        copies = [_renamed(row, n) for n in range(whole) for row in rows]
        write(path, header, copies + [_renamed(r, whole) for r in rows if r["study_id"] in kept])


def _renamed(row: dict[str, str], number: int) -> dict[str, str]:
    """Return a row of the copy with a number; the first copy keeps its names."""
    if not number:
        return row
    new = {**row, "study_id": f"c{number}_{row['study_id']}"}
    new |= {name: "" for name in ("doi", "pmid") if name in row}
    if "label" in row and "arm_id" not in row:
        new["label"] = f"{row['label']} ({number})"
    return new


def of_syntheses(review: Path, number: int) -> None:
    """Let a review have `number` planned analyses, all alike."""
    yaml = YAML()
    config = yaml.load(review / "config.yaml")
    (own,) = (one for one in config["syntheses"] if one["id"] == SYNTHESIS)
    sites = [f"{SITE}_{n}" for n in range(number)]
    config["outcomes"]["BMD"]["sites"] += sites
    config["syntheses"] = [{**own, "id": f"bmd_{site}", "site": site} for site in sites]
    yaml.dump(config, review / "config.yaml")
    for path, (header, rows) in tables_of(review).items():
        if "site" in header and path.stem not in ("published_pools", "claims"):
            own_rows = [row for row in rows if row["site"] == SITE]
            rows = rows + [{**row, "site": site} for site in sites for row in own_rows]
        write(path, header, [] if path.stem in ("claims", "grade") else rows)


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


def measured(number: int, make: Callable[[Path, int], None]) -> dict[str, float]:
    """Run a review of some size; return its numbers."""
    with tempfile.TemporaryDirectory() as name:
        review = Path(name)
        shutil.copytree(PROJECT / "data/raw", review / "data/raw")
        shutil.copy(PROJECT / "config.yaml", review)
        make(review, number)
        start = time.perf_counter()
        done = subprocess.run(
            [str(SNAKEMAKE), "--directory", name], cwd=PROJECT, capture_output=True, text=True
        )
        wall = time.perf_counter() - start
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        seconds = seconds_of(review)
        report = (review / "results/report.html").stat().st_size / 1e6
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return {"number": number, **{step: seconds[step] for step in STEPS},
                "whole run": wall, "report, MB": report, "largest process, MB": peak}  # fmt: skip


def table_of(columns: list[dict[str, float]], what: str) -> list[str]:
    """Return the table of all sizes, as lines of Markdown."""
    first, last = columns[0], columns[-1]
    lines = ["| | " + " | ".join(f"{c['number']:,.0f} {what}" for c in columns) + " | exponent |",
             "|---|" + "---:|" * (len(columns) + 1)]  # fmt: skip
    for name in list(first)[1:]:
        growth = math.log(last[name] / first[name]) / math.log(last["number"] / first["number"])
        unit = "" if "MB" in name or name == "files" else " s"
        cells = " | ".join(f"{column[name]:.1f}{unit}" for column in columns)
        lines.append(f"| {name} | {cells} | {growth:.2f} |")
    return lines


def main() -> None:
    """Measure, print, and write if asked to."""
    syntheses = "--syntheses" in sys.argv
    what, make = ("analyses", of_syntheses) if syntheses else ("studies", of_studies)
    usual = [10, 100, 1000] if syntheses else [100, 1000, 10000]
    columns = []
    for number in [int(word) for word in sys.argv[1:] if word.isdigit()] or usual:
        columns.append(measured(number, make))
        print(columns[-1], flush=True)
    lines = table_of(columns, what)
    print("\n".join(lines))
    if "--write" in sys.argv:
        start, end = f"<!-- growth of {what}: begin -->", f"<!-- growth of {what}: end -->"
        before, rest = PAGE.read_text(encoding="utf-8").split(start)
        PAGE.write_text(
            before + "\n".join([start, "", *lines, "", end]) + rest.split(end)[1], encoding="utf-8"
        )


if __name__ == "__main__":
    main()
