"""The PRISMA 2020 flow of studies (Page 2021), from counts entered by the reviewers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from osteometa.figures.chart import MARGIN, Mark, title_height, titled
from osteometa.figures.palette import BLACK, BLUE, SMALL, WIDE
from osteometa.figures.style import new_figure, put, wrapped

WORDS = {
    "identified_databases": "Databases",
    "identified_registers": "Registers",
    "removed_duplicates": "Duplicate records removed",
    "removed_automation": "Marked as ineligible by automation tools",
    "removed_other": "Removed for other reasons",
    "screened": "Records screened",
    "excluded": "Records excluded",
    "sought": "Reports sought for retrieval",
    "not_retrieved": "Reports not retrieved",
    "assessed": "Reports assessed for eligibility",
    "excluded_reports": "Reports excluded",
    "included_studies": "Studies included in review",
    "included_reports": "Reports of included studies",
}
HEADS = {
    "identified_databases": "Records identified from:",
    "removed_duplicates": "Records removed before screening:",
}
"""Lines above the first count of a box, as the template of 2020 has them."""
REASON, REST = "reason", "Reason not entered"
ROUTE = "Identification of studies via databases and registers"
STAGES = (
    ("Identification", ("identified_databases", "identified_registers"),
     ("removed_duplicates", "removed_automation", "removed_other")),
    ("Screening", ("screened",), ("excluded",)),
    ("", ("sought",), ("not_retrieved",)),
    ("", ("assessed",), ("excluded_reports",)),
    ("Included", ("included_studies", "included_reports"), ()),
)  # fmt: skip
BOX, GAP, LINE, STEP = 65.0, 15.0, 3.6, 7.0
LEFT, BAR = 34.0, 6.0
"""Left edge of the boxes; height of the bar above them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box(Mark):
    """A count in a box of the flow, None where nobody entered it."""

    kind: str = "cell"
    size: float | None


def flow_marks(boxes: Mapping[str, int], reasons: Sequence[str] = ()) -> list[Box]:
    """Return a mark per box, and one per reason of an excluded report.

    Parameters
    ----------
    boxes : mapping of box to count
        An absent count is one that nobody entered.
    reasons : sequence of str
        Why each study was excluded that studies.csv lists as not included; what they leave of the
        reports excluded has no reason entered.
    """
    marks = [
        Box(group=name, label=words,
            size=None if name not in boxes else float(boxes[name]))
        for name, words in WORDS.items()
    ]  # fmt: skip
    counts = sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
    rest = boxes.get("excluded_reports", 0) - len(reasons)
    if counts and rest > 0:
        counts.append((REST, rest))
    return marks + [
        Box(group="excluded_reports", label=words, size=float(n), shape=REASON)
        for words, n in counts
    ]


def flow_figure(marks: Sequence[Box], title: str) -> Figure:
    """Return the flow: what stays at the left, what leaves at the right."""
    top = title_height(title, WIDE) + 2
    texts = [(_lines(main, marks), _lines(side, marks)) for _, main, side in STAGES]
    heights = [max(len(a), len(b)) * LINE + 4 for a, b in texts]
    figure, axes = new_figure(WIDE, top + BAR + sum(heights) + STEP * len(STAGES))
    titled(axes, title, WIDE)
    _bar(axes, LEFT, top, 2 * BOX + GAP, BAR, ROUTE, "#dadada", BLACK)
    y, x = top + BAR + STEP / 2, LEFT + BOX + GAP
    tops = [y + sum(heights[:n]) + STEP * n for n in range(len(STAGES))]
    ends = [t + h for t, h in zip(tops, heights, strict=True)]
    for number, ((stage, _, side), (main_text, side_text)) in enumerate(
        zip(STAGES, texts, strict=True)
    ):
        y, height = tops[number], heights[number]
        if stage:
            after = (n for n in range(number + 1, len(STAGES)) if STAGES[n][0])
            end = ends[next(after, len(STAGES)) - 1]
            _bar(axes, MARGIN, y, 28, end - y, stage, BLUE, "white")
        _box(axes, LEFT, y, height, main_text)
        if side:
            _box(axes, x, y, height, side_text)
            _arrow(axes, (LEFT + BOX, y + height / 2), (x, y + height / 2))
        if number < len(STAGES) - 1:
            _arrow(axes, (LEFT + BOX / 2, y + height), (LEFT + BOX / 2, y + height + STEP))
    return figure


def _bar(
    axes: Axes, x: float, y: float, width: float, height: float, text: str, color: str, ink: str
) -> None:
    axes.add_artist(Rectangle((x, y), width, height, facecolor=color, lw=0, gid="stage"))
    axes.text(x + width / 2, y + height / 2, text, fontsize=SMALL, fontweight="bold", ha="center",
              va="center_baseline", color=ink, gid="symbol")  # fmt: skip


def _lines(names: Sequence[str], marks: Sequence[Box]) -> list[str]:
    lines = []
    for name in names:
        lines += [HEADS[name]] if name in HEADS else []
        for mark in (m for m in marks if m.group == name):
            number = "not entered" if mark.size is None else f"n = {mark.size:,.0f}"
            dash = "– " if mark.shape == REASON else ""
            lines += wrapped(f"{dash}{mark.label} ({number})", BOX - 4)
    return lines


def _box(axes: Axes, x: float, y: float, height: float, lines: Sequence[str]) -> None:
    for a, b in (((x, x + BOX), (y, y)), ((x, x + BOX), (y + height, y + height)),
                 ((x, x), (y, y + height)), ((x + BOX, x + BOX), (y, y + height))):  # fmt: skip
        axes.plot(a, b, color=BLACK, lw=0.6)
    start = y + height / 2 - LINE * (len(lines) - 1) / 2
    for index, line in enumerate(lines):
        put(axes, x + 2, start + LINE * index, line)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.plot([start[0], end[0]], [start[1], end[1]], color=BLACK, lw=0.7)
    dx, dy = (1.4, 0.7) if start[1] == end[1] else (0.7, 1.4)
    if start[1] == end[1]:
        xs, ys = [end[0] - dx, end[0], end[0] - dx], [end[1] - dy, end[1], end[1] + dy]
    else:
        xs, ys = [end[0] - dx, end[0], end[0] + dx], [end[1] - dy, end[1], end[1] - dy]
    axes.plot(xs, ys, color=BLACK, lw=0.7)


def flow_alt(marks: Sequence[Box]) -> str:
    """Return what the flow shows, for readers who do not see it."""
    parts = [
        f"{mark.label.lower()} {'not entered' if mark.size is None else f'{mark.size:,.0f}'}"
        for mark in marks
    ]
    return f"PRISMA 2020 flow: {'; '.join(parts)}."
