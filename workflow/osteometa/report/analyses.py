"""The chapter of each planned analysis: sentences, figures, pooled results, effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from osteometa.extraction.tables import PublishedPool, Tables
from osteometa.protocol.config import Config
from osteometa.records.effects import WeightedEffect
from osteometa.records.figures import FigureRow
from osteometa.records.groups import grouped
from osteometa.report.exercise_types import TypeRow, pool_by_paper, type_rows, type_words
from osteometa.report.explore import ExplorableSet, explorable_sets
from osteometa.report.findings import Findings
from osteometa.report.inline_figures import InlineFigure, inline_figure
from osteometa.report.sensitivity import Line, sensitivity_lines
from osteometa.report.sentences import (
    NumberRow,
    Subgroup,
    heading,
    number_row,
    subgroup_table,
    synthesis_sentences,
)
from osteometa.report.studies import published_pools
from osteometa.wording.vocabulary import OVERALL, Flag


class Figure(NamedTuple):
    """A figure with its pages; none where it is not drawn."""

    row: FigureRow
    pages: list[InlineFigure]

    @property
    def svg(self) -> str:
        """All pages."""
        return "".join(page.svg for page in self.pages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One planned analysis as the report shows it."""

    id: str
    heading: str
    described: bool
    """Whether it has an effect estimate, of several studies or of one."""
    pooled: bool
    """Whether it is of several."""
    sentences: list[str]
    forest: Figure | None
    figures: list[Figure]
    """Those that are drawn, the forest plot of the primary measure not among them."""
    not_drawn: dict[str, list[str]]
    """Titles of the others, by the reason why they are not drawn."""
    numbers: list[NumberRow]
    other_measures: list[NumberRow]
    subgroups: list[Subgroup]
    sensitivity: list[Line]
    not_done: str
    types: list[TypeRow]
    type_words: str
    published: list[PublishedPool]
    effects: Sequence[WeightedEffect]
    flags: list[Flag]
    explore: list[ExplorableSet]
    """Pooled sets that a reader may pool again, a measure each."""


def chapter(found: Findings, root: Path, tables: Tables, config: Config) -> Chapter:
    """Return the chapter of one analysis."""
    name = found.row.synthesis
    figures = read_figures(found.figures, root / "results" / name / "figures", name)
    drawn = [figure for figure in figures if figure.pages]
    lines, not_done = sensitivity_lines(found)
    # Where the intensity that the paper states decides, there is no second classification.
    twice = config.derivation.type_by != "paper"
    by_paper = pool_by_paper(found) if twice else []
    return Chapter(
        id=name, heading=heading(found), described=bool(found.pool), pooled=len(found.pool) > 1,
        sentences=synthesis_sentences(found, tables),
        forest=next((figure for figure in drawn if figure.row.figure == "forest"), None),
        figures=[figure for figure in drawn if figure.row.figure != "forest"],
        not_drawn=_not_drawn(figures),
        numbers=_numbers(found, primary=True), other_measures=_numbers(found, primary=False),
        subgroups=subgroup_table(found), sensitivity=lines, not_done=not_done,
        types=type_rows(found, by_paper) if twice else [],
        type_words=type_words(found, by_paper) if twice else "",
        published=published_pools(found, tables), explore=explorable_sets(found, config),
        effects=found.effects, flags=sorted({flag for e in found.effects for flag in e.flags}),
    )  # fmt: skip


def _not_drawn(figures: Sequence[Figure]) -> dict[str, list[str]]:
    reasons = grouped((f.row for f in figures if not f.pages), lambda row: row.reason)
    return {reason: [row.title for row in rows] for reason, rows in reasons.items()}


def _numbers(found: Findings, *, primary: bool) -> list[NumberRow]:
    return [
        number_row(row, found.scale(row.measure))
        for row in found.pooled
        if (row.k > 1 or row.group == OVERALL) and (row.measure == found.row.measure) == primary
    ]


def read_figures(rows: Sequence[FigureRow], folder: Path, name: str) -> list[Figure]:
    """Return the figures of a folder, each page as SVG for the report."""
    return [Figure(row, _pages(row, folder, name)) for row in rows]


def _pages(row: FigureRow, folder: Path, name: str) -> list[InlineFigure]:
    if row.reason:
        return []
    names = [row.figure, *(f"{row.figure}_{number}" for number in range(2, row.pages + 1))]
    return [
        inline_figure(folder / f"{page}.svg", f"{name}-{row.figure}-{number}", row.alt)
        for number, page in enumerate(names)
    ]
