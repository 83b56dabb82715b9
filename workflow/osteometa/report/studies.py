"""Characteristics of the studies: one row of words per study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from osteometa.comparisons.classification import exercise_type, type_by_paper
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Arm, PublishedPool, Study, Tables
from osteometa.protocol.config import Config
from osteometa.report.findings import Findings
from osteometa.wording.numbers import MINUS
from osteometa.wording.vocabulary import Design, DesignClass, ExerciseType, Phase

NOT_ASSESSED = "not assessed"


class StudyRow(NamedTuple):
    """A row of the table of study characteristics: a study and its characteristics in words."""

    study: Study
    design: str
    participants: str
    age: str
    exercise: str
    types: str
    comparator: str
    weeks: str
    outcomes: str
    risk: str


def study_rows(tables: Tables, config: Config) -> list[StudyRow]:
    """Return the characteristics of the included studies."""
    return [_row(study, tables, config) for study in tables.studies if study.include == "yes"]


def _row(study: Study, tables: Tables, config: Config) -> StudyRow:
    arms = [arm for arm in tables.arms if arm.study_id == study.study_id]
    exercise = [arm for arm in arms if arm.role == "exercise"]
    rows = (*tables.measurements, *tables.contrasts, *tables.directions)
    outcomes = {row.outcome for row in rows if row.study_id == study.study_id}
    indirect = f" (indirect: {study.indirect.replace('_', ' ')})" if study.indirect else ""
    controls = "; ".join(arm.label for arm in arms if arm.role == "control")
    return StudyRow(
        study=study,
        design=Design(study.design).words,
        participants=study.population + indirect,
        age=_age(study),
        exercise="; ".join(f"{a.label} ({a.dose})" if a.dose else a.label for a in exercise),
        types=", ".join(dict.fromkeys(_type_words(arm, config) for arm in exercise)),
        comparator=controls or "none (before-after)",
        weeks=_weeks(exercise),
        outcomes=", ".join(name for name in config.outcomes if name in outcomes),
        risk=risk_of(study.study_id, tables),
    )


def _age(study: Study) -> str:
    if study.age_mean is None:
        return ""
    spread = "" if study.age_sd is None else f" ({study.age_sd:g})"
    return f"{study.age_mean:g}{spread}"


def _type_words(arm: Arm, config: Config) -> str:
    """Return the type of an arm, and that by the other mapping where it differs."""
    first, second = exercise_type(arm, config), type_by_paper(arm, config)
    other = f" ({ExerciseType(second).words} according to the paper)" if first != second else ""
    return ExerciseType(first).heading + other


def _weeks(exercise: Sequence[Arm]) -> str:
    weeks = sorted({arm.weeks for arm in exercise if arm.weeks is not None})
    words = [f"{number:g}" for number in weeks]
    if any(arm.phase == Phase.ACUTE for arm in exercise):
        words.append(Phase.ACUTE.words)
    return ", ".join(words)


def risk_of(study_id: str, tables: Tables, outcome: str = "") -> str:
    """Return the overall judgements that reviewers entered for a study."""
    judged = [
        f"{row.outcome + ': ' if row.outcome and not outcome else ''}"
        f"{row.judgement.replace('_', ' ')}"
        for row in tables.risk_of_bias
        if row.study_id == study_id and row.domain == "overall"
        and (not outcome or row.outcome in ("", outcome))
    ]  # fmt: skip
    return ", ".join(judged) or NOT_ASSESSED


def risk_words(studies: Sequence[str], outcome: str, tables: Tables) -> str:
    """Return how many studies of a pool were judged how."""
    judged = [risk_of(study, tables, outcome) for study in studies]
    found = [words for words in judged if words != NOT_ASSESSED]
    if not found:
        return NOT_ASSESSED
    counts = [f"{found.count(words)} {words}" for words in sorted(set(found))]
    missing = len(judged) - len(found)
    return ", ".join([*counts, *([f"{missing} {NOT_ASSESSED}"] if missing else [])])


def certainty_words(synthesis: str, tables: Tables) -> str:
    """Return the certainty that reviewers entered for a synthesis, with their reasons."""
    row = next((row for row in tables.grade if row.synthesis == synthesis), None)
    if row is None:
        return NOT_ASSESSED
    return row.certainty.replace("_", " ") + (f" ({row.reasons})" if row.reasons else "")


def published_pools(found: Findings, tables: Tables) -> list[PublishedPool]:
    """Return what other reviews pooled of the same outcome, analyte and site."""
    declared = found.synthesis
    if (declared.phase, declared.design_class) != (Phase.TRAINING, DesignClass.CONTROLLED):
        return []
    place = (declared.outcome, declared.site)
    return [
        row
        for row in tables.published_pools
        if (row.outcome, row.site) == place and row.analyte in ("", declared.analyte)
    ]


def reported(number: ReportedNumber | None) -> str:
    """Return a number as its paper has it."""
    return "not reported" if number is None else number.text.replace("-", MINUS)
