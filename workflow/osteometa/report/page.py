"""Gathering the records of a run and filling the template."""

from __future__ import annotations

import base64
import csv
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from osteometa import __version__
from osteometa.comparisons import exercise_type
from osteometa.config import Config, Synthesis
from osteometa.figures.forest_rows import TYPE_WORDS, ForestRow, alt_text
from osteometa.files import read_records
from osteometa.manifest import sha256
from osteometa.reading import read_checked
from osteometa.records import (
    AgreementRow,
    DirectionSet,
    LedgerLine,
    PooledRow,
    SubgroupTest,
    SynthesisRow,
    Vote,
    WeightedEffect,
)
from osteometa.report import words
from osteometa.tables import ROWS, Tables

PEERS = ("PyMARE", "statsmodels", "numpy", "scipy", "matplotlib", "snakemake", "pydantic")


def render_report(root: str | Path, config: Config) -> str:
    """Return the report of a run as one page that needs nothing beside it."""
    root = Path(root)
    tables = read_checked(root / "data" / "processed" / "checked")
    rows = read_records(root / "results" / "syntheses.csv", SynthesisRow)
    sets = read_records(root / "results" / "direction_sets.csv", DirectionSet)
    ledger = read_records(root / "data" / "processed" / "ledger.csv", LedgerLine)
    versions = {"osteometa": __version__, **{name: version(name) for name in PEERS}}
    sections = [
        _section(root, config, synthesis, row, tables)
        for synthesis, row in zip(config.syntheses, rows, strict=True)
    ]
    effects = [effect for section in sections for effect in section["effects"]]
    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2").render(
        title=config.title,
        css=(folder / "report.css").read_text(encoding="utf-8"),
        sections=sections,
        rooms={
            room: [section for section in sections if section["room"] == room]
            for room in dict.fromkeys(section["room"] for section in sections)
        },
        counts=_counts(tables, rows),
        direction_sets=[{**asdict(row), "words": words.direction_words(row)} for row in sets],
        directions=_pages(root),
        methods=words.methods_paragraph(
            config, effects, _direction_only(tables, effects), versions
        ),
        studies=_studies(tables, config),
        agreement=_agreement(root),
        warnings=_csv(root / "data" / "processed" / "warnings.csv"),
        ledger=ledger,
        statuses={s: sum(line.status == s for line in ledger) for s in
                  ("used", "direction_only", "not_used", "not_asked")},
        assessed=bool(tables.risk_of_bias),
        prisma=tables.prisma,
        versions=versions,
        inputs=[
            {"file": f"data/raw/{m.table}.csv", "sha256": sha256(root / f"data/raw/{m.table}.csv")}
            for m in ROWS
        ],
    )  # fmt: skip


def _section(
    root: Path, config: Config, synthesis: Synthesis, row: SynthesisRow, tables: Tables
) -> dict[str, Any]:
    folder = root / "results" / synthesis.id
    effects = read_records(folder / "effects.csv", WeightedEffect)
    pooled = read_records(folder / "pooled.csv", PooledRow)
    tests = read_records(folder / "subgroup_test.csv", SubgroupTest)
    drawn = read_records(folder / "forest.csv", ForestRow)
    test = next((t for t in tests if t.measure == row.measure), None)
    grade = {item.synthesis: item.certainty.replace("_", " ") for item in tables.grade}
    certainty = grade.get(synthesis.id, "not assessed")
    unit = next((effect.unit for effect in effects if effect.unit), "")
    settings = {"label": words.place_words(synthesis, config), "measure": row.measure}
    main = next((p for p in pooled if p.primary and p.group == "overall"
                 and p.measure == row.measure and p.estimate is not None), None)  # fmt: skip
    scale = words.scale_of(row.measure, row.outcome, unit)
    return {
        "row": row,
        "room": words.room_words(synthesis),
        "what": f"{synthesis.outcome}, {words.what_words(synthesis)}"
        + (f", {synthesis.window}" if synthesis.window else ""),
        "votes": words.vote_words(read_records(folder / "directions.csv", Vote)),
        "heading": settings["label"],
        "sentence": words.synthesis_sentence(
            words.about_words(synthesis), row, pooled, effects, test, certainty
        ),
        "figure": _image(folder / "forest.svg"),
        "alt": alt_text(drawn, settings),
        "glance": scale.with_interval(main.estimate, main.ci_low, main.ci_high) if main else "",
        "scale": scale.title if main else "",
        "effects": effects,
        "pooled": [
            words.pooled_cells(p, words.scale_of(p.measure, row.outcome, unit)) for p in pooled
        ],
    }


def _image(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def _pages(root: Path) -> list[str]:
    pages = [root / "results" / "directions.svg"]
    further = (root / "results" / "directions_pages").glob("*.svg")
    pages += sorted(further, key=lambda path: (len(path.name), path.name))
    return [_image(path) for path in pages]


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _counts(tables: Tables, rows: Sequence[SynthesisRow]) -> dict[str, int]:
    return {
        "studies": sum(study.include == "yes" for study in tables.studies),
        **{s: sum(row.status == s for row in rows) for s in
           ("pooled", "listed", "direction_only", "empty")},
    }  # fmt: skip


def _direction_only(tables: Tables, effects: Sequence[WeightedEffect]) -> int:
    sized = {effect.study_id for effect in effects}
    return sum(s.include == "yes" and s.study_id not in sized for s in tables.studies)


def _studies(tables: Tables, config: Config) -> list[dict[str, str]]:
    rows = []
    for study in tables.studies:
        arms = [arm for arm in tables.arms if arm.study_id == study.study_id]
        exercise = [arm for arm in arms if arm.role == "exercise"]
        weeks = sorted({f"{arm.weeks:g}" for arm in exercise if arm.weeks is not None})
        outcomes = {
            row.outcome
            for row in (*tables.measurements, *tables.contrasts, *tables.directions)
            if row.study_id == study.study_id and row.outcome in config.outcomes
        }
        types = dict.fromkeys(TYPE_WORDS[exercise_type(arm, config)] for arm in exercise)
        rows.append(
            {
                "label": study.label,
                "design": study.design,
                "population": study.population + (f" ({study.indirect})" if study.indirect else ""),
                "n": "" if study.n_enrolled is None else str(study.n_enrolled),
                "exercise": "; ".join(arm.label for arm in exercise),
                "types": ", ".join(types),
                "comparator": "; ".join(arm.label for arm in arms if arm.role == "control"),
                "weeks": ", ".join(weeks) if weeks else ("single bout" if exercise
                         and exercise[0].phase == "acute" else ""),
                "outcomes": ", ".join(sorted(outcomes)),
            }
        )  # fmt: skip
    return rows


def _agreement(root: Path) -> dict[str, Any]:
    rows = read_records(root / "results" / "agreement.csv", AgreementRow)
    summary: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        cell = summary.setdefault(
            (row.library, row.method),
            {"agrees": 0, "differs": 0, "not_comparable": 0, "largest": 0.0, "causes": set()},
        )
        cell[row.verdict] += 1
        cell["largest"] = max(cell["largest"], row.difference or 0.0)
        if row.cause:
            cell["causes"].add(row.cause)
    return {
        "rows": [
            {"library": k[0], "method": k[1], **v, "causes": "; ".join(sorted(v["causes"]))}
            for k, v in sorted(summary.items())
        ],
        "differs": [row for row in rows if row.verdict == "differs"],
    }
