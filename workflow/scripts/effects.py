"""Adapter: checked tables -> effects, their covariances, directions, ledger."""

from osteometa.config import from_part
from osteometa.evidence import derive
from osteometa.files import write_records
from osteometa.jobs import job
from osteometa.ledger import ledger_of
from osteometa.manifest import stamp
from osteometa.reading import read_checked
from osteometa.records import Covariance, Effect, LedgerLine
from osteometa.records_directions import DirectionEntry

with job(snakemake, "deriving effects and directions ..."):
    config = from_part(snakemake.params.choices)
    tables = read_checked("data/processed/checked")
    derived = derive(tables, config)
    write_records(snakemake.output.effects, Effect, derived.effects)
    write_records(snakemake.output.covariance, Covariance, derived.covariances)
    write_records(snakemake.output.directions, DirectionEntry, derived.entries)
    write_records(snakemake.output.ledger, LedgerLine, ledger_of(tables, derived, config))
    stamp(snakemake.output.stamp, snakemake.input)
