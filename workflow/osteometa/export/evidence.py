"""Summary of findings and GRADE evidence as tables; GRADE by domain, as reviewers entered it.

Beside the domains inconsistency and imprecision stand the facts of the record on which a judgement
may rest. No judgement is made from them (GRADE guidelines 6 and 7, Guyatt 2011).
"""

from collections.abc import Sequence

from osteometa.extraction.judgements import DOMAINS, Grade
from osteometa.extraction.tables import Tables
from osteometa.protocol.config import Outcome
from osteometa.report.findings import Average, Findings
from osteometa.report.methods import SMALLEST_UNIT
from osteometa.report.studies import NOT_ASSESSED
from osteometa.report.summary_of_findings import participants_cell, summary_of_findings
from osteometa.report.table_files import Table
from osteometa.wording.measure_format import MeasureFormat
from osteometa.wording.numbers import MINUS, capital, small, studies

FINDINGS_NOTE = (
    "Analyses with an effect estimate, in the order in which they were planned. CI: confidence "
    "interval. The certainty of evidence is entered by reviewers; without it, no statement is made."
)
GRADE_NOTE = (
    "Judgements of each domain are entered by reviewers (grade.csv); “Facts” are what the "
    "results say, from which no judgement is made. I²: share of the variability between studies "
    "that sampling error does not explain; τ²: between-study variance (of a ratio: of logarithms)."
)


def findings_table(findings: Sequence[Findings], tables: Tables) -> Table:
    """Return the summary of findings in words."""
    rows = summary_of_findings(findings, tables)
    return Table(
        title="Summary of findings",
        heads=(
            "Outcome", "Studies", "Participants", "Effect (95 % CI)", "In units of the outcome",
            "95 % prediction interval", "Certainty",
        ),
        widths=(12, 4, 6, 11, 13, 8, 12),
        rows=tuple(
            (capital(row.setting), (
                row.what, row.k, row.participants, f"{row.effect}, {row.measure}", row.absolute,
                row.prediction, ". ".join(filter(None, [row.certainty, row.statement])),
            ))
            for row in rows
        ),
        note=FINDINGS_NOTE,
    )  # fmt: skip


def grade_table(findings: Sequence[Findings], tables: Tables) -> Table:
    """Return the domains of GRADE of each analysis with an effect estimate."""
    entered = {row.synthesis: row for row in tables.grade}
    shown = [(found, found.shown()) for found in findings]
    named = {row.id: row for row in summary_of_findings(findings, tables)}
    rows = []
    for found, average in shown:
        if average is None:
            continue
        row, grade = named[found.row.synthesis], entered.get(found.row.synthesis)
        facts = {
            "inconsistency": inconsistency_facts(found, average),
            "imprecision": imprecision_facts(found, average),
        }
        cells = [_domain(grade, domain, facts.get(domain, "")) for domain in DOMAINS]
        heading = capital(row.setting)
        rows.append((heading, (row.what, row.effect, *cells, row.certainty)))
    domains = [domain.replace("_", " ").capitalize() for domain in DOMAINS]
    return Table(
        title="Certainty of evidence by domain (GRADE)",
        heads=("Outcome", "Effect (95 % CI)", *domains, "Certainty"),
        widths=(8, 8, 6, 13, 7, 14, 7, 7),
        rows=tuple(rows),
        note=GRADE_NOTE,
    )


def _domain(grade: Grade | None, domain: str, facts: str) -> str:
    judged = getattr(grade, domain) if grade else ""
    reason = getattr(grade, f"{domain}_reason") if grade else ""
    words = ": ".join(filter(None, [judged.replace("_", " ") or NOT_ASSESSED, reason]))
    return f"{words}.\nFacts: {facts}." if facts else words


def imprecision_facts(found: Findings, average: Average) -> str:
    """Return number of studies and participants, and what the interval includes."""
    scale, row = found.scale(), average.row
    limits = scale.limits(average.estimate.low, average.estimate.high)
    null = "includes" if average.estimate.holds_null else "does not include"
    facts = [
        studies(row.k),
        f"participants: {participants_cell(found.pool)}",
        f"95 % CI {limits} {null} the null value",
        _smallest(found.outcome, scale, average),
    ]
    return "; ".join(facts)


def _smallest(outcome: Outcome, scale: MeasureFormat, average: Average) -> str:
    """Return whether an interval reaches the smallest effect of interest, on each side."""
    smallest = outcome.smallest_effect.get(outcome.measures[0])
    if smallest is None:
        return "no smallest effect of interest is set"
    # With 0 for no effect: a ratio of means in percent.
    percent = MeasureFormat(average.row.measure, ratio_as="percent")
    low, high = percent.shown(average.estimate.low), percent.shown(average.estimate.high)
    unit = SMALLEST_UNIT.get(average.row.measure, scale.unit)
    sides = [
        f"{sign}{smallest:g} {unit} {'included' if low <= value <= high else 'not included'}"
        for sign, value in (("+", smallest), (MINUS, -smallest))
    ]
    return f"smallest effect of interest: {', '.join(sides)}"


def inconsistency_facts(found: Findings, average: Average) -> str:
    """Return heterogeneity, prediction interval and the directions of the pooled effects."""
    row, scale = average.row, found.scale()
    if row.k == 1:
        return "one study"
    above = sum(effect.yi > 0 for effect in found.pool)
    below = sum(effect.yi < 0 for effect in found.pool)
    facts = [] if row.i2 is None else [f"I² = {row.i2:.0f} %"]
    facts += [] if row.tau2 is None else [f"τ² = {small(row.tau2)}"]
    if row.pi_shown and row.pi_low is not None and row.pi_high is not None:
        facts.append(f"95 % prediction interval {scale.limits(row.pi_low, row.pi_high)}")
    else:
        facts.append("prediction interval not given")
    return "; ".join([*facts, f"effects: {above} higher, {below} lower"])
