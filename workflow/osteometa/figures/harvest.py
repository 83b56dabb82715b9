"""The harvest plot: one bar per study's vote, by outcome, phase and direction (Ogilvie 2008)."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from osteometa.figures.chart import (
    MARGIN,
    WIDE,
    Mark,
    note_height,
    noted,
    title_height,
    titled,
)
from osteometa.figures.direction_plot import DirectionRow
from osteometa.figures.style import BLACK, BLUE, GREY, ORANGE, SMALL, new_figure, put, text_width

STRENGTH = {"rct": 4, "crossover_rct": 4, "nrct": 3, "uncontrolled": 2}
COLUMNS = {
    "down": ("Lower", ORANGE), "unknown": ("Not known", "white"), "mixed": ("Mixed or none", GREY),
    "up": ("Higher", BLUE),
}  # fmt: skip
PHASES = {"training": "Training", "acute": "Single bout"}
UNIT, LABELS = 2.0, 30.0
NOTE = (
    "One bar per study, phase and type of exercise. Height: randomised (tall), not randomised, "
    "uncontrolled (low). Significance is not shown."
)


def harvest_marks(rows: Sequence[DirectionRow]) -> list[Mark]:
    """Return a bar per vote."""
    return [
        Mark(
            kind="bar", label=row.label, x=float(STRENGTH[row.design]),
            group=f"{row.phase} {row.outcome}", shape=_column(row.direction), text=row.design,
        )
        for row in rows
    ]  # fmt: skip


def _column(direction: str) -> str:
    return "mixed" if direction in ("mixed", "zero") else direction


def harvest_figure(marks: Sequence[Mark], title: str) -> Figure:
    """Return the plot: a row per outcome and phase, a column per direction."""
    order = {phase: index for index, phase in enumerate(PHASES)}
    outcomes = list(dict.fromkeys(m.group.split(" ", 1)[1] for m in marks))
    groups = sorted(
        {m.group for m in marks},
        key=lambda g: (order[g.split(" ")[0]], outcomes.index(g.split(" ", 1)[1])),
    )
    most = {
        column: max((sum((m.group, m.shape) == (g, column) for m in marks) for g in groups),
                    default=0)
        for column in COLUMNS
    }  # fmt: skip
    width, rooms = _rooms(most)
    row_height = UNIT * 4 + 4
    top = title_height(title, WIDE) + 6
    bottom = top + row_height * len(groups)
    figure, axes = new_figure(WIDE, bottom + note_height(NOTE, WIDE) + 3)
    titled(axes, title, WIDE)
    starts, x = {}, LABELS
    for column, (word, _) in COLUMNS.items():
        starts[column] = x
        put(axes, x, top - 3, word, weight="bold")
        x += rooms[column] + 4
    for number, group in enumerate(groups):
        base = top + row_height * (number + 1) - 2
        phase, outcome = group.split(" ", 1)
        put(axes, MARGIN, base - 6, outcome, weight="bold")
        put(axes, MARGIN, base - 2.6, PHASES[phase], size=SMALL, color=GREY)
        for column, (_, color) in COLUMNS.items():
            chosen = sorted(
                (m for m in marks if (m.group, m.shape) == (group, column)), key=lambda m: -m.x
            )
            for place, mark in enumerate(chosen):
                height = UNIT * mark.x
                box = (starts[column] + width * place, base - height)
                axes.add_artist(
                    Rectangle(box, width * 0.82, height, facecolor=color, edgecolor=BLACK, lw=0.5,
                              hatch="////" if column == "mixed" else None, gid="bar")
                )  # fmt: skip
            end = starts[column] + rooms[column]
            axes.plot([starts[column], end], [base, base], color=BLACK, lw=0.6)
            if chosen:
                put(axes, starts[column] + width * len(chosen) + 0.8, base - 2, str(len(chosen)),
                    size=SMALL, color=GREY)  # fmt: skip
    noted(axes, NOTE, WIDE, bottom)
    return figure


def _rooms(most: dict[str, int]) -> tuple[float, dict[str, float]]:
    """Return the width of a bar and of each column, mm: as wide as its bars or its head."""
    heads = {column: text_width(word, weight="bold") for column, (word, _) in COLUMNS.items()}
    width = 3.2
    while True:
        # A count stands behind the last bar.
        rooms = {column: max(most[column] * width + 6, heads[column]) for column in COLUMNS}
        if width <= 0.2 or sum(rooms.values()) + 4 * len(COLUMNS) <= WIDE - MARGIN - LABELS:
            return width, rooms
        width -= 0.05


def harvest_alt(marks: Sequence[Mark], title: str) -> str:
    """Return what the plot says, for people who do not see it."""
    parts = []
    for group in dict.fromkeys(mark.group for mark in marks):
        counts = [
            f"{number} {word.lower()}"
            for column, (word, _) in COLUMNS.items()
            if (number := sum((m.group, m.shape) == (group, column) for m in marks))
        ]
        phase, outcome = group.split(" ", 1)
        parts.append(f"{outcome}, {PHASES[phase].lower()}: {', '.join(counts)}")
    return f"{title}. {'; '.join(parts)}."
