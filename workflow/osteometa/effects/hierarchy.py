"""Climbing down a ladder: each rung is tried in order until one can be taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from osteometa.comparisons.build import Comparison
from osteometa.comparisons.correlations import Correlations
from osteometa.effects import differences, paired, smd, within
from osteometa.effects.basis import Basis, Estimate, RefusalError
from osteometa.protocol.config import Config

Rung = Callable[[Basis], Estimate]
Ladder = tuple[tuple[str, Rung], ...]

LADDERS: dict[str, dict[str, Ladder]] = {
    "two arms": {
        "SMD": smd.RUNGS, "MD": differences.MD_RUNGS, "ROM": differences.ROM_RUNGS,
    },
    "same people": paired.RUNGS,
    "one arm": within.RUNGS,
}  # fmt: skip
"""Each measure's rungs, by who is compared with whom."""
FROM_LEVELS: dict[str, dict[str, tuple[Rung, ...]]] = {
    "two arms": {
        "SMD": (smd.pre_post_control, smd.post_scores),
        "MD": (differences.md_pre_post, differences.md_post),
        "ROM": (differences.rom_pre_post, differences.rom_post),
    },
    "same people": {measure: (rung,) for measure, rung in paired.LEVELS.items()},
    "one arm": {measure: (rung,) for measure, rung in within.LEVELS.items()},
}
"""Rungs that rest on levels alone, for which an SD may be borrowed."""
BORROWED = "BOR"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One rung: the estimate it gave, or why it gave none."""

    measure: str
    method: str
    estimate: Estimate | None
    reason: str


def climb(
    comparison: Comparison, measure: str, correlations: Correlations, config: Config, *,
    borrow: bool = False,
) -> list[Attempt]:  # fmt: skip
    """Try the rungs of a measure in order and stop at the first that can be taken.

    Parameters
    ----------
    comparison : Comparison
        Of two arms, of two conditions of the same people, or of one arm before and after.
    measure : {"SMD", "ROM", "MD"}
    correlations : Correlations
    config : Config
        `config.effects` chooses among forms of an effect and its variance.
    borrow : bool
        Whether an SD may be borrowed from other studies as the last rung. Its estimate is flagged
        BOR, for sensitivity only.

    Returns
    -------
    list of Attempt
        The last one holds the estimate if there is one.
    """
    basis = Basis(comparison, correlations, config)
    design = design_of(basis)
    rungs = LADDERS[design][measure]
    if borrow:
        rungs = (*rungs, (BORROWED, _borrowed(FROM_LEVELS[design][measure])))
    attempts: list[Attempt] = []
    for name, rung in rungs:
        try:
            estimate = rung(basis)
        except RefusalError as error:
            attempts.append(Attempt(measure, name, None, str(error)))
        else:
            attempts.append(Attempt(measure, name, estimate, ""))
            break
    return attempts


def design_of(basis: Basis) -> str:
    """Return which ladders a comparison climbs, a key of LADDERS."""
    if not basis.comparison.controlled:
        return "one arm"
    return "same people" if basis.paired else "two arms"


def _borrowed(rungs: tuple[Rung, ...]) -> Rung:
    """BOR: the rungs of levels, with an SD of other studies by the same assay."""

    def rung(basis: Basis) -> Estimate:
        other = basis.with_borrowed_sds()
        reason = ""
        for one in rungs:
            try:
                return one(other)
            except RefusalError as error:
                reason = reason or str(error)
        raise RefusalError(f"BOR: {reason}")

    return rung
