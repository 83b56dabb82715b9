"""Answers to claims of another review, field by column."""

from dataclasses import dataclass
from typing import Annotated, Literal

from osteometa.io.csv_records import Joined
from osteometa.wording.vocabulary import DesignClass, ExerciseType, Phase, Verdict

Expectation = Literal["up", "down", "unchanged", "larger_than"]
Names = Annotated[tuple[str, ...], Joined(" ")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """The answer to one claim from one cell of the evidence: a row of `claims.csv`."""

    claim_id: str
    claim: str
    outcome: str
    analyte: str
    """Empty, as site and window, where all are taken together."""
    site: str
    exercise_type: ExerciseType | None
    """None where all are taken together."""
    phase: Phase
    window: str
    design_class: DesignClass
    arms: Names
    """Arms that the claim names, as `study_id/arm_id`."""
    expectation: Expectation
    than: ExerciseType | None
    planned: bool
    """Whether config.yaml plans an analysis in this cell."""
    synthesis: str = ""
    """The planned analysis whose estimate answers; empty for an answer from directions."""
    verdict: Verdict = Verdict.NO_EVIDENCE
    measure: str = ""
    k: int | None = None
    """Studies behind the estimate."""
    estimate: float | None = None
    """ROM stays on the log scale."""
    ci_low: float | None = None
    ci_high: float | None = None
    pi_low: float | None = None
    pi_high: float | None = None
    smallest_effect: float | None = None
    """By which an estimate answers a claim of no change: SD (SMD), percent (ROM) or the unit."""
    n_up: int | None = None
    """Studies, as the next; None where exercise types are compared: directions have no size."""
    n_down: int | None = None
    n_unchanged: int | None = None
    """No significant change is reported, and not its sign."""
    n_mixed: int | None = None
    n_zero: int | None = None
    n_not_told: int | None = None
    p_lowest: float | None = None
    """Of the sign test, over all ways in which the unknown directions may be distributed."""
    p_highest: float | None = None
    studies: Names = ()
    """Behind the estimate, or counted in the directions."""
    source: str
    evidence: str = ""
    """The evidence in one sentence."""
