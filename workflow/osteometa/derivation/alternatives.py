"""The effects by each alternative derivation that config.yaml names.

Only what differs from the primary effects is kept: for a study and measure that a choice changes,
all its effects under that choice, which replace its primary ones.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.comparison import Comparison, Reported
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.assess import row_maker
from osteometa.derivation.derive import Effects, Estimates, effects_of, estimates_of
from osteometa.effects.basis import Estimate
from osteometa.effects.hierarchy import attempts_at
from osteometa.effects.rows import disputed_because
from osteometa.extraction.tables import Contrast, Measurement, Tables
from osteometa.io.csv_records import fields_of
from osteometa.protocol.config import Config, Outcome, with_outcomes
from osteometa.protocol.dependencies import other_forms
from osteometa.records.directions import set_key
from osteometa.records.effects import (
    RESOLUTION,
    AlternativeCovariance,
    AlternativeEffect,
    Choice,
    Covariance,
    Effect,
)
from osteometa.records.groups import grouped
from osteometa.synthesis.sets import effect_order, includes
from osteometa.wording.vocabulary import Block, Flag

QUESTIONABLE = (("sd",), ("se",), ("spread",), ("ci_low", "ci_high"), ("p",), ("value",))
"""What can be set aside of a row: its spread or its test, with the cells that belong together."""
MEASURE_OF = {
    "baseline_mean": "ROM", "rom_correction": "ROM", "smd_variance": "SMD", "smd_post": "SMD",
    "smd_pre_post": "SMD",
}  # fmt: skip
"""The one measure whose estimates a choice changes; r may change all, other choices none."""
PAIRS = {"level": ("levels", "baselines"), "change": ("changes",), "pct_change": ("percents",)}
GONE = "no derivation method gives an effect: the numbers are those of the primary derivation"


def resolutions_of(
    comparison: Comparison, measure: str, correlations: Correlations, config: Config
) -> list[Estimate]:
    """Return every distinct resolution of a disputed comparison, the primary one first.

    The effect is derived from all values, then again without each disputed spread or test that a
    resolution uses: so each of two inconsistent values is once the one that is used. Two
    resolutions are the same if they use the same cells. Empty if there is none.
    """
    found: list[Estimate] = []
    waiting = [_with_standardiser(comparison, config)]
    tried: list[set] = []
    while waiting:
        one = waiting.pop(0)
        estimate = attempts_at(one, measure, correlations, config)[-1].estimate
        cells = {cell.name for cell in estimate.cells} if estimate is not None else set()
        if estimate is None or cells in tried:
            continue
        tried.append(cells)
        if not any(_same(estimate, other) for other in found):
            found.append(replace(estimate, flags=estimate.flags | {Flag.DISPUTED}))
        waiting += [_without(one, row, columns) for row, columns in _questionable(estimate)]
    return [estimate for estimate in found if disputed_because(estimate)]


def _same(one: Estimate, other: Estimate) -> bool:
    return math.isclose(one.yi, other.yi) and math.isclose(one.vi, other.vi)


def _questionable(estimate: Estimate) -> Iterator[tuple[Measurement | Contrast, tuple[str, ...]]]:
    """Yield a disputed row of each group of cells that can be set aside together."""
    seen = set()
    for cell in estimate.cells:
        row = cell.row
        columns = next((group for group in QUESTIONABLE if cell.column in group), None)
        if columns is None or not isinstance(row, Measurement | Contrast) or not row.disputed:
            continue
        # The arms of a comparison are set aside together: they are reported in one way.
        key = (row.table, row.kind if isinstance(row, Measurement) else row.key_text, columns)
        if key not in seen:
            seen.add(key)
            yield row, columns


def _without(
    comparison: Comparison, disputed: Measurement | Contrast, columns: tuple[str, ...]
) -> Comparison:
    """Return a comparison as if some cells of a row, and its like in the other arm, were empty."""
    empty = dict.fromkeys(columns)
    if isinstance(disputed, Contrast):
        rows = tuple(
            row.model_copy(update=empty) if row.key_text == disputed.key_text else row
            for row in comparison.contrasts
        )
        return replace(comparison, contrasts=rows)

    def emptied(row: Reported) -> Reported:
        if not isinstance(row, Measurement) or not row.disputed:
            return row
        return row.model_copy(update=empty)

    pairs = {name: getattr(comparison, name) for name in PAIRS.get(disputed.kind, ())}
    return replace(comparison, **{name: tuple(map(emptied, pairs[name])) for name in pairs})


def _with_standardiser(comparison: Comparison, config: Config) -> Comparison:
    """Give a disputed SMD without a named SD the SD that config.yaml states for its analyte."""
    analyte = config.analyte(comparison.outcome, comparison.analyte)
    if analyte is None or not analyte.unnamed_standardiser:
        return comparison

    def named(row: Contrast) -> Contrast:
        if row.statistic != "smd" or not row.disputed or row.standardiser in ("raw", "change"):
            return row
        flag = f"{row.flag} {Flag.FACTOR_UNKNOWN}".strip()
        return row.model_copy(update={"standardiser": analyte.unnamed_standardiser, "flag": flag})

    return replace(comparison, contrasts=tuple(map(named, comparison.contrasts)))


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Effects and covariances by all alternative derivations."""

    effects: tuple[AlternativeEffect, ...]
    covariances: tuple[AlternativeCovariance, ...]


