"""Gathering the records of a run and filling the template."""

from __future__ import annotations

import base64
import csv
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from osteometa import __version__
from osteometa.config import Config
from osteometa.figures.forest_rows import FLAG_WORDS, ForestRow, alt_text
from osteometa.files import read_records
from osteometa.manifest import sha256
from osteometa.reading import read_checked
from osteometa.records import AgreementRow, DirectionSet, LedgerLine, SynthesisRow, WantedRow
from osteometa.report import studies, words
from osteometa.report.findings import Findings, read_findings
from osteometa.report.glance import COLUMNS, counts, glance
from osteometa.report.methods import methods_sentences
from osteometa.tables import ROWS, Tables

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
    return _template().render(
        title=config.title,
        css=(Path(__file__).parent / "report.css").read_text(encoding="utf-8"),
        columns=COLUMNS,
        rooms=glance(findings, config),
        counts=counts(findings),
        sections=[_section(root, config, found, tables) for found in findings],
        direction_sets=[{"row": row, **words.direction_cells(row)} for row in sets],
        directions=_pages(root),
        methods=words.unbroken(
            " ".join(methods_sentences(config, effects, _unsized(tables, findings), versions))
        ),
        studies=studies.study_rows(tables, config),
        excluded=studies.excluded_rows(tables),
        agreement=_agreement(root),
        warnings=_csv(root / "data" / "processed" / "warnings.csv"),
        wanted=_wanted(read_records(root / "results" / "wanted.csv", WantedRow), findings),
        ledger=ledger,
        statuses={status: sum(line.status == status for line in ledger) for status in STATUSES},
        risk_of_bias=tables.risk_of_bias,
        prisma=tables.prisma,
        certain=sum(row.synthesis in {found.row.synthesis for found in findings}
                    for row in tables.grade),
        versions=versions,
        inputs=_inputs(root),
    )  # fmt: skip


def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2")


def _section(root: Path, config: Config, found: Findings, tables: Tables) -> dict[str, Any]:
    synthesis, row = found.synthesis, found.row
    folder = root / "results" / synthesis.id
    heading = words.heading(synthesis, config)
    judged = sorted({effect.study_id for effect in found.pool})
    risk = studies.risk_words(judged, synthesis.outcome, tables)
    drawn = read_records(folder / "forest.csv", ForestRow)
    flags = sorted({flag for effect in found.effects for flag in effect.flags.split()})
    numbers = [
        {**words.pooled_cells(pooled, found.scale(pooled.measure)),
         "first": pooled.measure == row.measure}
        for pooled in found.pooled
        if pooled.k > 1 or pooled.group == "overall"
    ]  # fmt: skip
    return {
        "row": row,
        "heading": heading,
        "sentences": words.synthesis_sentences(
            found, risk, studies.certainty_words(synthesis.id, tables)
        ),
        "figure": _image(folder / "forest.svg"),
        "alt": alt_text(drawn, {"label": heading, "measure": row.measure}),
        "effects": found.effects,
        "flags": [(flag, FLAG_WORDS[flag]) for flag in flags],
        "numbers": [cells for cells in numbers if cells["first"]],
        "others": [cells for cells in numbers if not cells["first"]],
        "published": studies.published_rows(synthesis, tables),
    }


def _image(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def _pages(root: Path) -> list[str]:
    pages = [root / "results" / "directions.svg"]
    further = (root / "results" / "directions_pages").glob("*.svg")
    pages += sorted(further, key=lambda path: (len(path.name), path.name))
    return [_image(path) for path in pages]


def _wanted(rows: Sequence[WantedRow], findings: Sequence[Findings]) -> list[dict[str, Any]]:
    """Return one line per arm and analysis, the alternatives beside each other, as sorted."""
    lines: dict[tuple[str, ...], dict[str, Any]] = {}
    headings = {found.row.synthesis: found for found in findings}
    for row in rows:
        key = (row.synthesis, row.study_id, row.arm_id)
        found = headings[row.synthesis]
        line = lines.setdefault(
            key,
            {"row": row, "sets": [], "what": f"{row.outcome}, {words.what_words(found.synthesis)}"},
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
