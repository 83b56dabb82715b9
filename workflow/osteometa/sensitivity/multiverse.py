"""The multiverse: the product of the registered choices (Voracek, Kossmeier and Tran 2019)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array
from osteometa.numerics.distributions import t_quantile
from osteometa.pooling.correlated import decorrelated
from osteometa.pooling.kernel import pool_many, regress_many
from osteometa.records.effects import RESOLUTION, Choice, Effect
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

    @property
    def plain(self) -> bool:
        """Whether every effect is a study of its own."""
        return self.studies == len(self.yi)

    def rows(self) -> tuple[Array, Array, Array]:
        """Return effects, variances and design (k x 1) of the same model without covariances."""
        y, X = np.array(self.yi), np.ones((len(self.yi), 1))
        return decorrelated(y, np.array(self.V or np.diag(self.vi)), X)


@dataclass(frozen=True, slots=True)
class Pools:
    """Pools of all sets by one model, an entry per set."""

    k: NDArray[np.intp]
    estimate: Array
    se: Array
    ci_low: Array
    ci_high: Array


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
    choices = data.config.multiverse
    models = [
        (method, ci)
        for method, ci in itertools.product(choices.methods, choices.intervals)
        if method != "EE" or ci == "wald"
    ]
    for measure in data.measures:
        for names, effects in _sets(data, measure):
            if effects.studies < 2:
                continue
            members = sets.setdefault(effects, len(sets))
            rows += [Specification(measure, (*names, *model), members) for model in models]
    if len(rows) > choices.cap:
        rng = np.random.default_rng(data.config.seed)
        kept = set(rng.choice(len(rows), choices.cap, replace=False).tolist())
        rows = [row for i, row in enumerate(rows) if i in kept or is_primary(row, data)]
    return Multiverse(tuple(rows), tuple(sets))


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
        pooled = (
            data.primary_set(measure) if derivation is None else data.set_under(derivation, measure)
        )
        for designs, inconsistent in itertools.product(choices.designs, choices.inconsistent_data):
            added = _others(data, measure, derivation) if designs == "all designs" else []
            added += _cautious(data, measure) if inconsistent == "most cautious" else []
            for inclusion, flags in choices.inclusion.items():
                if flags == (RISK,) and not any(e.risk_of_bias for e in data.effects):
                    continue
                kept = [e for e in (*pooled.effects, *added) if not _has_any(e, flags, data)]
                names_here = (str(derivation or PRIMARY), inclusion, designs, inconsistent)
                yield names_here, _members(EffectSet(tuple(kept), pooled.covariances))


def _has_any(effect: Effect, flags: Sequence[str], data: SynthesisData) -> bool:
    own: set[str] = set(effect.flags)
    if effect.risk_of_bias in data.config.sensitivity.rob_exclude:
        own.add(RISK)
    return bool(own & set(flags))


def _others(data: SynthesisData, measure: str, derivation: Choice | None) -> list[Effect]:
    """Return the effects of other designs under a derivation."""
    rows = [v for v in data.alternatives if v.alternative == derivation and v.measure == measure]
    changed = {row.study_id for row in rows}
    usual = [e for e in data.effects if e.measure == measure and e.study_id not in changed]
    return [e for e in (*usual, *rows) if e.block == "non_randomised"]


def _cautious(data: SynthesisData, measure: str) -> list[Effect]:
    """Return the resolution with the least |z| of each inconsistently reported comparison."""
    weakest: dict[tuple[str, str], Effect] = {}
    for row in data.alternatives:
        if row.measure == measure and row.alternative.key == RESOLUTION:
            key = (row.study_id, row.arm_id)
            if key not in weakest or abs(row.z) < abs(weakest[key].z):
                weakest[key] = row
    return list(weakest.values())


def _members(pooled: EffectSet) -> DistinctSet:
    y, v, V, _ = pooled.data
    order = sorted(range(len(y)), key=lambda i: (y[i], v[i]))
    return DistinctSet(
        yi=tuple(y[i] for i in order), vi=tuple(v[i] for i in order), studies=pooled.k,
        V=() if V is None else tuple(map(tuple, V[np.ix_(order, order)].tolist())),
    )  # fmt: skip


def fitted(made: Multiverse) -> dict[tuple[str, str], Pools]:
    """Return the pools of every set, by method and interval."""
    if not made.sets:
        return {}
    models = sorted({spec.model for spec in made.specifications})
    if all(members.plain for members in made.sets):
        y, v, mask = _cells([(np.array(m.yi), np.array(m.vi)) for m in made.sets])
        fits = {model: pool_many(y, v, mask=mask, method=model[0], ci=model[1]) for model in models}
        return {
            model: Pools(f.k, f.estimate, f.se, f.ci_low, f.ci_high) for model, f in fits.items()
        }
    studies = np.array([members.studies for members in made.sets])
    rows = _decorrelated(made.sets)
    return {model: _with_covariances(*rows, studies, *model) for model in models}


def _cells(rows: Sequence[tuple[Array, ...]]) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return effects and variances (sets x the longest), and where a set has an effect."""
    widest = max(len(y) for y, *_ in rows)
    y, v = np.zeros((len(rows), widest)), np.ones((len(rows), widest))
    mask = np.zeros(y.shape, dtype=bool)
    for i, (effects, variances, *_) in enumerate(rows):
        y[i, : len(effects)], v[i, : len(effects)] = effects, variances
        mask[i, : len(effects)] = True
    return y, v, mask


