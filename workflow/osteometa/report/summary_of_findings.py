"""Summary of findings: one row per planned analysis with an effect estimate."""

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from osteometa.extraction.tables import Tables
from osteometa.records.effects import WeightedEffect
from osteometa.report.findings import Average, Findings
from osteometa.report.sentences import subject
from osteometa.report.studies import certainty_words, participants_of
from osteometa.wording.measure_format import unit_words
from osteometa.wording.numbers import signed, studies, unbroken
from osteometa.wording.syntheses import setting_words
from osteometa.wording.vocabulary import DesignClass, MeansKind

SURE = {"high": "{}s", "moderate": "probably {}s", "low": "may {}"}
"""Wording of a statement by the certainty that reviewers entered (GRADE guidance 26)."""


class Finding(NamedTuple):
    """A row of the summary of findings, as text."""

    id: str
    what: str
    setting: str
    participants: str
    k: str
    measure: str
    effect: str
    absolute: str
    prediction: str
    certainty: str
    statement: str


def summary_of_findings(findings: Sequence[Findings], tables: Tables) -> list[Finding]:
    """Return the rows of the summary of findings, in the order of config.yaml."""
    shown = [(found, found.shown()) for found in findings]
    return [_row(found, average, tables) for found, average in shown if average is not None]


def _row(found: Findings, average: Average, tables: Tables) -> Finding:
    scale, row = found.scale(), average.row
    setting = setting_words(found.row.phase, found.row.design_class)
    prediction = "not given"
    if row.pi_shown and row.pi_low is not None and row.pi_high is not None:
        prediction = scale.limits(row.pi_low, row.pi_high)
    cells = Finding(
        id=found.row.synthesis,
        what=subject(found),
        setting="; ".join(filter(None, [setting, found.when])),
        participants=participants_cell(found.pool),
        k=str(row.k),
        measure=scale.title,
        effect=scale.in_text(average.estimate, ""),
        absolute=absolute_words(found, average),
        prediction=prediction,
        certainty=certainty_words(found.row.synthesis, tables),
        statement=statement(found, average, certainty_of(found.row.synthesis, tables)),
    )
    return Finding(*(unbroken(text) for text in cells))


def participants_cell(effects: Sequence[WeightedEffect]) -> str:
    """Return the number of participants, and in how many studies it is not reported."""
    known, without = participants_of(effects)
    parts = [f"{known:,}"] if known else []
    return "; ".join([*parts, *([f"not reported in {studies(without)}"] if without else [])])


def certainty_of(synthesis: str, tables: Tables) -> str:
    """Return the level of certainty that reviewers entered; empty where they have not."""
    return next((row.certainty for row in tables.grade if row.synthesis == synthesis), "")


def statement(found: Findings, average: Average, certainty: str) -> str:
    """Return an informative statement worded by the certainty that reviewers entered, if any.

    An effect is not called large or small: no threshold of importance has been entered.
    """
    if not certainty:
        return ""
    if found.within_arm:
        return "A change within one arm is not an effect of exercise."
    what = subject(found)
    if certainty == "very_low":
        return f"The evidence is very uncertain about the effect of exercise on {what}."
    verb = "raise" if average.estimate.value > 0 else "lower"
    null = ", but the interval includes the null value" if average.estimate.holds_null else ""
    return f"Exercise {SURE[certainty].format(verb)} {what}{null}."


def absolute_words(found: Findings, average: Average) -> str:
    """Return an effect in the unit of the outcome, and the reference that translates it."""
    measure = found.row.measure
    if measure == "MD":
        return "as shown"
    if measure == "SMD":
        reference = reference_sd(found.effects, found.row.design_class)
        if reference is None:
            return "not translated: no SD of final values is reported"
        sd, unit, named = reference
        values = [value * sd for value in average.estimate]
        unit = unit_words(unit)
        return f"{_three(values)} {unit}, as 1 SD is {sd:.3g} {unit} ({named})"
    mean = found.outcome.analytes[found.synthesis.analyte].baseline_mean.get(found.row.site)
    if mean is None:
        return "no reference mean is entered"
    unit = unit_words(found.outcome.unit_of(found.synthesis.analyte))
    values = [mean * math.expm1(value) for value in average.estimate]
    return f"{_three(values)} {unit}, for a mean of {mean:g} {unit} (assumed baseline mean)"


def _three(values: Sequence[float]) -> str:
    """Return an estimate and its limits with as many decimals as show it."""
    largest = max(abs(value) for value in values)
    decimals = max(0, 1 - math.floor(math.log10(largest))) if largest > 0 else 0
    a, b, c = (signed(value, min(6, decimals)) for value in values)
    return f"{a} ({b} to {c})"


def reference_sd(
    effects: Sequence[WeightedEffect], design_class: str
) -> tuple[float, str, str] | None:
    """Return a reference SD, its unit, and whose it is; None where no SD of levels is reported.

    The SD of final values of the controls, or of the one arm; the median where several studies
    report it in the unit that most of them use.
    """
    found: dict[str, tuple[float, str, str]] = {}
    for effect in effects:
        controlled = design_class == DesignClass.CONTROLLED
        sd = effect.sd_control if controlled else effect.sd_exercise
        if effect.means_kind == MeansKind.AFTER and sd and effect.means_unit:
            found[effect.study_id] = (sd, effect.means_unit, effect.label)
    if not found:
        return None
    units = [unit for _, unit, _ in found.values()]
    unit = max(sorted(set(units)), key=units.count)
    sds = [(sd, label) for sd, of, label in found.values() if of == unit]
    named = sds[0][1] if len(sds) == 1 else f"median of {studies(len(sds))}"
    return median(sd for sd, _ in sds), unit, f"SD of final values, {named}"
