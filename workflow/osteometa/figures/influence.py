"""The influence panel: seven diagnostics of each study, one small chart each.

The diagnostics and their bounds are those of Viechtbauer and Cheung (2010).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from osteometa.figures.chart import (
    MARGIN,
    WIDE,
    Frame,
    Mark,
    draw_mark,
    note_height,
    noted,
    plain_ticks,
    title_height,
    titled,
)
from osteometa.figures.style import (
    BLACK,
    BLUE,
    GREY,
    SMALL,
    VERMILION,
    new_figure,
    put,
    text_width,
)
from osteometa.records import PooledRow
from osteometa.records_explore import InfluenceRow

PANELS = {
    "rstudent": "Studentised residual",
    "dffits": "DFFITS",
    "cook_d": "Cook's distance",
    "hat": "Hat value",
    "cov_ratio": "Covariance ratio",
    "tau2_without": "τ² without the study",
    "q_without": "Q without the study",
}
ROW = 3.6
COLUMNS = 4
WITHIN_SIGHT = 2.5
"""A bound this many times further out than every value is not drawn."""


def bounds_of(name: str, k: int) -> tuple[float, ...]:
    """Return the usual bounds of a diagnostic of k studies, where it has any."""
    return {
        "rstudent": (-1.959964, 1.959964),
        "dffits": (-3 * math.sqrt(1 / (k - 1)), 3 * math.sqrt(1 / (k - 1))),
        "cook_d": (0.454936,),  # the median of chi-square on 1 df
        "hat": (3 / k,),
        "cov_ratio": (1.0,),
    }.get(name, ())


def influence_marks(rows: Sequence[InfluenceRow], overall: PooledRow | None = None) -> list[Mark]:
    """Return a point per study and diagnostic, and the heterogeneity with all studies."""
    whole = {"tau2_without": overall.tau2, "q_without": overall.q} if overall else {}
    lines = [
        Mark(kind="line", label="All studies", x=value, group=name)
        for name, value in whole.items()
        if value is not None
    ]
    return lines + [
        Mark(
            kind="point", label=row.label, x=getattr(row, name), group=name,
            effect_id=row.effect_id, shape="influential" if row.influential else "",
        )
        for name in PANELS
        for row in rows
        if getattr(row, name) is not None
    ]  # fmt: skip


def influence_figure(marks: Sequence[Mark], title: str) -> Figure:
    """Return the panel: four charts beside each other, studies named at the left of each row."""
    labels = list(dict.fromkeys(mark.label for mark in marks if mark.kind == "point"))
    room = min(max(text_width(label, SMALL) for label in labels), 42.0)
    odd = any(mark.shape == "influential" for mark in marks)
    note = "Dashed: usual bounds, where in sight (covariance ratio: 1; τ², Q: all studies). " + (
        "Triangles: studies that move the result (DFFITS, Cook's distance or hat beyond its bound)."
        if odd else "No study has DFFITS, Cook's distance or hat beyond its bound."
    )  # fmt: skip
    top = title_height(title, WIDE) + 2
    body = ROW * len(labels)
    block = body + 14
    names = [name for name in PANELS if any(mark.group == name for mark in marks)]
    bands = -(-len(names) // COLUMNS)
    figure, axes = new_figure(WIDE, top + block * bands + note_height(note, WIDE) + 2)
    titled(axes, title, WIDE)
    step = (WIDE - 2 * MARGIN - room) / COLUMNS
    for index, name in enumerate(names):
        band, column = divmod(index, COLUMNS)
        y = top + block * band + 5
        left = MARGIN + room + step * column + 3
        chosen = [mark for mark in marks if mark.group == name]
        if column == 0:
            for row, label in enumerate(labels):
                put(axes, MARGIN, y + ROW * (row + 0.5), _cut(label, room), size=SMALL)
        _chart(axes, chosen, labels, (left, left + step - 6, y, y + body))
    noted(axes, note, WIDE, top + block * bands)
    return figure


def _cut(label: str, room: float) -> str:
    if text_width(label, SMALL) <= room:
        return label
    while text_width(f"{label}…", SMALL) > room:
        label = label[:-1].rstrip()
    return f"{label}…"


def _chart(
    axes, chosen: Sequence[Mark], labels: list[str], box: tuple[float, float, float, float]
) -> None:
    left, right, top, bottom = box
    lines = [mark.x for mark in chosen if mark.kind == "line"]
    chosen = [mark for mark in chosen if mark.kind == "point"]
    values = [mark.x for mark in chosen]
    reach = WITHIN_SIGHT * max(abs(value) for value in values)
    bounds = [*lines, *bounds_of(chosen[0].group, len(labels))]
    bounds = [bound for bound in bounds if abs(bound) <= reach]
    low, high = min([*values, *bounds, 0.0]), max([*values, *bounds, 0.0])
    pad = 0.06 * (high - low) or 1.0
    frame = Frame(left, right, top, bottom, low - pad, high + pad, 0.0, 1.0)
    put(axes, left, top - 2.2, PANELS[chosen[0].group], size=SMALL, weight="bold")
    x = frame.x(0.0)
    axes.plot([x, x], [top, bottom], color=GREY, lw=0.6, zorder=1)
    for bound in bounds:
        axes.plot([frame.x(bound)] * 2, [top, bottom], color=GREY, lw=0.6, dashes=(4, 2), zorder=1)
    for mark in chosen:
        y = top + ROW * (labels.index(mark.label) + 0.5)
        odd = mark.shape == "influential"
        axes.plot([x, frame.x(mark.x)], [y, y], color=GREY, lw=0.6, zorder=2)
        draw_mark(axes, frame.x(mark.x), y, 1.6, "triangle" if odd else "circle",
                  VERMILION if odd else BLUE)  # fmt: skip
    axes.plot([left, right], [bottom + 0.5] * 2, color=BLACK, lw=0.6)
    free = left - 3
    for value, text in plain_ticks(low, high, 4):
        at, half = frame.x(value), text_width(text, SMALL) / 2
        axes.plot([at, at], [bottom + 0.5, bottom + 1.3], color=BLACK, lw=0.6)
        if at - half > free:
            put(axes, at, bottom + 3.2, text, size=SMALL, align="center")
            free = at + half + 1


def influence_alt(marks: Sequence[Mark], title: str) -> str:
    """Return what the panel says, for people who do not see it."""
    odd = list(dict.fromkeys(mark.label for mark in marks if mark.shape == "influential"))
    words = ", ".join(odd) or "none"
    return f"{title}: influence of each study on the pool. Studies beyond a usual bound: {words}."
