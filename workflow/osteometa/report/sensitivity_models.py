"""Small-study effects, covariates, permutation and alternative models in words."""

import math
from collections.abc import Sequence

from osteometa.records.sensitivity import (
    WILD_BOOTSTRAP,
    AlternativeModel,
    MetaRegressionRow,
    PermutationRow,
    SmallStudyRow,
)
from osteometa.report.findings import Average, Findings
from osteometa.report.sensitivity_choices import Account, not_done
from osteometa.wording.measure_format import MeasureFormat, estimate_of
from osteometa.wording.numbers import p_number, p_text, signed, small, studies

TESTS = {
    "egger": "Egger's regression", "egger_mixed": "Egger's regression with τ²",
    "rank": "rank correlation",
}  # fmt: skip
ADJUSTED = {"trim_fill": "trim and fill", "pet_peese": "PET-PEESE", "selection": "selection model"}
COVARIATES = {
    "weeks": (10, "per 10 weeks of training"), "age": (10, "per 10 years of age"),
    "year": (10, "per 10 publication years"), "sessions": (1, "per weekly session"),
    "n": (10, "per 10 participants"),
}  # fmt: skip
"""How many units make a step of readable size, and that step in words."""
MODELS = {
    "three_level": "three-level model", "che": "correlated and hierarchical effects",
    "robust": "robust variance", "bayesian": "Bayesian model",
}  # fmt: skip


def small_study(found: Findings, rows: Sequence[SmallStudyRow]) -> Account:
    """Return what the small-study analyses show: a sensitivity analysis, not a correction."""
    done = {row.analysis: row for row in rows if row.status == "ok"}
    missing = [(TESTS.get(r.analysis) or ADJUSTED.get(r.analysis) or r.analysis.upper(), r.reason)
               for r in rows if r.status != "ok"]  # fmt: skip
    if not done:
        return not_done(missing[0][1] if missing else "no study is pooled")
    tests = [f"{words}, {p_text(done[name].p)}" for name, words in TESTS.items() if name in done]
    adjusted = (_adjusted(found, done[name], words) for name, words in ADJUSTED.items()
                if name in done)  # fmt: skip
    models = "; ".join(filter(None, adjusted))
    text = f"Tests of small-study effects, of low power with few studies: {'; '.join(tests)}."
    if models:
        text += f" Adjusted estimates, as sensitivity analyses only: {models}."
    return Account(text, missing)


def _adjusted(found: Findings, row: SmallStudyRow, words: str) -> str:
    if row.analysis == "trim_fill" and not row.filled:
        return f"{words} adds no study" if row.estimate is not None else ""
    estimate = estimate_of(row)
    if estimate is None:
        return "" if row.estimate is None else f"{words} {found.scale().value(row.estimate)}"
    size = found.scale().in_text(estimate)
    if row.analysis != "trim_fill":
        return f"{words} {size}"
    return f"{words} adds {studies(row.filled or 0)} on the {row.side} and gives {size}"


def meta_regression(found: Findings, rows: Sequence[MetaRegressionRow]) -> Account:
    """Return the slope of each covariate, taken alone."""
    slopes = [words for row in rows if (words := _slope(row, found.scale()))]
    if not slopes:
        most = max((row.k for row in rows), default=0)
        reason = next((row.reason for row in rows if row.k == most), "no study is pooled")
        alike = most == 0 or len({row.reason for row in rows}) == 1
        return not_done(reason if alike else f"at most {reason}")
    missing = [(f"regression on {row.covariate}", row.reason) for row in rows if row.status != "ok"]
    return Account(
        "Change in effect, one covariate at a time; such associations between studies do not show "
        f"causes: {'; '.join(slopes)}.",
        missing,
    )


def _slope(row: MetaRegressionRow, scale: MeasureFormat) -> str:
    if row.slope is None or row.ci_low is None or row.ci_high is None:
        return ""
    step, words = COVARIATES[row.covariate]
    slope, low, high = (
        _change(step * value, scale) for value in (row.slope, row.ci_low, row.ci_high)
    )
    unit, times = " %" if scale.percent else "", "times " if _ratio(scale) else ""
    shuffled = ""
    if row.p_permutation is not None:
        shuffled = f", by permutation {p_number(row.p_permutation)}"
    return (
        f"{words} {times}{slope}{unit} (95 % CI {low} to {high}{unit}; {p_text(row.p)}{shuffled})"
    )


def _ratio(scale: MeasureFormat) -> bool:
    return scale.measure == "ROM" and not scale.percent


