"""The figures of the whole review: summary forest, evidence map, directions, flow, risk of bias."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

from osteometa.extraction.judgements import counts_of
from osteometa.extraction.reading import read_checked
from osteometa.extraction.tables import Tables
from osteometa.figures import (
    albatross,
    direction_plot,
    evidence_map,
    flow,
    harvest,
    risk_of_bias,
    summary_forest,
)
from osteometa.figures.catalogue import TITLES, TOOLS
from osteometa.figures.chart import Mark
from osteometa.figures.settings import FigureSettings
from osteometa.figures.synthesis_figures import Drawn, ReasonError, Results, marked, write_figures
from osteometa.io.csv_records import read_records
from osteometa.protocol.config import Config
from osteometa.records.directions import (
    AlbatrossPoint,
    DirectionEntry,
    DirectionSet,
    ReportedResult,
)
from osteometa.records.groups import grouped
from osteometa.wording.syntheses import setting_words
from osteometa.wording.vocabulary import OVERALL


def draw_overview(root: str | Path, config: Config, fonts: str = "") -> None:
    """Draw the figures of the whole review that apply into `results/figures/`."""
    figures = ((name, TITLES[name], partial(draw, TITLES[name]))
               for name, draw in kinds(Path(root), config))  # fmt: skip
    write_figures(Path(root) / "results/figures", figures, config.figures.formats, fonts)


def kinds(root: Path, config: Config) -> Iterator[tuple[str, Callable[[str], Drawn]]]:
    """Yield each figure of the whole review: its name, and what draws it under a title."""
    entries = read_records(root / "data/processed/directions.csv", DirectionEntry)
    reported = read_records(root / "data/processed/reported.csv", ReportedResult)
    tables = cache(lambda: read_checked(root / "data/processed/checked"))
    yield "summary_forest", lambda title: _summary(root, config, title)
    yield "evidence_map", lambda title: _map(reported, list(config.outcomes), title)
    sets = read_records(root / "results/direction_sets.csv", DirectionSet)
    yield "directions", lambda title: _directions(
        direction_plot.direction_rows(reported, entries, config, tables().risk_of_bias), sets,
        config, title,
    )  # fmt: skip
    yield "harvest", lambda title: _harvest(entries, config, title)
    yield "albatross_plot", lambda title: _albatross(root, entries, title)
    yield "prisma", lambda title: _flow(tables(), title)
    for tool in TOOLS:
        yield f"risk_of_bias_{tool}", lambda title, tool=tool: _lights(tables(), tool)


def _summary(root: Path, config: Config, title: str) -> Drawn:
    panels = []
    for synthesis in config.syntheses:
        settings = FigureSettings.of(config, synthesis.id)
        results = Results(root / "results" / synthesis.id, settings)
        if not (results.folder / "pooled.csv").is_file():
            continue  # no study has an effect
        rows = [r for r in results.pooled if r.primary and r.measure == settings.measure]
        if any(row.group == OVERALL and row.estimate is not None for row in rows):
            panels.append(
                summary_forest.Panel(
                    heading=settings.title, rows=tuple(rows), scale=results.scale,
                    axis=settings.favours,
                )
            )  # fmt: skip
    marks = summary_forest.summary_marks(panels)
    if not marks:
        raise ReasonError("no synthesis has an effect estimate")
    pages = summary_forest.summary_figures(marks, panels, title, config.figures.style)
    return marked(pages, marks, summary_forest.summary_alt(marks, title))


def _map(reported: list[ReportedResult], outcomes: list[str], title: str) -> Drawn:
    marks = evidence_map.map_marks(reported, outcomes)
    if not marks:
        raise ReasonError("no study reports a main outcome")
    figure = evidence_map.map_figure(marks, title)
    return marked([figure], marks, evidence_map.map_alt(marks, title))


def _directions(
    rows: list[direction_plot.DirectionRow], sets: list[DirectionSet], config: Config, title: str
) -> Drawn:
    pages, figures = direction_plot.direction_pages(rows, sets, config)
    if not rows:
        raise ReasonError("no direction is reported")
    alt = (
        f"{title}, {len(figures)} pages: a row per study, a column per outcome, a mark for each "
        "reported direction. They are listed in reported.csv."
    )
    return Drawn(figures, direction_plot.drawn_rows(pages), direction_plot.DirectionRow, alt)


def _harvest(entries: list[DirectionEntry], config: Config, title: str) -> Drawn:
    marks = harvest.harvest_marks(entries, config)
    if not marks:
        raise ReasonError("no direction is reported")
    return marked(harvest.harvest_figures(marks, title), marks, harvest.harvest_alt(marks, title))


def _albatross(root: Path, entries: list[DirectionEntry], title: str) -> Drawn:
    """Return a page per set, the largest first; sets of fewer studies are named in a note."""
    rows = read_records(root / "results" / "albatross.csv", AlbatrossPoint)
    sets = grouped(rows, lambda row: (row.outcome, row.phase, row.design_class))
    drawn = {key: albatross.albatross_marks(rows) for key, rows in sets.items()}
    order = sorted((key for key in drawn if drawn[key]), key=lambda key: -len(drawn[key]))
    large = [key for key in order if len(drawn[key]) >= albatross.FEWEST]
    if not large:
        most = len(drawn[order[0]]) if order else 0
        raise ReasonError(
            f"at most {most} studies of a set report an exact p, a direction and the "
            f"number of participants; {albatross.FEWEST} are needed"
        )
    small = [f"{_set_words(key)} ({len(drawn[key])})" for key in order if key not in large]
    few = f"With fewer than {albatross.FEWEST} studies, not drawn: {'; '.join(small)}."
    marks: list[Mark] = []
    pages = []
    for key in large:
        found = {e.site for e in entries if (e.outcome, e.phase, e.design_class) == key and e.site}
        sites = ", ".join(sorted(found)).replace("_", " ")
        words = [f"Several sites, one point per study: {sites}."] if len(found) > 1 else []
        words += [few] if small and key == large[-1] else []
        name = f"{title}: {_set_words(key)}"
        pages.append(albatross.albatross_figure(drawn[key], name, key[2], " ".join(words)))
        marks += drawn[key]
    alt = (
        f"{title}, {len(pages)} pages: p against participants by direction. {few if small else ''}"
    )
    return marked(pages, marks, alt.strip())


def _set_words(key: tuple[str, str, str]) -> str:
    outcome, phase, design_class = key
    return f"{outcome}, {setting_words(phase, design_class)}"


def _flow(tables: Tables, title: str) -> Drawn:
    if not tables.prisma:
        raise ReasonError("the counts of the flow are not entered (prisma.csv)")
    reasons = [(row.box, row.reason, row.n) for row in tables.prisma if row.reason]
    if not reasons:
        counts = Counter(s.exclude_reason for s in tables.studies if s.include == "no")
        reasons += [("excluded_reports", reason, n) for reason, n in counts.items()]
    marks = flow.flow_marks(counts_of(tables.prisma), reasons)
    return marked([flow.flow_figure(marks, title)], marks, flow.flow_alt(marks))


def _lights(tables: Tables, tool: str) -> Drawn:
    labels = {study.study_id: study.label for study in tables.studies}
    marks = risk_of_bias.light_marks(tables.risk_of_bias, tool, labels)
    if not marks:
        raise ReasonError("not assessed with this tool")
    figures = risk_of_bias.light_figures(marks, tool)
    return marked(figures, marks, risk_of_bias.light_alt(marks, tool))
