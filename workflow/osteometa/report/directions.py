"""Direction sets and combined p values as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from osteometa.records.directions import DirectionSet, PCombination
from osteometa.wording.numbers import p_number, studies, unbroken
from osteometa.wording.vocabulary import DesignClass, Phase


class DirectionCells(NamedTuple):
    """A sign test as text."""

    row: DirectionSet
    phase: str
    design_class: str
    known: str
    p_range: str
    p_known: str
    share_range: str
    share_known: str
    words: str


def range_words(low: float | None, high: float | None, of_p: bool = True) -> str:
    """Return a range of p or of shares; both ends the same are one number."""
    if low is None or high is None:
        return "not defined"
    a, b = (p_number(low), p_number(high)) if of_p else (_percent(low), _percent(high))
    return a if a == b else f"{a} to {b}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def direction_cells(row: DirectionSet) -> DirectionCells:
    """Return a sign test: the range over unknown directions first, the known ones beside it."""
    known = row.n_up + row.n_down
    total = known + row.n_unknown
    share = ""
    low, high = row.share_ci_low, row.share_ci_high
    if row.share_known is not None and low is not None and high is not None:
        interval = f"{100 * low:.0f} to {_percent(high)}"
        share = f"known only: {_percent(row.share_known)} (95 % CI {interval})"
    p_known = "" if row.p_known is None else f"known only: {p_number(row.p_known)}"
    return DirectionCells(
        row=row,
        phase=Phase(row.phase).words,
        design_class=DesignClass(row.design_class).words,
        known=f"{known} of {total}",
        p_range=unbroken(range_words(row.p_lowest, row.p_highest)),
        p_known=unbroken(p_known),
        share_range=unbroken(range_words(row.share_lowest, row.share_highest, of_p=False)),
        share_known=unbroken(share),
        words=_direction_words(row, known, total),
    )


def _direction_words(row: DirectionSet, known: int, total: int) -> str:
    if not total:
        return "No study has a direction up or down."
    if not known:
        return f"The direction is unknown in all studies ({studies(total)})."
    if row.n_unknown > known:
        return f"The direction is unknown in most studies ({row.n_unknown} of {total})."
    if row.n_unknown:
        return f"{row.n_up} up, {row.n_down} down; unknown in {row.n_unknown} of {total}."
    return f"{row.n_up} up, {row.n_down} down; none unknown."


class PCells(NamedTuple):
    """Combined p values of one direction set as text, or why there are none."""

    row: PCombination
    phase: str
    design_class: str
    stouffer_up: str
    stouffer_down: str
    fisher_up: str
    fisher_down: str
    participants: str
    studies: str
    reason: str


def p_cells(row: PCombination, labels: Mapping[str, str]) -> PCells:
    """Return the combined p values of one direction set.

    Parameters
    ----------
    row : PCombination
    labels : mapping
        Label of each study, by its id.
    """
    done = row.status == "ok"
    return PCells(
        row=row,
        phase=Phase(row.phase).words,
        design_class=DesignClass(row.design_class).words,
        stouffer_up=p_number(row.p_stouffer) if done else "",
        stouffer_down=p_number(row.p_stouffer_lower) if done else "",
        fisher_up=p_number(row.p_fisher) if done else "",
        fisher_down=p_number(row.p_fisher_lower) if done else "",
        participants=str(row.n_total) if done and row.n_total is not None else "",
        studies="; ".join(labels.get(study, study) for study in row.studies),
        reason=row.reason,
    )
