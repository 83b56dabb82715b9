"""From checked tables to all derived tables: the whole review, and one set per synthesis."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from osteometa.derivation.alternatives import Alternatives, alternatives, split_alternatives
from osteometa.derivation.derive import Derived, derive
from osteometa.derivation.ledger import ledger_of
from osteometa.extraction.reading import write_checked
from osteometa.extraction.tables import Tables
from osteometa.io.csv_records import write_records
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, ReportedResult, StudyDirection
from osteometa.records.effects import (
    AlternativeCovariance,
    AlternativeEffect,
    Covariance,
    Effect,
    SubgroupValue,
)
from osteometa.records.ledger import LedgerLine
from osteometa.synthesis.sets import covariances_in, split


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a review's tables give."""

    tables: Tables
    derived: Derived
    ledger: tuple[LedgerLine, ...]
    sets: Mapping[str, tuple[list[Effect], list[StudyDirection]]]
    """Effects and directions of each synthesis, by id."""
    alternatives: Mapping[str, Alternatives]
    """The same under alternative choices."""


def extract(tables: Tables, config: Config) -> Extraction:
    """Derive everything from tables without problems."""
    derived = derive(tables, config)
    return Extraction(
        tables, derived, tuple(ledger_of(tables, derived, config)),
        split(derived.effects, derived.entries, config),
        split_alternatives(alternatives(tables, config), config),
    )  # fmt: skip


def write_extraction(found: Extraction, root: Path) -> None:
    """Write all derived tables; of a set without an effect only its directions."""
    folder = root / "data/processed"
    derived = found.derived
    write_checked(folder / "checked", found.tables)
    write_records(folder / "effects.csv", Effect, derived.effects)
    write_records(folder / "covariance.csv", Covariance, derived.covariances)
    write_records(folder / "directions.csv", DirectionEntry, derived.entries)
    write_records(folder / "ledger.csv", LedgerLine, found.ledger)
    write_records(folder / "reported.csv", ReportedResult, derived.reported)
    for name, (effects, directions) in found.sets.items():
        home = folder / "sets" / name
        write_records(home / "directions.csv", StudyDirection, directions)
        if not effects:
            continue
        write_records(home / "effects.csv", Effect, effects)
        values = subgroup_values(effects, found.tables)
        write_records(home / "subgroup_values.csv", SubgroupValue, values)
        links = covariances_in(effects, derived.covariances)
        write_records(home / "covariance.csv", Covariance, links)
        other = found.alternatives[name]
        write_records(home / "alternatives.csv", AlternativeEffect, other.effects)
        write_records(home / "alternative_covariance.csv", AlternativeCovariance, other.covariances)


EMPTY = {"indirect": "none"}
"""Columns in which an empty cell is a value: no condition affecting bone."""


def subgroup_values(effects: Iterable[Effect], tables: Tables) -> list[SubgroupValue]:
    """Return the values of the study and of all exercise arms of each pooled effect."""
    studies = {study.study_id: study for study in tables.studies}
    arms = {(arm.study_id, arm.arm_id): arm for arm in tables.arms}
    return [
        SubgroupValue(effect_id=effect.effect_id, column=column, value=value)
        for effect in effects
        if effect.pooled
        for rows in (
            [studies[effect.study_id]],
            [arms[effect.study_id, name] for name in effect.arm_id.split("+")],
        )
        for column in rows[0].subgroups
        for value in dict.fromkeys(row.text_of(column) or EMPTY.get(column, "") for row in rows)
    ]
