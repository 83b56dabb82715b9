"""All sensitivity analyses of one synthesis: their effects and the rows of their tables."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from osteometa.numerics.distributions import t_quantile
from osteometa.pooling.results import Estimated
from osteometa.records.effects import Effect
from osteometa.records.sensitivity import (
    POSTERIOR,
    SATTERTHWAITE,
    WILD_BOOTSTRAP,
    AlternativeModel,
    FunnelPoint,
    MetaRegressionRow,
    PermutationRow,
    RegressionLine,
    RegressionPoint,
    SensitivityTables,
    SmallStudyRow,
)
from osteometa.sensitivity.bayes import posterior
from osteometa.sensitivity.influence import (
    PooledEffects,
    cumulative,
    gosh,
    influence,
    leave_one_out,
)
from osteometa.sensitivity.meta_regression import line_of, meta_regression
from osteometa.sensitivity.multilevel import LEAST_STUDIES as NESTED
from osteometa.sensitivity.multilevel import multilevel, robust_variance
from osteometa.sensitivity.multiverse import multiverse
from osteometa.sensitivity.one_at_a_time import sensitivity_rows
from osteometa.sensitivity.permutation import permute_moderator, sign_flip
from osteometa.sensitivity.small_study import LEAST_STUDIES, small_study
from osteometa.sensitivity.trim_fill import trim_fill
from osteometa.sensitivity.wild_bootstrap import LEAST_STUDIES as FLIPPED
from osteometa.sensitivity.wild_bootstrap import wild_bootstrap
from osteometa.synthesis.effect_sets import SynthesisData
from osteometa.wording.choices import studies_words

FEW = 5
"""Below this many studies the Bayesian model is fitted."""
COVARIATES = ("weeks", "age", "year", "sessions", "n")
LINE_POINTS = 41
"""Of a regression line and its band: enough for a smooth curve."""


def sensitivity_tables(data: SynthesisData) -> SensitivityTables:
    """Return the tables of all sensitivity analyses of the primary measure."""
    effects = data.primary_set().effects
    chosen = pooled_effects(data)
    rows, shares = multiverse(data)
    fits, points, line = meta_regressions(chosen, effects, data.config.seed)
    return SensitivityTables(
        sensitivity=sensitivity_rows(data), influence=influence(chosen),
        leave_one_out=leave_one_out(chosen), cumulative=cumulative(chosen),
        small_study=asymmetry(chosen, effects), funnel_points=funnel_points(chosen, effects),
        gosh=gosh(chosen, data.config.seed), multiverse=rows, multiverse_shares=shares,
        meta_regression=fits, regression_points=points, regression_line=line,
        permutation=permutations(chosen, data.config.sensitivity.permutations, data.config.seed),
        alternative_models=alternative_models(chosen, data),
    )  # fmt: skip


def pooled_effects(data: SynthesisData) -> PooledEffects:
    """Return the pooled effects of the primary measure, with the choices of their pool."""
    pooled = data.primary_set()
    given, pooling = pooled.data, data.config.pooling
    effects = pooled.effects
    return PooledEffects(
        ids=tuple(e.effect_id for e in effects), studies=tuple(e.study_id for e in effects),
        labels=tuple(e.label for e in effects), years=tuple(e.year for e in effects),
        y=np.array(given.yi, dtype=float), v=np.array(given.vi, dtype=float), V=given.V,
        method=pooling.method, ci=pooling.ci, pi_df=pooling.pi_df,
    )  # fmt: skip


def imprecision(effects: Sequence[Effect]) -> tuple[list[float] | None, str]:
    """Return what Egger's regression regresses on, and its name.

    For SMD the part of the standard error without the effect, because the ordinary one is
    correlated with the effect by itself (Pustejovsky and Rodgers 2019); else the standard error.
    """
    if not effects or effects[0].measure != "SMD":
        return None, "standard error"
    parts = [e.vi - e.yi**2 / (2 * e.n_total) for e in effects if e.n_total is not None]
    if len(parts) < len(effects):
        return None, "standard error (number of participants not reported for all)"
    if min(parts) <= 0:
        return None, "standard error (its parts are not known for all)"
    return [part**0.5 for part in parts], "standard error without the effect's part"


def asymmetry(chosen: PooledEffects, effects: Sequence[Effect]) -> tuple[SmallStudyRow, ...]:
    """Return the small-study analyses; effects of one study are combined first."""
    predictor, name = imprecision(effects)
    y, v = chosen.y, chosen.v
    if chosen.k < len(y):
        y, v = chosen.one_per_study()
        predictor, name = None, "standard error"
    return small_study(y, v, predictor=predictor, predictor_name=name, **chosen.model)


def funnel_points(chosen: PooledEffects, effects: Sequence[Effect]) -> list[FunnelPoint]:
    """Return the marks of a funnel plot: studies, and those that trim and fill adds."""
    main = chosen.pooled()
    if chosen.k < LEAST_STUDIES or not isinstance(main, Estimated):
        return []
    centre = main.estimate

    def point(effect_id: str, label: str, y: float, v: float, filled: bool) -> FunnelPoint:
        outside = abs(y - centre) > t_quantile(0.975, None) * v**0.5
        return FunnelPoint(
            effect_id=effect_id, label=label, yi=y, se=v**0.5, filled=filled, outside=outside
        )

    points = [
        point(i, label, float(y), float(v), False)
        for i, label, y, v in zip(chosen.ids, chosen.labels, chosen.y, chosen.v, strict=True)
    ]
    y, v = chosen.one_per_study()
    predictor = imprecision(effects)[0] if len(y) == len(effects) else None
    filled = trim_fill(y, v, predictor=predictor, **chosen.model)
    added = zip(filled.filled_yi, filled.filled_vi, strict=True)
    return points + [point("", "filled in", y, v, True) for y, v in added]


def covariate(effect: Effect, name: str) -> float | None:
    """Return a covariate of an effect, None where it is not known."""
    value = getattr(effect, "n_total" if name == "n" else name)
    return None if value is None else float(value)


def meta_regressions(
    chosen: PooledEffects, effects: Sequence[Effect], seed: int
) -> tuple[list[MetaRegressionRow], list[RegressionPoint], list[RegressionLine]]:
    """Return a regression per covariate (each alone), its points, and its line with a band.

    At least ten studies whose covariate is known are needed for one.
    """
    rows, points, line = [], [], []
    for name in COVARIATES:
        x = np.array([covariate(e, name) for e in effects], dtype=float)
        given = chosen.y, chosen.v, x
        found = meta_regression(*given, V=chosen.V, study=chosen.studies, **chosen.model)
        found, tau2 = replace(found, covariate=name), found.tau2
        if tau2 is not None:
            p, reason = _permuted(chosen, x, seed)
            found = replace(found, p_permutation=p, reason=reason)
            points += _regression_points(name, tau2, chosen, x, effects)
            line += line_of(found, np.linspace(np.nanmin(x), np.nanmax(x), LINE_POINTS).tolist())
        rows.append(found)
    return rows, points, line


def _permuted(chosen: PooledEffects, x: np.ndarray, seed: int) -> tuple[float | None, str]:
    """Return the permutation p of a covariate, or why there is none."""
    known = np.isfinite(x)
    studies = [study for study, there in zip(chosen.studies, known, strict=True) if there]
    if len(set(studies)) < len(studies):
        return None, "no permutation test: effects of one study cannot change places"
    given = chosen.y[known], chosen.v[known], x[known]
    found = permute_moderator(*given, seed=seed, **chosen.model)
    return found.p, found.reason


def _regression_points(
    name: str, tau2: float, chosen: PooledEffects, x: np.ndarray, effects: Sequence[Effect]
) -> list[RegressionPoint]:
    known = np.flatnonzero(np.isfinite(x)).tolist()
    weights = 1.0 / (chosen.v[known] + tau2)
    return [
        RegressionPoint(
            covariate=name, effect_id=effects[i].effect_id, label=effects[i].label,
            exercise_type=effects[i].exercise_type, x=float(x[i]), yi=effects[i].yi,
            vi=effects[i].vi, weight=float(weight),
        )
        for i, weight in zip(known, 100 * weights / weights.sum(), strict=True)
    ]  # fmt: skip


def permutations(chosen: PooledEffects, most: int, seed: int) -> list[PermutationRow]:
    """Return the sign-flip test of the pooled effect, one effect per study, and at most so many."""
    y, v = chosen.one_per_study() if chosen.k else (chosen.y, chosen.v)
    return [sign_flip(y, v, permutations=most, seed=seed, **chosen.model)]


def alternative_models(chosen: PooledEffects, data: SynthesisData) -> list[AlternativeModel]:
    """Return the models beside the primary one: three-level, CHE, robust variance, Bayesian.

    The first three twice: by t with Satterthwaite's df, and by cluster wild bootstrap.
    """
    rho = data.config.derivation.rho
    given, seed = (chosen.y, chosen.v, chosen.studies), data.config.seed
    models = {"three_level": (multilevel, 0.0), "che": (multilevel, rho)}
    models["robust"] = (robust_variance, rho)
    if len(chosen.studies) > chosen.k:
        rows = [
            replace(fitted(*given, rho=known), model=name, inference=SATTERTHWAITE)
            for name, (fitted, known) in models.items()
        ]
        for name, (_, known) in models.items():
            found = wild_bootstrap(*given, model=name, rho=known, seed=seed)
            rows.append(replace(found, model=name, inference=WILD_BOOTSTRAP))
    else:
        rows = [
            _not_fitted(name, inference, chosen, _not_nested(chosen.k, least))
            for inference, least in ((SATTERTHWAITE, NESTED), (WILD_BOOTSTRAP, FLIPPED))
            for name in models
        ]
    return [*rows, _bayesian(chosen, data)]


def _not_nested(k: int, least: int) -> str:
    """Return why a nested model is not fitted to studies with one effect each."""
    if k < least:
        return f"{studies_words(k)}, {least} are needed, one of them with several effects"
    return "no study has several effects"


def _not_fitted(name: str, inference: str, chosen: PooledEffects, reason: str) -> AlternativeModel:
    return AlternativeModel(
        model=name, inference=inference, k=chosen.k, effects=len(chosen.studies),
        status="not_applicable", reason=reason,
    )  # fmt: skip


def _bayesian(chosen: PooledEffects, data: SynthesisData) -> AlternativeModel:
    if data.measure != "SMD":
        return _not_fitted("bayesian", POSTERIOR, chosen, "the prior is specified for SMD only")
    if not 1 < chosen.k < FEW:
        reason = "it is fitted to two to four studies only"
        return _not_fitted("bayesian", POSTERIOR, chosen, reason)
    fit = posterior(*chosen.one_per_study())
    return replace(fit, model="bayesian", inference=POSTERIOR, effects=len(chosen.studies))
