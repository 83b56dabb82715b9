"""The rows of a forest plot, as text and numbers, before anything is placed or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from osteometa.figures.forest.words import N_WITHIN_WORDS, N_WORDS, NO_VOTE_WORDS
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow, SubgroupTest
from osteometa.wording.models import heterogeneity, model_words, subgroup_words
from osteometa.wording.numbers import p_text, signed, small
from osteometa.wording.scale import Scale, unit_words
from osteometa.wording.vocabulary import ALL_STUDIES, SHOWN_APART, ExerciseType, Flag

DIRECTION_ONLY = "Direction only (not estimable)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One row of a forest plot; empty texts and None where a column has nothing."""

    kind: str
    """heading, study, diamond, interval, note, direction or message."""
    label: str
    marks: str = ""
    """Superscript letters of the flags."""
    exercise_n: str = ""
    exercise_mean: str = ""
    control_n: str = ""
    control_mean: str = ""
    unit: str = ""
    """Of the means, where they are not percent changes."""
    n_total: str = ""
    """People of the largest comparison, where n per arm is not printed."""
    effect: str = ""
    weight: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    share: float | None = None
    """Weight in percent; None for a study outside the pool."""
    shape: str = ""
    """full or hollow diamond; up, down, zero, mixed or unknown direction."""
    risk_of_bias: str = ""
    """Overall judgement that people entered."""
    effect_id: str = ""
    """The row of effects.csv that a square shows."""
    flags: str = ""
    """What the superscript letters stand for."""


def forest_rows(
    effects: Sequence[WeightedEffect], votes: Sequence[StudyDirection], pooled: Sequence[PooledRow],
    tests: Sequence[SubgroupTest], settings: dict[str, Any],
) -> tuple[list[ForestRow], list[str]]:  # fmt: skip
    """Return the rows of the forest plot of one synthesis, and the lines of its legend.

    Parameters
    ----------
    effects, votes, pooled, tests
        The records of `results/<synthesis>/`.
    settings
        `synthesis` (the declaration), `label`, `measure`, `axis`, `interval`, `pi_df`,
        `pi_least`, `leading_zero`.
    """
    measure = settings["measure"]
    chosen = [effect for effect in effects if effect.measure == measure]
    unit = next((effect.unit for effect in chosen if effect.unit), "")
    scale = Scale(measure, unit, *(settings[key] for key in ("interval", "ratio_as", "decimals")))
    letters = _letters(chosen)
    models = [row for row in pooled if row.measure == measure and row.primary]
    test = next((row for row in tests if row.measure == measure), None)
    rows = _pooled_block(chosen, models, test, scale, letters, settings)
    for block in SHOWN_APART:
        members = [effect for effect in chosen if effect.block == block]
        if members:
            rows.append(ForestRow(kind="heading", label=block.apart))
            # In no order of types, which have no headings here.
            members.sort(key=lambda effect: (effect.year or 0, effect.label, effect.effect_id))
            rows += [_study(effect, scale, letters, chosen) for effect in members]
    with_size = {effect.study_id for effect in chosen}
    told = [vote for vote in votes if vote.study_id not in with_size]
    if told:
        rows.append(ForestRow(kind="heading", label=DIRECTION_ONLY))
        rows += [_direction(vote) for vote in told]
    message = _message(chosen, told, settings)
    if message:
        rows.insert(0, ForestRow(kind="message", label=message))
    within = settings["synthesis"]["design_class"] == "within_arm"
    people = N_WITHIN_WORDS if within else N_WORDS
    legend = [people] if any(row.n_total.startswith("N ") for row in rows) else []
    legend += [NO_VOTE_WORDS] if any(row.effect.endswith("no vote") for row in rows) else []
    legend += [f"{letter}: {Flag(flag).words}" for flag, letter in letters.items()]
    return rows, legend


