"""The same models fitted by PyMARE and statsmodels, and the agreement of their numbers."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from osteometa.io.csv_records import fields_of
from osteometa.numerics.arrays import Array
from osteometa.pooling.model import pool
from osteometa.pooling.results import EffectData, Fitted
from osteometa.records.effects import Covariance, Effect
from osteometa.records.pools import AgreementRow
from osteometa.synthesis.effect_sets import EffectSet

LIMIT = 1e-5
"""Largest relative difference that counts as agreement; PyMARE's search stops at 1e-6."""
QUANTITIES = ("tau2", "estimate", "se", "ci_low", "ci_high")
SETTINGS = (("REML", "hksj-floor"), ("REML", "wald"), ("DL", "wald"), ("DL", "hksj"))
PYMARE_METHODS = ("REML", "ML", "DL", "HE")
PYMARE_INTERVALS = {
    "wald": "wald", "hksj": "knapp-hartung", "hksj-floor": "knapp-hartung-conservative",
}  # fmt: skip
STATSMODELS_METHODS = {"DL": "dl", "PM": "iterated"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One number of a model, by this package and by an independent implementation."""

    method: str
    ci_method: str
    quantity: str
    library: str
    osteometa: float
    reference: float | None
    difference: float | None
    """Relative; None where nothing can be compared."""
    verdict: str
    """agrees, differs or not_comparable."""
    cause: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a library returns for a model, or why that cannot be compared."""

    library: str
    numbers: dict[str, float]
    cause: str = ""


def agreement_rows(
    synthesis: str, effects: Sequence[Effect], covariances: Sequence[Covariance] = ()
) -> list[AgreementRow]:
    """Compare every pooled set of two studies or more with both libraries, on all measures."""
    rows: list[AgreementRow] = []
    for measure in dict.fromkeys(effect.measure for effect in effects):
        chosen = EffectSet.of(effects, measure, covariances)
        groups = {"overall": chosen} | {kind: chosen.of_group(kind) for kind in chosen.groups}
        for group, members in groups.items():
            place: dict[str, Any] = {"synthesis": synthesis, "measure": measure, "group": group}
            for method, ci in SETTINGS if members.k >= 2 else ():
                found = comparisons(members.data, method, ci)
                rows += [AgreementRow(**fields_of(one, AgreementRow), **place) for one in found]
    return rows


def comparisons(data: EffectData, method: str, ci: str) -> list[Comparison]:
    """Compare the pool of some effects with each library that has the estimator.

    A pool that has no numerical solution is not compared.
    """
    ours = pool(data.yi, data.vi, V=data.V, studies=data.studies, method=method, ci=ci)
    if not isinstance(ours, Fitted):
        return []
    yi, vi = np.array(data.yi), np.array(data.vi)
    mean_v = float(np.mean(vi))
    # The libraries count rows: they can fit one effect per study only.
    if data.V is not None or ours.k < len(yi):
        cause = "effects of one study are fitted jointly, which it cannot do"
        names = [("PyMARE", method in PYMARE_METHODS), ("statsmodels", method == "DL")]
        answers = [Answer(name, {}, cause) for name, has in names if has]
    else:
        answers = [by_pymare(yi, vi, method, ci)] if method in PYMARE_METHODS else []
        if method in STATSMODELS_METHODS and ci != "hksj-floor":
            answers.append(by_statsmodels(yi, vi, method, ci))
    return [_compared(ours, answer, name, mean_v) for answer in answers for name in QUANTITIES]


def _compared(ours: Fitted, answer: Answer, quantity: str, mean_v: float) -> Comparison:
    mine: float = getattr(ours, quantity)
    other = answer.numbers.get(quantity)
    cause, difference, verdict = answer.cause, None, "not_comparable"
    if not cause and (other is None or not np.isfinite(other)):
        cause = "it returns no number here"
    elif not cause and other is not None:
        width = ours.ci_high - ours.ci_low
        scale = mean_v if quantity == "tau2" else width
        # The interval of equal effects may have no width: then 1e-12 of an effect's SD counts.
        rounding = 1e-12 * (mean_v if quantity == "tau2" else mean_v**0.5)
        difference = abs(mine - other) / max(abs(other), scale / 1000, rounding)
        if abs(mine - other) <= rounding:
            difference = 0.0
        verdict = "agrees" if difference <= LIMIT else "differs"
        if verdict == "differs":
            search = ours.method in ("REML", "ML", "PM")
            cause = "its search for tau2 stops early" if search else "unknown: please report it"
    return Comparison(
        ours.method, ours.ci_method, quantity, answer.library, mine, other, difference, verdict,
        cause,
    )  # fmt: skip


def by_pymare(yi: Array, vi: Array, method: str, ci: str) -> Answer:
    """Return PyMARE's answer; every option is given, since its defaults are not the usual ones."""
    from pymare import meta_regression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = meta_regression(
            y=yi, v=vi, method=method, small_sample_correction=PYMARE_INTERVALS[ci],
            X_names=["mu"], X=np.ones((len(yi), 1)), add_intercept=False,
        )  # fmt: skip
        table = results.to_df().iloc[0]
    numbers = {
        "tau2": np.ravel(np.asarray(results.tau2, dtype=float))[0],
        "estimate": table["estimate"], "se": table["se"], "ci_low": table["ci_0.025"],
        "ci_high": table["ci_0.975"],
    }  # fmt: skip
    return Answer("PyMARE", {name: float(value) for name, value in numbers.items()})


def by_statsmodels(yi: Array, vi: Array, method: str, ci: str) -> Answer:
    """Return statsmodels' answer; its DL can have a negative tau2, which is not comparable."""
    from statsmodels.stats.meta_analysis import combine_effects

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = combine_effects(yi, vi, method_re=STATSMODELS_METHODS[method], use_t=ci != "wald")
        # Its results are attributes made at run time, which a type checker cannot see.
        found = vars(results)
        if (tau2 := float(found["tau2"])) < 0:
            return Answer("statsmodels", {"tau2": tau2}, "its tau2 is not bounded at 0")
        low, high = results.conf_int(use_t=ci != "wald")[1 if ci == "wald" else 3]
    numbers = {
        "tau2": found["tau2"], "estimate": found["mean_effect_re"],
        "se": found["sd_eff_w_re" if ci == "wald" else "sd_eff_w_re_hksj"],
        "ci_low": low, "ci_high": high,
    }  # fmt: skip
    return Answer("statsmodels", {name: float(value) for name, value in numbers.items()})
