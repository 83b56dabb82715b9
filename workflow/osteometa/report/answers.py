"""The first page: what is asked, and what was found for each outcome and type of exercise."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from osteometa.directions.per_study import arms_alike
from osteometa.protocol.config import Config
from osteometa.records.directions import ReportedResult
from osteometa.records.groups import grouped
from osteometa.report.findings import Findings, Review
from osteometa.report.included_studies import sign
from osteometa.report.methods import contributions
from osteometa.report.sentences import counts_of, place_words, subject
from osteometa.report.studies import NOT_ASSESSED
from osteometa.report.summary_of_findings import certainty_of
from osteometa.wording.choices import studies_words
from osteometa.wording.measure_format import unit_words
from osteometa.wording.numbers import capital, counted, joined, number_words, studies, unbroken
from osteometa.wording.syntheses import setting_words
from osteometa.wording.vocabulary import (
    OVERALL,
    Design,
    Direction,
    DirectionBasis,
    ExerciseType,
    Phase,
    SynthesisStatus,
)


class Answer(NamedTuple):
    """What was found for one outcome."""

    outcome: str
    text: str


def question(config: Config) -> str:
    """Return what the review asks."""
    kinds = joined([kind.words for kind in ExerciseType])
    return (
        f"Does exercise change {joined(list(config.outcomes), 'or')}, and does the type of "
        f"exercise matter ({kinds})?"
    )


def evidence(review: Review) -> str:
    """Return how much evidence there is, and what of its appraisal is entered."""
    tables, statuses = review.tables, [found.row.status for found in review.findings]
    included = [study.study_id for study in tables.studies if study.include == "yes"]
    judged = len({row.study_id for row in tables.risk_of_bias} & set(included))
    graded = len({row.synthesis for row in tables.grade})
    pooled = statuses.count(SynthesisStatus.POOLED)
    planned = counted(len(statuses), "planned analysis", "planned analyses")
    if not included:
        return f"No study is entered yet; {planned}."
    sized, only, _ = contributions(review)
    risk = f"{judged} of {len(included)} studies judged" if judged else NOT_ASSESSED
    certainty = f"{graded} of {len(statuses)} analyses judged" if graded else NOT_ASSESSED
    return unbroken(
        f"{studies(len(included)).capitalize()}; {planned}, "
        f"{number_words(pooled) if pooled else 'none'} of them pooled. "
        f"{sized} {'study gives' if sized == 1 else 'studies give'} an effect estimate, "
        f"{only} a direction or no significant change only. Risk of bias: {risk}. "
        f"Certainty of evidence (GRADE): {certainty}."
    )


def answers(review: Review) -> list[Answer]:
    """Return what was found, the estimates first and directions where there is none."""
    return [
        Answer(name, unbroken(" ".join(_answer(name, review)))) for name in review.config.outcomes
    ]


def _answer(outcome: str, review: Review) -> list[str]:
    parts = []
    for phase in Phase:
        found = [one for one in review.findings
                 if (one.row.outcome, one.row.phase) == (outcome, phase)]  # fmt: skip
        reported = [r for r in review.reported
                    if (r.outcome, r.phase, r.role) == (outcome, phase, "exercise")]  # fmt: skip
        before_after = _estimates([one for one in found if one.within_arm], review)
        words = [_estimates([one for one in found if not one.within_arm], review)]
        words += [f"uncontrolled, {before_after}"] if before_after else []
        words = list(filter(None, words)) or (["nothing pooled"] if reported else [])
        controlled = [r for r in reported if r.design != Design.UNCONTROLLED]
        uncontrolled = [r for r in reported if r.design == Design.UNCONTROLLED]
        words += [_counts(controlled, "controlled")] if controlled else []
        if len(uncontrolled) > len(controlled):
            words.append(_counts(uncontrolled, "uncontrolled"))
        if words:
            parts.append(f"{phase.heading}: {'; '.join(words)}.")
    return parts or ["No study."]


def _estimates(found: Sequence[Findings], review: Review) -> str:
    """Return the pooled estimates by what their intervals show."""
    verdicts: dict[str, list[str]] = {}
    for one in found:
        average = one.shown()
        if average is None or not average.pooled:
            continue
        verdict = "higher" if average.estimate.value > 0 else "lower"
        verdict = "not settled" if average.estimate.holds_null else f"{verdict} on average"
        certainty = certainty_of(one.row.synthesis, review.tables).replace("_", " ")
        scale, estimate = one.scale(), average.estimate
        measure = "" if scale.percent else f"{one.row.measure} "
        unit = f" {unit_words(scale.unit)}" if one.row.measure == "MD" else ""
        parts = [
            f"{measure}{scale.value(estimate.value)}{unit}",
            f"95 % CI {scale.limits(estimate.low, estimate.high)}",
            f"{average.row.k} studies",
            f"{certainty} certainty" if certainty else "",
        ]
        kind = place_words(one.outcome, one.synthesis.analyte, one.row.site)
        when = ", ".join(filter(None, [kind, one.when]))
        words = f"{when} ({', '.join(filter(None, parts))})"
        verdicts.setdefault(verdict, []).append(words)
    return "; ".join(f"{word}: {joined(items)}" for word, items in verdicts.items())


def _counts(reported: Sequence[ReportedResult], compared: str) -> str:
    """Return how many studies report what, of a difference between arms or of their arms."""
    by_study = grouped(reported, lambda result: result.study_id)
    counts = Counter(_direction(own) for own in by_study.values())
    words = {
        Direction.UP: "higher", Direction.DOWN: "lower", Direction.UNCHANGED: "unchanged",
        Direction.MIXED: "mixed", Direction.ZERO: "the same", Direction.NOT_TOLD: "not reported",
    }  # fmt: skip
    named = ", ".join(f"{counts[one]} {word}" for one, word in words.items() if counts[one])
    total = len(by_study)
    return f"{total} {compared} {'study' if total == 1 else 'studies'}: {named}"


def _direction(results: Sequence[ReportedResult]) -> Direction:
    known = {mark.direction for mark in arms_alike(results)} - {Direction.NOT_TOLD}
    return Direction.MIXED if len(known) > 1 else next(iter(known), Direction.NOT_TOLD)


COLUMNS = ("All types", *(kind.heading for kind in ExerciseType))
BETWEEN = DirectionBasis.BETWEEN_ARM
"""The first table has one sign for each direction: that of a difference between arms."""
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
    groups = grouped(findings, lambda one: setting_words(one.row.phase, one.row.design_class))
    return {capital(words): [_line(found) for found in own] for words, own in groups.items()}


def _line(found: Findings) -> Line:
    return Line(
        id=found.row.synthesis,
        what=subject(found),
        when=found.when,
        unit=_unit(found),
        cells=[_cell(found, group) for group in (OVERALL, *ExerciseType)],
        reason=found.row.reason if found.effects and not found.pool else "",
    )


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
    value = "" if average is None else scale.number(average.estimate.value)
    return Cell(
        # The interval of two studies is that of t with one degree of freedom.
        state=_state(average is not None and average.row.diamond == "full", k, counts),
        estimate=value,
        limits="" if average is None else scale.bracketed(*average.estimate[1:]),
        studies=studies_words(k) if value else f"{studies_words(k)}, no average" if k else "",
        directions=[Count(sign(name, BETWEEN), n, name.words) for name, n in counts.items()],
    )


def _state(shown: bool, k: int, counts: dict[Direction, int]) -> str:
    if k:
        return "pooled" if shown else "single"
    if any(not direction.unknown for direction in counts):
        return "direction"
    return "not_told" if counts else "nothing"
