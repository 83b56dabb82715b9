"""Direction sets in words."""

from __future__ import annotations

from osteometa.records.directions import DirectionSet
from osteometa.wording.numbers import p_number, unbroken


def p_range(row: DirectionSet) -> str:
    """Return the range of p over what the unknown directions could be."""
    return unbroken(_range(p_number(row.p_lowest), p_number(row.p_highest)))


def share_range(row: DirectionSet) -> str:
    """Return the range of the share of studies up over what the unknown directions could be."""
    return unbroken(_range(_percent(row.share_lowest), _percent(row.share_highest)))


def share_known(row: DirectionSet) -> str:
    """Return the share of the known directions that are up, with its interval."""
    if row.share_known is None or row.share_ci_low is None:
        return ""
    interval = f"{100 * row.share_ci_low:.0f} to {_percent(row.share_ci_high)}"
    return unbroken(f"known only: {_percent(row.share_known)} (95 % CI {interval})")


def _range(low: str, high: str) -> str:
    """Return a range; both ends the same are one number."""
    return (low if low == high else f"{low} to {high}") or "not defined"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"
