"""What the tables hold of each pooled effect in the columns that may form subgroups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from osteometa.extraction.cell_types import ReportedNumber, Row
from osteometa.extraction.tables import Tables
from osteometa.records.effects import Effect, SubgroupValue

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
        for value in dict.fromkeys(_texts(rows, column))
    ]


def _texts(rows: Iterable[Row], column: str) -> Iterator[str]:
    for row in rows:
        value = getattr(row, column)
        text = value.text if isinstance(value, ReportedNumber) else str(value or "")
        yield text or EMPTY.get(column, "")
