"""The state of a review for comparison with another: `run.changes.Snapshot`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from osteometa.comparisons.summaries import Cell
from osteometa.extraction.tables import ROWS, Tables
from osteometa.io.csv_records import columns_of, text_of, texts_of
from osteometa.protocol.config import Config
from osteometa.records.claims import ClaimRow
from osteometa.records.effects import Effect
from osteometa.records.pools import PooledRow
from osteometa.report.answers import answers
from osteometa.report.findings import Findings, Review
from osteometa.report.sentences import synthesis_sentences
from osteometa.run.changes import INPUTS, PLACE, SHOWN, Fields, Items, Snapshot
from osteometa.wording.measure_format import estimate_of
from osteometa.wording.numbers import studies

OF_EFFECTS = ("yi", "vi", "pooled", "block", "reason", "provenance", "r", "flags", "n_total")
OF_POOLS = (
    "k", "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "i2", "p", "status", "note",
)  # fmt: skip
OF_CLAIMS = ("verdict", "evidence")


def snapshot_of(review: Review, effects: Iterable[Effect]) -> Snapshot:
    """Return what is compared of a review; `effects` are all, also those of no analysis."""
    return Snapshot(
        settings=settings_of(review.config),
        cells=dict(_cells(review.tables)),
        effects={e.effect_id: _effect(e) for e in effects},
        pools={name: fields for found in review.findings for name, fields in _pools(found)},
        claims=_claims(review.claims),
        sentences=_sentences(review),
    )


def settings_of(config: Config) -> Items:
    """Return each setting by its path; planned analyses by their ids."""

    def leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from leaves(inner, f"{name}.{key}" if name else str(key))
        else:
            yield name, str(value)

    values = config.model_dump(mode="json")
    values["syntheses"] = {one["id"]: one for one in values["syntheses"]}
    return {name: {"value": text} for name, text in leaves(values, "")}


def _cells(tables: Tables) -> Iterator[tuple[str, Fields]]:
    seen: dict[str, int] = {}
    for model in ROWS:
        for row in getattr(tables, model.table):
            cell = Cell(row, "").name
            name = f"{cell.table}:{cell.key}"
            seen[name] = seen.get(name, 0) + 1
            # A key that occurs twice, as directions may have.
            name += f"#{seen[name]}" if seen[name] > 1 else ""
            filled = {c: _typed(getattr(row, c)) for c in row.columns()}
            place = {PLACE: f"{row.table}.csv row {row.row}"}
            yield name, {column: text for column, text in filled.items() if text} | place


def _typed(value: Any) -> str:
    return str(getattr(value, "text", text_of(value)))


def _texts(record: type, row: object, columns: Sequence[str]) -> dict[str, str]:
    texts = map(text_of, next(iter(texts_of(record, [row]))))
    known = dict(zip(columns_of(record), texts, strict=True))
    return {name: known[name] for name in columns if known[name]}


def _effect(effect: Effect) -> Fields:
    rows = sorted({f"{cell.table}:{cell.key}" for cell in effect.inputs})
    return {**_texts(Effect, effect, OF_EFFECTS), INPUTS: " ".join(rows)}


def _pools(found: Findings) -> Iterator[tuple[str, Fields]]:
    for row in found.pooled:
        if not row.primary:
            continue
        estimate = estimate_of(row)
        shown = ""
        if estimate is not None:
            shown = f"{found.scale(row.measure).in_text(estimate)}, {studies(row.k)}"
        fields = _texts(PooledRow, row, OF_POOLS)
        yield f"{row.synthesis} {row.measure} {row.group}", {**fields, SHOWN: shown}


def _claims(rows: Sequence[ClaimRow]) -> Items:
    found: dict[str, Mapping[str, str]] = {}
    for row in rows:
        place = (row.outcome, row.analyte, row.site, row.exercise_type, row.phase, row.window,
                 row.design_class, *row.arms)  # fmt: skip
        name = " ".join([row.claim_id, *(str(part) for part in place if part)])
        fields = _texts(ClaimRow, row, OF_CLAIMS)
        found[name] = {**fields, SHOWN: f"{row.verdict.words}: {row.evidence}"}
    return found


def _sentences(review: Review) -> Items:
    found = {f"answer {one.outcome}": one.text for one in answers(review)}
    for one in review.findings:
        found[one.row.synthesis] = " ".join(synthesis_sentences(one, review.tables))
    return {name: {"text": text, SHOWN: text} for name, text in found.items()}