def _decorrelated(sets: Sequence[DistinctSet]) -> tuple[Array, Array, Array]:
    """Return effects, variances and designs of models without covariances, sets x the longest."""
    rows = [members.rows() for members in sets]
    y, v, mask = _cells(rows)
    X = np.zeros((*y.shape, 1))
    for i, (_, _, column) in enumerate(rows):
        X[i, : len(column)] = column
    return y, np.where(mask, v, np.inf), X


def _with_covariances(
    y: Array, v: Array, X: Array, studies: NDArray[Any], method: str, ci: str
) -> Pools:
    """Fit sets with shared participants, with their covariance as in the primary pool."""
    got = regress_many(y, v, X, method=method, ci=ci, studies=studies)
    estimate, se = got.coefficients[:, 0], np.sqrt(got.covariance[:, 0, 0])
    half = se * [t_quantile(0.975, None if np.isinf(df) else float(df)) for df in got.df]
    return Pools(studies, estimate, se, estimate - half, estimate + half)


def multiverse(data: SynthesisData) -> tuple[list[MultiverseRow], list[MultiverseShare]]:
    """Return the specifications, duplicates merged, and the variance that each choice explains."""
    made = combinations(data)
    fits = fitted(made)
    if len(made.specifications) < 2:
        reason = "no combination of choices pools two studies"
        return [_no_specification(data, reason)], [_no_share(data.measure, reason)]
    estimates = np.array([fits[spec.model].estimate[spec.members] for spec in made.specifications])
    shares: list[MultiverseShare] = []
    rows = _merged(made, fits, data)
    for measure in data.measures:
        index = [i for i, s in enumerate(made.specifications) if s.measure == measure]
        if index:
            chosen = [made.specifications[i] for i in index]
            own = [row for row in rows if row.measure == measure]
            shares += explained(measure, chosen, estimates[index])
            shares.append(_overall(measure, own))
    shares.append(_overall("all", rows))
    return rows, shares


def _no_specification(data: SynthesisData, reason: str) -> MultiverseRow:
    return MultiverseRow(
        specification=0, measure=data.measure, **dict.fromkeys(CHOICES, ""), merged=None,
        k=data.primary_set().k, estimate=None, ci_low=None, ci_high=None, z=None,
        excludes_null=None, primary=False, status="not_applicable", reason=reason,
    )  # fmt: skip


def _merged(
    made: Multiverse, fits: dict[tuple[str, str], Pools], data: SynthesisData
) -> list[MultiverseRow]:
    """Return one row per different set and model: the first specification represents the others."""
    held: dict[tuple, list[Specification]] = {}
    for spec in made.specifications:
        held.setdefault((spec.measure, spec.members, *spec.model), []).append(spec)
    rows = []
    for same in held.values():
        spec = next((s for s in same if is_primary(s, data)), same[0])
        found = fits[spec.model]
        at = spec.members
        low, high = float(found.ci_low[at]), float(found.ci_high[at])
        estimate, se = float(found.estimate[at]), float(found.se[at])
        named = dict(zip(CHOICES, spec.choices, strict=True))
        rows.append(
            MultiverseRow(
                specification=0, measure=spec.measure, **named, merged=len(same),
                k=int(found.k[at]), estimate=estimate, ci_low=low, ci_high=high,
                z=estimate / se if se > 0 else 0.0, excludes_null=not low <= 0 <= high,
                primary=is_primary(spec, data),
            )
        )  # fmt: skip
    measures = data.measures
    rows.sort(key=lambda r: (measures.index(r.measure), r.estimate, r.derivation, r.inclusion,
                             r.designs, r.inconsistent_data, r.tau2, r.ci))  # fmt: skip
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
        measure=measure, choice=choice, levels=levels, share=share, specifications=n,
        same_sign=None, excludes_null=None, median=None, lowest=None, highest=None, status="ok",
        reason="",
    )  # fmt: skip


def _overall(measure: str, rows: Sequence[MultiverseRow]) -> MultiverseShare:
    """Return the shares of sign and of intervals over the different specifications."""
    known = [row for row in rows if row.estimate is not None]
    estimates = [float(row.estimate or 0.0) for row in known]
    middle = float(np.median(estimates))
    primary = next((e for e, row in zip(estimates, known, strict=True) if row.primary), middle)
    one = measure != "all"
    return MultiverseShare(
        measure=measure, choice="all", levels=len(rows), share=None, specifications=len(rows),
        same_sign=100 * sum(e * primary > 0 for e in estimates) / len(rows),
        excludes_null=100 * sum(bool(row.excludes_null) for row in rows) / len(rows),
        median=middle if one else None,
        lowest=min(estimates) if one else None, highest=max(estimates) if one else None,
        status="ok", reason="",
    )  # fmt: skip


def _no_share(measure: str, reason: str) -> MultiverseShare:
    return MultiverseShare(
        measure=measure, choice="all", levels=0, share=None, specifications=0, same_sign=None,
        excludes_null=None, median=None, lowest=None, highest=None, status="not_applicable",
        reason=reason,
    )  # fmt: skip
