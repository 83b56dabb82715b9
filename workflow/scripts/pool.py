"""Adapter: the set of one synthesis -> its pooled results."""

import shutil

from osteometa.config import from_part
from osteometa.files import read_records, write_records
from osteometa.jobs import job
from osteometa.pooling import pooled_rows, subgroup_tests, weighted
from osteometa.records import Covariance, Effect, PooledRow, SubgroupTest, WeightedEffect

with job(snakemake, f"pooling {snakemake.wildcards.synthesis} ..."):
    config, name = from_part(snakemake.params.choices), snakemake.wildcards.synthesis
    effects = read_records(snakemake.input.effects, Effect)
    links = read_records(snakemake.input.covariance, Covariance)
    write_records(snakemake.output.effects, WeightedEffect, weighted(effects, config, links))
    write_records(snakemake.output.pooled, PooledRow, pooled_rows(name, effects, config, links))
    tests = subgroup_tests(name, effects, config, links)
    write_records(snakemake.output.subgroup_test, SubgroupTest, tests)
    shutil.copyfile(snakemake.input.covariance, snakemake.output.covariance)
    shutil.copyfile(snakemake.input.directions, snakemake.output.directions)
