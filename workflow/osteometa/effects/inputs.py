"""The numbers that formulas need: taken from summaries, or the reason why they are missing."""

import math
from collections.abc import Callable
from typing import Any

from osteometa.comparisons.summaries import (
    Cell,
    Codes,
    CompleteSummary,
    Flags,
    Pair,
    Summary,
    distinct_codes,
    has_sd,
)
from osteometa.effects import formulas
from osteometa.extraction.tables import Contrast
from osteometa.numerics.distributions import half_width_to_se, hedges_j
from osteometa.wording.vocabulary import Flag, Provenance

Two = tuple[CompleteSummary, CompleteSummary]
"""Complete summaries of the exercise and the control arm."""


class NotDerivableError(Exception):
    """A derivation method cannot be used; the text is the reason, for the ledger."""


def both(pair: Pair, method: str, what: str) -> Two:
    """Return both summaries with mean, SD and n, or raise naming arm and number not reported.

    `what` says in a message of which time or change they are.
    """
    exercise, control = pair
    return (
        complete(exercise, f"{what} in the exercise arm", f"{method}: "),
        complete(control, f"{what} in the control arm", f"{method}: "),
    )


def complete(summary: Summary | None, whose: str, where: str = "") -> CompleteSummary:
    """Return a summary with mean, SD and n of at least 2, or raise naming what is not reported."""
    if summary is None or summary.mean is None:
        raise NotDerivableError(f"{where}no mean {whose}")
    if summary.sd is None:
        raise NotDerivableError(f"{where}no SD {whose}")
    found = summary.complete()
    if found is None or found.n < 2:
        raise NotDerivableError(f"{where}n {whose} is not reported")
    return found


def all_with_sd(pair: Pair) -> bool:
    """Return whether mean and SD of both arms are known."""
    return all(has_sd(summary) for summary in pair)


def own_se(
    row: Contrast, scale: Callable[[Any], float] = float
) -> tuple[float, Provenance, tuple[str, ...]] | None:
    """Return the SE that a row reports, else that of its limits; None if it has neither.

    With what it is derived from and its columns; `scale` is the logarithm for limits of a ratio.
    """
    if row.se is not None:
        return float(row.se), Provenance.SE, ("se",)
    if row.ci_low is None or row.ci_high is None:
        return None
    limits, level = (scale(row.ci_low), scale(row.ci_high)), float(row.ci_level or 95)
    return half_width_to_se(*limits, level, None), Provenance.CI, ("ci_low", "ci_high")


def tmd_sd(se: float, n_exercise: int, n_control: int) -> float:
    """Return the SD of both arms from the SE of their difference."""
    return abs(se) / math.sqrt(1 / n_exercise + 1 / n_control)


def small_sample(m: int) -> float:
    """Return Hedges' J of m degrees of freedom; NotDerivableError for fewer than 2."""
    if m < 2:
        raise NotDerivableError("an SMD needs an SD with two degrees of freedom")
    return hedges_j(m)


def pooled_sd(one: CompleteSummary, other: CompleteSummary) -> float:
    """Return the pooled SD of two arms."""
    squares = (one.n - 1) * one.sd**2 + (other.n - 1) * other.sd**2
    return math.sqrt(squares / (one.n + other.n - 2))


def arms(
    one: CompleteSummary, other: CompleteSummary
) -> tuple[float, float, int, float, float, int]:
    """Return mean, SD and n of both arms, as the formulas take them."""
    return one.mean, one.sd, one.n, other.mean, other.sd, other.n


def gathered(*summaries: Summary | None) -> tuple[tuple[Cell, ...], Flags, Codes]:
    """Return the cells, flags and SD codes of several summaries."""
    present = [summary for summary in summaries if summary is not None]
    cells = tuple(cell for summary in present for cell in summary.cells)
    flags = frozenset[Flag]().union(*(summary.flags for summary in present))
    return cells, flags, distinct_codes(summary.codes for summary in present)


def mean_change(before: CompleteSummary, after: Summary | None, change: Summary | None) -> float:
    """Return an arm's mean change: as reported with its SD, else after minus before, else raise."""
    if change is not None and change.mean is not None and change.sd is not None:
        return change.mean
    if after is None or after.mean is None:
        raise NotDerivableError("neither level after nor change with its SD")
    return after.mean - before.mean


def change_variance(
    before: CompleteSummary, after: Summary | None, change: Summary | None, r: float
) -> float:
    """Return the variance of an arm's mean change, in the squared unit of the levels.

    From the reported SD of change; else from both SDs and r, see `formulas.change_variance`.
    NotDerivableError if neither is reported.
    """
    if change is not None and change.sd is not None and change.n:
        return change.sd**2 / change.n
    if after is None or after.sd is None:
        raise NotDerivableError("no SD of the level after, and none of the change")
    if not after.n:
        raise NotDerivableError("n after is not reported")
    variance = formulas.change_variance(before.sd, before.n, after.sd, after.n, r)
    if variance <= 0:
        raise NotDerivableError("SDs, n and the correlation give no positive variance")
    return variance
