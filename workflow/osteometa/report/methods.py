"""The methods as they were run: every sentence is made from the resolved config."""

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version

from osteometa import __version__
from osteometa.protocol.config import Config
from osteometa.records.effects import WeightedEffect
from osteometa.records.groups import grouped
from osteometa.report.findings import Review
from osteometa.wording.choices import ESTIMATORS
from osteometa.wording.numbers import MINUS, counted, joined
from osteometa.wording.syntheses import hours_words, site_words
from osteometa.wording.vocabulary import ComparatorKind, CorrelationSource, Design, Flag, Measure

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
SMALLEST_UNIT = {"SMD": "SD", "ROM": "%"}
LIBRARIES = ("PyMARE", "statsmodels", "numpy", "scipy", "matplotlib", "snakemake", "pydantic")
ASSUMED = {CorrelationSource.CONFIG, CorrelationSource.UNCORRELATED}


def software_versions() -> dict[str, str]:
    """Return the versions of osteometa and of libraries that are installed."""
    return {"osteometa": __version__, **{name: version(name) for name in LIBRARIES}}


def methods_sentences(review: Review, versions: dict[str, str]) -> list[str]:
    """Return the methods, sentence by sentence, with the versions of osteometa and of libraries."""
    config = review.config
    return [
        model_words(config, versions),
        *correlation_words(config, review.effects),
        scope_words(config),
        small_k_words(config),
        type_words(config),
        *direction_words(config),
        *([_claims(config)] if review.claims else []),
        f"The same data were refitted with PyMARE {versions['PyMARE']} and statsmodels "
        f"{versions['statsmodels']}.",
        contribution_words(review),
    ]


def _claims(config: Config) -> str:
    smallest = [
        f"{bound:g} {SMALLEST_UNIT.get(measure, 'in the pooled unit')} ({name})"
        for name, outcome in config.outcomes.items()
        for measure, bound in outcome.smallest_effect.items()
        if measure == outcome.measures[0]
    ]
    unchanged = "is not settled, because no smallest effect of interest is given"
    if smallest:
        bounds = joined(smallest)
        unchanged = (
            f"is supported only by an interval within the smallest effect of interest, {bounds}"
        )
    return (
        "A claim that an outcome rises or falls is supported if the 95 % interval of the pooled "
        "estimate lies wholly on that side of no effect, contradicted if wholly on the other, and "
        "otherwise not settled; so is the difference of two exercise types. A claim of no change "
        f"{unchanged}. One study settles no claim. Without an "
        "estimate, directions settle a claim only if the sign test has p < 0.05 whatever the "
        "directions that are not reported may be; they never settle a claim of no change."
    )


def model_words(config: Config, versions: dict[str, str]) -> str:
    """Return the model of pooling, with intervals and software."""
    software = f"osteometa {versions['osteometa']}"
    names = grouped(config.outcomes, lambda name: config.outcomes[name].measures[0])
    measures = joined([f"{Measure(m).plural} ({', '.join(of)})" for m, of in names.items()])
    model, interval = MODELS[config.pooling.method].format(software), INTERVALS[config.pooling.ci]
    if config.pooling.method == "EE":
        return f"We pooled {measures} with {model} and {interval}."
    degrees = config.pooling.pi_df.replace("-", MINUS)
    return (
        f"We pooled {measures} with {model}, {interval}, Q-profile intervals for τ² and 95 % "
        f"prediction intervals from t({degrees})."
    )


def correlation_words(config: Config, effects: Sequence[WeightedEffect]) -> list[str]:
    """Return where pre-post correlations and levels of changes come from."""
    primary = {name: outcome.measures[0] for name, outcome in config.outcomes.items()}
    pooled = {
        effect.effect_id: effect
        for effect in effects
        if effect.pooled and effect.measure == primary[effect.outcome]
    }
    counts = Counter(_origin(effect) for effect in pooled.values())
    assumed = ", ".join(f"{name} {outcome.r:g}" for name, outcome in config.outcomes.items())
    sentences = [
        f"Of {counted(len(pooled), 'effect')} on these measures, {counts['']} needed no pre-post "
        f"correlation; it was reported for {counts['reported']}, derived for {counts['derived']}, "
        f"taken from other arms for {counts['borrowed']} and assumed ({assumed}) for "
        f"{counts['assumed']}."
    ]
    means = [
        f"{name} " + ", ".join(f"{site_words(s)} {m:g}" for s, m in analyte.baseline_mean.items())
        for name, outcome in config.outcomes.items()
        for analyte in outcome.analytes.values()
        if analyte.baseline_mean
    ]
    if means:
        base = sum(Flag.BASELINE_MEAN in effect.flags for effect in pooled.values())
        sentences.append(
            "Changes reported without a level were related to an assumed baseline mean "
            f"({'; '.join(means)}) in {base} of these effects."
        )
    return sentences


def _origin(effect: WeightedEffect) -> str:
    """Return the weakest source of a correlation that two arms may share."""
    sources = set(effect.r_source)
    if sources & ASSUMED:
        return "assumed"
    if CorrelationSource.OTHER_ARMS in sources:
        return "borrowed"
    if not sources:
        return ""
    return "reported" if sources == {CorrelationSource.REPORTED} else "derived"


def scope_words(config: Config) -> str:
    """Return the designs and comparators that are pooled."""
    designs = joined([Design(design).plural for design in config.designs])
    comparators = "; ".join(ComparatorKind(kind).words for kind in config.comparator_kinds)
    return f"Pools include {designs}. Eligible comparators: {comparators}."


def small_k_words(config: Config) -> str:
    """Return from how many studies on averages, intervals and tests are shown."""
    small = config.small_k
    hidden = "" if config.subgroups.overall_diamond else (
        " The average over all types of exercise is not shown."
    )  # fmt: skip
    return (
        f"A single study is listed, not pooled. Averages are shown from {small.diamond} studies, "
        f"prediction intervals in figures and text from {small.prediction_interval}, tests of "
        f"differences between types of exercise from {small.subgroup_test}.{hidden}"
    )


def type_words(config: Config) -> str:
    """Return how exercise types are determined, and when they share one τ²."""
    share = counted(config.subgroups.common_tau2_up_to, "study", "studies")
    return (
        "The type of exercise follows from the modality, or where this does not decide from an "
        f"entry with its reason; types share one τ² if any of them has {share} or fewer."
    )


def direction_words(config: Config) -> list[str]:
    """Return how directions are counted, and the windows after a bout."""
    share = f"{100 * config.directions.agreement_share:g} %"
    windows = ", ".join(f"{name} ({hours_words(name, config.windows)})" for name in config.windows)
    return [
        f"A study has a direction, up or down, if at least {share} of its known directions agree. "
        "Sign tests are exact and two-sided, given as the range over all values that the unknown "
        "directions could take.",
        f"Windows after a single bout: {windows}.",
    ]


def contributions(review: Review) -> tuple[int, int, int]:
    """Return how many included studies give an effect estimate, a direction only, and neither."""
    included = {study.study_id for study in review.tables.studies if study.include == "yes"}
    sized = {effect.study_id for effect in review.effects} & included
    directions = {study.study_id for found in review.findings for study in found.directions}
    only = (directions & included) - sized
    return len(sized), len(only), len(included - sized - only)


def contribution_words(review: Review) -> str:
    """Return how many included studies contribute what."""
    sized, only, neither = contributions(review)
    verb = "contributes" if sized == 1 else "contribute"
    return (
        f"Of {counted(sized + only + neither, 'included study', 'included studies')}, {sized} "
        f"{verb} an effect estimate, {only} a direction only, and {neither} neither."
    )
