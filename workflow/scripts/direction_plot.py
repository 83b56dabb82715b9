"""Adapter: directions of all studies -> the effect direction plot."""

from osteometa.config import from_part
from osteometa.figures.direction_plot import draw_directions
from osteometa.files import read_records
from osteometa.jobs import job
from osteometa.records import DirectionEntry

with job(snakemake, "drawing the directions ..."):
    entries = read_records(snakemake.input.directions, DirectionEntry)
    draw_directions(entries, "results/directions", from_part(snakemake.params.choices))
