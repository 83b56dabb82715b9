"""The witnesses: PyMARE and statsmodels fit the same sets, and how far they agree with us."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from osteometa.pooling.model import Pooled, pool
from osteometa.records.effects import Covariance, Effect
from osteometa.records.pools import AgreementRow
from osteometa.synthesis.pools import EffectSet
from osteometa.wording.choices import EXERCISE_TYPES

LIMIT = 1e-5
"""Largest relative difference that counts as agreement; PyMARE's search stops at 1e-6."""
QUANTITIES = ("tau2", "estimate", "se", "ci_low", "ci_high")
SETTINGS = (("REML", "hksj-floor"), ("REML", "wald"), ("DL", "wald"), ("DL", "hksj"))


def agreement_rows(
    synthesis: str, effects: Sequence[Effect], links: Sequence[Covariance] = ()
) -> list[AgreementRow]:
    """Compare every pooled set of two studies or more with both libraries.

    Parameters
    ----------
    synthesis : str
    effects : sequence of Effect
        Effects of one synthesis, all measures.
    links : sequence of Covariance
        What effects of one study have in common; neither library takes that.
    """
    rows: list[AgreementRow] = []
    for measure in dict.fromkeys(effect.measure for effect in effects):
        chosen = EffectSet.of(effects, measure, links)
        groups = {"overall": chosen} | {k: chosen.of_type(k) for k in EXERCISE_TYPES}
        for group, members in groups.items():
            if members.k >= 2:
                rows += _compare(synthesis, measure, group, members)
    return rows


def _compare(synthesis: str, measure: str, group: str, joint: EffectSet) -> list[AgreementRow]:
    rows = []
    numbers = joint.numbers
    yi, vi = np.array(numbers["yi"]), np.array(numbers["vi"])
    # One effect per study, or nothing to compare: the libraries count rows.
    joined = "V" in numbers or joint.k < len(yi)
    several = "effects of one study are fitted jointly, which it cannot" if joined else ""
    for method, ci in SETTINGS:
        ours = pool(**numbers, method=method, ci=ci)
        witnesses = {"PyMARE": ({}, several) if several else by_pymare(yi, vi, method, ci)}
        if method == "DL":
            witnesses["statsmodels"] = ({}, several) if several else by_statsmodels(yi, vi, ci)
        for library, (theirs, cause) in witnesses.items():
            for quantity in QUANTITIES:
                rows.append(
                    _row(
                        (synthesis, measure, group, f"{method} {ci}", quantity, library),
                        ours, theirs, cause, float(np.mean(vi)),
                    )
                )  # fmt: skip
    return rows


def _row(
    place: tuple[str, ...], ours: Pooled, theirs: dict[str, float], cause: str, mean_v: float
) -> AgreementRow:
    names = ("synthesis", "measure", "group", "method", "quantity", "library")
    quantity = place[4]
    mine, other = getattr(ours, quantity), theirs.get(quantity)
    difference, verdict = None, "not_comparable"
    if not cause and other is not None and np.isfinite(other):
        width = ours.ci_high - ours.ci_low
        scale = mean_v if quantity == "tau2" else width
        # Equal effects may leave an interval without width; a hair of the SD of an effect counts.
        hair = 1e-12 * (mean_v if quantity == "tau2" else mean_v**0.5)
        difference = abs(mine - other) / max(abs(other), scale / 1000, hair)
        if abs(mine - other) <= hair:
            difference = 0.0
        verdict = "agrees" if difference <= LIMIT else "differs"
        if verdict == "differs":
            cause = (
                "its search for tau2 stops early" if "REML" in place[3] else "not known: look at it"
            )
    elif not cause:
        cause = "it returns no number here"
    return AgreementRow(
        **dict(zip(names, place, strict=True)), osteometa=mine, reference=other,
        difference=difference, verdict=verdict, cause=cause,
    )  # fmt: skip


def by_pymare(yi: np.ndarray, vi: np.ndarray, method: str, ci: str) -> tuple[dict[str, float], str]:
    """Return PyMARE's answer, every option said: its defaults are not the usual ones."""
    from pymare import meta_regression

    corrections = {
        "wald": "wald", "hksj": "knapp-hartung", "hksj-floor": "knapp-hartung-conservative",
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = meta_regression(
            y=yi, v=vi, method=method, small_sample_correction=corrections[ci], X_names=["mu"],
            X=np.ones((len(yi), 1)), add_intercept=False,
        )  # fmt: skip
        table = results.to_df().iloc[0]
    tau2 = float(np.ravel(results.tau2)[0])
    return {
        "tau2": tau2, "estimate": float(table["estimate"]), "se": float(table["se"]),
        "ci_low": float(table["ci_0.025"]), "ci_high": float(table["ci_0.975"]),
    }, ""  # fmt: skip


def by_statsmodels(yi: np.ndarray, vi: np.ndarray, ci: str) -> tuple[dict[str, float], str]:
    """Return statsmodels' answer with DL; its tau2 may be negative, and then nothing compares."""
    from statsmodels.stats.meta_analysis import combine_effects

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = combine_effects(yi, vi, method_re="dl", use_t=ci != "wald")
        if float(results.tau2) < 0:
            return {"tau2": float(results.tau2)}, "its DL lets tau2 fall below 0"
        estimate = float(results.mean_effect_re)
        se = float(results.sd_eff_w_re if ci == "wald" else results.sd_eff_w_re_hksj)
        low, high = (
            float(x) for x in results.conf_int(use_t=ci != "wald")[1 if ci == "wald" else 3]
        )
    return {
        "tau2": float(results.tau2), "estimate": estimate, "se": se, "ci_low": low, "ci_high": high,
    }, ""  # fmt: skip
