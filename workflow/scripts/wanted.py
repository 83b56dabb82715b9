"""Adapter: checked tables -> the numbers that are missing."""

from osteometa.config import from_part
from osteometa.evidence import derive
from osteometa.files import write_records
from osteometa.jobs import job
from osteometa.reading import read_checked
from osteometa.records import WantedRow
from osteometa.wanted import wanted_in, wanted_rows

with job(snakemake, "looking for what is missing ..."):
    config = from_part(snakemake.params.choices)
    derived = derive(read_checked("data/processed/checked"), config)
    write_records(snakemake.output[0], WantedRow, wanted_rows(wanted_in(derived, config), config))
