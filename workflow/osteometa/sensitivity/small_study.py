"""Small-study effects: regression and rank tests, PET-PEESE, and the suite for one synthesis.

These are sensitivity analyses, not corrected results: asymmetry has other causes than unpublished
studies, and with fewer than ten studies the tests have little power.
"""

import math
from dataclasses import replace

import numpy as np

from osteometa.numerics.arrays import Numbers
from osteometa.numerics.distributions import t_quantile, two_sided_p
from osteometa.pooling.model import checked, regress
from osteometa.sensitivity.selection_model import selection_model
from osteometa.sensitivity.status import ROUNDING, NotEstimableError, SmallStudy, estimable
from osteometa.sensitivity.trim_fill import trim_fill
from osteometa.wording.choices import studies_words

LEAST_STUDIES = 10
EXACT_UP_TO = 300
PEESE_BELOW = 0.10
ANALYSES = ("egger", "egger_mixed", "rank", "trim_fill", "pet", "peese", "pet_peese", "selection")


def _line(yi: Numbers, vi: Numbers, predictor: Numbers, method: str, ci: str) -> SmallStudy:
    """Return the regression of effects on a predictor, as intercept and slope."""
    y, v = checked(yi, vi)
    x = np.asarray(predictor, dtype=float)
    if x.shape != y.shape or not np.all(np.isfinite(x)):
        raise NotEstimableError("the predictor is not known for every study")
    if len(y) < 3:
        raise NotEstimableError(f"{studies_words(len(y))}: a line needs three")
    w = 1.0 / v
    # Centred and scaled, or predictors of 1e-6 would cost the digits that effects in g/cm2 have.
    centre = float(np.sum(w * x) / np.sum(w))
    spread = float(np.max(np.abs(x - centre)))
    if spread <= 1e-10 * float(np.max(np.abs(x))):
        raise NotEstimableError("the predictor is the same for all studies")
    X = np.column_stack([np.ones_like(x), (x - centre) / spread])
    fit = regress(y, v, X, method=method, ci=ci)
    residuals = np.abs(y - X @ fit.coefficients)
    if ci == "hksj" and np.max(residuals) <= ROUNDING * np.max(np.abs(y)):
        raise NotEstimableError("all effects lie on one line: the slope has no standard error")
    back = np.array([[1.0, -centre / spread], [0.0, 1.0 / spread]])
    intercept, slope = (float(b) for b in back @ fit.coefficients)
    covariance = back @ fit.covariance @ back.T
    se, slope_se = (math.sqrt(float(c)) for c in np.diagonal(covariance))
    half = t_quantile(0.975, fit.df) * se
    statistic = slope / slope_se
    return SmallStudy(
        k=len(y), statistic=statistic, df=fit.df, p=two_sided_p(statistic, fit.df),
        estimate=intercept, se=se, ci_low=intercept - half, ci_high=intercept + half,
        estimate_p=two_sided_p(intercept / se, fit.df), slope=slope, slope_se=slope_se,
        tau2=fit.tau2,
    )  # fmt: skip


@estimable(SmallStudy)
def egger(
    yi: Numbers, vi: Numbers, *, predictor: Numbers | None = None,
    method: str | None = None, predictor_name: str = "",
) -> SmallStudy:  # fmt: skip
    """Test funnel asymmetry by regressing effects on a measure of their imprecision.

    `predictor` is by default the standard error (Egger et al. 1997). For standardised mean
    differences it must be the part of the standard error that does not hold the effect, sqrt(1/nT +
    1/nC) (Pustejovsky and Rodgers 2019): the ordinary one is correlated with the effect by itself.
    `method` estimates tau2 of a mixed-effects regression with a normal test (Sterne and Egger
    2005). None is the classic weighted regression with a multiplicative variance and t on k - 2 df,
    which is Hartung and Knapp's regression at tau2 = 0. Errors are those of
    `pooling.model.checked`.
    """
    x = np.sqrt(np.asarray(vi, dtype=float)) if predictor is None else predictor
    model, ci = ("EE", "hksj") if method is None else (method, "wald")
    name = predictor_name or ("standard error" if predictor is None else "given")
    found = _line(yi, vi, x, model, ci)
    return replace(
        found, analysis="egger" if method is None else "egger_mixed", predictor=name,
        tau2=None if method is None else found.tau2,
    )  # fmt: skip


