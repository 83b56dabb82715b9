"""Adapter: results of one synthesis -> all its figures."""

from osteometa.figures.presets import resolved
from osteometa.figures.synthesis_figures import draw_all
from osteometa.run.jobs import job

with job(snakemake, f"drawing {snakemake.wildcards.synthesis} ...") as root:
    draw_all(root / "results" / snakemake.wildcards.synthesis, resolved(snakemake.params.settings))
