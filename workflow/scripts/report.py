"""Adapter: all tables and figures -> the report."""

from osteometa.config import from_part
from osteometa.files import write_text
from osteometa.jobs import job
from osteometa.report import render_report

with job(snakemake, "writing the report ..."):
    config = from_part(snakemake.params.choices)
    write_text(snakemake.output[0], render_report(".", config))