Change = Callable[[Config], Config]
"""What an alternative derivation changes in a config; changes of several keys can be combined."""


def changes(config: Config) -> Iterator[tuple[Choice, Change]]:
    """Yield every alternative derivation and what it changes, in a fixed order."""
    grids = {value for outcome in config.outcomes.values() for value in outcome.r_grid}
    for value in sorted(grids):
        yield Choice("r", f"{value:g}"), partial(with_outcomes, partial(_with_r, value))
    for factor in config.sensitivity.baseline_mean:
        change = partial(Outcome.with_baseline_means, factor=factor)
        yield Choice("baseline_mean", f"{factor:g}"), partial(with_outcomes, change)
    for key, values in (
        ("rho", config.sensitivity.rho),
        ("training_time", config.sensitivity.training_time),
        ("shared_control", ("split",)),
        ("type_by", ("paper",)),
    ):
        for value in values:
            if value != getattr(config.derivation, key):
                text = f"{value:g}" if isinstance(value, float) else str(value)
                yield Choice(key, text), partial(_with, "derivation", {key: value})
    for name, update in other_forms(config):
        yield Choice.read(name), partial(_with, "effects", update)


def _with_r(value: float, outcome: Outcome) -> Outcome:
    """Return an outcome with another r, if its grid names it."""
    return outcome.model_copy(update={"r": value}) if value in outcome.r_grid else outcome


def _with(section: str, update: Mapping[str, Any], config: Config) -> Config:
    changed = getattr(config, section).model_copy(update=update)
    return config.model_copy(update={section: changed})


def alternative_configs(config: Config) -> Iterator[tuple[Choice, Config]]:
    """Yield the choice and the whole config of every alternative derivation, in a fixed order."""
    for choice, change in changes(config):
        yield choice, change(config)


def alternatives(tables: Tables, config: Config) -> Alternatives:
    """Return what differs by each alternative, and each resolution of inconsistent data."""
    comparisons = comparisons_of(tables, config)
    estimates = estimates_of(comparisons, config)
    primary = effects_of(estimates, tables, config)
    effects, links = list(resolutions(estimates, primary, tables, config)), []
    for choice, other in alternative_configs(config):
        found = _estimates_under(choice, estimates, other)
        outcomes = {item.comparison.outcome for item in found.estimated}
        changed, linked = _differences(primary, effects_of(found, tables, other), choice, outcomes)
        effects += changed
        links += linked
    return Alternatives(tuple(effects), tuple(links))


def _estimates_under(choice: Choice, estimates: Estimates, config: Config) -> Estimates:
    """Return the estimates under a choice and its config, made again where it may change them.

    Of an r only the outcomes whose grid names it: for those no r is taken from other arms.
    """
    of_r = choice.key == "r"
    if not of_r and choice.key not in MEASURE_OF:
        return estimates
    correlations = estimates.correlations.under(config, borrow=not of_r)
    items = [
        replace(item, attempts={
            measure: attempts_at(item.comparison, measure, correlations, config, borrow=True)
            if MEASURE_OF.get(choice.key, measure) == measure else attempts
            for measure, attempts in item.attempts.items()
        })
        for item in estimates.estimated
        if not of_r or float(choice.value) in config.outcomes[item.comparison.outcome].r_grid
    ]  # fmt: skip
    return Estimates(tuple(items), correlations)


