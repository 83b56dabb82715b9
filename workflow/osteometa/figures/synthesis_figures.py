"""All figures of one synthesis, from its result files: what is drawn, or why not."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from matplotlib.figure import Figure

from osteometa.figures import funnel, gosh, influence, scatter, specification, strips
from osteometa.figures.catalogue import KINDS
from osteometa.figures.chart import Mark, MarkRow, flat
from osteometa.figures.files import write_figure
from osteometa.figures.forest.draw import forest_figures
from osteometa.figures.forest.rows import Forest, ForestTableRow, alt_text, forest_of
from osteometa.figures.settings import FigureSettings
from osteometa.io.csv_records import read_records, write_records
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.figures import FigureRow
from osteometa.records.pools import PooledRow, SubgroupTest, TypeContrast
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
from osteometa.synthesis.words import contrast_scale
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


def marked(pages: Sequence[Figure], marks: Sequence[Mark], alt: str) -> Drawn:
    """Return a figure of marks."""
    return Drawn(pages, flat(MarkRow, marks), MarkRow, alt)


class ReasonError(Exception):
    """A figure does not apply; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Results:
    """The result files of one synthesis, each read once."""

    folder: Path
    settings: FigureSettings
    _tables: dict[str, list[Any]] = field(default_factory=dict)

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
        """Return the primary model of all studies; ReasonError if it pools fewer than `least`."""
        own = (r for r in self.pooled if r.primary and r.group == OVERALL)
        primary = next((r for r in own if r.measure == self.settings.measure), None)
        k = 0 if primary is None else primary.k
        if primary is None or k < least:
            words = {0: "no study is pooled", 1: "one study only"}.get(k, f"{k} studies")
            raise ReasonError(f"{words}, {least} are needed")
        if primary.status != "ok":
            raise ReasonError(f"{primary.note}")
        return primary

    def estimate(self, least: int = 2) -> float:
        """Return the primary estimate, if enough studies are pooled."""
        found = estimate_of(self.pool(least))
        if found is None:
            raise ReasonError("there is no pooled effect")
        return found.value


def _reason(rows: Sequence[Any]) -> str:
    return next((row.reason for row in rows if row.reason), "nothing was computed")


def _ok(rows: Sequence[Record]) -> list[Record]:
    found = [row for row in rows if getattr(row, "status", "") == "ok"]
    if not found:
        raise ReasonError(_reason(rows))
    return found


def _forest(results: Results, title: str) -> Drawn:
    if not any(effect.measure == results.settings.measure for effect in results.effects):
        raise ReasonError(_no_effects(results.settings))
    forest = results.forest
    rows = flat(ForestTableRow, forest.rows)
    return Drawn(forest_figures(forest), rows, ForestTableRow, alt_text(forest))


def _no_effects(settings: FigureSettings) -> str:
    where = "before and after" if settings.within_arm else "in both arms"
    effect = "a ratio of means" if settings.measure == "ROM" else f"an {settings.measure}"
    return (
        f"no study reports enough to calculate {effect}: means with SD (or SE, CI, exact p) {where}"
    )


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


def _steps(results: Results, title: str, *, name: str, head: str) -> Drawn:
    overall = results.pool(3)
    marks = strips.step_marks(_ok(results.table(name, StepRow)), overall)
    return _strip(results, title, marks, head)


def _strip(results: Results, title: str, marks: Sequence[Mark], head: str) -> Drawn:
    scale = results.scale
    figure = strips.strip_figure(marks, title, scale, head, results.settings.favours)
    return marked([figure], marks, strips.strip_alt(marks, title, scale))


def _sensitivity(results: Results, title: str) -> Drawn:
    rows = results.table("sensitivity", SensitivityRow)
    marks = strips.sensitivity_marks(rows, results.pool())
    if len(marks) < 2:
        raise ReasonError(_reason(rows))
    return _strip(results, title, marks, "Change")


def _contrasts(results: Results, title: str) -> Drawn:
    rows = results.table("type_contrasts", TypeContrast)
    place = ("exercise_type", results.settings.measure)
    marks = strips.contrast_marks([row for row in rows if (row.by, row.measure) == place])
    if not marks:
        raise ReasonError("fewer than two exercise types are pooled")
    scale = contrast_scale(results.scale)
    if not any(mark.kind == "interval" for mark in marks):
        raise ReasonError(marks[0].text)
    figure = strips.strip_figure(
        marks, title, scale, "Types compared", ("First type lower", "First type higher")
    )
    return marked([figure], marks, strips.contrast_alt(marks, title, scale))


