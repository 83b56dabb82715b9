"""The PRISMA 2020 flow of studies (Page 2021), from counts entered by the reviewers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import MARGIN, Mark, title_height, titled_figure
from osteometa.figures.palette import BLACK, BLUE, SMALL, WIDE
from osteometa.figures.style import put_lines, rectangle, wrapped
from osteometa.records.groups import grouped

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
    "identified_websites": "Websites",
    "identified_organisations": "Organisations",
    "identified_citations": "Citation searching",
    "identified_other": "Other",
    "sought_other": "Reports sought for retrieval",
    "not_retrieved_other": "Reports not retrieved",
    "assessed_other": "Reports assessed for eligibility",
    "excluded_reports_other": "Reports excluded",
    "included_studies": "Studies included in review",
    "included_reports": "Reports of included studies",
}
HEADS = {
    "identified_databases": "Records identified from:",
    "removed_duplicates": "Records removed before screening:",
    "identified_websites": "Records identified from:",
}
"""Lines above the first count of a box, as the template of 2020 has them."""
REASON, REST = "reason", "Reason not entered"
ROUTES = (
    "Identification of studies via databases and registers",
    "Identification of studies via other methods",
)
STAGES = (
    ("Identification", ("identified_databases", "identified_registers"),
     ("removed_duplicates", "removed_automation", "removed_other"),
     ("identified_websites", "identified_organisations", "identified_citations",
      "identified_other"), ()),
    ("Screening", ("screened",), ("excluded",), (), ()),
    ("", ("sought",), ("not_retrieved",), ("sought_other",), ("not_retrieved_other",)),
    ("", ("assessed",), ("excluded_reports",), ("assessed_other",), ("excluded_reports_other",)),
    ("Included", ("included_studies", "included_reports"), (), (), ()),
)  # fmt: skip
"""Of each row of boxes its stage, and what stands in its columns."""
OTHER = {name for _, _, _, *columns in STAGES for column in columns for name in column}
LINE, STEP, BAR = 3.6, 7.0, 6.0
"""Height of a line, of the space between rows, and of the bar above the boxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Left edge of the first column, width of a column, space after it, all in mm."""

    left: float
    box: float
    gap: float
    number: int

    def edge(self, column: int) -> float:
        """Return the left edge of a column."""
        return self.left + column * (self.box + self.gap)


TWO = Columns(left=34.0, box=65.0, gap=15.0, number=2)
FOUR = Columns(left=12.0, box=38.5, gap=5.0, number=4)
"""With other methods, which the template of 2020 sets beside the databases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box(Mark):
    """A count in a box of the flow, None where nobody entered it."""

    kind: str = "cell"
    size: float | None


def flow_marks(boxes: Mapping[str, int], reasons: Iterable[tuple[str, str, int]] = ()) -> list[Box]:
    """Return a mark per box, and one per reason of an excluded report.

    An absent count is one that nobody entered. `reasons` (box, reason, count) say why reports were
    excluded; what they leave of the whole box has no reason entered.
    """
    others = OTHER.isdisjoint(boxes)
    marks = [
        Box(group=name, label=words,
            size=None if name not in boxes else float(boxes[name]))
        for name, words in WORDS.items()
        if not (others and name in OTHER)
    ]  # fmt: skip
    for box, given in grouped(reasons, lambda reason: reason[0]).items():
        counts = [(words, n) for _, words, n in sorted(given, key=lambda r: (-r[2], r[1]))]
        rest = boxes.get(box, 0) - sum(n for _, n in counts)
        if rest > 0:
            counts.append((REST, rest))
        marks += [Box(group=box, label=words, size=float(n), shape=REASON) for words, n in counts]
    return marks


