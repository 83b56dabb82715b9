"""Risk of bias as judged by the reviewers: traffic lights per study and bars per domain."""

from collections.abc import Iterable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.extraction.tables import RiskOfBias
from osteometa.figures.catalogue import TOOLS
from osteometa.figures.chart import (
    MARGIN,
    Count,
    draw_mark,
    draw_ticks,
    in_pages,
    noted,
    page_title,
    title_height,
    titled_figure,
)
from osteometa.figures.palette import BLACK, BLUE, BODY, ORANGE, SMALL, VERMILION, WIDE
from osteometa.figures.style import LINE, put, put_lines, rectangle, wrapped

# Cochrane's symbols; a palette that does not rest on red against green.
LEVELS = {
    "low": ("+", BLUE), "yes": ("+", BLUE), "good": ("+", BLUE),
    "some": ("\N{MINUS SIGN}", "#F0E442"), "moderate": ("\N{MINUS SIGN}", "#F0E442"),
    "fair": ("\N{MINUS SIGN}", "#F0E442"), "serious": ("×", ORANGE), "high": ("×", VERMILION),
    "critical": ("!", VERMILION), "no": ("×", VERMILION), "poor": ("×", VERMILION),
    "no_information": ("?", "#D0D0D0"), "other": ("?", "#D0D0D0"),
}  # fmt: skip
LEVEL_WORDS = {"some": "some concerns", "no_information": "no information"}
DOMAINS = {
    "rob2": {
        "d1": "randomisation process", "d2": "deviations from intended interventions",
        "d3": "missing outcome data", "d4": "measurement of the outcome",
        "d5": "selection of the reported result",
    },
    "robins_i": {
        "d1": "confounding", "d2": "selection of participants",
        "d3": "classification of interventions", "d4": "deviations from intended interventions",
        "d5": "missing data", "d6": "measurement of outcomes",
        "d7": "selection of the reported result",
    },
    "nhlbi_prepost": {
        "q1": "objective stated", "q2": "criteria of eligibility",
        "q3": "participants representative",
        "q4": "all eligible enrolled", "q5": "sample size", "q6": "intervention described",
        "q7": "outcome measures sound", "q8": "assessors blinded", "q9": "loss to follow-up",
        "q10": "tests of change", "q11": "outcomes measured several times",
        "q12": "group and individual level distinguished",
    },
}  # fmt: skip
ROW, LABELS, BAR = 4.6, 58.0, 4.4
RIGHT = WIDE - MARGIN - 5.0
"""Where lights and bars end, mm: the last tick of the bars has room beyond."""
HIGHEST = 190.0
"""Lights of a page, mm; the bars are drawn below those of the last one."""


def light_marks(
    judgements: Sequence[RiskOfBias], tool: str, labels: Mapping[str, str]
) -> list[Count]:
    """Return a light per study, outcome and domain of one tool; `labels` are by study_id."""
    return [
        Count(
            kind="cell",
            label=", ".join(t for t in (labels.get(row.study_id, row.study_id), row.outcome) if t),
            group=row.domain, shape=row.judgement, size=1.0,
            text=LEVELS[row.judgement][0],
        )
        for row in judgements
        if row.tool == tool
    ]  # fmt: skip


def light_figures(marks: Sequence[Count], tool: str) -> list[Figure]:
    """Return the pages: traffic lights, and below those of the last page the bars."""
    labels = list(dict.fromkeys(mark.label for mark in marks))
    rows = [(label, wrapped(label, LABELS - MARGIN - 2)) for label in labels]
    pages = in_pages(rows, lambda row: _height(row[1]), HIGHEST)
    return [_page(page, marks, tool, (n, len(pages))) for n, page in enumerate(pages, start=1)]


def _height(lines: Sequence[str]) -> float:
    return ROW + LINE * (len(lines) - 1)


