"""Adapter: results of one synthesis -> its figures."""

from pathlib import Path

from osteometa.figures.settings import FigureSettings
from osteometa.figures.synthesis_figures import draw_all
from osteometa.run.jobs import job

with job(snakemake) as root:
    settings = FigureSettings(**snakemake.params.settings)
    fonts = Path(snakemake.input.fonts).read_text(encoding="utf-8")
    draw_all(root / "results" / snakemake.wildcards.synthesis, settings, fonts)
