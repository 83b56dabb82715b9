"""The effect direction plot: what each study reports of each outcome, and what of it counts.

After Boon and Thomson (2021), with the reported direction beside the one that a sign test counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.directions.per_study import ArmsAlike, arms_alike, counted_entries, study_directions
from osteometa.extraction.judgements import risk_of_bias_of
from osteometa.extraction.tables import RiskOfBias
from osteometa.figures.chart import LINE, MARGIN, page_title
from osteometa.figures.forest.marks import direction_mark
from osteometa.figures.palette import BLACK, BODY, GREY, SMALL
from osteometa.figures.risk_of_bias import LEVELS
from osteometa.figures.style import new_figure, put, put_lines, text_width, wrapped
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, DirectionSet, ReportedResult
from osteometa.records.groups import grouped
from osteometa.synthesis.words import set_words
from osteometa.wording.vocabulary import Design, Direction, DirectionBasis, ExerciseType, Phase

HIGHEST = 240.0
ROW, TOP, SLOT = 4.4, 12.0, 3.9
LETTERS = {"rct": "R", "crossover_rct": "X", "nrct": "N", "uncontrolled": "U"}
BANDS = ((20, 0.9), (50, 1.25), (10**9, 1.6))
"""Participants below each bound, and the size in mm of the mark."""
COUNTED = {
    Direction.UP: "↑", Direction.DOWN: "↓", Direction.ZERO: "=", Direction.MIXED: "◆",
    Direction.UNCHANGED: "?", Direction.NOT_TOLD: "?",
}  # fmt: skip
KEY = (
    ("up", "", "higher, difference between arms"), ("down", "", "lower, difference between arms"),
    ("up", "white", "higher, change of one arm, or not stated what was compared"),
    ("down", "white", "lower, likewise"),
    ("unchanged", "", "no significant change or difference, direction not given"),
    ("mixed", "", "sites or analytes disagree"), ("zero", "", "no difference"),
    ("not_told", "", "measured, result not reported"),
)  # fmt: skip
"""Shape, face and words of each mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionRow:
    """One mark of the plot: a row of directions.csv."""

    page: int
    phase: Phase
    exercise_type: ExerciseType
    study_id: str
    label: str
    design: Design
    outcome: str
    arms: str
    """Labels of the arms that report the same."""
    direction: Direction
    basis: DirectionBasis
    n: int | None
    counted_as: Direction | None
    """Direction of the study in the sign test of the outcome; None where it is not counted."""
    risk_of_bias: str = ""
    """Overall judgement of the study, of this outcome where there is one; empty: not judged."""


Line = list[DirectionRow]
Block = tuple[str, list[Line]]


def direction_rows(
    reported: Iterable[ReportedResult], entries: Sequence[DirectionEntry], config: Config,
    judged: Sequence[RiskOfBias] = (),
) -> list[DirectionRow]:  # fmt: skip
    """Return the marks: one per phase, exercise type, study, outcome, and arms that differ."""
    counted = counted_directions(entries, config)
    groups = grouped(
        (r for r in reported if r.exercise_type is not None and r.outcome in config.outcomes),
        lambda r: (r.phase, r.exercise_type, r.study_id, r.outcome),
    )
    return [_row(mark, counted, judged) for group in groups.values() for mark in arms_alike(group)]


def counted_directions(
    entries: Sequence[DirectionEntry], config: Config
) -> dict[tuple[str, Phase, str], Direction]:
    """Return how a study counts by outcome, phase and study; against a comparator if it has one."""
    share = config.directions.agreement_share
    found: dict[tuple[str, Phase, str], Direction] = {}
    sets = counted_entries(entries, config)
    for outcome, phase, design_class in sorted(sets, key=lambda key: key[2] != "controlled"):
        for study in study_directions(sets[(outcome, phase, design_class)], share):
            found.setdefault((outcome, phase, study.study_id), study.direction)
    return found


def _row(
    mark: ArmsAlike, counted: Mapping[tuple[str, Phase, str], Direction],
    judged: Sequence[RiskOfBias],
) -> DirectionRow:  # fmt: skip
    r = mark.results[0]
    if r.exercise_type is None:
        raise ValueError(f"{r.arm_id} is a control arm")
    return DirectionRow(
        page=1, phase=r.phase, exercise_type=r.exercise_type, study_id=r.study_id, label=r.label,
        design=r.design, outcome=r.outcome, arms="; ".join(mark.arms), direction=mark.direction,
        basis=mark.basis, n=mark.n, counted_as=counted.get((r.outcome, r.phase, r.study_id)),
        risk_of_bias=risk_of_bias_of(judged, r.study_id, r.outcome),
    )  # fmt: skip


def direction_pages(
    rows: Sequence[DirectionRow], sets: Sequence[DirectionSet], config: Config
) -> tuple[list[list[Block]], list[Figure]]:
    """Return the pages of the plot as blocks of rows and as figures; sign tests on the last one."""
    width = float(config.figures.width)
    footer = [line for row in sets for line in wrapped(set_words(row), width - 4, SMALL)]
    pages = paginate(rows, footer)
    legend = wrapped(legend_words(drawn_rows(pages)), width - 2 * MARGIN, SMALL)
    figures = [
        _page(page, list(config.outcomes), footer if number == len(pages) else [], legend, width,
              page_title("Reported directions", number, len(pages)))
        for number, page in enumerate(pages, start=1)
    ]  # fmt: skip
    return pages, figures


