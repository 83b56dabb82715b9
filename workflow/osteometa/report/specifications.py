"""All specifications of a synthesis on one page: the curve, and the tables behind it in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from osteometa.figures.settings import FigureSettings
from osteometa.figures.specification import level_words
from osteometa.report.sensitivity_choices import CHOICES, share_words
from osteometa.report.table_files import Table, rendered
from osteometa.specifications.summary import Summaries
from osteometa.wording.measure_format import Estimate, MeasureFormat

PAGE = "specifications.html"
NAMES = {**CHOICES, "method": CHOICES["tau2"]}
Rows = Iterator[tuple[str, tuple[str, ...]]]


def specification_page(title: str, curve: str, found: Summaries, settings: FigureSettings) -> str:
    """Return the page as HTML; `curve` is the figure as SVG."""
    tables = [_estimates(found, settings), _choices(found, settings), _extremes(found, settings)]
    return rendered(
        "specifications.html.j2", title=f"All specifications: {title}", curve=curve,
        overall=found.summary[-1], tables=tables, share=share_words,
    )  # fmt: skip


def _scale(settings: FigureSettings, measure: str) -> MeasureFormat:
    return replace(settings, measure=measure).scale()


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _estimates(found: Summaries, settings: FigureSettings) -> Table:
    def rows() -> Rows:
        for row in found.summary:
            scale = _scale(settings, row.measure)
            numbers = (
                row.primary, row.lowest, row.q025, row.q25, row.median, row.q75, row.q975,
                row.highest,
            )  # fmt: skip
            yield "", (
                "All" if row.measure == "all" else scale.head, f"{row.specifications:,}",
                *("" if x is None else scale.number(x) for x in numbers),
                _percent(row.same_sign), _percent(row.excludes_null),
            )  # fmt: skip

    heads = ("Measure", "Specifications", "Primary", "Lowest", "2.5 %", "25 %", "Median", "75 %",
             "97.5 %", "Highest", "Same sign, %", "Excludes null, %")  # fmt: skip
    return Table(
        title="Estimates", heads=heads, widths=(1.0,) * len(heads), rows=tuple(rows()),
        note="The primary estimate, the quantiles of all, how many have the sign of the primary "
        "estimate, and how many have a 95 % interval that excludes the null.",
    )  # fmt: skip


def _choices(found: Summaries, settings: FigureSettings) -> Table:
    def rows() -> Rows:
        shown = ""
        for row in found.levels:
            scale, first = _scale(settings, row.measure), row.choice != shown
            shown = row.choice
            yield scale.head, (
                NAMES.get(row.choice, row.choice).removeprefix("the ") if first else "",
                level_words(row.level),
                f"{row.specifications:,}" if row.level else "",
                "" if row.mean is None else scale.number(row.mean), _percent(row.excludes_null),
                _percent(row.share) if first else "",
            )  # fmt: skip

    heads = ("Choice", "Level", "Specifications", "Mean estimate", "Excludes null, %",
             "Variance explained, %")  # fmt: skip
    return Table(
        title="Choices", heads=heads, widths=(1.0,) * len(heads), rows=tuple(rows()),
        note="The share of the variance of the estimates that a choice explains is that of all its "
        "levels. Interactions: what no choice explains alone.",
    )  # fmt: skip


def _extremes(found: Summaries, settings: FigureSettings) -> Table:
    def rows() -> Rows:
        for row in found.extremes:
            scale = _scale(settings, row.measure)
            estimate = Estimate(row.estimate, row.ci_low, row.ci_high)
            yield f"{scale.head}: {row.end}", (scale.in_text(estimate), str(row.k), row.choices)

    return Table(
        title="Extremes", heads=("Estimate (95 % CI)", "Studies", "Choices"), widths=(2, 1, 6),
        rows=tuple(rows()), note="The lowest and highest of the different estimates.",
    )  # fmt: skip
