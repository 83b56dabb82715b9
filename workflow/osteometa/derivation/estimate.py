"""First pass: an estimate of every comparison on every measure, or why there is none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from osteometa.comparisons.comparison import Comparison
from osteometa.comparisons.correlations import Correlations
from osteometa.effects.basis import Estimate
from osteometa.effects.hierarchy import Attempt, attempts_at
from osteometa.protocol.config import Config
from osteometa.wording.vocabulary import ComparatorKind


@dataclass(frozen=True, slots=True)
class Estimated:
    """A comparison with the derivation methods that were tried."""

    comparison: Comparison
    attempts: Mapping[str, Sequence[Attempt]]
    """By measure; empty where none is tried."""
    not_tried: str
    """Why no derivation method is tried; empty if any is."""

    def estimate(self, measure: str) -> Estimate | None:
        """Return the estimate on a measure, None if no derivation method gave one."""
        attempts = self.attempts.get(measure, ())
        return attempts[-1].estimate if attempts else None

    def estimates(self) -> dict[str, Estimate]:
        """Return the estimates by measure."""
        found = {measure: self.estimate(measure) for measure in self.attempts}
        return {measure: one for measure, one in found.items() if one is not None}


def estimate(
    comparisons: Iterable[Comparison], correlations: Correlations, config: Config
) -> list[Estimated]:
    """Try the derivation methods of every comparison on every measure of its outcome."""
    return [_estimated(comparison, correlations, config) for comparison in comparisons]


def _estimated(comparison: Comparison, correlations: Correlations, config: Config) -> Estimated:
    alone = not comparison.controlled and comparison.arm.comparator_kind != ComparatorKind.NONE
    if alone and comparison.study.design == "crossover_rct":
        # Only where no condition is a comparator is it a change before and after, like any other.
        reason = "a condition of a crossover trial without its comparator: direction only"
        return Estimated(comparison, {}, reason)
    attempts = {
        measure: attempts_at(comparison, measure, correlations, config, borrow=True)
        for measure in config.outcomes[comparison.outcome].measures
    }
    return Estimated(comparison, attempts, "")
