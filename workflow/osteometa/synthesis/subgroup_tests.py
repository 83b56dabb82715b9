"""Whether exercise types differ: the rows of `subgroup_test.csv`."""

from __future__ import annotations

from collections.abc import Sequence

from osteometa.pooling.groups import differences, separate_test
from osteometa.pooling.model import joint_test
from osteometa.protocol.config import Config
from osteometa.records.effects import Covariance, Effect
from osteometa.records.pools import SubgroupTest
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.synthesis.pools import has_common_tau2, measures_of, type_regression
from osteometa.wording.choices import studies_words


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
    # Types that share a control are not independent: only the joint model has their covariance.
    common = has_common_tau2(effects, config) or effects.data.V is not None
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


def _why_not(effects: EffectSet, least: int) -> str:
    """Return why exercise types are not tested; empty if they are."""
    kinds, k = effects.types, effects.k
    if k < least:
        return f"{studies_words(k)}, {least} are needed"
    if sum(effects.of_type(kind).k >= 2 for kind in kinds) < 2:
        return "fewer than two types have two studies"
    return "no more studies than types" if k <= len(kinds) else ""