def _message(
    chosen: Sequence[WeightedEffect], told: Sequence[StudyDirection], settings: dict
) -> str:
    if chosen:
        return ""
    if not told:
        return "No study of the tables falls into this synthesis: nothing to draw."
    within = settings["synthesis"]["design_class"] == "within_arm"
    where = "before and after" if within else "in both arms"
    measure = settings["measure"]
    size = "a ratio of means" if measure == "ROM" else f"an {measure}"
    return (
        f"Directions only: no study prints numbers that give {size}. Missing: means with SD "
        f"(or SE, CI, exact p) {where}."
    )


def _letters(effects: Sequence[WeightedEffect]) -> dict[str, str]:
    flags = sorted({flag for effect in effects for flag in effect.flags.split()})
    return {flag: "abcdefghijklmnopq"[index] for index, flag in enumerate(flags)}


def _pooled_block(
    effects: Sequence[WeightedEffect], models: Sequence[PooledRow], test: SubgroupTest | None,
    scale: Scale, letters: dict[str, str], settings: dict[str, Any],
) -> list[ForestRow]:  # fmt: skip
    inside = [effect for effect in effects if effect.pooled]
    kinds = [kind for kind in ExerciseType if any(e.exercise_type == kind for e in inside)]
    by_group = {row.group: row for row in models}
    rows: list[ForestRow] = []
    for kind in kinds:
        rows.append(ForestRow(kind="heading", label=kind.heading))
        members = [effect for effect in inside if effect.exercise_type == kind]
        rows += [_study(effect, scale, letters, effects) for effect in members]
        if len(kinds) > 1 and by_group[kind].diamond != "none":
            share = sum(effect.weight for effect in members if effect.weight is not None)
            rows.append(_diamond(by_group[kind], scale, kind.heading, f"{share:.1f}"))
            words = heterogeneity(by_group[kind], settings["leading_zero"])
            rows.append(ForestRow(kind="note", label=words))
    overall = by_group.get("overall")
    if overall is None or not inside:
        return rows
    if overall.diamond == "none":
        # Without a diamond no pool is displayed of which these could be the weights.
        rows = [replace(row, weight="") for row in rows]
    return rows + _overall(overall, test, len(kinds), scale, settings)


def _overall(
    row: PooledRow, test: SubgroupTest | None, kinds: int, scale: Scale, settings: dict[str, Any]
) -> list[ForestRow]:
    if row.status == "listed":
        return [ForestRow(kind="note", label="One study: its own interval, nothing is pooled.")]
    if row.status != "ok":
        return [ForestRow(kind="note", label=f"Not estimable: {row.note}.")]
    rows = []
    if row.diamond != "none":
        mark = " (k = 2)" if row.k == 2 else ""
        rows.append(_diamond(row, scale, f"{ALL_STUDIES}{mark}", "100"))
    if row.pi_shown:
        rows.append(
            ForestRow(
                kind="interval", label="95 % prediction interval", low=row.pi_low, high=row.pi_high,
                effect=scale.with_interval(row.estimate, row.pi_low, row.pi_high).split(" ", 1)[1],
            )
        )  # fmt: skip
    zero = settings["leading_zero"]
    rows.append(ForestRow(kind="note", label=heterogeneity(row, zero)))
    if row.statistic is not None:
        letter = "z" if row.df is None else f"t({row.df:g})"
        words = f"Overall effect: {letter} = {signed(row.statistic, 2)}, {p_text(row.p, zero)}"
        rows.append(ForestRow(kind="note", label=words))
    if kinds > 1 and test is not None:
        rows.append(ForestRow(kind="note", label=subgroup_words(test, zero)))
    # Of fewer studies none is shown, whatever their tau2.
    enough = row.k >= settings["pi_least"]
    if enough and not row.pi_shown and row.tau2 == 0 and row.tau2_ci_high is not None:
        words = f"No prediction interval: τ² is estimated 0 (up to {small(row.tau2_ci_high)})"
        rows.append(ForestRow(kind="note", label=words))
    rows.append(ForestRow(kind="note", label=model_words(row, settings["pi_df"])))
    return rows


