"""The harvest plot (Ogilvie 2008): one bar per study, numbered, by outcome, phase and direction."""

import math
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.directions.per_study import counted_entries, study_directions
from osteometa.figures.chart import (
    LINE,
    MARGIN,
    OutcomeCount,
    in_pages,
    noted,
    title_height,
    titled_figure,
)
from osteometa.figures.palette import BLACK, BLUE, GREY, ORANGE, SMALL, WIDE
from osteometa.figures.style import put, put_lines, rectangle, text_width, wrapped
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry
from osteometa.records.groups import grouped
from osteometa.wording.vocabulary import Direction, Phase

Place = tuple[Phase, str]
"""A row of the plot: phase and outcome."""
Fields = Mapping[tuple[Place, str], Sequence[OutcomeCount]]
"""The bars by row and column, where there are any."""
STRENGTH = {"rct": 4, "crossover_rct": 4, "nrct": 3, "uncontrolled": 2}
COLUMNS = {
    "down": ("Lower", ORANGE), "unchanged": ("Unchanged", "#D0D0D0"),
    "not_told": ("Not reported", "white"), "mixed": ("Mixed or none", GREY), "up": ("Higher", BLUE),
}  # fmt: skip
COLUMN_OF = {Direction.ZERO: "mixed"}
UNIT, SLOT, LABELS, BETWEEN = 1.5, 4.2, 26.0, 4.0
"""Mm: height of a step of strength, width of a bar with its number, of the first column, between
columns."""
ROW, KEY = 4 * UNIT + 3.6, 4
"""Height of a row of bars with its numbers, mm; columns of the key."""
HIGHEST = 235.0
NOTE = (
    "One bar per study and phase. Height: randomised (tall), not randomised, uncontrolled (low). "
    "Unchanged: no significant change or difference, direction not given. Not reported: nothing "
    "from which the direction follows. Mixed or none: mixed directions, or no difference. Number:"
    " the study, as listed on the next page. Significance is not shown."
)


def harvest_marks(entries: Iterable[DirectionEntry], config: Config) -> list[OutcomeCount]:
    """Return a bar per study, outcome and phase; studies are numbered in the order of their labels.

    Its height x is the strength of the design, its size the number of the study in the key.
    """
    places: dict[Place, list[DirectionEntry]] = {}
    for (outcome, phase, _), found in counted_entries(entries, config).items():
        places.setdefault((phase, outcome), []).extend(found)
    rows = {
        place: study_directions(found, config.directions.agreement_share)
        for place, found in places.items()
    }
    labels = {
        (row.label.casefold(), row.label, row.study_id) for one in rows.values() for row in one
    }
    numbers = {key[2]: float(n) for n, key in enumerate(sorted(labels), start=1)}
    return [
        OutcomeCount(
            kind="bar", label=row.label, phase=phase, outcome=outcome,
            x=float(STRENGTH[row.design]), size=numbers[row.study_id], group=f"{phase} {outcome}",
            shape=COLUMN_OF.get(row.direction, row.direction), text=row.design,
        )
        for (phase, outcome), one in rows.items()
        for row in one
    ]  # fmt: skip


def harvest_figures(marks: Sequence[OutcomeCount], title: str) -> list[Figure]:
    """Return the plot, a row per outcome and phase, a column per direction; then its key."""
    outcomes = dict.fromkeys(m.outcome for m in marks)
    fields = _fields(marks)
    places = {place for place, _ in fields}
    groups = [(phase, o) for phase in Phase for o in outcomes if (phase, o) in places]
    slots = _slots(fields, groups)
    rows = [max(_lines(fields.get((group, c), ()), slots[c]) for c in COLUMNS) for group in groups]
    heights = [ROW * lines + 4.5 for lines in rows]
    room = HIGHEST - (title_height(title, WIDE) + 6)
    pages = in_pages(zip(groups, heights, strict=True), lambda item: item[1], room)
    plots = [
        _page(page, fields, slots, f"{title} ({n} of {len(pages)})" if len(pages) > 1 else title)
        for n, page in enumerate(pages, start=1)
    ]
    return [*plots, *_key(marks, title)]


def _fields(marks: Sequence[OutcomeCount]) -> Fields:
    return grouped(marks, lambda mark: (mark.place, mark.shape))


def _slots(fields: Fields, groups: Sequence[Place]) -> dict[str, int]:
    """Return how many bars are drawn side by side in each column, largest first."""
    most = {c: max(len(fields.get((group, c), ())) for group in groups) for c in COLUMNS}
    slots = {
        c: math.ceil(text_width(word, weight="bold") / SLOT) for c, (word, _) in COLUMNS.items()
    }
    room = WIDE - MARGIN - LABELS - BETWEEN * (len(COLUMNS) - 1)
    while (sum(slots.values()) + 1) * SLOT <= room:
        fullest = max(COLUMNS, key=lambda c: (math.ceil(most[c] / slots[c]), most[c] / slots[c]))
        slots[fullest] += 1
    return slots


