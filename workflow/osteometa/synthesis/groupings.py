"""The subgroups of effects that config.yaml compares: by exercise type and by further columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import get_args

from osteometa.extraction.tables import Arm, Study
from osteometa.protocol.config import Config
from osteometa.records.effects import Covariance, Effect, SubgroupValue
from osteometa.synthesis.effect_sets import NOT_REPORTED, EffectSet, Grouping
from osteometa.synthesis.pools import measures_of

SEVERAL = "several"
"""The group of effects of several arms that differ in the column."""
EMPTY = ("", "not_stated")
"""Cells that report nothing."""


def grouped_sets(
    effects: Sequence[Effect], config: Config, covariances: Sequence[Covariance],
    values: Sequence[SubgroupValue],
) -> Iterator[EffectSet]:  # fmt: skip
    """Yield the pooled effects of each measure by exercise type, then by each further column."""
    further = [grouping_of(by, bounds, values) for by, bounds in config.subgroups.by.items()]
    for grouping in (None, *further):
        for measure in measures_of(effects):
            yield replace(EffectSet.of(effects, measure, covariances), grouping=grouping)


def grouping_of(by: str, bounds: Sequence[float], values: Sequence[SubgroupValue]) -> Grouping:
    """Return the groups by a column; `bounds` are those between bands of numbers."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in values:
        if row.column == by:
            found[row.effect_id].add(_group(row.value, bounds))
    groups = {name: min(own) if len(own) == 1 else SEVERAL for name, own in found.items()}
    known = bands(bounds) if bounds else [*_codes(by), *sorted(set(groups.values()))]
    order = [group for group in known if group not in (*EMPTY, SEVERAL, NOT_REPORTED)]
    return Grouping(by, (*dict.fromkeys(order), SEVERAL, NOT_REPORTED), groups)


def _group(value: str, bounds: Sequence[float]) -> str:
    if value in EMPTY:
        return NOT_REPORTED
    if not bounds:
        return value
    return bands(bounds)[sum(float(value) >= bound for bound in bounds)]


def bands(bounds: Sequence[float]) -> list[str]:
    """Return the names of the bands; a bound belongs to the band above it."""
    between = [f"{low:g} to below {high:g}" for low, high in pairwise(bounds)]
    return [f"below {bounds[0]:g}", *between, f"{bounds[-1]:g} or more"]


def _codes(column: str) -> tuple[str, ...]:
    """Return the allowed codes of a column in their order; none for free text."""
    model = Study if column in Study.subgroups else Arm
    return get_args(model.model_fields[column].annotation)
