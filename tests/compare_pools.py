"""Pools, heterogeneity, meta-regressions, subgroups and covariances beside metafor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from compare import (
    CI,
    CLOSED_LIMIT,
    CONTRASTS,
    ITERATED_LIMIT,
    ORACLE,
    POOLED,
    SHARED,
    Comparison,
    arrays,
    compared,
    width_of,
)
from osteometa.numerics.distributions import t_quantile
from osteometa.pooling.design import combination
from osteometa.pooling.groups import holm, separate_means
from osteometa.pooling.kernel import pool_many
from osteometa.pooling.model import joint_test, pool, regress
from osteometa.pooling.results import EffectData
from osteometa.pooling.tau2 import profile_likelihood, q_profile
from osteometa.wording.choices import METHODS


def pools(names: Sequence[str] = POOLED) -> Iterator[Comparison]:
    """Estimators with each interval: what `pool` returns."""
    for name in names:
        data = ORACLE[name]
        mean_v = float(np.mean(data["vi"]))
        for method in METHODS:
            theirs = data["estimators"][method]
            for test, ci in CI.items():
                ours = pool(data["yi"], data["vi"], method=method, ci=ci)
                hts = pool(data["yi"], data["vi"], method=method, ci=ci, pi_df="k-2")
                block = theirs[test]
                wide = width_of(data, *block["ci"])
                rows = [
                    ("se", ours.se, block["se"], wide),
                    ("interval", ours.ci_low, block["ci"][0], wide),
                    ("interval", ours.ci_high, block["ci"][1], wide),
                ]
                if ours.statistic is not None:
                    rows.append(("p", ours.p, block["pval"], 1.0))
                if method != "EE":
                    pi = block["prediction_interval"]
                    for kind, fit_, key in (
                        ("prediction interval, t(k-1)", ours, "t_kminus1"),
                        ("prediction interval, t(k-2)", hts, "HTS_t_kminus2"),
                    ):
                        if kind.endswith("(k-1)") or data["k"] > 2:
                            rows.append((kind, fit_.pi_low, pi[key][0], wide))
                            rows.append((kind, fit_.pi_high, pi[key][1], wide))
                yield from compared(f"pool, {ci}", method, name, rows)
            rows = [
                ("tau2", ours.tau2, theirs["tau2"], mean_v),
                ("estimate", ours.estimate, theirs["estimate"], wide),
                ("I2", ours.i2, theirs["I2"], 100.0),
                ("H2", ours.h2, theirs["H2"], 1.0),
            ]
            weights = zip(ours.weights, theirs["weights_pct"], strict=True)
            rows += [("weights", mine, other, 100.0) for mine, other in weights]
            yield from compared("pool", method, name, rows)


def heterogeneity(names: Sequence[str] = POOLED) -> Iterator[Comparison]:
    """Q with its p, and the intervals of tau2, I2 and H2."""
    for name in names:
        data = ORACLE[name]
        y, v, X = np.array(data["yi"]), np.array(data["vi"]), np.ones((data["k"], 1))
        mean_v = float(np.mean(v))
        ours = pool(y, v)
        rows = [("Q", ours.q, data["Q"]["Q"], 1.0), ("p of Q", ours.q_p, data["Q"]["pval"], 1e-3)]
        yield from compared("heterogeneity", "any", name, rows, CLOSED_LIMIT)
        theirs = data.get("Q_profile_95") or {}
        for quantity, key, scale in (("tau2", "tau2", mean_v), ("I2", "I2", 100), ("H2", "H2", 1)):
            limits = theirs.get(f"{key}_ci") or (None, None)
            mine = [getattr(ours, f"{key.lower()}_ci_{end}") for end in ("low", "high")]
            rows = [
                (f"interval of {quantity}", a, b, scale)
                for a, b in zip(mine, limits, strict=True)
            ]  # fmt: skip
            yield from compared("Q-profile", "any", name, rows, ITERATED_LIMIT)
        for method in ("REML", "ML"):
            limits = (data.get("profile_likelihood_tau2_ci_95") or {}).get(method)
            if limits and "error" not in limits:
                mine = profile_likelihood(y, v, X, method)
                rows = [
                    ("interval of tau2", a, b, mean_v) for a, b in zip(mine, limits, strict=True)
                ]
                yield from compared("profile likelihood", method, name, rows)


def regressions() -> Iterator[Comparison]:
    """Meta-regressions, each with normal and Knapp-Hartung tests."""
    for name, data in ORACLE.items():
        for model, theirs in data.get("meta_regression", {}).items():
            y, v = np.array(theirs["yi"]), np.array(theirs["vi"])
            X = np.array(theirs["design_matrix"], dtype=float)
            place, mean_v = f"{name} {model}", float(np.mean(v))
            for key, block in theirs["fits"].items():
                method, test = key.split("_")
                ours = regress(y, v, X, method=method, ci=CI[test])
                yield from compared(
                    f"meta-regression, {CI[test]}", method, place,
                    list(_regression_rows(ours, block, mean_v)),
                )  # fmt: skip
            interval = (theirs.get("Q_profile_95") or {}).get("tau2_ci")
            if interval:
                pairs = zip(q_profile(y, v, X), interval, strict=True)
                rows = [("interval of tau2", a, b, mean_v) for a, b in pairs]
                yield from compared("Q-profile, meta-regression", "any", place, rows, 1e-6)


def _regression_rows(ours, block: dict, mean_v: float) -> Iterator[tuple]:
    yield "tau2", ours.tau2, block["tau2"], mean_v
    yield "I2", ours.i2, block["I2"], 100.0
    yield "H2", ours.h2, block["H2"], 1.0
    yield "Q left", ours.q, block["QE"], 1.0
    yield "p of Q left", ours.q_p, block["QEp"], 1e-3
    p = len(ours.coefficients)
    statistic, _, _, p_value = joint_test(ours, np.eye(p)[1:])
    yield "test of moderators", statistic, block["QM"], 1.0
    yield "p of moderators", p_value, block["QMp"], 1.0
    t = t_quantile(0.975, ours.df)
    for i in range(p):
        se = math.sqrt(ours.covariance[i, i])
        wide = block["ci_ub"][i] - block["ci_lb"][i]
        yield "coefficients", ours.coefficients[i], block["beta"][i], wide
        yield "se", se, block["se"][i], wide
        yield "interval", ours.coefficients[i] - t * se, block["ci_lb"][i], wide
        yield "interval", ours.coefficients[i] + t * se, block["ci_ub"][i], wide


def subgroups() -> Iterator[Comparison]:
    """Groups with their own and with one common tau2, and both tests between them."""
    for name, data in ORACLE.items():
        for key in (key for key in data if key.startswith("subgroup")):
            theirs = data[key]
            groups, levels = np.array(theirs["group"]), theirs["levels"]
            y, v = np.array(data["yi"]), np.array(data["vi"])
            X = np.array([[float(g == level) for level in levels] for g in groups])
            contrasts = np.hstack([np.eye(len(levels) - 1), -np.ones((len(levels) - 1, 1))])
            for method in ("EE", "DL", "REML"):
                block, place = theirs[method], f"{name} {key}"
                fits = [pool(y[groups == g], v[groups == g], method=method, ci="wald")
                        for g in levels]  # fmt: skip
                rows = []
                for ours, row in zip(fits, block["separate_tau2"], strict=True):
                    wide = row["ci"][1] - row["ci"][0]
                    rows += [("estimate", ours.estimate, row["estimate"], wide),
                             ("se", ours.se, row["se"], wide)]  # fmt: skip
                between = pool([f.estimate for f in fits], [f.se**2 for f in fits], method="EE",
                               ci="wald")  # fmt: skip
                rows += [("test", between.q, block["Q_between_separate_tau2"], 1.0),
                         ("p of test", between.q_p, block["Q_between_p"], 1e-3)]  # fmt: skip
                yield from compared("subgroups, separate tau2", method, place, rows)
                common, knapp = block["common_tau2"], block.get("common_tau2_knha_F")
                fit_ = regress(y, v, X, method=method, ci="wald")
                statistic, _, _, p = joint_test(fit_, contrasts)
                rows = [("tau2", fit_.tau2, common.get("tau2"), float(np.mean(v))),
                        ("test", statistic, common["QM"], 1.0),
                        ("p of test", p, common["QMp"], 1e-3)]  # fmt: skip
                if knapp:
                    fit_ = regress(y, v, X, method=method, ci="hksj")
                    statistic, _, _, p = joint_test(fit_, contrasts)
                    rows += [("F test", statistic, knapp["F"], 1.0),
                             ("p of F test", p, knapp["p"], 1e-3)]  # fmt: skip
                yield from compared("subgroups, common tau2", method, place, rows)


def contrasts() -> Iterator[Comparison]:
    """Differences between each two groups, with p values by Holm's method."""
    for name, data in CONTRASTS.items():
        y, group = np.array(data["yi"]), np.array(data["group"])
        V = np.array(data.get("V", np.diag(data.get("vi", ()))))
        levels = list(dict.fromkeys(data["group"]))
        X = np.array([[float(g == level) for level in levels] for g in group])
        pairs = [np.eye(len(levels))[a] - np.eye(len(levels))[b]
                 for a, b in combinations(range(len(levels)), 2)]  # fmt: skip
        for method, models in data["fits"].items():
            for model, theirs in models.items():
                kind, ci = model.split()
                if kind == "common":
                    fit_ = regress(y, None, X, method=method, ci=ci, V=V)
                else:
                    parts = [group == level for level in levels]
                    v = np.diagonal(V)
                    fit_ = separate_means(
                        [EffectData(tuple(y[rows]), tuple(v[rows])) for rows in parts], method
                    )
                found = [combination(fit_, pair, "") for pair in pairs]
                adjusted = holm([c.p for c in found])
                rows = []
                for i, (ours, p_holm) in enumerate(zip(found, adjusted, strict=True)):
                    se = theirs["se"][i]
                    rows += [("estimate", ours.estimate, theirs["estimate"][i], 4 * se),
                             ("se", ours.se, se, 4 * se), ("p", ours.p, theirs["p"][i], 1.0),
                             ("p by Holm", p_holm, theirs["p_holm"][i], 1.0),
                             ("df", ours.df, theirs.get("df"), 1.0)]  # fmt: skip
                yield from compared(f"differences between groups, {kind} tau2", method, name, rows)


