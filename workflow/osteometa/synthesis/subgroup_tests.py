"""Whether exercise types and other subgroups differ, together and pair by pair."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import get_args

import numpy as np

from osteometa.extraction.tables import Arm, Study
from osteometa.io.csv_records import fields_of
from osteometa.pooling.design import combination
from osteometa.pooling.groups import differences, holm, separate_means, separate_test
from osteometa.pooling.model import joint_test
from osteometa.pooling.results import GroupMeans, Regression
from osteometa.protocol.config import Config
from osteometa.records.effects import Covariance, Effect, SubgroupValue
from osteometa.records.pools import SubgroupRow, SubgroupTest, TypeContrast
from osteometa.synthesis.effect_sets import NOT_REPORTED, EffectSet, Grouping
from osteometa.synthesis.pools import (
    GroupModels,
    group_regression,
    has_common_tau2,
    measures_of,
    pool_set,
    primary_note,
)
from osteometa.wording.choices import studies_words

SEVERAL = "several"
"""The group of effects of several arms that differ in the column."""
EMPTY = ("", "not_stated")
"""Cells that report nothing."""


def grouped_sets(
    effects: Sequence[Effect], config: Config, covariances: Sequence[Covariance],
    values: Sequence[SubgroupValue],
) -> Iterator[EffectSet]:  # fmt: skip
    """Yield the pooled effects of each measure by exercise type, then by each further column."""
    further = [grouping_of(by, bounds, values) for by, bounds in config.subgroups.by.items()]
    for grouping in (None, *further):
        for measure in measures_of(effects):
            yield replace(EffectSet.of(effects, measure, covariances), grouping=grouping)


def grouping_of(by: str, bounds: Sequence[float], values: Sequence[SubgroupValue]) -> Grouping:
    """Return the groups by a column; `bounds` are those between bands of numbers."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in values:
        if row.column == by:
            found[row.effect_id].add(_group(row.value, bounds))
    groups = {name: min(own) if len(own) == 1 else SEVERAL for name, own in found.items()}
    known = bands(bounds) if bounds else [*_codes(by), *sorted(set(groups.values()))]
    order = [group for group in known if group not in (*EMPTY, SEVERAL, NOT_REPORTED)]
    return Grouping(by, (*dict.fromkeys(order), SEVERAL, NOT_REPORTED), groups)


def _group(value: str, bounds: Sequence[float]) -> str:
    if value in EMPTY:
        return NOT_REPORTED
    if not bounds:
        return value
    return bands(bounds)[sum(float(value) >= bound for bound in bounds)]


def bands(bounds: Sequence[float]) -> list[str]:
    """Return the names of the bands; a bound belongs to the band above it."""
    between = [f"{low:g} to below {high:g}" for low, high in pairwise(bounds)]
    return [f"below {bounds[0]:g}", *between, f"{bounds[-1]:g} or more"]


def _codes(column: str) -> tuple[str, ...]:
    """Return the allowed codes of a column in their order; none for free text."""
    model = Study if column in Study.subgroups else Arm
    return get_args(model.model_fields[column].annotation)


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
    """Test differences between groups on one measure; no test has a reason."""
    kinds, k = effects.groups, effects.k
    reason = _why_not(effects, config.small_k.subgroup_test)
    statistic, df1, df2, p, model = None, None, None, None, ""
    if reason:
        note = f"not tested: {reason}"
    else:
        note = "this test, and not whether their intervals overlap, shows whether "
        note += f"{effects.word} differ"
        if _in_one_model(effects, config):
            contrasts, model = differences(len(kinds)), "common"
            statistic, df1, df2, p = joint_test(group_regression(effects, config), contrasts)
        else:
            groups, model = [effects.of_group(kind).data for kind in kinds], "separate"
            statistic, df1, df2, p = separate_test(groups, config.pooling.method)
    return SubgroupTest(
        synthesis=synthesis, measure=measure, tested=not reason, k=k, groups=len(kinds),
        tau2_model=model, statistic=statistic, df1=df1, df2=df2, p=p, note=note,
    )  # fmt: skip


def _in_one_model(effects: EffectSet, config: Config) -> bool:
    """Return whether groups are compared in one regression, not by a model of each."""
    # Groups that share a control are not independent: only the joint model has their covariance.
    return has_common_tau2(effects, config) or effects.data.V is not None


