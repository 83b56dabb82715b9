"""The result of one planned analysis in words."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from osteometa.extraction.tables import Tables
from osteometa.protocol.config import Outcome
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow
from osteometa.report.findings import Average, Findings
from osteometa.report.studies import certainty_words, participants_of, risk_words
from osteometa.synthesis.words import contrast_words, heterogeneity, subgroup_words
from osteometa.wording.choices import interval_words
from osteometa.wording.measure_format import MeasureFormat, estimate_of
from osteometa.wording.numbers import (
    capital,
    counted,
    joined,
    p_text,
    participants,
    sentence,
    small,
    studies,
    unbroken,
)
from osteometa.wording.syntheses import site_words, title_of
from osteometa.wording.vocabulary import (
    SHOWN_APART,
    Design,
    Direction,
    ExerciseType,
    SynthesisStatus,
    group_heading,
)

RANDOMISED = {Design.RCT, Design.CROSSOVER_RCT}


def heading(found: Findings) -> str:
    """Return the title of an analysis, as its figures have it."""
    label = found.outcome.analytes[found.synthesis.analyte].label
    named = {"site": found.row.site, "phase": found.row.phase, "when": found.when}
    return title_of(found.outcome.label, label, design_class=found.row.design_class, **named)


def place_words(outcome: Outcome, analyte: str, site: str) -> str:
    """Return the site, or else the analyte; with a site the first analyte goes without saying."""
    label = outcome.analytes[analyte].label if analyte in outcome.analytes else ""
    first = analyte == next(iter(outcome.analytes))
    return ", ".join(filter(None, [site_words(site), "" if site and first else label]))


def subject(found: Findings) -> str:
    """Return what was measured, as the subject of a sentence."""
    analytes = found.outcome.analytes
    kind = analytes[found.synthesis.analyte].label
    if found.row.site:
        first = found.synthesis.analyte == next(iter(analytes))
        return (
            f"{'' if first else f'{kind} '}{found.row.outcome} at the {site_words(found.row.site)}"
        )
    return f"{found.row.outcome} ({kind})" if " " in kind else f"{kind} {found.row.outcome}"


def counts_of(directions: Sequence[StudyDirection]) -> dict[Direction, int]:
    """Return how many studies have which direction, of those that count; none that is absent."""
    counts = Counter(study.direction for study in directions if study.counted)
    return {direction: counts[direction] for direction in Direction if counts[direction]}


def direction_words(directions: Sequence[StudyDirection]) -> str:
    """Return the same in words, and how many do not count."""
    words = [f"{number} {direction.words}" for direction, number in counts_of(directions).items()]
    left = sum(not study.counted for study in directions)
    return ", ".join([*words, *([f"{left} not counted"] if left else [])])


def participants_words(effects: Sequence[WeightedEffect]) -> str:
    """Return the number of participants behind effects, as far as it is reported."""
    known, without = participants_of(effects)
    parts = [participants(known)] if known else []
    parts += [f"{studies(without)} without a reported n"] if without else []
    return " and ".join(parts)


def synthesis_sentences(found: Findings, tables: Tables) -> list[str]:
    """Return the result of one analysis, sentence by sentence; appraisal is last."""
    judged = sorted({effect.study_id for effect in found.pool})
    risk = risk_words(judged, found.row.outcome, tables)
    certainty = certainty_words(found.row.synthesis, tables)
    appraisal = f"Risk of bias: {risk}. Certainty of evidence (GRADE): {certainty}."
    if found.row.status == SynthesisStatus.EMPTY:
        return ["No study addresses this question.", appraisal]
    main = found.average()
    if main is None:
        parts = [_no_estimate(found)]
    elif main.pooled:
        parts = _several(found, main)
    else:
        parts = [_one(found, main)]
    parts += _outside(found)
    parts += [sentence(found.row.note)] if found.row.note else []
    if found.within_arm:
        parts.append(
            "A change within one arm has no comparator and cannot show an effect of exercise."
        )
    return [unbroken(part) for part in (*parts, appraisal)]


def _no_estimate(found: Findings) -> str:
    model = found.model()
    reason = model.note if model is not None and model.k and model.note else found.row.reason
    if found.sized:
        return f"Nothing is pooled for {subject(found)}: {reason}."
    return f"There is no effect estimate for {subject(found)}: {reason}."


def _trials(found: Findings, number: int) -> str:
    trials = {effect.design for effect in found.pool} <= RANDOMISED
    return counted(number, "randomised trial") if trials else studies(number)


def _one(found: Findings, main: Average) -> str:
    effect = found.pool[0]
    who = f"{effect.label}, {ExerciseType(effect.exercise_type).words}"
    return (
        f"{_trials(found, 1).capitalize()} ({who}; {participants_words(found.pool)}) gives an "
        f"effect estimate: {subject(found)} was {size_words(found, main)}; {_verdict(main)}. "
        "A single study is not pooled."
    )


def _several(found: Findings, main: Average) -> list[str]:
    who = f"{_trials(found, main.row.k)} ({participants_words(found.pool)})"
    if found.shown() is None:
        parts = [
            f"{capital(who)} give effect estimates for {subject(found)}; as set in "
            "config.yaml, no average over all of them is shown."
        ]
    else:
        size = size_words(found, main)
        parts = [f"In {who}, {subject(found)} was on average {size}; {_verdict(main)}."]
        parts.append(_spread(found, main))
    return [*parts, *_types(found)]


def size_words(found: Findings, average: Average) -> str:
    """Return an estimate with its side, interval and unit."""
    scale, estimate = found.scale(), average.estimate
    name = {"SMD": "SMD", "ROM": "ratio of means", "MD": "mean difference"}[scale.measure]
    name = "difference" if scale.percent else name
    unit = f" {scale.unit}" if scale.measure == "MD" else ""
    limits = scale.limits(estimate.low, estimate.high)
    size = f"{name} {scale.value(estimate.value)}{unit}, 95 % CI {limits}"
    return f"{_side(estimate.value, scale, found.within_arm)} ({size})"


def _side(value: float, scale: MeasureFormat, within: bool) -> str:
    if scale.number(value) == scale.number(0):
        return "the same after as before" if within else "the same with exercise as without"
    word = "higher" if value > 0 else "lower"
    return f"{word} after exercise than before" if within else f"{word} with exercise"


def _verdict(main: Average) -> str:
    verb = "includes" if main.estimate.holds_null else "excludes"
    return f"the interval {verb} the null value"


def _spread(found: Findings, main: Average) -> str:
    scale, row = found.scale(), main.row
    if row.method == "EE":
        return "The model assumes one effect common to all studies and ignores heterogeneity."
    if row.k == 2:
        common = found.average(primary=False)
        beside = "" if common is None else (
            f" The common-effect estimate is {scale.in_text(common.estimate)}."
        )  # fmt: skip
        return f"Two studies are too few to judge heterogeneity.{beside}"
    if row.tau2 == 0:
        upper = row.tau2_ci_high
        limit = "" if upper is None else f" (95 % upper limit {small(upper)})"
        return (
            f"The between-study variance τ² is estimated as 0{limit}, which does not show that "
            "the studies agree; no prediction interval is given."
        )
    i2 = "" if row.i2 is None else f" (I² {row.i2:.0f} %)"
    if row.pi_shown and row.pi_low is not None and row.pi_high is not None:
        return (
            f"Heterogeneity between studies{i2}: the effect in a new, similar study is expected "
            f"between {scale.number(row.pi_low)} and {scale.value(row.pi_high)} (95 % prediction "
            "interval)."
        )
    return (
        f"Heterogeneity between studies{i2}; {studies(row.k)} are too few for a prediction "
        "interval."
    )


def _types(found: Findings) -> list[str]:
    kinds = found.types
    if len(kinds) == 1:
        return [f"Type of exercise in all of them: {kinds[0].words}."]
    scale, parts = found.scale(), []
    few: dict[int, list[str]] = {}
    for kind in kinds:
        average = found.shown(kind)
        if average is None or not average.pooled:
            number = sum(effect.exercise_type == kind for effect in found.pool)
            few.setdefault(number, []).append(kind.words)
            continue
        value, limits = average.estimate.value, average.estimate[1:]
        size = f"{scale.value(value)} (95 % CI {scale.limits(*limits)}; {studies(average.row.k)})"
        parts.append(f"{kind.words} {size}")
    for number, names in sorted(few.items()):
        each = " each" if len(names) > 1 else ""
        apart = ", not averaged" if number > 1 else ""
        parts.append(f"{studies(number)}{each} of {joined(names)} exercise{apart}")
    tested = [f"{subgroup_words(found.test)}."] if found.test is not None else []
    pairs = [
        contrast_words(row, scale) for row in found.contrasts
        if row.measure == found.row.measure and row.by == "exercise_type" and row.status == "ok"
    ]  # fmt: skip
    tested += [f"Differences between two types: {'; '.join(pairs)}."] if pairs else []
    return [f"By type of exercise: {'; '.join(parts)}.", *tested]


def _outside(found: Findings) -> list[str]:
    blocks = {
        block: len({e.study_id for e in found.sized if e.block == block}) for block in SHOWN_APART
    }
    apart = [f"{block.words} ({number})" for block, number in blocks.items() if number]
    parts = []
    if apart:
        parts.append(f"Studies with an effect estimate, not pooled: {', '.join(apart)}.")
    number = len(found.direction_only)
    if number:
        further = "further " if found.sized else ""
        who = counted(number, f"{further}study", f"{further}studies").capitalize()
        verb = "gives" if number == 1 else "give"
        parts.append(f"{who} {verb} no effect estimate: {direction_words(found.direction_only)}.")
    return parts


class Subgroup(NamedTuple):
    """A row of the table of further subgroups, as text."""

    column: str
    group: str
    k: int
    effect: str
    test: str
    """Of the column, in its first row."""


def subgroup_table(found: Findings) -> list[Subgroup]:
    """Return the subgroups by columns other than the exercise type, on the primary measure."""
    rows: list[Subgroup] = []
    for row in found.subgroups:
        if row.by == "exercise_type" or row.measure != found.row.measure:
            continue
        estimate, column = estimate_of(row), row.by.replace("_", " ")
        new = not rows or rows[-1].column != column
        test = p_text(row.test_p) if row.tested else row.test_note
        effect = row.note if estimate is None else found.scale().in_text(estimate, "")
        group = row.group.replace("_", " ")
        rows.append(Subgroup(column, group, row.k, effect, test if new else ""))
    return rows


class NumberRow(NamedTuple):
    """A row of the table of pooled results, and its cells as text."""

    row: PooledRow
    group: str
    measure: str
    model: str
    effect: str
    prediction: str
    heterogeneity: str


def number_row(row: PooledRow, scale: MeasureFormat) -> NumberRow:
    """Return one row of the table of pooled results as text."""
    estimate, prediction = estimate_of(row), ""
    if row.pi_low is not None and row.pi_high is not None and row.tau2:
        prediction = f"{scale.number(row.pi_low)} to {scale.number(row.pi_high)}"
    model = "common effect" if row.method == "EE" else f"random effects, {row.method}"
    missing = row.status.replace("_", " ")
    return NumberRow(
        row=row,
        group=group_heading(row.group),
        measure=f"{scale.title} ({row.measure})",
        model="single study" if row.k == 1 else f"{model}, {interval_words(row.ci_method)}",
        effect=missing if estimate is None else scale.with_interval(*estimate),
        prediction=prediction,
        heterogeneity=_heterogeneity(row),
    )


def _heterogeneity(row: PooledRow) -> str:
    if row.q is None:
        return ""
    if row.method == "EE":
        i2 = "" if row.i2 is None else f"I² = {row.i2:.0f} %; "
        return f"{i2}Q = {row.q:.2f}, df = {row.q_df}, {p_text(row.q_p)}"
    return heterogeneity(row, with_k=False)
