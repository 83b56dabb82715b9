"""The albatross plot: p by direction against participants, with contours (Harrison 2017)."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import Frame, Point, draw_mark
from osteometa.figures.labels import Line, draw_labels, place_labels
from osteometa.figures.palette import BLACK, BLUE, GREY
from osteometa.figures.scatter import Ground, ground_figure
from osteometa.records.directions import AlbatrossPoint

FEWEST = 3
"""Studies that a page holds at least: fewer show no pattern."""
SIZES = ((0.2, (1, 1)), (0.5, (4, 2)), (1.0, (8, 2)))
"""Standardised effects of the curves, and their dashes."""
CURVES = {
    "controlled": "a standardised difference of 0.2 (dotted), 0.5 (dashed) and 1.0 (long dashes) "
    "between two equal arms would lie",
    "within_arm": "a mean change of 0.2 (dotted), 0.5 (dashed) and 1.0 (long dashes) SD of the "
    "change in one group would lie",
}
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def albatross_marks(rows: Sequence[AlbatrossPoint]) -> list[Point]:
    """Return a point per study: p against participants, left lower, right higher with exercise."""
    return [
        Point(
            label=row.label, y=float(row.n), group=row.origin,
            effect_id=row.effect_id, shape=row.design_class,
            x=(1 if row.direction == "up" else -1) * -math.log10(max(row.p, 1e-16)),
            text=f"{row.p:.3g}",
        )
        for row in rows
        if row.direction in ("up", "down")
    ]  # fmt: skip


def curve_p(size: float, n: float, design_class: str) -> float:
    """Return the two-sided p that a standardised effect has with n participants, by the normal.

    Geometry of the contours of the plot, by the published formula: no statistic of the review. Two
    equal arms: the variance of d is near 4/N, so z = d sqrt(N) / 2. One group, d in SDs of the
    change: z = d sqrt(n), the test of one mean (Harrison 2017). n counts all arms.
    """
    z = size * math.sqrt(n) / (2 if design_class == "controlled" else 1)
    return math.erfc(z / math.sqrt(2))


def albatross_figure(
    marks: Sequence[Point], title: str, design_class: str = "controlled", more: str = ""
) -> Figure:
    """Return the plot of one set; its curves are those of its design class.

    x is the signed log10 p (left of 0 lower, right of 0 higher with exercise), y participants;
    `more` are sentences that the note ends with.
    """
    widest = max(3.0, *(abs(m.x) for m in marks)) * 1.08
    most = max(m.y for m in marks)
    least = min(m.y for m in marks)
    y_range = math.log10(max(2.0, least * 0.7)), math.log10(most * 1.4)

    def draw(axes: Axes, frame: Frame) -> None:
        lines: list[Line] = [([frame.x(0.0)] * 2, [frame.top, frame.bottom])]
        axes.plot(*lines[0], color=BLACK, lw=0.6, zorder=1)
        for size, dashes in SIZES:
            for side in (-1, 1):
                line = _curve(frame, size, side, design_class)
                axes.plot(*line, color=GREY, lw=0.6, dashes=dashes, zorder=1, gid="curve")
                lines.append(line)
        points = []
        for m in sorted(marks, key=lambda m: -abs(m.x)):
            x, y = frame.x(m.x), frame.y(math.log10(m.y))
            draw_mark(axes, x, y, 1.7, "circle", BLUE, hollow=m.group != "effect")
            points.append((x, y, 2.0, m.label))
        draw_labels(axes, place_labels(points, frame, lines))

    ground = Ground(
        title=title, x=(-widest, widest), y=y_range, x_ticks=p_ticks(widest),
        y_ticks=[(math.log10(n), str(n)) for n in _people_ticks(*y_range)],
        # No-break spaces: an SVG would join plain ones.
        x_title=("\u00a0" * 3).join(
            ("← lower with exercise", "p (two-sided)", "higher with exercise →")
        ),
        y_title="Participants (log scale)",
        note=f"Lines: where {CURVES[design_class]}. Hollow: reported p; filled: p of an effect "
        f"estimate. {more}".strip(),
    )  # fmt: skip
    return ground_figure(ground, draw)


def p_ticks(widest: float) -> list[tuple[float, str]]:
    """Return ticks at powers of ten, as many on each side as have room, up to near the end."""
    step = math.ceil(widest / 4)
    powers = range(step, math.floor(widest) + 1, step)
    sides = [(float(side * n), _power(n)) for n in powers for side in (-1, 1)]
    return sorted([(0.0, "1"), *sides])


def _power(n: int) -> str:
    return f"{10.0**-n:g}" if n <= 3 else f"10⁻{str(n).translate(SUPERSCRIPTS)}"


def _people_ticks(low: float, high: float) -> list[int]:
    """Return round numbers of participants between two log10, at least two if there are."""
    for steps in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7), tuple(range(1, 10)), range(10, 100)):
        found = sorted(
            {round(step * 10**power) for step in steps for power in range(5)
             if low <= math.log10(step * 10**power) <= high and step * 10**power >= 1}
        )  # fmt: skip
        if len(found) > 1:
            break
    return found


def _curve(frame: Frame, size: float, side: int, design_class: str) -> Line:
    xs, ys = [], []
    for step in range(81):
        logn = frame.y_low + (frame.y_high - frame.y_low) * step / 80
        p = curve_p(size, 10**logn, design_class)
        x = side * -math.log10(p) if p > 0 else side * 400.0
        if abs(x) <= frame.x_high:
            xs.append(frame.x(x))
            ys.append(frame.y(logn))
    return xs, ys
