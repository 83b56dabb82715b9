"""Adapter: the fonts of the package -> those of the common letters, for all figures."""

from osteometa.figures.fonts import common_rules
from osteometa.io.csv_records import write_text
from osteometa.run.jobs import job

with job(snakemake):
    write_text(snakemake.output[0], common_rules())
