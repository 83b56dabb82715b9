"""The multiverse: the product of the registered choices (Voracek, Kossmeier and Tran 2019)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osteometa.config import Config
from osteometa.explore.common import one_per_study
from osteometa.pooling import Joint
from osteometa.pooling.kernel import Fits, fit
from osteometa.records import Effect
from osteometa.records_explore import MultiverseRow, MultiverseShare
from osteometa.sensitivity import READING, Case

CHOICES = ("derivation", "people", "designs", "prints", "tau2", "ci")
PRIMARY = "primary"
NOT_DERIVED = (READING, "type_by=")
"""Variants that are no other derivation of the same effects."""


@dataclass(frozen=True, slots=True)
class Specification:
    """One combination of choices, before it is fitted."""

    measure: str
    choices: tuple[str, ...]
    """In the order of CHOICES."""
    members: int
    """Which of the sets of effects it fits."""


@dataclass(frozen=True, slots=True)
class Universe:
    """All specifications, and the different sets of effects that they fit."""

    specifications: tuple[Specification, ...]
    sets: tuple[tuple[tuple[float, float], ...], ...]
    """Effect and variance per study."""


def universe(case: Case) -> Universe:
    """Return the specifications of a synthesis; those of fewer than two studies are left out.

    More than the cap of config.yaml are sampled with its seed, the primary one always kept.
    """
    rows: list[Specification] = []
    sets: dict[tuple[tuple[float, float], ...], int] = {}
    choices = case.config.multiverse
    models = [
        (method, ci)
        for method, ci in itertools.product(choices.methods, choices.intervals)
        if method != "EE" or ci == "wald"
    ]
    for measure in case.config.outcomes[case.outcome].measures:
        for names, effects in _sets(case, measure):
            if len(effects) < 2:
                continue
            members = sets.setdefault(effects, len(sets))
            rows += [Specification(measure, (*names, *model), members) for model in models]
    if len(rows) > choices.cap:
        rng = np.random.default_rng(case.config.seed)
        kept = set(rng.choice(len(rows), choices.cap, replace=False).tolist())
        rows = [row for i, row in enumerate(rows) if i in kept or is_primary(row, case)]
    return Universe(tuple(rows), tuple(sets))


def is_primary(row: Specification, case: Case) -> bool:
    """Tell whether a specification is that of the review's primary result."""
    pooling = case.config.pooling
    return row.measure == case.measure and row.choices == (
        PRIMARY, "all", "randomised", "undisputed", pooling.method, pooling.ci,
    )  # fmt: skip


def _sets(
    case: Case, measure: str
) -> Iterator[tuple[tuple[str, ...], tuple[tuple[float, float], ...]]]:
    """Yield names of choices, and the effects per study that they give."""
    choices = case.config.multiverse
    own = {v.variant for v in case.variants if v.measure == measure}
    names = [n for n in case.named("") if n in own and not n.startswith(NOT_DERIVED)]
    for derivation in (PRIMARY, *names):
        joint = case.joint(measure) if derivation == PRIMARY else case.under(derivation, measure)
        for designs, prints in itertools.product(choices.designs, choices.prints):
            added = _others(case, measure) if designs == "all designs" else []
            added += _cautious(case, measure) if prints == "cautious readings" else []
            for people, flags in choices.people.items():
                kept = [
                    e for e in (*joint.effects, *added) if not set(flags) & set(e.flags.split())
                ]
                names_here = (derivation, people, designs, prints)
                yield names_here, _per_study(Joint(tuple(kept), joint.links))


def _others(case: Case, measure: str) -> list[Effect]:
    return [e for e in case.effects if e.measure == measure and e.block == "non_randomised"]


def _cautious(case: Case, measure: str) -> list[Effect]:
    """Return the weakest reading (least |z|) of each disputed comparison."""
    weakest: dict[tuple[str, str], Effect] = {}
    for row in case.variants:
        if row.measure == measure and row.variant.startswith(READING):
            key = (row.study_id, row.arm_id)
            if key not in weakest or abs(row.z) < abs(weakest[key].z):
                weakest[key] = row
    return list(weakest.values())


def _per_study(joint: Joint) -> tuple[tuple[float, float], ...]:
    """Return effect and variance of each study, sorted; several of one are combined."""
    numbers = joint.numbers
    y, v = np.array(numbers["yi"]), np.array(numbers["vi"])
    combined = one_per_study(y, v, numbers.get("V"), joint.studies)
    return tuple(sorted(zip(*(array.tolist() for array in combined), strict=True)))


def fitted(made: Universe, config: Config) -> dict[tuple[str, str], Fits]:
    """Return the fits of every set, by method and interval."""
    if not made.sets:
        return {}
    widest = max(len(members) for members in made.sets)
    y = np.zeros((len(made.sets), widest))
    v = np.ones_like(y)
    mask = np.zeros(y.shape, dtype=bool)
    for row, members in enumerate(made.sets):
        y[row, : len(members)] = [effect for effect, _ in members]
        v[row, : len(members)] = [variance for _, variance in members]
        mask[row, : len(members)] = True
    models = {spec.choices[-2:] for spec in made.specifications}
    return {
        (method, ci): fit(y, v, mask=mask, method=method, ci=ci) for method, ci in sorted(models)
    }


