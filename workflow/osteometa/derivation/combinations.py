"""The effects of one synthesis under several alternative choices at once.

The passes are those of `derive`, on the comparisons that may give an effect of the synthesis, with
the correlations of all at its outcome and site: an effect depends on no other. Estimates are made
once for the choices that change them.
"""

from collections.abc import Sequence
from functools import lru_cache

from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.alternatives import Change, changes, resolutions
from osteometa.derivation.assess import Assessed
from osteometa.derivation.derive import Estimates, assessed_of, combined_of
from osteometa.derivation.estimate import estimate
from osteometa.derivation.select import Selected
from osteometa.extraction.tables import Tables
from osteometa.protocol.config import Config, Derivation, Synthesis
from osteometa.records.effects import Choice
from osteometa.synthesis.effect_sets import SynthesisData
from osteometa.synthesis.sets import covariances_in, includes, split

OF_POOLS = ("shared_control", "rho")
"""Keys of choices that are taken last: when effects are combined and linked."""
OF_EFFECTS = frozenset(Derivation.model_fields)
"""Keys of choices that leave the estimates of comparisons as they are."""
Choices = tuple[Choice, ...]


class Combinations:
    """Derives the effects of one synthesis under any choices of `changes`, one for each key."""

    def __init__(self, tables: Tables, config: Config, synthesis: Synthesis):
        self._tables = tables
        self._config = config.model_copy(update={"syntheses": (synthesis,)})
        self._synthesis = synthesis
        self._near = [
            one
            for one in comparisons_of(tables, config)
            if (one.outcome, one.site) == (synthesis.outcome, synthesis.site)
        ]
        self._own = [
            one
            for one in self._near
            if (one.analyte, one.arm.phase) == (synthesis.analyte, synthesis.phase)
        ]
        self._changes: dict[Choice, Change] = dict(changes(config))
        self._correlations = Correlations(self._near, config)
        # The last ones are enough for choices in the order of `choices`.
        self._estimates = lru_cache(maxsize=8)(self._made_estimates)
        self._assessed = lru_cache(maxsize=8)(self._made_effects)

    def choices(self) -> list[Choice]:
        """Return the alternative choices in the grids, those that change estimates first."""
        grid = {f"{value:g}" for value in self._config.outcomes[self._synthesis.outcome].r_grid}
        own = [c for c in self._changes if c.key != "r" or c.value in grid]
        return sorted(own, key=lambda c: (c.key in OF_EFFECTS, c.key in OF_POOLS))

    def config_under(self, choices: Sequence[Choice]) -> Config:
        """Return the config with all choices taken."""
        config = self._config
        for choice in choices:
            config = self._changes[choice](config)
        return config

    def under(self, choices: Sequence[Choice]) -> SynthesisData:
        """Return the effects, their covariances and the resolutions under all choices.

        As in `alternatives`, an r that is chosen takes precedence over the median of other arms.
        """
        estimates = self._estimates(tuple(c for c in choices if c.key not in OF_EFFECTS))
        assessed = self._assessed(tuple(c for c in choices if c.key not in OF_POOLS))
        config = self.config_under(choices)
        found = combined_of(*assessed, config)
        effects, _ = split(found.effects, (), config)[self._synthesis.id]
        return SynthesisData(
            outcome=self._synthesis.outcome,
            effects=tuple(effects),
            covariances=tuple(covariances_in(effects, found.covariances)),
            alternatives=tuple(
                row
                for row in resolutions(estimates, found, self._tables, config)
                if includes(self._synthesis, row)
            ),
            alternative_covariances=(),
            config=config,
        )

    def _made_estimates(self, choices: Choices) -> Estimates:
        given = any(choice.key == "r" for choice in choices)
        config = self.config_under(choices)
        correlations = self._correlations.under(config, borrow=not given)
        return Estimates(tuple(estimate(self._own, correlations, config)), correlations)

    def _made_effects(self, choices: Choices) -> tuple[list[Selected], list[Assessed]]:
        estimates = self._estimates(tuple(c for c in choices if c.key not in OF_EFFECTS))
        merged, assessed = assessed_of(estimates, self._tables, self.config_under(choices))
        # What follows treats each set on its own.
        return merged, [item for item in assessed if includes(self._synthesis, item.effect)]
