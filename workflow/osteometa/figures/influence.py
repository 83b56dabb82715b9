"""The influence panel (Viechtbauer and Cheung 2010): seven diagnostics, one small chart each."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import (
    MARGIN,
    At,
    Frame,
    distinct_labels,
    draw_mark,
    noted,
    plain_ticks,
    title_height,
    titled_figure,
)
from osteometa.figures.palette import BLACK, BLUE, GREY, SMALL, VERMILION, WIDE
from osteometa.figures.style import put, text_width
from osteometa.numerics.influence_bounds import bounds_of, is_beyond
from osteometa.records.pools import PooledRow
from osteometa.records.sensitivity import InfluenceRow

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
NO_CHANGE = (1.0,)
"""The covariance ratio of a study that changes nothing: to compare with, no bound."""
WITHIN_SIGHT = 2.5
"""A bound this many times further out than every value is not drawn."""


def influence_marks(rows: Sequence[InfluenceRow], overall: PooledRow | None = None) -> list[At]:
    """Return a point per study and diagnostic, the usual bounds, and tau2 and Q of all studies."""
    k = overall.k_effects if overall else len(rows)
    whole = {"tau2_without": overall.tau2, "q_without": overall.q} if overall else {}
    lines = [
        At(kind="line", label="All studies", x=value, group=name)
        for name, value in whole.items()
        if value is not None
    ] + [
        At(kind="line", label="No change" if name == "cov_ratio" else "Usual bound",
             x=bound, group=name)
        for name in PANELS
        for bound in (NO_CHANGE if name == "cov_ratio" else bounds_of(name, k))
    ]  # fmt: skip
    labels = distinct_labels(rows)
    return lines + [
        At(
            kind="point", label=label, x=value, group=name, effect_id=row.effect_id,
            shape="beyond" if is_beyond(name, value, k) else "",
            text="influential" if row.influential else "",
        )
        for name in PANELS
        for row, label in zip(rows, labels, strict=True)
        if (value := getattr(row, name)) is not None
    ]  # fmt: skip


def influence_figure(marks: Sequence[At], title: str) -> Figure:
    """Return the panel: four charts beside each other, studies named at the left of each row."""
    points = [mark for mark in marks if mark.kind == "point"]
    labels = list(dict.fromkeys(mark.label for mark in points))
    strong = {mark.label for mark in points if mark.text == "influential"}
    room = min(max(text_width(label, SMALL, _weight(label, strong)) for label in labels), 42.0)
    note = "Dashed: usual bounds, where on the axis (covariance ratio: 1; τ², Q: all studies). "
    if any(mark.shape == "beyond" for mark in points):
        note += "Triangles: beyond a bound. "
    note += (
        "Bold: influential studies (DFFITS, Cook's distance or hat value beyond its bound)."
        if strong else "No study has DFFITS, Cook's distance or hat value beyond its bound."
    )  # fmt: skip
    top = title_height(title, WIDE) + 2
    body = ROW * len(labels)
    block = body + 14
    names = [name for name in PANELS if any(mark.group == name for mark in marks)]
    bands = -(-len(names) // COLUMNS)
    figure, axes = titled_figure(title, WIDE, top + block * bands + 2, note)
    step = (WIDE - 2 * MARGIN - room) / COLUMNS
    for index, name in enumerate(names):
        band, column = divmod(index, COLUMNS)
        y = top + block * band + 5
        left = MARGIN + room + step * column + 3
        chosen = [mark for mark in marks if mark.group == name]
        if column == 0:
            for row, label in enumerate(labels):
                put(axes, MARGIN, y + ROW * (row + 0.5), _cut(label, room, _weight(label, strong)),
                    size=SMALL, weight=_weight(label, strong))  # fmt: skip
        _chart(axes, chosen, labels, (left, left + step - 6, y, y + body))
    noted(axes, note, WIDE, top + block * bands)
    return figure


def _weight(label: str, strong: set[str]) -> str:
    return "bold" if label in strong else "normal"


def _cut(label: str, room: float, weight: str) -> str:
    if text_width(label, SMALL, weight) <= room:
        return label
    while text_width(f"{label}…", SMALL, weight) > room:
        label = label[:-1].rstrip()
    return f"{label}…"


def _chart(
    axes: Axes, chosen: Sequence[At], labels: list[str], box: tuple[float, float, float, float]
) -> None:
    left, right, top, bottom = box
    lines = [mark.x for mark in chosen if mark.kind == "line"]
    chosen = [mark for mark in chosen if mark.kind == "point"]
    values = [mark.x for mark in chosen]
    reach = WITHIN_SIGHT * max(abs(value) for value in values)
    bounds = [bound for bound in lines if abs(bound) <= reach]
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
        odd = mark.shape == "beyond"
        axes.plot([x, frame.x(mark.x)], [y, y], color=GREY, lw=0.6, zorder=2)
        draw_mark(axes, frame.x(mark.x), y, 1.6, "triangle" if odd else "circle",
                  VERMILION if odd else BLUE)  # fmt: skip
    axes.plot([left, right], [bottom + 0.5] * 2, color=BLACK, lw=0.6)
    free = left - 3
    for value, text in plain_ticks(frame.x_low, frame.x_high, 4):
        at, half = frame.x(value), text_width(text, SMALL) / 2
        axes.plot([at, at], [bottom + 0.5, bottom + 1.3], color=BLACK, lw=0.6)
        if at - half > free and at + half < right + 3:
            put(axes, at, bottom + 3.2, text, size=SMALL, align="center")
            free = at + half + 1


def influence_alt(marks: Sequence[At], title: str) -> str:
    """Return what the panel shows, for readers who do not see it."""
    strong = _names(mark for mark in marks if mark.text == "influential")
    far = _names(mark for mark in marks if (mark.group, mark.shape) == ("rstudent", "beyond"))
    return (
        f"{title}. Studies with DFFITS, Cook's distance or hat value beyond its bound: {strong}; "
        f"with a studentised residual beyond 1.96: {far}."
    )


def _names(marks: Iterable[At]) -> str:
    return ", ".join(dict.fromkeys(mark.label for mark in marks)) or "none"
