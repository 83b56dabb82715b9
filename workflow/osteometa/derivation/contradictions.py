"""Readings of contradictory prints: what each effect would be if one of the prints were wrong.

Effects that rest on a disputed row are in no primary pool; each reading has a
row of its own in the sensitivity table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from osteometa.comparisons.build import Comparison
from osteometa.comparisons.correlations import Correlations
from osteometa.comparisons.summaries import Cell
from osteometa.effects.basis import Estimate
from osteometa.effects.hierarchy import climb
from osteometa.extraction.tables import Contrast, Measurement
from osteometa.protocol.config import Config

# What can be disbelieved of a row: its spread or its test, with the cells that go together.
DOUBTS = (
    ("sd",), ("se",), ("spread",), ("ci_low", "ci_high"), ("p",), ("value",),
)  # fmt: skip


def readings_of(
    comparison: Comparison, measure: str, correlations: Correlations, config: Config
) -> list[Estimate]:
    """Return every distinct reading of a disputed comparison on one measure.

    The ladder is climbed with all prints, then again without each disputed spread or test that a
    reading rests on: so each of two contradictory prints is once the one that is believed. Two
    readings are the same if they rest on the same cells.

    Returns
    -------
    list of Estimate
        The first is the one that the ladder gives; empty if it gives none.
    """
    found: dict[frozenset, Estimate] = {}
    waiting = [_smd_of_change(comparison, config)]
    tried: set[frozenset] = set()
    while waiting:
        one = waiting.pop(0)
        estimate = climb(one, measure, correlations, config)[-1].estimate
        if estimate is None:
            continue
        cells = frozenset(cell.row.cell_name(cell.column) for cell in estimate.cells)
        if cells in tried:
            continue
        tried.add(cells)
        if not any(_same(estimate, other) for other in found.values()):
            found[cells] = _flagged(estimate)
        waiting += [_without(one, cell.row, doubt) for cell, doubt in _doubts(estimate)]
    return [estimate for estimate in found.values() if _is_disputed(estimate)]


def _same(one: Estimate, other: Estimate) -> bool:
    def near(a: float, b: float) -> bool:
        return abs(a - b) <= 1e-9 * max(abs(a), abs(b))

    return near(one.yi, other.yi) and near(one.vi, other.vi)


def _is_disputed(estimate: Estimate) -> bool:
    return any(getattr(cell.row, "disputed", "") for cell in estimate.cells)


def _doubts(estimate: Estimate) -> Iterator[tuple[Cell, tuple[str, ...]]]:
    """Yield one disputed cell of each group of cells that can be disbelieved together."""
    seen = set()
    for cell in estimate.cells:
        doubt = next((group for group in DOUBTS if cell.column in group), None)
        if doubt is None or not getattr(cell.row, "disputed", ""):
            continue
        # The arms of a comparison are doubted together: they are printed in one way.
        key = (cell.row.table, getattr(cell.row, "kind", cell.row.key_text), doubt)
        if key not in seen:
            seen.add(key)
            yield cell, doubt


def _without(
    comparison: Comparison, doubted: Measurement | Contrast, columns: tuple[str, ...]
) -> Comparison:
    """Return a comparison as if some cells of a row, and its like in the other arm, were empty."""
    empty = dict.fromkeys(columns)
    if isinstance(doubted, Contrast):
        rows = tuple(
            row.model_copy(update=empty) if row.key_text == doubted.key_text else row
            for row in comparison.contrasts
        )
        return replace(comparison, contrasts=rows)

    def pair(rows: tuple) -> tuple:
        if not any(row is not None and row.kind == doubted.kind for row in rows):
            return rows
        return tuple(
            row.model_copy(update=empty) if row is not None and row.disputed else row
            for row in rows
        )

    names = {"level": ("levels", "baselines"), "change": ("changes",), "pct_change": ("percents",)}
    return replace(
        comparison, **{n: pair(getattr(comparison, n)) for n in names.get(doubted.kind, ())}
    )


def _smd_of_change(comparison: Comparison, config: Config) -> Comparison:
    """Let a disputed BMD trial's SMD without a named SD count as one of change."""
    analyte = config.analyte(comparison.outcome, comparison.analyte)
    if analyte is None or analyte.quantity != "areal_density":
        return comparison
    rows = tuple(
        row.model_copy(update={"standardiser": "change", "flag": f"{row.flag} FUNK".strip()})
        if row.statistic == "smd" and row.disputed and row.standardiser in ("", "not_stated")
        else row
        for row in comparison.contrasts
    )
    return replace(comparison, contrasts=rows)


def _flagged(estimate: Estimate) -> Estimate:
    return replace(estimate, flags=estimate.flags | {"DISPUTED"})
