"""What the papers report of every arm and comparison, before any rule of a sign test."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from osteometa.comparisons.classification import exercise_type
from osteometa.comparisons.comparison import Comparison
from osteometa.comparisons.reported_tests import CORRELATIONS, is_omnibus
from osteometa.comparisons.summaries import Cell
from osteometa.extraction.tables import Direction as DirectionRow
from osteometa.extraction.tables import Tables
from osteometa.io.csv_records import fields_of
from osteometa.numerics.distributions import t_quantile
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, ReportedResult
from osteometa.records.effects import Effect
from osteometa.records.groups import grouped
from osteometa.wording.vocabulary import Block, Design, Direction, DirectionBasis, Phase

BY_ARROW = {"up": Direction.UP, "down": Direction.DOWN, "mixed": Direction.MIXED}
NO_EFFECT: dict[str, Any] = {
    "effect_id": "", "measure": "", "estimate": None, "ci_low": None, "ci_high": None,
}  # fmt: skip
BY_SIGN = {"up": Direction.UP, "down": Direction.DOWN, "zero": Direction.ZERO}


def reported_results(
    tables: Tables, comparisons: Sequence[Comparison], entries: Sequence[DirectionEntry],
    effects: Mapping[tuple[str, ...], Effect], config: Config,
) -> list[ReportedResult]:  # fmt: skip
    """Return every reported result: of comparisons, control arms and secondary outcomes.

    `entries` has one entry per comparison, in the same order; `effects` is by key of a comparison.
    """
    found = [
        result
        for comparison, entry in zip(comparisons, entries, strict=True)
        for result in _of_comparison(comparison, entry, _shown(effects.get(comparison.key), config))
    ]
    compared = {row.key_text for one in comparisons for row in one.directions}
    rest = [row for row in tables.directions if row.key_text not in compared]
    return [*found, *_of_rows(rest, tables, config)]


def _shown(effect: Effect | None, config: Config) -> Effect | None:
    """Return an effect on the primary measure that does not rest on disputed or borrowed data."""
    if effect is None or effect.block in (Block.DISPUTED, Block.BORROWED):
        return None
    return effect if effect.measure == config.outcomes[effect.outcome].measures[0] else None


def direction_of(row: DirectionRow) -> Direction:
    """Return what a row says: the arrow, else the sign; no significant change is `unchanged`."""
    if row.arrow in BY_ARROW:
        return BY_ARROW[row.arrow]
    if row.direction in BY_SIGN:
        return BY_SIGN[row.direction]
    return Direction.UNCHANGED if row.arrow == "none" else Direction.NOT_TOLD


def _of_comparison(
    comparison: Comparison, entry: DirectionEntry, effect: Effect | None
) -> list[ReportedResult]:
    """Return the result of each basis that is stated, and of the numbers where they have none."""
    own = DirectionBasis.BETWEEN_ARM if comparison.controlled else DirectionBasis.WITHIN_ARM
    by_basis = grouped(comparison.directions, lambda row: row.basis)
    stated = {DirectionBasis(basis): rows[0] for basis, rows in sorted(by_basis.items())}
    numbers = entry.origin in ("effect", "means")
    counted = entry.direction if entry.counted else None
    shared = fields_of(entry, ReportedResult) | {"role": "exercise", "counted_as": counted}
    from_numbers = _numbers(comparison, entry, effect)
    results = [
        shared | _stated(row) | (from_numbers if basis == own else _without_numbers(row))
        for basis, row in stated.items()
    ]
    if own not in stated and (numbers or not stated):
        direction = entry.direction if numbers else Direction.NOT_TOLD
        what = {"basis": own, "direction": direction, "stated": False, "significant": ""}
        results.append(shared | what | from_numbers)
    return [ReportedResult(**result) for result in results]


def _stated(row: DirectionRow) -> dict[str, Any]:
    return {
        "basis": DirectionBasis(row.basis), "direction": direction_of(row), "stated": True,
        "significant": row.significant, "source": (row.source,) if row.source else (),
    }  # fmt: skip


def _without_numbers(row: DirectionRow) -> dict[str, Any]:
    cells = [Cell(row, name).name for name in ("arrow", "direction") if getattr(row, name)]
    return NO_EFFECT | {"p": "", "inputs": tuple(cells)}


def _numbers(
    comparison: Comparison, entry: DirectionEntry, effect: Effect | None
) -> dict[str, Any]:
    """Return the effect and the p of a comparison, with the cells behind them."""
    fits = "between" if comparison.controlled else "within"
    tests = (
        row for row in comparison.contrasts
        if row.compares == fits and row.p is not None and row.usable and not row.disputed
        and row.statistic not in CORRELATIONS and not is_omnibus(row)
    )  # fmt: skip
    test = next(tests, None)
    cells = entry.inputs if test is None else (*entry.inputs, Cell(test, "p").name)
    found = NO_EFFECT | {
        "p": "" if test is None or test.p is None else f"p {test.p_operator} {test.p.text}",
        "inputs": tuple(sorted(set(cells), key=str)),
    }
    if effect is None:
        return found
    half = t_quantile(0.975, None) * sqrt(effect.vi)
    return found | {
        "effect_id": effect.effect_id, "measure": effect.measure, "estimate": effect.yi,
        "ci_low": effect.yi - half, "ci_high": effect.yi + half,
    }  # fmt: skip


def _of_rows(rows: Sequence[DirectionRow], tables: Tables, config: Config) -> list[ReportedResult]:
    """Return what is reported of control arms and of outcomes that are not compared."""
    studies = {study.study_id: study for study in tables.studies if study.include == "yes"}
    arms = {(arm.study_id, arm.arm_id): arm for arm in tables.arms}
    found = []
    for row in rows:
        study, arm = studies.get(row.study_id), arms[(row.study_id, row.arm_id)]
        if study is None:
            continue
        acute, exercise = arm.phase == "acute", arm.role == "exercise"
        time = row.time_h if acute else row.time_wk
        found.append(
            ReportedResult(
                study_id=study.study_id, label=study.label, year=study.year,
                design=Design(study.design), arm_id=arm.arm_id, arm_label=arm.label, role=arm.role,
                exercise_type=exercise_type(arm, config) if exercise else None,
                outcome=row.outcome, analyte=row.analyte, site=row.site, phase=Phase(arm.phase),
                window=config.window_of(time, row.timepoint) if acute else "",
                timepoint=row.timepoint, time=time, report=row.report,
                population_analysed=row.population_analysed, n=None, counted_as=None,
                reason="" if exercise else "the change of a control arm",
                **_stated(row) | _without_numbers(row),
            )
        )  # fmt: skip
    return found
