"""The first screen: estimates and directions by outcome, phase and type of exercise."""

from collections.abc import Sequence
from typing import NamedTuple

from osteometa.report.findings import Findings
from osteometa.report.sentences import counts_of, subject
from osteometa.wording.syntheses import setting_words
from osteometa.wording.vocabulary import OVERALL, Direction, ExerciseType

COLUMNS = ("All types", *(kind.heading for kind in ExerciseType))
SIGNS = {
    Direction.UP: "▲", Direction.DOWN: "▼", Direction.MIXED: "◆", Direction.ZERO: "=",
    Direction.UNCHANGED: "↔", Direction.NOT_TOLD: "?",
}  # fmt: skip
UNITS = {"SMD": "standard deviations", "ROM": "ratio of means"}


class Count(NamedTuple):
    """How many studies have one direction."""

    sign: str
    number: int
    words: str


class Cell(NamedTuple):
    """Estimate and directions of one type of exercise."""

    state: str
    """pooled, single, direction, unknown or nothing: the class of the cell."""
    estimate: str
    limits: str
    studies: str
    directions: list[Count]


class Line(NamedTuple):
    """One planned analysis."""

    id: str
    what: str
    when: str
    unit: str
    cells: list[Cell]
    reason: str
    """Why none of its effects is pooled; empty where one is, and without an effect."""


def glance(findings: Sequence[Findings]) -> dict[str, list[Line]]:
    """Return the rows of the first table, grouped by phase and design class."""
    groups: dict[str, list[Line]] = {}
    for found in findings:
        line = Line(
            id=found.row.synthesis,
            what=subject(found),
            when=found.when,
            unit=_unit(found),
            cells=[_cell(found, group) for group in (OVERALL, *ExerciseType)],
            reason=found.row.reason if found.effects and not found.pool else "",
        )
        words = setting_words(found.row.phase, found.row.design_class)
        groups.setdefault(words[0].upper() + words[1:], []).append(line)
    return groups


def _unit(found: Findings) -> str:
    if not found.pool:
        return ""
    scale = found.scale()
    return "%" if scale.percent else UNITS.get(scale.measure, scale.unit)


def _cell(found: Findings, group: str) -> Cell:
    overall = group == OVERALL
    counts = counts_of([s for s in found.directions if overall or s.exercise_type == (group,)])
    k = len({e.study_id for e in found.pool if overall or e.exercise_type == group})
    average, scale = found.shown(group), found.scale()
    value, limits = "", ""
    if average is not None:
        value = scale.number(average.estimate.value)
        limits = f"({scale.number(average.estimate.low)} to {scale.number(average.estimate.high)})"
    studies = f"{k} {'study' if k == 1 else 'studies'}"
    return Cell(
        # The interval of two studies is that of t with one degree of freedom.
        state=_state(average is not None and average.row.diamond == "full", k, counts),
        estimate=value,
        limits=limits,
        studies=studies if value else (f"{studies}, no average" if k else ""),
        directions=[Count(SIGNS[name], n, name.words) for name, n in counts.items()],
    )


def _state(shown: bool, k: int, counts: dict[Direction, int]) -> str:
    if k:
        return "pooled" if shown else "single"
    if any(not direction.unknown for direction in counts):
        return "direction"
    return "not_told" if counts else "nothing"
