"""Adapter: the set of one synthesis and its variants -> every look at it."""

from pathlib import Path

from osteometa.config import from_part
from osteometa.explore.suite import explore
from osteometa.files import read_records, write_records
from osteometa.jobs import job
from osteometa.records import Covariance, Effect, VariantCovariance, VariantEffect
from osteometa.records_explore import RECORDS
from osteometa.sensitivity import Case

with job(snakemake, f"changing choices of {snakemake.wildcards.synthesis} ..."):
    config, given = from_part(snakemake.params.settings), snakemake.input
    case = Case(
        outcome=next(iter(config.outcomes)),
        effects=tuple(read_records(given.effects, Effect)),
        links=tuple(read_records(given.covariance, Covariance)),
        variants=tuple(read_records(given.variants, VariantEffect)),
        variant_links=tuple(read_records(given.variant_covariance, VariantCovariance)),
        config=config,
    )
    found = explore(case)
    for path in map(Path, snakemake.output):
        write_records(path, RECORDS[path.stem], getattr(found, path.stem))
