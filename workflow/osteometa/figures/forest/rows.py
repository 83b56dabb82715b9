"""The rows of a forest plot, as text and numbers, before anything is placed or drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase

from osteometa.figures.settings import FigureSettings
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow, SubgroupTest
from osteometa.synthesis.words import heterogeneity, model_words, subgroup_words
from osteometa.wording.measure_format import MeasureFormat, estimate_of, unit_words
from osteometa.wording.numbers import p_text, signed, small
from osteometa.wording.vocabulary import (
    OVERALL,
    SHOWN_APART,
    Block,
    ExerciseType,
    Flag,
    MeansKind,
    group_heading,
)

DIRECTION_ONLY = "direction_only"
"""The group of studies of which no effect estimate is available."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One row of a forest plot; empty texts and None where a column has nothing."""

    kind: str
    """heading, study, diamond, interval, note or direction."""
    group: str = ""
    """Of a heading, study, diamond or direction: an exercise type, a block of studies that are not
    pooled, overall or direction_only."""
    label: str
    marks: str = ""
    """Superscript letters of the flags."""
    exercise_n: str = ""
    exercise_mean: str = ""
    control_n: str = ""
    control_mean: str = ""
    unit: str = ""
    """Of the means, where they are not percent changes."""
    means_kind: str = ""
    """What the means are: change, pct_change or after."""
    participants: int | None = None
    """Of both arms, in the label where n per arm is not reported."""
    effect: str = ""
    weight: str = ""
    share: float | None = None
    """Weight in percent; None for a study outside the pool."""
    shape: str = ""
    """full or hollow diamond; or the direction of a study."""
    counted: bool | None = None
    """Whether a direction is counted in the sign test."""
    risk_of_bias: str = ""
    """Overall judgement entered by the reviewers."""
    effect_id: str = ""
    """The row of effects.csv that a square shows."""
    flags: str = ""
    """Meaning of the superscript letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestTableRow(ForestRow):
    """A row of the figure's CSV: None where it has no such number."""

    estimate: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study(ForestRow):
    """A study with its effect estimate."""

    kind: str = "study"
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diamond(ForestRow):
    """A pooled effect."""

    kind: str = "diamond"
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction(ForestRow):
    """A prediction interval."""

    kind: str = "interval"
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forest:
    """A forest plot before it is placed: its rows and what they are read by."""

    rows: Sequence[ForestRow]
    letters: Mapping[str, Flag]
    """The flag behind each superscript letter."""
    scale: MeasureFormat
    settings: FigureSettings


def forest_of(
    effects: Sequence[WeightedEffect], directions: Sequence[StudyDirection],
    pooled: Sequence[PooledRow], tests: Sequence[SubgroupTest], settings: FigureSettings,
) -> Forest:  # fmt: skip
    """Return the forest plot of one measure from the records of `results/<synthesis>/`."""
    measure = settings.measure
    chosen = [effect for effect in effects if effect.measure == measure]
    scale = settings.scale(next((effect.unit for effect in chosen if effect.unit), ""))
    flags = sorted({flag for effect in chosen for flag in effect.flags})
    letters = dict(zip(flags, ascii_lowercase, strict=False))
    studies = [_study(effect, scale, letters, chosen) for effect in chosen]
    models = {row.group: row for row in pooled if row.measure == measure and row.primary}
    test = next((row for row in tests if row.measure == measure), None)
    rows = _pooled_rows(studies, models, test, scale, settings)
    # In no order of types, which have no headings there.
    by_year = sorted(
        zip(chosen, studies, strict=True),
        key=lambda pair: (pair[0].year or 0, pair[0].label, pair[0].effect_id),
    )
    for block in SHOWN_APART:
        members = [study for effect, study in by_year if effect.block == block]
        if members:
            rows += [ForestRow(kind="heading", group=block, label=block.apart), *members]
    with_effect = {effect.study_id for effect in chosen}
    only = [found for found in directions if found.study_id not in with_effect]
    if only:
        label = "Direction only (no effect estimate available)"
        rows.append(ForestRow(kind="heading", group=DIRECTION_ONLY, label=label))
        rows += [_direction(found) for found in only]
    return Forest(rows, {letter: flag for flag, letter in letters.items()}, scale, settings)


def _pooled_rows(
    studies: Sequence[Study], models: Mapping[str, PooledRow], test: SubgroupTest | None,
    scale: MeasureFormat, settings: FigureSettings,
) -> list[ForestRow]:  # fmt: skip
    kinds = [kind for kind in ExerciseType if any(study.group == kind for study in studies)]
    rows: list[ForestRow] = []
    for kind in kinds:
        members = [study for study in studies if study.group == kind]
        rows += [ForestRow(kind="heading", group=kind, label=kind.heading), *members]
        model = models[kind] if len(kinds) > 1 else None
        share = sum(study.share for study in members if study.share is not None)
        pool = None if model is None else _diamond(model, scale, f"{share:.1f}")
        if model is not None and pool is not None:
            zero = settings.preset.leading_zero
            rows += [pool, ForestRow(kind="note", label=heterogeneity(model, zero))]
    overall = models.get(OVERALL)
    if overall is None or not kinds:
        return rows
    if overall.diamond == "none":
        # Without a diamond no pool is displayed of which these could be the weights.
        rows = [replace(row, weight="") for row in rows]
    return rows + pool_rows(overall, test if len(kinds) > 1 else None, scale, settings)


