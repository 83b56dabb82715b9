"""The evidence map: participants and studies of each outcome and exercise type."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Wedge

from osteometa.figures.chart import LINE, MARGIN, OutcomeCount, noted, title_height, titled_figure
from osteometa.figures.palette import BLACK, BLUE, GREY, SKY, SMALL, WIDE
from osteometa.figures.style import put, put_lines, rectangle, text_width
from osteometa.records.directions import ReportedResult
from osteometa.records.groups import grouped
from osteometa.wording.vocabulary import Direction, ExerciseType, Phase

LABELS, ROW, LARGEST = 26.0, 18.0, 10.5
FACES = {
    "estimate": BLUE, "direction": SKY, "unchanged": "#D0D0D0", "not reported": "white"
}  # fmt: skip
"""What a study has at most, the most first, with the colour of its share of the circle."""
NOTE = (
    "Area of a circle: participants (n) of comparisons that report their number; its parts: "
    "studies by what they have at most, an effect estimate, a direction, no significant change "
    "without a direction (unchanged), or nothing from which a direction follows (not reported). "
    "Beside it their number. A study of several exercise types is counted in each. Empty: no "
    "study."
)


def map_marks(results: Iterable[ReportedResult], outcomes: Sequence[str]) -> list[OutcomeCount]:
    """Return the marks of the map: studies of each field by what they have at most."""
    fields = grouped(results, lambda r: (r.phase, r.outcome, r.exercise_type))
    marks = []
    for phase, outcome, kind in product(Phase, outcomes, ExerciseType):
        found: dict[str, list[int]] = {face: [] for face in FACES}
        studies = grouped(fields.get((phase, outcome, kind), []), lambda r: r.study_id)
        for study in studies.values():
            found[_most_of(study)].append(max((r.n or 0 for r in study), default=0))
        marks += [
            OutcomeCount(kind="cell", label=f"{phase} {outcome}", group=kind, shape=face,
                         phase=phase, outcome=outcome, x=float(len(sizes)), size=float(sum(sizes)))
            for face, sizes in found.items() if sizes
        ]  # fmt: skip
    return marks


def _most_of(results: Sequence[ReportedResult]) -> str:
    if any(r.effect_id for r in results):
        return "estimate"
    directions = {r.direction for r in results}
    if any(not direction.unknown for direction in directions):
        return "direction"
    return "unchanged" if Direction.UNCHANGED in directions else "not reported"


def map_figure(marks: Sequence[OutcomeCount], title: str) -> Figure:
    """Return the map: rows outcomes by phase, columns exercise types."""
    rows = list(dict.fromkeys(mark.place for mark in marks))
    kinds = [kind for kind in ExerciseType if any(mark.group == kind for mark in marks)]
    totals: Counter[tuple[tuple[Phase, str], str]] = Counter()
    for mark in marks:
        totals[(mark.place, mark.group)] += round(mark.size)
    most = max(totals.values()) or 1
    top = title_height(title, WIDE) + 6
    bottom = top + ROW * len(rows)
    figure, axes = titled_figure(title, WIDE, bottom + 7, NOTE)
    step = (WIDE - MARGIN - LABELS) / len(kinds)
    for index, kind in enumerate(kinds):
        put(axes, LABELS + step * index, top - 3, kind.heading, weight="bold")
    axes.plot([MARGIN, WIDE - MARGIN], [top - 0.6] * 2, color=BLACK, lw=0.6)
    for number, place in enumerate(rows):
        y = top + ROW * (number + 0.5)
        phase, outcome = place
        put(axes, MARGIN, y - 1.7, outcome, weight="bold")
        put(axes, MARGIN, y + 1.7, phase.heading, size=SMALL, color=GREY)
        for index, kind in enumerate(kinds):
            chosen = [m for m in marks if (m.place, m.group) == (place, kind)]
            if chosen:
                total = totals[(place, kind)]
                radius = LARGEST / 2 * (total / most) ** 0.5
                _field(axes, LABELS + step * index, y, chosen, total, radius)
        axes.plot([MARGIN, WIDE - MARGIN], [y + ROW / 2 - 0.6] * 2, color="#D0D0D0", lw=0.5)
    x = MARGIN
    for face, color in FACES.items():
        rectangle(axes, x, bottom + 0.6, 2.6, 2.6, color, edgecolor=BLUE, lw=0.6)
        put(axes, x + 3.6, bottom + 1.9, face, size=SMALL)
        x += 8 + text_width(face, SMALL)
    noted(axes, NOTE, WIDE, bottom + 4)
    return figure


def _field(
    axes: Axes, x: float, y: float, chosen: Sequence[OutcomeCount], total: int, radius: float
) -> None:
    # Angles run clockwise here, because y grows downwards; the start is at the top.
    start, studies = -90.0, sum(mark.x for mark in chosen)
    for mark in chosen:
        end = start + 360.0 * mark.x / studies
        if radius > 0:
            axes.add_artist(
                Wedge((x + LARGEST / 2, y - 0.6), radius, start, end, facecolor=FACES[mark.shape],
                      edgecolor=BLUE, lw=0.6, gid="participants")
            )  # fmt: skip
        start = end
    lines = []
    for mark in chosen:
        plural = "s" if mark.x > 1 and mark.shape in ("estimate", "direction") else ""
        lines.append(f"{mark.x:.0f} {mark.shape}{plural}")
    lines.append(f"n = {total:,}" if total else "n not reported")
    first = y - 0.6 - LINE * (len(lines) - 1) / 2
    put_lines(axes, x + LARGEST + 1.2, first, lines, size=SMALL)


def map_alt(marks: Sequence[OutcomeCount], title: str) -> str:
    """Return what the map shows, for readers who do not see it."""
    parts = []
    for phase, outcome in dict.fromkeys(mark.place for mark in marks):
        counts: Counter[str] = Counter()
        for mark in marks:
            if mark.place == (phase, outcome):
                counts[mark.shape] += round(mark.x)
        words = ", ".join(f"{counts[face]} {face}" for face in FACES if counts[face])
        parts.append(f"{outcome}, {phase.words}: {words}")
    return f"{title}. Studies by exercise type. {'; '.join(parts)}."