@estimable(SmallStudy)
def rank_test(yi: Numbers, vi: Numbers) -> SmallStudy:
    """Correlate the ranks of standardised effects and variances (Begg and Mazumdar 1994).

    Kendall's tau-b; p is exact without ties, with ties (or over 300 studies) normal with the
    variance under ties and no correction for continuity (Kendall 1970), as R's `cor.test` and
    metafor have it. Errors are those of `pooling.model.checked`.
    """
    y, v = checked(yi, vi)
    k = len(y)
    if k < 3:
        raise NotEstimableError(f"{studies_words(k)}: ranks need three")
    w = 1.0 / v
    residuals = y - np.sum(w * y) / np.sum(w)
    # Rounding around the mean must not make an order of effects that are equal.
    residuals[np.abs(residuals) <= 8 * k * np.finfo(float).eps * np.max(np.abs(y))] = 0.0
    # v - 1 / sum(w) without its cancellation where one study has nearly all the weight; summed
    # exactly, for the order of a sum must not untie studies that are equal.
    others = np.array([math.fsum(np.delete(w, i)) for i in range(k)])
    x = residuals / np.sqrt(v * others / math.fsum(w))
    if len(set(x)) == 1 or len(set(v)) == 1:
        what = "effects" if len(set(x)) == 1 else "variances"
        raise NotEstimableError(f"all {what} are equal: no ranks to correlate")
    from scipy.stats import kendalltau

    exact = len(set(x)) == len(set(v)) == k <= EXACT_UP_TO
    found = kendalltau(x, v, method="exact" if exact else "asymptotic")
    tau, p = np.asarray(found).tolist()
    return SmallStudy(analysis="rank", k=k, predictor="variance", statistic=tau, p=p)


def pet_peese(
    yi: Numbers, vi: Numbers, *, predictor: Numbers | None = None,
    method: str | None = None, predictor_name: str = "",
) -> tuple[SmallStudy, SmallStudy, SmallStudy]:  # fmt: skip
    """Return PET, PEESE and the one of both that Stanley and Doucouliagos (2014) report.

    PET is the limit of Egger's regression at predictor 0, PEESE that of a regression on the squared
    predictor. PEESE is taken where PET's limit differs from 0 with a two-sided p below 0.10, else
    PET. Parameters and errors are those of `egger`.
    """
    v = np.asarray(vi, dtype=float)
    x = np.sqrt(v) if predictor is None else np.asarray(predictor, dtype=float)
    name = predictor_name or ("standard error" if predictor is None else "given")
    pet = egger(yi, vi, predictor=x, method=method, predictor_name=name)
    peese = egger(yi, vi, predictor=x**2, method=method, predictor_name=f"{name}, squared")
    differs = pet.estimate_p is not None and pet.estimate_p < PEESE_BELOW
    chosen = peese if differs else pet
    named = {"pet": pet, "peese": peese, "pet_peese": chosen}
    one, other, taken = (replace(found, analysis=name) for name, found in named.items())
    return one, other, taken


def small_study(
    yi: Numbers, vi: Numbers, *, predictor: Numbers | None = None,
    predictor_name: str = "", method: str = "REML", ci: str = "hksj-floor",
    least: int = LEAST_STUDIES,
) -> tuple[SmallStudy, ...]:  # fmt: skip
    """Return all small-study analyses of one synthesis, in a fixed order.

    The predictor is that of `egger`, for the trim-and-fill side and PET-PEESE too; `method` and
    `ci` are those of the primary model. With fewer than `least` studies each record gives that
    reason.
    """
    k = len(yi)
    if k < least:
        reason = f"{studies_words(k)}, {least} are needed"
        none = SmallStudy(k=k, status="not_applicable", reason=reason)
        return tuple(replace(none, analysis=name) for name in ANALYSES)
    options = {"predictor": predictor, "predictor_name": predictor_name}
    found = (
        egger(yi, vi, **options),
        egger(yi, vi, method=method, **options),
        rank_test(yi, vi),
        trim_fill(yi, vi, predictor=predictor, method=method, ci=ci),
        *pet_peese(yi, vi, **options),
        selection_model(yi, vi),
    )
    # A record that is not estimable has no name yet.
    return tuple(replace(one, analysis=name) for name, one in zip(ANALYSES, found, strict=True))
