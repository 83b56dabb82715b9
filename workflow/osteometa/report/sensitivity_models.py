"""Small-study effects, covariates, permutation and alternative models in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from osteometa.records.sensitivity import (
    AlternativeModel,
    MetaRegressionRow,
    PermutationRow,
    SmallStudyRow,
)
from osteometa.report.findings import Findings
from osteometa.report.sensitivity_choices import Told
from osteometa.wording.numbers import counted, p_number, signed, small
from osteometa.wording.scale import Scale

TESTS = {
    "egger": "Egger's regression", "egger_mixed": "Egger's regression with τ²",
    "rank": "rank correlation",
}  # fmt: skip
ADJUSTED = {"trim_fill": "trim and fill", "pet_peese": "PET-PEESE", "selection": "selection model"}
COVARIATES = {
    "weeks": (10, "10 weeks more of training"), "age": (10, "10 years more of age"),
    "year": (10, "10 years later published"), "sessions": (1, "one session a week more"),
    "n": (10, "10 people more in the study"),
}  # fmt: skip
"""How many units make a step that a reader can picture, and that step in words."""
WILD = "_wild"
"""End of the names of models whose p is that of a cluster wild bootstrap."""
MODELS = {
    "three_level": "three-level model", "che": "correlated and hierarchical effects",
    "robust": "robust variance", "bayesian": "Bayesian model",
}  # fmt: skip


def small_study(found: Findings, rows: Sequence[SmallStudyRow]) -> Told:
    """Return what the small-study analyses show: a sensitivity, never a corrected result."""
    done = {row.analysis: row for row in rows if row.status == "ok"}
    missing = [(TESTS.get(r.analysis) or ADJUSTED.get(r.analysis) or r.analysis.upper(), r.reason)
               for r in rows if r.status != "ok"]  # fmt: skip
    if not done:
        return "", [("", missing[0][1] if missing else "no study is pooled")]
    scale = found.scale()
    tests = [f"{words} {_p(done[name].p)}" for name, words in TESTS.items() if name in done]
    models = [_adjusted(done[name], words, scale) for name, words in ADJUSTED.items()
              if name in done and done[name].estimate is not None]  # fmt: skip
    text = (
        "Tests whether small studies find other effects than large ones, which in so few studies "
        f"miss much: {', '.join(tests)}."
    )
    if models:
        text += f" As sensitivity, never as a corrected result: {'; '.join(models)}."
    return text, missing


def _adjusted(row: SmallStudyRow, words: str, scale: Scale) -> str:
    value = _effect(row.estimate, row.ci_low, row.ci_high, scale)
    if row.analysis != "trim_fill":
        return f"{words} {value}"
    if not row.filled:
        return f"{words} adds no study"
    added = counted(row.filled, "study", "studies")
    return f"{words} adds {added} on the {row.side} and gives {value}"


def _effect(
    estimate: float, low: float | None, high: float | None, scale: Scale, name: str = "95 % CI"
) -> str:
    value = scale.number(estimate) + (" %" if scale.percent else "")
    if low is None or high is None:
        return value
    return f"{value} ({name} {scale.limits(low, high)})"


def meta_regression(found: Findings, rows: Sequence[MetaRegressionRow]) -> Told:
    """Return the slope of each covariate, taken alone."""
    done = [row for row in rows if row.status == "ok"]
    missing = [(f"regression on {row.covariate}", row.reason) for row in rows if row.status != "ok"]
    if not done:
        most = max((row.k for row in rows), default=0)
        reason = next((row.reason for row in rows if row.k == most), "no study is pooled")
        return "", [("", reason if most == 0 or len({r.reason for r in rows}) == 1
                     else f"at most {reason}")]  # fmt: skip
    slopes = "; ".join(_slope(row, found.scale()) for row in done)
    return (
        "One covariate at a time, as an association between studies that proves no cause: "
        f"{slopes}."
    ), missing


def _slope(row: MetaRegressionRow, scale: Scale) -> str:
    step, words = COVARIATES[row.covariate]
    numbers = [_change(step * value, scale) for value in (row.slope, row.ci_low, row.ci_high)]
    unit = " %" if scale.percent else ""
    shuffled = (
        "" if row.p_permutation is None else f", by permutation {p_number(row.p_permutation)}"
    )
    return (
        f"{words}: {'times ' if _ratio(scale) else ''}{numbers[0]}{unit} (95 % CI {numbers[1]} to "
        f"{numbers[2]}{unit}; {_p(row.p)}{shuffled})"
    )


def _p(value: float | None) -> str:
    if value is None:
        return "p not defined"
    words = p_number(value)
    return f"p {words}" if words.startswith("<") else f"p = {words}"


def _ratio(scale: Scale) -> bool:
    return scale.measure == "ROM" and not scale.percent


def _change(value: float, scale: Scale) -> str:
    """Return a change of the effect with one decimal more than effects have."""
    if scale.percent:
        return signed(100 * math.expm1(value), 2)
    return signed(math.exp(value) if _ratio(scale) else value, 4 if scale.measure == "MD" else 3)


def permutation(found: Findings, rows: Sequence[PermutationRow]) -> Told:
    """Return how often chance signs give an average as far from the null for its standard error.

    What is compared is the statistic, not the average: signs that agree less often also have a
    larger standard error.
    """
    row = next((row for row in rows if row.test == "sign_flip"), None)
    if row is None or row.status != "ok" or row.p is None:
        return "", [("", row.reason if row and row.reason else "no study is pooled")]
    often = (
        f"{round(row.p * row.permutations):,} of all {row.permutations:,}"
        if row.exact
        else f"{_share(row.p)} of {row.permutations:,} random"
    )
    main = found.model()
    name = "z" if main is not None and main.ci_method == "wald" else "t"
    text = (
        "If each study's effect were as likely to point the other way, an average this far from no "
        f"difference for its standard error ({name} = {signed(row.statistic, 2)}), or farther, "
        f"would turn up in {often} arrangements ({_p(row.p)}"
    )
    if row.p_smallest is not None:
        least = p_number(row.p_smallest).replace("<", "below")
        text += f"; the smallest that {counted(row.k, 'study', 'studies')} can give is {least}"
    return f"{text})." + (f" {row.reason.capitalize()}." if row.reason else ""), []


def _share(p: float) -> str:
    return f"{100 * p:.2g} %" if p < 0.995 else f"{100 * p:.0f} %"


def alternative_models(found: Findings, rows: Sequence[AlternativeModel]) -> Told:
    """Return the models beside the primary one, labelled as such."""
    scale, parts, turned = found.scale(), [], []
    missing = [(_model(row), row.reason) for row in rows if row.status != "ok"]
    for row in rows:
        if row.status != "ok" or row.estimate is None:
            continue
        if row.sign_vectors is not None:
            turned.append(row)
            continue
        bayesian = row.model == "bayesian"
        name = "95 % credible interval" if bayesian else "95 % CI"
        prior = f", prior {row.prior.replace('tau', 'τ').replace('mu', 'μ')}" if row.prior else ""
        value = _effect(row.estimate, row.ci_low, row.ci_high, scale, name)
        words = f"{MODELS[row.model]}{prior}: {value}"
        if row.tau_low is not None and row.tau_high is not None:
            words += f", τ {small(row.tau_low)} to {small(row.tau_high)}"
        if row.df is not None:
            words += f", {row.df:.1f} degrees of freedom"
        parts.append(words + (f" ({row.warning})" if row.warning else ""))
    sentences = [f"{'; '.join(parts)}."] if parts else []
    sentences += [_bootstrap(turned, rows, scale)] if turned else []
    # A reason that models share is told once for each name.
    missing = list(dict.fromkeys(missing))
    if not sentences:
        return "", missing
    return f"Beside the primary result, never in its place: {' '.join(sentences)}", missing


def _model(row: AlternativeModel) -> str:
    wild = row.model.endswith(WILD)
    return "cluster wild bootstrap" if wild else MODELS[row.model]


def _bootstrap(
    turned: Sequence[AlternativeModel], rows: Sequence[AlternativeModel], scale: Scale
) -> str:
    """Return what turning the signs of whole studies shows, and what it can show at best."""
    first = turned[0]
    ways = f"all {first.sign_vectors:,}" if first.exact else f"{first.sign_vectors:,} random"
    few = any(row.df is not None and row.df < 4 for row in rows)
    why = " and goes before the others where their degrees of freedom are below 4" if few else ""
    each = [
        f"{MODELS[row.model.removesuffix(WILD)]} "
        f"{_effect(row.estimate, row.ci_low, row.ci_high, scale)}, {_p(row.p)}"
        for row in turned
    ]
    least = p_number(first.p_smallest).replace("<", "below")
    text = (
        f"Cluster wild bootstrap, which turns the signs of whole studies in {ways} ways{why}: "
        f"{'; '.join(each)}; the smallest p that {counted(first.k, 'study', 'studies')} can give "
        f"is {least}"
    )
    return f"{text}, so that there is no interval." if first.ci_low is None else f"{text}."