def _diamond(row: PooledRow, scale: Scale, label: str, weight: str) -> ForestRow:
    return ForestRow(
        kind="diamond", label=label, shape=row.diamond, estimate=row.estimate, low=row.ci_low,
        high=row.ci_high, effect=scale.with_interval(row.estimate, row.ci_low, row.ci_high),
        weight=weight,
    )  # fmt: skip


def _study(
    effect: WeightedEffect, scale: Scale, letters: dict[str, str],
    effects: Sequence[WeightedEffect],
) -> ForestRow:  # fmt: skip
    arms = {other.arm_id for other in effects if other.study_id == effect.study_id}
    label = effect.label if len(arms) == 1 else f"{effect.label}, {effect.arm_label}"
    if effect.block == "active":
        label = f"{effect.label}, {effect.arm_label} v {effect.comparator.replace('_', ' ')}"
    decimals = _decimals(effect)
    return ForestRow(
        kind="study",
        label=label,
        marks=" ".join(letters[flag] for flag in effect.flags.split()),
        exercise_n="" if effect.n_exercise is None else str(effect.n_exercise),
        exercise_mean=_mean(effect.mean_exercise, effect.sd_exercise, decimals, effect.means_kind),
        control_n="" if effect.n_control is None else str(effect.n_control),
        unit=unit_words(effect.means_unit),
        n_total=_n_total(effect),
        control_mean=_mean(effect.mean_control, effect.sd_control, decimals, effect.means_kind),
        effect=scale.with_interval(effect.yi, effect.ci_low, effect.ci_high),
        weight="" if effect.weight is None else f"{effect.weight:.1f}",
        estimate=effect.yi,
        low=effect.ci_low,
        high=effect.ci_high,
        share=effect.weight,
        risk_of_bias=effect.risk_of_bias,
        effect_id=effect.effect_id,
        flags=effect.flags,
    )


def _n_total(effect: WeightedEffect) -> str:
    if effect.n_control is not None or effect.n_exercise is not None:
        return ""
    return f"N {effect.n_total}" if effect.n_total else "n not stated"


def _decimals(effect: WeightedEffect) -> int:
    if effect.outcome == "BMD" and effect.means_kind != "pct_change":
        return 3
    return 1 if effect.means_kind == "pct_change" else 2


def _mean(mean: float | None, sd: float | None, decimals: int, shown: str) -> str:
    if mean is None:
        return ""
    spread = "" if sd is None else f" ({sd:.{decimals}f})"
    mark = {"pct_change": " %", "after": "†"}.get(shown, "")
    return signed(mean, decimals) + mark + spread


def _direction(vote: StudyDirection) -> ForestRow:
    words = {
        "up": "up", "down": "down", "mixed": "mixed", "zero": "none", "unknown": "not known",
    }[vote.direction]  # fmt: skip
    known = "" if vote.direction == "unknown" else f"{words}, "
    effect = words if vote.counted else f"{known}no vote"
    return ForestRow(
        kind="direction", label=vote.label, shape=vote.direction, effect=effect,
        n_total="" if vote.n is None else f"N {vote.n}",
    )  # fmt: skip


def alt_text(rows: Sequence[ForestRow], settings: dict[str, Any]) -> str:
    """Return what a forest plot says, for people who do not see it."""
    studies = [row for row in rows if row.kind == "study" and row.share is not None]
    told = [row for row in rows if row.kind == "direction"]
    overall = [row for row in rows if row.kind == "diamond" and row.label.startswith(ALL_STUDIES)]
    parts = [f"Forest plot of {settings['label']}, {settings['measure']}"]
    one = len(studies) == 1
    parts.append("1 study with a size, not pooled" if one else f"{len(studies)} pooled studies")
    if overall:
        parts.append(f"pooled effect {overall[0].effect}")
    if told:
        parts.append(f"{len(told)} with a direction only")
    return "; ".join(parts) + "."
