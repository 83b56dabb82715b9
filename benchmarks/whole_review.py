"""Wall times of the shipped review as ratios to the same review scripted in R with metafor.

usage: .venv/bin/python benchmarks/whole_review.py     (needs Rscript with metafor)

Each of our runs stands beside a run of ``review.R`` on the same effects in the same minute: cold
(no results), nothing to do, and one cell edited (a mean of one study). The review is copied to a
temporary directory first; nothing in the project changes.
"""

import csv
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
EDITED = ("nelson_1994", "strength", "lumbar_spine", "pct_change")


def timed(command: list[str]) -> float:
    """Seconds of one command; a failure shows what it printed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return seconds


def pooled_effects(review: Path) -> list[list[str]]:
    """The pooled effects of every synthesis in its primary measure, as review.R reads them."""
    with (review / "results/syntheses.csv").open(encoding="utf-8") as lines:
        measures = {row["synthesis"]: row["measure"] for row in csv.DictReader(lines)}
    columns = ("label", "exercise_type", "yi", "vi")
    rows = []
    for synthesis, measure in measures.items():
        with (review / f"results/{synthesis}/effects.csv").open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if row["pooled"] == "yes" and row["measure"] == measure:
                    rows.append([synthesis, *(row[column] for column in columns)])
    return rows


def run_r(review: Path, folder: Path) -> float:
    """Seconds of review.R on the effects that our run has just pooled."""
    effects = folder / "effects.csv"
    with effects.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["synthesis", "label", "exercise_type", "yi", "vi"])
        writer.writerows(pooled_effects(review))
    return timed(["Rscript", str(PROJECT / "benchmarks/review.R"), str(effects), str(folder / "r")])


def edit_one_cell(review: Path) -> None:
    """Raise one printed mean by a tenth of a per cent."""
    table = review / "data/raw/measurements.csv"
    with table.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    place = {name: i for i, name in enumerate(rows[0])}
    keys = [place[name] for name in ("study_id", "arm_id", "site", "kind")]
    (row,) = (row for row in rows if tuple(row[i] for i in keys) == EDITED)
    row[place["mean"]] = str(round(float(row[place["mean"]]) + 0.1, 3))
    with table.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, lineterminator="\n").writerows(rows)


def main() -> None:
    """Time the three runs, each beside its peer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        review = folder / "review"
        (review / "data").mkdir(parents=True)
        shutil.copytree(PROJECT / "data/raw", review / "data/raw")
        shutil.copy(PROJECT / "config.yaml", review)
        ours = [str(SNAKEMAKE), "--directory", str(review)]
        print("run            ours      review.R  ratio")
        for what, prepare in (
            ("cold", None),
            ("nothing to do", None),
            ("one cell", edit_one_cell),
        ):
            if prepare:
                prepare(review)
            seconds = timed(ours)
            peer = run_r(review, folder)
            print(f"{what:13}  {seconds:6.1f} s  {peer:6.1f} s  {seconds / peer:5.2f}", flush=True)


if __name__ == "__main__":
    main()
