"""Results in words that a clinician would sign, and methods as they were run."""

from __future__ import annotations

from collections.abc import Sequence

from osteometa.config import Config, Synthesis
from osteometa.figures.forest_rows import TYPE_WORDS, Scale, heterogeneity, subgroup_words
from osteometa.records import (
    DirectionSet,
    PooledRow,
    SubgroupTest,
    SynthesisRow,
    Vote,
    WeightedEffect,
)

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def counted(number: int, word: str, plural: str = "") -> str:
    """Return a number with its noun."""
    text = NUMBERS[number] if number < len(NUMBERS) else str(number)
    return f"{text} {word if number == 1 else plural or word + 's'}"


def place_words(synthesis: Synthesis, config: Config) -> str:
    """Return what a synthesis is about, as a heading."""
    label = config.outcomes[synthesis.outcome].label
    parts = [label, what_words(synthesis), room_words(synthesis).lower()]
    if synthesis.window:
        parts.append(f"window {synthesis.window}")
    return "; ".join(part for part in parts if part)


def room_words(synthesis: Synthesis) -> str:
    """Return phase and design class, which never share a synthesis."""
    phase = "Training" if synthesis.phase == "training" else "Single bout"
    kind = "against a comparator" if synthesis.design_class == "controlled" else "within one arm"
    return f"{phase}, {kind}"


def what_words(synthesis: Synthesis) -> str:
    """Return the site, or of what kind the analyte is."""
    if synthesis.site:
        return synthesis.site.replace("_", " ")
    words = synthesis.analyte.split("_")
    kind = " ".join(words[1:] if synthesis.outcome.lower() in words[0] else words)
    return "kind not stated" if kind == "not stated" else kind


def vote_words(cast: Sequence[Vote]) -> str:
    """Return how many studies say what of the direction."""
    names = {"up": "up", "down": "down", "mixed": "mixed", "zero": "none", "unknown": "not known"}
    counts = {
        word: sum(vote.votes and vote.direction == direction for vote in cast)
        for direction, word in names.items()
    }
    return ", ".join(f"{number} {word}" for word, number in counts.items() if number)


def scale_of(measure: str, outcome: str, unit: str) -> Scale:
    """Return how effects are written in running text."""
    return Scale(measure, outcome, unit, "(a to b)")


def size_words(row: PooledRow, scale: Scale) -> str:
    """Return an estimate with its interval, with its unit."""
    limits = f"95 % CI {scale.number(row.ci_low)} to {scale.number(row.ci_high)}"
    if scale.percent:
        return f"{_side(row.estimate)} by {_plain(row, scale)} % ({limits} %)"
    if scale.measure == "ROM":
        return f"a ratio of means of {scale.number(row.estimate)} ({limits})"
    if scale.measure == "MD":
        return f"{_side(row.estimate)} by {_plain(row, scale)} {scale.unit} ({limits})"
    return f"{_side(row.estimate)} by {_plain(row, scale)} standard deviations ({limits})"


def _side(value: float) -> str:
    return "higher with exercise" if value >= 0 else "lower with exercise"


def _plain(row: PooledRow, scale: Scale) -> str:
    return scale.number(row.estimate).lstrip("\N{MINUS SIGN}")


def people_words(effects: Sequence[WeightedEffect]) -> str:
    """Return how many people stand behind effects, as far as printed."""
    known = [e.n_total for e in effects if e.n_total is not None]
    silent = len(effects) - len(known)
    text = f"{sum(known)} people"
    return text + (f" and {counted(silent, 'study', 'studies')} that prints no n" if silent else "")


def synthesis_sentence(
    about: str, row: SynthesisRow, pooled: Sequence[PooledRow], effects: Sequence[WeightedEffect],
    test: SubgroupTest | None, certainty: str,
) -> str:  # fmt: skip
    """Return what one synthesis says of its outcome (`about`)."""
    if row.status == "empty":
        return "No study of the tables falls here."
    if row.status == "direction_only":
        return (
            f"{counted(row.k_directions, 'study', 'studies').capitalize()} "
            f"{'tells' if row.k_directions == 1 else 'tell'} at most a direction: {row.reason}. "
            "No size of effect is known."
        )
    main = next((p for p in pooled if p.primary and p.group == "overall"
                 and p.measure == row.measure), None)  # fmt: skip
    inside = [e for e in effects if e.pooled and e.measure == row.measure]
    if main is None or not inside:
        return f"Nothing is pooled: {row.reason}."
    scale = scale_of(row.measure, row.outcome, next((e.unit for e in inside if e.unit), ""))
    if main.k == 1:
        return (
            f"One study ({inside[0].label}, {people_words(inside)}) gives a size: {about} was "
            f"{size_words(main, scale)}. Nothing is pooled. Certainty: {certainty}."
        )
    low, high = main.ci_low, main.ci_high
    verdict = (
        "the interval leaves open whether exercise raises or lowers it"
        if low <= 0 <= high
        else "the interval excludes no difference"
    )
    parts = [
        f"In {counted(main.k, 'study', 'studies')} ({people_words(inside)}) {about} was on "
        f"average {size_words(main, scale)}; {verdict}."
    ]
    if main.k == 2:
        parts.append("Two studies cannot show how much studies differ.")
    elif main.pi_shown:
        limits = f"{scale.number(main.pi_low)} to {scale.number(main.pi_high)}"
        unit = " %" if scale.percent else ""
        parts.append(
            f"Studies differ (I² {main.i2:.0f} %): in a new study of this kind the effect is "
            f"expected between {limits}{unit}."
        )
    elif main.tau2 == 0:
        parts.append("No heterogeneity was seen, which so few studies cannot rule out.")
    else:
        parts.append(f"Studies differ (I² {main.i2:.0f} %), by how much is imprecise.")
    if test is not None:
        parts.append(f"{subgroup_words(test)}.")
    parts.append(f"Certainty: {certainty}.")
    return " ".join(parts)


