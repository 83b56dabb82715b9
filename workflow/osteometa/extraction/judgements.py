"""Models of the raw tables that hold judgements and counts of the reviewers themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar, Literal

from osteometa.extraction.cell_types import Identifier, Name, NeededWhole, Row, Text, cell

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
