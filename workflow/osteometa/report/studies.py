"""Who was studied: one row of words per study."""

from __future__ import annotations

from collections.abc import Sequence

from osteometa.comparisons.build import exercise_type, type_by_paper
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Arm, PublishedPool, Study, Tables
from osteometa.protocol.config import Config, Synthesis
from osteometa.wording.numbers import MINUS
from osteometa.wording.vocabulary import ExerciseType

DESIGNS = {
    "rct": "randomised", "crossover_rct": "randomised crossover", "nrct": "not randomised",
    "uncontrolled": "uncontrolled",
}  # fmt: skip
NOT_ASSESSED = "not assessed"


def study_rows(tables: Tables, config: Config) -> list[dict[str, str]]:
    """Return the characteristics of the included studies."""
    return [_row(study, tables, config) for study in tables.studies if study.include == "yes"]


def excluded_rows(tables: Tables) -> list[dict[str, str]]:
    """Return the studies that the tables hold and the review does not, with the reason."""
    return [
        {"label": study.label, "reason": study.exclude_reason}
        for study in tables.studies
        if study.include == "no"
    ]


def _row(study: Study, tables: Tables, config: Config) -> dict[str, str]:
    arms = [arm for arm in tables.arms if arm.study_id == study.study_id]
    exercise = [arm for arm in arms if arm.role == "exercise"]
    outcomes = {
        row.outcome
        for row in (*tables.measurements, *tables.contrasts, *tables.directions)
        if row.study_id == study.study_id
    }
    types = dict.fromkeys(_type_words(arm, config) for arm in exercise)
    return {
        "label": study.label,
        "doi": study.doi,
        "design": DESIGNS[study.design],
        "people": study.population
        + (f" (indirect: {study.indirect.replace('_', ' ')})" if study.indirect else ""),
        "sex": study.sex,
        "age": _age(study),
        "n": "" if study.n_enrolled is None else str(study.n_enrolled),
        "exercise": "; ".join(_arm_words(arm) for arm in exercise),
        "types": ", ".join(types),
        "comparator": "; ".join(arm.label for arm in arms if arm.role == "control")
        or "none: own baseline",
        "weeks": _weeks(exercise),
        "outcomes": ", ".join(name for name in config.outcomes if name in outcomes),
        "risk": risk_of(study.study_id, tables),
    }


def _age(study: Study) -> str:
    if study.age_mean is None:
        return ""
    spread = "" if study.age_sd is None else f" ({study.age_sd:g})"
    return f"{study.age_mean:g}{spread}"


def _type_words(arm: Arm, config: Config) -> str:
    """Return the type of an arm, and that by the other mapping where it is another."""
    first, second = exercise_type(arm, config), type_by_paper(arm, config)
    other = "" if first == second else f" ({ExerciseType(second).words} by its paper)"
    return ExerciseType(first).heading + other


def _arm_words(arm: Arm) -> str:
    return f"{arm.label} ({arm.dose})" if arm.dose else arm.label


def _weeks(exercise: Sequence[Arm]) -> str:
    weeks = sorted({arm.weeks for arm in exercise if arm.weeks is not None})
    words = [f"{number:g}" for number in weeks]
    if any(arm.phase == "acute" for arm in exercise):
        words.append("single bout")
    return ", ".join(words)


def risk_of(study_id: str, tables: Tables, outcome: str = "") -> str:
    """Return the overall judgements that people entered for a study."""
    judged = [
        f"{row.outcome + ': ' if row.outcome and not outcome else ''}"
        f"{row.judgement.replace('_', ' ')}"
        for row in tables.risk_of_bias
        if row.study_id == study_id and row.domain == "overall"
        and (not outcome or row.outcome in ("", outcome))
    ]  # fmt: skip
    return ", ".join(judged) or NOT_ASSESSED


def risk_words(studies: Sequence[str], outcome: str, tables: Tables) -> str:
    """Return how the studies of a pool were judged, or that nobody has."""
    judged = [risk_of(study, tables, outcome) for study in studies]
    found = [words for words in judged if words != NOT_ASSESSED]
    if not found:
        return NOT_ASSESSED
    counts = ", ".join(f"{found.count(words)} {words}" for words in sorted(set(found)))
    silent = len(judged) - len(found)
    return f"{counts}" + (f", {silent} {NOT_ASSESSED}" if silent else "")


def certainty_words(synthesis: str, tables: Tables) -> str:
    """Return the certainty that people entered for a synthesis, with their reasons."""
    row = next((row for row in tables.grade if row.synthesis == synthesis), None)
    if row is None:
        return NOT_ASSESSED
    return row.certainty.replace("_", " ") + (f" ({row.reasons})" if row.reasons else "")


def published_rows(synthesis: Synthesis, tables: Tables) -> list[dict[str, str]]:
    """Return what other reviews pooled of the same outcome, analyte and site, as they print it."""
    if (synthesis.phase, synthesis.design_class) != ("training", "controlled"):
        return []
    place = (synthesis.outcome, synthesis.site)
    return [
        _published(row)
        for row in tables.published_pools
        if (row.outcome, row.site) == place and row.analyte in ("", synthesis.analyte)
    ]


def _published(row: PublishedPool) -> dict[str, str]:
    level = "" if row.ci_level is None or row.ci_level == 95 else f" ({row.ci_level.text} %)"
    limits = [_printed(limit) for limit in (row.ci_low, row.ci_high)]
    return {
        "citation": row.citation,
        "subgroup": row.subgroup,
        "studies": row.studies if row.k is None else str(row.k),
        "people": row.people if row.n_total is None else str(row.n_total),
        "model": row.model,
        "measure": row.measure,
        "effect": f"{_printed(row.estimate)} ({limits[0]} to {limits[1]}){level}",
        "p": "" if row.p is None else f"{row.p_operator} {row.p.text}",
        "i2": "" if row.i2 is None else f"{row.i2.text} %",
        "source": row.source,
        "note": row.note,
    }


def _printed(number: ReportedNumber | None) -> str:
    return "not printed" if number is None else number.text.replace("-", MINUS)