def multiverse(case: Case) -> tuple[list[MultiverseRow], list[MultiverseShare]]:
    """Return the specifications, duplicates merged, and what each choice explains."""
    made = universe(case)
    fits = fitted(made, case.config)
    if len(made.specifications) < 2:
        return [], [_no_share(case.measure, "fewer than two studies are pooled")]
    estimates = np.array(
        [fits[spec.choices[-2:]].estimate[spec.members] for spec in made.specifications]
    )
    shares: list[MultiverseShare] = []
    rows = _merged(made, fits, case)
    for measure in case.config.outcomes[case.outcome].measures:
        index = [i for i, s in enumerate(made.specifications) if s.measure == measure]
        if index:
            chosen = [made.specifications[i] for i in index]
            own = [row for row in rows if row.measure == measure]
            shares += explained(measure, chosen, estimates[index])
            shares.append(_overall(measure, own))
    shares.append(_overall("all", rows))
    return rows, shares


def _merged(made: Universe, fits: dict[tuple[str, str], Fits], case: Case) -> list[MultiverseRow]:
    """Return one row per different set and model: the first specification stands for the others."""
    held: dict[tuple, list[Specification]] = {}
    for spec in made.specifications:
        held.setdefault((spec.measure, spec.members, *spec.choices[-2:]), []).append(spec)
    rows = []
    for same in held.values():
        spec = next((s for s in same if is_primary(s, case)), same[0])
        found = fits[spec.choices[-2:]]
        at = spec.members
        low, high = float(found.ci_low[at]), float(found.ci_high[at])
        estimate, se = float(found.estimate[at]), float(found.se[at])
        named = dict(zip(CHOICES, spec.choices, strict=True))
        rows.append(
            MultiverseRow(
                specification=0, measure=spec.measure, **named, merged=len(same),
                k=int(found.k[at]), estimate=estimate, ci_low=low, ci_high=high,
                z=estimate / se if se > 0 else 0.0, excludes_null=not low <= 0 <= high,
                primary=is_primary(spec, case),
            )
        )  # fmt: skip
    measures = case.config.outcomes[case.outcome].measures
    rows.sort(key=lambda r: (measures.index(r.measure), r.estimate, r.derivation, r.people,
                             r.designs, r.prints, r.tau2, r.ci))  # fmt: skip
    return [replace(row, specification=number) for number, row in enumerate(rows, start=1)]


def explained(
    measure: str, specifications: Sequence[Specification], estimates: np.ndarray
) -> list[MultiverseShare]:
    """Return the part of the variance of the estimates that each choice explains by itself.

    Sum over the levels of a choice of n (mean of the level - mean)^2, over the total sum of squares
    (main effects of an analysis of variance); what is left are interactions. The product of all
    choices is balanced, so the parts add up; of a sample they do so nearly.
    """
    mean = float(np.mean(estimates))
    total = float(np.sum((estimates - mean) ** 2))
    scale = float(np.max(np.abs(estimates)))
    rows, left = [], 100.0
    for place, choice in enumerate(CHOICES):
        levels: dict[str, list[float]] = {}
        for spec, estimate in zip(specifications, estimates, strict=True):
            levels.setdefault(spec.choices[place], []).append(float(estimate))
        between = sum(len(v) * (float(np.mean(v)) - mean) ** 2 for v in levels.values())
        share = 100 * between / total if total > (1e-12 * scale) ** 2 else 0.0
        left -= share
        rows.append(_share(measure, choice, len(levels), share, len(specifications)))
    return [*rows, _share(measure, "remainder", 1, max(0.0, left), len(specifications))]


def _share(measure: str, choice: str, levels: int, share: float, n: int) -> MultiverseShare:
    return MultiverseShare(
        measure=measure, choice=choice, levels=levels, share=share, specifications=n,
        same_sign=None, excludes_null=None, median=None, lowest=None, highest=None, status="ok",
        reason="",
    )  # fmt: skip


def _overall(measure: str, rows: Sequence[MultiverseRow]) -> MultiverseShare:
    """Return the shares of sign and of intervals over the different specifications."""
    estimates = [row.estimate for row in rows]
    primary = next((row.estimate for row in rows if row.primary), float(np.median(estimates)))
    one = measure != "all"
    return MultiverseShare(
        measure=measure, choice="all", levels=len(rows), share=None, specifications=len(rows),
        same_sign=100 * sum(e * primary > 0 for e in estimates) / len(rows),
        excludes_null=100 * sum(row.excludes_null for row in rows) / len(rows),
        median=float(np.median(estimates)) if one else None,
        lowest=min(estimates) if one else None, highest=max(estimates) if one else None,
        status="ok", reason="",
    )  # fmt: skip


def _no_share(measure: str, reason: str) -> MultiverseShare:
    return MultiverseShare(
        measure=measure, choice="all", levels=0, share=None, specifications=0, same_sign=None,
        excludes_null=None, median=None, lowest=None, highest=None, status="not_applicable",
        reason=reason,
    )  # fmt: skip