def _gosh(results: Results, title: str) -> Drawn:
    k, whole, scale = results.pool(3).k, results.estimate(3), results.scale
    rows = _ok(results.table("gosh", GoshRow))
    studies = _ok(results.table("leave_one_out", StepRow))
    if k < gosh.FEWEST:
        raise ReasonError(
            f"{k} studies have {len(rows)} subsets, too few to show a pattern "
            f"({gosh.FEWEST} studies are needed); their pooled effects are in gosh.csv"
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
        raise ReasonError(_reason(shares))
    figure = specification.specification_figure(marks, title, scale)
    return marked([figure], marks, specification.specification_alt(marks, title, scale))


def _bubble(results: Results, title: str) -> Drawn:
    interval, scale = interval_words(results.pool().ci_method), results.scale
    band = f"Grey, dashed: pointwise 95 % confidence band of the mean effect ({interval})."
    fits = _ok(results.table("meta_regression", MetaRegressionRow))
    points = results.table("regression_points", RegressionPoint)
    line = results.table("regression_line", RegressionLine)
    marks: list[Mark] = []
    pages, alts = [], []
    for fit in fits:
        chosen = scatter.bubble_marks(fit, points, line)
        words = scatter.slope_words(fit, scale)
        pages.append(scatter.bubble_figure(chosen, title, scale, f"{band} {words}"))
        marks += chosen
        alts.append(f"{scatter.COVARIATES[fit.covariate]}: {words}")
    return marked(pages, marks, f"{title}. {' '.join(alts)}")


DRAW: dict[str, Callable[[Results, str], Drawn]] = {
    "forest": _forest,
    "funnel": _funnel,
    "baujat": _baujat,
    "influence_plot": _influence,
    "leave_one_out_plot": partial(_steps, name="leave_one_out", head="Study left out"),
    "cumulative_plot": partial(_steps, name="cumulative", head="Study added"),
    "gosh_plot": _gosh,
    "specification_curve": _specification,
    "bubble": _bubble,
    "sensitivity_plot": _sensitivity,
    "type_contrasts": _contrasts,
}


def figure_named(results: Results, name: str) -> Drawn:
    """Return a figure of a synthesis by the name of its files; ReasonError if it does not apply."""
    measure, measures = name.removeprefix("forest_").upper(), results.settings.measures
    title = results.settings.title
    if name in DRAW:
        return DRAW[name](results, title if name == "forest" else f"{KINDS[name]}: {title}")
    if measure == measures[0]:
        raise ReasonError(f"{measure} is the primary measure, of the figure forest")
    if measure not in measures:
        raise ReasonError(f"{measure} is not a measure of this outcome in config.yaml")
    settings = replace(results.settings, measure=measure)
    return _forest(replace(results, settings=settings), title)


def draw_all(folder: str | Path, settings: FigureSettings, fonts: str = "") -> None:
    """Draw the figures that apply of `results/<synthesis>` into its folder `figures/`.

    Forest plots of further measures are drawn on request by `osteometa figure`. `fonts` is what
    `common_rules` returned, where it is at hand.
    """
    results = Results(Path(folder), settings)
    kinds = ((name, title, partial(figure_named, results, name)) for name, title in KINDS.items())
    write_figures(Path(folder) / "figures", kinds, settings.formats, fonts)


def write_figures(
    folder: Path, figures: Iterable[tuple[str, str, Callable[[], Drawn]]],
    formats: Sequence[str], fonts: str,
) -> None:  # fmt: skip
    """Write the figures that apply, each with the rows that it shows, and an index of all.

    `figures.csv` gives their titles and alternative texts, and of the others the reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for name, title, draw in figures:
        try:
            drawn = draw()
        except ReasonError as error:
            listed.append(FigureRow(figure=name, title=title, pages=0, alt="", reason=str(error)))
            continue
        write_figure(
            drawn.pages, folder / name, {f".{kind}": kind for kind in formats}, title=title,
            alt=drawn.alt, fonts=fonts,
        )  # fmt: skip
        write_records(folder / f"{name}.csv", drawn.row_type, drawn.rows)
        pages = len(drawn.pages)
        listed.append(FigureRow(figure=name, title=title, pages=pages, alt=drawn.alt, reason=""))
    write_records(folder / "figures.csv", FigureRow, listed)
