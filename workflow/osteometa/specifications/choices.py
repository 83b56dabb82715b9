"""The registered choices of a synthesis in product, and the number of each combination.

A specification has a number, whose digits (mixed radix) are the levels of its choices: those of the
derivation first, those of the model last. So no table of all is needed to draw or to divide them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteometa.derivation.combinations import Combinations
from osteometa.protocol.config import Config
from osteometa.records.effects import Choice
from osteometa.sensitivity.multiverse import NOT_DERIVED, PRIMARY, has_any, models_of
from osteometa.synthesis.effect_sets import EffectSet, SynthesisData
from osteometa.wording.vocabulary import Block

Numbers = NDArray[np.int64]
KEPT, LEFT_OUT = "included", "excluded"
"""Levels of a rule of inclusion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The choices of one measure: all that change anything, each with the primary level first."""

    measure: str
    derivation: Mapping[str, tuple[Choice | None, ...]]
    """By key of config.yaml; None is the primary value."""
    rules: Mapping[str, tuple[str, ...]]
    """Flags of the effects that a rule leaves out, by its name; each rule applies or not."""
    designs: tuple[str, ...]
    inconsistent_data: tuple[str, ...]
    models: tuple[tuple[str, str], ...]
    """Estimator of tau2 and interval."""
    first: int = 0
    """Number of its first specification."""

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The levels of each choice in words, by the names of the columns."""
        derivation = {
            key: tuple(PRIMARY if one is None else one.value for one in levels)
            for key, levels in self.derivation.items()
        }
        return {
            **derivation, **dict.fromkeys(self.rules, (KEPT, LEFT_OUT)),
            "designs": self.designs, "inconsistent_data": self.inconsistent_data,
            "method": tuple(dict.fromkeys(method for method, _ in self.models)),
            "ci": tuple(dict.fromkeys(ci for _, ci in self.models)),
        }  # fmt: skip

    @property
    def blocks(self) -> int:
        """Number of derivations."""
        return math.prod(len(levels) for levels in self.derivation.values())

    @property
    def per_block(self) -> int:
        """Specifications of one derivation."""
        sets = 2 ** len(self.rules) * len(self.designs) * len(self.inconsistent_data)
        return sets * len(self.models)

    @property
    def size(self) -> int:
        """Number of specifications."""
        return self.blocks * self.per_block

    def chosen(self, block: int) -> tuple[Choice, ...]:
        """Return the alternative choices of one derivation."""
        radices = [len(levels) for levels in self.derivation.values()]
        digits = np.unravel_index(block, radices) if radices else ()
        levels = zip(self.derivation.values(), digits, strict=True)
        return tuple(one for known, i in levels if (one := known[int(i)]) is not None)

    def places(self, numbers: Numbers) -> dict[str, Numbers]:
        """Return the place of the level of each choice among `columns`."""
        columns = self.columns
        *names, method, ci = columns
        radices = [*(len(columns[name]) for name in names), len(self.models)]
        *digits, model = np.unravel_index(numbers - self.first, radices)
        found = dict(zip(names, digits, strict=True))
        for place, name in enumerate((method, ci)):
            own = [columns[name].index(model[place]) for model in self.models]
            found[name] = np.array(own)[model]
        return found

    def moves_estimate(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Return which specifications have the first interval of their estimator.

        The interval does not change an estimate, so these count each estimate once.
        """
        methods = [method for method, _ in self.models]
        firsts = [methods.index(method) == i for i, method in enumerate(methods)]
        return np.array(firsts)[(numbers - self.first) % len(self.models)]

    def words(self, number: int) -> dict[str, str]:
        """Return the level of each choice of one specification; number as in the files."""
        places = self.places(np.array([number]))
        return {name: self.columns[name][int(place[0])] for name, place in places.items()}

    def primary(self, config: Config) -> int | None:
        """Return the number of the primary model on the primary effects, if it is registered."""
        model = config.pooling.method, config.pooling.ci
        first = self.designs[0] == "randomised" and self.inconsistent_data[0] == "excluded"
        return self.first + self.models.index(model) if first and model in self.models else None


@dataclass(frozen=True, slots=True)
class Candidates:
    """All effects of one measure that a derivation has for any set."""

    effects: EffectSet
    kinds: tuple[str, ...]
    """Of each effect: pooled, other (design) or cautious (resolution of inconsistent data)."""

    @classmethod
    def of(cls, data: SynthesisData, measure: str) -> Candidates:
        """Take the pooled effects, those of other designs and the most cautious resolutions."""
        pooled = data.primary_set(measure)
        own = [e for e in data.effects if e.measure == measure]
        others = [e for e in own if e.block == Block.NON_RANDOMISED]
        parts = {"pooled": pooled.effects, "other": others, "cautious": data.most_cautious(measure)}
        effects = tuple(itertools.chain.from_iterable(parts.values()))
        kinds = tuple(kind for kind, found in parts.items() for _ in found)
        return cls(EffectSet(effects, pooled.covariances), kinds)

    @property
    def numbers(self) -> tuple:
        """All that a pool depends on."""
        y, v, V, _ = self.effects.data
        names = tuple((e.effect_id, e.flags) for e in self.effects.effects)
        return names, self.kinds, y, v, None if V is None else V.tobytes()


def registered(combinations: Combinations, config: Config) -> tuple[Registered, ...]:
    """Return the choices of each measure, without levels that change nothing.

    A level of the derivation is left out of a measure where it changes no effect, neither alone nor
    together with another choice; a rule, the designs and the resolutions where no effect is theirs.
    """
    tried = _tried(combinations)
    measures = next(iter(tried.values())).measures
    found: list[Registered] = []
    for measure in measures:
        own = {chosen: Candidates.of(data, measure) for chosen, data in tried.items()}
        derivation: dict[str, tuple[Choice | None, ...]] = {}
        for choice in _changing(own):
            derivation[choice.key] = (*derivation.get(choice.key, (None,)), choice)
        order = list(dict.fromkeys(choice.key for choice in combinations.choices()))
        made = _of_sets(own.values(), config, next(iter(tried.values())))
        first = found[-1].first + found[-1].size if found else 0
        derivation = {key: derivation[key] for key in order if key in derivation}
        models = models_of(config)
        found.append(
            Registered(measure=measure, first=first, models=models, derivation=derivation, **made)
        )
    return tuple(found)


def _tried(combinations: Combinations) -> dict[tuple[Choice, ...], SynthesisData]:
    """Return the effects under every choice alone, and in pairs where that may change more.

    A choice that alone does not change every measure is tried with the ends of every other key.
    """
    choices = [c for c in combinations.choices() if c.key not in NOT_DERIVED]
    keys = {c.key: [d for d in choices if d.key == c.key] for c in choices}
    ends = {c for known in keys.values() for c in (known[0], known[-1])}
    tried = {chosen: combinations.under(chosen) for chosen in [(), *((c,) for c in choices)]}
    measures = tried[()].measures
    of_all = [
        set(_changing({chosen: Candidates.of(data, m) for chosen, data in tried.items()}))
        for m in measures
    ]
    open_ = set(choices) - set.intersection(*of_all)
    for pair in itertools.combinations(choices, 2):
        one, other = pair
        if one.key != other.key and (
            (one in open_ and other in ends) or (other in open_ and one in ends)
        ):
            tried[pair] = combinations.under(pair)
    return tried


def _changing(own: Mapping[tuple[Choice, ...], Candidates]) -> list[Choice]:
    """Return the choices that change an effect, alone or with another, in their order."""
    numbers = {chosen: found.numbers for chosen, found in own.items()}
    changing = {
        choice
        for chosen, found in numbers.items()
        for choice in chosen
        if numbers[tuple(c for c in chosen if c != choice)] != found
    }
    return [chosen[0] for chosen in own if len(chosen) == 1 and chosen[0] in changing]


def _of_sets(tried: Iterable[Candidates], config: Config, data: SynthesisData) -> dict:
    """Return the rules, designs and resolutions that change a set under any derivation."""
    tried = list(tried)
    kinds = {kind for one in tried for kind in one.kinds}
    effects = {(e.effect_id, e.flags): e for one in tried for e in one.effects.effects}
    choices = config.multiverse
    return {
        "rules": {
            name: flags
            for name, flags in choices.inclusion.items()
            if any(has_any(effect, flags, data) for effect in effects.values())
        },
        "designs": choices.designs[: None if "other" in kinds else 1],
        "inconsistent_data": choices.inconsistent_data[: None if "cautious" in kinds else 1],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Which specifications are fitted: all, or a number of them from each derivation.

    The derivations have equal parts of a sample, to one specification; within each it is drawn
    without replacement, with a seed of its own. So no table of all is needed.
    """

    size: int
    """All specifications of all measures."""
    limit: int
    """Most that are fitted; the primary one comes on top where it is not drawn."""
    seed: int
    primary: int | None

    def of(self, one: Registered, block: int, numbers: Numbers) -> Numbers:
        """Return which specifications of a derivation are fitted; numbers less its first."""
        if self.limit >= self.size:
            return numbers
        first = one.first + block * one.per_block
        number = self._before(first + one.per_block) - self._before(first)
        rng = np.random.default_rng([self.seed, first])
        drawn = rng.choice(one.per_block, number, replace=False, shuffle=False)
        if self.primary is not None and first <= self.primary < first + one.per_block:
            drawn = np.append(drawn, self.primary - first)
        return np.intersect1d(drawn, numbers)

    def _before(self, number: int) -> int:
        """Return how many of the sample have a smaller number."""
        return number * self.limit // self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Specifications of one measure that are fitted together."""

    number: int
    registered: Registered
    start: int
    """From start to stop - 1, less the first number of the measure."""
    stop: int

    def blocks(self) -> Iterator[tuple[int, Numbers]]:
        """Yield each derivation, and which of its specifications are of this part."""
        size = self.registered.per_block
        for block in range(self.start // size, -(-self.stop // size)):
            first = block * size
            yield block, np.arange(max(self.start - first, 0), min(self.stop - first, size))


PART = 100_000
"""Specifications of one part, about."""


def parts_of(measures: Sequence[Registered]) -> Iterator[Part]:
    """Yield the parts of all measures, the same however they are divided among processes.

    A derivation is divided only where it alone is larger than a part.
    """
    number = 0
    for one in measures:
        step = PART // one.per_block * one.per_block or PART
        for start in range(0, one.size, step):
            stop = min(one.size, start + step)
            yield Part(number=number, registered=one, start=start, stop=stop)
            number += 1
