"""Claims of another review, answered by estimates where there are any and else by directions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from osteometa.directions.p_values import direction_set
from osteometa.directions.per_study import study_directions
from osteometa.extraction.judgements import Claim
from osteometa.io.csv_records import fields_of
from osteometa.numerics.distributions import t_quantile
from osteometa.protocol.config import Config, Synthesis
from osteometa.records.claims import ClaimRow
from osteometa.records.directions import DirectionEntry
from osteometa.records.effects import Effect
from osteometa.records.pools import PooledRow, TypeContrast
from osteometa.synthesis.sets import includes
from osteometa.synthesis.words import contrast_scale, evidence_words
from osteometa.wording.choices import Measure
from osteometa.wording.measure_format import Estimate, MeasureFormat, estimate_of
from osteometa.wording.vocabulary import (
    OPPOSITE,
    OVERALL,
    DesignClass,
    Direction,
    ExerciseType,
    Phase,
    Verdict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What claims are answered from; pools, contrasts and effects by synthesis."""

    entries: Sequence[DirectionEntry]
    """Of main and secondary outcomes."""
    pooled: Mapping[str, Sequence[PooledRow]]
    contrasts: Mapping[str, Sequence[TypeContrast]]
    effects: Mapping[str, Sequence[Effect]]


@dataclass(frozen=True, slots=True)
class Found:
    """The estimate of a planned analysis that answers a claim."""

    synthesis: Synthesis
    measure: Measure
    estimate: Estimate
    """On the scale of the measure."""
    studies: tuple[str, ...]
    single: bool
    """Whether one study alone is behind it, or behind one of the types compared."""
    pi_low: float | None = None
    pi_high: float | None = None


def claim_rows(claims: Sequence[Claim], results: Results, config: Config) -> list[ClaimRow]:
    """Return the answers to all claims.

    One row for each planned analysis in the cell of a claim that has an estimate, and one for all
    directions of the cell, unless an analysis has just these. A comparison of exercise types is
    answered by estimates only; a claim on named arms by their effect, where there is one alone, and
    by directions.
    """
    return [row for claim in claims for row in _answers(claim, results, config)]


def _answers(claim: Claim, results: Results, config: Config) -> list[ClaimRow]:
    entries = [entry for entry in results.entries if _concerns(claim, entry)]
    design = _design_of(claim, entries)
    entries = [entry for entry in entries if entry.design_class == design]
    planned = [s for s in config.syntheses if s.design_class == design and _in_cell(claim, s)]
    whole = _row(claim, design, planned=bool(planned) and not claim.arms)
    rows, answered = [], False
    for found in (_estimate_in(claim, one, results, config) for one in planned):
        if found is None:
            continue
        own = [entry for entry in entries if includes(found.synthesis, entry)]
        row = _with_estimate(_with_directions(whole, own, config), found, config)
        rows.append(replace(row, verdict=verdict_of(row, single=found.single)))
        answered |= bool(claim.than) or _counted(own) == _counted(entries)
    if not answered:
        row = _with_directions(whole, entries, config)
        reported = _is_reported(claim, entries)
        rows.append(replace(row, verdict=verdict_of(row)) if reported else row)
    return [replace(row, evidence=evidence_words(row, scale_of(row, config))) for row in rows]


def _concerns(claim: Claim, entry: DirectionEntry) -> bool:
    """Return whether a direction is in the cell of a claim, whatever it is compared with."""
    own = not claim.arms or (entry.study_id, entry.arm_id) in claim.arm_keys
    return own and _in_cell(claim, entry) and _of_types(claim, entry.exercise_type)


def _in_cell(claim: Claim, record: DirectionEntry | Synthesis) -> bool:
    """Return whether outcome and phase are those of a claim, and what else it names."""
    return (
        (record.outcome, record.phase) == (claim.outcome, claim.phase)
        and claim.analyte in ("", record.analyte)
        and claim.site in ("", record.site)
        and claim.window in ("", record.window)
    )


def _of_types(claim: Claim, exercise_type: ExerciseType) -> bool:
    """Return whether a claim is about an exercise type; one without a type is about all."""
    return not claim.exercise_type or exercise_type in (claim.exercise_type, claim.than)


