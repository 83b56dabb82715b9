"""The raw table of claims: what another review concludes, to be answered by the evidence here."""

from __future__ import annotations

from typing import ClassVar, Literal

from osteometa.extraction.cell_types import Identifier, Name, Row, Text, cell
from osteometa.wording.choices import ExerciseType


class Claim(Row):
    """A conclusion on the direction of one outcome, with the evidence that may answer it."""

    table: ClassVar[str] = "claims"
    key: ClassVar[tuple[str, ...]] = ("claim_id",)
    purpose: ClassVar[str] = (
        "One row per conclusion of another review that the evidence is to answer."
    )
    claim_id: Identifier = cell("Short name of the claim.", ...)
    claim: Name = cell("The claim in a short sentence of your own words.", ...)
    outcome: Name = cell("Outcome of config.yaml, also a secondary one.", ...)
    analyte: Text = cell("Analyte of config.yaml; empty = any.")
    site: Text = cell("Site of config.yaml; empty = any.")
    exercise_type: Literal["", ExerciseType] = cell("Exercise type; empty = all.")
    phase: Literal["acute", "training"] = cell(
        "A single bout (acute) or a programme (training).", ...
    )
    window: Text = cell("Time window of config.yaml after a bout, or `during`; empty = any.")
    design_class: Literal["", "controlled", "within_arm"] = cell(
        "Against a comparator or within one arm; empty = against a comparator where any direction "
        "of that kind is counted, otherwise within one arm."
    )
    arms: Text = cell(
        "Exercise arms that the claim is about, each as study_id/arm_id, separated by spaces; "
        "empty = all. Such a claim is answered by their effect where there is "
        "one alone, and by directions."
    )
    expectation: Literal["up", "down", "unchanged", "larger_than"] = cell(
        "What the claim says of the outcome; larger_than: higher with `exercise_type` than with "
        "`than`.",
        ...,
    )
    than: Literal["", ExerciseType] = cell(
        "The other exercise type; needed for larger_than, else empty."
    )
    source: Name = cell("Where the claim stands: section, paragraph, table or page.", ...)
    note: Text = cell("Remarks for a referee.")

    @property
    def arm_keys(self) -> tuple[tuple[str, str], ...]:
        """Study and arm of each arm that the claim names."""
        parts = (name.partition("/") for name in self.arms.split())
        return tuple((study, arm) for study, _, arm in parts)
