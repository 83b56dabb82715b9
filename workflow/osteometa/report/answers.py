"""The first page: what is asked, and what was found for each outcome, in few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionSet
from osteometa.report.findings import Findings, Review
from osteometa.report.methods import contributions
from osteometa.report.sentences import kind_words
from osteometa.report.studies import NOT_ASSESSED
from osteometa.report.summary_of_findings import certainty_of
from osteometa.wording.numbers import counted, joined, number_words, studies, unbroken
from osteometa.wording.vocabulary import (
    DesignClass,
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
    sized, only, _ = contributions(review)
    risk = f"{judged} of {len(included)} studies judged" if judged else NOT_ASSESSED
    certainty = f"{graded} of {len(statuses)} analyses judged" if graded else NOT_ASSESSED
    return unbroken(
        f"{studies(len(included)).capitalize()}; "
        f"{counted(len(statuses), 'planned analysis', 'planned analyses')}, "
        f"{number_words(pooled)} of them pooled. {sized} studies give an effect estimate, "
        f"{only} report a direction or no significant change only. Risk of bias: {risk}. "
        f"Certainty of evidence (GRADE): {certainty}."
    )


def answers(review: Review) -> list[Answer]:
    """Return what was found, the estimates first and directions where there is none."""
    return [
        Answer(name, unbroken(" ".join(_answer(name, review)))) for name in review.config.outcomes
    ]


def _answer(outcome: str, review: Review) -> list[str]:
    found = [one for one in review.findings if one.row.outcome == outcome]
    sets = {
        (row.phase, row.design_class): row
        for row in review.direction_sets
        if row.outcome == outcome
    }
    parts = []
    for phase in Phase:
        trials = [
            one for one in found
            if one.row.phase == phase and one.row.design_class == DesignClass.CONTROLLED
        ]  # fmt: skip
        estimates = _estimates(trials, review)
        bouts = [one for one in found if one.row.phase == phase and one not in trials]
        before_after = _estimates(bouts, review)
        controlled = sets.get((phase, DesignClass.CONTROLLED))
        within = sets.get((phase, DesignClass.WITHIN_ARM))
        words = [estimates] if estimates else []
        if controlled is not None:
            words += [] if estimates or before_after else ["nothing pooled"]
            words.append(_counts(controlled, "controlled"))
        if within is not None and (controlled is None or _number(within) > _number(controlled)):
            words.append(_counts(within, "uncontrolled"))
            words += [f"uncontrolled, {before_after}"] if before_after else []
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
        parts = [
            f"{measure}{scale.value(estimate.value)}",
            f"95 % CI {scale.limits(estimate.low, estimate.high)}",
            f"{average.row.k} studies",
            f"{certainty} certainty" if certainty else "",
        ]
        words = f"{_when(one)} ({', '.join(filter(None, parts))})"
        verdicts.setdefault(verdict, []).append(words)
    return "; ".join(f"{word}: {joined(items)}" for word, items in verdicts.items())


def _when(found: Findings) -> str:
    return ", ".join(filter(None, [kind_words(found), found.when]))


def _number(row: DirectionSet) -> int:
    known = row.n_up + row.n_down + row.n_mixed + row.n_zero
    return known + row.n_unchanged + row.n_not_told


def _counts(row: DirectionSet, compared: str) -> str:
    counts = {
        "higher": row.n_up, "lower": row.n_down, "unchanged": row.n_unchanged,
        "mixed": row.n_mixed, "the same": row.n_zero, "not reported": row.n_not_told,
    }  # fmt: skip
    named = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    total = _number(row)
    return f"{total} {compared} {'study' if total == 1 else 'studies'}: {named}"
