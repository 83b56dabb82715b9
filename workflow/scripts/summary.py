"""Adapter: all results -> table of syntheses and sign tests."""

from osteometa.directions.entries import secondary_entries
from osteometa.directions.p_values import albatross, direction_sets, p_combinations
from osteometa.extraction.reading import read_checked
from osteometa.io.csv_records import copy_whole, read_records, write_records
from osteometa.protocol.config import from_part
from osteometa.records.claims import ClaimRow
from osteometa.records.directions import (
    AlbatrossPoint,
    DirectionEntry,
    DirectionSet,
    PCombination,
    StudyDirection,
)
from osteometa.records.effects import Effect, WeightedEffect
from osteometa.records.pools import PooledRow, SynthesisRow, TypeContrast
from osteometa.run.jobs import job
from osteometa.run.manifest import forget_syntheses
from osteometa.synthesis.claims import Results, claim_rows
from osteometa.synthesis.sets import summary_rows

with job(snakemake) as root:
    config = from_part(snakemake.params.choices)
    names = [synthesis.id for synthesis in config.syntheses]
    home, sets = root / "results", root / "data/processed/sets"
    kept = {name for name in names if (sets / name / "effects.csv").exists()}
    pooled = {name: read_records(home / name / "pooled.csv", PooledRow) for name in kept}
    chosen = {
        name: (
            read_records(home / name / "effects.csv", WeightedEffect) if name in kept else [],
            read_records(sets / name / "directions.csv", StudyDirection),
        )
        for name in names
    }
    rows = summary_rows(config, pooled, chosen)
    write_records(snakemake.output.syntheses, SynthesisRow, rows)
    entries = read_records(root / "data/processed/directions.csv", DirectionEntry)
    tests = direction_sets(entries, config)
    write_records(snakemake.output.direction_sets, DirectionSet, tests)
    tables = read_checked(root / "data/processed/checked")
    combined = p_combinations(entries, tables, config)
    write_records(snakemake.output.p_combination, PCombination, combined)
    derived = read_records(root / "data/processed/effects.csv", Effect)
    points = albatross(entries, derived, tables, config)
    write_records(snakemake.output.albatross, AlbatrossPoint, points)
    results = Results(
        entries=[*entries, *secondary_entries(tables, config)],
        pooled=pooled,
        contrasts={n: read_records(home / n / "type_contrasts.csv", TypeContrast) for n in kept},
        effects={name: effects for name, (effects, _) in chosen.items()},
    )
    copy_whole(root / "data/processed/reported.csv", snakemake.output.reported)
    answers = claim_rows(tables.claims, results, config)
    write_records(snakemake.output.claims, ClaimRow, answers)
    forget_syntheses(kept, root)
