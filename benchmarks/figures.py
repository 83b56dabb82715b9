"""Each figure in three formats beside the same one drawn by metafor, in one run.

usage: .venv/bin/python benchmarks/figures.py [--write] [--root REVIEW]     (needs Rscript, metafor)

Times are processor seconds (user and system) of one core for PDF, SVG and PNG together, the best of
several turns in which both are measured. `--write` puts the table into docs/benchmarks.md.
"""

import cProfile
import os
import platform
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # one core for everybody

import matplotlib as mpl
from osteometa.figures.catalogue import NAMES
from osteometa.figures.files import drawings, files_of
from osteometa.figures.fonts import common_rules
from osteometa.figures.settings import FigureSettings
from osteometa.figures.synthesis_figures import (
    ReasonError,
    Results,
    figure_named,
)
from osteometa.protocol.config import load_config

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
START, END = "<!-- figures: begin -->", "<!-- figures: end -->"
SYNTHESIS = "bmd_lumbar_spine_training_controlled"
TURNS, TARGET = 3, 4.0
REMARK = (
    "metafor draws the 13 pooled studies; the forest plot here has more than 45 rows on three "
    "pages, and the cumulative plot two orders of 13. Most of the time goes into placing text, "
    "writing it and encoding the images."
)


def draw(folder: Path, settings: FigureSettings, name: str) -> int:
    """Draw one figure with all its pages in three formats; return the number of pages."""
    try:
        pages = figure_named(Results(folder, settings), name).pages
    except ReasonError:
        return 0
    drawn = drawings(pages)
    for kind in ("svg", "pdf", "png"):
        files_of(drawn, kind, title=name, fonts=common_rules())
    return len(pages)


def ours(folder: Path, settings: FigureSettings) -> dict[str, tuple[float, int]]:
    """Return processor seconds and pages by figure."""
    found = {}
    for name in NAMES:
        start = time.process_time()
        pages = draw(folder, settings, name)
        if pages:
            found[name] = (time.process_time() - start, pages)
    return found


def theirs(folder: Path, measure: str) -> dict[str, float]:
    """Return processor seconds by figure of metafor, the start of R left out."""
    with tempfile.TemporaryDirectory() as out:
        script = str(ROOT / "benchmarks" / "figures.R")
        command = ["Rscript", script, str(folder / "effects.csv"), measure, out]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(t) for name, t in (line.split() for line in lines.splitlines())}


def profile(folder: Path, settings: FigureSettings) -> str:
    """Return where the time of a forest plot goes, as a table."""
    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(draw, folder, settings, "forest")
    stats = pstats.Stats(profiler)
    total = stats.total_tt
    rows = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:8]
    lines = ["| function (forest, own time) | share |", "|---|---:|"]
    for (file, _, function), numbers in rows:
        where = Path(file).name if file != "~" else "built in"
        lines.append(f"| `{where}` {function.strip('<>')} | {100 * numbers[2] / total:.0f} % |")
    return "\n".join(lines)


def page(folder: Path) -> str:
    """Measure and return the section of docs/benchmarks.md."""
    config = load_config(ROOT / "config.yaml")
    settings = FigureSettings.of(config, SYNTHESIS)
    draw(folder, settings, "forest")  # fonts are read once
    turns = [(ours(folder, settings), theirs(folder, settings.measure)) for _ in range(TURNS)]
    lines = [
        START, "## Figures", "",
        f"Made by `python benchmarks/figures.py --write`: the figures of `{SYNTHESIS}` as PDF, SVG "
        f"and PNG (300 dpi), processor time of one core, the best of {TURNS} rounds in which both "
        f"are measured; Python {platform.python_version()}, matplotlib {mpl.__version__}. Imports "
        "and the start of R are not included. Further pages of a figure are drawn in all three "
        "formats too.", "",
        "| figure | pages | osteometa | per page | metafor | ratio per page |",
        "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    ratios = []
    for name in turns[0][0]:
        mine, pages = min(turn[0][name] for turn in turns)
        other = min((turn[1][name] for turn in turns if name in turn[1]), default=None)
        ratio = "" if other is None else f"{mine / pages / other:.1f}"
        ratios += [] if other is None else [mine / pages / other]
        cell = "" if other is None else f"{other:.2f} s"
        lines.append(
            f"| {name} | {pages} | {mine:.2f} s | {mine / pages:.2f} s | {cell} | {ratio} |"
        )
    whole = sum(min(turn[0][name] for turn in turns)[0] for name in turns[0][0])
    middle = sorted(ratios)[len(ratios) // 2]
    word = "met" if middle <= TARGET else "not met"
    lines += [
        "", f"All {len(turns[0][0])} figures: {whole:.1f} s. Median ratio per page {middle:.1f}; "
        f"target {TARGET:.0f}: **{word}**.", "", REMARK, "", profile(folder, settings), "", END,
    ]  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write if asked to."""
    root = Path(sys.argv[sys.argv.index("--root") + 1]) if "--root" in sys.argv else ROOT
    section = page(root / "results" / SYNTHESIS)
    print(section)
    if "--write" in sys.argv:
        old = PAGE.read_text(encoding="utf-8")
        if START in old:
            before, rest = old.split(START)
            old = before + section + rest.split(END)[1]
        else:
            old = old.rstrip() + "\n\n" + section + "\n"
        PAGE.write_text(old, encoding="utf-8")


if __name__ == "__main__":
    main()
