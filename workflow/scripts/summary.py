"""Adapter: all results -> table of syntheses and sign tests."""

from osteometa.config import from_part
from osteometa.directions import direction_sets
from osteometa.files import read_records, write_records
from osteometa.jobs import job
from osteometa.manifest import forget_syntheses
from osteometa.p_values import albatross, p_combinations
from osteometa.reading import read_checked
from osteometa.records import Effect, PooledRow, SynthesisRow, WeightedEffect
from osteometa.records_directions import (
    AlbatrossPoint,
    DirectionEntry,
    DirectionSet,
    PCombination,
    Vote,
)
from osteometa.syntheses import summary_rows

with job(snakemake, "summing up ..."):
    config = from_part(snakemake.params.choices)
    names = [synthesis.id for synthesis in config.syntheses]
    pooled = {name: read_records(f"results/{name}/pooled.csv", PooledRow) for name in names}
    sets = {
        name: (
            read_records(f"results/{name}/effects.csv", WeightedEffect),
            read_records(f"results/{name}/directions.csv", Vote),
        )
        for name in names
    }
    rows = summary_rows(config, pooled, sets)
    write_records(snakemake.output.syntheses, SynthesisRow, rows)
    entries = read_records(snakemake.input.directions, DirectionEntry)
    tests = direction_sets(entries, config)
    write_records(snakemake.output.direction_sets, DirectionSet, tests)
    tables = read_checked("data/processed/checked")
    combined = p_combinations(entries, tables, config)
    write_records(snakemake.output.p_combination, PCombination, combined)
    points = albatross(entries, read_records(snakemake.input.effects, Effect), tables, config)
    write_records(snakemake.output.albatross, AlbatrossPoint, points)
    forget_syntheses(names)
