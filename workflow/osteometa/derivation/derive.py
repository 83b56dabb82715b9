"""From checked tables to effects and directions: what each comparison gives, by which print."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from osteometa.comparisons.build import POPULATIONS, Comparison, comparisons_of, exercise_type
from osteometa.comparisons.correlations import Correlations
from osteometa.comparisons.risk_of_bias import risk_of_bias_of
from osteometa.derivation.dependence import (
    Found,
    composite,
    control_part,
    covariances,
    merged,
    place_of,
    split_control,
)
from osteometa.directions.entries import entries, why_listed, window_of
from osteometa.effects.average_variance import averaged
from osteometa.effects.basis import Basis, Estimate
from osteometa.effects.hierarchy import Attempt, climb
from osteometa.effects.rows import disputes, effect_row
from osteometa.extraction.tables import Tables
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry
from osteometa.records.effects import Covariance, Effect
from osteometa.synthesis.sets import REDUCED

IN_POOLS = ("pooled", "non_randomised")
"""Blocks within which one study has one effect per exercise type."""


@dataclass(frozen=True, slots=True)
class Climbed:
    """A comparison with what each ladder gave."""

    comparison: Comparison
    attempts: dict[str, list[Attempt]]
    """By measure; empty where no ladder applies."""
    barred: str
    """Why no ladder applies; empty if one does."""

    def estimate(self, measure: str) -> Estimate | None:
        """Return the estimate on a measure, None if no rung gave one."""
        attempts = self.attempts.get(measure, [])
        return attempts[-1].estimate if attempts else None


@dataclass(frozen=True, slots=True)
class Ladders:
    """What each comparison, as printed, gave by itself."""

    climbed: tuple[Climbed, ...]
    correlations: Correlations


@dataclass(frozen=True, slots=True)
class Sizes:
    """The effects when each study speaks once: chosen, merged, combined or linked."""

    merged: tuple[Climbed, ...]
    """Comparisons of several arms as one."""
    effects: tuple[Effect, ...]
    covariances: tuple[Covariance, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """All that is derived from the tables of a review."""

    ladders: Ladders
    sizes: Sizes
    entries: tuple[DirectionEntry, ...]

    @property
    def climbed(self) -> tuple[Climbed, ...]:
        """Each comparison as printed."""
        return self.ladders.climbed

    @property
    def merged(self) -> tuple[Climbed, ...]:
        """Comparisons of several arms as one."""
        return self.sizes.merged

    @property
    def effects(self) -> tuple[Effect, ...]:
        """All effects, in the order of their names."""
        return self.sizes.effects

    @property
    def covariances(self) -> tuple[Covariance, ...]:
        """Covariances of effects that share people."""
        return self.sizes.covariances


def derive(tables: Tables, config: Config) -> Derived:
    """Derive effects and directions of every comparison of the main outcomes."""
    comparisons = comparisons_of(tables, config)
    ladders = ladders_of(comparisons, config)
    sizes = sizes_of(ladders, tables, config)
    return Derived(ladders, sizes, tuple(entries(comparisons, sizes.effects, config)))


def ladders_of(
    comparisons: Sequence[Comparison], config: Config, *, borrow_r: bool = True
) -> Ladders:
    """Climb the ladders of every comparison.

    Parameters
    ----------
    comparisons : sequence of Comparison
    config : Config
    borrow_r : bool
        False where an assumed correlation goes before the median of other arms.
    """
    correlations = Correlations(comparisons, config, borrow=borrow_r)
    climbed = tuple(climb_all(comparison, correlations, config) for comparison in comparisons)
    return Ladders(climbed, correlations)


def sizes_of(ladders: Ladders, tables: Tables, config: Config) -> Sizes:
    """Choose among the prints of the same people, and deal with what effects share."""
    writer = Writer(ladders, tables, config)
    chosen = _chosen(ladders.climbed, config)
    together = _merge(ladders, chosen, config)
    found: list[Found] = []
    for item in (*ladders.climbed, *together):
        one = item.comparison
        stands_for = one if one.parts else chosen[same_people(one, config)]
        for measure in item.attempts:
            estimate = item.estimate(measure)
            if estimate is not None:
                placed = _block(one, stands_for, estimate, config)
                placed = _in_merged(item, measure, placed, together)
                found.append(writer.found(item, measure, estimate, placed))
    found = _in_one_unit(found)
    if config.effects.smd_variance == "AV":
        averages = averaged([item.effect for item in found], config)
        found = [replace(i, effect=e) for i, e in zip(found, averages, strict=True)]
    found = _one_per_type(found, config)
    shared = [item for item in found if item.effect.block != REDUCED]
    split = config.derivation.shared_control == "split"
    rows = covariances(shared, config.derivation.rho, split=split)
    effects = sorted((item.effect for item in found), key=lambda effect: effect.effect_id)
    return Sizes(tuple(together), tuple(effects), tuple(rows))


def climb_all(comparison: Comparison, correlations: Correlations, config: Config) -> Climbed:
    """Climb the ladder of every measure of a comparison."""
    barred = no_ladder(comparison)
    if barred:
        return Climbed(comparison, {}, barred)
    measures = config.outcomes[comparison.outcome].measures
    attempts = {m: climb(comparison, m, correlations, config, borrow=True) for m in measures}
    return Climbed(comparison, attempts, "")


def no_ladder(comparison: Comparison) -> str:
    """Return why no effect size is computed for a comparison; '' if its ladders are tried."""
    alone = not comparison.controlled and comparison.arm.comparator_kind != "none"
    if alone and comparison.study.design == "crossover_rct":
        # Only where no condition is a comparator is it a change before and after, like any other.
        return "a condition of a crossover without the one it is compared with: direction only"
    return ""


class Writer:
    """Writes the rows of effects of comparisons, knowing the tables and all other prints."""

    def __init__(self, ladders: Ladders, tables: Tables, config: Config):
        self._config = config
        self._correlations = ladders.correlations
        self._judged = tables.risk_of_bias
        self._prints = Counter(item.comparison.key[:-1] for item in ladders.climbed)

    def row(
        self, comparison: Comparison, measure: str, estimate: Estimate, placed: tuple[str, str]
    ) -> Effect:
        """Return the row of an estimate; several populations at one place are named in its id."""
        own = comparison.parts[0] if comparison.parts else comparison
        study_id = comparison.study.study_id
        return effect_row(
            comparison, measure, estimate, placed,
            name_population=self._prints[own.key[:-1]] > 1,
            risk_of_bias=risk_of_bias_of(self._judged, study_id, comparison.outcome),
            config=self._config,
        )  # fmt: skip

    def found(
        self, item: Climbed, measure: str, estimate: Estimate, placed: tuple[str, str]
    ) -> Found:
        """Return the row of an estimate with what it owes to its control."""
        effect = self.row(item.comparison, measure, estimate, placed)
        if placed[0] == REDUCED or not item.comparison.controlled:
            return Found(effect, None, "test", item.comparison.study.n_enrolled)
        basis = Basis(item.comparison, self._correlations, self._config)
        part = control_part(basis, measure, estimate)
        return Found(effect, *part, item.comparison.study.n_enrolled)


def same_people(comparison: Comparison, config: Config) -> tuple[str, ...]:
    """Return what prints have in common of which one effect is taken: arm, outcome, window."""
    return (
        comparison.study.study_id, comparison.arm.arm_id, comparison.outcome, comparison.analyte,
        comparison.site, window_key(comparison, config),
    )  # fmt: skip


def window_key(comparison: Comparison, config: Config) -> str:
    """Return what separates bouts: windows are sets of their own, times of training are not.

    A sample whose hours are not printed stands for itself.
    """
    if comparison.arm.phase != "acute":
        return ""
    return window_of(comparison, config) or f"at {comparison.timepoint}"


def _chosen(climbed: Sequence[Climbed], config: Config) -> dict[tuple[str, ...], Comparison]:
    """Choose one print per arm, outcome, site and window: time, analysis, first report.

    Of training the time that config.yaml chooses; in a window of a bout the sample nearest its
    start among those that give an effect. At one time, a print that gives the primary measure goes
    before one that does not, and one that no other contradicts before a disputed one.
    """
    groups: dict[tuple[str, ...], list[Climbed]] = defaultdict(list)
    for item in climbed:
        groups[same_people(item.comparison, config)].append(item)

    def rank(item: Climbed) -> tuple:
        comparison = item.comparison
        measures = config.outcomes[comparison.outcome].measures
        found = [item.estimate(measure) for measure in measures]
        has = [estimate is not None and "BOR" not in estimate.flags for estimate in found]
        # At the end of the programme only its end counts, even where it gives no number.
        first = comparison.arm.phase == "acute" or config.derivation.training_time != "end"
        return (
            not any(has) if first else False, off_the_end(comparison, config), not any(has),
            not has[0], POPULATIONS.index(comparison.population), _disputed(item),
            comparison.report,
        )  # fmt: skip

    return {key: min(items, key=rank).comparison for key, items in groups.items()}


def off_the_end(comparison: Comparison, config: Config) -> float:
    """Return how far a time is from the one that is wanted; a time that is not typed comes last."""
    weeks, time = comparison.arm.weeks, comparison.time
    if time is None:
        return math.inf
    if comparison.arm.phase == "acute":
        return time
    wanted = config.derivation.training_time
    if wanted == "earliest":
        return time
    return -time if weeks is None or wanted == "latest" else abs(time - weeks)


def _disputed(item: Climbed) -> bool:
    found = [item.estimate(measure) for measure in item.attempts]
    return any(disputes(cell) for estimate in found if estimate for cell in estimate.cells)


def _block(
    comparison: Comparison, stands_for: Comparison, estimate: Estimate, config: Config
) -> tuple[str, str]:
    if comparison is not stands_for:
        return REDUCED, _why_reduced(comparison, stands_for, config)
    listed = why_listed(comparison, config)
    if listed:
        # An arm without a comparator has no kind of one: it is listed for its own reason.
        kind = comparison.arm.comparator_kind
        active = comparison.controlled and kind not in config.comparator_kinds
        return ("active" if active else "listed"), listed
    disputed = next((cell.row.disputed for cell in estimate.cells if disputes(cell)), "")
    if disputed:
        return "disputed", f"contradictory prints: {disputed}"
    if "BOR" in estimate.flags:
        return "borrowed", "an SD is borrowed from other studies: for sensitivity only"
    if not comparison.controlled and comparison.study.design in ("rct", "nrct"):
        return (
            "listed",
            "a controlled trial's change within one arm is not fed to before-after sets",
        )
    if comparison.controlled and comparison.study.design not in config.designs:
        return "non_randomised", f"design '{comparison.study.design}' is drawn apart"
    return "pooled", ""


def _why_reduced(comparison: Comparison, other: Comparison, config: Config) -> str:
    if comparison.timepoint != other.timepoint:
        nearest = {
            "end": "the nearest to the end", "earliest": "the earliest", "latest": "the latest",
        }[config.derivation.training_time]  # fmt: skip
        if comparison.arm.phase == "acute":
            nearest = f"the nearest to the start of the window '{window_of(other, config)}'"
        return f"the same people once: {other.timepoint} is taken, {nearest}"
    if comparison.population != other.population:
        return f"the same people once: the {other.population or 'main'} analysis is taken"
    return f"the same people once: report '{other.report or 'main'}' is taken"


def _merge(
    ladders: Ladders, chosen: dict[tuple[str, ...], Comparison], config: Config
) -> list[Climbed]:
    """Merge arms of one type on one control that print the same kinds at the same place."""
    groups: dict[tuple, list[Comparison]] = defaultdict(list)
    for item in ladders.climbed:
        one = item.comparison
        if (
            one is chosen[same_people(one, config)]
            and one.controlled
            and one.study.design != "crossover_rct"
            and not why_listed(one, config)
            and not any(getattr(row, "disputed", "") for row in one.rows)
        ):
            kind = (one.arm.comparator, exercise_type(one.arm, config))
            groups[(one.study.study_id, *kind, *one.key[2:])].append(one)
    together = [merged(parts) for parts in groups.values() if len(parts) > 1]
    return [climb_all(one, ladders.correlations, config) for one in together if one is not None]


def _in_merged(
    item: Climbed, measure: str, placed: tuple[str, str], together: Sequence[Climbed]
) -> tuple[str, str]:
    """Return the block of a single arm, which is reduced where it is merged with others."""
    if placed[0] not in IN_POOLS:
        return placed
    for other in together:
        if item.comparison in other.comparison.parts and other.estimate(measure) is not None:
            arms = other.comparison.arm.arm_id.replace("+", " and ")
            return REDUCED, f"merged: {arms} share one control and are one arm in the pool"
    return placed


def _one_per_type(found: Sequence[Found], config: Config) -> list[Found]:
    """Combine what is left of one study and type, or divide the control if config.yaml says so."""
    split = config.derivation.shared_control == "split"
    found = _split(found) if split else list(found)
    groups: dict[tuple, list[Found]] = defaultdict(list)
    for item in found:
        effect = item.effect
        if effect.block in IN_POOLS:
            control = effect.comparator if split else ""
            groups[
                (effect.study_id, effect.exercise_type, control, *place_of(effect), effect.measure,
                 effect.arm_id if control else "")
            ].append(item)  # fmt: skip
    several = [group for group in groups.values() if len(group) > 1]
    combined = {id(item): group for group in several for item in group}
    result = [composite(group, config.derivation.rho) for group in several]
    for item in found:
        if id(item) in combined:
            arms = [other.effect.arm_label for other in combined[id(item)]]
            reason = f"combined: {' and '.join(dict.fromkeys(arms))} are one effect in the pool"
            reduced = replace(item.effect, pooled=False, block=REDUCED, reason=reason)
            item = replace(item, effect=reduced)
        result.append(item)
    return result


def _split(found: Sequence[Found]) -> list[Found]:
    def control(effect: Effect) -> tuple:
        return effect.study_id, effect.comparator, *place_of(effect), effect.measure

    uses = Counter(control(f.effect) for f in found if f.effect.block in IN_POOLS)
    return [
        split_control(item, uses[control(item.effect)])
        if item.effect.block in IN_POOLS and item.effect.comparator
        else item
        for item in found
    ]


def _in_one_unit(found: Iterable[Found]) -> list[Found]:
    """Keep one unit in each pool of mean differences: mass and molar are never converted."""
    found = list(found)
    units: dict[tuple, Counter] = defaultdict(Counter)
    for item in found:
        if item.effect.measure == "MD" and item.effect.block == "pooled":
            units[place_of(item.effect)][item.effect.unit] += 1
    kept = {key: min(count, key=lambda u: (-count[u], u)) for key, count in units.items()}

    def placed(item: Found) -> Found:
        effect = item.effect
        if effect.measure != "MD" or effect.block != "pooled":
            return item
        unit = kept[place_of(effect)]
        if effect.unit == unit:
            return item
        reason = f"in {effect.unit}, the pool is in {unit}: not convertible"
        return replace(item, effect=replace(effect, pooled=False, block="unit", reason=reason))

    return [placed(item) for item in found]
