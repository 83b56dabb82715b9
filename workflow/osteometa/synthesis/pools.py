"""The rows of `pooled.csv` and `subgroup_test.csv`: what is reported for how many studies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from osteometa.numerics.distributions import t_quantile
from osteometa.pooling.groups import differences, separate_test
from osteometa.pooling.model import (
    Pooled,
    Regression,
    joint_test,
    pool,
    prediction_interval,
    regress,
)
from osteometa.pooling.tau2 import q_profile, typical_variance
from osteometa.protocol.config import Config
from osteometa.records.effects import Covariance, Effect, WeightedEffect
from osteometa.records.pools import PooledRow, SubgroupTest
from osteometa.wording.choices import EXERCISE_TYPES, studies_words

COMMON = {"method": "EE", "ci": "wald"}


@dataclass(frozen=True, slots=True)
class EffectSet:
    """Effects of one measure that are fitted together, with what links them."""

    effects: tuple[Effect, ...]
    links: tuple[Covariance, ...] = ()

    @classmethod
    def of(
        cls, effects: Sequence[Effect], measure: str, links: Sequence[Covariance] = ()
    ) -> EffectSet:
        """Take the pooled effects of one measure."""
        return cls(tuple(e for e in effects if e.measure == measure and e.pooled), tuple(links))

    def of_type(self, kind: str) -> EffectSet:
        """Return the effects of one exercise type."""
        return EffectSet(tuple(e for e in self.effects if e.exercise_type == kind), self.links)

    @property
    def studies(self) -> list[str]:
        """The study of each effect."""
        return [effect.study_id for effect in self.effects]

    @property
    def k(self) -> int:
        """How many studies there are."""
        return len(set(self.studies))

    @property
    def numbers(self) -> dict[str, object]:
        """What the solver needs: effects, variances, and covariances where there are any."""
        numbers: dict[str, object] = {
            "yi": [e.yi for e in self.effects], "vi": [e.vi for e in self.effects],
            "studies": self.k,
        }  # fmt: skip
        place = {effect.effect_id: i for i, effect in enumerate(self.effects)}
        linked = [row for row in self.links if {row.effect_id_1, row.effect_id_2} <= set(place)]
        if linked:
            V = np.diag(np.array(numbers["vi"], dtype=float))
            for row in linked:
                i, j = place[row.effect_id_1], place[row.effect_id_2]
                V[i, j] = V[j, i] = row.covariance
            numbers["V"] = V
        return numbers


def pooled_rows(
    synthesis: str, effects: Sequence[Effect], config: Config, links: Sequence[Covariance] = ()
) -> list[PooledRow]:
    """Return all pooled models of a synthesis, the primary one of each measure and group first.

    One study is listed. Two have the common-effect model beside the random one; three and four
    also the conventional (Wald) interval.

    Parameters
    ----------
    synthesis : str
    effects : sequence of Effect
    config : Config
    links : sequence of Covariance
        Covariances of effects that share people.
    """
    rows: list[PooledRow] = []
    for measure in _measures(effects):
        chosen = EffectSet.of(effects, measure, links)
        rows += _group_rows(synthesis, measure, "overall", chosen, config)
        types = ExerciseTypes.of(chosen, config)
        for kind in types.kinds:
            rows += _group_rows(synthesis, measure, kind, chosen.of_type(kind), config, types=types)
    return rows


def weighted(
    effects: Sequence[Effect], config: Config, links: Sequence[Covariance] = ()
) -> list[WeightedEffect]:
    """Return the effects with their weights in percent: 100 for the pooled ones of a measure."""
    weights: dict[str, float] = {}
    for measure in _measures(effects):
        chosen = EffectSet.of(effects, measure, links)
        fit = pool_set(chosen, config)
        weights |= {e.effect_id: w for e, w in zip(chosen.effects, fit.weights, strict=True)}
    names = [field.name for field in fields(Effect)]
    return [
        WeightedEffect(
            **{name: getattr(e, name) for name in names}, weight=weights.get(e.effect_id),
            ci_low=e.yi - _half_width(e), ci_high=e.yi + _half_width(e),
        )
        for e in effects
    ]  # fmt: skip


def _half_width(effect: Effect) -> float:
    return t_quantile(0.975, None) * math.sqrt(effect.vi)


def _measures(effects: Sequence[Effect]) -> list[str]:
    return list(dict.fromkeys(sorted((e.measure for e in effects), key=("ROM", "SMD", "MD").index)))


def pool_set(joint: EffectSet, config: Config, **other: str) -> Pooled:
    """Pool effects by the choices of config.yaml, some of them changed."""
    choices = {"method": config.pooling.method, "ci": config.pooling.ci, **other}
    return pool(**joint.numbers, pi_df=config.pooling.pi_df, **choices)


def primary_fits(joint: EffectSet, config: Config) -> dict[str, Pooled]:
    """Return the primary model of all types and of each, by group."""
    fits = {"overall": pool_set(joint, config)}
    types = ExerciseTypes.of(joint, config)
    for kind in types.kinds:
        fits[kind], _ = _primary(joint.of_type(kind), types, config)
    return fits


@dataclass(frozen=True, slots=True)
class ExerciseTypes:
    """The exercise types of a set, and the regression over all of them if they share one tau2."""

    joint: EffectSet
    kinds: tuple[str, ...]
    common: Regression | None

    @classmethod
    def of(cls, joint: EffectSet, config: Config) -> ExerciseTypes:
        """Fit the regression where config.yaml asks for one tau2."""
        kinds = tuple(_types(joint))
        if len(kinds) < 2 or not _common_tau2(joint, config):
            return cls(joint, kinds, None)
        return cls(joint, kinds, _regression(joint, config))


def _primary(joint: EffectSet, types: ExerciseTypes | None, config: Config) -> tuple[Pooled, str]:
    """Return the primary model of a group, and a note."""
    if not _shares_tau2(joint, types):
        main = pool_set(joint, config)
        return main, main.note
    fit = _from_common_tau2(joint, types, config)
    interval = "normal interval" if fit.df is None else f"t with {fit.df:g} df"
    return fit, f"one tau2 for all types, {interval}"


def _shares_tau2(joint: EffectSet, types: ExerciseTypes | None) -> bool:
    """Tell whether the primary model of a group takes its tau2 from that of all types."""
    return types is not None and types.common is not None and joint.k >= 2


def _group_rows(
    synthesis: str, measure: str, group: str, joint: EffectSet, config: Config, *,
    types: ExerciseTypes | None = None,
) -> list[PooledRow]:  # fmt: skip
    k = joint.k
    main, note = _primary(joint, types, config)
    models = [("random", main)]
    if k in (3, 4):
        models.append(("random", pool_set(joint, config, ci="wald")))
    if k in (2, 3, 4):
        models.append(("common", pool_set(joint, config, **COMMON)))
    rows = []
    for index, (model, fit) in enumerate(models):
        primary = index == 0
        diamond = _diamond(group, fit, types, config) if primary else "none"
        rows.append(
            _row(
                fit, synthesis=synthesis, measure=measure, group=group, model=model,
                primary=primary, diamond=diamond, k=k, k_effects=len(joint.effects),
                tau2_model="common" if primary and _shares_tau2(joint, types) else "separate",
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
    if not primary or fit.status != "ok":
        return note
    notes = [note] if note else []
    if fit.k == 2:
        notes.append("two studies: the interval says how little two can tell")
    if fit.method != "EE" and fit.tau2 == 0:
        notes.append("tau2 is estimated 0: no prediction interval, see the upper limit of tau2")
    if fit.k in (3, 4):
        notes.append("tau2 of so few studies is imprecise")
    return "; ".join(notes)


def _shows_pi(fit: Pooled, config: Config) -> bool:
    enough = fit.k >= config.small_k.prediction_interval
    return bool(enough and fit.tau2 and fit.pi_low is not None)


def _diamond(group: str, fit: Pooled, types: ExerciseTypes | None, config: Config) -> str:
    """Return what a forest plot draws: nothing, a hollow diamond or a full one."""
    if fit.status != "ok":
        return "none"
    if group == "overall":
        if not config.subgroups.overall_diamond or fit.k < config.small_k.diamond:
            return "none"
        return "hollow" if fit.k == 2 else "full"
    if len(types.kinds) == 1:
        return "none"
    if fit.k >= 3:
        return "full"
    enough = fit.df is None or fit.df >= 4
    return "hollow" if types.common is not None and enough else "none"


def _types(joint: EffectSet) -> list[str]:
    return [kind for kind in EXERCISE_TYPES if any(e.exercise_type == kind for e in joint.effects)]


def _common_tau2(joint: EffectSet, config: Config) -> bool:
    sizes = [joint.of_type(kind).k for kind in _types(joint)]
    return min(sizes, default=0) <= config.subgroups.common_tau2_up_to


def _dummies(joint: EffectSet) -> np.ndarray:
    kinds = _types(joint)
    return np.array([[float(e.exercise_type == kind) for kind in kinds] for e in joint.effects])


def _regression(joint: EffectSet, config: Config) -> Regression:
    """Fit one mean per exercise type with one tau2 for all."""
    X = _dummies(joint)
    choices = {"method": config.pooling.method, "ci": config.pooling.ci}
    return regress(**joint.numbers, X=X, **choices)


def _from_common_tau2(joint: EffectSet, types: ExerciseTypes, config: Config) -> Pooled:
    """Return one type's estimate from the regression over all types."""
    within, fit, ci = types.joint, types.common, config.pooling.ci
    X = _dummies(within)
    index = types.kinds.index(joint.effects[0].exercise_type)
    alone = pool_set(joint, config, **COMMON)
    estimate, se = float(fit.coefficients[index]), math.sqrt(float(fit.covariance[index, index]))
    half = t_quantile(0.975, fit.df) * se
    test = joint_test(fit, np.eye(X.shape[1])[[index]])
    y, v = (np.array(within.numbers[name]) for name in ("yi", "vi"))
    V = within.numbers.get("V")
    s2 = typical_variance(v, X, V)
    low, high = q_profile(y, v, X, V=V)
    total = sum(1 / (e.vi + fit.tau2) for e in joint.effects)
    # The prediction interval has the degrees of freedom of the interval beside it.
    pi_k = alone.k if fit.df is None else int(fit.df) + 1
    pi = prediction_interval(estimate, se, fit.tau2, pi_k, config.pooling.pi_df)
    return Pooled(
        alone.k, estimate, se, estimate - half, estimate + half, *pi,
        tau2=fit.tau2, tau2_ci_low=low, tau2_ci_high=high,
        i2=100 * fit.tau2 / (fit.tau2 + s2), h2=(fit.tau2 + s2) / s2,
        q=alone.q, q_df=alone.q_df, q_p=alone.q_p,
        statistic=estimate / se, df=fit.df, p=test[3],
        method=config.pooling.method, ci_method=ci,
        weights=tuple(100 / (e.vi + fit.tau2) / total for e in joint.effects),
    )  # fmt: skip


