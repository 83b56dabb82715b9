"""Where each row, column and tick of a forest plot goes; nothing is drawn here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from matplotlib.ticker import MaxNLocator

from osteometa.figures.forest_rows import OVERALL, ForestRow, Scale
from osteometa.figures.presets import DROPPED, Preset
from osteometa.figures.style import BODY, SMALL, text_width, wrapped

MARGIN, GAP = 2.0, 2.0
NARROW_TOTAL = 12.0
"""A total narrower than this stands in the column of the control's n."""
ROW, LINE = 4.2, 3.3
LONGEST_LABEL = 40.0
NOTE_ROOM = 65.0
"""Notes end before a drawing that starts further right than this, mm."""
LEAST_PLOT = 30.0
"""Columns go, in a stated order, until the drawing is this wide."""
PAGE_ROWS = 60
LIGHT = 9.5
"""Width of the column of judgements, as wide as its head, mm."""
NUMBERS = ("exercise_n", "exercise_mean", "control_n", "control_mean", "unit", "effect", "weight")
MEANS = ("exercise_mean", "control_mean")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns stand, in mm from the left."""

    label: float
    label_width: float
    right: Mapping[str, float]
    """Right edge of each column of numbers that is shown."""
    plot_left: float
    plot_right: float
    risk_of_bias: float | None
    """Middle of the risk-of-bias lights; None where nobody judged or there is no room."""
    heads: Mapping[str, tuple[str, str]]
    """The two lines over each column of numbers."""

    def has(self, name: str) -> bool:
        """Tell whether a column is shown."""
        return name in self.right


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis: effects to mm."""

    low: float
    high: float
    left: float
    right: float
    ticks: tuple[tuple[float, str], ...]

    def x(self, value: float) -> float:
        """Return where an effect is drawn, kept inside the plot."""
        value = min(max(value, self.low), self.high)
        return self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left)


@dataclass(frozen=True, slots=True)
class Placed:
    """A row with its lines of text and its place."""

    row: ForestRow
    lines: tuple[str, ...]
    top: float
    height: float

    @property
    def middle(self) -> float:
        """Height of the row's marks and numbers."""
        return self.top + min(self.height, ROW) / 2


def place_columns(rows: Sequence[ForestRow], preset: Preset, width: float) -> Columns:
    """Return the columns of a figure of a width in mm; the plot takes what the texts leave.

    Where that is too little, columns are dropped in the order of `presets.DROPPED`.
    """
    shown = [name for name in preset.columns if not _empty(name, rows)]
    for dropped in ("", *DROPPED):
        shown = [name for name in shown if name != dropped]
        if not set(MEANS) & set(shown):
            shown = [name for name in shown if name != "unit"]
        columns = _columns(rows, shown, preset, width)
        if columns.plot_right - columns.plot_left >= LEAST_PLOT:
            break
    return columns


def _empty(name: str, rows: Sequence[ForestRow]) -> bool:
    """Tell whether a column would be empty: one arm only, no means printed, nothing weighed."""
    if name in ("label", "plot", "effect") or not any(row.kind == "study" for row in rows):
        return name == "risk_of_bias"
    if name == "control_n":
        # Totals of both arms stand there, where there are two.
        return not any(row.control_n or row.control_mean for row in rows) and any(
            row.exercise_n for row in rows
        )
    if name == "exercise_n":
        return False
    if name == "unit":
        return len(units_of(rows)) < 2  # one unit stands in the heads
    return not any(getattr(row, name) for row in rows)


def units_of(rows: Sequence[ForestRow]) -> set[str]:
    """Return the units of the means that are shown, percent changes aside."""
    return {row.unit for row in rows if row.unit}


def _columns(
    rows: Sequence[ForestRow], shown: Sequence[str], preset: Preset, width: float
) -> Columns:
    heads = _heads(preset, shown, units_of(rows))
    marks = max((text_width(row.marks, SMALL) for row in rows), default=0.0)
    labels = [row.label for row in rows if row.kind in ("study", "direction", "diamond")]
    widest = max([text_width(text, preset.size) for text in labels] + [22.0])
    label = min(widest + marks + 1.5, LONGEST_LABEL * (width / 183.0) ** 0.5)
    widths = {name: _width(name, rows, shown, heads, preset) for name in shown if name in NUMBERS}
    fixed = label + sum(widths.values()) + GAP * len(shown)
    fixed += 1.0 * sum(name in shown for name in ("control_n", "plot"))
    fixed += LIGHT if "risk_of_bias" in shown else 0.0
    plot = width - 2 * MARGIN - fixed
    right: dict[str, float] = {}
    x, plot_left, light = MARGIN, MARGIN, None
    for name in shown:
        if name == "label":
            x += label
        elif name == "plot":
            plot_left = x + GAP + 1
            x = plot_left + plot
        elif name == "risk_of_bias":
            light = x + GAP + LIGHT / 2
            x += GAP + LIGHT
        else:
            x += GAP + widths[name] + (1.0 if name == "control_n" else 0.0)
            right[name] = x
    return Columns(MARGIN, label - marks, right, plot_left, plot_left + plot, light, heads)


