"""Adapter: checked tables -> the numbers that are missing."""

from osteometa.derivation.derive import derive
from osteometa.derivation.wanted import wanted_in, wanted_rows
from osteometa.extraction.reading import read_checked
from osteometa.io.csv_records import write_records
from osteometa.protocol.config import from_part
from osteometa.records.ledger import WantedRow
from osteometa.run.jobs import job

with job(snakemake) as root:
    config = from_part(snakemake.params.choices)
    derived = derive(read_checked(root / "data/processed/checked"), config)
    write_records(snakemake.output[0], WantedRow, wanted_rows(wanted_in(derived, config), config))