def subgroup_tests(
    synthesis: str, effects: Sequence[Effect], config: Config, links: Sequence[Covariance] = ()
) -> list[SubgroupTest]:
    """Return the test of each measure."""
    return [
        subgroup_test(synthesis, measure, EffectSet.of(effects, measure, links), config)
        for measure in _measures(effects)
    ]


def subgroup_test(synthesis: str, measure: str, joint: EffectSet, config: Config) -> SubgroupTest:
    """Test differences between exercise types on one measure, or say why there is no test."""
    kinds, k = _types(joint), joint.k
    sizes = [joint.of_type(kind).k for kind in kinds]
    named = {"synthesis": synthesis, "measure": measure, "k": k, "groups": len(kinds)}
    least = config.small_k.subgroup_test
    reason = ""
    if k < least:
        reason = f"not tested: {studies_words(k)}, {least} are needed"
    elif sum(size >= 2 for size in sizes) < 2:
        reason = "not tested: fewer than two types have two studies"
    elif k <= len(kinds):
        reason = "not tested: no more studies than types"
    if reason:
        return SubgroupTest(
            **named, tested=False, tau2_model="", statistic=None, df1=None, df2=None, p=None,
            note=reason,
        )  # fmt: skip
    # Types that share a control are not independent: only the joint model knows their covariance.
    if _common_tau2(joint, config) or "V" in joint.numbers:
        tau2_model, result = "common", _common_test(joint, config)
    else:
        groups = [joint.of_type(kind).numbers for kind in kinds]
        tau2_model, result = "separate", separate_test(groups, config.pooling.method)
    statistic, df1, df2, p = result
    return SubgroupTest(
        **named, tested=True, tau2_model=tau2_model, statistic=statistic, df1=df1, df2=df2, p=p,
        note="intervals of the types do not show whether they differ; this test does",
    )  # fmt: skip


def _common_test(joint: EffectSet, config: Config) -> tuple[float, int, float | None, float]:
    return joint_test(_regression(joint, config), differences(len(_types(joint))))
