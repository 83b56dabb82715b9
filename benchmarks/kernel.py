"""The batch kernel beside metafor's rma and gosh, and PyMARE's parallel columns, in one run.

usage: .venv/bin/python benchmarks/kernel.py [--write]     (needs Rscript with metafor)

Times are processor seconds (user and system) of one core per fit, the best of several turns: other
work on the machine hardly changes them. `--write` puts the table into docs/benchmarks.md.
"""

import cProfile
import csv
import io
import json
import os
import platform
import pstats
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # one core for everybody

import numpy as np
from osteometa.pooling.kernel import pool_many

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
START, END = "<!-- kernel: begin -->", "<!-- kernel: end -->"
ORACLE = json.loads((ROOT / "tests" / "oracle" / "metafor.json").read_text())["datasets"]
SETS = {10: "bmd_g_per_cm2_SMD", 20: "begg1989"}
FITS = 100_000
TURNS = 3
WHO = ("metafor rma", "metafor gosh", "PyMARE")
TARGETS = {
    ("REML", "metafor rma"): 1000, ("REML", "metafor gosh"): 800, ("REML", "PyMARE"): 2,
    ("DL", "metafor gosh"): 100, ("DL", "PyMARE"): 1,
}  # fmt: skip


def seconds(work) -> float:
    """Processor seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def subsets(k: int, m: int) -> np.ndarray:
    """Draw m random subsets (m, k) of two effects or more, each effect in half of them."""
    rng = np.random.default_rng(1)
    found = rng.random((2 * m, k)) < 0.5
    return found[found.sum(axis=1) >= 2][:m]


def by_metafor(y: np.ndarray, v: np.ndarray, words: list[str]) -> dict[str, float]:
    """Run metafor: seconds per fit of each word of kernel.R."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "effects.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("yi", "vi"), *zip(y.tolist(), v.tolist(), strict=True)])
        command = ["Rscript", str(ROOT / "benchmarks" / "kernel.R"), str(path), *words]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {word: float(used) / int(n) for word, n, used in rows}


def by_pymare(y: np.ndarray, v: np.ndarray, mask: np.ndarray, method: str) -> float:
    """PyMARE's parallel columns: subsets of one size are the columns of one call."""
    from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator

    sizes = mask.sum(axis=1)
    columns = {
        size: np.array([np.flatnonzero(row) for row in mask[sizes == size]]).T
        for size in np.unique(sizes)
    }
    used = 0.0
    for size, rows in columns.items():
        estimator = (
            DerSimonianLaird()
            if method == "DL"
            else VarianceBasedLikelihoodEstimator(method=method)
        )
        effects, variances, X = y[rows].copy(), v[rows].copy(), np.ones((size, 1))
        used += seconds(lambda e=estimator, a=effects, b=variances, c=X: e.fit(a, b, c))
    return used / len(mask)


def measured() -> list[tuple[int, str, str, float]]:
    """Rows k, method, who, seconds per fit; every turn measures everybody."""
    best: dict[tuple[int, str, str], float] = {}

    def note(k: int, method: str, who: str, value: float) -> None:
        best[k, method, who] = min(best.get((k, method, who), np.inf), value)

    warnings.simplefilter("ignore")
    for k, name in SETS.items():
        y, v = (np.array(ORACLE[name][column]) for column in ("yi", "vi"))
        mask = subsets(k, FITS)
        for _ in range(TURNS):
            words = ["REML:300", "DL:20000", "REML:200:rma", "DL:200:rma"]
            for word, value in by_metafor(y, v, words).items():
                who = "metafor rma" if word.endswith(":rma") else "metafor gosh"
                note(k, word.partition(":")[0], who, value)
            note(k, "REML", "PyMARE", by_pymare(y, v, mask[:20_000], "REML"))
            # In turns, because work of others changes what takes milliseconds most.
            for _ in range(5):
                note(k, "DL", "PyMARE", by_pymare(y, v, mask[:20_000], "DL"))
                for method in ("REML", "ML", "PM", "DL", "EE"):
                    used = seconds(lambda m=method, a=y, b=v, c=mask: pool_many(
                        a, b, c, method=m, ci="hksj-floor"))  # fmt: skip
                    note(k, method, "osteometa", used / len(mask))
    return [(*key, value) for key, value in sorted(best.items(), key=lambda item: item[0][:2])]


def profile(method: str) -> str:
    """Where the kernel's time goes, the functions above 5 % of it."""
    y, v = (np.array(ORACLE[SETS[20]][column]) for column in ("yi", "vi"))
    mask = subsets(20, FITS)
    pool_many(y, v, mask[:100], method=method, ci="hksj-floor")
    run = cProfile.Profile()
    run.runcall(pool_many, y, v, mask, method=method, ci="hksj-floor")
    stats = pstats.Stats(run, stream=io.StringIO())
    total = stats.total_tt
    rows = sorted(stats.stats.items(), key=lambda item: -item[1][2])
    lines = [
        f"| `{Path(place[0]).name.removeprefix('~') or 'numpy'}` {place[2].strip('<>{}')} "
        f"| {100 * numbers[2] / total:.0f} % |"
        for place, numbers in rows
        if numbers[2] > 0.05 * total
    ]
    return "\n".join([f"| function ({method}, k = 20) | own time |", "|---|---:|", *lines])


def page(rows: list[tuple[int, str, str, float]]) -> str:
    """The section of docs/benchmarks.md."""
    found = {row[:3]: row[3] for row in rows}
    lines = [
        START, "## Batch kernel", "",
        "Made by `python benchmarks/kernel.py --write`: random subsets of the effects of "
        f"{' (k = 10) and '.join(SETS.values())} (k = 20), {FITS:,} for the kernel, processor "
        f"time of one core per fit, the best of {TURNS} rounds in which all are measured; "
        f"Python {platform.python_version()}, numpy {np.__version__}. The kernel returns estimate, "
        "variance, tau2, Q, I2 and H2, as does metafor's rma (called once for each subset); gosh "
        "estimate, tau2, Q, I2 and H2; PyMARE estimate and tau2.",
        "", f"| k | method | osteometa | {' | '.join(f'{who} | ratio' for who in WHO)} |",
        "|---:|---|---:|" + "---:|---:|" * len(WHO),
    ]  # fmt: skip
    verdicts = []
    for k in SETS:
        for method in ("REML", "ML", "PM", "DL", "EE"):
            ours = found[k, method, "osteometa"]
            cells = []
            for who in WHO:
                theirs = found.get((k, method, who))
                cells += (
                    [
                        f"{1e6 * theirs:,.3f} us",
                        f"{theirs / ours:,.{1 if theirs / ours < 10 else 0}f}",
                    ]
                    if theirs
                    else ["", ""]
                )
                target = TARGETS.get((method, who))
                if target and theirs:
                    met = "met" if theirs / ours >= target else "not met"
                    verdicts.append(
                        f"- {method}, k = {k}: {theirs / ours:,.1f} times as fast as {who}; "
                        f"target {target}: **{met}**."
                    )
            lines.append(f"| {k} | {method} | {1e6 * ours:,.3f} us | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *verdicts, "", profile("DL"), "", profile("REML"), "", END])


def main() -> None:
    """Measure, print, and write if asked to."""
    section = page(measured())
    print(section)
    if "--write" in sys.argv:
        old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n\n"
        if START in old:
            before, rest = old.split(START)
            old = before + section + rest.split(END)[1]
        else:
            old += section + "\n"
        PAGE.write_text(old, encoding="utf-8")


if __name__ == "__main__":
    main()
