"""Models of the raw tables that hold judgements and counts of the reviewers themselves."""

from __future__ import annotations

from typing import ClassVar, Literal

from osteometa.extraction.cell_types import Identifier, Name, NeededWhole, Row, Text, cell

PrismaBox = Literal[
    "identified_databases", "identified_registers", "removed_duplicates", "removed_automation",
    "removed_other", "screened", "excluded", "sought", "not_retrieved", "assessed",
    "excluded_reports", "included_studies", "included_reports",
]  # fmt: skip


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
    key: ClassVar[tuple[str, ...]] = ("box",)
    purpose: ClassVar[str] = "One row per box of the PRISMA 2020 flow; entered by reviewers."
    box: PrismaBox = cell("Box of the flow.", ...)
    n: NeededWhole = cell("Number of records, reports or studies.", ..., least=0, most=1e7)


class Grade(Row):
    """Certainty of one synthesis, judged by reviewers."""

    table: ClassVar[str] = "grade"
    key: ClassVar[tuple[str, ...]] = ("synthesis",)
    purpose: ClassVar[str] = "One row per synthesis; entered by reviewers."
    synthesis: Identifier = cell("Synthesis of config.yaml.", ...)
    certainty: Literal["high", "moderate", "low", "very_low"] = cell("GRADE.", ...)
    reasons: Text = cell("Why.")
