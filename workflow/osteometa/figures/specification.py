"""The specification curve: all estimates of a multiverse, sorted, over the choices behind them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import (
    MARGIN,
    At,
    Fit,
    Frame,
    Mark,
    Ticks,
    axis_range,
    draw_y_ticks,
    noted,
    tick_room,
    title_height,
    titled_figure,
)
from osteometa.figures.forest.layout import ticks_of
from osteometa.figures.palette import BLACK, BLUE, GREY, ORANGE, POINT, SMALL, WIDE
from osteometa.figures.style import polygon, put, rectangle, text_width
from osteometa.numerics.arrays import Array
from osteometa.records.groups import grouped
from osteometa.records.sensitivity import MultiverseRow, MultiverseShare
from osteometa.records.specifications import CurveColumn, SpecificationLevel, SpecificationSummary
from osteometa.wording.choices import ESTIMATORS, INTERVALS, alternative_words
from osteometa.wording.measure_format import MeasureFormat, estimate_of

CHOICES = {
    "derivation": "Derivation",
    "inclusion": "Effects",
    "designs": "Designs",
    "inconsistent_data": "Inconsistent data",
    "tau2": "Estimator of τ²",
    "ci": "Interval",
}
COLOURS = {"excludes": BLUE, "holds": "#BDBDBD", "primary": BLACK}
"""Dark and light, distinguishable without their hue."""
MOST_STROKES = 400
"""Specifications up to which each has strokes of its own."""
PRIMARY = "Primary result"
TIP = 0.9
"""Width of the tip of an arrow, mm; where intervals are closer, one tip is drawn for several."""
CURVE, LEVEL = 45.0, 3.3
LABELS, BARS = 46.0, 30.0


def specification_marks(
    rows: Sequence[MultiverseRow], shares: Sequence[MultiverseShare], measure: str
) -> list[Mark]:
    """Return an interval per specification, a dot per choice, a bar per explained share."""
    found = [(r, estimate_of(r)) for r in rows if r.measure == measure and r.status == "ok"]
    chosen = sorted(((r, e) for r, e in found if e is not None), key=lambda pair: pair[1].value)
    marks: list[Mark] = []
    for place, (row, estimate) in enumerate(chosen, start=1):
        group = "primary" if row.primary else "excludes" if row.excludes_null else "holds"
        marks.append(
            Fit(kind="interval", label=str(row.specification), x=place, y=estimate.value,
                low=estimate.low, high=estimate.high, group=group,
                text="excludes the null" if row.excludes_null else "")
        )  # fmt: skip
    for choice in CHOICES:
        levels = list(dict.fromkeys(getattr(row, choice) for row, _ in chosen))
        if len(levels) > 1:
            for level in sorted(levels, key=lambda name: (name not in FIRST, name)):
                marks += [
                    At(kind="cell", label=level_words(level), x=place, group=choice)
                    for place, (row, _) in enumerate(chosen, start=1)
                    if getattr(row, choice) == level
                ]
    return marks + _bars(shares, measure)


def _bars(shares: Sequence[MultiverseShare], measure: str) -> list[At]:
    """Return the explained share of each choice; what is derived is the sum of its keys."""
    explained: dict[str, float] = {}
    for share in shares:
        if share.measure == measure and share.choice not in ("remainder", "all"):
            choice = share.choice if share.choice in CHOICES else "derivation"
            explained[choice] = explained.get(choice, 0.0) + (share.share or 0.0)
    return [At(kind="bar", group=choice, x=part, text=f"{part:.0f} %")
            for choice, part in explained.items()]  # fmt: skip


WORDS = {"primary": "as in the primary result", "all": "all effects", **ESTIMATORS, **INTERVALS}
FIRST = ("primary", "all", "randomised", "excluded", "REML", "hksj-floor")


def level_words(level: str) -> str:
    """Return one level of a choice in words; those of config.yaml are words already."""
    if "=" in level:
        return alternative_words(level)
    return WORDS.get(level, level)


def specification_figure(marks: Sequence[Mark], title: str, scale: MeasureFormat) -> Figure:
    """Return the curve above, the matrix of choices below, explained variance at the right."""
    curve = [mark for mark in marks if isinstance(mark, Fit)]
    places = [mark for mark in marks if isinstance(mark, At)]
    cells = [mark for mark in places if mark.kind == "cell"]
    levels = list(dict.fromkeys((mark.group, mark.label) for mark in cells))
    groups = list(dict.fromkeys(group for group, _ in levels))
    bars = {mark.group: mark for mark in places if mark.kind == "bar"}
    low, high = axis_range([(m.y, m.low, m.high) for m in curve])
    note = (
        f"{len(curve):,} specifications, sorted by estimate. Dark (blue): the interval excludes "
        "the null; light (grey): it includes it. "
    )
    if any(m.low < low or m.high > high for m in curve):
        note += "Arrow tips: the interval continues. "
    note += "Bars: share of the variance of the estimates that a choice explains alone."
    ticks = ticks_of(low, high, scale)
    frame = _frame(title, ticks, len(curve) + 1.0, (low, high))
    matrix = frame.bottom + 3
    height = matrix + sum(LEVEL * (1 + sum(g == name for g, _ in levels)) + 1 for name in groups)
    figure, axes = titled_figure(title, WIDE, height + 3, note)
    _curve(axes, frame, curve, ticks, scale)
    _matrix(axes, frame, cells, groups, levels, bars, matrix)
    noted(axes, note, WIDE, height)
    return figure


def _frame(title: str, ticks: Ticks, last: float, ends: tuple[float, float]) -> Frame:
    """Return the place of the curve, below its title and left of the bars."""
    left, top = MARGIN + max(LABELS, tick_room(ticks)), title_height(title, WIDE) + 5
    return Frame(left, WIDE - MARGIN - BARS - 4, top, top + CURVE, 0.0, last, *ends)


def _curve(
    axes: Axes, frame: Frame, curve: Sequence[Fit], ticks: Ticks, scale: MeasureFormat
) -> None:
    axes.plot([frame.left, frame.right], [frame.y(0.0)] * 2, color=BLACK, lw=0.6, zorder=2.5)
    for group, color in COLOURS.items():
        chosen = [m for m in curve if m.group == group]
        if chosen:
            _intervals(axes, frame, chosen, color, len(curve))
        if chosen and group == "primary":
            _primary(axes, frame, chosen[0])
    _estimate_axis(axes, frame, ticks, scale)


def _estimate_axis(axes: Axes, frame: Frame, ticks: Ticks, scale: MeasureFormat) -> None:
    axes.plot([frame.left, frame.left], [frame.top, frame.bottom], color=BLACK, lw=0.6)
    draw_y_ticks(axes, frame, ticks)
    put(axes, MARGIN, frame.top - 2.9, scale.title, size=SMALL)
    put(axes, WIDE - MARGIN - BARS, frame.bottom + 1.5, "Variance explained", size=SMALL,
        weight="bold")  # fmt: skip


def _explained_bar(axes: Axes, y: float, share: float, most: float) -> None:
    """Draw the variance that a choice explains, percent, at the right."""
    start, width = WIDE - MARGIN - BARS, (BARS - 10) * share / most
    rectangle(axes, start, y + 0.6, width, LEVEL - 1.2, ORANGE, lw=0, gid="bar")
    put(axes, start + width + 1, y + LEVEL / 2, f"{share:.0f} %", size=SMALL)


def _primary(axes: Axes, frame: Frame, mark: Fit) -> None:
    """Name the primary result, with a dashed line above and below its interval."""
    x = frame.x(mark.x)
    top, bottom = frame.y(min(mark.high, frame.y_high)), frame.y(max(mark.low, frame.y_low))
    for start, end in ((frame.top - 1.3, top), (bottom, frame.bottom + 1.3)):
        axes.plot([x, x], [start, end], color=BLACK, lw=0.6, dashes=(4, 2), zorder=4)
    half = text_width(PRIMARY, SMALL) / 2
    middle = min(max(x, frame.left + half), frame.right - half)
    put(axes, middle, frame.top - 2.9, PRIMARY, size=SMALL, align="center")


def _intervals(axes: Axes, frame: Frame, chosen: Sequence[Fit], color: str, number: int) -> None:
    """Draw intervals with their estimates, and tips of arrows where they leave the frame."""
    dense = number > MOST_STROKES
    tall = [m for m in chosen if m.low < frame.y_high and m.high > frame.y_low]
    axes.vlines(
        [frame.x(m.x) for m in tall], [frame.y(max(m.low, frame.y_low)) for m in tall],
        [frame.y(min(m.high, frame.y_high)) for m in tall], color=color,
        lw=stroke(frame, number), zorder=2, rasterized=dense,
    )  # fmt: skip
    inside = [m for m in chosen if frame.y_low <= m.y <= frame.y_high]
    axes.plot(
        [frame.x(m.x) for m in inside], [frame.y(m.y) for m in inside], ls="", marker="o", mew=0,
        ms=max(1.2, 2.0 * stroke(frame, number)), color=BLACK, zorder=3, rasterized=dense,
    )  # fmt: skip
    for beyond, edge, shape in (
        ([m for m in chosen if m.high > frame.y_high], frame.top - 0.6, "^"),
        ([m for m in chosen if m.low < frame.y_low], frame.bottom + 0.6, "v"),
    ):
        xs = _apart([frame.x(m.x) for m in beyond], TIP)
        axes.plot(xs, [edge] * len(xs), ls="", marker=shape, ms=TIP / POINT, mew=0, color=GREY,
                  zorder=2, gid="tip")  # fmt: skip


def _apart(places: Sequence[float], least: float) -> list[float]:
    """Return places from left to right, without those too near the one before."""
    kept: list[float] = []
    for place in sorted(places):
        if not kept or place - kept[-1] >= least:
            kept.append(place)
    return kept


def stroke(frame: Frame, number: int) -> float:
    """Return the width of the stroke of one specification, points.

    From 0.5 to 1 pt. Of more than MOST_STROKES, which are drawn as an image, it is what each
    has: there no stroke is to be seen, but a tone, the darker the more of them there are.
    """
    apart = (frame.right - frame.left) / number / POINT
    return apart if number > MOST_STROKES else min(1.0, max(0.5, 0.6 * apart))


def _matrix(
    axes: Axes, frame: Frame, cells: Sequence[At], groups: Sequence[str],
    levels: Sequence[tuple[str, str]], bars: Mapping[str, At], top: float,
) -> None:  # fmt: skip
    y = top
    scale = max((bar.x for bar in bars.values()), default=1.0) or 1.0
    for name in groups:
        put(axes, MARGIN, y + LEVEL / 2, CHOICES[name], size=SMALL, weight="bold")
        if name in bars:
            _explained_bar(axes, y, bars[name].x, scale)
        y += LEVEL
        for group, label in levels:
            if group != name:
                continue
            put(axes, frame.left - 1.5, y + LEVEL / 2, label, size=SMALL, align="right")
            xs = [frame.x(m.x) for m in cells if (m.group, m.label) == (group, label)]
            number = round(frame.x_high) - 1
            lines = axes.vlines(
                xs, y + 1.1, y + LEVEL - 1.1, color=BLACK, lw=stroke(frame, number),
                rasterized=number > MOST_STROKES,
            )  # fmt: skip
            lines.set_snap(False)  # whole pixels would blacken a tone
            y += LEVEL
        y += 1


def specification_alt(marks: Sequence[Mark], title: str, scale: MeasureFormat) -> str:
    """Return what the curve shows, for readers who do not see it."""
    curve = [mark for mark in marks if isinstance(mark, Fit)]
    excludes = sum(bool(m.text) for m in curve)
    return (
        f"{title}: {len(curve)} specifications give estimates from {scale.number(curve[0].y)} to "
        f"{scale.number(curve[-1].y)}; the interval of {excludes} excludes the null."
    )


OUTER, INNER = "#DDDDDD", "#A9CBE3"
MOST_LEVELS = 6
"""Levels of one choice that are drawn; of more, as many at even distances."""
OWN_HEADS = {
    "designs": "Designs", "inconsistent_data": "Inconsistent data", "method": "Estimator of τ²",
    "ci": "Interval",
}  # fmt: skip


def density_figure(
    curve: Sequence[CurveColumn], levels: Sequence[SpecificationLevel],
    summary: SpecificationSummary, title: str, scale: MeasureFormat,
) -> Figure:  # fmt: skip
    """Return the curve above, the frequency of the levels below, explained variance at the right.

    All rows are of one measure.
    """
    groups = _groups(levels)
    note = density_note(summary)
    low, high = axis_range([(c.estimate, c.low, c.high) for c in curve])
    ticks = ticks_of(low, high, scale)
    frame = _frame(title, ticks, 100.0, (low, high))
    matrix = frame.bottom + 3
    rows = sum(1 + len(group) for _, group in groups) + 1
    height = matrix + LEVEL * rows + len(groups) + 1
    figure, axes = titled_figure(title, WIDE, height + 3, note)
    _bands(axes, frame, curve, ticks, scale)
    excludes = np.array([c.excludes_null for c in curve])
    y = _tones(axes, frame, curve, "Interval excludes the null", excludes, matrix)
    shares = np.array([[float(x) for x in c.levels.split()] for c in curve])
    most = max((level.share or 0.0 for _, group in groups for _, level in group), default=0) or 1.0
    for name, group in groups:
        put(axes, MARGIN, y + 0.5 + LEVEL / 2, name, size=SMALL, weight="bold")
        y += LEVEL + 0.5
        barred: set[str] = set()
        for place, level in group:
            if level.choice not in barred:
                _explained_bar(axes, y, level.share or 0.0, most)
            barred.add(level.choice)
            y = _tones(axes, frame, curve, _words(level), shares[:, place], y)
        y += 0.5
    noted(axes, note, WIDE, height)
    return figure


def density_note(summary: SpecificationSummary) -> str:
    """Return what the figure shows, with its numbers of specifications."""
    return (
        f"{summary.specifications:,} specifications, sorted by estimate (line). Blue band: median "
        "limits of the intervals of neighbouring specifications; grey: 5 % of the lower limits are "
        "below it, 5 % of the upper above; both may continue beyond the frame. Rows: the darker, "
        "the more of the neighbouring "
        "specifications have the choice, from none (white) to all (black). Bars: share of the "
        "variance of the estimates that a choice explains alone. "
        f"{summary.same_sign or 0:.1f} % have the sign of the primary result; the intervals of "
        f"{summary.excludes_null or 0:.1f} % exclude the null."
    )


Group = list[tuple[int, SpecificationLevel]]


def _groups(levels: Sequence[SpecificationLevel]) -> list[tuple[str, Group]]:
    """Return the drawn levels under their heads, each with its place among all levels.

    Of a derivation or a rule of inclusion the primary level is what the others leave.
    """
    found: dict[str, Group] = {}
    numbered = enumerate(level for level in levels if level.level)
    for choice, all_levels in grouped(numbered, lambda item: item[1].choice).items():
        if len(all_levels) == 1:
            continue
        rule = {level.level for _, level in all_levels} == {"included", "excluded"}
        head = OWN_HEADS.get(choice) or ("Effects" if rule else "Derivation")
        shown = all_levels if choice in OWN_HEADS else all_levels[1:]
        if len(shown) > MOST_LEVELS:
            chosen = np.linspace(0, len(shown) - 1, MOST_LEVELS).round().astype(int)
            shown = [shown[i] for i in chosen]
        found.setdefault(head, []).extend(shown)
    return list(found.items())


def _words(level: SpecificationLevel) -> str:
    if level.choice in OWN_HEADS:
        return level_words(level.level)
    if level.level == "excluded":
        return level.choice
    return level_words(f"{level.choice}={level.level}")


def _bands(
    axes: Axes, frame: Frame, curve: Sequence[CurveColumn], ticks: Ticks, scale: MeasureFormat
) -> None:
    edges = [frame.x(edge) for c in curve for edge in (c.start, c.stop)]

    def steps(name: str) -> list[float]:
        values = (min(max(getattr(c, name), frame.y_low), frame.y_high) for c in curve)
        return [frame.y(value) for value in values for _ in range(2)]

    for low, high, color in (("low_outer", "high_outer", OUTER), ("low", "high", INNER)):
        outline = [*zip(edges, steps(low), strict=True),
                   *zip(reversed(edges), reversed(steps(high)), strict=True)]  # fmt: skip
        polygon(axes, outline, color, lw=0, zorder=2)
    axes.plot(edges, steps("estimate"), color=BLACK, lw=1.0, zorder=3)
    axes.plot([frame.left, frame.right], [frame.y(0.0)] * 2, color=BLUE, lw=0.6, zorder=2.5)
    _estimate_axis(axes, frame, ticks, scale)


def _tones(
    axes: Axes, frame: Frame, curve: Sequence[CurveColumn], label: str, shares: Array,
    y: float,
) -> float:  # fmt: skip
    """Draw a row whose tone is the share, percent, in each column; return where it ends."""
    put(axes, frame.left - 1.5, y + LEVEL / 2, label, size=SMALL, align="right")
    edges = [frame.x(curve[0].start), *(frame.x(c.stop) for c in curve)]
    axes.pcolormesh(edges, [y + 0.4, y + LEVEL - 0.4], shares[None, :], cmap="Greys", vmin=0.0,
                    vmax=100.0, rasterized=True)  # fmt: skip
    return y + LEVEL
