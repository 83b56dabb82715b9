"""The multiverse: the product of the registered choices (Voracek, Kossmeier and Tran 2019)."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import numpy as np

from osteometa.numerics.arrays import Array
from osteometa.numerics.distributions import t_quantile
from osteometa.pooling.correlated import decorrelated
from osteometa.pooling.kernel import RegressedMany, regress_many
from osteometa.protocol.config import Config
from osteometa.records.effects import RESOLUTION, Choice, Effect
from osteometa.records.groups import grouped
from osteometa.records.sensitivity import MultiverseRow, MultiverseShare
from osteometa.sensitivity.explained_variance import parts_by_key, r2_parts
from osteometa.synthesis.effect_sets import EffectSet, SynthesisData

CHOICES = ("derivation", "inclusion", "designs", "inconsistent_data", "tau2", "ci")
PRIMARY = "primary"
NOT_DERIVED = (RESOLUTION, "type_by")
"""Alternatives that are not another derivation of the same effects."""
RISK = "ROB"
"""Flag of effects with an overall judgement that `sensitivity.rob_exclude` names."""


@dataclass(frozen=True, slots=True)
class DistinctSet:
    """Effects that are fitted together, in ascending order; equal sets are fitted once."""

    yi: tuple[float, ...]
    vi: tuple[float, ...]
    studies: int
    V: tuple[tuple[float, ...], ...] = ()
    """Sampling covariance where effects share participants, else empty."""

    def rows(self) -> tuple[Array, Array, Array]:
        """Return effects, variances and design (k x 1) of the same model without covariances."""
        y, X = np.array(self.yi), np.ones((len(self.yi), 1))
        return decorrelated(y, np.array(self.V), X) if self.V else (y, np.array(self.vi), X)


@dataclass(frozen=True, slots=True)
class Specification:
    """One combination of choices, before it is fitted."""

    measure: str
    choices: tuple[str, ...]
    """In the order of CHOICES."""
    members: int
    """Number of the set of effects that it fits."""

    @property
    def model(self) -> tuple[str, str]:
        """Estimator of tau2 and interval."""
        return self.choices[-2], self.choices[-1]


@dataclass(frozen=True, slots=True)
class Multiverse:
    """All specifications, and the different sets of effects that they fit."""

    specifications: tuple[Specification, ...]
    sets: tuple[DistinctSet, ...]


def combinations(data: SynthesisData) -> Multiverse:
    """Return the specifications of a synthesis; those of fewer than two studies are left out.

    More than the cap of config.yaml are sampled with its seed, the primary one always kept.
    """
    rows: list[Specification] = []
    sets: dict[DistinctSet, int] = {}
    models = models_of(data.config)
    for measure in data.measures:
        for names, effects in _sets(data, measure):
            if effects.studies < 2:
                continue
            members = sets.setdefault(effects, len(sets))
            rows += [Specification(measure, (*names, *model), members) for model in models]
    cap = data.config.multiverse.cap
    if len(rows) > cap:
        rng = np.random.default_rng(data.config.seed)
        kept = set(rng.choice(len(rows), cap, replace=False).tolist())
        rows = [row for i, row in enumerate(rows) if i in kept or is_primary(row, data)]
    return Multiverse(tuple(rows), tuple(sets))


def models_of(config: Config) -> tuple[tuple[str, str], ...]:
    """Return the registered estimators of tau2, each with its intervals: EE with the normal one."""
    choices = config.multiverse
    return tuple(
        (method, ci)
        for method, ci in itertools.product(choices.methods, choices.intervals)
        if method != "EE" or ci == "wald"
    )


def is_primary(row: Specification, data: SynthesisData) -> bool:
    """Return whether a specification is that of the primary result."""
    pooling = data.config.pooling
    return row.measure == data.measure and row.choices == (
        PRIMARY, "all", "randomised", "excluded", pooling.method, pooling.ci,
    )  # fmt: skip


def _sets(data: SynthesisData, measure: str) -> Iterator[tuple[tuple[str, ...], DistinctSet]]:
    """Yield names of choices, and the effects that they give."""
    choices = data.config.multiverse
    own = {v.alternative for v in data.alternatives if v.measure == measure}
    every = dict.fromkeys(v.alternative for v in data.alternatives)
    others = [one for one in every if one in own and one.key not in NOT_DERIVED]
    for derivation in (None, *others):
        pooled = data.primary_set(measure)
        if derivation is not None:
            pooled = data.set_under(derivation, measure)
        for designs, inconsistent in itertools.product(choices.designs, choices.inconsistent_data):
            added = _others(data, measure, derivation) if designs == "all designs" else []
            added += data.most_cautious(measure) if inconsistent == "most cautious" else []
            for inclusion, flags in choices.inclusion.items():
                if flags == (RISK,) and not any(e.risk_of_bias for e in data.effects):
                    continue
                kept = [e for e in (*pooled.effects, *added) if not has_any(e, flags, data)]
                names_here = (str(derivation or PRIMARY), inclusion, designs, inconsistent)
                yield names_here, _members(EffectSet(tuple(kept), pooled.covariances))


def has_any(effect: Effect, flags: Sequence[str], data: SynthesisData) -> bool:
    """Return whether an effect has one of some flags, RISK by its judgement among them."""
    risky = effect.risk_of_bias in data.config.sensitivity.rob_exclude
    return any(flag in effect.flags or (risky and flag == RISK) for flag in flags)


def _others(data: SynthesisData, measure: str, derivation: Choice | None) -> list[Effect]:
    """Return the effects of other designs under a derivation."""
    rows = [v for v in data.alternatives if v.alternative == derivation and v.measure == measure]
    changed = {row.study_id for row in rows}
    usual = [e for e in data.effects if e.measure == measure and e.study_id not in changed]
    return [e for e in (*usual, *rows) if e.block == "non_randomised"]


def _members(pooled: EffectSet) -> DistinctSet:
    y, v, V, _ = pooled.data
    order = sorted(range(len(y)), key=lambda i: (y[i], v[i]))
    return DistinctSet(
        yi=tuple(y[i] for i in order), vi=tuple(v[i] for i in order), studies=pooled.k,
        V=() if V is None else tuple(map(tuple, V[np.ix_(order, order)].tolist())),
    )  # fmt: skip


def fitted(made: Multiverse) -> dict[tuple[str, str], RegressedMany]:
    """Return the pools of every set, by method and interval: jointly, as the primary pool."""
    if not made.sets:
        return {}
    rows = [members.rows() for members in made.sets]
    widest = max(len(y) for y, *_ in rows)
    Y, v = np.zeros((len(rows), widest)), np.full((len(rows), widest), np.inf)
    X = np.zeros((*Y.shape, 1))
    for i, (y, variances, column) in enumerate(rows):
        Y[i, : len(y)], v[i, : len(y)], X[i, : len(y)] = y, variances, column
    studies = np.array([members.studies for members in made.sets])
    # With an effect per study it is the model of independent ones, for which there is a faster way.
    alone = all(members.studies == len(members.yi) for members in made.sets)
    designs = np.ones((1, widest, 1)) if alone else X
    return {
        (method, ci): regress_many(Y, v, designs, method=method, ci=ci, studies=studies)
        for method, ci in sorted({spec.model for spec in made.specifications})
    }


def multiverse(data: SynthesisData) -> tuple[list[MultiverseRow], list[MultiverseShare]]:
    """Return the specifications, duplicates merged, and the variance that each choice explains."""
    made = combinations(data)
    fits = fitted(made)
    if len(made.specifications) < 2:
        reason = "no combination of choices pools two studies"
        none: dict[str, Any] = {"status": "not_applicable", "reason": reason}
        row = MultiverseRow(measure=data.measure, k=data.primary_set().k, **none)
        return [row], [MultiverseShare(measure=data.measure, **none)]
    shares: list[MultiverseShare] = []
    rows = _merged(made, fits, data)
    for measure in data.measures:
        chosen = [spec for spec in made.specifications if spec.measure == measure]
        if chosen:
            own = [row for row in rows if row.measure == measure]
            estimates = [fits[spec.model].coefficients[spec.members, 0] for spec in chosen]
            shares += explained(measure, chosen, np.array(estimates))
            shares.append(_overall(measure, own))
    return rows, [*shares, _overall("all", rows)]


def _merged(
    made: Multiverse, fits: dict[tuple[str, str], RegressedMany], data: SynthesisData
) -> list[MultiverseRow]:
    """Return one row per different set and model: the first specification represents the others."""
    held = grouped(made.specifications, lambda spec: (spec.measure, spec.members, *spec.model))
    rows = []
    for same in held.values():
        spec = next((s for s in same if is_primary(s, data)), same[0])
        found, at = fits[spec.model], spec.members
        estimate, df = float(found.coefficients[at, 0]), float(found.df[at])
        se = math.sqrt(found.covariance[at, 0, 0])
        half = t_quantile(0.975, None if math.isinf(df) else df) * se
        low, high = estimate - half, estimate + half
        named = dict(zip(CHOICES, spec.choices, strict=True))
        rows.append(MultiverseRow(
            measure=spec.measure, **named, merged=len(same), k=made.sets[at].studies,
            estimate=estimate, ci_low=low, ci_high=high, z=estimate / se if se > 0 else 0.0,
            excludes_null=not low <= 0 <= high, primary=is_primary(spec, data),
        ))  # fmt: skip
    choices, measures = attrgetter("estimate", *CHOICES), data.measures
    rows.sort(key=lambda row: (measures.index(row.measure), choices(row)))
    return [replace(row, specification=number) for number, row in enumerate(rows, start=1)]


def explained(
    measure: str, specifications: Sequence[Specification], estimates: Array
) -> list[MultiverseShare]:
    """Return the part of the variance of the estimates that each choice explains.

    The part of a choice is what it adds to R2 of a model of main effects, averaged over all orders
    in which the choices enter the model (Lindeman, Merenda and Gold 1980; Groemping 2007). Where
    all combinations exist this is its main effect in an analysis of variance; where some are
    missing the parts still add up. The remainder is interactions. The interval does not change an
    estimate, so each combination of the other choices counts once. Each key of config.yaml among
    the derivations has a part of its own, see `parts_by_key`.
    """
    without_interval = len(CHOICES) - 1
    once = {spec.choices[:without_interval]: i for i, spec in enumerate(specifications)}
    rows = list(once)
    y = estimates[list(once.values())]
    parts = r2_parts(rows, y)
    shares = [
        _share(measure, key, levels, 100 * part, len(rows))
        for key, (levels, part) in parts_by_key(rows, y, parts[0], PRIMARY).items()
    ]
    for place, part in enumerate([*parts[1:], 0.0], start=1):
        levels = len({spec.choices[place] for spec in specifications})
        shares.append(_share(measure, CHOICES[place], levels, 100 * part, len(rows)))
    left = max(0.0, 100.0 - sum(share.share or 0.0 for share in shares))
    return [*shares, _share(measure, "remainder", 1, left, len(rows))]


def _share(measure: str, choice: str, levels: int, share: float, n: int) -> MultiverseShare:
    return MultiverseShare(
        measure=measure, choice=choice, levels=levels, share=share, specifications=n
    )


def _overall(measure: str, rows: Sequence[MultiverseRow]) -> MultiverseShare:
    """Return the shares of sign and of intervals over the different specifications."""
    estimates = [float(row.estimate or 0.0) for row in rows]
    middle = float(np.median(estimates))
    primary = next((e for e, row in zip(estimates, rows, strict=True) if row.primary), middle)
    one = measure != "all"
    return MultiverseShare(
        measure=measure, levels=len(rows), specifications=len(rows),
        same_sign=100 * sum(e * primary > 0 for e in estimates) / len(rows),
        excludes_null=100 * sum(bool(row.excludes_null) for row in rows) / len(rows),
        median=middle if one else None,
        lowest=min(estimates) if one else None, highest=max(estimates) if one else None,
    )  # fmt: skip
