"""Fifth pass: one unit per pool and one effect per study and exercise type."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from osteometa.derivation.assess import IN_POOLS, Assessed
from osteometa.derivation.covariances import covariance_of, same_participants
from osteometa.effects.formulas import g_term
from osteometa.protocol.config import Config
from osteometa.records.directions import SetKey, set_key
from osteometa.records.effects import Effect
from osteometa.records.groups import grouped
from osteometa.wording.vocabulary import Block, DesignClass, Provenance


def combine(found: Sequence[Assessed], config: Config) -> list[Assessed]:
    """Return the effects with one per study and exercise type in each pool.

    What is left of one study and type is combined into its mean, or its control is divided where
    config.yaml chooses that. Effects that are combined stay in the list, reduced.
    """
    found = in_one_unit(found)
    if config.effects.smd_variance == "AV":
        own_terms = {item.effect.effect_id for item in found if item.own_effect_term}
        averages = averaged([item.effect for item in found], own_terms)
        found = [replace(i, effect=e) for i, e in zip(found, averages, strict=True)]
    split = config.derivation.shared_control == "split"
    if split:
        found = divide_controls(found)
    in_pools = [item for item in found if item.effect.block in IN_POOLS]
    groups = grouped(in_pools, lambda item: _one_effect(item.effect, split))
    several = [group for group in groups.values() if len(group) > 1]
    reasons: dict[str, str] = {}
    for group in several:
        arms = " and ".join(dict.fromkeys(item.effect.arm_label for item in group))
        ids = (item.effect.effect_id for item in group)
        reasons |= dict.fromkeys(ids, f"combined: {arms} are one effect in the pool")
    result = [composite(group, config.derivation.rho) for group in several]
    for item in found:
        reason = reasons.get(item.effect.effect_id)
        result.append(_not_pooled(item, Block.REDUCED, reason) if reason else item)
    return result


def _one_effect(effect: Effect, split: bool) -> tuple[str, ...]:
    """Return what effects have in common of which one is pooled."""
    own_control = split and effect.comparator
    return (
        effect.study_id, effect.exercise_type, effect.comparator if own_control else "",
        *set_key(effect), effect.measure, effect.arm_id if own_control else "",
    )  # fmt: skip


def _not_pooled(item: Assessed, block: Block, reason: str) -> Assessed:
    return replace(item, effect=replace(item.effect, pooled=False, block=block, reason=reason))


def averaged(effects: Sequence[Effect], own_terms: Collection[str]) -> list[Effect]:
    """Return effects whose SMD variances hold the average effect of their set, not their own.

    Its average, weighted by participants, is that of the effects which the set pools, so that the
    weights of a pool do not depend on its effects (form AV; Doncaster and Spake 2018; Lin and Aloe
    2021). `own_terms` names those whose variance has the form u + g^2/(2N); any other stays as it
    is: that of a reported SMD's interval, of SMDH, of gT - gC, and of effects combined into one.
    """
    sets: dict[SetKey, list[tuple[int, float, int]]] = defaultdict(list)
    for i, effect in enumerate(effects):
        if effect.measure == "SMD" and effect.n_total is not None and effect.effect_id in own_terms:
            sets[set_key(effect)].append((i, effect.yi, effect.n_total))
    result = list(effects)
    for members in sets.values():
        pooled = [(yi, n) for i, yi, n in members if effects[i].pooled]
        if not pooled:
            continue
        mean = sum(yi * n for yi, n in pooled) / sum(n for _, n in pooled)
        for i, yi, n in members:
            vi = effects[i].vi - g_term(yi, n) + g_term(mean, n)
            result[i] = replace(effects[i], vi=vi, z=yi / math.sqrt(vi))
    return result


def in_one_unit(found: Sequence[Assessed]) -> list[Assessed]:
    """Keep one unit in each pool of mean differences: mass and molar are never converted."""
    units: dict[SetKey, Counter[str]] = defaultdict(Counter)
    for item in found:
        if _pooled_md(item.effect):
            units[set_key(item.effect)][item.effect.unit] += 1
    kept = {key: min(count, key=lambda u: (-count[u], u)) for key, count in units.items()}
    result = []
    for item in found:
        own, unit = item.effect.unit, kept.get(set_key(item.effect), "")
        reason = f"in {own}, the pool is in {unit}: not convertible"
        other = _pooled_md(item.effect) and own != unit
        result.append(_not_pooled(item, Block.UNIT, reason) if other else item)
    return result


def _pooled_md(effect: Effect) -> bool:
    return effect.measure == "MD" and effect.block == Block.POOLED


def divide_controls(found: Iterable[Assessed]) -> list[Assessed]:
    """Divide each control in a pool among the arms that are compared with it."""
    found = list(found)

    def control(effect: Effect) -> tuple[str, ...]:
        return effect.study_id, effect.comparator, *set_key(effect), effect.measure

    uses = Counter(control(i.effect) for i in found if i.effect.block in IN_POOLS)
    return [
        with_divided_control(item, uses[control(item.effect)])
        if item.effect.block in IN_POOLS and item.effect.comparator
        else item
        for item in found
    ]


def with_divided_control(found: Assessed, contrasts: int) -> Assessed:
    """Return an effect whose control is divided among several contrasts.

    The estimate stays; the control's share of the variance grows by the number of contrasts. Where
    nothing reported gives that share, it is nT / (nT + nC), that of equal variances.
    """
    effect, share = found.effect, found.control_share
    if share is None:
        n_e, n_c = effect.n_exercise, effect.n_control
        share = effect.vi * (n_e / (n_e + n_c) if n_e and n_c else 0.5)
    vi = effect.vi + (contrasts - 1) * share
    return replace(found, effect=replace(effect, vi=vi, z=effect.yi / math.sqrt(vi)))


def mean_of(yi: Sequence[float], V: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the mean of k effects of one study and its variance, sum of V (k x k) over k^2.

    Borenstein 2009, ch. 24.
    """
    k = len(yi)
    return sum(yi) / k, sum(map(sum, V)) / k**2


