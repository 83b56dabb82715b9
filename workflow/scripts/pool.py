"""Adapter: the set of one synthesis with its alternatives -> its pools and sensitivity analyses."""

from pathlib import Path

from osteometa.io.csv_records import copy_whole, read_records, write_records
from osteometa.protocol.config import from_part
from osteometa.records.effects import (
    AlternativeCovariance,
    AlternativeEffect,
    Covariance,
    Effect,
    SubgroupValue,
    WeightedEffect,
)
from osteometa.records.pools import PooledRow, SubgroupRow, SubgroupTest, TypeContrast
from osteometa.records.sensitivity import RECORDS
from osteometa.run.jobs import job
from osteometa.sensitivity.analyses import sensitivity_tables
from osteometa.synthesis.effect_sets import SynthesisData
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.subgroup_tests import subgroup_rows, subgroup_tests, type_contrasts

given, made, name = snakemake.input, snakemake.output, snakemake.wildcards.synthesis
with job(snakemake):
    config = from_part(snakemake.params.settings)
    effects = read_records(given.effects, Effect)
    links = read_records(given.covariance, Covariance)
    write_records(made.effects, WeightedEffect, weighted(effects, config, links))
    write_records(made.pooled, PooledRow, pooled_rows(name, effects, config, links))
    write_records(made.subgroup_test, SubgroupTest, subgroup_tests(name, effects, config, links))
    by = (effects, config, links, read_records(given.subgroup_values, SubgroupValue))
    write_records(made.subgroups, SubgroupRow, subgroup_rows(*by))
    write_records(made.type_contrasts, TypeContrast, type_contrasts(*by))
    copy_whole(given.covariance, made.covariance)
    copy_whole(given.directions, made.directions)
    data = SynthesisData(
        outcome=next(iter(config.outcomes)),
        effects=tuple(effects),
        covariances=tuple(links),
        alternatives=tuple(read_records(given.alternatives, AlternativeEffect)),
        alternative_covariances=tuple(
            read_records(given.alternative_covariance, AlternativeCovariance)
        ),
        config=config,
    )
    found = sensitivity_tables(data)
    for table, record in RECORDS.items():
        write_records(Path(made.pooled).with_name(f"{table}.csv"), record, getattr(found, table))
