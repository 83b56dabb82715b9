"""What a run would find, without writing it: all but sensitivity analyses and figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from osteometa.derivation.derive import derive
from osteometa.derivation.ledger import ledger_of
from osteometa.derivation.subgroup_values import subgroup_values
from osteometa.directions.entries import secondary_entries
from osteometa.directions.sign_test import direction_sets
from osteometa.extraction.tables import Tables
from osteometa.io.csv_records import read_records, write_records
from osteometa.protocol.config import Config, from_part
from osteometa.protocol.dependencies import pool_settings
from osteometa.records.effects import Covariance, Effect, SubgroupValue, WeightedEffect
from osteometa.records.pools import PooledRow, SynthesisRow, TypeContrast
from osteometa.report.findings import Findings, Review
from osteometa.report.snapshot import snapshot_of
from osteometa.run.changes import Snapshot
from osteometa.synthesis.claims import Results, claim_rows
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import covariances_in, split, summary_rows
from osteometa.synthesis.subgroup_tests import subgroup_tests, type_contrasts
from osteometa.wording.syntheses import window_words

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class _Pooled:
    effects: Sequence[WeightedEffect] = ()
    pooled: Sequence[PooledRow] = ()
    contrasts: Sequence[TypeContrast] = ()
    tests: tuple = ()


def snapshot_in_memory(tables: Tables, config: Config) -> Snapshot:
    """Return the state that a run on these tables and settings would reach."""
    derived = derive(tables, config)
    sets = split(derived.effects, derived.entries, config)
    pooled = {
        name: _pool(name, effects, _written(covariances_in(effects, derived.covariances),
                    Covariance), tables, config)
        for name, (effects, _) in sets.items() if effects
    }  # fmt: skip
    pools = {name: found.pooled for name, found in pooled.items()}
    chosen = {name: (pooled.get(name, _Pooled()).effects, sets[name][1]) for name in sets}
    results = Results(
        entries=[*derived.entries, *secondary_entries(tables, config)], pooled=pools,
        contrasts={name: found.contrasts for name, found in pooled.items()},
        effects={name: effects for name, (effects, _) in chosen.items()},
    )  # fmt: skip
    rows = summary_rows(config, pools, chosen)
    review = Review(
        root=Path(), config=config, tables=tables,
        findings=tuple(
            _findings(row, pooled.get(row.synthesis, _Pooled()), chosen[row.synthesis][1], config)
            for row in rows
        ),
        claims=tuple(claim_rows(tables.claims, results, config)), reported=derived.reported,
        direction_sets=tuple(direction_sets(derived.entries, config)),
        ledger=tuple(ledger_of(tables, derived, config)), figures=(), p_combinations=(),
        missing=(), agreement=(), warnings=(),
    )  # fmt: skip
    return snapshot_of(review, derived.effects)


def _pool(
    name: str, effects: Sequence[Effect], links: list[Covariance], tables: Tables, config: Config
) -> _Pooled:
    """Return the pools of one analysis, as the job of the workflow makes them."""
    own = from_part(pool_settings(config, name))
    values = _written(subgroup_values(effects, tables), SubgroupValue)
    read = _written(effects, Effect)
    return _Pooled(
        _written(weighted(read, own, links), WeightedEffect),
        _written(pooled_rows(name, read, own, links), PooledRow),
        _written(type_contrasts(read, own, links, values), TypeContrast),
        tuple(subgroup_tests(name, read, own, links)),
    )


def _written(rows: Iterable[Record], record: type[Record]) -> list[Record]:
    """Return records as they are read after they were written: with twelve digits."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.csv")
        write_records(path, record, rows)
        return list(read_records(path, record))


def _findings(row: SynthesisRow, found: _Pooled, directions: Sequence, config: Config) -> Findings:
    synthesis = next(one for one in config.syntheses if one.id == row.synthesis)
    return Findings(
        synthesis=synthesis, outcome=config.outcomes[synthesis.outcome],
        when=", ".join(window_words(synthesis.window, config.windows)), row=row,
        directions=tuple(directions), effects=tuple(found.effects), pooled=tuple(found.pooled),
        tests=found.tests, contrasts=tuple(found.contrasts),
    )  # fmt: skip
