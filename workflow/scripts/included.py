"""Adapter: checked tables and reported results -> the table of included studies."""

from osteometa.extraction.reading import read_checked
from osteometa.io.csv_records import read_records
from osteometa.protocol.config import from_part
from osteometa.records.directions import ReportedResult
from osteometa.report.included_studies import included_studies, included_table
from osteometa.report.table_files import write_table
from osteometa.run.jobs import job

with job(snakemake) as root:
    config = from_part(snakemake.params.choices)
    reported = read_records(root / "data/processed/reported.csv", ReportedResult)
    studies = included_studies(read_checked(root / "data/processed/checked"), reported, config)
    write_table(included_table(studies, config), root / "results/included_studies")
