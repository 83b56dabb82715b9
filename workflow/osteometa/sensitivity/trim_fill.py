"""Trim and fill: studies that appear to be missing from a funnel plot."""

import math
from dataclasses import dataclass

import numpy as np

from osteometa.numerics.arrays import Array, Numbers
from osteometa.pooling.model import checked, pool, regress
from osteometa.sensitivity.status import NotEstimableError, SmallStudy, estimable, estimated
from osteometa.wording.choices import studies_words

MAX_ROUNDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimFill(SmallStudy):
    """Trim and fill: the pool of the studies and the filled ones, by the same model."""

    filled_se: float | None = None
    filled_yi: tuple[float, ...] = ()
    filled_vi: tuple[float, ...] = ()


@estimable(TrimFill)
def trim_fill(
    yi: Numbers, vi: Numbers, *, side: str = "auto",
    predictor: Numbers | None = None, method: str = "REML", ci: str = "hksj-floor",
) -> TrimFill:  # fmt: skip
    """Trim and fill with the estimator L0 (Duval and Tweedie 2000).

    `side` is where studies are missing; auto is the side of the small studies' gap: right where the
    slope of the mixed-effects Egger regression on `predictor` (by default the standard error) is
    below 0, else left. `method` and `ci` are the model of every round and of the final pool.
    Effects that are equal keep their order (stable sort), and residuals that differ by rounding
    only are tied: neither may decide how many studies are filled in. Errors are those of
    `pooling.model.checked`.
    """
    y, v = checked(yi, vi)
    k = len(y)
    if k < 3:
        raise NotEstimableError(f"{studies_words(k)}: trim and fill needs three")
    if side == "auto":
        side = _side(y, v, predictor, method)
    sign = -1.0 if side == "right" else 1.0
    order = np.argsort(sign * y, kind="stable")
    y, v = sign * y[order], v[order]
    missing, raw, centre = _trimmed(y, v, method)
    extreme = slice(k - missing, k)
    new_y, new_v = 2 * centre - y[extreme], v[extreme]
    pooled = pool(
        sign * np.concatenate([y, new_y]), np.concatenate([v, new_v]), method=method, ci=ci
    )
    return TrimFill(
        k=k, filled=missing, filled_se=_l0_se(raw, k), side=side, estimate=pooled.estimate,
        se=pooled.se, ci_low=pooled.ci_low, ci_high=pooled.ci_high, df=pooled.df,
        estimate_p=pooled.p, tau2=pooled.tau2,
        filled_yi=tuple((sign * new_y).tolist()), filled_vi=tuple(new_v.tolist()),
    )  # fmt: skip


def _side(y: Array, v: Array, predictor: Numbers | None, method: str) -> str:
    x = np.sqrt(v) if predictor is None else np.asarray(predictor, dtype=float)
    centre = float(np.average(x, weights=1 / v))
    spread = float(np.max(np.abs(x - centre)))
    if not np.isfinite(spread) or spread <= 1e-10 * float(np.max(np.abs(x))):
        raise NotEstimableError("all studies are equally precise: no side has a gap")
    X = np.column_stack([np.ones_like(x), (x - centre) / spread])
    fit = regress(y, v, X, method=method, ci="wald")
    slope = float(fit.coefficients[1])
    # A slope that is rounding (equal effects) has no sign.
    return "right" if slope < -1e-13 * float(np.max(np.abs(y))) else "left"


def _trimmed(y: Array, v: Array, method: str) -> tuple[int, float, float]:
    """Return studies to fill, L0 before rounding, and the centre without the trimmed ones."""
    k = len(y)
    missing, seen = 0, set()
    for _ in range(MAX_ROUNDS):
        kept = slice(0, k - missing)
        centre = estimated(pool(y[kept], v[kept], method=method, ci="wald")).estimate
        raw = (4 * _signed_rank_sum(y, centre) - k * (k + 1)) / (2 * k - 1)
        found = min(k - 1, max(0, round(raw)))
        if found == missing:
            return missing, raw, centre
        if found in seen:
            raise NotEstimableError("trim and fill cycles and does not converge")
        seen.add(found)
        missing = found
    raise NotEstimableError(f"trim and fill has not converged after {MAX_ROUNDS} rounds")


def _signed_rank_sum(y: Array, centre: float) -> float:
    """Return the sum of the ranks of |y - centre| over the effects above the centre."""
    residuals = y - centre
    noise = 1e-12 * float(np.max(np.abs(y))) or 1.0
    sizes = np.round(np.abs(residuals) / noise) * noise
    ranks = np.empty(len(y))
    ranks[np.argsort(sizes, kind="stable")] = np.arange(1, len(y) + 1)
    return float(np.sum(ranks[(residuals > 0) & (sizes > 0)]))


def _l0_se(raw: float, k: int) -> float | None:
    """Return the standard error of L0 (Duval and Tweedie 2000), None where it has none."""
    variance = (
        k * (k + 1) * (2 * k + 1) + 10 * raw**3 + 27 * raw**2 + 17 * raw
        - 18 * k * raw**2 - 18 * k * raw + 6 * k**2 * raw
    ) / 24  # fmt: skip
    return 4 * math.sqrt(variance) / (2 * k - 1) if variance >= 0 else None