def flow_figure(marks: Sequence[Box], title: str) -> Figure:
    """Return the flow: a column of what stays and one of what leaves, of each way of searching."""
    columns = TWO if OTHER.isdisjoint(mark.group for mark in marks) else FOUR
    texts = [
        [_lines(names, marks, columns.box - 4) for names in row[: columns.number]]
        for _, *row in STAGES
    ]
    heights = [max(map(len, row)) * LINE + 4 for row in texts]
    top = title_height(title, WIDE) + 2
    height = top + BAR + sum(heights) + STEP * len(STAGES)
    figure, axes = titled_figure(title, WIDE, height)
    for route in range(columns.number // 2):
        _bar(axes, columns.edge(2 * route), top, 2 * columns.box + columns.gap, BAR, ROUTES[route])
    first = top + BAR + STEP / 2
    tops = [first + sum(heights[:n]) + STEP * n for n in range(len(STAGES))]
    _stages(axes, [(t, t + h) for t, h in zip(tops, heights, strict=True)], columns)
    for number, (y, height, row) in enumerate(zip(tops, heights, texts, strict=True)):
        for column, text in enumerate(row):
            if text:
                _box(axes, columns.edge(column), y, height, text, columns.box)
                _leads(axes, columns, column, number, tops, heights)
    return figure


def _leads(
    axes: Axes, columns: Columns, column: int, number: int, tops: list[float], heights: list[float]
) -> None:
    """Draw the arrow into a box: from its left if it says what leaves, else from above."""
    x, y = columns.edge(column), tops[number] + heights[number] / 2
    if column % 2:
        _arrow(axes, (x - columns.gap, y), (x, y))
        return
    sources = [n for n in range(number) if STAGES[n][column + 1]]
    if sources:
        x, above = x + columns.box / 2, sources[-1]
        _arrow(axes, (x, tops[above] + heights[above]), (x, tops[number]))
    if number == len(STAGES) - 1 and columns is FOUR:
        x, above = columns.edge(2) + columns.box / 2, tops[number - 1] + heights[number - 1]
        axes.plot([x, x], [above, y], color=BLACK, lw=0.7)
        _arrow(axes, (x, y), (columns.edge(0) + columns.box, y))


def _stages(axes: Axes, spans: Sequence[tuple[float, float]], columns: Columns) -> None:
    """Draw the bar of each stage, beside all of its rows."""
    starts = [number for number, stage in enumerate(STAGES) if stage[0]]
    for start, end in zip(starts, [*starts[1:], len(STAGES)], strict=True):
        y, width = spans[start][0], columns.left - MARGIN - (6.0 if columns is TWO else 3.0)
        _bar(axes, MARGIN, y, width, spans[end - 1][1] - y, STAGES[start][0], stage=True)


def _bar(
    axes: Axes, x: float, y: float, width: float, height: float, text: str, *, stage: bool = False
) -> None:
    """Draw a bar with its words, upright where it is narrow."""
    color, ink = (BLUE, "white") if stage else ("#dadada", BLACK)
    rectangle(axes, x, y, width, height, color, lw=0, gid="stage")
    axes.text(x + width / 2, y + height / 2, text, fontsize=SMALL, fontweight="bold", ha="center",
              va="center" if height > 2 * width else "center_baseline", color=ink, gid="symbol",
              rotation=90 if height > 2 * width else 0)  # fmt: skip


def _lines(names: Sequence[str], marks: Sequence[Box], width: float) -> list[str]:
    lines = []
    for name in names:
        lines += wrapped(HEADS[name], width) if name in HEADS else []
        for mark in (m for m in marks if m.group == name):
            number = "not entered" if mark.size is None else f"n = {mark.size:,.0f}"
            number = number.replace(" ", "\N{NO-BREAK SPACE}")
            dash = "– " if mark.shape == REASON else ""
            lines += wrapped(f"{dash}{mark.label} ({number})", width)
    return lines


def _box(axes: Axes, x: float, y: float, height: float, lines: Sequence[str], width: float) -> None:
    for a, b in (((x, x + width), (y, y)), ((x, x + width), (y + height, y + height)),
                 ((x, x), (y, y + height)), ((x + width, x + width), (y, y + height))):  # fmt: skip
        axes.plot(a, b, color=BLACK, lw=0.6)
    put_lines(axes, x + 2, y + height / 2 - LINE * (len(lines) - 1) / 2, lines, LINE)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow along one axis."""
    axes.plot([start[0], end[0]], [start[1], end[1]], color=BLACK, lw=0.7)
    (x, y), back = end, 1.4 if end[0] >= start[0] else -1.4
    if start[1] == end[1]:
        axes.plot([x - back, x, x - back], [y - 0.7, y, y + 0.7], color=BLACK, lw=0.7)
    else:
        axes.plot([x - 0.7, x, x + 0.7], [y - 1.4, y, y - 1.4], color=BLACK, lw=0.7)


def flow_alt(marks: Sequence[Box]) -> str:
    """Return what the flow shows, for readers who do not see it."""
    parts = [
        f"{mark.label.lower()} {'not entered' if mark.size is None else f'{mark.size:,.0f}'}"
        for mark in marks
    ]
    return f"PRISMA 2020 flow: {'; '.join(parts)}."
