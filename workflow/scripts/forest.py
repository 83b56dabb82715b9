"""Adapter: results of one synthesis -> its forest plot."""

from osteometa.figures.forest import draw_forest
from osteometa.jobs import job

with job(snakemake, f"drawing {snakemake.wildcards.synthesis} ..."):
    folder = f"results/{snakemake.wildcards.synthesis}"
    draw_forest(folder, f"{folder}/forest", snakemake.params.settings)
