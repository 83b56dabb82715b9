"""The primary estimate of each planned analysis, in memory, and how other tables move it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from osteometa.comparisons.build import comparisons_of
from osteometa.derivation.derive import effects_of, estimates_of
from osteometa.extraction.tables import Tables
from osteometa.pooling.results import Fitted
from osteometa.protocol.config import Config, with_outcomes
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.synthesis.pools import pool_set
from osteometa.synthesis.sets import includes


@dataclass(frozen=True, slots=True)
class PrimaryPool:
    """A pooled estimate with the width of its interval, and the effects behind it."""

    estimate: float
    width: float
    effects: tuple[tuple[str, float, float], ...]
    """Name, estimate and variance of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What other tables do to one planned analysis."""

    synthesis: str
    enter: int
    """Effects that enter the pool; where it had none before, all of them."""
    leave: int
    shift: float
    """Change of the estimate, in widths of its interval; 0 where a pool comes or goes."""

    @property
    def weight(self) -> tuple[int, float]:
        """Effects that enter or leave, then the size of the shift."""
        return self.enter + self.leave, abs(self.shift)


def primary_only(config: Config) -> Config:
    """Return a config with the primary measure of each outcome alone, which is faster."""
    return with_outcomes(
        lambda outcome: outcome.model_copy(update={"measures": outcome.measures[:1]}), config
    )


def primary_pools(
    tables: Tables, config: Config, before: Mapping[str, PrimaryPool], outcomes: Collection[str]
) -> dict[str, PrimaryPool]:
    """Return the pools of some outcomes, those `before` where no effect changed."""
    found = effects_of(
        estimates_of(comparisons_of(tables, config, set(outcomes)), config), tables, config
    )
    pools = {}
    for synthesis in config.syntheses:
        if synthesis.outcome not in outcomes:
            continue
        measure = config.outcomes[synthesis.outcome].measures[0]
        own = [effect for effect in found.effects if includes(synthesis, effect)]
        chosen = EffectSet.of(own, measure, found.covariances)
        effects = tuple((e.effect_id, e.yi, e.vi) for e in chosen.effects)
        known = before.get(synthesis.id)
        if known is not None and known.effects == effects:
            pools[synthesis.id] = known
        elif chosen.k >= 2:
            fit = pool_set(chosen, config)
            if isinstance(fit, Fitted):
                width = fit.ci_high - fit.ci_low
                pools[synthesis.id] = PrimaryPool(fit.estimate, width, effects)
    return pools


def moves(
    before: Mapping[str, PrimaryPool], after: Mapping[str, PrimaryPool], config: Config,
    outcomes: Collection[str],
) -> tuple[Move, ...]:  # fmt: skip
    """Return what changes in the planned analyses of some outcomes, the weightiest first."""
    found = []
    for synthesis in config.syntheses:
        old, new = before.get(synthesis.id), after.get(synthesis.id)
        if synthesis.outcome not in outcomes or old == new:
            continue
        was, now = ({e[0] for e in pool.effects} if pool else set() for pool in (old, new))
        shift = (new.estimate - old.estimate) / old.width if old and new else 0.0
        found.append(Move(synthesis=synthesis.id, enter=len(now - was), leave=len(was - now),
                          shift=shift))  # fmt: skip
    return tuple(sorted(found, key=lambda move: move.weight, reverse=True))