def composite(parts: Sequence[Assessed], rho: float) -> Assessed:
    """Combine effects of one study, type and measure: their mean, with their covariance."""
    effects = [part.effect for part in parts]
    V = [
        [
            one.effect.vi if one is other else covariance_of(one, other, rho, of_one_type=True)
            for other in parts
        ]
        for one in parts
    ]
    yi, vi = mean_of([effect.yi for effect in effects], V)
    n_exercise, n_control, n_total = _sizes(parts)
    arms = dict.fromkeys(e.arm_id for e in effects)
    known_r = [effect.r for effect in effects if effect.r is not None]
    labels = {
        name: "/".join(dict.fromkeys(getattr(e, name) for e in effects if getattr(e, name)))
        for name in ("timepoint", "report", "population_analysed", "comparator")
    }
    effect = replace(
        effects[0], **labels,
        effect_id=_combined_id(effects, "+".join(arms)),
        arm_id="+".join(arms),
        arm_label=" + ".join(dict.fromkeys(e.arm_label for e in effects)),
        type_by_paper=tuple(dict.fromkeys(kind for e in effects for kind in e.type_by_paper)),
        cointervention="; ".join(dict.fromkeys(e.cointervention for e in effects)),
        yi=yi, vi=vi, z=yi / math.sqrt(vi),
        n_exercise=n_exercise, n_control=n_control, n_total=n_total,
        provenance=tuple(dict.fromkeys(
            (*(code for e in effects for code in e.provenance), Provenance.COMPOSITE)
        )),
        r=sum(known_r) / len(known_r) if known_r else None,
        r_source=tuple(sorted({source for e in effects for source in e.r_source})),
        flags=frozenset().union(*(e.flags for e in effects)),
        means_kind=None, means_unit="", mean_exercise=None, sd_exercise=None, mean_control=None,
        sd_control=None,
        inputs=tuple(sorted({cell for e in effects for cell in e.inputs}, key=str)),
        source=tuple(dict.fromkeys(source for e in effects for source in e.source)),
    )  # fmt: skip
    return Assessed(effect, None, "composite", False, parts[0].enrolled, tuple(parts))


def _sizes(parts: Sequence[Assessed]) -> tuple[int | None, int | None, int | None]:
    """Return the participants of the exercise arms, of the controls, and of both together."""
    effects = [part.effect for part in parts]
    exercise = if_known(sum, (e.n_exercise for e in effects))
    # Each control is counted once.
    by_arm = grouped(effects, lambda effect: effect.comparator)
    control = if_known(sum, (if_known(max, (e.n_control for e in own)) for own in by_arm.values()))
    controlled = effects[0].design_class == DesignClass.CONTROLLED
    total = if_known(sum, (exercise, control)) if controlled else exercise
    if all(same_participants(parts[0], other) for other in parts[1:]):
        exercise = max((e.n_exercise for e in effects if e.n_exercise), default=None)
        total = max((e.n_total for e in effects if e.n_total), default=None)
    return exercise, control, total


def _combined_id(effects: Sequence[Effect], arms: str) -> str:
    first, several = effects[0], len({(e.timepoint, e.report) for e in effects}) > 1
    when = ("combined",) if several else (first.timepoint, first.report)
    parts = (first.study_id, arms, first.outcome, first.analyte, first.site, *when, first.measure)
    return ".".join(filter(None, parts)).lower().replace(" ", "_")


def if_known(of: Callable[[Sequence[int]], int], numbers: Iterable[int | None]) -> int | None:
    """Return a sum, or the largest, of numbers; None where one of them is not known."""
    numbers = list(numbers)
    known = [number for number in numbers if number is not None]
    return of(known) if len(known) == len(numbers) else None