def _heads(preset: Preset, shown: Sequence[str], units: set[str]) -> dict[str, tuple[str, str]]:
    """Return the heads of the columns in two lines, so that they are no wider than numbers.

    The unit of all means stands with them, where there is only one.
    """
    a, b = ("[", "]") if preset.interval == "[a, b]" else ("(", ")")
    arms = {"exercise": "Exercise", "control": "Control"}
    over = {arm: "" if f"{arm}_mean" in shown else word for arm, word in arms.items()}
    of = {arm: f"{word}, {min(units)}" if len(units) == 1 else word for arm, word in arms.items()}
    return {
        "exercise_n": (over["exercise"], "n"), "exercise_mean": (of["exercise"], "Mean (SD)"),
        "control_n": (over["control"], "n"), "control_mean": (of["control"], "Mean (SD)"),
        "unit": ("", "Unit"),
        "effect": (preset.effect_head, f"{a}95 % CI{b}"), "weight": ("Weight", "%"),
    }  # fmt: skip


def _width(
    name: str, rows: Sequence[ForestRow], shown: Sequence[str],
    heads: Mapping[str, tuple[str, str]], preset: Preset,
) -> float:  # fmt: skip
    kinds = ("study", "diamond", "interval", *(("direction",) if name == "effect" else ()))
    bold = [text_width(getattr(r, name), preset.size, "bold") for r in rows if r.kind == "diamond"]
    texts = [getattr(row, name) for row in rows if row.kind in kinds]
    found = [text_width(text, preset.size) for text in texts]
    over, below = (text_width(head, preset.size, "bold") for head in heads[name])
    n = name.replace("mean", "n")
    if name in MEANS and n in shown:  # the upper head stands over the column of n too
        over -= _width(n, rows, shown, heads, preset) + GAP
    found += [*bold, over, below]
    if name == "control_n" and "control_mean" in shown:
        totals = [text_width(row.n_total, preset.size) for row in rows]
        found += [wide for wide in totals if wide < NARROW_TOTAL]
    elif name == "control_n" or (name == "exercise_n" and "control_n" not in shown):
        found += [text_width(row.n_total, preset.size) for row in rows]
    return max(found)


def place_rows(
    rows: Sequence[ForestRow], columns: Columns, top: float, width: float, size: float = BODY
) -> list[Placed]:
    """Return the rows from top to bottom, labels broken into lines."""
    placed = []
    for row in rows:
        wide = row.kind in ("note", "message", "heading")
        room = width - 2 * MARGIN if wide else columns.label_width
        if row.kind == "note" and columns.plot_left > NOTE_ROOM:
            room = columns.plot_left - MARGIN - 1.0  # so that the null line stays whole
        weight = "bold" if row.kind in ("heading", "diamond") else "normal"
        lines = wrapped(row.label, room, SMALL if row.kind == "note" else size, weight)
        height = ROW + LINE * (len(lines) - 1)
        starts = row.kind == "heading" or (row.kind == "diamond" and row.label.startswith(OVERALL))
        if starts and placed:
            top += 1.2
        placed.append(Placed(row, tuple(lines), top, height))
        top += height
    return placed


def pages_of(rows: Sequence[ForestRow], most: int = PAGE_ROWS) -> list[list[ForestRow]]:
    """Return the rows of each page; a block that goes on repeats its heading."""
    pages: list[list[ForestRow]] = [[]]
    heading: ForestRow | None = None
    for row in rows:
        page = pages[-1]
        if row.kind == "heading":
            heading = row
        # A heading does not end a page, and what belongs to a diamond stays with it.
        full = len(page) >= most and row.kind in ("heading", "study", "direction")
        if full or (row.kind == "heading" and len(page) >= most - 2):
            pages.append([])
            if row.kind != "heading" and heading is not None:
                name = heading.label.removesuffix(" (continued)")
                pages[-1].append(replace(heading, label=f"{name} (continued)"))
        pages[-1].append(row)
    return pages


def place_axis(rows: Sequence[ForestRow], columns: Columns, scale: Scale) -> Axis:
    """Return the axis: all studies, an interval far wider than the rest clipped."""
    studies = [row for row in rows if row.kind == "study"]
    typical = median(row.high - row.low for row in studies)
    lows = [max(row.low, row.estimate - 1.5 * typical) for row in studies]
    highs = [min(row.high, row.estimate + 1.5 * typical) for row in studies]
    low, high = min([*lows, 0.0]), max([*highs, 0.0])
    pad = 0.04 * (high - low)
    low, high = low - pad, high + pad
    ticks = tuple(ticks_of(low, high, scale))
    return Axis(low, high, columns.plot_left, columns.plot_right, ticks)


def ticks_of(low: float, high: float, scale: Scale) -> list[tuple[float, str]]:
    """Return round ticks on the scale that is shown, with their places and texts."""
    if scale.measure == "ROM" and not scale.percent:
        return _ratio_ticks(low, high)
    locator = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10])
    values = locator.tick_values(scale.shown(low), scale.shown(high))
    ticks = []
    for value in values:
        place = math.log1p(value / 100) if scale.percent and value > -100 else value
        if low <= place <= high:
            ticks.append((float(place), f"{value:g}".replace("-", "\N{MINUS SIGN}")))
    return ticks


def _ratio_ticks(low: float, high: float) -> list[tuple[float, str]]:
    choices = (
        (0.1, 0.2, 0.5, 1, 2, 5, 10), (0.25, 0.5, 1, 2, 4), (0.5, 0.7, 1, 1.4, 2),
        (0.8, 0.9, 1, 1.1, 1.2),
    )  # fmt: skip
    inside = [
        [(math.log(v), f"{v:g}") for v in values if low <= math.log(v) <= high]
        for values in choices
    ]
    return max(inside, key=lambda ticks: (min(len(ticks), 5), -len(ticks)))
