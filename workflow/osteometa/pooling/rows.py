"""The rows of `pooled.csv` and `subgroup_test.csv`: what is reported for how many studies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from osteometa.config import EXERCISE_TYPES, Config
from osteometa.pooling.model import Pooled, joint_test, pool, prediction_interval, regress
from osteometa.pooling.tau2 import q_profile, typical_variance
from osteometa.records import Effect, PooledRow, SubgroupTest, WeightedEffect
from osteometa.summaries import t_quantile

COMMON = {"method": "EE", "ci": "wald"}


def pooled_rows(synthesis: str, effects: Sequence[Effect], config: Config) -> list[PooledRow]:
    """Return all pooled models of a synthesis, the primary one of each measure and group first.

    One study is listed. Two have the common-effect model beside the random one; three and four
    also the conventional (Wald) interval.
    """
    rows: list[PooledRow] = []
    for measure in _measures(effects):
        chosen = [e for e in effects if e.measure == measure and e.pooled]
        rows += _group_rows(synthesis, measure, "overall", chosen, config)
        for kind in EXERCISE_TYPES:
            group = [effect for effect in chosen if effect.exercise_type == kind]
            if group:
                rows += _group_rows(synthesis, measure, kind, group, config, within=chosen)
    return rows


def weighted(effects: Sequence[Effect], config: Config) -> list[WeightedEffect]:
    """Return the effects with their weights in percent: 100 for the pooled ones of a measure."""
    weights: dict[str, float] = {}
    for measure in _measures(effects):
        chosen = [e for e in effects if e.measure == measure and e.pooled]
        fit = _pool(chosen, config)
        weights |= {e.effect_id: w for e, w in zip(chosen, fit.weights, strict=True)}
    names = [field.name for field in fields(Effect)]
    return [
        WeightedEffect(
            **{name: getattr(e, name) for name in names}, weight=weights.get(e.effect_id)
        )
        for e in effects
    ]


def _measures(effects: Sequence[Effect]) -> list[str]:
    return list(dict.fromkeys(sorted((e.measure for e in effects), key=("ROM", "SMD", "MD").index)))


def _pool(effects: Sequence[Effect], config: Config, **other: str) -> Pooled:
    choices = {"method": config.pooling.method, "ci": config.pooling.ci, **other}
    yi, vi = [e.yi for e in effects], [e.vi for e in effects]
    return pool(yi, vi, pi_df=config.pooling.pi_df, **choices)


def _group_rows(
    synthesis: str, measure: str, group: str, effects: Sequence[Effect], config: Config, *,
    within: Sequence[Effect] = (),
) -> list[PooledRow]:  # fmt: skip
    k = len(effects)
    main = _pool(effects, config)
    note = main.note
    df = float(k - 1)
    if within and _common_tau2(within, config) and k >= 2 and len(_types(within)) > 1:
        main, df = _from_common_tau2(effects, within, config)
        interval = "normal interval" if math.isinf(df) else f"t with {df:g} df"
        note = f"one tau2 for all types, {interval}"
    models = [("random", main)]
    if k >= 2:
        models += [("random", _pool(effects, config, ci="wald"))] if 3 <= k <= 4 else []
        models += [("common", _pool(effects, config, **COMMON))] if 2 <= k <= 4 else []
    rows = []
    for index, (model, fit) in enumerate(models):
        primary = index == 0
        diamond = _diamond(group, fit, df, within, config) if primary else "none"
        rows.append(
            _row(
                fit, synthesis=synthesis, measure=measure, group=group, model=model,
                primary=primary, diamond=diamond,
                pi_shown=primary and group == "overall" and _shows_pi(fit, config),
                note=_note(fit, note if primary else fit.note, primary),
            )
        )  # fmt: skip
    return rows


def _row(fit: Pooled, **named: object) -> PooledRow:
    """Return the row of a fit, without a prediction interval where that says nothing.

    Where tau2 is 0 it would only repeat the CI; two studies cannot show how studies differ.
    """
    if fit.tau2 == 0 or fit.k < 3:
        named |= {"pi_low": None, "pi_high": None}
    same = {f.name for f in fields(Pooled)} & {f.name for f in fields(PooledRow)}
    return PooledRow(**{name: getattr(fit, name) for name in same - set(named)}, **named)


def _note(fit: Pooled, note: str, primary: bool) -> str:
    notes = [note] if note else []
    if primary and fit.status == "ok" and fit.k == 2:
        notes.append("two studies: the interval says how little two can tell")
    if primary and fit.status == "ok" and fit.method != "EE" and fit.tau2 == 0:
        notes.append("tau2 is estimated 0: no prediction interval, see the upper limit of tau2")
    if primary and fit.status == "ok" and 3 <= fit.k <= 4:
        notes.append("tau2 of so few studies is imprecise")
    return "; ".join(notes)


def _shows_pi(fit: Pooled, config: Config) -> bool:
    enough = fit.k >= config.small_k.prediction_interval
    return bool(enough and fit.tau2 and fit.pi_low is not None)


def _diamond(group: str, fit: Pooled, df: float, within: Sequence[Effect], config: Config) -> str:
    """Return what a forest plot draws: nothing, a hollow diamond or a full one."""
    if fit.status != "ok":
        return "none"
    if group == "overall":
        if not config.subgroups.overall_diamond or fit.k < config.small_k.diamond:
            return "none"
        return "hollow" if fit.k == 2 else "full"
    if len(_types(within)) == 1:
        return "none"
    if fit.k >= 3:
        return "full"
    return "hollow" if _common_tau2(within, config) and df >= 4 else "none"


def _types(effects: Sequence[Effect]) -> list[str]:
    return [kind for kind in EXERCISE_TYPES if any(e.exercise_type == kind for e in effects)]


def _common_tau2(effects: Sequence[Effect], config: Config) -> bool:
    sizes = [sum(e.exercise_type == kind for e in effects) for kind in _types(effects)]
    return min(sizes, default=0) <= config.subgroups.common_tau2_up_to


def _dummies(effects: Sequence[Effect]) -> np.ndarray:
    kinds = _types(effects)
    return np.array([[float(e.exercise_type == kind) for kind in kinds] for e in effects])


def _from_common_tau2(
    effects: Sequence[Effect], within: Sequence[Effect], config: Config
) -> tuple[Pooled, float]:
    """Return one type's estimate from the regression over all types, and the df of its interval."""
    X = _dummies(within)
    yi, vi = [e.yi for e in within], [e.vi for e in within]
    ci = config.pooling.ci
    fit = regress(yi, vi, X, method=config.pooling.method, ci=ci)
    index = _types(within).index(effects[0].exercise_type)
    alone = _pool(effects, config)
    estimate, se = float(fit.coefficients[index]), math.sqrt(float(fit.covariance[index, index]))
    half = t_quantile(0.975, fit.df) * se
    test = joint_test(fit, np.eye(X.shape[1])[[index]])
    y, v = np.array(yi), np.array(vi)
    s2 = typical_variance(v, X)
    low, high = q_profile(y, v, X) if fit.q_df > 0 else (None, None)
    total = sum(1 / (e.vi + fit.tau2) for e in effects)
    # The prediction interval has the degrees of freedom of the interval beside it.
    pi_k = alone.k if fit.df is None else int(fit.df) + 1
    pi = prediction_interval(estimate, se, fit.tau2, pi_k, config.pooling.pi_df)
    pooled = Pooled(
        alone.k, estimate, se, estimate - half, estimate + half, *pi,
        tau2=fit.tau2, tau2_ci_low=low, tau2_ci_high=high,
        i2=100 * fit.tau2 / (fit.tau2 + s2), h2=(fit.tau2 + s2) / s2,
        q=alone.q, q_df=alone.q_df, q_p=alone.q_p,
        statistic=estimate / se, df=fit.df, p=test[3],
        method=config.pooling.method, ci_method=ci,
        weights=tuple(100 / (e.vi + fit.tau2) / total for e in effects),
    )  # fmt: skip
    return pooled, fit.df if fit.df is not None else math.inf


