"""Effects that share people: arms merged into one, effects combined, or their covariance.

One effect per study and exercise type is pooled; two types on one control keep both
contrasts, fitted with their covariance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from osteometa.comparisons.build import Comparison, Together
from osteometa.effects.basis import Basis, Estimate, RefusalError, change_variance, pooled_sd
from osteometa.effects.differences import percent_to_log
from osteometa.effects.formulas import g_term
from osteometa.extraction.tables import Arm
from osteometa.records.effects import Covariance, Effect

COMPOSITE = "COMPOSITE"
KINDS = ("levels", "baselines", "changes", "percents")


@dataclass(frozen=True, slots=True)
class Found:
    """An effect, and what of its variance it owes to its control arm."""

    effect: Effect
    control: float | None
    """The control's part of the variance without g's own term; None where no print gives it."""
    scores: str
    """What was compared: post, change or test; tests of one type count as not printed."""
    enrolled: int | None = None
    """People of the study, where it says so."""
    parts: tuple[Found, ...] = ()
    """The effects that are combined here."""


def merged(parts: Sequence[Comparison]) -> Comparison | None:
    """Return several arms of one type and control as one comparison.

    Each kind of print (levels, changes, percent changes) is merged if every arm gives it with
    mean, SD and n; a test of one arm says nothing of all of them.

    Returns
    -------
    Comparison or None
        None if the arms have no kind of print after the exercise in common.
    """
    prints = {kind: _together(kind, parts) for kind in KINDS}
    if not any(prints[kind][0] for kind in KINDS if kind != "baselines"):
        return None
    return replace(
        parts[0], arm=_one_arm([part.arm for part in parts]), contrasts=(), directions=(),
        parts=tuple(parts), logs=(None, None), log_baselines=(None, None), **prints,
    )  # fmt: skip


def _together(kind: str, parts: Sequence[Comparison]) -> tuple[Together | None, object]:
    pairs = [getattr(part, kind) for part in parts]
    summaries = [part.pair(pair)[0] for part, pair in zip(parts, pairs, strict=True)]
    complete = all(s is not None and s.mean is not None and s.sd and s.n for s in summaries)
    rows = tuple(pair[0] for pair in pairs)
    return (Together(rows) if complete else None), pairs[0][1]


def _one_arm(arms: Sequence[Arm]) -> Arm:
    def same(column: str) -> object:
        values = {getattr(arm, column) for arm in arms}
        return getattr(arms[0], column) if len(values) == 1 else ""

    return arms[0].model_copy(
        update={
            "arm_id": "+".join(arm.arm_id for arm in arms),
            "label": " + ".join(arm.label for arm in arms),
            "intensity": same("intensity"),
            "cointervention": "; ".join(dict.fromkeys(a.cointervention for a in arms)),
            "comparator_kind": same("comparator_kind") or arms[0].comparator_kind,
            "n_start": None,
            "n_end": None,
        }
    )


def control_part(basis: Basis, measure: str, estimate: Estimate) -> tuple[float | None, str]:
    """Return what of an effect's variance is its control's, and what was compared.

    The covariance of two effects on one control is the root of the product of their parts (for SMD
    plus g1 g2 / (2 N)): SMD 1/nC (POST), the variance of the control's mean change over S0^2 (PPC,
    CHG), f^2/nC (ADJ, TST, SMDP); MD the control's variance; ROM that of its log mean or log ratio.
    For POST Gleser and Olkin (2009); the others follow from the variances of the rungs.
    """
    if "BOR" in estimate.flags:
        return None, "test"
    try:
        if measure == "SMD":
            return _smd_part(basis, estimate)
        if measure == "MD":
            return _md_part(basis, estimate)
        return _rom_part(basis, estimate)
    except RefusalError:
        return None, "test"


def _smd_part(basis: Basis, estimate: Estimate) -> tuple[float | None, str]:
    n_e, n_c = estimate.n
    if estimate.method == "POST" and n_c:
        return 1 / n_c, "post"
    if estimate.method == "PPC":
        return _change(basis) / pooled_sd(*basis.before) ** 2, "change"
    if estimate.method == "CHG":
        one, other = basis.change if _complete(basis.change) else basis.percent
        s0 = pooled_sd(one, other) / math.sqrt(2 * (1 - basis.mean_r))
        return other.sd**2 / other.n / s0**2, "change"
    if n_e and n_c:
        left = estimate.vi - g_term(estimate.yi, n_e + n_c)
        return (left * n_e / (n_e + n_c) if left > 0 else None), "test"
    return None, "test"


def _md_part(basis: Basis, estimate: Estimate) -> tuple[float | None, str]:
    if "TMD" not in estimate.codes:
        if estimate.method == "POST":
            return _square(basis.after[1]), "post"
        if estimate.method == "PPC":
            return _change(basis), "change"
        if estimate.method == "CHG":
            return _square(basis.change[1]), "change"
    return None, "test"


def _rom_part(basis: Basis, estimate: Estimate) -> tuple[float | None, str]:
    if "TMD" in estimate.codes:
        return None, "test"
    after, before = basis.after[1], basis.before[1]
    if estimate.method == "POST":
        return _square(after) / after.mean**2, "post"
    if estimate.method == "PPC":
        twice = 2 * basis.r[1].r * before.sd * after.sd / max(before.n, after.n)
        return (
            _square(after) / after.mean**2 + _square(before) / before.mean**2
            - twice / (before.mean * after.mean)
        ), "change"  # fmt: skip
    if estimate.method == "CHG" and "PCT" in estimate.codes:
        control = basis.percent[1]
        return percent_to_log(control.mean, control.sd, control.n)[1], "change"
    if estimate.method == "CHG":  # changes in g/cm2, brought to a ratio by a baseline mean
        one, other = (_square(side) for side in basis.change)
        return estimate.vi * other / (one + other), "change"
    return None, "test"


def _change(basis: Basis) -> float:
    return change_variance(basis.before[1], basis.after[1], basis.change[1], basis.r[1].r)


def _square(summary) -> float:
    return summary.sd**2 / summary.n


def _complete(pair) -> bool:
    return all(s is not None and None not in (s.mean, s.sd) and s.n for s in pair)


def same_arm(one: Found, other: Found) -> bool:
    """Tell whether two arms of one study are the same people in two conditions.

    So in a crossover, and where two arms together have more people than the study enrolled.
    """
    if one.effect.design == "crossover_rct":
        return True
    people = (one.effect.n_exercise, other.effect.n_exercise)
    return one.enrolled is not None and None not in people and sum(people) > one.enrolled


def share_people(one: Found, other: Found) -> bool:
    """Tell whether two effects of one study and measure rest on some of the same people."""
    if one.effect.study_id != other.effect.study_id:
        return False
    control = one.effect.comparator
    return same_arm(one, other) or (bool(control) and control == other.effect.comparator)


def covariance_of(one: Found, other: Found, rho: float, *, of_one_type: bool = False) -> float:
    """Return the covariance of the sampling errors of two effects of one study and measure.

    Where no print gives the control's variance, or the two rest on other scores, it is
    rho sqrt(v1 v2). Tests of two arms of one type count as such too.
    """
    if one.parts:
        return sum(covariance_of(p, other, rho) for p in one.parts) / len(one.parts)
    if other.parts:
        return sum(covariance_of(one, p, rho) for p in other.parts) / len(other.parts)
    if not share_people(one, other):
        return 0.0
    unknown = rho * math.sqrt(one.effect.vi * other.effect.vi)
    printed = None not in (one.control, other.control) and one.scores == other.scores
    by_test = of_one_type and one.scores == "test"
    if not printed or by_test or same_arm(one, other):
        return unknown
    found = shared_control(one.control, other.control)
    if one.effect.measure == "SMD":
        a, b = one.effect, other.effect
        everyone = a.n_exercise + b.n_exercise + max(a.n_control, b.n_control)
        found += a.yi * b.yi / (2 * everyone)
    # No correlation of 1 or more: prints that differ too much to share one control's variance.
    limit = math.sqrt(one.effect.vi * other.effect.vi)
    return found if abs(found) < limit else unknown


def shared_control(one: float, other: float) -> float:
    """Return the covariance that a control in common makes, from its part in each variance."""
    return math.sqrt(one * other)


def mean_of(yi: Sequence[float], V: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the unweighted mean of effects of one study and its variance.

    Parameters
    ----------
    yi : sequence of length k
    V : k x k covariances; the variance of the mean is their sum over k^2 (Borenstein 2009, ch. 24).
    """
    k = len(yi)
    return sum(yi) / k, sum(map(sum, V)) / k**2


