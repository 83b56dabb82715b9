"""Results in words that a clinician would sign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from osteometa.protocol.config import Config, Synthesis
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow
from osteometa.report.findings import Findings
from osteometa.wording import syntheses
from osteometa.wording.choices import INTERVALS
from osteometa.wording.models import heterogeneity, subgroup_words
from osteometa.wording.numbers import counted, joined, p_number, p_text, small, unbroken
from osteometa.wording.scale import Scale
from osteometa.wording.syntheses import window_words
from osteometa.wording.vocabulary import SHOWN_APART, ExerciseType, group_heading

DIRECTIONS = {
    "up": "up", "down": "down", "mixed": "mixed", "zero": "no change", "unknown": "not known",
}  # fmt: skip


def heading(synthesis: Synthesis, config: Config) -> str:
    """Return what a synthesis is about, as a heading."""
    label = config.outcomes[synthesis.outcome].label
    parts = [label, what_words(synthesis), room_words(synthesis).lower()]
    return "; ".join([*parts, *window_words(synthesis.window, config.windows)])


def room_words(synthesis: Synthesis) -> str:
    """Return phase and design class, which never share a synthesis."""
    return syntheses.room_words(synthesis.phase, synthesis.design_class)


def what_words(synthesis: Synthesis) -> str:
    """Return the site, or of what kind the analyte is."""
    if synthesis.site:
        return synthesis.site.replace("_", " ")
    words = synthesis.analyte.split("_")
    kind = " ".join(words[1:] if synthesis.outcome.lower() in words[0] else words)
    return syntheses.not_stated(synthesis.analyte) if kind == "not stated" else kind


def subject(synthesis: Synthesis) -> str:
    """Return what was measured, as the subject of a sentence."""
    if synthesis.site:
        return f"{synthesis.outcome} at the {synthesis.site.replace('_', ' ')}"
    kind = what_words(synthesis)
    if "not stated" in kind or " " in kind:
        return f"{synthesis.outcome} ({kind})"
    return f"{kind} {synthesis.outcome}"


def counts_of(cast: Sequence[StudyDirection]) -> dict[str, int]:
    """Return how many voting studies say what of the direction, those that occur only."""
    counts = Counter(vote.direction for vote in cast if vote.counted)
    return {name: counts[name] for name in DIRECTIONS if counts[name]}


def vote_words(cast: Sequence[StudyDirection]) -> str:
    """Return the same in words."""
    words = [f"{number} {DIRECTIONS[name]}" for name, number in counts_of(cast).items()]
    silent = sum(not vote.counted for vote in cast)
    return ", ".join([*words, *([f"{silent} without a vote"] if silent else [])])


def size_words(row: PooledRow, scale: Scale, within: bool = False) -> str:
    """Return an estimate with its side, interval and unit; signs mean the same in both."""
    limits = f"95 % CI {scale.limits(row.ci_low, row.ci_high)}"
    number = scale.number(row.estimate)
    if scale.percent:
        size = f"difference {number} %"
    elif scale.measure == "ROM":
        size = f"ratio of means {number}"
    elif scale.measure == "MD":
        size = f"difference {number} {scale.unit}"
    else:
        size = f"difference {number} standard deviations"
    return f"{_side(row.estimate, scale, within)} ({size}, {limits})"


def _side(value: float, scale: Scale, within: bool) -> str:
    if scale.number(value) == scale.number(0):
        return "the same after as before" if within else "the same with exercise as without"
    word = "higher" if value > 0 else "lower"
    return f"{word} after exercise than before" if within else f"{word} with exercise"


def people_words(effects: Sequence[WeightedEffect]) -> str:
    """Return how many people stand behind effects, as far as printed."""
    known = [e.n_total for e in effects if e.n_total is not None]
    silent = len(effects) - len(known)
    parts = [counted(sum(known), "person", "people")] if known else []
    if silent:
        verb = "prints" if silent == 1 else "print"
        parts.append(f"{counted(silent, 'study', 'studies')} that {verb} no n")
    return " and ".join(parts)


def synthesis_sentences(found: Findings, risk: str, certainty: str) -> list[str]:
    """Return what one synthesis says, sentence by sentence; appraisal is always the last.

    Parameters
    ----------
    found : Findings
    risk, certainty : str
        What people have judged, or "not assessed".
    """
    appraisal = f"Risk of bias: {risk}. Certainty of the evidence: {certainty}."
    if found.row.status == "empty":
        return ["No study of the tables falls here: nothing is known.", appraisal]
    main = found.model()
    if main is None or main.estimate is None:
        noted = main is not None and main.k and main.note
        reason = main.note if noted else found.row.reason
        parts = [f"No size of effect on {subject(found.synthesis)} is known: {reason}."]
    elif main.k == 1:
        parts = _one(found, main)
    else:
        parts = _several(found, main)
    parts += _outside(found)
    parts += _note(found)
    if found.row.design_class == "within_arm":
        parts.append(
            "A change within one arm has no comparator: it cannot tell exercise from other causes."
        )
    return [unbroken(part) for part in (*parts, appraisal)]


def _note(found: Findings) -> list[str]:
    """Return what a reader must keep in mind of a set after a single bout."""
    note = found.row.note
    if "1 of 1 studies do not" in note:
        note = note.replace("1 of 1 studies do not", "the one study does not")
        note = note.replace("or do not say so", "or does not say so")
    return [f"{note[0].upper()}{note[1:]}."] if note else []


def _studies(found: Findings, number: int) -> str:
    trials = {effect.design for effect in found.pool} <= {"rct", "crossover_rct"}
    words = ("randomised trial", "") if trials else ("study", "studies")
    return counted(number, *words)


def _one(found: Findings, main: PooledRow) -> list[str]:
    effect = found.pool[0]
    who = ", ".join(filter(None, [effect.label, ExerciseType(effect.exercise_type).words]))
    within = found.row.design_class == "within_arm"
    size = size_words(main, found.scale(), within)
    return [
        f"{_studies(found, 1).capitalize()} ({who}; {people_words(found.pool)}) gives a size: "
        f"{subject(found.synthesis)} was {size}; {_verdict(main, within)}. One study is not pooled."
    ]


def _several(found: Findings, main: PooledRow) -> list[str]:
    scale, who = found.scale(), f"{_studies(found, main.k)} ({people_words(found.pool)})"
    if found.shown() is None:
        parts = [
            f"{who[0].upper()}{who[1:]} give a size of the effect on {subject(found.synthesis)}; "
            "as config.yaml chooses, no average over all of them is shown."
        ]
    else:
        within = found.row.design_class == "within_arm"
        size = size_words(main, scale, within)
        parts = [
            f"In {who} {subject(found.synthesis)} was on average {size}; {_verdict(main, within)}.",
            *_spread(found, main),
        ]
    return [*parts, *_types(found)]


def _verdict(main: PooledRow, within: bool) -> str:
    if main.ci_low <= 0 <= main.ci_high:
        what = "it rose or fell" if within else "exercise raises or lowers it"
        return f"the interval leaves open whether {what}"
    side = "above" if main.ci_low > 0 else "below"
    return f"the whole interval lies {side} no difference"


def _spread(found: Findings, main: PooledRow) -> list[str]:
    scale = found.scale()
    if main.method == "EE":
        return ["One effect common to all studies is assumed; how far they differ is not modelled."]
    if main.k == 2:
        common = found.model(primary=False)
        beside = "" if common is None else (
            " If both had one common effect, it would be "
            f"{scale.with_interval(common.estimate, common.ci_low, common.ci_high)}"
            f"{' %' if scale.percent else ''}."
        )  # fmt: skip
        return [f"Two studies cannot show how much studies differ.{beside}"]
    if main.tau2 == 0:
        upper = (
            "" if main.tau2_ci_high is None else f" (95 % upper limit {small(main.tau2_ci_high)})"
        )
        return [
            f"The variance between studies, τ², is estimated as 0{upper}: no prediction interval "
            "is given, and that the studies agree is not shown."
        ]
    if main.pi_shown:
        limits = f"{scale.number(main.pi_low)} and {scale.number(main.pi_high)}"
        return [
            f"Studies differ (I² {main.i2:.0f} %): in a new study like these the effect is "
            f"expected between {limits}{' %' if scale.percent else ''} (95 % prediction interval)."
        ]
    few = counted(main.k, "study", "studies")
    return [f"Studies differ (I² {main.i2:.0f} %), but {few} are too few to say by how much."]


def _types(found: Findings) -> list[str]:
    kinds = found.types
    if len(kinds) == 1:
        return [f"Type of exercise in all of them: {ExerciseType(kinds[0]).words}."]
    scale, parts = found.scale(), []
    few: dict[int, list[str]] = {}
    for kind in kinds:
        row, word = found.shown(kind), kind.words
        if row is None or row.k == 1:
            number = sum(effect.exercise_type == kind for effect in found.pool)
            few.setdefault(number, []).append(word)
            continue
        size = scale.number(row.estimate) + (" %" if scale.percent else "")
        limits = scale.limits(row.ci_low, row.ci_high)
        parts.append(f"{word} {size} (95 % CI {limits}; {counted(row.k, 'study', 'studies')})")
    for number, names in sorted(few.items()):
        studies = counted(number, "study", "studies") + (" each" if len(names) > 1 else "")
        parts.append(f"{studies} of {joined(names)}" + (", not averaged" if number > 1 else ""))
    tested = [f"{subgroup_words(found.test)}."] if found.test is not None else []
    return [f"By type of exercise: {'; '.join(parts)}.", *tested]


def _outside(found: Findings) -> list[str]:
    blocks = {
        block: len({e.study_id for e in found.sized if e.block == block}) for block in SHOWN_APART
    }
    apart = [f"{block.words} ({number})" for block, number in blocks.items() if number]
    parts = [f"Studies with a size that are not pooled: {', '.join(apart)}."] if apart else []
    if found.told:
        number = len(found.told)
        who = counted(number, "further study", "further studies") if found.sized else counted(
            number, "study", "studies"
        )  # fmt: skip
        verb = "gives" if number == 1 else "give"
        parts.append(
            f"{who.capitalize()} {verb} no size, at most a direction: {vote_words(found.told)}."
        )
    return parts


def pooled_cells(row: PooledRow, scale: Scale) -> dict[str, str]:
    """Return one row of the table of pooled numbers as text."""
    effect = prediction = ""
    if row.estimate is not None:
        effect = scale.with_interval(row.estimate, row.ci_low, row.ci_high)
    if row.pi_low is not None and row.tau2:
        prediction = f"{scale.number(row.pi_low)} to {scale.number(row.pi_high)}"
    model = "common effect" if row.method == "EE" else f"random effects, {row.method}"
    return {
        "measure": f"{scale.title} ({row.measure})",
        "group": group_heading(row.group),
        "model": "one study" if row.k == 1 else f"{model}, {INTERVALS[row.ci_method]}",
        "k": str(row.k),
        "effect": effect or row.status.replace("_", " "),
        "prediction": prediction,
        "p": p_number(row.p),
        "heterogeneity": _heterogeneity(row),
        "note": row.note,
    }


def _heterogeneity(row: PooledRow) -> str:
    if row.q is None:
        return ""
    if row.method == "EE":
        return f"I² = {row.i2:.0f} %; Q = {row.q:.2f}, df = {row.q_df}, {p_text(row.q_p)}"
    return heterogeneity(row).partition("; ")[2]
