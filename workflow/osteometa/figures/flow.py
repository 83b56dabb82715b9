"""The PRISMA 2020 flow of studies (Page 2021), from counts that people entered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from osteometa.figures.chart import MARGIN, WIDE, Mark, title_height, titled
from osteometa.figures.style import BLACK, BLUE, SMALL, new_figure, put, wrapped

WORDS = {
    "identified_databases": "Records identified from databases",
    "identified_registers": "Records identified from registers",
    "removed_duplicates": "Duplicates removed",
    "removed_automation": "Marked ineligible by automation tools",
    "removed_other": "Removed for other reasons",
    "screened": "Records screened",
    "excluded": "Records excluded",
    "sought": "Reports sought for retrieval",
    "not_retrieved": "Reports not retrieved",
    "assessed": "Reports assessed for eligibility",
    "excluded_reports": "Reports excluded",
    "included_studies": "Studies included",
    "included_reports": "Reports of included studies",
}
STAGES = (
    ("Identification", ("identified_databases", "identified_registers"),
     ("removed_duplicates", "removed_automation", "removed_other")),
    ("Screening", ("screened",), ("excluded",)),
    ("", ("sought",), ("not_retrieved",)),
    ("", ("assessed",), ("excluded_reports",)),
    ("Included", ("included_studies", "included_reports"), ()),
)  # fmt: skip
BOX, GAP, LINE = 65.0, 15.0, 3.6


def flow_marks(boxes: Mapping[str, int]) -> list[Mark]:
    """Return a mark per box; an empty count is one that nobody entered."""
    return [
        Mark(kind="cell", group=name, label=words,
             size=None if name not in boxes else float(boxes[name]))
        for name, words in WORDS.items()
    ]  # fmt: skip


def flow_figure(marks: Sequence[Mark], title: str) -> Figure:
    """Return the flow: what stays at the left, what leaves at the right."""
    counts = {mark.group: mark.size for mark in marks}
    top = title_height(title, WIDE) + 2
    texts = [(_lines(main, counts), _lines(side, counts)) for _, main, side in STAGES]
    heights = [max(len(a), len(b)) * LINE + 4 for a, b in texts]
    figure, axes = new_figure(WIDE, top + sum(heights) + 7 * len(STAGES))
    titled(axes, title, WIDE)
    y = top
    left = 34.0
    for (stage, _, side), (main_text, side_text), height in zip(
        STAGES, texts, heights, strict=True
    ):
        if stage:
            axes.add_artist(Rectangle((MARGIN, y), 28, 6, facecolor=BLUE, lw=0, gid="stage"))
            axes.text(MARGIN + 14, y + 3, stage, fontsize=SMALL, fontweight="bold", ha="center",
                      va="center_baseline", color="white", gid="symbol")  # fmt: skip
        _box(axes, left, y, height, main_text)
        if side:
            x = left + BOX + GAP
            _box(axes, x, y, height, side_text)
            _arrow(axes, (left + BOX, y + height / 2), (x, y + height / 2))
        if (stage, side) != (STAGES[-1][0], STAGES[-1][2]):
            _arrow(axes, (left + BOX / 2, y + height), (left + BOX / 2, y + height + 7))
        y += height + 7
    return figure


def _lines(names: Sequence[str], counts: Mapping[str, float | None]) -> list[str]:
    lines = []
    for name in names:
        n = counts[name]
        number = "not entered" if n is None else f"n = {n:,.0f}"
        lines += wrapped(f"{WORDS[name]} ({number})", BOX - 4)
    return lines


def _box(axes, x: float, y: float, height: float, lines: Sequence[str]) -> None:
    for a, b in (((x, x + BOX), (y, y)), ((x, x + BOX), (y + height, y + height)),
                 ((x, x), (y, y + height)), ((x + BOX, x + BOX), (y, y + height))):  # fmt: skip
        axes.plot(a, b, color=BLACK, lw=0.6)
    start = y + height / 2 - LINE * (len(lines) - 1) / 2
    for index, line in enumerate(lines):
        put(axes, x + 2, start + LINE * index, line)


def _arrow(axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.plot([start[0], end[0]], [start[1], end[1]], color=BLACK, lw=0.7)
    dx, dy = (1.4, 0.7) if start[1] == end[1] else (0.7, 1.4)
    if start[1] == end[1]:
        xs, ys = [end[0] - dx, end[0], end[0] - dx], [end[1] - dy, end[1], end[1] + dy]
    else:
        xs, ys = [end[0] - dx, end[0], end[0] + dx], [end[1] - dy, end[1], end[1] - dy]
    axes.plot(xs, ys, color=BLACK, lw=0.7)


def flow_alt(marks: Sequence[Mark]) -> str:
    """Return what the flow says, for people who do not see it."""
    parts = [
        f"{mark.label.lower()} {'not entered' if mark.size is None else f'{mark.size:,.0f}'}"
        for mark in marks
    ]
    return f"PRISMA 2020 flow: {'; '.join(parts)}."
