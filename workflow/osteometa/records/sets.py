"""The sets of effects and directions: one for each question of a planned analysis."""

from __future__ import annotations

from typing import NamedTuple

from osteometa.protocol.config import Synthesis
from osteometa.records.directions import DirectionEntry
from osteometa.records.effects import Effect


class SetKey(NamedTuple):
    """What defines a planned analysis: records with the same key belong to one set."""

    outcome: str
    analyte: str
    site: str
    phase: str
    window: str
    design_class: str


def set_key(record: Effect | DirectionEntry | Synthesis) -> SetKey:
    """Return the set to which a record belongs, or that an analysis requests."""
    return SetKey(
        record.outcome, record.analyte, record.site, record.phase, record.window,
        record.design_class,
    )  # fmt: skip
