"""Whether exercise types differ: `subgroup_test.csv`, and pair by pair `type_contrasts.csv`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from osteometa.io.csv_records import fields_of
from osteometa.pooling.design import combination
from osteometa.pooling.groups import differences, holm, separate_means, separate_test
from osteometa.pooling.model import joint_test
from osteometa.pooling.results import GroupMeans, Regression
from osteometa.protocol.config import Config
from osteometa.records.effects import Covariance, Effect
from osteometa.records.pools import SubgroupTest, TypeContrast
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.synthesis.pools import has_common_tau2, measures_of, type_regression
from osteometa.wording.choices import studies_words

NO_FREEDOM = "no more studies than types"


def subgroup_tests(
    synthesis: str, effects: Sequence[Effect], config: Config,
    covariances: Sequence[Covariance] = (),
) -> list[SubgroupTest]:  # fmt: skip
    """Return the test of each measure."""
    return [
        subgroup_test(synthesis, measure, EffectSet.of(effects, measure, covariances), config)
        for measure in measures_of(effects)
    ]


def subgroup_test(synthesis: str, measure: str, effects: EffectSet, config: Config) -> SubgroupTest:
    """Test differences between exercise types on one measure; no test has a reason."""
    kinds, k = effects.types, effects.k
    reason = _why_not(effects, config.small_k.subgroup_test)
    if reason:
        return SubgroupTest(
            synthesis=synthesis, measure=measure, tested=False, k=k, groups=len(kinds),
            tau2_model="", statistic=None, df1=None, df2=None, p=None,
            note=f"not tested: {reason}",
        )  # fmt: skip
    common = _in_one_model(effects, config)
    if common:
        contrasts = differences(len(kinds))
        statistic, df1, df2, p = joint_test(type_regression(effects, config), contrasts)
    else:
        groups = [effects.of_type(kind).data for kind in kinds]
        statistic, df1, df2, p = separate_test(groups, config.pooling.method)
    return SubgroupTest(
        synthesis=synthesis, measure=measure, tested=True, k=k, groups=len(kinds),
        tau2_model="common" if common else "separate", statistic=statistic, df1=df1, df2=df2, p=p,
        note="this test, and not whether their intervals overlap, shows whether types differ",
    )  # fmt: skip


def _in_one_model(effects: EffectSet, config: Config) -> bool:
    """Return whether types are compared in one regression, not by a model of each."""
    # Types that share a control are not independent: only the joint model has their covariance.
    return has_common_tau2(effects, config) or effects.data.V is not None


def _why_not(effects: EffectSet, least: int) -> str:
    """Return why exercise types are not tested; empty if they are."""
    kinds, k = effects.types, effects.k
    if k < least:
        return f"{studies_words(k)}, {least} are needed"
    if sum(effects.of_type(kind).k >= 2 for kind in kinds) < 2:
        return "fewer than two types have two studies"
    return NO_FREEDOM if k <= len(kinds) else ""


def type_contrasts(
    effects: Sequence[Effect], config: Config, covariances: Sequence[Covariance] = ()
) -> list[TypeContrast]:
    """Return the difference between each two exercise types, by measure."""
    sets = [EffectSet.of(effects, measure, covariances) for measure in measures_of(effects)]
    return [row for chosen in sets for row in _contrasts(chosen, config)]


def _contrasts(effects: EffectSet, config: Config) -> list[TypeContrast]:
    """Return the pairs of one measure, from the model of the subgroup test."""
    means = _means(effects, config)
    pairs = combinations(range(len(effects.types)), 2)
    rows = [_contrast(effects, config, means, a, b) for a, b in pairs]
    given = [row.p for row in rows if row.p is not None]
    adjusted = iter(holm(given))
    return [row if row.p is None else replace(row, p_holm=next(adjusted)) for row in rows]


def _means(effects: EffectSet, config: Config) -> Regression | GroupMeans | str:
    """Return the mean of each type in the model of the subgroup test, or why there is none."""
    kinds = effects.types
    if effects.k <= len(kinds):
        return NO_FREEDOM
    try:
        if _in_one_model(effects, config):
            return type_regression(effects, config)
        return separate_means([effects.of_type(t).data for t in kinds], config.pooling.method)
    except ValueError as error:
        return str(error)


def _contrast(
    effects: EffectSet, config: Config, means: Regression | GroupMeans | str, a: int, b: int
) -> TypeContrast:
    """Return type a minus type b, both by their place among the types."""
    common, kinds = _in_one_model(effects, config), (effects.types[a], effects.types[b])
    k_a, k_b = (effects.of_type(kind).k for kind in kinds)
    single = [kind for kind, k in zip(kinds, (k_a, k_b), strict=True) if k == 1]
    row = TypeContrast(
        by="exercise_type", measure=effects.effects[0].measure, type_a=kinds[0], type_b=kinds[1],
        k_a=k_a, k_b=k_b, estimate=None, se=None, ci_low=None, ci_high=None, df=None,
        statistic=None, p=None, p_holm=None, tau2_model="common" if common else "separate",
        method=config.pooling.method, ci_method=config.pooling.ci if common else "wald",
        status="single_study" if single else "ok",
        note="; ".join(f"one study of {kind}" for kind in single),
    )  # fmt: skip
    if isinstance(means, str):
        return replace(row, status="not_estimated", note=means)
    weights = np.eye(len(effects.types))[a] - np.eye(len(effects.types))[b]
    return replace(row, **fields_of(combination(means, weights, ""), TypeContrast))
