"""Characteristics of the studies: one row of words per study."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import PublishedPool, Tables
from osteometa.records.effects import WeightedEffect
from osteometa.report.findings import Findings
from osteometa.wording.numbers import MINUS
from osteometa.wording.vocabulary import DesignClass, Phase

NOT_ASSESSED = "not assessed"


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
    judged = Counter(risk_of(study, tables, outcome) for study in studies)
    if not judged.keys() - {NOT_ASSESSED}:
        return NOT_ASSESSED
    order = sorted(judged, key=lambda words: (words == NOT_ASSESSED, words))
    return ", ".join(f"{judged[words]} {words}" for words in order)


def participants_of(effects: Iterable[WeightedEffect]) -> tuple[int, int]:
    """Return the participants of effects, and the number of studies that do not report theirs.

    A control arm that several effects share counts once.
    """
    total = 0
    controls: dict[tuple[str, str], list[int]] = defaultdict(list)
    unknown = set()
    for effect in effects:
        if effect.n_total is None:
            unknown.add(effect.study_id)
            continue
        total += effect.n_total
        if effect.comparator and effect.n_control:
            controls[effect.study_id, effect.comparator].append(effect.n_control)
    return total - sum(sum(ns) - max(ns) for ns in controls.values()), len(unknown)


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
