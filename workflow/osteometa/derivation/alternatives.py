"""The effects under each registered alternative of how they are derived.

Only what differs from the primary effects is kept: for a study and measure that a choice changes,
all its effects under that choice, which stand in for its primary ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace

from osteometa.comparisons.build import comparisons_of
from osteometa.derivation.contradictions import readings_of
from osteometa.derivation.dependence import place_of
from osteometa.derivation.derive import Ladders, Sizes, Writer, ladders_of, sizes_of
from osteometa.extraction.tables import Tables
from osteometa.protocol.config import Config
from osteometa.protocol.dependencies import other_forms
from osteometa.records.effects import Covariance, Effect, VariantCovariance, VariantEffect
from osteometa.synthesis.sets import REDUCED, asks_for, effect_order

READING = "reading="
GONE = "gone"
"""Block of a primary effect that does not exist under a choice."""


@dataclass(frozen=True, slots=True)
class Variants:
    """Effects and covariances under all alternatives."""

    effects: tuple[VariantEffect, ...]
    covariances: tuple[VariantCovariance, ...]


def alternatives(config: Config) -> Iterator[tuple[str, Config]]:
    """Yield the name and the whole config of every registered alternative, in a fixed order."""
    grids = {value for outcome in config.outcomes.values() for value in outcome.r_grid}
    for value in sorted(grids):
        outcomes = {
            name: outcome.model_copy(update={"r": value}) if value in outcome.r_grid else outcome
            for name, outcome in config.outcomes.items()
        }
        yield f"r={value:g}", config.model_copy(update={"outcomes": outcomes})
    for factor in config.sensitivity.baseline_mean:
        outcomes = {
            name: outcome.with_baseline_means(factor) for name, outcome in config.outcomes.items()
        }
        yield f"baseline_mean={factor:g}", config.model_copy(update={"outcomes": outcomes})
    for key, values in (
        ("rho", config.sensitivity.rho),
        ("training_time", config.sensitivity.training_time),
        ("shared_control", ("split",)),
        ("type_by", ("paper",)),
    ):
        for value in values:
            if value != getattr(config.derivation, key):
                derivation = config.derivation.model_copy(update={key: value})
                name = f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}"
                yield name, config.model_copy(update={"derivation": derivation})
    for name, update in other_forms(config):
        effects = config.effects.model_copy(update=update)
        yield name, config.model_copy(update={"effects": effects})


def variants(tables: Tables, config: Config) -> Variants:
    """Return what differs under each alternative, and each reading of contradictory prints.

    Parameters
    ----------
    tables : Tables
        Checked tables.
    config : Config
    """
    comparisons = comparisons_of(tables, config)
    ladders = ladders_of(comparisons, config)
    primary = sizes_of(ladders, tables, config)
    effects, links = list(_readings(ladders, primary, tables, config)), []
    for name, other in alternatives(config):
        key, _, value = name.partition("=")
        # What is done with effects leaves the ladders as they are.
        same = other.outcomes is config.outcomes and other.effects is config.effects
        climbed = ladders if same else ladders_of(comparisons, other, borrow_r=key != "r")
        # Only the outcomes of which the choice speaks: no other arm lends its r to those.
        of_r = {n for n, o in config.outcomes.items() if key == "r" and float(value) in o.r_grid}
        sizes = sizes_of(climbed, tables, other)
        changed, linked = _differences(primary, sizes, name, of_r or set(config.outcomes))
        effects += changed
        links += linked
    return Variants(tuple(effects), tuple(links))


Group = tuple[str, ...]


def _groups(effects: Iterable[Effect]) -> dict[Group, list[Effect]]:
    groups: dict[Group, list[Effect]] = defaultdict(list)
    for effect in effects:
        if effect.block != REDUCED:
            groups[(effect.study_id, *place_of(effect), effect.measure)].append(effect)
    return groups


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
    primary: Sizes, other: Sizes, name: str, outcomes: set[str]
) -> tuple[list[VariantEffect], list[VariantCovariance]]:
    """Return the effects of every study and measure in which anything differs."""
    usual, changed = _groups(primary.effects), _groups(other.effects)
    usual_links = _links(primary.covariances, usual)
    changed_links = _links(other.covariances, changed)
    effects: list[VariantEffect] = []
    links: list[VariantCovariance] = []
    for key in sorted(set(usual) | set(changed)):
        before, after = usual.get(key, []), changed.get(key, [])
        same = _numbers(before) == _numbers(after) and usual_links[key] == changed_links[key]
        if same or (before or after)[0].outcome not in outcomes:
            continue
        effects += [varied(effect, name) for effect in after or _gone(before)]
        links += [
            VariantCovariance(
                variant=name, effect_id_1=row.effect_id_1, effect_id_2=row.effect_id_2,
                covariance=row.covariance,
            )
            for row in changed_links[key]
        ]  # fmt: skip
    return effects, links


def _numbers(effects: Iterable[Effect]) -> list[tuple]:
    return sorted((e.effect_id, e.yi, e.vi, e.exercise_type, e.block) for e in effects)


def _gone(effects: Iterable[Effect]) -> list[Effect]:
    reason = "no rung gives an effect under this choice: the numbers are those of the primary one"
    return [replace(effect, pooled=False, block=GONE, reason=reason) for effect in effects]


def varied(effect: Effect, name: str) -> VariantEffect:
    """Return an effect as a row of a variant."""
    values = {field.name: getattr(effect, field.name) for field in fields(Effect)}
    return VariantEffect(**values, variant=name)


def _readings(
    ladders: Ladders, primary: Sizes, tables: Tables, config: Config
) -> Iterator[VariantEffect]:
    """Yield every reading of disputed prints at the times that are chosen, the ladder's first."""
    writer = Writer(ladders, tables, config)
    disputed = {
        (e.study_id, e.arm_id, e.outcome, e.analyte, e.site, e.timepoint)
        for e in primary.effects
        if e.block == "disputed"
    }
    for item in ladders.climbed:
        one = item.comparison
        place = (one.study.study_id, one.arm.arm_id, one.outcome, one.analyte, one.site)
        if (*place, one.timepoint) not in disputed:
            continue
        for measure in item.attempts:
            names: dict[str, int] = defaultdict(int)
            for estimate in readings_of(one, measure, ladders.correlations, config):
                reason = next(
                    c.row.disputed for c in estimate.cells if getattr(c.row, "disputed", "")
                )
                effect = writer.row(
                    one, measure, estimate, ("disputed", f"contradictory prints: {reason}")
                )
                names[effect.provenance] += 1
                number = names[effect.provenance]
                name = effect.provenance if number == 1 else f"{effect.provenance} ({number})"
                yield varied(effect, f"{READING}{name}")


def split_variants(found: Variants, config: Config) -> dict[str, Variants]:
    """Return the variants of each synthesis, by its id, in a fixed order."""
    sets = {}
    for synthesis in config.syntheses:
        effects = [e for e in found.effects if asks_for(synthesis, e)]
        named = {(e.variant, e.effect_id) for e in effects}
        links = [c for c in found.covariances if (c.variant, c.effect_id_1) in named]
        sets[synthesis.id] = Variants(
            tuple(sorted(effects, key=lambda e: (e.variant, *effect_order(e)))),
            tuple(sorted(links, key=lambda c: (c.variant, c.effect_id_1, c.effect_id_2))),
        )
    return sets