def subgroup_tests(synthesis: str, effects: Sequence[Effect], config: Config) -> list[SubgroupTest]:
    """Return the test of each measure."""
    return [subgroup_test(synthesis, m, effects, config) for m in _measures(effects)]


def subgroup_test(
    synthesis: str, measure: str, effects: Sequence[Effect], config: Config
) -> SubgroupTest:
    """Test differences between exercise types on one measure, or say why there is no test."""
    chosen = [e for e in effects if e.measure == measure and e.pooled]
    kinds = _types(chosen)
    sizes = [sum(e.exercise_type == kind for e in chosen) for kind in kinds]
    named = {"synthesis": synthesis, "measure": measure, "k": len(chosen), "groups": len(kinds)}
    least = config.small_k.subgroup_test
    reason = ""
    if len(chosen) < least:
        reason = f"not tested: {len(chosen)} studies, {least} are needed"
    elif sum(size >= 2 for size in sizes) < 2:
        reason = "not tested: fewer than two types have two studies"
    elif len(chosen) <= len(kinds):
        reason = "not tested: no more studies than types"
    if reason:
        return SubgroupTest(
            **named, tested=False, tau2_model="", statistic=None, df1=None, df2=None, p=None,
            note=reason,
        )  # fmt: skip
    if _common_tau2(chosen, config):
        tau2_model, result = "common", _common_test(chosen, config)
    else:
        tau2_model, result = "separate", _separate_test(chosen, config)
    statistic, df1, df2, p = result
    return SubgroupTest(
        **named, tested=True, tau2_model=tau2_model, statistic=statistic, df1=df1, df2=df2, p=p,
        note="intervals of the types do not show whether they differ; this test does",
    )  # fmt: skip


def _common_test(
    effects: Sequence[Effect], config: Config
) -> tuple[float, int, float | None, float]:
    X = _dummies(effects)
    fit = regress(
        [e.yi for e in effects], [e.vi for e in effects], X,
        method=config.pooling.method, ci=config.pooling.ci,
    )  # fmt: skip
    contrasts = np.hstack([np.eye(X.shape[1] - 1), -np.ones((X.shape[1] - 1, 1))])
    return joint_test(fit, contrasts)


def _separate_test(
    effects: Sequence[Effect], config: Config
) -> tuple[float, int, float | None, float]:
    """Wald chi-square between the types' own pools, each with its own tau2 and its own SE."""
    fits = [
        _pool([e for e in effects if e.exercise_type == kind], config) for kind in _types(effects)
    ]
    between = pool([f.estimate for f in fits], [f.se**2 for f in fits], method="EE", ci="wald")
    return between.q, between.q_df, None, between.q_p
