"""Climbing down a ladder: each rung is tried in order until one can be taken."""

from __future__ import annotations

from dataclasses import dataclass

from osteometa.comparisons import Comparison
from osteometa.config import Config
from osteometa.correlations import Correlations
from osteometa.effects import differences, smd
from osteometa.effects.basis import Basis, Estimate, RefusalError

LADDERS = {"SMD": smd.RUNGS, "MD": differences.MD_RUNGS, "ROM": differences.ROM_RUNGS}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One rung: the estimate it gave, or why it gave none."""

    measure: str
    rung: str
    estimate: Estimate | None
    reason: str


def climb(
    comparison: Comparison, measure: str, correlations: Correlations, config: Config
) -> list[Attempt]:
    """Try the rungs of a measure in order and stop at the first that can be taken.

    Parameters
    ----------
    comparison : Comparison
        A controlled comparison.
    measure : {"SMD", "ROM", "MD"}
    correlations : Correlations
    config : Config

    Returns
    -------
    list of Attempt
        The last one holds the estimate if there is one.
    """
    basis = Basis(comparison, correlations, config)
    attempts: list[Attempt] = []
    for name, rung in LADDERS[measure]:
        try:
            estimate = rung(basis)
        except RefusalError as error:
            attempts.append(Attempt(measure, name, None, str(error)))
        else:
            attempts.append(Attempt(measure, name, estimate, ""))
            break
    return attempts