def _design_of(claim: Claim, entries: Sequence[DirectionEntry]) -> DesignClass:
    """Return what a claim compares: against a comparator where any such direction is counted."""
    if claim.design_class:
        return DesignClass(claim.design_class)
    classes = {entry.design_class for entry in _counted(entries)}
    within = classes == {DesignClass.WITHIN_ARM}
    return DesignClass.WITHIN_ARM if within else DesignClass.CONTROLLED


def _counted(entries: Sequence[DirectionEntry]) -> list[DirectionEntry]:
    return [entry for entry in entries if entry.counted]


def _estimate_in(
    claim: Claim, synthesis: Synthesis, results: Results, config: Config
) -> Found | None:
    """Return the estimate of a planned analysis on the primary measure, if it has one."""
    measure = config.outcomes[synthesis.outcome].measures[0]
    effects = results.effects.get(synthesis.id, ())
    if claim.arms and not claim.than:
        return _effect_of_arms(claim, synthesis, effects, measure)
    studies = _pooled_studies(claim, effects, measure)
    if claim.than:
        for contrast in results.contrasts.get(synthesis.id, ()):
            difference = _difference(claim, contrast)
            if difference is not None and contrast.measure == measure:
                single = contrast.status == "single_study"
                return Found(synthesis, measure, difference, studies, single)
        return None
    for row in results.pooled.get(synthesis.id, ()):
        estimate, group = estimate_of(row), claim.exercise_type or OVERALL
        own = row.primary and (row.measure, row.group) == (measure, group)
        if own and estimate is not None:
            return Found(synthesis, measure, estimate, studies, row.k == 1, row.pi_low, row.pi_high)
    return None


def _effect_of_arms(
    claim: Claim, synthesis: Synthesis, effects: Sequence[Effect], measure: Measure
) -> Found | None:
    """Return the effect of the arms that a claim names, where they have one alone."""
    own = [
        effect for effect in effects
        if effect.measure == measure and effect.pooled
        and all((effect.study_id, arm) in claim.arm_keys for arm in effect.arm_id.split("+"))
    ]  # fmt: skip
    if len(own) != 1:
        return None
    half = t_quantile(0.975, None) * math.sqrt(own[0].vi)
    estimate = Estimate(own[0].yi, own[0].yi - half, own[0].yi + half)
    return Found(synthesis, measure, estimate, (own[0].study_id,), single=True)


def _pooled_studies(claim: Claim, effects: Sequence[Effect], measure: Measure) -> tuple[str, ...]:
    pooled = (effect for effect in effects if effect.pooled and effect.measure == measure)
    return tuple(sorted({e.study_id for e in pooled if _of_types(claim, e.exercise_type)}))


def _difference(claim: Claim, row: TypeContrast) -> Estimate | None:
    """Return the difference of the types of a claim, the one that is to be larger first."""
    estimate = estimate_of(row)
    types = {claim.exercise_type, claim.than}
    if row.by != "exercise_type" or {row.type_a, row.type_b} != types or estimate is None:
        return None
    if row.type_a == claim.exercise_type:
        return estimate
    return Estimate(-estimate.value, -estimate.high, -estimate.low)


def _is_reported(claim: Claim, entries: Sequence[DirectionEntry]) -> bool:
    """Return whether any study reports the outcome, of both exercise types where two are compared.

    A direction that is not counted is a report too.
    """
    types = {entry.exercise_type for entry in entries}
    return {claim.exercise_type, claim.than} <= types if claim.than else bool(entries)


def _row(claim: Claim, design: DesignClass, *, planned: bool) -> ClaimRow:
    """Return the row of a claim on its whole cell, before any evidence."""
    kind, than = claim.exercise_type, claim.than
    return ClaimRow(
        claim_id=claim.claim_id, claim=claim.claim, outcome=claim.outcome, analyte=claim.analyte,
        site=claim.site, exercise_type=ExerciseType(kind) if kind else None,
        phase=Phase(claim.phase), window=claim.window, design_class=design,
        arms=tuple(claim.arms.split()), expectation=claim.expectation,
        than=ExerciseType(than) if than else None, planned=planned, source=claim.source,
    )  # fmt: skip


def _with_directions(row: ClaimRow, entries: Sequence[DirectionEntry], config: Config) -> ClaimRow:
    """Add the directions of studies and their sign test; none where exercise types are compared."""
    if row.expectation == "larger_than":
        return row
    studies = study_directions(_counted(entries), config.directions.agreement_share)
    test = direction_set((row.outcome, row.phase, row.design_class), studies)
    names = tuple(study.study_id for study in studies)
    return replace(row, **fields_of(test, ClaimRow), studies=names)


