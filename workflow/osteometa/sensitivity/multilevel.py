"""Several effects of one study: three-level and correlated-and-hierarchical-effects models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array, Labels, Numbers
from osteometa.pooling.model import checked
from osteometa.records.sensitivity import AlternativeModel
from osteometa.sensitivity.nested import NestedModel, study_order
from osteometa.sensitivity.robust import CorrelatedModel, robust_inference
from osteometa.sensitivity.status import NotEstimableError, estimable
from osteometa.wording.choices import studies_words

LEAST_STUDIES = 10


def sizes_of(yi: Numbers, vi: Numbers, study: Labels, *_: object) -> dict[str, int]:
    """Return the numbers of studies and effects, for the record of a model that is not fitted."""
    return {"k": len(set(study)), "effects": len(yi)}


def names_of(study: Labels) -> NDArray[np.str_]:
    """Return the study of each effect as an array of names."""
    return np.asarray([str(name) for name in study])


def constant_correlation(vi: Numbers, study: Labels, rho: float) -> Array:
    """Return V (k x k) with one correlation of the sampling errors within each study.

    ValueError for a correlation outside [0, 1): above 0 every such V is positive definite.
    """
    if not 0 <= rho < 1:
        raise ValueError(f"the correlation within studies must be in [0, 1) (found {rho})")
    sd = np.sqrt(np.asarray(vi, dtype=float))
    labels = np.asarray(study)
    V = rho * np.outer(sd, sd) * (labels[:, None] == labels[None, :])
    np.fill_diagonal(V, sd**2)
    return V


@estimable(AlternativeModel, sizes_of)
def multilevel(
    yi: Numbers, vi: Numbers, study: Labels, *, rho: float = 0.0, least: int = LEAST_STUDIES
) -> AlternativeModel:
    """Fit y ~ N(mu, V + tau2 (same study) + omega2 I) by REML with cluster-robust inference.

    `study` are the clusters. `rho` is the correlation of sampling errors within a study: 0 is the
    three-level model, above 0 the correlated-and-hierarchical-effects model (Pustejovsky and Tipton
    2022). The standard error is CR2 with Satterthwaite df. M5: offered for `least` (ten) studies
    and more, one of them with several effects, as with fewer robust inference is not to be trusted;
    df below 4 are marked. Errors are those of `pooling.model.checked` and `constant_correlation`.
    """
    y, v = checked(yi, vi)
    labels = names_of(study)
    V = constant_correlation(v, labels, rho)
    require_nested(labels, least)
    order, starts = study_order(labels)
    model = NestedModel.of(V[np.ix_(order, order)], starts)
    tau2, omega2 = (float(variance) for variance in model.highest(y[None, order])[0])
    total = V + tau2 * (labels[:, None] == labels[None, :]) + omega2 * np.eye(len(y))
    return _with_inference(y, labels, total, np.linalg.inv(total), tau2, omega2)


@estimable(AlternativeModel, sizes_of)
def robust_variance(
    yi: Numbers, vi: Numbers, study: Labels, *, rho: float = 0.8, least: int = LEAST_STUDIES
) -> AlternativeModel:
    """Estimate correlated effects by moments (Hedges, Tipton and Johnson 2010), as `multilevel`.

    CR2 and its df take the covariance behind the weights as the working one (Tipton 2015), as
    robumeta and PyMARE do.
    """
    y, v = checked(yi, vi)
    labels = names_of(study)
    constant_correlation(v, labels, rho)
    require_nested(labels, least)
    model = CorrelatedModel.of(v, labels, rho)
    tau2 = model.tau2(y[None, :])
    w = model.weights(tau2)[0]
    return _with_inference(y, labels, np.diag(1 / w), np.diag(w), float(tau2[0]), None)


def _with_inference(
    y: Array, study: NDArray[np.str_], working: Array, weights: Array, tau2: float,
    omega2: float | None,
) -> AlternativeModel:  # fmt: skip
    found = robust_inference(y, study, working, weights)
    few = f"intercept: {found.df:.1f} degrees of freedom, below 4: not reliable"
    return AlternativeModel(
        k=len(set(study.tolist())), effects=len(study), **found._asdict(), tau2=tau2,
        omega2=omega2, warning="" if found.df >= 4 else few,
    )  # fmt: skip


def require_nested(study: NDArray[np.str_], least: int) -> None:
    """Raise where there are too few studies, or none with several effects."""
    studies = len(set(study.tolist()))
    if studies < least:
        raise NotEstimableError(f"{studies_words(studies)}: the model needs {least}")
    if len(study) == studies:
        raise NotEstimableError(
            "no study has several effects: the model is the random-effects model"
        )
