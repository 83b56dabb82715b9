"""Adapter: the set of one synthesis and its variants -> what happens when a choice changes."""

from osteometa.config import from_part
from osteometa.files import read_records, write_records
from osteometa.jobs import job
from osteometa.records import Covariance, Effect, VariantCovariance, VariantEffect
from osteometa.records_explore import SensitivityRow
from osteometa.sensitivity import Case, sensitivity_rows

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
    write_records(snakemake.output.sensitivity, SensitivityRow, sensitivity_rows(case))
