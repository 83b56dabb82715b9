"""The verdict on a claim, by the rules of M7.6 in their order.

An interval must lie wholly on one side of no effect, or within the smallest effect of interest; a
sign test must hold in whatever way the unknown directions went. Significant results are never
counted.
"""

from osteometa.records.claims import ClaimRow
from osteometa.wording.measure_format import MeasureFormat, estimate_of
from osteometa.wording.vocabulary import OPPOSITE, Direction, Verdict

LEVEL = 0.05
"""The highest p of the sign test must be below it."""


def verdict_of(row: ClaimRow, *, single: bool = False) -> Verdict:
    """Return the verdict on a claim of a cell that some study reports.

    `single` states whether one study alone is behind the estimate, or behind one of the exercise
    types compared.
    """
    interval, by_directions = _interval(row), _side_of_directions(row)
    if interval is None:
        one = len(row.studies) == 1 and row.expectation != "larger_than"
        return Verdict.ONE_STUDY if one else _by_directions(row, by_directions)
    if single:
        return Verdict.ONE_STUDY
    side = _side(interval)
    if side is not None and by_directions == OPPOSITE[side]:
        return Verdict.CONFLICTING
    if row.expectation == "unchanged":
        return _no_change(interval, row.smallest_effect)
    if side is None:
        return Verdict.NOT_SETTLED
    return Verdict.SUPPORTED if side == _expected(row) else Verdict.CONTRADICTED


def _interval(row: ClaimRow) -> tuple[float, float] | None:
    """Return the interval with 0 for no effect: a ratio of means in percent."""
    estimate = estimate_of(row)
    if estimate is None:
        return None
    shown = MeasureFormat(row.measure, ratio_as="percent").shown
    return shown(estimate.low), shown(estimate.high)


def _expected(row: ClaimRow) -> Direction:
    return Direction.DOWN if row.expectation == "down" else Direction.UP


def _side(interval: tuple[float, float], bound: float = 0) -> Direction | None:
    """Return whether an interval lies wholly above `bound` or below its negative."""
    low, high = interval
    return Direction.UP if low > bound else Direction.DOWN if high < -bound else None


def _no_change(interval: tuple[float, float], smallest: float | None) -> Verdict:
    """Return whether an interval lies within the smallest effect of interest, or beyond it."""
    if smallest is None:
        return Verdict.NOT_SETTLED
    if -smallest < interval[0] and interval[1] < smallest:
        return Verdict.SUPPORTED
    return Verdict.CONTRADICTED if _side(interval, smallest) else Verdict.NOT_SETTLED


def _side_of_directions(row: ClaimRow) -> Direction | None:
    """Return the side on which the sign test holds in whatever way the unknown ones went."""
    if row.n_up is None or row.n_down is None:
        return None
    if row.p_highest is None or row.p_highest >= LEVEL:
        return None
    return Direction.UP if row.n_up > row.n_down else Direction.DOWN


def _by_directions(row: ClaimRow, side: Direction | None) -> Verdict:
    """Return the verdict where there is no estimate; directions never show that nothing changed."""
    if row.expectation == "larger_than":
        return Verdict.NOT_SETTLED
    if side is None or row.expectation == "unchanged":
        return Verdict.NOT_SETTLED_BY_DIRECTIONS
    held = side == _expected(row)
    return Verdict.SUPPORTED_BY_DIRECTIONS if held else Verdict.CONTRADICTED_BY_DIRECTIONS
