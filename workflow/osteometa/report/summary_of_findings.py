"""Summary of findings: one row per planned analysis that knows a size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from osteometa.extraction.tables import Tables
from osteometa.protocol.config import Config
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow
from osteometa.report.findings import Findings
from osteometa.report.sentences import room_words, subject
from osteometa.report.studies import certainty_words
from osteometa.wording.numbers import counted, signed, unbroken
from osteometa.wording.syntheses import window_words

SURE = {"high": "{}s", "moderate": "probably {}s", "low": "may {}"}
"""How surely a statement may speak, by the certainty that people entered (GRADE guidance 26)."""


def summary_of_findings(
    findings: Sequence[Findings], tables: Tables, config: Config
) -> list[dict[str, str]]:
    """Return the rows of the summary of findings, in the order of config.yaml."""
    return [_row(found, tables, config) for found in findings if found.shown() is not None]


def _row(found: Findings, tables: Tables, config: Config) -> dict[str, str]:
    main, scale = found.shown(), found.scale()
    name = found.row.synthesis
    value = scale.number(main.estimate) + (" %" if scale.percent else "")
    words = {
        "id": name,
        "what": subject(found.synthesis),
        "room": "; ".join(
            [room_words(found.synthesis), *window_words(found.synthesis.window, config.windows)]
        ),
        "people": people_cell(found.pool),
        "k": str(main.k),
        "measure": scale.title,
        "effect": f"{value} ({scale.limits(main.ci_low, main.ci_high)})",
        "absolute": absolute_words(found, main, config),
        "prediction": f"{scale.limits(main.pi_low, main.pi_high)}"
        if main.pi_shown
        else "not given",
        "certainty": certainty_words(name, tables),
        "statement": statement(found, main, certainty_of(name, tables)),
    }
    return {key: unbroken(text) for key, text in words.items()}


def people_cell(effects: Sequence[WeightedEffect]) -> str:
    """Return how many people stand behind effects, and how many studies print no number."""
    known = [effect.n_total for effect in effects if effect.n_total is not None]
    silent = len(effects) - len(known)
    parts = [f"{sum(known):,}"] if known else []
    return " + ".join([*parts, *([f"{silent} without n"] if silent else [])])


def certainty_of(synthesis: str, tables: Tables) -> str:
    """Return the level of certainty that people entered; empty where they have not."""
    return next((row.certainty for row in tables.grade if row.synthesis == synthesis), "")


def statement(found: Findings, main: PooledRow, certainty: str) -> str:
    """Return an informative statement, as sure as the certainty that people entered; else none.

    Size is not judged large or small: no threshold of importance has been entered.
    """
    if not certainty:
        return ""
    if found.row.design_class == "within_arm":
        return "A change within one arm is no effect of exercise."
    what = subject(found.synthesis)
    if certainty == "very_low":
        return f"The evidence is very uncertain about the effect of exercise on {what}."
    verb = "raise" if main.estimate > 0 else "lower"
    open_end = ", but the interval leaves open whether it does"
    return f"Exercise {SURE[certainty].format(verb)} {what}{open_end if holds_null(main) else ''}."


def holds_null(main: PooledRow) -> bool:
    """Tell whether the interval holds no difference."""
    return main.ci_low <= 0 <= main.ci_high


def absolute_words(found: Findings, main: PooledRow, config: Config) -> str:
    """Return what an effect means in the unit of the outcome, and by which reference."""
    scale = found.scale()
    if scale.measure == "MD":
        return "as shown"
    if scale.measure == "SMD":
        reference = reference_sd(found.effects, found.row.design_class)
        if reference is None:
            return "no study of this analysis prints an SD of levels to translate it with"
        sd, unit, named = reference
        values = [value * sd for value in (main.estimate, main.ci_low, main.ci_high)]
        return f"{_three(values)} {unit}, where 1 SD is {sd:.3g} {unit} ({named})"
    analyte = config.analyte(found.row.outcome, found.synthesis.analyte)
    mean = analyte.baseline_mean.get(found.row.site) if analyte else None
    if mean is None:
        return "no reference mean is entered"
    values = [mean * math.expm1(value) for value in (main.estimate, main.ci_low, main.ci_high)]
    named = "baseline mean of config.yaml"
    return f"{_three(values)} g/cm², where the mean is {mean:g} g/cm² ({named})"


def _three(values: Sequence[float]) -> str:
    """Return an estimate and its limits with as many decimals as show it."""
    largest = max(abs(value) for value in values)
    decimals = max(0, 1 - math.floor(math.log10(largest))) if largest > 0 else 0
    a, b, c = (signed(value, min(6, decimals)) for value in values)
    return f"{a} ({b} to {c})"


def reference_sd(
    effects: Sequence[WeightedEffect], design_class: str
) -> tuple[float, str, str] | None:
    """Return a reference SD, its unit, and whose it is; None where no level's SD is printed.

    The SD of levels after training (or the bout) of those that did not exercise, or of the one arm;
    the median where several studies print it in the unit that most of them use.
    """
    field = "sd_control" if design_class == "controlled" else "sd_exercise"
    printed = {
        effect.study_id: (getattr(effect, field), effect.unit, effect.label)
        for effect in effects
        if effect.measure == "MD" and effect.means_kind == "after" and getattr(effect, field)
    }
    if not printed:
        return None
    units = [unit for _, unit, _ in printed.values()]
    unit = max(sorted(set(units)), key=units.count)
    sds = [(sd, label) for sd, of, label in printed.values() if of == unit]
    named = sds[0][1] if len(sds) == 1 else f"median of {counted(len(sds), 'study', 'studies')}"
    return median(sd for sd, _ in sds), unit, f"SD after, {named}"
