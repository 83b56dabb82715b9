"""From checked tables to effects and directions: what each comparison gives, by which print."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from osteometa.comparisons import POPULATIONS, Comparison, comparisons_of, exercise_type
from osteometa.config import Config
from osteometa.correlations import Correlations
from osteometa.directions import entries, why_listed, window_of
from osteometa.effects import Attempt, Estimate, climb
from osteometa.effects.average import averaged
from osteometa.records import DirectionEntry, Effect
from osteometa.summaries import row_flags
from osteometa.syntheses import REDUCED
from osteometa.tables import Tables


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
class Derived:
    """All that is derived from the tables of a review."""

    climbed: tuple[Climbed, ...]
    effects: tuple[Effect, ...]
    entries: tuple[DirectionEntry, ...]


def derive(tables: Tables, config: Config) -> Derived:
    """Derive effects and directions of every comparison of the main outcomes."""
    comparisons = comparisons_of(tables, config)
    correlations = Correlations(comparisons, config)
    climbed = [_climb(comparison, correlations, config) for comparison in comparisons]
    chosen = _chosen(climbed, config)
    effects = []
    for item in climbed:
        stands_for = chosen[_same_people(item.comparison)]
        effects += _effects(item, stands_for, _needs_population(item, climbed), config)
    effects = _in_one_unit(_without_dependence(effects))
    if config.effects.smd_variance == "AV":
        effects = averaged(effects, config)
    effects.sort(key=lambda effect: effect.effect_id)
    return Derived(tuple(climbed), tuple(effects), tuple(entries(comparisons, effects, config)))


def _climb(comparison: Comparison, correlations: Correlations, config: Config) -> Climbed:
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


def _same_people(comparison: Comparison) -> tuple[str, ...]:
    return (
        comparison.study.study_id, comparison.arm.arm_id, comparison.outcome, comparison.analyte,
        comparison.site, window_key(comparison),
    )  # fmt: skip


def window_key(comparison: Comparison) -> str:
    """Return what separates bouts: windows are sets of their own, times of training are not."""
    return comparison.timepoint if comparison.arm.phase == "acute" else ""


def _chosen(climbed: Sequence[Climbed], config: Config) -> dict[tuple[str, ...], Comparison]:
    """Choose one print per arm, outcome and site: end of training, analysis, first report.

    At one time, a print that gives the primary measure goes before one that does not, and one that
    no other contradicts before a disputed one.
    """
    groups: dict[tuple[str, ...], list[Climbed]] = defaultdict(list)
    for item in climbed:
        groups[_same_people(item.comparison)].append(item)

    def rank(item: Climbed) -> tuple:
        comparison = item.comparison
        measures = config.outcomes[comparison.outcome].measures
        found = [item.estimate(measure) for measure in measures]
        has = [estimate is not None and "BOR" not in estimate.flags for estimate in found]
        return (
            _off_the_end(comparison), not any(has), not has[0],
            POPULATIONS.index(comparison.population), _disputed(item), comparison.report,
        )  # fmt: skip

    return {key: min(items, key=rank).comparison for key, items in groups.items()}


def _off_the_end(comparison: Comparison) -> float:
    """Return how far a time is from the end of training; a time that is not typed comes last."""
    weeks, time = comparison.arm.weeks, comparison.time
    if time is None:
        return math.inf
    return -time if weeks is None else abs(time - weeks)


def _disputed(item: Climbed) -> bool:
    found = [item.estimate(measure) for measure in item.attempts]
    return any(disputes(cell) for estimate in found if estimate for cell in estimate.cells)


def _needs_population(item: Climbed, climbed: Sequence[Climbed]) -> bool:
    key = item.comparison.key[:-1]
    return sum(other.comparison.key[:-1] == key for other in climbed) > 1


def _effects(
    item: Climbed, stands_for: Comparison, name_population: bool, config: Config
) -> list[Effect]:
    found = []
    for measure in item.attempts:
        estimate = item.estimate(measure)
        if estimate is None:
            continue
        block, reason = _block(item.comparison, stands_for, estimate, config)
        found.append(
            _effect(item.comparison, measure, estimate, (block, reason), name_population, config)
        )
    return found


def _block(
    comparison: Comparison, stands_for: Comparison, estimate: Estimate, config: Config
) -> tuple[str, str]:
    if comparison is not stands_for:
        return REDUCED, _why_reduced(comparison, stands_for)
    listed = why_listed(comparison, config)
    if listed:
        active = comparison.arm.comparator_kind not in config.comparator_kinds
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


def disputes(cell) -> bool:
    """Tell whether a cell stands in a disputed row."""
    return bool(getattr(cell.row, "disputed", ""))


def _why_reduced(comparison: Comparison, other: Comparison) -> str:
    if comparison.timepoint != other.timepoint:
        return f"the same people once: {other.timepoint} is taken, the nearest to the end"
    if comparison.population != other.population:
        return f"the same people once: the {other.population or 'main'} analysis is taken"
    return f"the same people once: report '{other.report or 'main'}' is taken"


def _effect(
    comparison: Comparison, measure: str, estimate: Estimate, placed: tuple[str, str],
    name_population: bool, config: Config,
) -> Effect:  # fmt: skip
    study, arm = comparison.study, comparison.arm
    block, reason = placed
    parts = [study.study_id, arm.arm_id, comparison.outcome, comparison.analyte, comparison.site,
             comparison.timepoint, comparison.report]  # fmt: skip
    if name_population:
        parts.append(comparison.population)
    flags = estimate.flags.union(*(row_flags(cell.row) for cell in estimate.cells))
    flags |= {"PP"} if comparison.population == "per_protocol" else set()
    flags |= {"INDIRECT"} if study.indirect else set()
    flags |= {"DISPUTED"} if any(disputes(cell) for cell in estimate.cells) else set()
    sides = [side or None for side in estimate.sides]
    cells = sorted({cell.row.cell_name(cell.column) for cell in estimate.cells})
    sources = dict.fromkeys(c.row.source for c in estimate.cells if getattr(c.row, "source", ""))
    return Effect(
        effect_id=".".join(part for part in (*parts, measure) if part).lower().replace(" ", "_"),
        study_id=study.study_id,
        label=study.label,
        year=study.year,
        arm_id=arm.arm_id,
        arm_label=arm.label,
        comparator=arm.comparator,
        comparator_kind=arm.comparator_kind,
        outcome=comparison.outcome,
        analyte=comparison.analyte,
        site=comparison.site,
        phase=arm.phase,
        window=window_of(comparison, config),
        design=study.design,
        design_class="controlled" if comparison.controlled else "within_arm",
        exercise_type=exercise_type(arm, config),
        unit=comparison.unit if measure == "MD" else "",
        timepoint=comparison.timepoint,
        time=comparison.time,
        report=comparison.report,
        population_analysed=comparison.population,
        measure=measure,
        yi=estimate.yi,
        vi=estimate.vi,
        n_exercise=estimate.n[0],
        n_control=estimate.n[1],
        n_total=estimate.n_total if None in estimate.n else sum(estimate.n),
        rung=estimate.rung,
        provenance="+".join(dict.fromkeys((estimate.rung, *estimate.codes))),
        r=estimate.r,
        r_source=estimate.r_source,
        z=estimate.yi / estimate.vi**0.5,
        flags=" ".join(sorted(flags)),
        shown=estimate.shown,
        mean_exercise=sides[0].mean if sides[0] else None,
        sd_exercise=sides[0].sd if sides[0] else None,
        mean_control=sides[1].mean if sides[1] else None,
        sd_control=sides[1].sd if sides[1] else None,
        pooled=block == "pooled",
        block=block,
        reason=reason,
        inputs=" ".join(cells),
        source="; ".join(sources),
    )


def _without_dependence(effects: Iterable[Effect]) -> list[Effect]:
    """Take out effects of one set that share a control: they are not independent."""
    effects = list(effects)

    def people(effect: Effect) -> tuple:
        return (
            effect.study_id, effect.comparator, effect.outcome, effect.analyte, effect.site,
            effect.phase, effect.window, effect.measure,
        )  # fmt: skip

    shared = Counter(people(effect) for effect in effects if effect.block == "pooled")
    reason = (
        "arms share one control group: not independent, until they are merged or fitted jointly"
    )
    return [
        replace(effect, pooled=False, block="dependent", reason=reason)
        if effect.block == "pooled" and shared[people(effect)] > 1
        else effect
        for effect in effects
    ]


def _in_one_unit(effects: Sequence[Effect]) -> list[Effect]:
    """Keep one unit in each pool of mean differences: mass and molar are never converted."""

    def place(effect: Effect) -> tuple:
        return (
            effect.outcome, effect.analyte, effect.site, effect.phase, effect.window,
            effect.design_class,
        )  # fmt: skip

    units: dict[tuple, Counter] = defaultdict(Counter)
    for effect in effects:
        if effect.measure == "MD" and effect.block == "pooled":
            units[place(effect)][effect.unit] += 1
    kept = {key: min(found, key=lambda u: (-found[u], u)) for key, found in units.items()}
    return [
        replace(
            effect,
            pooled=False,
            block="unit",
            reason=f"in {effect.unit}, the pool is in {kept[place(effect)]}: not convertible",
        )
        if effect.measure == "MD"
        and effect.block == "pooled"
        and effect.unit != kept[place(effect)]
        else effect
        for effect in effects
    ]
