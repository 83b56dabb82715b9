"""All figures of one synthesis, from its result files: what is drawn, or why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from osteometa.figures import funnel, gosh, influence, scatter, specification, strips
from osteometa.figures.catalogue import HEADS, KINDS, NAMES
from osteometa.figures.chart import Mark, reason_figure, reason_mark
from osteometa.figures.forest.draw import forest_figures, read_forest, title_words
from osteometa.figures.forest.rows import ForestRow, alt_text
from osteometa.figures.style import copy, save
from osteometa.io.csv_records import read_records, write_records
from osteometa.records.figures import FigureRow
from osteometa.records.pools import PooledRow
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
from osteometa.wording.choices import INTERVALS
from osteometa.wording.scale import Scale


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure before it is written: pages, the rows behind it, its words."""

    pages: Sequence[Figure]
    rows: Sequence[Any]
    row_type: type
    alt: str
    reason: str = ""


def panel(title: str, reason: str) -> Drawn:
    """Return the small panel that says why a figure does not apply."""
    return Drawn(
        [reason_figure(title, reason)], reason_mark(reason), Mark, f"{title}. {reason}", reason
    )


class ReasonError(Exception):
    """A figure does not apply; the text says why."""


@dataclass(frozen=True)
class Results:
    """The result files of one synthesis, read when a figure asks for them."""

    folder: Path
    settings: dict[str, Any] = field(hash=False)

    @cached_property
    def primary(self) -> PooledRow | None:
        """The primary overall model of the primary measure."""
        rows = read_records(self.folder / "pooled.csv", PooledRow)
        chosen = (r for r in rows if r.primary and r.group == "overall")
        return next((r for r in chosen if r.measure == self.settings["measure"]), None)

    @cached_property
    def scale(self) -> Scale:
        """How effects of the primary measure are written."""
        return read_forest(self.folder, self.settings)[2]

    def table(self, name: str, record: type) -> list:
        """Return the records of one file."""
        return read_records(self.folder / f"{name}.csv", record)

    def pool(self, least: int = 2) -> PooledRow:
        """Return the primary model, if it pools enough studies.

        Raises
        ------
        ReasonError
            If it does not.
        """
        k = 0 if self.primary is None else self.primary.k
        if k < least:
            words = {0: "no study is pooled", 1: "one study only"}.get(k, f"{k} studies")
            raise ReasonError(f"Not drawn: {words}, {least} are needed.")
        if self.primary.status != "ok":
            raise ReasonError(f"Not drawn: {self.primary.note}.")
        return self.primary


def _reason(rows: Sequence[Any]) -> str:
    return next((row.reason for row in rows if row.reason), "nothing was computed")


def _ok(rows: Sequence[Any]) -> list[Any]:
    found = [row for row in rows if row.status == "ok"]
    if not found:
        raise ReasonError(f"Not drawn: {_reason(rows)}.")
    return found


def _no_forest(title: str, reason: str) -> Drawn:
    """Return a panel in place of a forest plot, its rows of one form with those that are drawn."""
    rows = [ForestRow(kind="message", label=reason)]
    return replace(panel(title, reason), rows=rows, row_type=ForestRow)


def _forest(results: Results, title: str) -> Drawn:
    rows, legend, scale = read_forest(results.folder, results.settings)
    if [row.kind for row in rows] == ["message"]:
        return _no_forest(title, rows[0].label)
    pages = forest_figures(rows, legend, scale, results.settings)
    return Drawn(pages, rows, ForestRow, alt_text(rows, results.settings))


def _marked(figure: Figure, marks: Sequence[Mark], alt: str) -> Drawn:
    return Drawn([figure], marks, Mark, alt)


def _funnel(results: Results, title: str) -> Drawn:
    overall = results.pool()
    rows = results.table("small_study", SmallStudyRow)
    _ok(rows)
    marks = funnel.funnel_marks(results.table("funnel_points", FunnelPoint), overall)
    return _marked(
        funnel.funnel_figure(marks, title, results.scale), marks,
        funnel.funnel_alt(marks, title, results.scale),
    )  # fmt: skip


def _baujat(results: Results, title: str) -> Drawn:
    results.pool(3)
    marks = scatter.baujat_marks(_ok(results.table("influence", InfluenceRow)))
    figure = scatter.baujat_figure(marks, title, results.scale)
    return _marked(figure, marks, f"{title}: {len(marks)} studies by heterogeneity and influence.")


def _influence(results: Results, title: str) -> Drawn:
    overall = results.pool(3)
    marks = influence.influence_marks(_ok(results.table("influence", InfluenceRow)), overall)
    return _marked(
        influence.influence_figure(marks, title), marks, influence.influence_alt(marks, title)
    )


def _steps(name: str, head: str) -> Callable[[Results, str], Drawn]:
    def draw(results: Results, title: str) -> Drawn:
        overall = results.pool(3)
        marks = strips.step_marks(_ok(results.table(name, StepRow)), overall)
        figure = strips.strip_figure(marks, title, results.scale, head, results.settings["axis"])
        return _marked(figure, marks, strips.strip_alt(marks, title, results.scale))

    return draw


