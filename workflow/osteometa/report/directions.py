"""Direction sets and combined p values as text."""

from __future__ import annotations

from collections.abc import Mapping

from osteometa.records.directions import DirectionSet, PCombination
from osteometa.wording.numbers import counted, p_number, unbroken


def range_words(low: float | None, high: float | None, of_p: bool = True) -> str:
    """Return a range of p or of shares; both ends the same are one number."""
    if low is None or high is None:
        return "not defined"
    a, b = (
        (p_number(low), p_number(high)) if of_p else (f"{100 * low:.0f} %", f"{100 * high:.0f} %")
    )
    return a if a == b else f"{a} to {b}"


def direction_cells(row: DirectionSet) -> dict[str, str]:
    """Return a sign test as text: the range leads, the known directions alone stand beside it."""
    known = row.n_up + row.n_down
    total = known + row.n_unknown
    share = "" if row.share_known is None else (
        f"known only: {100 * row.share_known:.0f} % "
        f"(95 % CI {100 * row.share_ci_low:.0f} to {100 * row.share_ci_high:.0f} %)"
    )  # fmt: skip
    cells = {
        "known": f"{known} of {total}",
        "p_range": range_words(row.p_lowest, row.p_highest),
        "p_known": "" if row.p_known is None else f"known only: {p_number(row.p_known)}",
        "share_range": range_words(row.share_lowest, row.share_highest, of_p=False),
        "share_known": share,
        "words": _direction_words(row, known, total),
    }
    return {name: unbroken(text) for name, text in cells.items()}


def _direction_words(row: DirectionSet, known: int, total: int) -> str:
    if not total:
        return "No direction up or down is known."
    if not known:
        return f"The direction is not known in {counted(total, 'study', 'studies')}, all there are."
    if row.n_unknown > known:
        return f"The direction is not known for most studies ({row.n_unknown} of {total})."
    if row.n_unknown:
        return f"{row.n_up} up, {row.n_down} down; not known for {row.n_unknown} of {total}."
    return f"{row.n_up} up, {row.n_down} down; none is unknown."


def p_cells(row: PCombination, labels: Mapping[str, str]) -> dict[str, str]:
    """Return the combined p values of one direction set as text, or why there are none.

    Parameters
    ----------
    row : PCombination
    labels : mapping
        Label of each study, by its id.
    """
    done = row.status == "ok"
    return {
        "stouffer_up": p_number(row.p_stouffer) if done else "",
        "stouffer_down": p_number(row.p_stouffer_lower) if done else "",
        "fisher_up": p_number(row.p_fisher) if done else "",
        "fisher_down": p_number(row.p_fisher_lower) if done else "",
        "people": str(row.n_total) if done and row.n_total is not None else "",
        "studies": "; ".join(labels.get(study, study) for study in row.studies.split()),
        "reason": row.reason,
    }
