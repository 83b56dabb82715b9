"""Random-effects pools and meta-regressions of effects that a caller has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from osteometa.api.inputs import effects_of, labels_of, moderators_of
from osteometa.numerics.arrays import Array
from osteometa.pooling import model as models
from osteometa.pooling.design import RegressionResult, regress_on
from osteometa.pooling.results import EffectData, Estimated, Pooled

if TYPE_CHECKING:
    import pandas as pd

    from osteometa.api.plots import ForestPlot


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEffect(Estimated):
    """A pooled effect with its interval, heterogeneity, and the effects behind it.

    Names are those of `pooled.csv`; None where a quantity does not exist, such as `tau2` of a
    single study.

    Attributes
    ----------
    k : int
        Independent studies.
    estimate, se, ci_low, ci_high : float
        Pooled effect, standard error, 95 % confidence limits.
    pi_low, pi_high : float or None
        95 % prediction limits.
    tau2, tau2_ci_low, tau2_ci_high : float or None
        Variance between studies with its 95 % limits.
    i2, h2 : float or None
        I2 in percent and H2, each with `_ci_low` and `_ci_high`.
    q, q_df, q_p : float, int, float or None
        Cochran's Q.
    statistic, df, p : float or None
        Test of no effect: t with df, or z where df is None.
    weights : tuple of float
        Percent of the total weight.
    """

    yi: tuple[float, ...] = ()
    vi: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    V: Array | None = field(default=None, repr=False, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """Return the result as a data frame with one row."""
        import pandas as pd

        names = [item.name for item in fields(Pooled) if item.name != "weights"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def effects(self) -> pd.DataFrame:
        """Return the effects as a data frame: `label`, `yi`, `vi`, `weight` in percent."""
        import pandas as pd

        return pd.DataFrame(
            {"label": self.labels, "yi": self.yi, "vi": self.vi, "weight": self.weights}
        )

    def cross_check(self) -> pd.DataFrame:
        """Return the same model by PyMARE and statsmodels; see `osteometa.cross_check`."""
        return _compared(EffectData(self.yi, self.vi, self.V, self.k), self.method, self.ci_method)

    def forest(
        self, *, title: str = "", measure: str = "SMD", style: str = "standard", width: int = 183,
        favours: tuple[str, str] = ("Lower", "Higher"),
    ) -> ForestPlot:  # fmt: skip
        """Return a forest plot; see `osteometa.forest`."""
        from osteometa.api.plots import forest_of

        return forest_of(
            self, title=title, measure=measure, style=style, width=width, favours=favours
        )

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(index=False)


@dataclass(frozen=True, slots=True)
class MetaRegression(RegressionResult):
    """A meta-regression: coefficients, their joint test, and residual heterogeneity."""

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficients as a data frame, one row each."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.coefficients])

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(index=False)


def pool(
    yi: Any, vi: Any = None, *, method: str = "REML", ci: str = "hksj-floor", pi_df: str = "k-1",
    tau2_ci: str = "qp", V: Any = None, studies: int | None = None,
    labels: Sequence[str] | None = None,
) -> PooledEffect:  # fmt: skip
    """Pool effects in a random-effects model.

    Parameters
    ----------
    yi : sequence of float, or data frame
        Effects; or a data frame with the columns `yi` and `vi`, and `label` or `study` if there
        are names. Ratios are given as logarithms.
    vi : sequence of float, optional
        Sampling variances.
    method : {"REML", "ML", "DL", "HE", "HS", "SJ", "EB", "PM", "EE"}
        Estimator of tau2, by metafor's short names; EE is the common-effect model.
    ci : {"hksj-floor", "hksj", "wald"}
        Interval: Hartung and Knapp, its factor never below 1; Hartung and Knapp; normal.
    pi_df : {"k-1", "k-2"}
        Degrees of freedom of the prediction interval.
    tau2_ci : {"qp", "pl"}
        Interval of tau2, I2 and H2: Q-profile, or profile likelihood (REML and ML).
    V : array of shape (k, k), optional
        Sampling covariance of the effects; its diagonal replaces `vi`.
    studies : int, optional
        Independent studies; by default the effects, or the blocks of V that share no covariance.
    labels : sequence of str, optional
        Names of the effects.

    Returns
    -------
    PooledEffect

    Raises
    ------
    ValueError
        For input that cannot be pooled, naming the parameter, the value, and what is allowed.

    Examples
    --------
    >>> import osteometa
    >>> found = osteometa.pool([0.1, 0.3, 0.35, 0.65], [0.03, 0.03, 0.05, 0.01])
    >>> found.k, round(found.estimate, 3), round(found.tau2, 3)
    (4, 0.377, 0.043)
    >>> found.to_frame()[["ci_low", "ci_high"]].round(3).values.tolist()
    [[-0.044, 0.798]]
    """
    y, v, frame = effects_of(yi, vi, V)
    V = None if V is None else np.asarray(V, dtype=float)
    found = models.pool(
        y, v, method=method, ci=ci, pi_df=pi_df, tau2_ci=tau2_ci, V=V, studies=studies
    )
    if not isinstance(found, Estimated):
        raise ValueError(f"the model has no numerical solution: {found.note}")
    numbers = {item.name: getattr(found, item.name) for item in fields(Pooled)}
    return PooledEffect(**numbers, yi=y, vi=v, labels=labels_of(labels, frame, len(y)), V=V)


def regress(
    yi: Any, vi: Any = None, mods: Any = None, *, method: str = "REML", ci: str = "hksj-floor",
    tau2_ci: str = "qp", V: Any = None, studies: int | None = None,
) -> MetaRegression:  # fmt: skip
    """Regress effects on moderators in a mixed-effects model.

    Parameters
    ----------
    yi, vi
        As for `pool`.
    mods : list of column names, data frame, mapping, series or array
        Moderators: names of columns if `yi` is a data frame, else their values. A moderator of
        words is a factor, compared with its first level in alphabetical order. The intercept is
        added. Effects without a value are left out.
    method, ci, tau2_ci, V, studies
        As for `pool`.

    Returns
    -------
    MetaRegression

    Raises
    ------
    ValueError
        For input that cannot be used, naming the parameter, the value, and what is allowed.

    Examples
    --------
    >>> import osteometa
    >>> y, v = [0.1, 0.3, 0.35, 0.65, 0.5], [0.03, 0.03, 0.05, 0.01, 0.02]
    >>> found = osteometa.regress(y, v, {"weeks": [8, 12, 24, 52, 40]})
    >>> found.to_frame()[["name", "estimate", "p"]].round(3).values.tolist()
    [['intercept', 0.086, 0.595], ['weeks', 0.011, 0.06]]
    """
    y, v, frame = effects_of(yi, vi, V)
    if mods is None:
        raise ValueError("mods must name or hold at least one moderator (found None)")
    values, known = moderators_of(mods, frame, len(y))
    index = np.flatnonzero(known)
    part = None if V is None else np.asarray(V, dtype=float)[np.ix_(index, index)]
    data = EffectData(tuple(y[i] for i in index), tuple(v[i] for i in index), part, studies)
    found = regress_on(data, values, method=method, ci=ci, tau2_ci=tau2_ci)
    return MetaRegression(*(getattr(found, item.name) for item in fields(RegressionResult)))


def cross_check(
    yi: Any, vi: Any = None, *, method: str = "REML", ci: str = "hksj-floor"
) -> pd.DataFrame:
    """Fit the same model with PyMARE and statsmodels, and return how far the numbers agree.

    Parameters
    ----------
    yi, vi, method, ci
        As for `pool`. PyMARE has REML, ML, DL and HE; statsmodels has DL and PM, and no interval
        "hksj-floor".

    Returns
    -------
    pandas.DataFrame
        A row per library and quantity: `osteometa`, `reference`, relative `difference`, and a
        `verdict`, which is agrees up to 1e-5. Empty if neither library has the estimator.

    Examples
    --------
    >>> import osteometa
    >>> y, v = [0.1, 0.3, 0.35, 0.65], [0.03, 0.03, 0.05, 0.01]
    >>> checks = osteometa.cross_check(y, v, method="DL")
    >>> sorted(set(checks["verdict"]))
    ['agrees']
    """
    return pool(yi, vi, method=method, ci=ci).cross_check()


def _compared(data: EffectData, method: str, ci: str) -> pd.DataFrame:
    import pandas as pd

    from osteometa.synthesis.independent_fits import Comparison, comparisons

    names = [item.name for item in fields(Comparison)]
    rows = [asdict(row) for row in comparisons(data, method, ci)]
    return pd.DataFrame(rows, columns=pd.Index(names))