def _with_estimate(row: ClaimRow, found: Found, config: Config) -> ClaimRow:
    """Add the estimate of a planned analysis and make its cell that of the row."""
    cell, estimate = found.synthesis, found.estimate
    smallest = config.outcomes[cell.outcome].smallest_effect.get(found.measure)
    return replace(
        row, analyte=cell.analyte, site=cell.site, window=cell.window, synthesis=cell.id,
        measure=found.measure, k=len(found.studies), estimate=estimate.value,
        ci_low=estimate.low, ci_high=estimate.high, pi_low=found.pi_low, pi_high=found.pi_high,
        smallest_effect=smallest if row.expectation == "unchanged" else None,
        studies=found.studies,
    )  # fmt: skip


def scale_of(row: ClaimRow, config: Config) -> MeasureFormat | None:
    """Return how the estimate of a row is written; None where it has none."""
    if row.estimate is None:
        return None
    outcome = config.outcomes[row.outcome]
    scale = outcome.scale(row.measure, outcome.unit_of(row.analyte))
    return contrast_scale(scale) if row.than else scale


LEVEL = 0.05
"""The highest p of the sign test must be below it."""


def verdict_of(row: ClaimRow, *, single: bool = False) -> Verdict:
    """Return the verdict on a claim of a cell that some study reports, by the rules of M7.6.

    An interval must lie wholly on one side of no effect, or within the smallest effect of interest;
    a sign test must hold in whatever way the unknown directions went. Significant results are never
    counted.

    `single` states whether one study alone is behind the estimate, or behind one of the exercise
    types compared.
    """
    interval, by_directions = _interval(row), _side_of_directions(row)
    if interval is None:
        one = len(row.studies) == 1 and row.expectation != "larger_than"
        return Verdict.ONE_STUDY if one else _by_directions(row, by_directions)
    if single:
        return Verdict.ONE_STUDY
    side = _side(interval)
    if side is not None and by_directions == OPPOSITE[side]:
        return Verdict.CONFLICTING
    if row.expectation == "unchanged":
        return _no_change(interval, row.smallest_effect)
    if side is None:
        return Verdict.NOT_SETTLED
    return Verdict.SUPPORTED if side == _expected(row) else Verdict.CONTRADICTED


def _interval(row: ClaimRow) -> tuple[float, float] | None:
    """Return the interval with 0 for no effect: a ratio of means in percent."""
    estimate = estimate_of(row)
    if estimate is None:
        return None
    shown = MeasureFormat(row.measure, ratio_as="percent").shown
    return shown(estimate.low), shown(estimate.high)


def _expected(row: ClaimRow) -> Direction:
    return Direction.DOWN if row.expectation == "down" else Direction.UP


def _side(interval: tuple[float, float], bound: float = 0) -> Direction | None:
    """Return whether an interval lies wholly above `bound` or below its negative."""
    low, high = interval
    return Direction.UP if low > bound else Direction.DOWN if high < -bound else None


def _no_change(interval: tuple[float, float], smallest: float | None) -> Verdict:
    """Return whether an interval lies within the smallest effect of interest, or beyond it."""
    if smallest is None:
        return Verdict.NOT_SETTLED
    if -smallest < interval[0] and interval[1] < smallest:
        return Verdict.SUPPORTED
    return Verdict.CONTRADICTED if _side(interval, smallest) else Verdict.NOT_SETTLED


def _side_of_directions(row: ClaimRow) -> Direction | None:
    """Return the side on which the sign test holds in whatever way the unknown ones went."""
    if row.n_up is None or row.n_down is None or row.p_highest is None or row.p_highest >= LEVEL:
        return None
    return Direction.UP if row.n_up > row.n_down else Direction.DOWN


def _by_directions(row: ClaimRow, side: Direction | None) -> Verdict:
    """Return the verdict where there is no estimate; directions never show that nothing changed."""
    if row.expectation == "larger_than":
        return Verdict.NOT_SETTLED
    if side is None or row.expectation == "unchanged":
        return Verdict.NOT_SETTLED_BY_DIRECTIONS
    held = side == _expected(row)
    return Verdict.SUPPORTED_BY_DIRECTIONS if held else Verdict.CONTRADICTED_BY_DIRECTIONS
