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
from osteometa.figures.style import BLACK, BLUE, GREY, ORANGE, SMALL, new_figure, put

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
    groups = sorted({m.group for m in marks}, key=lambda g: (order[g.split(" ")[0]], g))
    most = {
        column: max((sum((m.group, m.shape) == (g, column) for m in marks) for g in groups),
                    default=0)
        for column in COLUMNS
    }  # fmt: skip
    room = WIDE - MARGIN - LABELS - 4 * len(COLUMNS)
    total = sum(max(n, 9) for n in most.values())
    width = min(3.2, room / total)
    row_height = UNIT * 4 + 4
    top = title_height(title, WIDE) + 6
    bottom = top + row_height * len(groups)
    figure, axes = new_figure(WIDE, bottom + note_height(NOTE, WIDE) + 3)
    titled(axes, title, WIDE)
    starts, x = {}, LABELS
    for column, (word, _) in COLUMNS.items():
        starts[column] = x
        put(axes, x, top - 3, word, weight="bold")
        x += max(most[column], 9) * width + 4
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
                axes.add_patch(
                    Rectangle(box, width * 0.82, height, facecolor=color, edgecolor=BLACK, lw=0.4,
                              hatch="////" if column == "mixed" else None, gid="bar")
                )  # fmt: skip
            end = starts[column] + max(most[column], 9) * width
            axes.plot([starts[column], end], [base, base], color=BLACK, lw=0.6)
            if chosen:
                put(axes, starts[column] + width * len(chosen) + 0.8, base - 2, str(len(chosen)),
                    size=SMALL, color=GREY)  # fmt: skip
    noted(axes, NOTE, WIDE, bottom)
    return figure


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
