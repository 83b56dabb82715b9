"""The effect direction plot: the direction of each outcome in each study.

After Boon and Thomson (2021): triangles for directions, size for participants, fill for risk of
bias; significance is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.comparisons.risk_of_bias import risk_of_bias_of
from osteometa.directions.per_study import study_directions
from osteometa.extraction.tables import RiskOfBias
from osteometa.figures.forest.marks import direction_mark
from osteometa.figures.palette import BLACK, BODY, GREY, SMALL
from osteometa.figures.risk_of_bias import LEVELS
from osteometa.figures.style import new_figure, put, text_width, wrapped
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, DirectionSet, StudyDirection
from osteometa.wording.choices import EXERCISE_TYPES
from osteometa.wording.numbers import p_number, p_text
from osteometa.wording.syntheses import setting_words
from osteometa.wording.vocabulary import ExerciseType, Phase

WIDTH, HIGHEST = 183.0, 240.0
MARGIN, ROW, LINE, TOP = 2.0, 4.4, 3.3, 12.0
LABELS = 74.0
LETTERS = {"rct": "R", "crossover_rct": "X", "nrct": "N", "uncontrolled": "U"}
BANDS = ((20, 0.9), (50, 1.25), (10**9, 1.6))
"""Participants below each bound, and the size in mm of the mark."""
UNJUDGED = "#bdbdbd"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionRow:
    """One mark of the plot: a row of directions.csv."""

    page: int
    phase: str
    exercise_type: str
    study_id: str
    label: str
    outcome: str
    design: str
    design_class: str
    direction: str
    n: int | None
    n_up: int
    n_down: int
    n_zero: int
    n_unknown: int
    risk_of_bias: str = ""
    """Overall judgement of the study, of this outcome where there is one; empty: not judged."""


Line = list[DirectionRow]
Block = tuple[str, list[Line]]


def direction_rows(
    entries: Sequence[DirectionEntry], config: Config, judged: Sequence[RiskOfBias] = ()
) -> list[DirectionRow]:
    """Return the marks: one direction per study, phase, type, design class and outcome."""
    rows = []
    counted = [entry for entry in entries if entry.counted]
    for phase in ("training", "acute"):
        for kind in EXERCISE_TYPES:
            here = [e for e in counted if (e.phase, e.exercise_type) == (phase, kind)]
            for design_class in ("controlled", "within_arm"):
                for outcome in config.outcomes:
                    chosen = [
                        e for e in here if (e.outcome, e.design_class) == (outcome, design_class)
                    ]
                    rows += [
                        _mark(found, phase, kind, outcome, design_class, judged)
                        for found in study_directions(chosen, config.directions.agreement_share)
                    ]
    return rows


def _mark(
    found: StudyDirection, phase: str, kind: str, outcome: str, design_class: str,
    judged: Sequence[RiskOfBias],
) -> DirectionRow:  # fmt: skip
    return DirectionRow(
        page=1, phase=phase, exercise_type=kind, study_id=found.study_id, label=found.label,
        outcome=outcome, design=found.design, design_class=design_class, direction=found.direction,
        n=found.n, n_up=found.n_up, n_down=found.n_down, n_zero=found.n_zero,
        n_unknown=found.n_unknown, risk_of_bias=risk_of_bias_of(judged, found.study_id, outcome),
    )  # fmt: skip


def direction_pages(
    entries: Sequence[DirectionEntry],
    sets: Sequence[DirectionSet],
    config: Config,
    judged: Sequence[RiskOfBias] = (),
) -> tuple[list[list[Block]], list[Figure]]:
    """Return the pages of the plot, as blocks of rows and as figures."""
    footer = [set_words(row) for row in sets]
    pages = paginate(direction_rows(entries, config, judged), footer)
    return pages, page_figures(pages, list(config.outcomes), footer)


def drawn_rows(pages: Sequence[list[Block]]) -> list[DirectionRow]:
    """Return every mark with the number of its page."""
    return [
        replace(row, page=number)
        for number, page in enumerate(pages, start=1)
        for block in page
        for line in block[1]
        for row in line
    ]


def page_figures(
    pages: Sequence[list[Block]], outcomes: list[str], footer: Sequence[str]
) -> list[Figure]:
    """Return a figure for each page; the sign tests are on the last one."""
    rows = drawn_rows(pages)
    legend = wrapped(legend_words(rows), WIDTH - 2 * MARGIN, SMALL)
    filled = any(row.risk_of_bias for row in rows)
    return [
        _page(
            page,
            outcomes,
            footer if number == len(pages) else [],
            legend,
            filled,
            (number, len(pages)),
        )
        for number, page in enumerate(pages, start=1)
    ]


def paginate(rows: Sequence[DirectionRow], footer: Sequence[str]) -> list[list[Block]]:
    """Return the blocks of each page: a heading and its lines, a line per study."""
    room = HIGHEST - TOP - 17
    pages: list[list[Block]] = [[]]
    used = 0.0
    for heading, lines in _blocks(rows):
        shown = heading
        for line in lines:
            new = not pages[-1] or pages[-1][-1][0] != shown
            need = ROW + (ROW + 1.2 if new else 0)
            if used + need > room:
                pages.append([])
                used, new = 0.0, True
                shown = heading if line is lines[0] else f"{heading} (continued)"
                need = 2 * ROW + 1.2
            if new:
                pages[-1].append((shown, []))
            pages[-1][-1][1].append(line)
            used += need
    if used + LINE * len(footer) > room and pages[-1]:
        pages.append([])
    return pages


def _blocks(rows: Sequence[DirectionRow]) -> list[Block]:
    blocks: dict[str, dict[tuple[str, str], Line]] = {}
    for row in rows:
        heading = f"{Phase(row.phase).heading}: {ExerciseType(row.exercise_type).words}"
        lines = blocks.setdefault(heading, {})
        lines.setdefault((row.study_id, row.design_class), []).append(row)
    return [
        (
            heading,
            sorted(
                lines.values(), key=lambda line: (line[0].design_class, line[0].label.casefold())
            ),
        )
        for heading, lines in blocks.items()
    ]


def set_words(row: DirectionSet) -> str:
    """Return the sign test of one set: its range over the directions not reported comes first."""
    known = row.n_up + row.n_down
    words = (
        f"{row.outcome}, {setting_words(row.phase, row.design_class)}: {row.n_up} up, "
        f"{row.n_down} down, {row.n_unknown} not reported"
    )
    words += f", {row.n_mixed} mixed" if row.n_mixed else ""
    words += f", {row.n_zero} no difference" if row.n_zero else ""
    if row.p_lowest is None:
        return words
    if row.n_unknown:
        low, high = p_number(row.p_lowest), p_number(row.p_highest)
        words += f"; sign test p from {low} to {high}" if low != high else (
            f"; sign test {p_text(row.p_lowest)} for all possible directions not reported"
        )  # fmt: skip
        return words + (f" (reported directions only {p_number(row.p_known)})" if known else "")
    return words + f"; sign test {p_text(row.p_known)}"


def legend_words(rows: Sequence[DirectionRow]) -> str:
    """Return how the marks are read; the fill shows the risk of bias."""
    alike: dict[tuple[str, str], list[str]] = {}
    for level, look in LEVELS.items():
        if any(row.risk_of_bias == level for row in rows):
            alike.setdefault(look, []).append(level.replace("_", " "))
    if alike:
        named = ", ".join(f"{sign} {' or '.join(words)}" for (sign, _), words in alike.items())
        some = any(not row.risk_of_bias for row in rows)
        colour, risk = "", (
            f"Fill, and the sign behind the letter: risk of bias overall ({named}"
            f"{'; grey and without a sign: not judged' if some else ''})."
        )  # fmt: skip
    else:
        colour, risk = " (blue up, orange down)", "Risk of bias has not been assessed."
    return (
        f"Triangles: up or down with exercise{colour}; ?: not reported; double bar: mixed; bar: no "
        "difference. Size: under 20, 20 to 49, 50 or more participants; small where n is not "
        "reported. Letter: R randomised, X crossover, N not randomised, U uncontrolled; w: change "
        f"within one arm. {risk} Significance is not shown."
    )


def _page(
    page: list[Block], outcomes: list[str], footer: Sequence[str], legend: Sequence[str],
    filled: bool, number: tuple[int, int],
) -> Figure:  # fmt: skip
    height = TOP + sum(ROW * (1 + len(lines)) + 1.2 for _, lines in page)
    figure, axes = new_figure(WIDTH, height + LINE * (len(footer) + len(legend)) + 5)
    title = "Direction of effects" + (
        f" (page {number[0]} of {number[1]})" if number[1] > 1 else ""
    )
    put(axes, MARGIN, 3.2, title, weight="bold")
    step = (WIDTH - MARGIN - LABELS) / len(outcomes)
    places = {name: LABELS + step * (i + 0.5) for i, name in enumerate(outcomes)}
    put(axes, MARGIN, 8.6, "Study", weight="bold")
    for name, x in places.items():
        put(axes, x, 8.6, name, weight="bold", align="center")
    axes.plot([MARGIN, WIDTH - MARGIN], [10.8, 10.8], color=BLACK, lw=0.6)
    y = TOP
    for heading, lines in page:
        put(axes, MARGIN, y + ROW / 2, heading, weight="bold")
        y += ROW
        for line in lines:
            _line(axes, y + ROW / 2, line, places, filled)
            y += ROW
        y += 1.2
    axes.plot([MARGIN, WIDTH - MARGIN], [y + 0.8, y + 0.8], color=BLACK, lw=0.6)
    for index, text in enumerate([*footer, *legend]):
        color = BLACK if index < len(footer) else GREY
        put(axes, MARGIN, y + 2 + LINE * (index + 0.5), text, size=SMALL, color=color)
    return figure


def _line(axes: Axes, y: float, line: Line, places: dict[str, float], filled: bool) -> None:
    first = line[0]
    label = first.label
    while text_width(label, BODY) > LABELS - MARGIN - 2:
        label = label[:-2].rstrip() + "…"
    put(axes, MARGIN, y, label)
    letter = LETTERS[first.design] + ("w" if first.design_class == "within_arm" else "")
    for row in line:
        size = next(s for bound, s in BANDS if (row.n or 0) < bound)
        sign, color = LEVELS.get(row.risk_of_bias, ("", UNJUDGED))
        direction_mark(axes, places[row.outcome], y, row.direction, size, color if filled else "")
        words = f"{letter} {sign}".strip()
        put(axes, places[row.outcome] + 3.2, y, words, size=SMALL, color=GREY)