def left_out() -> Iterator[Comparison]:
    """Leave-one-out, all models of a set in one batch of the kernel."""
    for name in POOLED:
        data = ORACLE[name]
        mean_v = float(np.mean(data["vi"]))
        for key, theirs in (data.get("leave1out") or {}).items():
            method, test = key.split("_")
            if not isinstance(theirs, dict) or "estimate" not in theirs or data["k"] < 3:
                continue
            mask = ~np.eye(data["k"], dtype=bool)
            y, v = arrays(name)
            ours = pool_many(y, v, mask, method=method, ci=CI[test])
            for i in range(data["k"]):
                wide = width_of(data, theirs["ci_lb"][i], theirs["ci_ub"][i])
                estimate, se = ours.coefficients[i, 0], ours.covariance[i, 0, 0] ** 0.5
                half = t_quantile(0.975, None if np.isinf(ours.df[i]) else ours.df[i]) * se
                rows = [
                    ("estimate", estimate, theirs["estimate"][i], wide),
                    ("se", se, theirs["se"][i], wide),
                    ("interval", estimate - half, theirs["ci_lb"][i], wide),
                    ("interval", estimate + half, theirs["ci_ub"][i], wide),
                    ("Q", ours.q[i], theirs["Q"][i], 1.0),
                ]
                more = (("tau2", ours.tau2, mean_v), ("I2", ours.i2, 100.0), ("H2", ours.h2, 1.0))
                # metafor lists no tau2 for the common-effect model.
                rows += [(q, mine[i], theirs[q][i], s) for q, mine, s in more if theirs.get(q)]
                yield from compared("leave-one-out (kernel)", method, name, rows)