def _why_not(effects: EffectSet, least: int) -> str:
    """Return why groups are not tested; empty if they are."""
    kinds, k = effects.groups, effects.k
    if k < least:
        return f"{studies_words(k)}, {least} are needed"
    if sum(effects.of_group(kind).k >= 2 for kind in kinds) < 2:
        return f"fewer than two {effects.word} have two studies"
    return _no_freedom(effects) if k <= len(kinds) else ""


def _no_freedom(effects: EffectSet) -> str:
    return f"no more studies than {effects.word}"


def subgroup_rows(
    effects: Sequence[Effect], config: Config, covariances: Sequence[Covariance] = (),
    values: Sequence[SubgroupValue] = (),
) -> list[SubgroupRow]:  # fmt: skip
    """Return the pool of each subgroup with the test of its column, by column and measure."""
    sets = grouped_sets(effects, config, covariances, values)
    return [row for chosen in sets for row in _subgroups(chosen, config)]


def _subgroups(effects: EffectSet, config: Config) -> list[SubgroupRow]:
    """Return the subgroups of one column; what is not reported is pooled apart, not tested."""
    compared, rows = effects.reported, []
    models, measure = GroupModels.of(compared, config), effects.measure
    test = subgroup_test("", measure, compared, config)
    for group in effects.groups:
        own = effects.of_group(group)
        fit = models.primary(group) if group != NOT_REPORTED else pool_set(own, config)
        common = group != NOT_REPORTED and models.has_common_tau2(group, fit)
        row = fields_of(fit, SubgroupRow)
        row["note"] = primary_note(fit, common, effects.word)
        rows.append(
            SubgroupRow(
                **row, by=effects.by, measure=measure, group=group, k_effects=len(own.effects),
                tau2_model="common" if common else "separate", tested=test.tested,
                test_statistic=test.statistic, test_df1=test.df1, test_df2=test.df2,
                test_p=test.p, test_note=test.note,
            )
        )  # fmt: skip
    return rows


def type_contrasts(
    effects: Sequence[Effect], config: Config, covariances: Sequence[Covariance] = (),
    values: Sequence[SubgroupValue] = (),
) -> list[TypeContrast]:  # fmt: skip
    """Return the difference between each two exercise types and other groups, by measure."""
    sets = grouped_sets(effects, config, covariances, values)
    return [row for chosen in sets for row in _contrasts(chosen.reported, config)]


def _contrasts(effects: EffectSet, config: Config) -> list[TypeContrast]:
    """Return the pairs of one measure, from the model of the subgroup test."""
    means = _means(effects, config)
    pairs = combinations(range(len(effects.groups)), 2)
    rows = [_contrast(effects, config, means, a, b) for a, b in pairs]
    given = [row.p for row in rows if row.p is not None]
    adjusted = iter(holm(given))
    return [row if row.p is None else replace(row, p_holm=next(adjusted)) for row in rows]


def _means(effects: EffectSet, config: Config) -> Regression | GroupMeans | str:
    """Return the mean of each group in the model of the subgroup test, or why there is none."""
    kinds = effects.groups
    if effects.k <= len(kinds):
        return _no_freedom(effects)
    try:
        if _in_one_model(effects, config):
            return group_regression(effects, config)
        return separate_means([effects.of_group(t).data for t in kinds], config.pooling.method)
    except ValueError as error:
        return str(error)


def _contrast(
    effects: EffectSet, config: Config, means: Regression | GroupMeans | str, a: int, b: int
) -> TypeContrast:
    """Return group a minus group b, both by their place among the groups."""
    common, kinds = _in_one_model(effects, config), (effects.groups[a], effects.groups[b])
    k_a, k_b = (effects.of_group(kind).k for kind in kinds)
    single = [kind for kind, k in zip(kinds, (k_a, k_b), strict=True) if k == 1]
    row = TypeContrast(
        by=effects.by, measure=effects.measure, type_a=kinds[0], type_b=kinds[1],
        k_a=k_a, k_b=k_b, estimate=None, se=None, ci_low=None, ci_high=None, df=None,
        statistic=None, p=None, p_holm=None, tau2_model="common" if common else "separate",
        method=config.pooling.method, ci_method=config.pooling.ci if common else "wald",
        status="single_study" if single else "ok",
        note="; ".join(f"one study of {kind}" for kind in single),
    )  # fmt: skip
    if isinstance(means, str):
        return replace(row, status="not_estimated", note=means)
    weights = np.eye(len(effects.groups))[a] - np.eye(len(effects.groups))[b]
    return replace(row, **fields_of(combination(means, weights, ""), TypeContrast))
