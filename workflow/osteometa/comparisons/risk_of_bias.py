"""The overall judgement of a study's risk of bias, for statistics and for drawing without them."""

from __future__ import annotations

from collections.abc import Sequence

from osteometa.extraction.tables import RiskOfBias

# The worse judgement first, over all tools.
WORST_FIRST = (
    "critical", "serious", "high", "poor", "no_information", "some", "moderate", "fair", "low",
    "good",
)  # fmt: skip


def risk_of_bias_of(rows: Sequence[RiskOfBias], study_id: str, outcome: str) -> str:
    """Return the overall judgement of a study: that of the outcome, else that of all outcomes.

    Of two tools the worse one; '' where none was made.
    """
    own = [row for row in rows if row.study_id == study_id and row.domain == "overall"]
    for named in (outcome, ""):
        found = [row.judgement for row in own if row.outcome == named]
        if found:
            return min(found, key=WORST_FIRST.index)
    return ""
