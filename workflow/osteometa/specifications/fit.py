"""The pools of the specifications of a part, by the batch kernel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from osteometa.derivation.combinations import Combinations
from osteometa.numerics.arrays import Array
from osteometa.numerics.distributions import t_quantile
from osteometa.pooling.correlated import blocks, decorrelated
from osteometa.pooling.kernel import RegressedMany, joined, regress_many
from osteometa.sensitivity.multiverse import has_any
from osteometa.specifications.choices import Candidates, Numbers, Part, Registered, Sample
from osteometa.synthesis.effect_sets import SynthesisData

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """Fitted specifications of a part, one entry for each, in the order of their numbers."""

    number: Numbers
    k: NDArray[np.int16]
    """Studies."""
    estimate: Array
    se: Array
    """As the interval requires."""
    ci_low: Array
    ci_high: Array
    tau2: Array
    excludes_null: Mask
    models: int
    """Models that were fitted: equal sets of a derivation are fitted once for each estimator."""


@dataclass(frozen=True, slots=True)
class _Sets:
    """Different sets of effects, a row each."""

    y: Array
    v: Array
    """Infinite where a set has no such effect."""
    x: Array
    """The design of the same model without covariances; 1 where there are none."""
    studies: Numbers


def fit_part(part: Part, combinations: Combinations, sample: Sample) -> Fits:
    """Return the pools of a part; specifications of fewer than two studies are left out."""
    one = part.registered
    numbers, places, sets, count = [], [], [], 0
    for block, all_numbers in part.blocks():
        drawn = sample.of(one, block, all_numbers)
        if not len(drawn):
            continue
        made, place = _sets_of(combinations.under(one.chosen(block)), one, drawn)
        numbers.append(one.first + block * one.per_block + drawn[place >= 0])
        places.append(count + place[place >= 0])
        sets.append(made)
        count += len(made.y)
    every, none = _joined(sets), np.empty(0, dtype=np.int64)
    return fits_of(
        one, np.concatenate([none, *numbers]), np.concatenate([none, *places]), every.studies,
        partial(_fitted, every),
    )  # fmt: skip


def _sets_of(data: SynthesisData, one: Registered, drawn: Numbers) -> tuple[_Sets, Numbers]:
    """Return the different sets of a derivation, and which of them each specification pools.

    -1 where there are fewer than two studies.
    """
    candidates = Candidates.of(data, one.measure)
    sets, of_sets = np.unique(drawn // len(one.models), return_inverse=True)
    masks = _masks(candidates, one, sets, data)
    names = candidates.effects.studies
    own = np.array([[name == study for study in dict.fromkeys(names)] for name in names])
    bits = np.packbits(masks, axis=1)
    _, first, same = np.unique(bits, axis=0, return_index=True, return_inverse=True)
    masks = masks[first]
    studies = np.sum(masks.astype(np.int64) @ own.astype(np.int64) > 0, axis=1)
    enough = studies >= 2
    place = np.where(enough, np.cumsum(enough) - 1, -1)
    return _rows(candidates, masks[enough], studies[enough]), place[same.reshape(-1)[of_sets]]


def _masks(candidates: Candidates, one: Registered, sets: Numbers, data: SynthesisData) -> Mask:
    """Return which candidates each set has, sets by the digits between derivation and model."""
    kinds = np.array(candidates.kinds)
    radices = [*(2 for _ in one.rules), len(one.designs), len(one.inconsistent_data)]
    *applied, design, resolved = np.unravel_index(sets, radices)
    masks = np.tile(kinds == "pooled", (len(sets), 1))
    everything = (np.array(one.designs) == "all designs")[design]
    cautious = (np.array(one.inconsistent_data) == "most cautious")[resolved]
    masks |= everything[:, None] & (kinds == "other") | cautious[:, None] & (kinds == "cautious")
    for flags, left_out in zip(one.rules.values(), applied, strict=True):
        hit = np.array([has_any(e, flags, data) for e in candidates.effects.effects], dtype=bool)
        masks &= ~(left_out.astype(bool)[:, None] & hit)
    return masks


def _rows(candidates: Candidates, masks: Mask, studies: Numbers) -> _Sets:
    """Return effects, variances and design of each set, without covariances."""
    yi, vi, V, _ = candidates.effects.data
    y = np.tile(np.array(yi), (len(masks), 1))
    v, x = np.where(masks, np.array(vi), np.inf), np.ones(masks.shape)
    if V is None:
        return _Sets(y, v, x, studies)
    for block in (block for block in blocks(V) if len(block) > 1):
        patterns, pattern = np.unique(masks[:, block], axis=0, return_inverse=True)
        for i, present in enumerate(patterns):
            if present.sum() > 1:
                rows, own = np.flatnonzero(pattern.reshape(-1) == i), np.array(block)[present]
                where = np.ix_(rows, own)
                ones = np.ones((len(own), 1))
                turned = decorrelated(np.array(yi)[own], V[np.ix_(own, own)], ones)
                y[where], v[where], x[where] = turned[0], turned[1], turned[2][:, 0]
    return _Sets(y, v, x, studies)


def _joined(sets: Sequence[_Sets]) -> _Sets:
    """Return all sets in tables of one width."""
    widest = max((made.y.shape[1] for made in sets), default=1)

    def table(name: str, fill: float) -> Array:
        return np.concatenate([np.empty((0, widest))] + [
            np.pad(rows, ((0, 0), (0, widest - rows.shape[1])), constant_values=fill)
            for rows in (getattr(made, name) for made in sets)
        ])  # fmt: skip

    studies = np.concatenate([np.empty(0, dtype=np.int64), *(made.studies for made in sets)])
    return _Sets(table("y", 0.0), table("v", np.inf), table("x", 1.0), studies)


def fits_of(
    one: Registered, number: Numbers, place: Numbers, studies: Numbers,
    fitted: Callable[[str, Numbers], RegressedMany],
) -> Fits:  # fmt: skip
    """Return the pool of each specification.

    `number` and `place` are those of each specification and of the set that it pools, `studies`
    those of each set; `fitted` fits some sets by an estimator, with the normal interval.
    """
    model = (number - one.first) % len(one.models)
    estimate, tau2, se, half = np.empty((4, len(number)))
    fits = 0
    for method in dict.fromkeys(method for method, _ in one.models):
        wanted = [ci if own == method else "" for own, ci in one.models]
        own = np.flatnonzero(np.array([bool(ci) for ci in wanted])[model])
        if not len(own):
            continue
        used, of_used = np.unique(place[own], return_inverse=True)
        fits += len(used)
        found = fitted(method, used)
        estimate[own] = found.coefficients[of_used, 0]
        tau2[own] = found.tau2[of_used]
        for ci in filter(None, wanted):
            chosen = model[own] == one.models.index((method, ci))
            rows, of_rows = own[chosen], of_used[chosen]
            variances = found.covariance[:, 0, 0] * found.factor(ci)
            se[rows] = np.sqrt(variances)[of_rows]
            half[rows] = _quantiles(studies[used], ci)[of_rows] * se[rows]
    low, high = estimate - half, estimate + half
    return Fits(
        number=number, k=studies[place].astype(np.int16), estimate=estimate, se=se,
        ci_low=low, ci_high=high, tau2=tau2, excludes_null=~((low <= 0) & (high >= 0)), models=fits,
    )  # fmt: skip


def _fitted(sets: _Sets, method: str, used: Numbers) -> RegressedMany:
    """Fit sets with the normal interval; those without covariances in the faster way."""
    independent = np.all((sets.x[used] == 1) | np.isinf(sets.v[used]), axis=1)
    parts, order = [], []
    for alone in (True, False):
        chosen = np.flatnonzero(independent == alone)
        if len(chosen):
            rows = used[chosen]
            X = np.ones((1, sets.y.shape[1], 1)) if alone else sets.x[rows][:, :, None]
            y, v, k = sets.y[rows], sets.v[rows], sets.studies[rows].astype(float)
            parts.append(regress_many(y, v, X, method=method, ci="wald", studies=k))
            order.append(chosen)
    return joined(parts).take(np.argsort(np.concatenate(order)))


def _quantiles(studies: Numbers, ci: str) -> Array:
    """Return what a standard error is multiplied by for half an interval."""
    numbers, place = np.unique(studies, return_inverse=True)
    known = [t_quantile(0.975, None if ci == "wald" else k - 1) for k in numbers.tolist()]
    return np.array(known)[place]
