"""Adapter: the set of one synthesis and its variants -> its pools and every look at them."""

import shutil
from pathlib import Path

from osteometa.config import from_part
from osteometa.explore.suite import explore
from osteometa.files import read_records, write_records
from osteometa.jobs import job
from osteometa.pooling import pooled_rows, subgroup_tests, weighted
from osteometa.records import (
    Covariance,
    Effect,
    PooledRow,
    SubgroupTest,
    VariantCovariance,
    VariantEffect,
    WeightedEffect,
)
from osteometa.records_explore import RECORDS
from osteometa.sensitivity import Case

given, made, name = snakemake.input, snakemake.output, snakemake.wildcards.synthesis
with job(snakemake, f"pooling {name} ..."):
    config = from_part(snakemake.params.settings)
    effects = read_records(given.effects, Effect)
    links = read_records(given.covariance, Covariance)
    write_records(made.effects, WeightedEffect, weighted(effects, config, links))
    write_records(made.pooled, PooledRow, pooled_rows(name, effects, config, links))
    write_records(made.subgroup_test, SubgroupTest, subgroup_tests(name, effects, config, links))
    shutil.copyfile(given.covariance, made.covariance)
    shutil.copyfile(given.directions, made.directions)
    case = Case(
        outcome=next(iter(config.outcomes)),
        effects=tuple(effects),
        links=tuple(links),
        variants=tuple(read_records(given.variants, VariantEffect)),
        variant_links=tuple(read_records(given.variant_covariance, VariantCovariance)),
        config=config,
    )
    found = explore(case)
    for table, record in RECORDS.items():
        write_records(Path(made.pooled).with_name(f"{table}.csv"), record, getattr(found, table))