def _lines(bars: Sequence[OutcomeCount], slots: int) -> int:
    """Return the rows of bars of a field."""
    return max(1, math.ceil(len(bars) / slots))


def _page(
    page: Sequence[tuple[Place, float]], fields: Fields, slots: dict[str, int], title: str
) -> Figure:
    top = title_height(title, WIDE) + 6
    bottom = top + sum(height for _, height in page)
    figure, axes = titled_figure(title, WIDE, bottom + 3, NOTE)
    starts, x = {}, LABELS
    for column, (word, _) in COLUMNS.items():
        starts[column] = x
        put(axes, x, top - 3, word, weight="bold")
        x += slots[column] * SLOT + BETWEEN
    y = top
    for group, height in page:
        phase, outcome = group
        put(axes, MARGIN, y + 2, outcome, weight="bold")
        put(axes, MARGIN, y + 5.4, phase.heading, size=SMALL, color=GREY)
        for column in COLUMNS:
            chosen = sorted(fields.get((group, column), ()), key=lambda m: (-m.x, m.size))
            _cell(axes, chosen, column, (starts[column], y), slots[column])
        y += height
    noted(axes, NOTE, WIDE, bottom)
    return figure


def _cell(
    axes: Axes, chosen: Sequence[OutcomeCount], column: str, corner: tuple[float, float], slots: int
) -> None:
    """Draw the bars of one field, in as many rows as they need, each with its number below."""
    left, top = corner
    for line in range(_lines(chosen, slots)):
        base = top + ROW * line + 4 * UNIT
        axes.plot([left, left + slots * SLOT], [base, base], color=BLACK, lw=0.6)
    for place, mark in enumerate(chosen):
        x, base = left + SLOT * (place % slots), top + ROW * (place // slots) + 4 * UNIT
        height = UNIT * mark.x
        hatch = "////" if column == "mixed" else None
        rectangle(axes, x + 0.3, base - height, SLOT - 0.6, height, COLUMNS[column][1],
                  edgecolor=BLACK, lw=0.5, hatch=hatch, gid="bar")  # fmt: skip
        put(axes, x + SLOT / 2, base + 1.7, f"{mark.size:.0f}", size=SMALL, align="center")
    if chosen:
        # The count is drawn after the last bar, or below the numbers where the row is full.
        base = top + ROW * ((len(chosen) - 1) // slots) + 4 * UNIT
        last = (len(chosen) - 1) % slots + 1
        behind = last + 2 <= slots
        count = f"{len(chosen)} {'bar' if len(chosen) == 1 else 'bars'}"
        put(axes, left + SLOT * last * behind + 0.8, base - 1.6 if behind else base + 4.8, count,
            size=SMALL, color=GREY)  # fmt: skip


def _key(marks: Sequence[OutcomeCount], title: str) -> list[Figure]:
    """Return the pages that list the studies by their numbers."""
    studies = sorted({(m.size, m.label) for m in marks})
    width = (WIDE - 2 * MARGIN) / KEY
    entries = [wrapped(f"{number:.0f}  {label}", width - 3, SMALL) for number, label in studies]
    columns = in_pages(entries, lambda lines: LINE * len(lines), HIGHEST - 15)
    if len(columns) <= KEY:  # of one height, where one page holds them
        columns = _level(entries)
    figures = []
    for start in range(0, len(columns), KEY):
        page = columns[start : start + KEY]
        words = f"{title}: the studies by number"
        top = title_height(words, WIDE) + 2
        tallest = max(LINE * sum(map(len, column)) for column in page)
        figure, axes = titled_figure(words, WIDE, top + tallest + 3)
        for index, column in enumerate(page):
            lines = [line for entry in column for line in entry]
            put_lines(axes, MARGIN + width * index, top + LINE / 2, lines, size=SMALL)
        figures.append(figure)
    return figures


def _level(entries: Sequence[list[str]]) -> list[list[list[str]]]:
    total, columns, used = sum(map(len, entries)), [[] for _ in range(KEY)], 0
    for lines in entries:
        columns[min(KEY - 1, used * KEY // total)].append(lines)
        used += len(lines)
    return [column for column in columns if column]


def harvest_alt(marks: Sequence[OutcomeCount], title: str) -> str:
    """Return what the plot shows, for readers who do not see it."""
    parts, fields = [], _fields(marks)
    for group in dict.fromkeys(mark.place for mark in marks):
        counts = [
            f"{number} {word.lower()}"
            for column, (word, _) in COLUMNS.items()
            if (number := len(fields.get((group, column), ())))
        ]
        phase, outcome = group
        parts.append(f"{outcome}, {phase.words}: {', '.join(counts)}")
    return f"{title}. {'; '.join(parts)}."
