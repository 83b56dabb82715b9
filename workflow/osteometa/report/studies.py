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
    """A row of the table of study characteristics, as text."""

    label: str
    doi: str
    design: str
    participants: str
    sex: str
    age: str
    n: str
    exercise: str
    types: str
    comparator: str
    weeks: str
    outcomes: str
    risk: str


def study_rows(tables: Tables, config: Config) -> list[StudyRow]:
    """Return the characteristics of the included studies."""
    return [_row(study, tables, config) for study in tables.studies if study.include == "yes"]


def excluded_studies(tables: Tables) -> list[Study]:
    """Return the studies that the tables hold and the review does not."""
    return [study for study in tables.studies if study.include == "no"]


def _row(study: Study, tables: Tables, config: Config) -> StudyRow:
    arms = [arm for arm in tables.arms if arm.study_id == study.study_id]
    exercise = [arm for arm in arms if arm.role == "exercise"]
    rows = (*tables.measurements, *tables.contrasts, *tables.directions)
    outcomes = {row.outcome for row in rows if row.study_id == study.study_id}
    indirect = f" (indirect: {study.indirect.replace('_', ' ')})" if study.indirect else ""
    controls = "; ".join(arm.label for arm in arms if arm.role == "control")
    return StudyRow(
        label=study.label,
        doi=study.doi,
        design=Design(study.design).words,
        participants=study.population + indirect,
        sex=study.sex,
        age=_age(study),
        n="" if study.n_enrolled is None else str(study.n_enrolled),
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


class PublishedRow(NamedTuple):
    """A pool of another review, as reported there."""

    citation: str
    subgroup: str
    studies: str
    participants: str
    model: str
    measure: str
    effect: str
    p: str
    i2: str
    source: str
    note: str


def published_rows(found: Findings, tables: Tables) -> list[PublishedRow]:
    """Return what other reviews pooled of the same outcome, analyte and site."""
    declared = found.synthesis
    if (declared.phase, declared.design_class) != (Phase.TRAINING, DesignClass.CONTROLLED):
        return []
    place = (declared.outcome, declared.site)
    return [
        _published(row)
        for row in tables.published_pools
        if (row.outcome, row.site) == place and row.analyte in ("", declared.analyte)
    ]


def _published(row: PublishedPool) -> PublishedRow:
    level = "" if row.ci_level is None or row.ci_level == 95 else f" ({row.ci_level.text} %)"
    limits = [_reported(limit) for limit in (row.ci_low, row.ci_high)]
    return PublishedRow(
        citation=row.citation,
        subgroup=row.subgroup,
        studies=row.studies if row.k is None else str(row.k),
        participants=row.people if row.n_total is None else str(row.n_total),
        model=row.model,
        measure=row.measure,
        effect=f"{_reported(row.estimate)} ({limits[0]} to {limits[1]}){level}",
        p="" if row.p is None else f"{row.p_operator} {row.p.text}",
        i2="" if row.i2 is None else f"{row.i2.text} %",
        source=row.source,
        note=row.note,
    )


def _reported(number: ReportedNumber | None) -> str:
    return "not reported" if number is None else number.text.replace("-", MINUS)
