"""The evidence map: participants and studies of each outcome and exercise type."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Wedge

from osteometa.figures.chart import MARGIN, OutcomeCount, note_height, noted, title_height, titled
from osteometa.figures.palette import BLACK, BLUE, GREY, SMALL, WIDE
from osteometa.figures.style import new_figure, put
from osteometa.records.directions import DirectionEntry
from osteometa.wording.vocabulary import ExerciseType, Phase

LABELS, ROW, LARGEST = 30.0, 13.0, 10.5
SIZED, UNSIZED = "effect estimate", "at most a direction"
NOTE = (
    "Area of a circle: participants (n) of studies that report their number. Blue: in studies with "
    "an effect estimate; white: in studies with at most a direction. Below: studies with an effect "
    "estimate + studies without one. A study of several exercise types is counted in each. Empty: "
    "no study."
)


def map_marks(entries: Sequence[DirectionEntry], outcomes: Sequence[str]) -> list[OutcomeCount]:
    """Return two marks per field of the map: studies with an effect estimate, and studies without.

    Parameters
    ----------
    entries : sequence of DirectionEntry
    outcomes : sequence of str
        In the order of the rows.
    """
    marks = []
    places = {(e.phase, e.outcome) for e in entries}
    for phase in Phase:
        for outcome in outcomes:
            if (phase, outcome) not in places:
                continue
            for kind in ExerciseType:
                here = [
                    e for e in entries
                    if (e.phase, e.outcome, e.exercise_type) == (phase, outcome, kind)
                ]  # fmt: skip
                sized = {e.study_id for e in here if e.origin == "effect"}
                largest: dict[str, int] = {}
                for e in here:
                    largest[e.study_id] = max(largest.get(e.study_id, 0), e.n or 0)
                for word, studies in ((SIZED, sized), (UNSIZED, set(largest) - sized)):
                    if studies:
                        n = float(sum(largest[study] for study in studies))
                        marks.append(
                            OutcomeCount(kind="cell", label=f"{phase} {outcome}", group=kind,
                                         shape=word, phase=phase, outcome=outcome,
                                         x=float(len(studies)), size=n)
                        )  # fmt: skip
    return marks


def map_figure(marks: Sequence[OutcomeCount], title: str) -> Figure:
    """Return the map: rows outcomes by phase, columns exercise types."""
    rows = list(dict.fromkeys(mark.place for mark in marks))
    kinds = [kind for kind in ExerciseType if any(mark.group == kind for mark in marks)]
    totals: dict[tuple[tuple[Phase, str], str], float] = {}
    for mark in marks:
        key = (mark.place, mark.group)
        totals[key] = totals.get(key, 0.0) + mark.size
    most = max(totals.values()) or 1.0
    top = title_height(title, WIDE) + 6
    bottom = top + ROW * 1.25 * len(rows)
    figure, axes = new_figure(WIDE, bottom + note_height(NOTE, WIDE) + 3)
    titled(axes, title, WIDE)
    step = (WIDE - MARGIN - LABELS) / len(kinds)
    for index, kind in enumerate(kinds):
        x = LABELS + step * (index + 0.5)
        put(axes, x, top - 3, kind.heading, weight="bold", align="center")
    axes.plot([MARGIN, WIDE - MARGIN], [top - 0.6] * 2, color=BLACK, lw=0.6)
    for number, place in enumerate(rows):
        y = top + ROW * 1.25 * number + ROW / 2
        phase, outcome = place
        put(axes, MARGIN, y - 1.7, outcome, weight="bold")
        put(axes, MARGIN, y + 1.7, phase.heading, size=SMALL, color=GREY)
        for index, kind in enumerate(kinds):
            chosen = [m for m in marks if (m.place, m.group) == (place, kind)]
            if chosen:
                x = LABELS + step * (index + 0.5)
                _field(axes, x, y, chosen, totals[(place, kind)], most)
        line = top + ROW * 1.25 * (number + 1)
        axes.plot([MARGIN, WIDE - MARGIN], [line - 0.4] * 2, color="#D0D0D0", lw=0.5)
    noted(axes, NOTE, WIDE, bottom)
    return figure


def _field(
    axes: Axes, x: float, y: float, chosen: Sequence[OutcomeCount], total: float, most: float
) -> None:
    radius = LARGEST / 2 * (total / most) ** 0.5
    counts = {mark.shape: (int(mark.x), mark.size) for mark in chosen}
    sized, unsized = counts.get(SIZED, (0, 0.0)), counts.get(UNSIZED, (0, 0.0))
    if radius > 0:
        share = 360.0 * sized[1] / total
        # Angles run clockwise here, because y grows downwards; the start is at the top.
        for start, end, face in ((-90.0, -90.0 + share, BLUE), (-90.0 + share, 270.0, "white")):
            if end > start:
                axes.add_artist(
                    Wedge((x, y - 0.45), radius, start, end, facecolor=face, edgecolor=BLUE, lw=0.6,
                          gid="participants")
                )  # fmt: skip
    participants = f"n = {total:,.0f}" if total else "n not reported"
    put(axes, x, y + LARGEST / 2 + 1.6, f"{sized[0]} + {unsized[0]} ({participants})", size=SMALL,
        align="center")  # fmt: skip


def map_alt(marks: Sequence[OutcomeCount], title: str) -> str:
    """Return what the map shows, for readers who do not see it."""
    parts = []
    for phase, outcome in dict.fromkeys(mark.place for mark in marks):
        chosen = [mark for mark in marks if mark.place == (phase, outcome)]
        sized = sum(int(m.x) for m in chosen if m.shape == SIZED)
        unsized = sum(int(m.x) for m in chosen if m.shape == UNSIZED)
        word = "study" if sized == 1 else "studies"
        words = f"{sized} {word} with an effect estimate, {unsized} without"
        parts.append(f"{outcome}, {phase.words}: {words}")
    return f"{title}. {'; '.join(parts)}."