def _page(
    rows: Sequence[tuple[str, list[str]]], marks: Sequence[Count], tool: str,
    number: tuple[int, int],
) -> Figure:  # fmt: skip
    title = page_title(f"Risk of bias: {TOOLS[tool]}", *number)
    domains = _domains(marks)
    used = [level for level in LEVELS if any(mark.shape == level for mark in marks)]
    last = number[0] == number[1]
    note = _note(tool, domains, used, last)
    top = title_height(title, WIDE) + 6
    middle = top + sum(_height(lines) for _, lines in rows) + 4
    bottom = middle + ((BAR + 1.6) * len(domains) + 8 if last else 0.0)
    figure, axes = titled_figure(title, WIDE, bottom + 2, note)
    step = (RIGHT - LABELS) / len(domains)
    places = {domain: LABELS + step * (n + 0.5) for n, domain in enumerate(domains)}
    for domain, x in places.items():
        put(axes, x, top - 3, _short(domain), weight="bold", align="center")
    axes.plot([MARGIN, RIGHT], [top - 0.7] * 2, color=BLACK, lw=0.6)
    y = top
    for label, lines in rows:
        put_lines(axes, MARGIN, y + ROW / 2, lines)
        for mark in (m for m in marks if m.label == label):
            light(axes, places[mark.group], y + ROW / 2, mark.shape)
        y += _height(lines)
    if last:
        _bars(axes, marks, domains, used, middle)
    noted(axes, note, WIDE, bottom)
    return figure


def _domains(marks: Sequence[Count]) -> list[str]:
    found = {mark.group for mark in marks}
    order = [f"{letter}{n}" for letter in "dq" for n in range(1, 13)] + ["overall"]
    return [name for name in order if name in found]


def _short(domain: str) -> str:
    return "Overall" if domain == "overall" else domain.upper()


def light(axes: Axes, x: float, y: float, level: str, side: float = 3.2) -> None:
    """Draw one judgement: Cochrane's symbol on its colour."""
    draw_mark(axes, x, y, side, "circle", LEVELS[level][1], gid="light", zorder=2)
    _symbol(axes, x, y, level, SMALL, 5)


def _symbol(axes: Axes, x: float, y: float, level: str, size: float, zorder: float) -> None:
    symbol, color = LEVELS[level]
    ink = "white" if color in (BLUE, VERMILION) else BLACK
    axes.text(x, y, symbol, fontsize=size, fontweight="bold", ha="center", va="center_baseline",
              color=ink, zorder=zorder, gid="symbol")  # fmt: skip


def _bars(
    axes: Axes, marks: Sequence[Count], domains: Sequence[str], used: Sequence[str], top: float
) -> None:
    room = RIGHT - LABELS
    for number, domain in enumerate(domains):
        y = top + (BAR + 1.6) * number
        put(axes, MARGIN, y + BAR / 2, _short(domain))
        chosen = [mark for mark in marks if mark.group == domain]
        total, x = sum(mark.size for mark in chosen), LABELS
        for level in used:
            share = sum(mark.size for mark in chosen if mark.shape == level) / total
            if share:
                color = LEVELS[level][1]
                rectangle(axes, x, y, room * share, BAR, color, edgecolor=BLACK, lw=0.5, gid="bar")
                if room * share > 4:
                    _symbol(axes, x + room * share / 2, y + BAR / 2, level, BODY, 3)
            x += room * share
    y = top + (BAR + 1.6) * len(domains) + 1
    axes.plot([LABELS, LABELS + room], [y, y], color=BLACK, lw=0.6)
    ticks = [(share, f"{share} %") for share in (0, 25, 50, 75, 100)]
    draw_ticks(axes, lambda share: LABELS + room * share / 100, y, ticks)


def level_words(judgements: Iterable[str]) -> str:
    """Return what the signs of the levels among some judgements mean."""
    found = set(judgements)
    used = [level for level in LEVELS if level in found]
    return "; ".join(f"{LEVELS[level][0]} {LEVEL_WORDS.get(level, level)}" for level in used)


def _note(tool: str, domains: Sequence[str], used: Sequence[str], last: bool) -> str:
    named = [f"{_short(d)} {DOMAINS[tool][d]}" for d in domains if d in DOMAINS[tool]]
    words = [f"Judgements entered by the reviewers: {level_words(used)}."]
    words += [f"{'; '.join(named)}."] if named else []
    words += ["Bars: share of the studies judged."] if last else []
    return " ".join(words)


def light_alt(marks: Sequence[Count], tool: str) -> str:
    """Return what the figure shows, for readers who do not see it."""
    overall = [mark.shape for mark in marks if mark.group == "overall"]
    counts = ", ".join(f"{overall.count(w)} {w.replace('_', ' ')}" for w in dict.fromkeys(overall))
    return f"Risk of bias by {TOOLS[tool]}; overall: {counts or 'not judged'}."
