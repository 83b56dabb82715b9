"""Adapter: results of one synthesis -> all its figures."""

from osteometa.figures.settings import FigureSettings
from osteometa.figures.synthesis_figures import draw_all
from osteometa.run.jobs import job

with job(snakemake, f"drawing {snakemake.wildcards.synthesis} ...") as root:
    settings = FigureSettings(**snakemake.params.settings)
    draw_all(root / "results" / snakemake.wildcards.synthesis, settings)