def _sensitivity(results: Results, title: str) -> Drawn:
    overall = results.pool()
    rows = results.table("sensitivity", SensitivityRow)
    marks = strips.sensitivity_marks(rows, overall)
    if len(marks) < 2:
        raise ReasonError(f"Not drawn: {_reason(rows)}.")
    figure = strips.strip_figure(marks, title, results.scale, "Change", results.settings["axis"])
    return _marked(figure, marks, strips.strip_alt(marks, title, results.scale))


def _gosh(results: Results, title: str) -> Drawn:
    k = results.pool(3).k
    rows = _ok(results.table("gosh", GoshRow))
    studies = _ok(results.table("leave_one_out", StepRow))
    if k < gosh.FEWEST:
        raise ReasonError(
            f"Not drawn: {k} studies have {len(rows)} subsets, too few to show a pattern "
            f"({gosh.FEWEST} studies are needed); their pools are in gosh.csv."
        )
    whole = results.primary.estimate
    odd = max(range(len(studies)), key=lambda i: abs(studies[i].estimate - whole))
    marks = gosh.gosh_marks(rows, [s.label for s in studies], odd)
    figure = gosh.gosh_figure(marks, title, results.scale, len(rows))
    low, high = min(r.estimate for r in rows), max(r.estimate for r in rows)
    alt = (
        f"{title}: pools of {len(rows):,} subsets from {results.scale.number(low)} to "
        f"{results.scale.number(high)}, coloured by {studies[odd].label}."
    )
    return _marked(figure, marks, alt)


def _specification(results: Results, title: str) -> Drawn:
    results.pool()
    rows = results.table("multiverse", MultiverseRow)
    shares = results.table("multiverse_shares", MultiverseShare)
    marks = specification.specification_marks(rows, shares, results.settings["measure"])
    if not any(mark.kind == "interval" for mark in marks):
        raise ReasonError(f"Not drawn: {_reason(shares)}.")
    figure = specification.specification_figure(marks, title, results.scale)
    return _marked(figure, marks, specification.specification_alt(marks, title, results.scale))


def _bubble(results: Results, title: str) -> Drawn:
    interval = INTERVALS[results.pool().ci_method]
    fits = _ok(results.table("meta_regression", MetaRegressionRow))
    points = results.table("regression_points", RegressionPoint)
    line = results.table("regression_line", RegressionLine)
    marks, pages, alts = [], [], []
    for fit in fits:
        chosen = scatter.bubble_marks(fit, points, line)
        words = scatter.slope_words(fit, results.scale)
        pages.append(
            scatter.bubble_figure(
                chosen, title, results.scale, f"{scatter.band_words(interval)} {words}"
            )
        )
        marks += chosen
        alts.append(f"{scatter.COVARIATES[fit.covariate]}: {words}")
    return Drawn(pages, marks, Mark, f"{title}. {' '.join(alts)}")


DRAW: dict[str, Callable[[Results, str], Drawn]] = {
    "forest": _forest,
    "funnel": _funnel,
    "baujat": _baujat,
    "influence_plot": _influence,
    "leave_one_out_plot": _steps("leave_one_out", "Without"),
    "cumulative_plot": _steps("cumulative", "Studies so far"),
    "gosh_plot": _gosh,
    "specification_curve": _specification,
    "bubble": _bubble,
    "sensitivity_plot": _sensitivity,
}


def figure_of(results: Results, kind: str) -> Drawn:
    """Return one figure of a synthesis, or the small panel that says why it does not apply."""
    title = title_words(results.settings)
    if kind not in ("forest",):
        title = f"{KINDS[kind]}: {title}"
    try:
        return DRAW[kind](results, title)
    except ReasonError as error:
        return panel(title, str(error))


def _figure(results: Results, kind: str, name: str) -> Drawn:
    """Return a figure; a companion forest of a measure that has none of its own says why."""
    measure, measures = results.settings["measure"], results.settings["measures"]
    if name != kind and measure in measures[:1]:
        reason = f"{measure} is the primary measure: its forest plot is forest.pdf."
    elif name != kind and measure not in measures:
        reason = f"{measure} is no measure of this outcome in config.yaml."
    else:
        return figure_of(results, kind)
    return _no_forest(title_words(results.settings), reason)


def figure_named(folder: str | Path, settings: dict[str, Any], name: str) -> Drawn:
    """Return one figure of a synthesis, by the name of its files.

    Parameters
    ----------
    folder : path
        `results/<synthesis>/`.
    settings : dict
        As of `presets.resolved`.
    name : str
        One of NAMES.
    """
    if name in DRAW:
        return _figure(Results(Path(folder), settings), name, name)
    measure = name.removeprefix("forest_").upper()
    return _figure(Results(Path(folder), {**settings, "measure": measure}), "forest", name)


def draw_all(folder: str | Path, settings: dict[str, Any]) -> None:
    """Draw every figure of a synthesis; further pages lie in `figure_pages/`.

    `figures.csv` lists them with their alternative texts, and why one is not drawn.
    """
    figures = {name: figure_named(folder, settings, name) for name in NAMES}
    shared = share_panels(figures, title_words(settings))
    write_figures(folder, ((name, HEADS[name], shared[name]) for name in NAMES))


def _kind(name: str) -> str:
    """The words for the name of a figure's files: its kind, and the measure of a companion."""
    return KINDS.get(name) or f"{KINDS['forest']} ({name.removeprefix('forest_').upper()})"


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
        page = reason_figure(title, f"{', '.join(map(_kind, names))}. {reason}")
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
