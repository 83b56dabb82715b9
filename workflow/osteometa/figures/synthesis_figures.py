"""All figures of one synthesis, from its result files: what is drawn, or why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from matplotlib.figure import Figure

from osteometa.figures import funnel, gosh, influence, scatter, specification, strips
from osteometa.figures.catalogue import HEADS, KINDS, NAMES
from osteometa.figures.chart import Mark, MarkRow, flat, reason_figure, reason_mark
from osteometa.figures.files import copy, save
from osteometa.figures.forest.draw import forest_figures
from osteometa.figures.forest.rows import Forest, ForestTableRow, alt_text, forest_of
from osteometa.figures.settings import FigureSettings
from osteometa.io.csv_records import read_records, write_records
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.figures import FigureRow
from osteometa.records.pools import PooledRow, SubgroupTest
from osteometa.records.sensitivity import (
    FunnelPoint,
    GoshRow,
    InfluenceRow,
    MetaRegressionRow,
    MultiverseRow,
    MultiverseShare,
    RegressionLine,
    RegressionPoint,
    SensitivityRow,
    SmallStudyRow,
    StepRow,
)
from osteometa.wording.choices import interval_words
from osteometa.wording.measure_format import MeasureFormat, estimate_of
from osteometa.wording.vocabulary import OVERALL

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure before it is written: pages, the rows of its CSV, its words."""

    pages: Sequence[Figure]
    rows: Sequence[Any]
    row_type: type
    alt: str
    reason: str = ""


def marked(pages: Sequence[Figure], marks: Sequence[Mark], alt: str) -> Drawn:
    """Return a figure of marks."""
    return Drawn(pages, flat(MarkRow, marks), MarkRow, alt)


def panel(title: str, reason: str) -> Drawn:
    """Return the small panel with the reason why a figure does not apply."""
    return Drawn(
        [reason_figure(title, reason)], flat(MarkRow, reason_mark(reason)), MarkRow,
        f"{title}. {reason}", reason,
    )  # fmt: skip


