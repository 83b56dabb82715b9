"""The report as a line: results are read once, become chapters, and fill the template."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from osteometa.comparisons.summaries import Cell
from osteometa.derivation.derive import derive
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Tables
from osteometa.io.csv_records import read_records
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionSet
from osteometa.records.effects import CellName, Effect
from osteometa.records.groups import grouped
from osteometa.records.ledger import WantedRow
from osteometa.report.analyses import Chapter, Figure, chapter, read_figures
from osteometa.report.answers import COLUMNS, answers, evidence, glance, question
from osteometa.report.claims import answered_claims
from osteometa.report.exercise_types import moved_arms
from osteometa.report.explore import CHOICES
from osteometa.report.findings import Review, read_review
from osteometa.report.included_studies import NOTE, included_studies, included_table
from osteometa.report.inline_figures import further_fonts
from osteometa.report.methods import methods_sentences, software_versions
from osteometa.report.sentences import subject
from osteometa.report.snapshot import snapshot_of
from osteometa.report.studies import reported
from osteometa.report.summary_of_findings import summary_of_findings
from osteometa.report.table_files import FOLDER, environment
from osteometa.run.changes import PARTS, Change, changes, words
from osteometa.run.manifest import checked_tables
from osteometa.run.remembered import EARLIER, recalled
from osteometa.synthesis.words import set_words
from osteometa.wording.numbers import p_number, unbroken

SCRIPTS = ("report.js", "pool.js", "explore.js")


def render_report(root: str | Path, config: Config) -> str:
    """Return the report of a run as one page that needs nothing beside it."""
    review = read_review(Path(root), config)
    chapters = [chapter(found, review.root, review.tables, config) for found in review.findings]
    overview = read_figures(review.figures, review.root / "results" / "figures", "review")
    templates = environment()
    filters = (
        anchor, filled, p_number, p_range, reported, share_known, share_range,
        unbroken, words,
    )  # fmt: skip
    templates.filters.update({function.__name__: function for function in filters})
    template = templates.get_template("report.html.j2")
    return template.render(**_content(review, chapters, overview))


def _content(review: Review, chapters: list[Chapter], overview: list[Figure]) -> dict[str, object]:
    """Return what the template shows, by the names that it uses."""
    config, tables, findings = review.config, review.tables, review.findings
    versions = software_versions()
    return {
        "title": config.title,
        "css": _css(review.root, chapters, overview),
        "scripts": [(FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS],
        "choices": CHOICES,
        "columns": COLUMNS,
        "formats": config.figures.formats,
        "overview": {figure.row.figure: figure for figure in overview},
        "glance": glance(findings),
        "question": question(config),
        "evidence": evidence(review),
        "claims": answered_claims(review.claims, review.reported, config),
        "outcomes": _outcomes(review, chapters),
        "described": {one.id for one in chapters if one.described},
        "chapters": [one for one in chapters if one.effects],
        "direction_sets": review.direction_sets,
        "p_sets": review.p_combinations,
        "labels": review.labels,
        "summary": summary_of_findings(findings, tables),
        "moved_arms": moved_arms(tables, config),
        "methods": unbroken(" ".join(methods_sentences(review, versions))),
        "signs": NOTE,
        "included": included_table(included_studies(tables, review.reported, config), config),
        "excluded": [study for study in tables.studies if study.include == "no"],
        "agreement": review.agreement,
        "warnings": review.warnings,
        "missing": alternatives(review.missing),
        "subjects": {found.row.synthesis: subject(found) for found in findings},
        "ledger": review.ledger,
        "raw_rows": used_rows(tables, review.effects),
        "statuses": Counter(line.status for line in review.ledger),
        "risk_of_bias": tables.risk_of_bias,
        "prisma": tables.prisma,
        "versions": versions,
        "inputs": checked_tables(review.root),
        "worked": _worked(review),
        "changes": _changes(review),
        "parts": PARTS,
    }


def _worked(review: Review) -> dict[str, list[str]]:
    """Return the formula of each effect, each equation with its numbers and result."""
    found = derive(review.tables, review.config).estimates()
    return {name: list(estimate.worked.texts()) for name, estimate in found.items()}


def _changes(review: Review) -> list[Change]:
    """Return what differs from the earlier run; nothing where none is remembered."""
    earlier = recalled(review.root / EARLIER)
    if earlier is None:
        return []
    effects = read_records(review.root / "data/processed/effects.csv", Effect)
    return list(changes(earlier, snapshot_of(review, effects)))


class OutcomeChapter(NamedTuple):
    """What the report says of one outcome."""

    name: str
    label: str
    answer: str
    directions: list[str]
    """Sign tests, a line each."""
    chapters: list[Chapter]
    """Analyses with an effect estimate."""


def _outcomes(review: Review, chapters: list[Chapter]) -> list[OutcomeChapter]:
    return [
        OutcomeChapter(
            name=answer.outcome, label=review.config.outcomes[answer.outcome].label,
            answer=answer.text,
            directions=[
                unbroken(set_words(row)) for row in review.direction_sets
                if row.outcome == answer.outcome
            ],
            chapters=[
                one for one, found in zip(chapters, review.findings, strict=True)
                if one.described and found.row.outcome == answer.outcome
            ],
        )
        for answer in answers(review)
    ]  # fmt: skip


def _css(root: Path, chapters: list[Chapter], overview: list[Figure]) -> str:
    figures = [*overview, *(figure for one in chapters for figure in one.figures)]
    figures += [one.forest for one in chapters if one.forest is not None]
    rare = further_fonts(page for figure in figures for page in figure.pages)
    common = (root / "data/processed/fonts.css").read_text(encoding="utf-8")
    return common + rare + (FOLDER / "report.css").read_text(encoding="utf-8")


def p_range(row: DirectionSet) -> str:
    """Return the range of p over what the unknown directions could be."""
    return unbroken(_range(p_number(row.p_lowest), p_number(row.p_highest)))


def share_range(row: DirectionSet) -> str:
    """Return the range of the share of studies up over what the unknown directions could be."""
    return unbroken(_range(_percent(row.share_lowest), _percent(row.share_highest)))


def share_known(row: DirectionSet) -> str:
    """Return the share of the known directions that are up, with its interval."""
    if row.share_known is None or row.share_ci_low is None:
        return ""
    interval = f"{100 * row.share_ci_low:.0f} to {_percent(row.share_ci_high)}"
    return unbroken(f"known only: {_percent(row.share_known)} (95 % CI {interval})")


def _range(low: str, high: str) -> str:
    """Return a range; both ends the same are one number."""
    return (low if low == high else f"{low} to {high}") or "not defined"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def anchor(raw: CellName | Row) -> str:
    """Return the name, in the page, of a raw row or of the one that holds a cell."""
    cell = Cell(raw, "").name if isinstance(raw, Row) else raw
    return "row-" + re.sub(r"[^A-Za-z0-9_-]", "-", f"{cell.table}-{cell.key}")


def used_rows(tables: Tables, effects: Sequence[Effect]) -> list[Row]:
    """Return the raw rows that any effect rests on, in the order of the tables."""
    wanted = {anchor(cell) for effect in effects for cell in effect.inputs}
    rows = (*tables.studies, *tables.arms, *tables.findings)
    return [row for row in rows if anchor(row) in wanted]


def filled(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the columns of a raw row that are filled, with their text."""
    for column in row.columns():
        value = getattr(row, column)
        if value not in (None, "") and column != "study_id":
            yield column, str(getattr(value, "text", value))


def alternatives(rows: Sequence[WantedRow]) -> list[list[WantedRow]]:
    """Return the rows of each arm and planned analysis, any one of which would be sufficient."""
    planned = [row for row in rows if row.synthesis]
    return list(grouped(planned, lambda row: (row.synthesis, row.study_id, row.arm_id)).values())
