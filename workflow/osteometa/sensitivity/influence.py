"""Influence of single studies: deletion diagnostics, leave-one-out, cumulative pools, GOSH.

Diagnostics follow Viechtbauer and Cheung (2010) with the conventional (Wald) standard errors, so
that they do not depend on the interval method; pools follow the review's choices.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteometa.io.csv_records import fields_of
from osteometa.numerics.arrays import Array
from osteometa.numerics.influence_bounds import is_beyond
from osteometa.pooling.kernel import pool_many
from osteometa.pooling.model import pool
from osteometa.pooling.results import Estimated, Fitted, Pooled
from osteometa.records.groups import grouped
from osteometa.records.sensitivity import GoshRow, InfluenceRow, StepRow
from osteometa.sensitivity.status import one_per_study
from osteometa.wording.choices import studies_words

LEAST_STUDIES = 3
"""With fewer, leaving one out leaves nothing to pool."""


@dataclass(frozen=True, slots=True)
class PooledEffects:
    """Effects (k) that are pooled together, and the choices of their pool."""

    ids: tuple[str, ...]
    studies: tuple[str, ...]
    labels: tuple[str, ...]
    y: Array
    v: Array
    V: Array | None
    """(k, k): sampling covariance where effects share participants."""
    years: tuple[int | None, ...]
    """None where the year is not known."""
    method: str = "REML"
    ci: str = "hksj-floor"
    pi_df: str = "k-1"

    @property
    def k(self) -> int:
        """How many studies there are."""
        return len(set(self.studies))

    @property
    def model(self) -> dict[str, Any]:
        """Estimator and interval."""
        return {"method": self.method, "ci": self.ci}

    def one_per_study(self) -> tuple[Array, Array]:
        """Return one effect and variance per study, in order of appearance."""
        return one_per_study(self.y, self.v, self.V, self.studies)

    def pooled(self, chosen: Sequence[int] | None = None, *, ci: str = "") -> Pooled:
        """Pool some of the effects, all by default; with another interval if `ci` is given."""
        index = np.arange(len(self.y)) if chosen is None else np.asarray(chosen, dtype=int)
        studies = [self.studies[i] for i in index]
        number = len(set(studies))
        return pool(
            self.y[index], self.v[index], method=self.method, ci=ci or self.ci, pi_df=self.pi_df,
            V=None if self.V is None else self.V[np.ix_(index, index)],
            studies=number if number < len(studies) else None,
        )  # fmt: skip


def leave_one_out(effects: PooledEffects) -> list[StepRow]:
    """Return the pool without each study (with all its effects)."""
    studies = list(dict.fromkeys(effects.studies))
    return _steps(effects, "leave_one_out", studies, lambda step: {*studies} - {studies[step]})


def cumulative(effects: PooledEffects) -> list[StepRow]:
    """Return pools of the studies so far: by year, then by precision, most precise first.

    Studies whose year is not known come last in the order of years.
    """
    places = grouped(range(len(effects.studies)), lambda i: effects.studies[i])
    years = {study: effects.years[own[0]] or math.inf for study, own in places.items()}
    best = {study: min(effects.v[own]) for study, own in places.items()}
    rows = []
    for sequence, known in (("year", years), ("precision", best)):
        order = sorted(places, key=lambda study, known=known: (known[study], study))
        rows += _steps(effects, sequence, order, lambda step, order=order: {*order[: step + 1]})
    return rows


def _steps(
    effects: PooledEffects, sequence: str, studies: Sequence[str], inside: Callable[[int], set[str]]
) -> list[StepRow]:
    """Return the pool of the studies inside at each step, which is that of one of the studies."""
    if effects.k < LEAST_STUDIES:
        reason = too_few(effects.k)
        return [StepRow(sequence=sequence, k=effects.k, status="not_applicable", reason=reason)]
    whole, rows = effects.pooled(), []
    for step, study in enumerate(studies):
        chosen = [i for i, other in enumerate(effects.studies) if other in inside(step)]
        numbers = _numbers(effects.pooled(chosen), whole)
        label = effects.labels[effects.studies.index(study)]
        rows.append(
            StepRow(**numbers, sequence=sequence, step=step + 1, study_id=study, label=label)
        )
    return rows


def too_few(k: int) -> str:
    """Return why studies are not left out or added one by one."""
    return f"{studies_words(k)}, {LEAST_STUDIES} are needed"


def _numbers(fit: Pooled, whole: Pooled) -> dict[str, Any]:
    """Return the numbers of a pool for its row, with what differs from the pool of all studies."""
    numbers = fields_of(fit, StepRow)
    numbers["status"] = "ok"
    if not isinstance(fit, Estimated):
        numbers["status"], numbers["reason"] = "not_estimable", fit.note
    elif isinstance(whole, Estimated):
        numbers["sign_changed"] = fit.estimate * whole.estimate < 0
        numbers["null_crossed"] = fit.includes_null != whole.includes_null
    return numbers


def influence(effects: PooledEffects) -> list[InfluenceRow]:
    """Return the deletion diagnostics of each effect.

    rstudent: (y_i - mu_(-i)) / sqrt(v_i + tau2_(-i) + Var mu_(-i)). dffits: the shift of the
    pooled effect over sqrt(hat_i (v_i + tau2_(-i))). Cook's distance: its square over the variance
    of the pooled effect. hat: the weight. `influential` if |dffits| is above 3 sqrt(1 / (k - 1)),
    Cook's distance above the median of chi-square on 1 df, or hat above 3 / k.
    """
    k = len(effects.y)
    if effects.k < LEAST_STUDIES:
        places: Sequence[int | None] = range(k) if k else [None]
        return [_no_influence(effects, i, too_few(effects.k)) for i in places]
    whole = effects.pooled(ci="wald")
    if not isinstance(whole, Fitted):
        return [_no_influence(effects, i, whole.note) for i in range(k)]
    primary = effects.pooled()
    rows = []
    for i in range(k):
        rest = [j for j in range(k) if j != i]
        rows.append(_influence_row(effects, i, effects.pooled(rest, ci="wald"), whole, primary))
    return rows


def _influence_row(
    effects: PooledEffects, i: int, rest: Pooled, whole: Fitted, primary: Pooled
) -> InfluenceRow:
    if not isinstance(rest, Estimated):
        return _no_influence(effects, i, rest.note)
    k = len(effects.y)
    y, v = float(effects.y[i]), float(effects.v[i])
    tau2 = rest.tau2 or 0.0
    hat = whole.weights[i] / 100
    shift = whole.estimate - rest.estimate
    # With covariances a weight can be negative, and DFFITS is not defined then.
    dffits = shift / math.sqrt(hat * (v + tau2)) if hat > 0 else None
    cook = shift**2 / whole.se**2
    rstudent = (y - rest.estimate) / math.sqrt(v + tau2 + rest.se**2)
    found = {"dffits": dffits, "cook_d": cook, "hat": hat}
    flags = [value is not None and is_beyond(name, value, k) for name, value in found.items()]
    return InfluenceRow(
        **_named(effects, i), weight=primary.weights[i], hat=hat, rstudent=rstudent, dffits=dffits,
        cook_d=cook, cov_ratio=rest.se**2 / whole.se**2, tau2_without=rest.tau2, q_without=rest.q,
        baujat_x=(y - whole.estimate) ** 2 / (v + whole.tau2),
        baujat_y=shift**2 / rest.se**2, influential=any(flags),
    )  # fmt: skip


def _no_influence(effects: PooledEffects, i: int | None, reason: str) -> InfluenceRow:
    named = {} if i is None else _named(effects, i)
    return InfluenceRow(**named, status="not_applicable", reason=reason)


def _named(effects: PooledEffects, i: int) -> dict[str, Any]:
    return {
        "effect_id": effects.ids[i], "study_id": effects.studies[i], "label": effects.labels[i],
        "yi": float(effects.y[i]), "vi": float(effects.v[i]),
    }  # fmt: skip


ALL_UP_TO = 15
"""Studies up to which all subsets are taken."""
SAMPLED = 100_000


def subsets(k: int, seed: int) -> NDArray[np.bool_]:
    """Return all subsets of two or more of k studies, a row each, or a seeded sample of them.

    A sample draws its sizes as they occur among all subsets.
    """
    if k <= ALL_UP_TO:
        numbers = np.arange(1, 2**k, dtype=np.int64)
        masks = (numbers[:, None] >> np.arange(k)) & 1 == 1
    else:
        masks = np.random.default_rng(seed).random((SAMPLED, k)) < 0.5
    return masks[masks.sum(axis=1) >= 2]


def gosh(effects: PooledEffects, seed: int) -> list[GoshRow]:
    """Return the pool of each subset of the studies (Olkin, Dahabreh and Trikalinos 2012).

    Where there is none, a row with the reason.
    """
    if effects.k < LEAST_STUDIES:
        return [GoshRow(k=effects.k, status="not_applicable", reason=too_few(effects.k))]
    y, v = effects.one_per_study()
    masks = subsets(len(y), seed)
    fits = pool_many(y, v, masks, method=effects.method, ci="wald")
    return [
        GoshRow(
            subset="".join("1" if inside else "0" for inside in mask), k=int(mask.sum()),
            estimate=float(estimate), tau2=float(tau2), i2=float(i2),
        )
        for mask, estimate, tau2, i2 in zip(
            masks, fits.coefficients[:, 0], fits.tau2, fits.i2, strict=True
        )
    ]  # fmt: skip