Group = tuple[str, ...]


def _groups(effects: Iterable[Effect]) -> dict[Group, list[Effect]]:
    own = [effect for effect in effects if effect.block != Block.REDUCED]
    return grouped(own, lambda effect: (effect.study_id, *set_key(effect), effect.measure))


def _links(
    covariances: Iterable[Covariance], groups: Mapping[Group, list[Effect]]
) -> dict[Group, list[Covariance]]:
    group_of = {e.effect_id: key for key, effects in groups.items() for e in effects}
    links: dict[Group, list[Covariance]] = defaultdict(list)
    for row in covariances:
        if row.effect_id_1 in group_of:
            links[group_of[row.effect_id_1]].append(row)
    return links


def _differences(
    primary: Effects, other: Effects, choice: Choice, outcomes: set[str]
) -> tuple[list[AlternativeEffect], list[AlternativeCovariance]]:
    """Return the effects of every study and measure in which anything differs."""
    usual, changed = _groups(primary.effects), _groups(other.effects)
    usual_links = _links(primary.covariances, usual)
    changed_links = _links(other.covariances, changed)
    effects: list[AlternativeEffect] = []
    links: list[AlternativeCovariance] = []
    for key in sorted(set(usual) | set(changed)):
        before, after = usual.get(key, []), changed.get(key, [])
        same = _numbers(before) == _numbers(after) and usual_links[key] == changed_links[key]
        if same or (before or after)[0].outcome not in outcomes:
            continue
        gone = (replace(effect, pooled=False, block=Block.GONE, reason=GONE) for effect in before)
        effects += [under_choice(effect, choice) for effect in after or gone]
        links += [
            AlternativeCovariance(**fields_of(row, Covariance), alternative=choice)
            for row in changed_links[key]
        ]
    return effects, links


def _numbers(effects: Iterable[Effect]) -> list[tuple]:
    return sorted((e.effect_id, e.yi, e.vi, e.exercise_type, e.block) for e in effects)


def under_choice(effect: Effect, choice: Choice) -> AlternativeEffect:
    """Return an effect as a row of an alternative derivation."""
    return AlternativeEffect(**fields_of(effect, Effect), alternative=choice)


def resolutions(
    estimates: Estimates, primary: Effects, tables: Tables, config: Config
) -> Iterator[AlternativeEffect]:
    """Yield every resolution of inconsistent data at the selected times, the primary one first."""
    row = row_maker(estimates.estimated, tables, config)
    disputed = {
        (e.study_id, e.arm_id, e.outcome, e.analyte, e.site, e.timepoint)
        for e in primary.effects
        if e.block == Block.DISPUTED
    }
    for item in estimates.estimated:
        one = item.comparison
        if one.key[:6] not in disputed:
            continue
        for measure in item.attempts:
            names: dict[str, int] = defaultdict(int)
            for estimate in resolutions_of(one, measure, estimates.correlations, config):
                reason = f"inconsistently reported data: {disputed_because(estimate)}"
                effect = row(one, measure, estimate, Block.DISPUTED, reason)
                name = "+".join(effect.provenance)
                names[name] += 1
                number = f" ({names[name]})" if names[name] > 1 else ""
                yield under_choice(effect, Choice(RESOLUTION, f"{name}{number}"))


def split_alternatives(found: Alternatives, config: Config) -> dict[str, Alternatives]:
    """Return the alternatives of each synthesis, by its id, in a fixed order."""
    sets = {}
    for synthesis in config.syntheses:
        effects = [e for e in found.effects if includes(synthesis, e)]
        named = {(e.alternative, e.effect_id) for e in effects}
        links = [c for c in found.covariances if (c.alternative, c.effect_id_1) in named]
        sets[synthesis.id] = Alternatives(
            tuple(sorted(effects, key=lambda e: (e.alternative, *effect_order(e)))),
            tuple(sorted(links, key=lambda c: (c.alternative, c.effect_id_1, c.effect_id_2))),
        )
    return sets