class ReasonError(Exception):
    """A figure does not apply; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Results:
    """The result files of one synthesis, each read once."""

    folder: Path
    settings: FigureSettings
    _tables: dict[str, list[Any]] = field(default_factory=dict)

    def of_measure(self, measure: str) -> Results:
        """Return the same results with another measure to draw."""
        return replace(self, settings=replace(self.settings, measure=measure))

    def table(self, name: str, record: type[Record]) -> list[Record]:
        """Return the records of one file."""
        if name not in self._tables:
            self._tables[name] = read_records(self.folder / f"{name}.csv", record)
        return self._tables[name]

    @property
    def effects(self) -> list[WeightedEffect]:
        """The effects of all measures."""
        return self.table("effects", WeightedEffect)

    @property
    def pooled(self) -> list[PooledRow]:
        """All pooled models."""
        return self.table("pooled", PooledRow)

    @property
    def scale(self) -> MeasureFormat:
        """How effects of the measure are written."""
        own = (e.unit for e in self.effects if e.measure == self.settings.measure and e.unit)
        return self.settings.scale(next(own, ""))

    @property
    def forest(self) -> Forest:
        """The forest plot of the measure."""
        return forest_of(
            self.effects, self.table("directions", StudyDirection), self.pooled,
            self.table("subgroup_test", SubgroupTest), self.settings,
        )  # fmt: skip

    def pool(self, least: int = 2) -> PooledRow:
        """Return the primary model of all studies, if it pools enough of them.

        Raises
        ------
        ReasonError
            If it does not.
        """
        own = (r for r in self.pooled if r.primary and r.group == OVERALL)
        primary = next((r for r in own if r.measure == self.settings.measure), None)
        k = 0 if primary is None else primary.k
        if primary is None or k < least:
            words = {0: "no study is pooled", 1: "one study only"}.get(k, f"{k} studies")
            raise ReasonError(f"Not drawn: {words}, {least} are needed.")
        if primary.status != "ok":
            raise ReasonError(f"Not drawn: {primary.note}.")
        return primary

    def estimate(self, least: int = 2) -> float:
        """Return the primary estimate, if enough studies are pooled."""
        found = estimate_of(self.pool(least))
        if found is None:
            raise ReasonError("Not drawn: there is no pooled effect.")
        return found.value


def _reason(rows: Sequence[Any]) -> str:
    return next((row.reason for row in rows if row.reason), "nothing was computed")


def _ok(rows: Sequence[Record]) -> list[Record]:
    found = [row for row in rows if getattr(row, "status", "") == "ok"]
    if not found:
        raise ReasonError(f"Not drawn: {_reason(rows)}.")
    return found


def _no_forest(title: str, reason: str) -> Drawn:
    """Return a panel in place of a forest plot, its rows of one form with those that are drawn."""
    rows = [ForestTableRow(kind="message", label=reason)]
    return replace(panel(title, reason), rows=rows, row_type=ForestTableRow)


def _forest(results: Results, title: str) -> Drawn:
    forest = results.forest
    if forest.message:
        return _no_forest(results.settings.title, forest.message)
    rows = flat(ForestTableRow, forest.rows)
    return Drawn(forest_figures(forest), rows, ForestTableRow, alt_text(forest))


def _funnel(results: Results, title: str) -> Drawn:
    pooled, scale = results.estimate(), results.scale
    _ok(results.table("small_study", SmallStudyRow))
    marks = funnel.funnel_marks(results.table("funnel_points", FunnelPoint), pooled)
    figure = funnel.funnel_figure(marks, title, scale)
    return marked([figure], marks, funnel.funnel_alt(marks, title, scale))


def _baujat(results: Results, title: str) -> Drawn:
    results.pool(3)
    marks = scatter.baujat_marks(_ok(results.table("influence", InfluenceRow)))
    alt = f"{title}: {len(marks)} studies by contribution to heterogeneity and influence."
    return marked([scatter.baujat_figure(marks, title)], marks, alt)


def _influence(results: Results, title: str) -> Drawn:
    overall = results.pool(3)
    marks = influence.influence_marks(_ok(results.table("influence", InfluenceRow)), overall)
    figure = influence.influence_figure(marks, title)
    return marked([figure], marks, influence.influence_alt(marks, title))


def _steps(name: str, head: str) -> Callable[[Results, str], Drawn]:
    def draw(results: Results, title: str) -> Drawn:
        overall = results.pool(3)
        marks = strips.step_marks(_ok(results.table(name, StepRow)), overall)
        return _strip(results, title, marks, head)

    return draw


def _strip(results: Results, title: str, marks: Sequence[Mark], head: str) -> Drawn:
    scale = results.scale
    figure = strips.strip_figure(marks, title, scale, head, results.settings.favours)
    return marked([figure], marks, strips.strip_alt(marks, title, scale))


def _sensitivity(results: Results, title: str) -> Drawn:
    rows = results.table("sensitivity", SensitivityRow)
    marks = strips.sensitivity_marks(rows, results.pool())
    if len(marks) < 2:
        raise ReasonError(f"Not drawn: {_reason(rows)}.")
    return _strip(results, title, marks, "Change")


def _gosh(results: Results, title: str) -> Drawn:
    k, whole, scale = results.pool(3).k, results.estimate(3), results.scale
    rows = _ok(results.table("gosh", GoshRow))
    studies = _ok(results.table("leave_one_out", StepRow))
    if k < gosh.FEWEST:
        raise ReasonError(
            f"Not drawn: {k} studies have {len(rows)} subsets, too few to show a pattern "
            f"({gosh.FEWEST} studies are needed); their pooled effects are in gosh.csv."
        )
    moves = [abs((study.estimate or 0.0) - whole) for study in studies]
    odd = moves.index(max(moves))
    marks = gosh.gosh_marks(rows, [s.label for s in studies], odd)
    figure = gosh.gosh_figure(marks, title, scale, len(rows))
    estimates = [row.estimate for row in rows if row.estimate is not None]
    alt = (
        f"{title}: pooled effects of {len(rows):,} subsets from {scale.number(min(estimates))} to "
        f"{scale.number(max(estimates))}, coloured by {studies[odd].label}."
    )
    return marked([figure], marks, alt)


def _specification(results: Results, title: str) -> Drawn:
    results.pool()
    scale, shares = results.scale, results.table("multiverse_shares", MultiverseShare)
    marks = specification.specification_marks(
        results.table("multiverse", MultiverseRow), shares, results.settings.measure
    )
    if not any(mark.kind == "interval" for mark in marks):
        raise ReasonError(f"Not drawn: {_reason(shares)}.")
    figure = specification.specification_figure(marks, title, scale)
    return marked([figure], marks, specification.specification_alt(marks, title, scale))


def _bubble(results: Results, title: str) -> Drawn:
    interval, scale = interval_words(results.pool().ci_method), results.scale
    fits = _ok(results.table("meta_regression", MetaRegressionRow))
    points = results.table("regression_points", RegressionPoint)
    line = results.table("regression_line", RegressionLine)
    marks: list[Mark] = []
    pages, alts = [], []
    for fit in fits:
        chosen = scatter.bubble_marks(fit, points, line)
        words = scatter.slope_words(fit, scale)
        note = f"{scatter.band_words(interval)} {words}"
        pages.append(scatter.bubble_figure(chosen, title, scale, note))
        marks += chosen
        alts.append(f"{scatter.COVARIATES[fit.covariate]}: {words}")
    return marked(pages, marks, f"{title}. {' '.join(alts)}")


DRAW: dict[str, Callable[[Results, str], Drawn]] = {
    "forest": _forest,
    "funnel": _funnel,
    "baujat": _baujat,
    "influence_plot": _influence,
    "leave_one_out_plot": _steps("leave_one_out", "Study left out"),
    "cumulative_plot": _steps("cumulative", "Study added"),
    "gosh_plot": _gosh,
    "specification_curve": _specification,
    "bubble": _bubble,
    "sensitivity_plot": _sensitivity,
}


def figure_named(results: Results, name: str) -> Drawn:
    """Return one figure of a synthesis, by the name of its files, or why it does not apply.

    A forest plot of a measure that the outcome does not have is a panel with that reason.
    """
    measure, measures = name.removeprefix("forest_").upper(), results.settings.measures
    title = results.settings.title
    if name in DRAW:
        title = title if name == "forest" else f"{KINDS[name]}: {title}"
        try:
            return DRAW[name](results, title)
        except ReasonError as error:
            return panel(title, str(error))
    if measure == measures[0]:
        return _no_forest(title, f"{measure} is the primary measure: see forest.pdf.")
    if measure not in measures:
        return _no_forest(title, f"{measure} is not a measure of this outcome in config.yaml.")
    return _forest(results.of_measure(measure), title)


def draw_all(folder: str | Path, settings: FigureSettings) -> None:
    """Draw every figure of a synthesis; further pages lie in `figure_pages/`.

    `figures.csv` lists them with their alternative texts, and why one is not drawn.
    """
    results = Results(Path(folder), settings)
    figures = {name: figure_named(results, name) for name in NAMES}
    shared = share_panels(figures, settings.title)
    write_figures(folder, ((name, HEADS[name], shared[name]) for name in NAMES))


def share_panels(figures: dict[str, Drawn], title: str) -> dict[str, Drawn]:
    """Give the figures that do not apply for the same reason one panel, which names them all.

    A panel takes as long to draw as a small figure, and most syntheses have ten.
    """
    together: dict[str, list[str]] = {}
    for name, drawn in figures.items():
        if drawn.reason:
            together.setdefault(drawn.reason, []).append(name)
    shared = dict(figures)
    for reason, names in together.items():
        page = reason_figure(title, f"{', '.join(HEADS[name] for name in names)}. {reason}")
        for name in names:
            shared[name] = replace(figures[name], pages=[page])
    return shared


def write_figures(folder: str | Path, figures: Iterable[tuple[str, str, Drawn]]) -> None:
    """Write figures, each with the name of its files and its title, and list them."""
    folder, listed, written = Path(folder), [], {}
    pages_folder = folder / "figure_pages"
    pages_folder.mkdir(parents=True, exist_ok=True)
    for name, title, drawn in figures:
        before = written.setdefault(id(drawn.pages[0]), folder / name)
        write_figure(drawn, folder / name, pages_folder, title, before)
        listed.append(
            FigureRow(figure=name, title=title, pages=len(drawn.pages), alt=drawn.alt,
                      reason=drawn.reason)
        )  # fmt: skip
    write_records(folder / "figures.csv", FigureRow, listed)


def write_figure(
    drawn: Drawn, stem: Path, pages_folder: Path, title: str, before: Path | None = None
) -> None:
    """Write one figure in all formats, with the rows that it shows; copy one written `before`."""
    if before in (None, stem):
        # A panel may be that of several figures: it names them itself.
        words, alt = ("Not drawn", drawn.reason) if drawn.reason else (title, drawn.alt)
        save(drawn.pages[0], stem, drawn.pages[1:], title=words, alt=alt)
    else:
        copy(before, stem)
    for number, page in enumerate(drawn.pages[1:], start=2):
        name = f"{title}, page {number} of {len(drawn.pages)}"
        save(page, pages_folder / f"{stem.name}_{number}", title=name, alt=drawn.alt)
    write_records(f"{stem}.csv", drawn.row_type, drawn.rows)
