"""Models of the raw tables that hold what reviewers judge, count, claim and accept."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from osteometa.extraction.cell_types import Identifier, Name, NeededWhole, Remark, Row, Text, cell
from osteometa.wording.choices import ExerciseType

PrismaBox = Literal[
    "identified_databases", "identified_registers", "removed_duplicates", "removed_automation",
    "removed_other", "screened", "excluded", "sought", "not_retrieved", "assessed",
    "excluded_reports", "identified_websites", "identified_organisations",
    "identified_citations", "identified_other", "sought_other", "not_retrieved_other",
    "assessed_other", "excluded_reports_other", "included_studies", "included_reports",
]  # fmt: skip
Concern = Literal["", "not_serious", "serious", "very_serious"]
CONCERNS = ("serious", "very_serious")
DOMAINS = ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
"""Domains of GRADE, each a column of grade.csv beside its `_reason`."""


class RiskOfBias(Row):
    """One judgement of one domain, made by reviewers."""

    table: ClassVar[str] = "risk_of_bias"
    key: ClassVar[tuple[str, ...]] = ("study_id", "tool", "outcome", "domain")
    purpose: ClassVar[str] = "One row per study, tool and domain; entered by reviewers."
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    tool: Literal["rob2", "robins_i", "nhlbi_prepost"] = cell("Tool.", ...)
    outcome: Text = cell("Outcome judged; empty = all.")
    domain: Name = cell("rob2 d1-d5, robins_i d1-d7, nhlbi_prepost q1-q12, or overall.", ...)
    judgement: Name = cell("Level of the tool.", ...)
    support: Text = cell("Why.")


class Prisma(Row):
    """A count of the PRISMA 2020 flow."""

    table: ClassVar[str] = "prisma"
    key: ClassVar[tuple[str, ...]] = ("box", "reason")
    optional: ClassVar[tuple[str, ...]] = ("reason",)
    purpose: ClassVar[str] = (
        "One row per box of the PRISMA 2020 flow, and per reason of exclusion; entered by "
        "reviewers."
    )
    box: PrismaBox = cell("Box of the flow.", ...)
    reason: Text = cell("Why so many of the box were excluded; empty in the row of the whole box.")
    n: NeededWhole = cell("Number of records, reports or studies.", ..., least=0, most=1e7)


class Grade(Row):
    """Certainty of one synthesis, judged by reviewers."""

    table: ClassVar[str] = "grade"
    key: ClassVar[tuple[str, ...]] = ("synthesis",)
    optional: ClassVar[tuple[str, ...]] = tuple(
        name for domain in DOMAINS for name in (domain, f"{domain}_reason")
    )
    purpose: ClassVar[str] = "One row per synthesis; entered by reviewers."
    synthesis: Identifier = cell("Synthesis of config.yaml.", ...)
    certainty: Literal["high", "moderate", "low", "very_low"] = cell("GRADE.", ...)
    reasons: Text = cell("Why.")
    risk_of_bias: Concern = cell("Concern about risk of bias.")
    risk_of_bias_reason: Text = cell("Why; needed beside a concern.")
    inconsistency: Concern = cell("Concern about inconsistent results.")
    inconsistency_reason: Text = cell("Why; needed beside a concern.")
    indirectness: Concern = cell("Concern about indirect evidence.")
    indirectness_reason: Text = cell("Why; needed beside a concern.")
    imprecision: Concern = cell("Concern about imprecision.")
    imprecision_reason: Text = cell("Why; needed beside a concern.")
    publication_bias: Concern = cell("Concern about missing results.")
    publication_bias_reason: Text = cell("Why; needed beside a concern.")


def counts_of(rows: Iterable[Prisma]) -> dict[str, int]:
    """Return the count of each box: that of the row without a reason, else the sum of reasons."""
    rows = list(rows)
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.box] += row.n if row.reason else 0
    return {**counts, **{row.box: row.n for row in rows if not row.reason}}


class AcceptedWarning(Row):
    """A warning of `osteometa check` about a value that is right, or as the paper reports it."""

    table: ClassVar[str] = "accepted_warnings"
    key: ClassVar[tuple[str, ...]] = ("in_table", "row_key", "column", "code", "found")
    purpose: ClassVar[str] = (
        "One row per accepted warning of `osteometa check`, its cells as `osteometa check --csv` "
        "shows them. It holds while the same is found. A review may lack this table."
    )
    may_be_absent: ClassVar[bool] = True
    in_table: Name = cell("Raw table, without `.csv`.", ...)
    row_key: Name = cell("Key of the row: its parts joined by `/`.", ...)
    column: Name = cell("Column of the warning.", ...)
    code: Name = cell("Code of the warning.", ...)
    found: Text = cell("The value found, as the warning gives it.")
    reason: Name = cell("Why the value stays as it is.", ...)


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
    note: Remark = cell("Remarks for a referee.")

    @property
    def arm_keys(self) -> tuple[tuple[str, str], ...]:
        """Study and arm of each arm that the claim names."""
        parts = (name.partition("/") for name in self.arms.split())
        return tuple((study, arm) for study, _, arm in parts)


# The worse judgement first, over all tools.
WORST_FIRST = (
    "critical", "serious", "high", "poor", "no_information", "some", "moderate", "fair", "low",
    "good",
)  # fmt: skip


def risk_of_bias_of(rows: Sequence[RiskOfBias], study_id: str, outcome: str) -> str:
    """Return the worst overall judgement of a study: of the outcome, else of all; '' if none."""
    own = [row for row in rows if row.study_id == study_id and row.domain == "overall"]
    for named in (outcome, ""):
        found = [row.judgement for row in own if row.outcome == named]
        if found:
            return min(found, key=WORST_FIRST.index)
    return ""
