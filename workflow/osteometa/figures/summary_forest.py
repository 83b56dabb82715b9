"""The summary forest: one diamond per outcome and exercise type, the figure of an abstract.

One column wide, so that it can stand in an abstract and beside the evidence map: pools first, then
on pages of their own what only one study gives. Analyses on one scale share an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import (
    LINE,
    MARGIN,
    Count,
    Interval,
    draw_favours,
    draw_mark,
    draw_ticks,
    noted,
    page_title,
    title_height,
    titled_figure,
)
from osteometa.figures.forest.layout import Axis, ticks_of
from osteometa.figures.forest.marks import diamond, interval
from osteometa.figures.palette import BLACK, GREY, NARROW, SMALL
from osteometa.figures.settings import PRESETS, Preset
from osteometa.figures.style import put, put_lines, text_width, wrapped
from osteometa.records.groups import grouped
from osteometa.records.pools import PooledRow
from osteometa.wording.choices import studies_words
from osteometa.wording.measure_format import Estimate, MeasureFormat, estimate_of
from osteometa.wording.vocabulary import ALL_STUDIES, OVERALL, group_heading

ROW, AXIS, GAP, BELOW = 4.0, 12.5, 1.6, 0.8
"""Heights in mm: a row, an axis with its words, what follows an analysis and its heading."""
HIGHEST = 165.0
"""Analyses of a page, mm: what a screen shows at a size that can be read."""
ONE = "One study"
TOO_FEW = "not shown"
SINGLES = "Effects of single studies, not pooled"
NO_POOL = (
    "Pooled effect not shown: none was requested, or the interval of an exercise type would rest "
    "on fewer than 4 degrees of freedom."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The pooled rows of one synthesis, and how they are written."""

    heading: str
    rows: tuple[PooledRow, ...]
    """Of the primary measure and model, overall first."""
    scale: MeasureFormat
    axis: tuple[str, str]

    @property
    def shared(self) -> tuple[str, tuple[str, str]]:
        """What analyses must have in common to share an axis."""
        return self.scale.title, self.axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An analysis on a page: the lines of its heading, its marks, and the range of its axis."""

    panel: Panel
    lines: tuple[str, ...]
    marks: tuple[Pool | Count, ...]
    range: tuple[float, float]

    @property
    def height(self) -> float:
        """Height without the axis, mm."""
        return LINE * len(self.lines) + BELOW + ROW * len(self.marks) + GAP


def summary_marks(panels: Sequence[Panel]) -> list[Pool | Count]:
    """Return a mark per pooled group or single study."""
    marks: list[Pool | Count] = []
    for panel in panels:
        own = [mark for row in panel.rows if (mark := _mark(row, panel)) is not None]
        marks += own if any(mark.kind != "message" for mark in own) else []
    return marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(Interval):
    """A pooled effect or that of one study: size the number of studies."""

    size: float


def _mark(row: PooledRow, panel: Panel) -> Pool | Count | None:
    found = estimate_of(row)
    if found is None or (row.group != OVERALL and len(panel.rows) == 2):
        return None  # studies of one type: the overall row has shown them
    word = group_heading(row.group)
    if row.k > 1 and row.diamond == "none":
        return Count(kind="message", label=word, size=float(row.k), group=panel.heading,
                     text=TOO_FEW)  # fmt: skip
    one = row.k == 1
    return Pool(
        kind="interval" if one else "diamond", x=found.value, low=found.low, high=found.high,
        label=ONE if one and row.group == OVERALL else word, size=float(row.k),
        group=panel.heading, shape="single" if one else row.diamond,
        text=panel.scale.with_interval(*found),
    )  # fmt: skip


def summary_figures(
    marks: Sequence[Pool | Count], panels: Sequence[Panel], title: str, style: str = "standard"
) -> list[Figure]:
    """Return the pages of the figure: pools first, then analyses with one study."""
    preset = PRESETS[style]
    own = {p.heading: tuple(m for m in marks if m.group == p.heading) for p in panels}
    pooled = [p for p in panels if any(m.kind == "diamond" for m in own[p.heading])]
    single = [p for p in panels if own[p.heading] and p not in pooled]
    figures = []
    for words, chosen in ((title, pooled), (SINGLES if pooled else title, single)):
        pages = _pages(_placed(chosen, own, preset))
        for number, page in enumerate(pages, start=1):
            figures.append(_page(page, page_title(words, number, len(pages)), preset))
    return figures


def _placed(
    panels: Sequence[Panel], own: dict[str, tuple[Pool | Count, ...]], preset: Preset
) -> list[Placed]:
    """Return analyses, those on one scale beside each other in the order of the first."""
    placed = []
    for block in grouped(panels, lambda panel: panel.shared).values():
        limits = _limits([mark for panel in block for mark in own[panel.heading]])
        placed += [
            Placed(
                panel=panel, marks=own[panel.heading], range=limits,
                lines=tuple(wrapped(panel.heading, NARROW - 2 * MARGIN, preset.size, "bold")),
            )
            for panel in block
        ]  # fmt: skip
    return placed


def _limits(marks: Sequence[Pool | Count]) -> tuple[float, float]:
    """Return the range of an axis: an interval far wider than the others is cut, with an arrow."""
    drawn = [m for m in marks if isinstance(m, Pool)]
    core = [m for m in drawn if m.shape == "full" and m.label == ALL_STUDIES] or drawn
    reach = 2.0 * max(max(abs(m.low), abs(m.high)) for m in core)
    low = max(min(*(m.low for m in drawn), 0.0), -reach)
    high = min(max(*(m.high for m in drawn), 0.0), reach)
    pad = 0.05 * (high - low)
    return low - pad, high + pad


def _pages(placed: Sequence[Placed]) -> list[list[Placed]]:
    pages: list[list[Placed]] = []
    used = 0.0
    for item in placed:
        ends = not pages or pages[-1][-1].panel.shared != item.panel.shared
        need = item.height + (AXIS if ends else 0.0)
        if not pages or used + need > HIGHEST:
            pages.append([])
            used, need = 0.0, item.height + AXIS
        pages[-1].append(item)
        used += need
    return pages


def _page(page: Sequence[Placed], title: str, preset: Preset) -> Figure:
    note = _note(page)
    axes_drawn = len({item.panel.shared for item in page})
    top = title_height(title, NARROW) + 4.5
    total = sum(item.height for item in page) + AXIS * axes_drawn
    figure, axes = titled_figure(title, NARROW, top + total + 2, note)
    left, right = _plot_ends(page, preset)
    _heads(axes, top - 2.3, left, page, preset)
    y = top
    for number, item in enumerate(page):
        axis = Axis(*item.range, left, right, ())
        _analysis(axes, item, axis, y, preset)
        y += item.height
        if number + 1 == len(page) or page[number + 1].panel.shared != item.panel.shared:
            _axis(axes, axis, y - GAP + 0.5, item.panel)
            y += AXIS
    noted(axes, note, NARROW, y)
    return figure


def _plot_ends(page: Sequence[Placed], preset: Preset) -> tuple[float, float]:
    """Return where the drawing begins and ends, mm: what the columns of text leave."""
    marks = [mark for item in page for mark in item.marks]
    labels = max(text_width(m.label, preset.size, _weight(m)) for m in marks)
    effects = max(
        text_width(text, preset.size, "bold")
        for text in (*(m.text for m in marks), _effect_head(page, preset))
    )
    return MARGIN + labels + 8.0, NARROW - MARGIN - effects - 2.0


def _weight(mark: Pool | Count) -> str:
    return "bold" if mark.label in (ALL_STUDIES, ONE) else "normal"


def _effect_head(page: Sequence[Placed], preset: Preset) -> str:
    a, b = "[]" if page[0].panel.scale.interval == "[a, b]" else "()"
    return f"{preset.effect_head} {a}95 % CI{b}"


def _heads(axes: Axes, y: float, left: float, page: Sequence[Placed], preset: Preset) -> None:
    for text, x in (("k", left - 2), (_effect_head(page, preset), NARROW - MARGIN)):
        put(axes, x, y, text, weight="bold", align="right", size=preset.size)
    axes.plot([MARGIN, NARROW - MARGIN], [y + 2.1] * 2, color=BLACK, lw=0.6)


def _analysis(axes: Axes, item: Placed, axis: Axis, top: float, preset: Preset) -> None:
    put_lines(axes, MARGIN, top + LINE / 2 + 0.4, item.lines, weight="bold", size=preset.size)
    first = top + LINE * len(item.lines) + BELOW
    bottom = first + ROW * len(item.marks)
    null = axis.place(0.0)
    axes.plot([null, null], [first, bottom], color=BLACK, lw=0.6, zorder=1, gid="null")
    for number, mark in enumerate(item.marks):
        y = first + ROW * (number + 0.5)
        message = not isinstance(mark, Pool)
        put(axes, MARGIN, y, mark.label, weight=_weight(mark), size=preset.size)
        put(axes, axis.left - 2, y, f"{mark.size:.0f}", align="right", size=preset.size)
        put(axes, NARROW - MARGIN, y, mark.text, align="right", color=GREY if message else BLACK,
            weight="normal" if message else _weight(mark), size=preset.size)  # fmt: skip
        if isinstance(mark, Pool):
            _shape(axes, axis, mark, y, preset)


def _shape(axes: Axes, axis: Axis, mark: Pool, y: float, preset: Preset) -> None:
    if mark.kind == "diamond":
        color = preset.diamond if mark.label == ALL_STUDIES else preset.square
        fill = color if mark.shape == "full" else "white"
        diamond(axes, Estimate(mark.x, mark.low, mark.high), axis, y, fill)
        return
    interval(axes, (mark.low, mark.high), axis, y, BLACK)
    if axis.low <= mark.x <= axis.high:
        draw_mark(axes, axis.place(mark.x), y, 1.6, "square", preset.square)


def _axis(axes: Axes, axis: Axis, y: float, panel: Panel) -> None:
    axes.plot([axis.left, axis.right], [y, y], color=BLACK, lw=0.6)
    draw_ticks(axes, axis.place, y, ticks_of(axis.low, axis.high, panel.scale))
    half = text_width(panel.scale.title, SMALL) / 2
    middle = min(max((axis.left + axis.right) / 2, MARGIN + half), NARROW - MARGIN - half)
    put(axes, middle, y + 5.9, panel.scale.title, size=SMALL, align="center", color=GREY)
    draw_favours(axes, axis.place(0.0), y + 9.0, panel.axis, NARROW)


def _note(page: Sequence[Placed]) -> str:
    """Return how the marks of a page are read: of those that occur on it."""
    marks = [(mark, item.range) for item in page for mark in item.marks]
    shapes = {mark.shape for mark, _ in marks}
    parts = []
    if shapes & {"full", "hollow"}:
        hollow = " (hollow: two studies)" if "hollow" in shapes else ""
        parts.append(f"Diamonds: pooled effects with 95 % CI{hollow}.")
    if "single" in shapes:
        parts.append("Squares: one study, not pooled.")
    if any(m.low < low or m.high > high for m, (low, high) in marks if isinstance(m, Pool)):
        parts.append("Arrows: the interval continues.")
    if not all(isinstance(mark, Pool) for mark, _ in marks):
        parts.append(NO_POOL)
    return " ".join([*parts, "Vertical line: no effect; k: studies."])


def summary_alt(marks: Sequence[Pool | Count], title: str) -> str:
    """Return what the figure shows, for readers who do not see it."""
    parts = [
        f"{mark.group}, {mark.label.lower()}: {mark.text} ({studies_words(round(mark.size))})"
        for mark in marks
        if mark.label in (ALL_STUDIES, ONE)
    ]
    return f"{title}. {'; '.join(parts)}."
