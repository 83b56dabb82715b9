"""The position of each row, column and tick of a forest plot; nothing is drawn here."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from matplotlib.ticker import MaxNLocator

from osteometa.figures.forest.rows import Diamond, ForestRow, Study
from osteometa.figures.palette import BODY, SMALL
from osteometa.figures.settings import DROPPED, Preset
from osteometa.figures.style import LINE, text_width, wrapped
from osteometa.wording.measure_format import MeasureFormat
from osteometa.wording.vocabulary import OVERALL, MeansKind

MARGIN, GAP = 2.0, 2.0
ROW = 4.2
LONGEST_LABEL = 40.0
LONGER = 8.0
"""How much wider the labels may be so that no word of them is cut, mm."""
NOTE_ROOM = 65.0
"""Notes end before a drawing that starts further right than this, mm; short ones always."""
LEAST_NOTE = 25.0
BEFORE = 1.2
"""Room before a heading and before the pool of all, mm."""
REACH = 5.0
"""How many widths of a usual interval from the middle the axis reaches, at most."""
LAST_PLOT = 18.0
"""The drawing gives way to the last column that can go until it is this narrow, mm."""
NARROW = 100.0
"""A figure of one column of a journal is narrower than this, mm."""
ARMS = ("exercise_n", "exercise_mean", "control_n", "control_mean", "unit")
NUMBERS = (*ARMS, "effect", "weight")
MEANS = ("exercise_mean", "control_mean")
PERCENT = "%"
FAST = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the columns, in mm from the left."""

    label: float
    label_width: float
    right: Mapping[str, float]
    """Right edge of each column of numbers that is shown."""
    plot_left: float
    plot_right: float
    risk_of_bias: float | None
    """Middle of the risk-of-bias lights; None where nobody judged or there is no room."""
    heads: Mapping[str, tuple[str, str]]
    """The two lines over each column of numbers, and over the lights."""


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
        return self.place(min(max(value, self.low), self.high))

    def place(self, value: float) -> float:
        """Return where an effect lies, also beyond the ends of the axis."""
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

    Where that is too little, columns are dropped in the order of `settings.DROPPED`; then those
    for which there is room again come back, the last dropped first.
    """
    shown = [name for name in preset.columns if not _empty(name, rows)]
    units = len(units_of(rows)) > 1

    def placed(left_out: set[str]) -> Columns:
        names = [name for name in shown if name not in left_out]
        if not units or not set(MEANS) & set(names):
            names = [name for name in names if name != "unit"]
        return _columns(rows, names, preset, width)

    def fits(left_out: set[str]) -> bool:
        columns = placed(left_out)
        last = set().union(*DROPPED[:-1]) <= left_out
        least = LAST_PLOT if last else least_plot(width)
        return columns.plot_right - columns.plot_left >= least

    gone = 0
    while gone < len(DROPPED) and not fits(set().union(*DROPPED[:gone])):
        gone += 1
    left_out: set[str] = set().union(*DROPPED[:gone])
    for group in reversed(DROPPED[:gone]):
        if fits(left_out - set(group)):
            left_out -= set(group)
    return placed(left_out)


def least_plot(width: float) -> float:
    """Return how wide the drawing must be in a figure of a width, mm."""
    return 30.0 if width > NARROW else 24.0


def _empty(name: str, rows: Sequence[ForestRow]) -> bool:
    """Return whether a column would be empty: one arm only, no means reported, nothing weighed."""
    if name in ("label", "plot", "effect") or not any(row.kind == "study" for row in rows):
        return name == "risk_of_bias"
    return not any(getattr(row, name) for row in rows)


def units_of(rows: Sequence[ForestRow]) -> set[str]:
    """Return the units of the means that are shown; the cells of percent changes have theirs."""
    percent = any(row.means_kind == MeansKind.PCT_CHANGE for row in rows)
    return {row.unit for row in rows if row.unit} | ({PERCENT} if percent else set())


def _columns(
    rows: Sequence[ForestRow], shown: Sequence[str], preset: Preset, width: float
) -> Columns:
    heads = _heads(preset, shown, units_of(rows), width)
    marks = max((text_width(row.marks, SMALL) for row in rows), default=0.0)
    labels = [row.label for row in rows if row.kind in ("study", "direction", "diamond")]
    widest = max([text_width(text, preset.size) for text in labels] + [22.0])
    label = min(widest + marks + 1.5, LONGEST_LABEL * (0.6 if width <= NARROW else 1.0))
    if not set(ARMS) & set(shown):  # else it may reach over them
        widest = max(
            [widest, *(text_width(r.label, preset.size) for r in rows if r.kind == "interval")]
        )
    lights = max(text_width(text, SMALL, "bold") for text in heads["risk_of_bias"]) + 0.4
    widths = {name: _width(name, rows, shown, heads, preset) for name in shown if name in NUMBERS}
    fixed = label + sum(widths.values()) + GAP * len(shown)
    fixed += 1.0 * sum(name in shown for name in ("control_n", "plot"))
    fixed += lights if "risk_of_bias" in shown else 0.0
    plot = width - 2 * MARGIN - fixed
    words = [word for text in labels for word in text.split()]
    word = max((text_width(text, preset.size) for text in words), default=0.0) + marks + 0.5
    stays = 70.0 if width > NARROW else 28.0  # where labels are longer than usual
    more = max(
        0.0,
        min(widest + marks + 1.5 - label, plot - stays),
        min(word - label, plot - least_plot(width), LONGER),
    )
    label, plot = label + more, plot - more
    right: dict[str, float] = {}
    x, plot_left, light = MARGIN, MARGIN, None
    for name in shown:
        if name == "label":
            x += label
        elif name == "plot":
            plot_left = x + GAP + 1
            x = plot_left + plot
        elif name == "risk_of_bias":
            light = x + GAP + lights / 2
            x += GAP + lights
        else:
            x += GAP + widths[name] + (1.0 if name == "control_n" else 0.0)
            right[name] = x
    return Columns(MARGIN, label - marks, right, plot_left, plot_left + plot, light, heads)


def _heads(
    preset: Preset, shown: Sequence[str], units: set[str], width: float
) -> dict[str, tuple[str, str]]:
    """Return the heads of the columns in two lines, so that they are no wider than numbers.

    The unit of all means stands with them, where there is only one.
    """
    a, b = ("[", "]") if preset.interval == "[a, b]" else ("(", ")")
    arms = {"exercise": "Exercise", "control": "Control"}
    over = {arm: "" if f"{arm}_mean" in shown else word for arm, word in arms.items()}
    named = f", {min(units)}" if len(units) == 1 and PERCENT not in units else ""
    of = {arm: word + named for arm, word in arms.items()}
    return {
        "exercise_n": (over["exercise"], "n"), "exercise_mean": (of["exercise"], "Mean (SD)"),
        "control_n": (over["control"], "n"), "control_mean": (of["control"], "Mean (SD)"),
        "unit": ("", "Unit"),
        "risk_of_bias": ("Risk", "of bias") if width > NARROW else ("", "RoB"),
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
    if name in MEANS and n in shown:  # the upper head spans the column of n too
        over -= _width(n, rows, shown, heads, preset) + GAP
    found += [*bold, over, below]
    if name == "effect":  # room for the marks of directions
        found += [text_width(r.effect, preset.size) + 4.5 for r in rows if r.kind == "direction"]
    return max(found)


def place_rows(
    rows: Sequence[ForestRow], columns: Columns, top: float, width: float, size: float = BODY
) -> list[Placed]:
    """Return the rows from top to bottom, labels broken into lines."""
    before = columns.plot_left - MARGIN - 1.0
    notes = [unbroken(row.label) for row in rows if row.kind == "note"]
    # One long note interrupts the line anyway.
    short = before > LEAST_NOTE and all(len(wrapped(n, before, SMALL)) <= 2 for n in notes)
    beside = columns.plot_left > NOTE_ROOM or short
    placed = []
    for row in rows:
        wide = row.kind in ("note", "heading")
        room = width - 2 * MARGIN if wide else columns.label_width
        if row.kind == "note" and beside:
            room = before  # so that the null line stays whole
        if row.kind == "interval":  # over the columns of the arms, which are empty beside it
            arms = [columns.right[name] - MARGIN for name in ARMS if name in columns.right]
            room = max([room, *arms])
        weight = "bold" if row.kind in ("heading", "diamond") else "normal"
        text = unbroken(row.label) if wide else row.label
        lines = wrapped(text, room, SMALL if row.kind == "note" else size, weight)
        if starts(row) and placed:
            top += BEFORE
        height = ROW + LINE * (len(lines) - 1)
        placed.append(Placed(row, tuple(line.replace(FAST, " ") for line in lines), top, height))
        top += height
    return placed


def starts(row: ForestRow) -> bool:
    """Return whether some room is left before a row."""
    return row.kind == "heading" or (row.kind == "diamond" and row.group == OVERALL)


def unbroken(text: str) -> str:
    """Return text in which no line ends within 'p = 0.842' or '71 %'."""
    for loose in (" = ", " < ", " %", ", df"):
        text = text.replace(loose, loose.replace(" ", FAST))
    return text


def place_axis(rows: Sequence[ForestRow], columns: Columns, scale: MeasureFormat) -> Axis:
    """Return the axis: all studies, but a wide interval far from the rest leaves it.

    Such a study, or one outside the pool, does not set the range if it lies more than REACH
    usual widths (or as many usual distances, where studies differ by more) from the middle. A
    narrow one of the pool always does: that is heterogeneity, and a reader must see it. Ends of
    other intervals are drawn up to one and a half usual widths from their square.
    """
    studies = [row for row in rows if isinstance(row, Study)]
    base = [row for row in studies if row.share is not None] or studies
    usual = median(row.high - row.low for row in base)
    middle = median(row.estimate for row in base)
    reach = REACH * max(usual, median(abs(row.estimate - middle) for row in base))

    def apart(row: Study) -> bool:
        outside = row.share is None and row not in base
        loose = outside or row.high - row.low > REACH * usual
        return loose and abs(row.estimate - middle) > reach

    near = [row for row in studies if not apart(row)]
    pools = [row.estimate for row in rows if isinstance(row, Diamond)]
    low = min(0.0, *pools, *(max(row.low, row.estimate - 1.5 * usual) for row in near))
    high = max(0.0, *pools, *(min(row.high, row.estimate + 1.5 * usual) for row in near))
    pad = 0.04 * (high - low)
    low, high = low - pad, high + pad
    ticks = tuple(ticks_of(low, high, scale))
    return Axis(low, high, columns.plot_left, columns.plot_right, ticks)


def ticks_of(low: float, high: float, scale: MeasureFormat) -> list[tuple[float, str]]:
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
        (0.9, 0.95, 1, 1.05, 1.1), (0.8, 0.9, 1, 1.1, 1.2), (0.85, 0.9, 0.95, 1, 1.05),
        (0.6, 0.8, 1, 1.2, 1.4, 1.6), (0.6, 0.8, 1, 1.25, 1.5), (0.5, 0.7, 1, 1.4, 2),
        (0.25, 0.5, 1, 2, 4), (0.1, 0.2, 0.5, 1, 2, 5, 10), (0.01, 0.1, 1, 10, 100),
    )  # fmt: skip
    inside = [
        [(math.log(v), f"{v:g}") for v in values if low <= math.log(v) <= high]
        for values in choices
    ]

    def worth(ticks: Sequence[tuple[float, str]]) -> tuple[float, ...]:
        # The furthest reach, of sets with three or more: ticks that stop early mislead.
        reach = ticks[-1][0] - ticks[0][0] if ticks else 0.0
        return min(len(ticks), 3), reach, min(len(ticks), 5), -len(ticks)

    return max(inside, key=worth)