def covariances() -> Iterator[Comparison]:
    """Effects that share participants, beside rma.mv with a random effect per row.

    Its optimiser stops where the likelihood is flat to about 1e-15, which is tau2 to some 1e-7.
    """
    for name, data in SHARED.items():
        V, x = np.array(data["V"]), np.array(data["x"], dtype=float)
        ones, mean_v = np.ones(len(x)), float(np.mean(np.diagonal(V)))
        for method, models in data["fits"].items():
            for model, theirs in models.items():
                X = np.c_[ones] if model == "intercept" else np.c_[ones, x]
                ours = regress(data["yi"], None, X, method=method, ci="wald", V=V)
                rows = [("tau2", ours.tau2, theirs["tau2"], mean_v),
                        ("Q", ours.q, theirs["Q"], 1.0)]  # fmt: skip
                beta, se = np.atleast_1d(theirs["beta"]), np.atleast_1d(theirs["se"])
                for i in range(X.shape[1]):
                    rows.append(("coefficients", ours.coefficients[i], beta[i], 4 * se[i]))
                    rows.append(("se", math.sqrt(ours.covariance[i, i]), se[i], 4 * se[i]))
                if model == "intercept":
                    pairs = zip(ours.weights, theirs["weights"], strict=True)
                    rows += [("weights", a, b, 100.0) for a, b in pairs]
                yield from compared(f"covariance, {model}", method, name, rows, 1e-6)


PARTS = (pools, heterogeneity, regressions, subgroups, contrasts, left_out, covariances)
