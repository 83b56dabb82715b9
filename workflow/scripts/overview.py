"""Adapter: results of all syntheses -> the figures of the whole review."""

from osteometa.figures.review_figures import draw_overview
from osteometa.run.jobs import job

with job(snakemake, "drawing the figures of the review ...") as root:
    draw_overview(root, snakemake.params.choices)
