"""Gathering the records of a run and filling the template."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from osteometa import __version__
from osteometa.extraction.reading import read_checked
from osteometa.extraction.tables import ROWS, Tables
from osteometa.io.csv_records import read_records
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionSet, PCombination
from osteometa.records.effects import VariantEffect
from osteometa.records.figures import FigureRow
from osteometa.records.ledger import LedgerLine, WantedRow
from osteometa.records.pools import AgreementRow, SynthesisRow
from osteometa.records.sensitivity import SensitivityRow
from osteometa.report import exercise_types, raw_rows, sentences, studies
from osteometa.report.checklist import ITEMS
from osteometa.report.directions import direction_cells, p_cells
from osteometa.report.findings import Findings, read_findings
from osteometa.report.glance import COLUMNS, counts, glance
from osteometa.report.inline_figures import inline_svg, page_fonts
from osteometa.report.methods import methods_sentences
from osteometa.report.sensitivity import read_what_if, what_if_lines
from osteometa.report.summary_of_findings import summary_of_findings
from osteometa.run.manifest import sha256
from osteometa.wording.vocabulary import Flag

LIBRARIES = ("PyMARE", "statsmodels", "numpy", "scipy", "matplotlib", "snakemake", "pydantic")
STATUSES = ("used", "direction_only", "not_used", "not_asked")


def render_report(root: str | Path, config: Config) -> str:
    """Return the report of a run as one page that needs nothing beside it."""
    root = Path(root)
    tables = read_checked(root / "data" / "processed" / "checked")
    rows = read_records(root / "results" / "syntheses.csv", SynthesisRow)
    sets = read_records(root / "results" / "direction_sets.csv", DirectionSet)
    ledger = read_records(root / "data" / "processed" / "ledger.csv", LedgerLine)
    findings = read_findings(root, config.syntheses, rows)
    versions = {"osteometa": __version__, **{name: version(name) for name in LIBRARIES}}
    effects = [effect for found in findings for effect in found.effects]
    sections = [_section(root, config, found, tables) for found in findings]
    overview = _figures(root / "results", "review")
    svgs = [figure["svg"] for owner in (overview, *(s["figures"] for s in sections))
            for figure in owner.values() if figure["svg"]]  # fmt: skip
    folder = Path(__file__).parent
    return _template().render(
        title=config.title,
        css=page_fonts(svgs) + (folder / "report.css").read_text(encoding="utf-8"),
        script=(folder / "report.js").read_text(encoding="utf-8"),
        columns=COLUMNS,
        overview=overview,
        rooms=glance(findings, config),
        counts=counts(findings),
        sections=sections,
        direction_sets=[{"row": row, **direction_cells(row)} for row in sets],
        p_sets=_p_sets(root, tables),
        summary=summary_of_findings(findings, tables, config),
        moved_arms=exercise_types.moved_arms(tables, config),
        checklist=ITEMS,
        methods=sentences.unbroken(
            " ".join(methods_sentences(config, effects, _unsized(tables, findings), versions))
        ),
        studies=studies.study_rows(tables, config),
        excluded=studies.excluded_rows(tables),
        agreement=_agreement(root),
        warnings=_csv(root / "data" / "processed" / "warnings.csv"),
        wanted=_wanted(read_records(root / "results" / "wanted.csv", WantedRow), findings),
        ledger=ledger,
        raw_rows=raw_rows.used_rows(tables, effects),
        statuses={status: sum(line.status == status for line in ledger) for status in STATUSES},
        risk_of_bias=tables.risk_of_bias,
        prisma=tables.prisma,
        certain=sum(row.synthesis in {found.row.synthesis for found in findings}
                    for row in tables.grade),
        versions=versions,
        inputs=_inputs(root),
    )  # fmt: skip


def _p_sets(root: Path, tables: Tables) -> list[dict[str, Any]]:
    """Return the combined p values of each direction set."""
    labels = {study.study_id: study.label for study in tables.studies}
    rows = read_records(root / "results" / "p_combination.csv", PCombination)
    return [{"row": row, **p_cells(row, labels)} for row in rows]


def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2")


def _section(root: Path, config: Config, found: Findings, tables: Tables) -> dict[str, Any]:
    synthesis, row = found.synthesis, found.row
    folder = root / "results" / synthesis.id
    heading = sentences.heading(synthesis, config)
    judged = sorted({effect.study_id for effect in found.pool})
    risk = studies.risk_words(judged, synthesis.outcome, tables)
    flags = sorted({flag for effect in found.effects for flag in effect.flags.split()})
    numbers = [
        {**sentences.pooled_cells(pooled, found.scale(pooled.measure)),
         "first": pooled.measure == row.measure}
        for pooled in found.pooled
        if pooled.k > 1 or pooled.group == "overall"
    ]  # fmt: skip
    explored = read_what_if(folder)
    lines, not_done = what_if_lines(found, explored)
    return {
        "row": row,
        "what_if": lines,
        "not_done": not_done,
        **_mapping(root, config, found, explored.sensitivity),
        "heading": heading,
        "sentences": sentences.synthesis_sentences(
            found, risk, studies.certainty_words(synthesis.id, tables)
        ),
        "figures": _figures(folder, synthesis.id),
        "effects": found.effects,
        "cells": {e.effect_id: raw_rows.linked(e) for e in found.effects},
        "flags": [(flag, Flag(flag).words) for flag in flags],
        "numbers": [cells for cells in numbers if cells["first"]],
        "others": [cells for cells in numbers if not cells["first"]],
        "published": studies.published_rows(synthesis, tables),
    }


def _mapping(
    root: Path, config: Config, found: Findings, rows: Sequence[SensitivityRow]
) -> dict[str, Any]:
    """Return the types of exercise by both mappings, where what was done is the primary one."""
    if config.derivation.type_by == "paper":
        return {"mapping": [], "mapping_words": ""}
    folder = root / "data" / "processed" / "variants" / found.row.synthesis
    by_paper = exercise_types.pool_by_paper(
        found, read_records(folder / "effects.csv", VariantEffect)
    )
    return {
        "mapping": exercise_types.mapping_rows(found, by_paper, rows),
        "mapping_words": exercise_types.mapping_words(found, by_paper),
    }


def _figures(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """Return the figures of a folder by name: pages as SVG, or why one is not drawn."""
    found = {}
    for row in read_records(folder / "figures.csv", FigureRow):
        pages = [folder / f"{row.figure}.svg"]
        pages += [
            folder / "figure_pages" / f"{row.figure}_{n}.svg" for n in range(2, row.pages + 1)
        ]
        drawn = [] if row.reason else pages
        svgs = [inline_svg(p, f"{name}-{row.figure}-{n}", row.alt) for n, p in enumerate(drawn)]
        found[row.figure] = {"row": row, "svg": "".join(svgs), "pages": svgs}
    return found


def _wanted(rows: Sequence[WantedRow], findings: Sequence[Findings]) -> list[dict[str, Any]]:
    """Return one line per arm and analysis, the alternatives beside each other, as sorted."""
    lines: dict[tuple[str, ...], dict[str, Any]] = {}
    headings = {found.row.synthesis: found for found in findings}
    for row in rows:
        key = (row.synthesis, row.study_id, row.arm_id)
        found = headings[row.synthesis]
        line = lines.setdefault(
            key,
            {
                "row": row,
                "sets": [],
                "what": f"{row.outcome}, {sentences.what_words(found.synthesis)}",
            },
        )
        line["sets"].append(row.wanted)
    return list(lines.values())


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _unsized(tables: Tables, findings: Sequence[Findings]) -> dict[str, int]:
    """Count the included studies without any size: those with a direction, those with nothing."""
    sized = {effect.study_id for found in findings for effect in found.effects}
    told = {vote.study_id for found in findings for vote in found.votes}
    rest = {s.study_id for s in tables.studies if s.include == "yes"} - sized
    return {"direction": len(rest & told), "nothing": len(rest - told)}


def _inputs(root: Path) -> list[dict[str, str]]:
    names = [f"data/raw/{model.table}.csv" for model in ROWS]
    return [{"file": name, "sha256": sha256(root / name)} for name in names]


def _agreement(root: Path) -> dict[str, Any]:
    rows = read_records(root / "results" / "agreement.csv", AgreementRow)
    groups: dict[tuple[str, str], list[AgreementRow]] = {}
    for row in rows:
        groups.setdefault((row.library, row.method), []).append(row)
    return {
        "rows": [
            {
                "library": library,
                "method": method,
                **{
                    verdict: sum(row.verdict == verdict for row in members)
                    for verdict in ("agrees", "differs", "not_comparable")
                },
                "largest": max((abs(row.difference or 0) for row in members), default=0),
                "causes": [
                    f"{number} times: {cause}"
                    for cause, number in sorted(
                        Counter(row.cause for row in members if row.cause).items()
                    )
                ],
            }
            for (library, method), members in sorted(groups.items())
        ],
        "differs": [row for row in rows if row.verdict == "differs"],
    }
