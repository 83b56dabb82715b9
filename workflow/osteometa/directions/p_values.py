"""What exact p values tell where sizes are not known: their combination, and albatross points.

Exact p values are printed selectively, so a combination is evidence of an effect in at least one
study at most, and says nothing of its size.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scipy.special import ndtr

from osteometa.comparisons.build import population_of
from osteometa.comparisons.reported_tests import is_omnibus
from osteometa.directions.entries import DirectionSetKey, counted_entries, fisher, stouffer
from osteometa.extraction.tables import Contrast, Tables
from osteometa.numerics.distributions import two_tailed
from osteometa.protocol.config import Config
from osteometa.records.directions import AlbatrossPoint, DirectionEntry, PCombination
from osteometa.records.effects import Effect

FEWEST = 3
SURE = 1e-12
"""Bounds of a one-sided p: a p of 0 or 1 has no quantile."""

DOUBTED = ("disputed", "borrowed")
"""Blocks of effects whose p is not taken: contradictory prints, and SDs of other studies."""


@dataclass(frozen=True, slots=True)
class Told:
    """One study's exact p in a direction set, or why it has none."""

    entry: DirectionEntry
    p_up: float | None
    """One-sided, of the hypothesis that exercise raises the outcome."""
    reason: str
    row: Contrast | None = None


def one_sided(p: float, direction: str, tails: int = 2) -> float:
    """Return the one-sided p of "higher with exercise": p/2 if up, 1 - p/2 if down.

    Two-sided p values ignore the direction and mislead when combined.

    Parameters
    ----------
    p : float
    direction : {"up", "down"}
        Of the estimate, whatever the test was out to show.
    tails : {1, 2}
        Of the printed p. One of one tail above .5 says that the estimate points the other way than
        the hypothesis: on its own side it is 1 - p.
    """
    half = two_tailed(p, tails) / 2
    return half if direction == "up" else 1 - half


def p_combinations(
    entries: Iterable[DirectionEntry], tables: Tables, config: Config
) -> list[PCombination]:
    """Return one row per direction set: its exact p values combined, or why not."""
    printed = _printed(tables)
    return [
        combine_p(key, _one_per_study(found, printed, tables, config))
        for key, found in counted_entries(entries, config).items()
    ]


def combine_p(key: DirectionSetKey, told: Sequence[Told]) -> PCombination:
    """Combine one exact one-sided p per study.

    Stouffer: Z = sum sqrt(N) z / sqrt(sum N). Fisher: -2 sum ln p on 2k degrees of freedom. Both
    for "higher" and for "lower with exercise", since Fisher's statistic is not symmetric.
    """
    usable = [one for one in told if one.p_up is not None]
    common = dict(zip(("outcome", "phase", "design_class"), key, strict=True))
    studies = " ".join(one.entry.study_id for one in usable)
    if len(usable) < FEWEST:
        counts: dict[str, int] = defaultdict(int)
        for one in told:
            if one.p_up is None:
                counts[one.reason] += 1
        words = [f"{number} {why}" for why, number in sorted(counts.items())]
        reason = f"{len(usable)} of at least {FEWEST} exact p values in a known direction"
        if words:
            reason += f"; the other studies: {'; '.join(words)}"
        return PCombination(
            **common, k=len(usable), n_total=None, z=None, p_stouffer=None, p_stouffer_lower=None,
            chi2=None, chi2_lower=None, df=None, p_fisher=None, p_fisher_lower=None,
            status="not_applicable", reason=reason, studies=studies,
        )  # fmt: skip
    ps = [min(max(one.p_up, SURE), 1 - SURE) for one in usable]
    sizes = [one.entry.n for one in usable]
    z, p = stouffer(ps, sizes)
    chi2, df, p_fisher = fisher(ps)
    chi2_lower, _, p_lower = fisher([1 - p_up for p_up in ps])
    return PCombination(
        **common, k=len(usable), n_total=sum(sizes), z=z, p_stouffer=p,
        p_stouffer_lower=float(ndtr(z)), chi2=chi2, chi2_lower=chi2_lower, df=df,
        p_fisher=p_fisher, p_fisher_lower=p_lower, status="ok", reason="", studies=studies,
    )  # fmt: skip


def albatross(
    entries: Iterable[DirectionEntry], effects: Iterable[Effect], tables: Tables, config: Config
) -> list[AlbatrossPoint]:
    """Return one point per study of each direction set that has N and a p (Harrison 2017).

    The p of the z of its effect on the primary measure, else the exact p that it prints. As in the
    combination, a p that rests on a disputed print is none; nor is one by a borrowed SD.
    """
    printed = _printed(tables)
    by_place: dict[tuple[str, ...], Effect] = {}
    for effect in effects:
        primary = effect.measure == config.outcomes[effect.outcome].measures[0]
        if primary and effect.block not in DOUBTED:
            by_place.setdefault((*_place(effect), effect.population_analysed), effect)
    points = []
    for key, found in counted_entries(entries, config).items():
        for group in _by_study(found, tables, config):
            point = _point(key, group, by_place, printed)
            if point is not None:
                points.append(point)
    return points


