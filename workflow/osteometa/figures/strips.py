"""One estimate with its interval per line: steps, sensitivity analyses, differences of types."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import (
    LINE,
    MARGIN,
    Frame,
    Interval,
    Mark,
    axis_range,
    diamond_points,
    draw_favours,
    draw_interval,
    draw_mark,
    draw_ticks,
    draw_tip,
    noted,
    title_height,
    titled_figure,
)
from osteometa.figures.forest.layout import ticks_of
from osteometa.figures.palette import BLACK, BLUE, GREY, SMALL, VERMILION, WIDE
from osteometa.figures.style import polygon, put, put_lines, text_width, wrapped
from osteometa.records.groups import grouped
from osteometa.records.pools import PooledRow, TypeContrast
from osteometa.records.sensitivity import SensitivityRow, StepRow
from osteometa.synthesis.words import contrast_label
from osteometa.wording.measure_format import Estimate, MeasureFormat, estimate_of
from osteometa.wording.numbers import p_text, sentence
from osteometa.wording.vocabulary import OVERALL

ROW = 4.2
PLOT = 60.0
"""Least width of the drawing, mm; it takes what the labels leave."""
BESIDE = 0.15
"""Share of the axis on either side of no effect at least, for the words of what it favours."""
SEQUENCES = {"year": "By year of publication", "precision": "By precision, most precise first"}


def step_marks(rows: Sequence[StepRow], overall: PooledRow) -> list[Mark]:
    """Return a line per step, a heading per sequence that needs one, and the pool of all."""
    marks: list[Mark] = []
    for sequence, chosen in grouped(rows, lambda row: row.sequence).items():
        if sequence in SEQUENCES:
            marks.append(Mark(kind="heading", label=SEQUENCES[sequence]))
        for row in chosen:
            mark = _interval(row, row.label, f"k = {row.k}; {p_text(row.p)}")
            marks.append(mark or Mark(kind="message", label=row.label, text=row.reason))
    return [*marks, *_all(overall)]


def sensitivity_marks(rows: Sequence[SensitivityRow], overall: PooledRow) -> list[Mark]:
    """Return the primary result, and a line per row of its pool and measure that differs."""
    chosen = [
        row for row in rows
        if row.row != "primary" and row.status == "ok"
        and (row.group, row.measure) == (OVERALL, overall.measure)
        and (row.k, estimate_of(row)) != (overall.k, estimate_of(overall))
    ]  # fmt: skip
    marks = [_interval(row, row.change, f"k = {row.k}") for row in chosen]
    return [*(mark for mark in marks if mark), *_all(overall)]


def contrast_marks(rows: Sequence[TypeContrast]) -> list[Mark]:
    """Return a line per pair of exercise types, hollow where one of them has a single study."""
    marks: list[Mark] = []
    for row in rows:
        found, label = estimate_of(row), sentence(contrast_label(row)).rstrip(".")
        if found is None:
            marks.append(Mark(kind="message", label=label, text=row.note))
            continue
        marks.append(
            Interval(
                label=label, x=found.value, low=found.low, high=found.high, group=row.status,
                shape="full" if row.status == "ok" else "hollow",
                text=f"k = {row.k_a} and {row.k_b}; {p_text(row.p_holm)}",
            )
        )  # fmt: skip
    return marks


def _interval(row: StepRow | SensitivityRow, label: str, text: str) -> Interval | None:
    found = estimate_of(row)
    if found is None:
        return None
    changed = bool(row.null_crossed or row.sign_changed)
    return Interval(label=label, x=found.value, low=found.low, high=found.high,
                    group="changed" if changed else "same", text=text)  # fmt: skip


def _all(overall: PooledRow) -> list[Interval]:
    found = estimate_of(overall)
    # Of two studies it is hollow, as in the forest plot.
    return [] if found is None else [
        Interval(
            kind="diamond", shape=overall.diamond, label="Primary result", x=found.value,
            low=found.low, high=found.high, group="primary", text=f"k = {overall.k}",
        )
    ]  # fmt: skip


def strip_figure(
    marks: Sequence[Mark], title: str, scale: MeasureFormat, head: str, favours: Sequence[str]
) -> Figure:
    """Return the plot, two columns wide and as high as its lines.

    `marks` are intervals, headings and messages from top to bottom, the primary result (a diamond)
    last where there is one; `head` says what they are, `favours` what effects below and above none
    mean.
    """
    sized = [mark for mark in marks if isinstance(mark, Interval)]
    effects = {id(m): scale.with_interval(m.x, m.low, m.high) for m in sized}
    what = "Effect" if marks[-1].kind == "diamond" else "Difference"
    over = f"{what} [95 % CI]" if scale.interval == "[a, b]" else f"{what} (95 % CI)"
    bold = [over, *(effects[id(m)] for m in sized if m.kind == "diamond")]
    effect_width = max(
        *(text_width(text) for text in effects.values()),
        *(text_width(text, weight="bold") for text in bold),
    )
    extra_width = max(text_width(m.text, SMALL) for m in sized)
    right = WIDE - MARGIN - extra_width - 6 - effect_width
    labels = (text_width(m.label, weight=_weight(m)) for m in marks)
    left = min(right - PLOT, MARGIN + 6 + max(text_width(head, weight="bold"), *labels))
    room = left - MARGIN - 4
    lines = {id(m): wrapped(m.label, room if isinstance(m, Interval) else WIDE / 2) for m in marks}
    heights = [
        ROW + LINE * (len(lines[id(m)]) - 1) + (1.2 if m.kind == "heading" else 0) for m in marks
    ]
    low, high = axis_range([(m.x, m.low, m.high) for m in sized], BESIDE)
    note = _note(marks, any(m.low < low or m.high > high for m in sized))
    top = title_height(title, WIDE) + 5.5
    bottom = top + sum(heights)
    figure, axes = titled_figure(title, WIDE, bottom + 13.8, note)
    for x, text, align in (
        (MARGIN, head, "left"), (right + 3 + effect_width, over, "right"),
    ):  # fmt: skip
        put(axes, x, top - 2.6, text, weight="bold", align=align)
    axes.plot([MARGIN, WIDE - MARGIN], [top - 0.3, top - 0.3], color=BLACK, lw=0.6)
    frame = Frame(left, right, top, bottom, low, high, 0.0, 1.0)
    _reference(axes, frame, marks[-1], top, bottom)
    y = top
    for mark, height in zip(marks, heights, strict=True):
        _line(axes, frame, mark, lines[id(mark)], y, effects.get(id(mark), ""), effect_width)
        y += height
    _axis(axes, frame, bottom, scale)
    draw_favours(axes, frame.x(0.0), bottom + 9.9, favours, WIDE)
    noted(axes, note, WIDE, bottom + 12.9)
    return figure


def _weight(mark: Mark) -> str:
    return "bold" if mark.kind == "heading" or mark.group == "primary" else "normal"


def _reference(axes: Axes, frame: Frame, last: Mark, top: float, bottom: float) -> None:
    axes.plot([frame.x(0.0)] * 2, [top, bottom], color=BLACK, lw=0.6, zorder=1)
    if isinstance(last, Interval) and last.kind == "diamond":
        x = frame.x(last.x)
        axes.plot([x, x], [top, bottom], color=BLUE, lw=0.6, dashes=(4, 2), zorder=1)


def _line(axes: Axes, frame: Frame, mark: Mark, lines: list[str], y: float, effect: str,
          effect_width: float) -> None:  # fmt: skip
    middle = y + ROW / 2 + (1.2 if mark.kind == "heading" else 0)
    bold = _weight(mark)
    put_lines(axes, MARGIN, middle, lines, weight=bold)
    if mark.kind == "message":
        put(axes, WIDE - MARGIN, middle, mark.text, size=SMALL, align="right", color=GREY)
    if not isinstance(mark, Interval):
        return
    if mark.kind == "diamond":
        _diamond(axes, frame, mark, middle)
    else:
        color = VERMILION if mark.group == "changed" else BLACK
        draw_interval(axes, frame, mark.low, mark.high, middle, color)
        if frame.x_low <= mark.x <= frame.x_high:
            shape = "triangle" if mark.group == "changed" else "square"
            hollow = mark.shape == "hollow"
            draw_mark(axes, frame.x(mark.x), middle, 1.7, shape, color, hollow=hollow)
    put(axes, frame.right + 3 + effect_width, middle, effect, align="right", weight=bold)
    put(axes, WIDE - MARGIN, middle, mark.text, size=SMALL, align="right", color=GREY)


def _diamond(axes: Axes, frame: Frame, mark: Interval, y: float) -> None:
    """Draw the primary result as wide as its interval, with an arrow where it continues."""
    points = diamond_points(frame, mark.x, mark.low, mark.high, y)
    fill = BLACK if mark.shape == "full" else "white"
    polygon(axes, points, fill, edgecolor=BLACK, lw=0.6, zorder=4, gid="diamond")
    for beyond, x, step in (
        (mark.low < frame.x_low, frame.left, -1.3), (mark.high > frame.x_high, frame.right, 1.3),
    ):  # fmt: skip
        if beyond:
            draw_tip(axes, [(x + step, y), (x, y - 0.9), (x, y + 0.9)], BLACK)


def _axis(axes: Axes, frame: Frame, bottom: float, scale: MeasureFormat) -> None:
    y = bottom + 0.6
    axes.plot([frame.left, frame.right], [y, y], color=BLACK, lw=0.6)
    draw_ticks(axes, frame.x, y, ticks_of(frame.x_low, frame.x_high, scale))
    put(axes, (frame.left + frame.right) / 2, y + 5.9, scale.title, size=SMALL, align="center")


def _note(marks: Sequence[Mark], clipped: bool) -> str:
    arrows = " Arrows: the interval continues." if clipped else ""
    if marks[-1].kind != "diamond":
        single = any(mark.shape == "hollow" for mark in marks)
        note = "k: studies of the first and of the second type; p adjusted by Holm's method."
        return note + (" Hollow: one of the types has a single study." if single else "") + arrows
    hollow = " (hollow: few studies)" if marks[-1].shape != "full" else ""
    note = f"Diamond{hollow} and dashed line: primary result; width of the diamond: its 95 % CI."
    if any(mark.group == "changed" for mark in marks):
        note += (
            " Triangles: the sign, or whether the interval includes the null, differs from the "
            "primary result."
        )
    return note + arrows


def strip_alt(marks: Sequence[Mark], title: str, scale: MeasureFormat) -> str:
    """Return what the plot shows, for readers who do not see it."""
    sized = [m for m in marks if isinstance(m, Interval) and m.kind == "interval"]
    if not sized:
        return f"{title}: the primary result only."
    low, high = min(m.x for m in sized), max(m.x for m in sized)
    changed = sum(m.group == "changed" for m in sized)
    return (
        f"{title}: {len(sized)} estimates from {scale.number(low)} to {scale.number(high)}; "
        f"{changed} differ from the primary result in sign or in whether the interval includes the "
        "null."
    )


def contrast_alt(marks: Sequence[Mark], title: str, scale: MeasureFormat) -> str:
    """Return what a plot of differences between types shows, for readers who do not see it."""
    sized = [mark for mark in marks if isinstance(mark, Interval)]
    shown = "; ".join(
        f"{mark.label} {scale.in_text(Estimate(mark.x, mark.low, mark.high))}" for mark in sized
    )
    return f"{title}: {shown}."
