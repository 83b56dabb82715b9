"""The specification curve: all estimates of a multiverse, sorted, over the choices behind them."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from osteometa.figures.chart import (
    MARGIN,
    WIDE,
    Frame,
    Mark,
    note_height,
    noted,
    padded,
    tick_room,
    title_height,
    titled,
)
from osteometa.figures.forest_layout import ticks_of
from osteometa.figures.forest_rows import Scale
from osteometa.figures.style import BLACK, BLUE, GREY, ORANGE, SMALL, VERMILION, new_figure, put
from osteometa.records_explore import MultiverseRow, MultiverseShare

CHOICES = {
    "derivation": "Derivation",
    "people": "Effects",
    "designs": "Designs",
    "prints": "Prints",
    "tau2": "τ²",
    "ci": "Interval",
}
DERIVATIONS = {
    "baseline_mean": "baseline means × {}", "r": "assumed r {}",
    "rho": "correlation {} within a study", "rom_correction": "log ratios corrected",
    "shared_control": "common control divided", "training_time": "{} time of training",
    "smd_variance": "variance {} of SMD", "smd_post": "own SD of each arm (SMDH)",
    "smd_pre_post": "each arm by its own SD",
}  # fmt: skip
CURVE, LEVEL = 45.0, 3.3
LABELS, BARS = 46.0, 30.0


def specification_marks(
    rows: Sequence[MultiverseRow], shares: Sequence[MultiverseShare], measure: str
) -> list[Mark]:
    """Return an interval per specification, a dot per choice, a bar per explained share."""
    chosen = sorted((r for r in rows if r.measure == measure), key=lambda r: r.estimate)
    marks = []
    for place, row in enumerate(chosen, start=1):
        group = "primary" if row.primary else "excludes" if row.excludes_null else "holds"
        marks.append(
            Mark(kind="interval", label=str(row.specification), x=place, y=row.estimate,
                 low=row.ci_low, high=row.ci_high, group=group)
        )  # fmt: skip
    for choice in CHOICES:
        levels = list(dict.fromkeys(getattr(row, choice) for row in chosen))
        if len(levels) > 1:
            for level in sorted(levels, key=lambda name: (name not in FIRST, name)):
                marks += [
                    Mark(kind="cell", label=level_words(level), x=place, group=choice)
                    for place, row in enumerate(chosen, start=1)
                    if getattr(row, choice) == level
                ]
    marks += [
        Mark(kind="bar", group=share.choice, x=share.share, text=f"{share.share:.0f} %")
        for share in shares
        if share.measure == measure and share.choice in CHOICES and share.share is not None
    ]
    return marks


FIRST = ("primary", "all", "randomised", "undisputed", "REML", "hksj-floor")


def level_words(level: str) -> str:
    """Return one level of a choice in words."""
    key, _, value = level.partition("=")
    return DERIVATIONS[key].format(value) if key in DERIVATIONS and value else level


def specification_figure(marks: Sequence[Mark], title: str, scale: Scale) -> Figure:
    """Return the curve above, the matrix of choices below, explained variance at the right."""
    curve = [mark for mark in marks if mark.kind == "interval"]
    cells = [mark for mark in marks if mark.kind == "cell"]
    levels = list(dict.fromkeys((mark.group, mark.label) for mark in cells))
    groups = list(dict.fromkeys(group for group, _ in levels))
    bars = {mark.group: mark for mark in marks if mark.kind == "bar"}
    note = (
        f"{len(curve):,} specifications, sorted by estimate. Blue: the interval excludes no "
        "effect; grey: it does not; the line marks the primary one. Bars: how much of the variance "
        "of the estimates a choice explains by itself."
    )
    low, high = padded([*(m.low for m in curve), *(m.high for m in curve), 0.0], 0.04)
    typical = sorted(m.high - m.low for m in curve)[len(curve) // 2]
    low = max(low, min(m.y for m in curve) - 2.5 * typical)
    high = min(high, max(m.y for m in curve) + 2.5 * typical)
    low, high = min(low, 0.0), max(high, 0.0)
    ticks = ticks_of(low, high, scale)
    top = title_height(title, WIDE) + 5
    matrix = top + CURVE + 3
    height = matrix + sum(LEVEL * (1 + sum(g == name for g, _ in levels)) + 1 for name in groups)
    figure, axes = new_figure(WIDE, height + note_height(note, WIDE) + 3)
    titled(axes, title, WIDE)
    left = MARGIN + max(LABELS, tick_room(ticks))
    frame = Frame(
        left, WIDE - MARGIN - BARS - 4, top, top + CURVE, 0.0, len(curve) + 1.0, low, high
    )
    _curve(axes, frame, curve, ticks, scale)
    put(axes, WIDE - MARGIN - BARS, matrix - 1.5, "Variance explained", size=SMALL, weight="bold")
    _matrix(axes, frame, cells, groups, levels, bars, matrix)
    noted(axes, note, WIDE, height)
    return figure


def _curve(axes, frame: Frame, curve: Sequence[Mark], ticks, scale: Scale) -> None:
    axes.plot([frame.left, frame.right], [frame.y(0.0)] * 2, color=BLACK, lw=0.6, zorder=1)
    colors = {"excludes": BLUE, "holds": GREY, "primary": VERMILION}
    width = max(0.15, min(1.0, (frame.right - frame.left) / len(curve) * 2.0))
    for group, color in colors.items():
        chosen = [m for m in curve if m.group == group]
        if not chosen:
            continue
        tall = [(max(m.low, frame.y_low), min(m.high, frame.y_high)) for m in chosen]
        axes.vlines(
            [frame.x(m.x) for m in chosen], [frame.y(a) for a, _ in tall],
            [frame.y(b) for _, b in tall], color=color, lw=width, alpha=0.45, zorder=2,
            rasterized=len(curve) > 400,
        )  # fmt: skip
        axes.plot([frame.x(m.x) for m in chosen], [frame.y(m.y) for m in chosen], ls="", marker="o",
                  ms=1.2, mew=0, color=color, zorder=3, rasterized=len(curve) > 400)  # fmt: skip
        if group == "primary":
            x = frame.x(chosen[0].x)
            axes.plot([x, x], [frame.top, frame.bottom], color=color, lw=0.7, zorder=4)
    axes.plot([frame.left, frame.left], [frame.top, frame.bottom], color=BLACK, lw=0.6)
    for value, text in ticks:
        y = frame.y(value)
        axes.plot([frame.left - 0.9, frame.left], [y, y], color=BLACK, lw=0.6)
        put(axes, frame.left - 1.5, y, text, size=SMALL, align="right")
    put(axes, MARGIN, frame.top - 2.4, scale.title, size=SMALL)


def _matrix(axes, frame: Frame, cells, groups, levels, bars, top: float) -> None:
    y = top
    scale = max((bar.x for bar in bars.values()), default=1.0) or 1.0
    for name in groups:
        put(axes, MARGIN, y + LEVEL / 2, CHOICES[name], size=SMALL, weight="bold")
        if name in bars:
            start = WIDE - MARGIN - BARS
            width = (BARS - 10) * bars[name].x / scale
            axes.add_artist(
                Rectangle((start, y + 0.6), width, LEVEL - 1.2, facecolor=ORANGE, lw=0, gid="bar")
            )
            put(axes, start + width + 1, y + LEVEL / 2, bars[name].text, size=SMALL)
        y += LEVEL
        for group, label in levels:
            if group != name:
                continue
            put(axes, frame.left - 1.5, y + LEVEL / 2, label, size=SMALL, align="right")
            xs = [frame.x(m.x) for m in cells if (m.group, m.label) == (group, label)]
            axes.plot(xs, [y + LEVEL / 2] * len(xs), ls="", marker="|", ms=3.2, mew=0.35,
                      color=BLACK, rasterized=len(cells) > 2000)  # fmt: skip
            y += LEVEL
        y += 1


def specification_alt(marks: Sequence[Mark], title: str, scale: Scale) -> str:
    """Return what the curve says, for people who do not see it."""
    curve = [mark for mark in marks if mark.kind == "interval"]
    excludes = sum(not m.low <= 0 <= m.high for m in curve)
    return (
        f"{title}: {len(curve)} specifications give estimates from {scale.number(curve[0].y)} to "
        f"{scale.number(curve[-1].y)}; the interval of {excludes} excludes no effect."
    )