def pool_rows(
    row: PooledRow, test: SubgroupTest | None, scale: MeasureFormat, settings: FigureSettings
) -> list[ForestRow]:
    """Return the rows of the pool of all studies: diamond, prediction interval, notes."""
    if row.status == "listed":
        return [ForestRow(kind="note", label="One study: its own interval, nothing is pooled.")]
    if row.status != "ok":
        return [ForestRow(kind="note", label=f"Not estimable: {row.note}.")]
    rows: list[ForestRow] = []
    pool = _diamond(row, scale, "100")
    if pool is not None:
        rows.append(pool)
    if row.pi_shown and row.pi_low is not None and row.pi_high is not None:
        rows.append(
            Prediction(
                label="95 % prediction interval", low=row.pi_low, high=row.pi_high,
                effect=scale.bracketed(row.pi_low, row.pi_high),
            )
        )  # fmt: skip
    return rows + [ForestRow(kind="note", label=note) for note in _notes(row, test, settings)]


def _notes(row: PooledRow, test: SubgroupTest | None, settings: FigureSettings) -> list[str]:
    """Return the rows below the pool of all studies."""
    zero = settings.preset.leading_zero
    notes = [heterogeneity(row, zero)]
    if row.statistic is not None:
        letter = "z" if row.df is None else f"t({row.df:g})"
        notes.append(
            f"Overall effect: {letter} = {signed(row.statistic, 2)}, {p_text(row.p, zero)}"
        )
    if test is not None:
        notes.append(subgroup_words(test, zero))
    # With fewer studies none is shown, regardless of tau2.
    enough = row.k >= settings.pi_least
    if enough and not row.pi_shown and row.tau2 == 0 and row.tau2_ci_high is not None:
        notes.append(
            f"No prediction interval: τ² is estimated as 0 (upper limit {small(row.tau2_ci_high)})"
        )
    return [*notes, model_words(row, settings.pi_df)]


def _diamond(row: PooledRow, scale: MeasureFormat, weight: str) -> Diamond | None:
    """Return the diamond of a pool, None where none is drawn."""
    found = estimate_of(row)
    if found is None or row.diamond == "none":
        return None
    few = " (k = 2)" if row.group == OVERALL and row.k == 2 else ""
    return Diamond(
        group=row.group, label=f"{group_heading(row.group)}{few}", shape=row.diamond,
        estimate=found.value, low=found.low, high=found.high, effect=scale.with_interval(*found),
        weight=weight,
    )  # fmt: skip


def _study(
    effect: WeightedEffect, scale: MeasureFormat, letters: Mapping[Flag, str],
    effects: Sequence[WeightedEffect],
) -> Study:  # fmt: skip
    arms = {other.arm_id for other in effects if other.study_id == effect.study_id}
    label = effect.label if len(arms) == 1 else f"{effect.label}, {effect.arm_label}"
    if effect.block == Block.ACTIVE:
        label = f"{effect.label}, {effect.arm_label} v {effect.comparator.replace('_', ' ')}"
    by_arm = effect.n_control is not None or effect.n_exercise is not None
    has_means = effect.mean_exercise is not None or effect.mean_control is not None
    return Study(
        group=effect.exercise_type if effect.pooled else effect.block,
        label=label if by_arm else _with_participants(label, effect.n_total),
        marks=" ".join(letters[flag] for flag in sorted(effect.flags)),
        exercise_n="" if effect.n_exercise is None else str(effect.n_exercise),
        exercise_mean=_mean(effect.mean_exercise, effect.sd_exercise, effect.means_kind, scale),
        control_n="" if effect.n_control is None else str(effect.n_control),
        control_mean=_mean(effect.mean_control, effect.sd_control, effect.means_kind, scale),
        unit=unit_words(effect.means_unit),
        means_kind=(effect.means_kind or "") if has_means else "",
        participants=None if by_arm else effect.n_total,
        effect=scale.with_interval(effect.yi, effect.ci_low, effect.ci_high),
        weight="" if effect.weight is None else f"{effect.weight:.1f}",
        estimate=effect.yi, low=effect.ci_low, high=effect.ci_high, share=effect.weight,
        risk_of_bias=effect.risk_of_bias, effect_id=effect.effect_id,
        flags=" ".join(sorted(effect.flags)),
    )  # fmt: skip


def _mean(
    mean: float | None, sd: float | None, kind: MeansKind | None, scale: MeasureFormat
) -> str:
    if mean is None or kind is None:
        return ""
    decimals = 1 if kind == MeansKind.PCT_CHANGE else scale.decimals
    spread = "" if sd is None else f" ({sd:.{decimals}f})"
    mark = {MeansKind.PCT_CHANGE: " %", MeansKind.AFTER: "†"}.get(kind, "")
    return signed(mean, decimals) + mark + spread


def _direction(found: StudyDirection) -> ForestRow:
    words = found.direction.words
    known = "" if found.direction.unknown else f"{words}, "
    return ForestRow(
        kind="direction", group=DIRECTION_ONLY, label=_with_participants(found.label, found.n),
        shape=found.direction,
        effect=words if found.counted else f"{known}not counted", counted=found.counted,
        participants=found.n,
    )  # fmt: skip


def _with_participants(label: str, n: int | None) -> str:
    return label if n is None else f"{label}, N {n}"


def alt_text(forest: Forest) -> str:
    """Return what a forest plot shows, for readers who do not see it."""
    rows, settings = forest.rows, forest.settings
    pooled = [row for row in rows if row.kind == "study" and row.share is not None]
    only = [row for row in rows if row.kind == "direction"]
    overall = [row for row in rows if row.kind == "diamond" and row.group == OVERALL]
    parts = [f"Forest plot of {settings.label}, {settings.measure}"]
    one = len(pooled) == 1
    parts.append("1 study, not pooled" if one else f"{len(pooled)} pooled studies")
    if overall:
        parts.append(f"pooled effect {overall[0].effect}")
    if only:
        parts.append(f"{len(only)} with a direction only")
    return "; ".join(parts) + "."
