"""What a model gave: records of numbers, named as in the tables."""

from dataclasses import dataclass
from typing import NamedTuple

from osteometa.numerics.arrays import Array


class EffectData(NamedTuple):
    """The effects that a model is fitted to, in the order of the arguments of `pool`."""

    yi: tuple[float, ...]
    vi: tuple[float, ...]
    V: Array | None = None
    """Sampling covariance, None where all effects are independent."""
    studies: int | None = None
    """Independent studies; by default the blocks of V that share no covariance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """A pooled model, whether or not it has an estimate; None where a quantity does not exist."""

    k: int
    """Independent studies: fewer than the effects where some share a covariance."""
    estimate: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    pi_low: float | None = None
    pi_high: float | None = None
    tau2: float | None
    tau2_ci_low: float | None = None
    tau2_ci_high: float | None = None
    i2: float | None
    i2_ci_low: float | None = None
    i2_ci_high: float | None = None
    h2: float | None
    h2_ci_low: float | None = None
    h2_ci_high: float | None = None
    q: float | None
    q_df: int | None
    q_p: float | None
    statistic: float | None = None
    df: float | None = None
    p: float | None = None
    method: str = "REML"
    ci_method: str = "hksj-floor"
    weights: tuple[float, ...] = ()
    """Percent of the total weight, in the order of the effects."""
    status: str = "ok"
    """ok, listed (one study), not_estimable (none) or failed."""
    note: str = ""


def not_estimated(k: int, method: str, ci: str, *, status: str, note: str) -> Pooled:
    """Return the record of a model without an estimate."""
    return Pooled(
        k=k, estimate=None, se=None, ci_low=None, ci_high=None, tau2=None, i2=None, h2=None, q=None,
        q_df=None, q_p=None, method=method, ci_method=ci, status=status, note=note,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated(Pooled):
    """A pooled model with an estimate: one study, or more with a numerical solution."""

    estimate: float
    se: float
    ci_low: float
    ci_high: float

    @property
    def includes_null(self) -> bool:
        """Whether the confidence interval includes 0, its limits included."""
        return self.ci_low <= 0 <= self.ci_high


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted(Estimated):
    """A pooled model of two studies or more: its heterogeneity is known too."""

    tau2: float
    i2: float
    h2: float
    q: float
    q_df: int
    q_p: float


class GroupMeans(NamedTuple):
    """The mean of each group with their joint covariance."""

    coefficients: Array
    covariance: Array
    df: float | None
    """Degrees of freedom of t; None for the normal distribution."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A meta-regression: coefficients, their covariance, and residual heterogeneity."""

    coefficients: Array
    covariance: Array
    """Scaled as the interval method requires."""
    tau2: float
    df: float | None
    """Degrees of freedom of t; None for the normal distribution."""
    k: int
    q: float
    q_df: int
    q_p: float
    """NaN without a residual degree of freedom, as are i2 and h2."""
    i2: float
    h2: float
    studies: int
    """Independent studies."""
    weights: tuple[float, ...]
    """Percent of the total weight, in the order of the effects."""
