"""Adapter: all tables and figures -> the report."""

from osteometa.io.csv_records import write_text
from osteometa.protocol.config import from_part
from osteometa.report.page import render_report
from osteometa.run.jobs import job

with job(snakemake) as root:
    config = from_part(snakemake.params.choices)
    write_text(snakemake.output[0], render_report(root, config))