def composite(parts: Sequence[Found], rho: float) -> Found:
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
    first = effects[0]
    people = [sum_or_none([e.n_exercise for e in effects]), _controls(effects)]
    total = None if None in _needed(first, people) else sum(_needed(first, people))
    if all(same_arm(parts[0], other) for other in parts[1:]):
        people[0] = max((e.n_exercise for e in effects if e.n_exercise), default=None)
        total = max((e.n_total for e in effects if e.n_total), default=None)
    arms = list(dict.fromkeys(e.arm_id for e in effects))
    codes = dict.fromkeys(code for e in effects for code in e.provenance.split("+"))
    words = {
        name: "/".join(dict.fromkeys(str(getattr(e, name)) for e in effects if getattr(e, name)))
        for name in ("timepoint", "report", "population_analysed", "comparator", "type_by_paper")
    }
    effect = replace(
        first, **words,
        effect_id=_joined_id(effects, arms),
        arm_id="+".join(arms),
        arm_label=" + ".join(dict.fromkeys(e.arm_label for e in effects)),
        cointervention="; ".join(dict.fromkeys(e.cointervention for e in effects)),
        yi=yi, vi=vi, z=yi / math.sqrt(vi),
        n_exercise=people[0], n_control=people[1],
        n_total=total,
        provenance="+".join([*codes, COMPOSITE]),
        r=_mean_r(effects),
        r_source="+".join(sorted({s for e in effects for s in e.r_source.split("+") if s})),
        flags=" ".join(sorted({flag for e in effects for flag in e.flags.split()})),
        means_kind="", means_unit="", mean_exercise=None, sd_exercise=None, mean_control=None,
        sd_control=None,
        inputs=" ".join(sorted({cell for e in effects for cell in e.inputs.split()})),
        source="; ".join(dict.fromkeys(s for e in effects for s in e.source.split("; ") if s)),
    )  # fmt: skip
    return Found(effect, None, "composite", parts[0].enrolled, tuple(parts))


