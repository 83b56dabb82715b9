"""Adapter: checked tables -> effects, their covariances, directions, ledger."""

from osteometa.derivation.derive import derive
from osteometa.derivation.ledger import ledger_of
from osteometa.extraction.reading import read_checked
from osteometa.io.csv_records import write_records
from osteometa.protocol.config import from_part
from osteometa.records.directions import DirectionEntry
from osteometa.records.effects import Covariance, Effect
from osteometa.records.ledger import LedgerLine
from osteometa.run.jobs import job
from osteometa.run.manifest import stamp

with job(snakemake, "deriving effects and directions ...") as root:
    config = from_part(snakemake.params.choices)
    tables = read_checked(root / "data/processed/checked")
    derived = derive(tables, config)
    write_records(snakemake.output.effects, Effect, derived.effects)
    write_records(snakemake.output.covariance, Covariance, derived.covariances)
    write_records(snakemake.output.directions, DirectionEntry, derived.entries)
    write_records(snakemake.output.ledger, LedgerLine, ledger_of(tables, derived, config))
    stamp(snakemake.output.stamp, snakemake.input)