def _change(value: float, scale: MeasureFormat) -> str:
    """Return a change of the effect with one decimal more than effects have."""
    if scale.percent:
        return signed(100 * math.expm1(value), 2)
    return signed(math.exp(value) if _ratio(scale) else value, 4 if scale.measure == "MD" else 3)


def permutation(main: Average, rows: Sequence[PermutationRow]) -> Account:
    """Return how often random signs give a test statistic at least as far from 0.

    The statistic is compared, not the average: signs that agree less often also have a larger
    standard error.
    """
    row = next((row for row in rows if row.test == "sign_flip"), None)
    if row is None or row.p is None or row.permutations is None or row.statistic is None:
        return not_done((row.reason if row else "") or "no study is pooled")
    often = (
        f"{round(row.p * row.permutations):,} of all {row.permutations:,}"
        if row.exact
        else f"{_share(row.p)} of {row.permutations:,} random"
    )
    name = "z" if main.row.ci_method == "wald" else "t"
    text = (
        f"Sign-flip permutation test: {often} assignments of signs to the effects give a statistic "
        f"at least as extreme as the observed one ({name} = {signed(row.statistic, 2)}), "
        f"{p_text(row.p)}"
    )
    if row.p_smallest is not None:
        text += f" ({_smallest(row.p_smallest, row.k)})"
    return Account(f"{text}." + (f" {row.reason.capitalize()}." if row.reason else ""))


def _smallest(p: float, k: int) -> str:
    least = p_number(p).replace("<", "below")
    return f"the smallest p possible with {studies(k)} is {least}"


def _share(p: float) -> str:
    return f"{100 * p:.2g} %" if p < 0.995 else f"{100 * p:.0f} %"


def alternative_models(found: Findings, rows: Sequence[AlternativeModel]) -> Account:
    """Return the models beside the primary one, labelled as such."""
    scale = found.scale()
    done = [row for row in rows if row.status == "ok" and row.estimate is not None]
    bootstrap = [row for row in done if row.sign_vectors is not None]
    parts = [_model_words(row, scale) for row in done if row.sign_vectors is None]
    sentences = [f"{'; '.join(parts)}."] if parts else []
    if bootstrap:
        few = any(row.df is not None and row.df < 4 for row in rows)
        sentences.append(_bootstrap(bootstrap, few, scale))
    # A reason that models share is given once for each name.
    missing = list(dict.fromkeys((_name(row), row.reason) for row in rows if row.status != "ok"))
    text = f"In addition to the primary model: {' '.join(sentences)}" if sentences else ""
    return Account(text, missing)


def _name(row: AlternativeModel) -> str:
    return "cluster wild bootstrap" if row.inference == WILD_BOOTSTRAP else MODELS[row.model]


def _model_words(row: AlternativeModel, scale: MeasureFormat) -> str:
    name = "95 % credible interval" if row.model == "bayesian" else "95 % CI"
    prior = f", prior {row.prior.replace('tau', 'τ').replace('mu', 'μ')}" if row.prior else ""
    words = f"{MODELS[row.model]}{prior}: {_size(row, scale, name)}"
    if row.tau_low is not None and row.tau_high is not None:
        words += f", τ {small(row.tau_low)} to {small(row.tau_high)}"
    if row.df is not None:
        words += f", {row.df:.1f} degrees of freedom"
    return words + (f" ({row.warning})" if row.warning else "")


def _size(row: AlternativeModel, scale: MeasureFormat, name: str = "95 % CI") -> str:
    estimate = estimate_of(row)
    if estimate is not None:
        return scale.in_text(estimate, name)
    return "" if row.estimate is None else scale.value(row.estimate)


def _bootstrap(rows: Sequence[AlternativeModel], few: bool, scale: MeasureFormat) -> str:
    """Return the cluster wild bootstrap, and the smallest p that it can give."""
    first = rows[0]
    number = first.sign_vectors or 0
    ways = f"all {number:,}" if first.exact else f"{number:,} random"
    why = ", to be preferred where the degrees of freedom above are below 4" if few else ""
    each = [f"{MODELS[row.model]} {_size(row, scale)}, {p_text(row.p)}" for row in rows]
    text = f"Cluster wild bootstrap ({ways} sign vectors of studies{why}): {'; '.join(each)}"
    if first.p_smallest is not None:
        text += f"; {_smallest(first.p_smallest, first.k)}"
    return f"{text}, so there is no interval." if first.ci_low is None else f"{text}."