def drawn_rows(pages: Sequence[list[Block]]) -> list[DirectionRow]:
    """Return every mark with the number of its page."""
    return [
        replace(row, page=number)
        for number, page in enumerate(pages, start=1)
        for block in page
        for line in block[1]
        for row in line
    ]


def paginate(rows: Sequence[DirectionRow], footer: Sequence[str]) -> list[list[Block]]:
    """Return the blocks of each page: a heading and its lines, a line per study."""
    room = HIGHEST - TOP - 24
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
    blocks = []
    for phase in Phase:
        for kind in ExerciseType:
            own = [row for row in rows if (row.phase, row.exercise_type) == (phase, kind)]
            lines = grouped(own, lambda row: row.study_id).values()
            if lines:
                ordered = sorted(lines, key=lambda line: line[0].label.casefold())
                blocks.append((f"{phase.heading}: {kind.words}", ordered))
    return blocks


def legend_words(rows: Sequence[DirectionRow]) -> str:
    """Return how the marks are read."""
    letters = {
        "R": "randomised", "X": "crossover", "N": "not randomised", "U": "uncontrolled"
    }  # fmt: skip
    present = {LETTERS[row.design] for row in rows}
    named = ", ".join(f"{key} {words}" for key, words in letters.items() if key in present)
    judged = {row.risk_of_bias for row in rows}
    signs = grouped((level for level in LEVELS if level in judged), lambda level: LEVELS[level][0])
    risk = "Risk of bias has not been assessed."
    if signs:
        named_signs = (f"{sign} {' or '.join(levels)}" for sign, levels in signs.items())
        words = ", ".join(named_signs).replace("_", " ")
        risk = f"Sign behind the marks: overall risk of bias ({words}; none: not judged)."
    return (
        "Arms that differ stand side by side; blank: not measured. Grey, right of the marks: the "
        "direction with which the study counts in the sign test (↑ up, ↓ down, ◆ mixed, = none, "
        "? unknown; nothing: not counted). Size: under 20, 20 to 49, 50 or more participants; "
        f"small where n is not reported. Design: {named}. {risk} Significance is not shown."
    )


def _key(width: float) -> list[list[tuple[float, str, str, str]]]:
    """Return the marks of the key in lines: place, shape, face and words."""
    lines: list[list[tuple[float, str, str, str]]] = [[]]
    x = MARGIN
    for shape, face, words in KEY:
        need = 6.0 + text_width(words, SMALL)
        if x + need > width and lines[-1]:
            lines.append([])
            x = MARGIN
        lines[-1].append((x, shape, face, words))
        x += need + 3
    return lines


def _page(
    page: list[Block], outcomes: list[str], footer: Sequence[str], legend: Sequence[str],
    width: float, title: str,
) -> Figure:  # fmt: skip
    height = TOP + sum(ROW * (1 + len(lines)) + 1.2 for _, lines in page)
    key = _key(width)
    lines = len(footer) + len(legend) + len(key) + 0.5
    figure, axes = new_figure(width, height + LINE * lines + 5)
    put(axes, MARGIN, 3.2, title, weight="bold")
    labels = max(0.36 * width, 36.0)
    step = (width - MARGIN - labels) / len(outcomes)
    places = {name: labels + step * index for index, name in enumerate(outcomes)}
    put(axes, MARGIN, 8.6, "Study, design", weight="bold")
    for name, x in places.items():
        put(axes, x, 8.6, name, weight="bold")
    axes.plot([MARGIN, width - MARGIN], [10.8, 10.8], color=BLACK, lw=0.6)
    y = TOP
    for heading, lines in page:
        put(axes, MARGIN, y + ROW / 2, heading, weight="bold")
        y += ROW
        for line in lines:
            _line(axes, y + ROW / 2, line, places, labels)
            y += ROW
        y += 1.2
    axes.plot([MARGIN, width - MARGIN], [y + 0.8, y + 0.8], color=BLACK, lw=0.6)
    y += 2 + LINE / 2
    put_lines(axes, MARGIN, y, footer, size=SMALL)
    y += LINE * len(footer)
    for marks in key:
        for x, shape, face, words in marks:
            direction_mark(axes, x + 1.6, y, shape, 1.25, face)
            put(axes, x + 4.2, y, words, size=SMALL)
        y += LINE
    put_lines(axes, MARGIN, y + LINE / 2, legend, size=SMALL, color=GREY)
    return figure


def _line(axes: Axes, y: float, line: Line, places: dict[str, float], labels: float) -> None:
    first = line[0]
    label, letter, room = first.label, LETTERS[first.design], labels - MARGIN - 1
    size = BODY if text_width(f"{label} {letter}", BODY) <= room else SMALL
    while text_width(f"{label} {letter}", size) > room:
        label = label[:-2].rstrip() + "…"
    put(axes, MARGIN, y, label, size=size)
    put(axes, MARGIN + text_width(f"{label} ", size), y, letter, size=size, color=GREY)
    for outcome, x in places.items():
        marks = [row for row in line if row.outcome == outcome]
        for index, row in enumerate(marks):
            size = next(s for bound, s in BANDS if (row.n or 0) < bound)
            face = "" if row.basis == DirectionBasis.BETWEEN_ARM else "white"
            direction_mark(axes, x + 1.6 + SLOT * index, y, row.direction, size, face)
        if marks:
            counted = marks[0].counted_as
            sign = LEVELS[marks[0].risk_of_bias][0] if marks[0].risk_of_bias else ""
            words = f"{'' if counted is None else COUNTED[counted]} {sign}".strip()
            put(axes, x + SLOT * len(marks) + 0.4, y, words, size=BODY, color=GREY)