def _point(
    key: DirectionSetKey, group: Sequence[DirectionEntry],
    effects: Mapping[tuple[str, ...], Effect], printed: Mapping[tuple[str, ...], list[Contrast]],
) -> AlbatrossPoint | None:  # fmt: skip
    def point(entry: DirectionEntry, p: float, origin: str, effect_id: str) -> AlbatrossPoint:
        return AlbatrossPoint(
            outcome=key[0], phase=key[1], design_class=key[2], study_id=entry.study_id,
            label=entry.label, n=entry.n, p=p, direction=entry.direction, origin=origin,
            effect_id=effect_id,
        )  # fmt: skip

    for entry in group:
        effect = effects.get((*_place(entry), entry.population_analysed))
        if effect is not None and entry.n and entry.direction in ("up", "down"):
            return point(entry, 2 * float(ndtr(-abs(effect.z))), "effect", effect.effect_id)
    for entry in group:
        told = _told(entry, printed)
        if told.row is not None:
            return point(entry, two_tailed(float(told.row.p), told.row.tails), "printed", "")
    return None


def _one_per_study(
    entries: Iterable[DirectionEntry], printed: Mapping[tuple[str, ...], list[Contrast]],
    tables: Tables, config: Config,
) -> list[Told]:  # fmt: skip
    """Return each study's first usable p, or the reason of its first entry."""
    result = []
    for group in _by_study(entries, tables, config):
        told = [_told(entry, printed) for entry in group]
        result.append(next((one for one in told if one.p_up is not None), told[0]))
    return result


def _by_study(
    entries: Iterable[DirectionEntry], tables: Tables, config: Config
) -> list[list[DirectionEntry]]:
    """Return the entries of each study, that which speaks for it first.

    By site in the order of config.yaml, then the time nearest the end of the programme (of a bout,
    the earliest), then the arm with most people: chosen without looking at any p.
    """
    weeks = {(arm.study_id, arm.arm_id): arm.weeks for arm in tables.arms}
    sites = ["", *(site for o in config.outcomes.values() for site in o.sites)]

    def order(entry: DirectionEntry) -> tuple:
        end = weeks.get((entry.study_id, entry.arm_id))
        time = math.inf if entry.time is None else entry.time
        if entry.phase == "training" and entry.time is not None:
            time = -entry.time if end is None else abs(entry.time - end)
        return (
            sites.index(entry.site) if entry.site in sites else len(sites), time, -(entry.n or 0),
            entry.analyte, entry.arm_id, entry.timepoint, entry.report,
        )  # fmt: skip

    groups: dict[str, list[DirectionEntry]] = defaultdict(list)
    for entry in sorted(entries, key=order):
        groups[entry.study_id].append(entry)
    return [groups[study_id] for study_id in sorted(groups)]


def _told(entry: DirectionEntry, printed: Mapping[tuple[str, ...], list[Contrast]]) -> Told:
    compares = "between" if entry.design_class == "controlled" else "within"
    rows = [
        row
        for row in printed.get(_place(entry), [])
        if row.compares == compares and population_of(row) in ("", entry.population_analysed)
    ]
    if not rows:
        return Told(entry, None, "without an exact p")
    if entry.direction not in ("up", "down"):
        return Told(entry, None, "with an exact p but no known direction")
    if not entry.n:
        return Told(entry, None, "with an exact p but no number of people")
    row = rows[0]
    return Told(entry, one_sided(float(row.p), entry.direction, row.tails or 2), "", row)


def _printed(tables: Tables) -> dict[tuple[str, ...], list[Contrast]]:
    """Return the exact p values of usable contrasts by place; those of several groups are none."""
    found: dict[tuple[str, ...], list[Contrast]] = defaultdict(list)
    for row in tables.contrasts:
        exact = row.p is not None and row.p_operator == "=" and row.statistic != "r"
        if exact and not is_omnibus(row) and row.usable and not row.disputed:
            found[_place(row)].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (row.origin in ("other_review", "press"), row.row))
    return found


def _place(row: Contrast | DirectionEntry | Effect) -> tuple[str, ...]:
    return (
        row.study_id, row.arm_id, row.outcome, row.analyte, row.site, row.timepoint, row.report,
    )  # fmt: skip