def _needed(effect: Effect, people: Sequence[int | None]) -> list[int | None]:
    return list(people) if effect.design_class == "controlled" else [people[0]]


def _joined_id(effects: Sequence[Effect], arms: Sequence[str]) -> str:
    first = effects[0]
    rest = [first.timepoint, first.report]
    same = all([e.timepoint, e.report] == rest for e in effects)
    parts = [first.study_id, "+".join(arms), first.outcome, first.analyte, first.site,
             *(rest if same else ["combined"]), first.measure]  # fmt: skip
    return ".".join(part for part in parts if part).lower().replace(" ", "_")


def sum_or_none(numbers: Sequence[int | None]) -> int | None:
    """Return a sum, or None where a number is not known."""
    return None if None in numbers else sum(numbers)


def _controls(effects: Sequence[Effect]) -> int | None:
    """Return the people of the controls, each control counted once."""
    by_arm: dict[str, list[int | None]] = defaultdict(list)
    for effect in effects:
        by_arm[effect.comparator].append(effect.n_control)
    return sum_or_none([None if None in n else max(n) for n in by_arm.values()])


def _mean_r(effects: Sequence[Effect]) -> float | None:
    known = [effect.r for effect in effects if effect.r is not None]
    return sum(known) / len(known) if known else None


def split_control(found: Found, contrasts: int) -> Found:
    """Return an effect whose control is divided among several contrasts.

    The estimate stays; the control's part of the variance grows by the number of contrasts. Where
    no print gives that part, it is the share nT / (nT + nC) of equal variances.
    """
    effect = found.effect
    part = found.control
    if part is None:
        n_e, n_c = effect.n_exercise, effect.n_control
        part = effect.vi * (n_e / (n_e + n_c) if n_e and n_c else 0.5)
    vi = effect.vi + (contrasts - 1) * part
    return replace(found, effect=replace(effect, vi=vi, z=effect.yi / math.sqrt(vi)))


def covariances(found: Iterable[Found], rho: float, *, split: bool = False) -> list[Covariance]:
    """Return the covariances of all effects of one set and measure that share people.

    With `split` a control in common is divided and links nothing; the same people still do.
    """
    groups: dict[tuple, list[Found]] = defaultdict(list)
    for item in sorted(found, key=lambda item: item.effect.effect_id):
        groups[(item.effect.study_id, *place_of(item.effect), item.effect.measure)].append(item)
    rows = []
    for group in groups.values():
        for i, one in enumerate(group):
            for other in group[i + 1 :]:
                covariance = covariance_of(one, other, rho)
                if covariance and not (split and not same_arm(one, other)):
                    ids = (one.effect.effect_id, other.effect.effect_id)
                    rows.append(Covariance(effect_id_1=ids[0], effect_id_2=ids[1],
                                           covariance=covariance))  # fmt: skip
    return sorted(rows, key=lambda row: (row.effect_id_1, row.effect_id_2))


def place_of(effect: Effect) -> tuple[str, ...]:
    """Return the set in which an effect belongs: what a synthesis asks for."""
    return (
        effect.outcome, effect.analyte, effect.site, effect.phase, effect.window,
        effect.design_class,
    )  # fmt: skip
