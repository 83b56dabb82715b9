"""The results of a review without Snakemake: the package's functions in the order of the rules."""

from osteometa.check import check_review
from osteometa.config import from_part
from osteometa.directions import direction_sets
from osteometa.evidence import derive
from osteometa.explore.suite import RECORDS, explore
from osteometa.files import write_records
from osteometa.p_values import albatross
from osteometa.pooling import pooled_rows, subgroup_tests, weighted
from osteometa.reading import write_checked
from osteometa.records import (
    AlbatrossPoint,
    Covariance,
    DirectionEntry,
    DirectionSet,
    PooledRow,
    SubgroupTest,
    Vote,
    WeightedEffect,
)
from osteometa.sensitivity import Case
from osteometa.settings import pool_settings
from osteometa.syntheses import covariances_in, split
from osteometa.variants import split_variants, variants


def write_results(review, target, cap=300):
    """Write what the figures of a review are drawn from below `target`; return its config.

    The multiverse is sampled down to `cap` specifications, so that tests stay quick.
    """
    outcome = check_review(review)
    assert outcome.passed
    tables = outcome.tables
    fewer = outcome.config.multiverse.model_copy(update={"cap": cap})
    config = outcome.config.model_copy(update={"multiverse": fewer})
    derived = derive(tables, config)
    others = split_variants(variants(tables, config), config)
    for name, (effects, votes) in split(derived.effects, derived.entries, config).items():
        links = covariances_in(effects, derived.covariances)
        folder = target / "results" / name
        write_records(folder / "effects.csv", WeightedEffect, weighted(effects, config, links))
        write_records(folder / "covariance.csv", Covariance, links)
        write_records(folder / "directions.csv", Vote, votes)
        pooled = pooled_rows(name, effects, config, links)
        write_records(folder / "pooled.csv", PooledRow, pooled)
        tests = subgroup_tests(name, effects, config, links)
        write_records(folder / "subgroup_test.csv", SubgroupTest, tests)
        chosen = from_part(pool_settings(config, name))
        case = Case(
            outcome=next(iter(chosen.outcomes)), effects=tuple(effects), links=tuple(links),
            variants=tuple(others[name].effects), variant_links=tuple(others[name].covariances),
            config=chosen,
        )  # fmt: skip
        found = explore(case)
        for table, record in RECORDS.items():
            write_records(folder / f"{table}.csv", record, getattr(found, table))
    _write_common(target, tables, derived, config)
    return config


def _write_common(target, tables, derived, config):
    tests = direction_sets(derived.entries, config)
    write_records(target / "results/direction_sets.csv", DirectionSet, tests)
    points = albatross(derived.entries, derived.effects, tables, config)
    write_records(target / "results/albatross.csv", AlbatrossPoint, points)
    write_records(target / "data/processed/directions.csv", DirectionEntry, derived.entries)
    write_checked(target / "data/processed/checked", tables)
