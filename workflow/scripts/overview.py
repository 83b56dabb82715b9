"""Adapter: results of all syntheses -> the figures of the whole review."""

from pathlib import Path

from osteometa.figures.review_figures import draw_overview
from osteometa.protocol.config import from_part
from osteometa.run.jobs import job

with job(snakemake) as root:
    fonts = Path(snakemake.input.fonts).read_text(encoding="utf-8")
    draw_overview(root, from_part(snakemake.params.choices), fonts)