def direction_words(row: DirectionSet) -> str:
    """Return a sign test in words; the range over the unknown directions leads."""
    known = row.n_up + row.n_down
    total = known + row.n_unknown
    if not total:
        return "No direction is known."
    if row.n_unknown > known:
        return (
            f"The direction is not known for {row.n_unknown} of {total} studies; whatever they "
            f"found, the sign test's p lies between {row.p_lowest:.2g} and {row.p_highest:.2g}."
        )
    return (
        f"{row.n_up} of {known} known directions are up; over all the unknown ones could be, the "
        f"sign test's p lies between {row.p_lowest:.2g} and {row.p_highest:.2g}."
    )


def methods_paragraph(
    config: Config, effects: Sequence[WeightedEffect], direction_only: int, versions: dict[str, str]
) -> str:
    """Return the methods as they were run: made from the resolved config."""
    interval = {
        "hksj-floor": "Hartung-Knapp intervals never narrower than the conventional interval",
        "hksj": "Hartung-Knapp intervals",
        "wald": "conventional (Wald) intervals",
    }[config.pooling.ci]
    model = {
        "REML": "a random-effects model (REML)",
        "DL": "a random-effects model (DerSimonian-Laird)",
        "EE": "a common-effect model",
    }[config.pooling.method]
    measures = "; ".join(f"{name}: {o.measures[0]}" for name, o in config.outcomes.items())
    correlations = "; ".join(f"{name}: {o.r:g}" for name, o in config.outcomes.items())
    sources = {e.effect_id: e.r_source for e in effects if e.pooled and e.r_source}
    imputed = sum("config" in s or "other_arms" in s for s in sources.values())
    degrees = config.pooling.pi_df.replace("-", "\N{MINUS SIGN}")
    return (
        f"We pooled ({measures}) with {model}, {interval}, Q-profile intervals for τ² and 95 % "
        f"prediction intervals on t({degrees}), with osteometa {versions['osteometa']}; PyMARE "
        f"{versions['PyMARE']} and statsmodels {versions['statsmodels']} fitted the same sets. "
        f"Designs pooled: {', '.join(config.designs)}; comparators: "
        f"{', '.join(config.comparator_kinds)}. Exercise types were assigned by modality. "
        f"Before-after correlations were reported or derived for {len(sources) - imputed} pooled "
        f"effects and assumed for {imputed} ({correlations}). Types share one τ² if any has "
        f"{config.subgroups.common_tau2_up_to} studies or fewer; their difference is tested from "
        f"{config.small_k.subgroup_test} studies on. {direction_only} studies had no usable "
        "numbers and enter only the direction synthesis."
    )


def about_words(synthesis: Synthesis) -> str:
    """Return what was measured, as the subject of a sentence."""
    if synthesis.outcome == "BMD" and synthesis.site:
        return f"BMD at the {synthesis.site.replace('_', ' ')}"
    return synthesis.outcome


def pooled_cells(row: PooledRow, scale: Scale) -> dict[str, str]:
    """Return one row of the table of pooled numbers as text."""
    group = TYPE_WORDS.get(row.group, "All studies")
    effect = ""
    if row.estimate is not None:
        effect = scale.with_interval(row.estimate, row.ci_low, row.ci_high)
    prediction = ""
    if row.pi_low is not None and row.tau2:
        prediction = f"{scale.number(row.pi_low)} to {scale.number(row.pi_high)}"
    return {
        "measure": row.measure,
        "group": group,
        "model": f"{row.model} ({row.method}, {row.ci_method})",
        "effect": effect,
        "prediction": prediction,
        "p": "" if row.p is None else (f"{row.p:.3f}" if row.p >= 0.001 else "< 0.001"),
        "heterogeneity": heterogeneity(row) if row.q is not None else f"k = {row.k}",
        "note": row.note,
    }
