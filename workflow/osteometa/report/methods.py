"""The methods as they were run: every sentence is made from the resolved config."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from osteometa.protocol.config import Config
from osteometa.records.effects import WeightedEffect
from osteometa.wording.choices import ESTIMATORS
from osteometa.wording.numbers import MINUS, counted, joined
from osteometa.wording.syntheses import hours_words

MEASURES = {
    "SMD": "standardised mean differences",
    "ROM": "ratios of means",
    "MD": "mean differences",
}
DESIGNS = {
    "rct": "randomised trials",
    "crossover_rct": "randomised crossover trials",
    "nrct": "trials without randomisation",
    "uncontrolled": "uncontrolled studies",
}
COMPARATORS = {
    "usual": "no intervention or usual activity",
    "attention": "contact, education or passive treatment",
    "low_dose": "light stretching or a low-intensity programme",
    "active": "another programme of exercise",
}
MODELS = {
    **{name: f"a random-effects model ({words}; {{}})" for name, words in ESTIMATORS.items()},
    "REML": "a random-effects model (REML; {})",
    "EE": "a common-effect model ({})",
}
INTERVALS = {
    "hksj-floor": "Hartung-Knapp intervals never narrower than the conventional t interval",
    "hksj": "Hartung-Knapp intervals",
    "wald": "conventional (Wald) intervals",
}


def methods_sentences(
    config: Config, effects: Sequence[WeightedEffect], unsized: dict[str, int],
    versions: dict[str, str],
) -> list[str]:  # fmt: skip
    """Return the methods paragraph, sentence by sentence.

    Parameters
    ----------
    config : Config
    effects : sequence of WeightedEffect
        Of all syntheses.
    unsized : dict
        How many included studies without any size give a `direction`, how many give `nothing`.
    versions : dict
        Of osteometa and of the libraries.
    """
    return [
        _model(config, versions),
        *_correlations(config, effects),
        _scope(config),
        _small_k(config),
        _types(config),
        _directions(config),
        f"PyMARE {versions['PyMARE']} and statsmodels {versions['statsmodels']} fitted the same "
        "sets.",
        f"{_study(unsized['direction'])} had no usable numbers and "
        f"{'enters' if unsized['direction'] == 1 else 'enter'} only the direction synthesis; "
        f"{_study(unsized['nothing']).lower()} said nothing that a planned analysis asks for.",
    ]


def _study(number: int) -> str:
    return counted(number, "study", "studies").capitalize()


def _model(config: Config, versions: dict[str, str]) -> str:
    software = f"osteometa {versions['osteometa']}"
    names: dict[str, list[str]] = {}
    for name, outcome in config.outcomes.items():
        names.setdefault(outcome.measures[0], []).append(name)
    measures = joined([f"{MEASURES[m]} ({', '.join(of)})" for m, of in names.items()])
    model, interval = MODELS[config.pooling.method].format(software), INTERVALS[config.pooling.ci]
    if config.pooling.method == "EE":
        return f"We pooled {measures} with {model} and {interval}."
    degrees = config.pooling.pi_df.replace("-", MINUS)
    return (
        f"We pooled {measures} with {model}, {interval}, Q-profile intervals for τ² and 95 % "
        f"prediction intervals (t, {degrees})."
    )


def _correlations(config: Config, effects: Sequence[WeightedEffect]) -> list[str]:
    primary = {name: outcome.measures[0] for name, outcome in config.outcomes.items()}
    pooled = {
        effect.effect_id: effect
        for effect in effects
        if effect.pooled and effect.measure == primary[effect.outcome]
    }
    counts = Counter(_origin(effect.r_source) for effect in pooled.values())
    assumed = ", ".join(f"{name} {outcome.r:g}" for name, outcome in config.outcomes.items())
    sentences = [
        f"Of the {len(pooled)} effects pooled on these measures, {counts['']} needed no "
        f"before-after correlation; it was reported in {counts['reported']}, derived in "
        f"{counts['derived']}, borrowed from other arms in {counts['borrowed']} and assumed "
        f"({assumed}) in {counts['assumed']}."
    ]
    base = sum("BASE" in effect.flags.split() for effect in pooled.values())
    means = "; ".join(
        f"{name} "
        + ", ".join(f"{site.replace('_', ' ')} {mean:g}" for site, mean in a.baseline_mean.items())
        for name, o in config.outcomes.items()
        for a in o.analytes.values()
        if a.baseline_mean
    )
    if means:
        sentences.append(
            f"A change printed without a level got a baseline mean ({means}; {base} of them)."
        )
    return sentences


def _origin(source: str) -> str:
    """Return the weakest origin of a correlation that two arms may share."""
    parts = set(source.split("+")) - {""}
    if parts & {"config", "uncorrelated"}:
        return "assumed"
    if "other_arms" in parts:
        return "borrowed"
    return "" if not parts else "reported" if parts == {"reported"} else "derived"


def _scope(config: Config) -> str:
    designs = joined([DESIGNS[design] for design in config.designs])
    comparators = "; ".join(COMPARATORS[kind] for kind in config.comparator_kinds)
    return f"Pools hold {designs}. Comparators in them: {comparators}."


def _small_k(config: Config) -> str:
    small = config.small_k
    hidden = "" if config.subgroups.overall_diamond else (
        " The average over all types of exercise is not shown."
    )  # fmt: skip
    return (
        f"One study is listed, not pooled; an average is shown from {small.diamond} studies on, a "
        f"prediction interval on plots and in words from {small.prediction_interval}, a test of "
        f"differences between types of exercise from {small.subgroup_test}.{hidden}"
    )


def _types(config: Config) -> str:
    share = config.subgroups.common_tau2_up_to
    return (
        "Types of exercise follow from the modality, else from what is typed with its reason; "
        f"they share one τ² if any of them has {share} studies or fewer."
    )


def _directions(config: Config) -> str:
    windows = ", ".join(f"{name} ({hours_words(name, config.windows)})" for name in config.windows)
    return (
        f"A study counts as up or down where {100 * config.directions.agreement_share:g} % of its "
        "known directions agree; sign tests are exact and two-sided, given as the range over all "
        f"that the unknown directions could be. Windows after a single bout: {windows}."
    )
