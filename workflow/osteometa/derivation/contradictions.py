"""Resolutions of inconsistently reported data: each effect as if one of the values were wrong.

Effects derived from a disputed row are in no primary pool; each resolution has a
row of its own in the table of sensitivity analyses.
"""

from collections.abc import Iterator
from dataclasses import replace

from osteometa.comparisons.build import Comparison, RowPair
from osteometa.comparisons.correlations import Correlations
from osteometa.effects.basis import Estimate
from osteometa.effects.hierarchy import attempts_at
from osteometa.effects.rows import disputed_because
from osteometa.extraction.tables import Contrast, Measurement
from osteometa.protocol.config import Config
from osteometa.wording.vocabulary import Flag

QUESTIONABLE = (
    ("sd",), ("se",), ("spread",), ("ci_low", "ci_high"), ("p",), ("value",),
)  # fmt: skip
"""What can be set aside of a row: its spread or its test, with the cells that belong together."""
PAIRS = {"level": ("levels", "baselines"), "change": ("changes",), "pct_change": ("percents",)}


def resolutions_of(
    comparison: Comparison, measure: str, correlations: Correlations, config: Config
) -> list[Estimate]:
    """Return every distinct resolution of a disputed comparison, the primary one first.

    The effect is derived from all values, then again without each disputed spread or test that a
    resolution uses: so each of two inconsistent values is once the one that is used. Two
    resolutions are the same if they use the same cells. Empty if there is none.
    """
    found: dict[frozenset, Estimate] = {}
    waiting = [_with_standardiser(comparison, config)]
    tried: set[frozenset] = set()
    while waiting:
        one = waiting.pop(0)
        estimate = attempts_at(one, measure, correlations, config)[-1].estimate
        if estimate is None:
            continue
        cells = frozenset(cell.name for cell in estimate.cells)
        if cells in tried:
            continue
        tried.add(cells)
        if not any(_same(estimate, other) for other in found.values()):
            found[cells] = replace(estimate, flags=estimate.flags | {Flag.DISPUTED})
        waiting += [_without(one, row, columns) for row, columns in _questionable(estimate)]
    return [estimate for estimate in found.values() if disputed_because(estimate)]


def _same(one: Estimate, other: Estimate) -> bool:
    def near(a: float, b: float) -> bool:
        return abs(a - b) <= 1e-9 * max(abs(a), abs(b))

    return near(one.yi, other.yi) and near(one.vi, other.vi)


def _questionable(
    estimate: Estimate,
) -> Iterator[tuple[Measurement | Contrast, tuple[str, ...]]]:
    """Yield a disputed row of each group of cells that can be set aside together."""
    seen = set()
    for cell in estimate.cells:
        row = cell.row
        columns = next((group for group in QUESTIONABLE if cell.column in group), None)
        if columns is None or not isinstance(row, Measurement | Contrast) or not row.disputed:
            continue
        # The arms of a comparison are set aside together: they are reported in one way.
        key = (row.table, row.kind if isinstance(row, Measurement) else row.key_text, columns)
        if key not in seen:
            seen.add(key)
            yield row, columns


def _without(
    comparison: Comparison, disputed: Measurement | Contrast, columns: tuple[str, ...]
) -> Comparison:
    """Return a comparison as if some cells of a row, and its like in the other arm, were empty."""
    empty = dict.fromkeys(columns)
    if isinstance(disputed, Contrast):
        rows = tuple(
            row.model_copy(update=empty) if row.key_text == disputed.key_text else row
            for row in comparison.contrasts
        )
        return replace(comparison, contrasts=rows)

    def emptied(rows: RowPair) -> RowPair:
        exercise, control = (
            row.model_copy(update=empty) if isinstance(row, Measurement) and row.disputed else row
            for row in rows
        )
        return exercise, control

    return replace(
        comparison,
        **{name: emptied(getattr(comparison, name)) for name in PAIRS.get(disputed.kind, ())},
    )


def _with_standardiser(comparison: Comparison, config: Config) -> Comparison:
    """Give a disputed SMD without a named SD the SD that config.yaml states for its analyte."""
    analyte = config.analyte(comparison.outcome, comparison.analyte)
    if analyte is None or not analyte.unnamed_standardiser:
        return comparison
    rows = tuple(
        row.model_copy(
            update={
                "standardiser": analyte.unnamed_standardiser,
                "flag": f"{row.flag} {Flag.FACTOR_UNKNOWN}".strip(),
            }
        )
        if row.statistic == "smd" and row.disputed and row.standardiser in ("", "not_stated")
        else row
        for row in comparison.contrasts
    )
    return replace(comparison, contrasts=rows)
