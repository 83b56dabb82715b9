"""Pooled models of a synthesis: the rows of `pooled.csv` and the weights of the effects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteometa.io.csv_records import fields_of
from osteometa.numerics.distributions import t_quantile
from osteometa.pooling.model import joint_test, pool, prediction_interval, regress
from osteometa.pooling.results import Fitted, Pooled, Regression
from osteometa.pooling.tau2 import q_profile, typical_variance
from osteometa.protocol.config import Config
from osteometa.records.effects import Covariance, Effect, WeightedEffect
from osteometa.records.pools import PooledRow
from osteometa.synthesis.effect_sets import EffectSet


def pooled_rows(
    synthesis: str, effects: Sequence[Effect], config: Config,
    covariances: Sequence[Covariance] = (),
) -> list[PooledRow]:  # fmt: skip
    """Return all pooled models of a synthesis, the primary one of each measure and group first.

    One study is listed. Two have the common-effect model beside the random-effects model; three
    and four also the conventional (Wald) interval.
    """
    rows: list[PooledRow] = []
    for measure in measures_of(effects):
        models = GroupModels.of(EffectSet.of(effects, measure, covariances), config)
        for group in ("overall", *models.effects.groups):
            rows += _group_rows(synthesis, measure, group, models)
    return rows


def weighted(
    effects: Sequence[Effect], config: Config, covariances: Sequence[Covariance] = ()
) -> list[WeightedEffect]:
    """Return the effects with their weights in percent: 100 for the pooled ones of a measure."""
    weights: dict[str, float] = {}
    for measure in measures_of(effects):
        chosen = EffectSet.of(effects, measure, covariances)
        fit = pool_set(chosen, config)
        weights |= {e.effect_id: w for e, w in zip(chosen.effects, fit.weights, strict=True)}
    halves = [t_quantile(0.975, None) * math.sqrt(e.vi) for e in effects]
    return [
        WeightedEffect(
            **fields_of(e, Effect), weight=weights.get(e.effect_id), ci_low=e.yi - half,
            ci_high=e.yi + half,
        )
        for e, half in zip(effects, halves, strict=True)
    ]  # fmt: skip


def measures_of(effects: Sequence[Effect]) -> list[str]:
    """Return the measures of effects in the order of the tables."""
    return list(dict.fromkeys(sorted((e.measure for e in effects), key=("ROM", "SMD", "MD").index)))


def pool_set(effects: EffectSet, config: Config, *, method: str = "", ci: str = "") -> Pooled:
    """Pool effects by the choices of config.yaml, or another estimator or interval."""
    data, choices = effects.data, config.pooling
    return pool(
        data.yi, data.vi, V=data.V, studies=data.studies, method=method or choices.method,
        ci=ci or choices.ci, pi_df=choices.pi_df,
    )  # fmt: skip


def primary_fits(effects: EffectSet, config: Config) -> dict[str, Pooled]:
    """Return the primary model of all effects and of each group."""
    models = GroupModels.of(effects, config)
    return {group: models.primary(group) for group in ("overall", *effects.groups)}


def has_common_tau2(effects: EffectSet, config: Config) -> bool:
    """Return whether all groups have one tau2 by config.yaml."""
    sizes = [effects.of_group(kind).k for kind in effects.groups]
    return min(sizes, default=0) <= config.subgroups.common_tau2_up_to


def group_regression(effects: EffectSet, config: Config) -> Regression:
    """Fit one mean per group with one tau2 for all."""
    data = effects.data
    return regress(
        data.yi, data.vi, effects.group_design, V=data.V, studies=data.studies,
        method=config.pooling.method, ci=config.pooling.ci,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class GroupModels:
    """The models of a set of effects as a whole and of each group."""

    effects: EffectSet
    common: Regression | None
    """The regression over all groups, where they share one tau2."""
    config: Config

    @classmethod
    def of(cls, effects: EffectSet, config: Config) -> GroupModels:
        """Fit the regression where all groups have one tau2 by config.yaml."""
        shared = len(effects.groups) > 1 and has_common_tau2(effects, config)
        return cls(effects, group_regression(effects, config) if shared else None, config)

    def members(self, group: str) -> EffectSet:
        """Return the effects of `overall` or of a group."""
        return self.effects if group == "overall" else self.effects.of_group(group)

    def shared(self, group: str) -> Regression | None:
        """Return the regression from which the primary model of a group is taken, if any."""
        return None if group == "overall" or self.members(group).k < 2 else self.common

    def has_common_tau2(self, group: str, fit: Pooled) -> bool:
        """Return whether the primary model of a group has the tau2 of all groups."""
        return fit.status == "ok" and self.shared(group) is not None

    def primary(self, group: str) -> Pooled:
        """Return the model of a group that is reported first."""
        shared = self.shared(group)
        if shared is not None:
            alone = pool_set(self.members(group), self.config, method="EE", ci="wald")
            return _group_model(self, shared, group, alone) if isinstance(alone, Fitted) else alone
        return pool_set(self.members(group), self.config)

    def diamond(self, group: str, fit: Pooled) -> str:
        """Return what a forest plot draws of a primary model: none, hollow or full."""
        if fit.status != "ok":
            return "none"
        if group == "overall":
            least = self.config.small_k.diamond
            if not self.config.subgroups.overall_diamond or fit.k < least:
                return "none"
            return "hollow" if fit.k == 2 else "full"
        if len(self.effects.groups) == 1:
            return "none"
        if fit.k >= 3:
            return "full"
        enough = fit.df is None or fit.df >= 4
        return "hollow" if self.common is not None and enough else "none"


def _group_model(models: GroupModels, fit: Regression, group: str, alone: Fitted) -> Fitted:
    """Return the model of one group, taken from the regression over all groups.

    `alone` is the common-effect model of the group: Q is that of its own studies.
    """
    effects, choices = models.effects, models.config.pooling
    X, index = effects.group_design, effects.groups.index(group)
    estimate, se = float(fit.coefficients[index]), math.sqrt(float(fit.covariance[index, index]))
    half = t_quantile(0.975, fit.df) * se
    p = joint_test(fit, np.eye(X.shape[1])[[index]])[3]
    y, v, V = np.array(effects.data.yi), np.array(effects.data.vi), effects.data.V
    s2 = typical_variance(v, X, V)
    low, high = q_profile(y, v, X, V=V)
    members = models.members(group).effects
    total = sum(1 / (e.vi + fit.tau2) for e in members)
    # The prediction interval has the degrees of freedom of the interval beside it.
    pi_k = alone.k if fit.df is None else int(fit.df) + 1
    pi = prediction_interval(estimate, se, fit.tau2, pi_k, choices.pi_df)
    return Fitted(
        k=alone.k, estimate=estimate, se=se, ci_low=estimate - half, ci_high=estimate + half,
        pi_low=pi[0], pi_high=pi[1], tau2=fit.tau2, tau2_ci_low=low, tau2_ci_high=high,
        i2=100 * fit.tau2 / (fit.tau2 + s2), h2=(fit.tau2 + s2) / s2,
        q=alone.q, q_df=alone.q_df, q_p=alone.q_p,
        statistic=estimate / se, df=fit.df, p=p, method=choices.method, ci_method=choices.ci,
        weights=tuple(100 / (e.vi + fit.tau2) / total for e in members),
    )  # fmt: skip


def _group_rows(synthesis: str, measure: str, group: str, models: GroupModels) -> list[PooledRow]:
    """Return the primary model of a group and, for two to four studies, further models."""
    effects, config = models.members(group), models.config
    k, main = effects.k, models.primary(group)
    common = models.has_common_tau2(group, main)
    beside: list[tuple[str, Pooled]] = []
    if k in (3, 4):
        beside.append(("random", pool_set(effects, config, ci="wald")))
    if k in (2, 3, 4):
        beside.append(("common", pool_set(effects, config, method="EE", ci="wald")))
    place, k_effects = (synthesis, measure, group), len(effects.effects)
    enough = group == "overall" and main.k >= config.small_k.prediction_interval
    first = pooled_row(
        place, "random", main, k_effects=k_effects, primary=True, note=primary_note(main, common),
        tau2_model="common" if common else "separate", diamond=models.diamond(group, main),
        pi_shown=bool(enough and main.tau2 and main.pi_low is not None),
    )  # fmt: skip
    others = (pooled_row(place, *one, k_effects=k_effects, note=one[1].note) for one in beside)
    return [first, *others]


def pooled_row(
    place: tuple[str, str, str], model: str, fit: Pooled, *, k_effects: int, note: str,
    primary: bool = False, tau2_model: str = "separate", diamond: str = "none",
    pi_shown: bool = False,
) -> PooledRow:  # fmt: skip
    """Return the row of a model; `place` is synthesis, measure and group.

    The prediction interval is left out where tau2 is 0, since it would repeat the confidence
    interval, and for two studies, which cannot show how much studies differ.
    """
    synthesis, measure, group = place
    numbers = fields_of(fit, PooledRow)
    numbers["note"] = note
    if fit.tau2 == 0 or fit.k < 3:
        numbers["pi_low"] = numbers["pi_high"] = None
    return PooledRow(
        **numbers, synthesis=synthesis, measure=measure, group=group, model=model, primary=primary,
        k_effects=k_effects, tau2_model=tau2_model, diamond=diamond, pi_shown=pi_shown,
    )  # fmt: skip


def primary_note(fit: Pooled, common: bool, word: str = "types") -> str:
    """Return the note of a primary model; `word` is what the groups with one tau2 are."""
    notes = [fit.note] if fit.note else []
    if common:
        interval = "normal interval" if fit.df is None else f"t with {fit.df:g} df"
        notes = [f"one tau2 for all {word}, {interval}"]
    if fit.status == "ok" and fit.k == 2:
        notes.append("two studies: the wide interval reflects how little information they provide")
    if fit.status == "ok" and fit.method != "EE" and fit.tau2 == 0:
        notes.append("tau2 is estimated as 0: no prediction interval; see its upper limit")
    if fit.status == "ok" and fit.k in (3, 4):
        notes.append("the estimate of tau2 is imprecise with so few studies")
    return "; ".join(notes)
