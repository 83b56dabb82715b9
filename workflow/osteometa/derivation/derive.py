"""From checked tables to effects, covariances and directions: the passes in their order.

compare -> estimate -> select -> merge -> assess -> combine -> link
"""

from collections.abc import Sequence
from dataclasses import dataclass

from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.comparison import Comparison, comparison_key
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.assess import Assessed, assess
from osteometa.derivation.combine import combine
from osteometa.derivation.covariances import link
from osteometa.derivation.estimate import Estimated, estimate
from osteometa.derivation.select import Selected, merge, select
from osteometa.directions.entries import effects_by_comparison, entries
from osteometa.directions.reported import reported_results
from osteometa.effects.basis import Estimate
from osteometa.extraction.tables import Tables
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, ReportedResult
from osteometa.records.effects import Covariance, Effect


@dataclass(frozen=True, slots=True)
class Estimates:
    """Every comparison, estimated on its own."""

    estimated: tuple[Estimated, ...]
    correlations: Correlations


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects with one per study, measure and exercise type in each pool."""

    merged: tuple[Estimated, ...]
    """Comparisons of several arms as one."""
    effects: tuple[Effect, ...]
    """All effects, in the order of their names."""
    covariances: tuple[Covariance, ...]
    """Covariances of effects that share participants."""


@dataclass(frozen=True, slots=True)
class Derived(Effects):
    """All that is derived from the tables of a review."""

    estimated: tuple[Estimated, ...]
    entries: tuple[DirectionEntry, ...]
    reported: tuple[ReportedResult, ...]

    def estimates(self) -> dict[str, Estimate]:
        """Return the estimate behind each effect, by id; effects that are combined have none."""
        made = {item.comparison.key: item for item in (*self.estimated, *self.merged)}
        pairs = ((e, made.get(comparison_key(e))) for e in self.effects)
        return {
            effect.effect_id: estimate
            for effect, item in pairs
            if item is not None and (estimate := item.estimate(effect.measure)) is not None
        }


def derive(tables: Tables, config: Config) -> Derived:
    """Derive effects and directions of every comparison of the main outcomes."""
    comparisons = comparisons_of(tables, config)
    estimates = estimates_of(comparisons, config)
    found = effects_of(estimates, tables, config)
    by_comparison = effects_by_comparison(found.effects, config)
    directions = tuple(entries(comparisons, by_comparison, config))
    reported = tuple(reported_results(tables, comparisons, directions, by_comparison, config))
    return Derived(
        found.merged, found.effects, found.covariances, estimates.estimated, directions, reported
    )


def estimates_of(comparisons: Sequence[Comparison], config: Config) -> Estimates:
    """Estimate every comparison on its own."""
    correlations = Correlations(comparisons, config)
    return Estimates(tuple(estimate(comparisons, correlations, config)), correlations)


def effects_of(estimates: Estimates, tables: Tables, config: Config) -> Effects:
    """Select, merge, assess, combine and link: from estimates to what is pooled."""
    return combined_of(*assessed_of(estimates, tables, config), config)


def assessed_of(
    estimates: Estimates, tables: Tables, config: Config
) -> tuple[list[Selected], list[Assessed]]:
    """Select, merge and assess: the merged arms, and the effects of all comparisons."""
    selected = select(estimates.estimated, config)
    merged = merge(selected, estimates.correlations, config)
    return merged, assess(selected, merged, tables, estimates.correlations, config)


def combined_of(
    merged: Sequence[Selected], assessed: Sequence[Assessed], config: Config
) -> Effects:
    """Combine and link: from assessed effects to what is pooled."""
    combined = combine(assessed, config)
    split = config.derivation.shared_control == "split"
    covariances = link(combined, config.derivation.rho, split=split)
    effects = sorted((item.effect for item in combined), key=lambda effect: effect.effect_id)
    return Effects(tuple(item.estimated for item in merged), tuple(effects), tuple(covariances))
