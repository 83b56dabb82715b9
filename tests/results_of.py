"""The results of a review without Snakemake: the package's functions in the order of the rules."""

from osteometa.derivation.alternatives import split_variants, variants
from osteometa.derivation.derive import derive
from osteometa.directions.entries import direction_sets
from osteometa.directions.p_values import albatross
from osteometa.extraction.reading import write_checked
from osteometa.io.csv_records import write_records
from osteometa.protocol.config import from_part
from osteometa.protocol.dependencies import pool_settings
from osteometa.records.directions import AlbatrossPoint, DirectionEntry, DirectionSet, Vote
from osteometa.records.effects import Covariance, WeightedEffect
from osteometa.records.pools import PooledRow, SubgroupTest
from osteometa.records.sensitivity import RECORDS
from osteometa.sensitivity.analyses import explore
from osteometa.sensitivity.one_at_a_time import Case
from osteometa.synthesis.pools import pooled_rows, subgroup_tests, weighted
from osteometa.synthesis.sets import covariances_in, split
from osteometa.validation.review import check_review


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
