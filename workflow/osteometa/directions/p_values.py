"""What is tested where sizes are not known: sign test, combined p values, albatross points.

Exact p values are reported selectively, so a combination is at most evidence of an effect in at
least one study, and no estimate of its size.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scipy.special import bdtr, bdtrc, betaincinv, chdtrc, ndtr, ndtri

from osteometa.comparisons.build import population_of
from osteometa.comparisons.reported_tests import CORRELATIONS, exact_p, is_omnibus
from osteometa.comparisons.summaries import SECOND_HAND, row_flags
from osteometa.directions.per_study import DirectionSetKey, counted_entries, study_directions
from osteometa.extraction.tables import Contrast, Tables
from osteometa.io.problems import counted
from osteometa.numerics.distributions import two_tailed
from osteometa.protocol.config import Config
from osteometa.records.directions import (
    AlbatrossPoint,
    DirectionEntry,
    DirectionSet,
    PCombination,
    StudyDirection,
)
from osteometa.records.effects import Effect
from osteometa.records.groups import grouped
from osteometa.wording.vocabulary import Block, Direction, Flag

FEWEST = 3
SURE = 1e-12
"""Bounds of a one-sided p: a p of 0 or 1 has no quantile."""

NO_P = (Block.DISPUTED, Block.BORROWED)
"""Blocks of effects whose p is not used: inconsistent data, and SDs of other studies."""


RowP = tuple[Contrast, float]
"""A row with its exact p."""


@dataclass(frozen=True, slots=True)
class ExactP:
    """One study's exact p in a direction set, or why it has none."""

    entry: DirectionEntry
    p_up: float | None
    """One-sided, of the hypothesis that exercise raises the outcome."""
    reason: str
    two_sided: float | None = None


def one_sided(p: float, direction: str, tails: int = 2) -> float:
    """Return the one-sided p of "higher with exercise": p/2 if up, 1 - p/2 if down.

    Two-sided p values ignore the direction and mislead when combined. `direction` is that of the
    estimate, whatever the hypothesis of the test. A reported p of one tail above .5 means that the
    estimate is opposite to the hypothesis: on its own side it is 1 - p.
    """
    half = two_tailed(p, tails) / 2
    return half if direction == "up" else 1 - half


def p_combinations(
    entries: Iterable[DirectionEntry], tables: Tables, config: Config
) -> list[PCombination]:
    """Return one row per direction set: its exact p values combined, or why not."""
    reported = _reported(tables)
    return [
        combine_p(key, _one_per_study(found, reported, tables, config))
        for key, found in counted_entries(entries, config).items()
    ]


def combine_p(key: DirectionSetKey, found: Sequence[ExactP]) -> PCombination:
    """Combine one exact one-sided p per study.

    Stouffer: Z = sum sqrt(N) z / sqrt(sum N). Fisher: -2 sum ln p on 2k degrees of freedom. Both
    for "higher" and for "lower with exercise", since Fisher's statistic is not symmetric.
    """
    usable = [one for one in found if one.p_up is not None]
    outcome, phase, design_class = key
    studies = tuple(one.entry.study_id for one in usable)
    if len(usable) < FEWEST:
        counts = Counter(one.reason for one in found if one.p_up is None)
        words = "; ".join(f"{number} {why}" for why, number in sorted(counts.items()))
        values = counted(len(usable), "exact p value")
        reason = f"{values} in a known direction, {FEWEST} are needed"
        reason += f"; the other studies: {words}" if words else ""
        return PCombination(
            outcome=outcome, phase=phase, design_class=design_class, k=len(usable),
            status="not_applicable", reason=reason, studies=studies,
        )  # fmt: skip
    ps = [min(max(p_up, SURE), 1 - SURE) for one in usable if (p_up := one.p_up) is not None]
    sizes = [one.entry.n or 0 for one in usable]
    z, p = stouffer(ps, sizes)
    chi2, df, p_fisher = fisher(ps)
    chi2_lower, _, p_lower = fisher([1 - p_up for p_up in ps])
    return PCombination(
        outcome=outcome, phase=phase, design_class=design_class, k=len(usable), n_total=sum(sizes),
        z=z, p_stouffer=p, p_stouffer_lower=float(ndtr(z)), chi2=chi2, chi2_lower=chi2_lower,
        df=df, p_fisher=p_fisher, p_fisher_lower=p_lower, studies=studies,
    )  # fmt: skip


def albatross(
    entries: Iterable[DirectionEntry], effects: Iterable[Effect], tables: Tables, config: Config
) -> list[AlbatrossPoint]:
    """Return one point per study of each direction set that has N and a p (Harrison 2017).

    The p of the z of its effect on the primary measure, else the exact p that it reports. As in
    the combination, a p from inconsistent data is not used, nor one by a borrowed SD.
    """
    reported = _reported(tables)
    by_place: dict[tuple[str, ...], Effect] = {}
    for effect in effects:
        primary = effect.measure == config.outcomes[effect.outcome].measures[0]
        if primary and effect.block not in NO_P:
            by_place.setdefault((*_place(effect), effect.population_analysed), effect)
    points = (
        _point(key, group, by_place, reported)
        for key, found in counted_entries(entries, config).items()
        for group in _by_study(found, tables, config)
    )
    return [point for point in points if point is not None]


def _point(
    key: DirectionSetKey, group: Sequence[DirectionEntry],
    effects: Mapping[tuple[str, ...], Effect], reported: Mapping[tuple[str, ...], list[RowP]],
) -> AlbatrossPoint | None:  # fmt: skip
    def point(entry: DirectionEntry, n: int, p: float, effect: Effect | None) -> AlbatrossPoint:
        return AlbatrossPoint(
            outcome=key[0], phase=key[1], design_class=key[2], study_id=entry.study_id,
            label=entry.label, n=n, p=p, direction=entry.direction,
            origin="reported" if effect is None else "effect",
            effect_id="" if effect is None else effect.effect_id,
        )  # fmt: skip

    for entry in group:
        effect = effects.get((*_place(entry), entry.population_analysed))
        if effect is not None and entry.n and entry.direction in (Direction.UP, Direction.DOWN):
            return point(entry, entry.n, 2 * float(ndtr(-abs(effect.z))), effect)
    for entry in group:
        p = _exact_p(entry, reported).two_sided
        if p is not None and entry.n:
            return point(entry, entry.n, p, None)
    return None


def _one_per_study(
    entries: Iterable[DirectionEntry], reported: Mapping[tuple[str, ...], list[RowP]],
    tables: Tables, config: Config,
) -> list[ExactP]:  # fmt: skip
    """Return each study's first usable p, or the reason of its first entry."""
    studies = _by_study(entries, tables, config)
    found = ([_exact_p(entry, reported) for entry in group] for group in studies)
    return [next((one for one in own if one.p_up is not None), own[0]) for own in found]


def _by_study(
    entries: Iterable[DirectionEntry], tables: Tables, config: Config
) -> list[list[DirectionEntry]]:
    """Return the entries of each study, the one that represents it first.

    By site in the order of config.yaml, then the time nearest the end of the programme (of a bout,
    the earliest), then the arm with most participants: chosen without looking at any p.
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

    groups = grouped(sorted(entries, key=order), lambda entry: entry.study_id)
    return [groups[study_id] for study_id in sorted(groups)]


def _exact_p(entry: DirectionEntry, reported: Mapping[tuple[str, ...], list[RowP]]) -> ExactP:
    compares = "between" if entry.design_class == "controlled" else "within"
    at_place = [one for one in reported.get(_place(entry), []) if one[0].compares == compares]
    rows = [one for one in at_place if population_of(one[0]) in ("", entry.population_analysed)]
    if not rows:
        return ExactP(entry, None, "without an exact p")
    if entry.direction not in (Direction.UP, Direction.DOWN):
        return ExactP(entry, None, "with an exact p but no known direction")
    if not entry.n:
        return ExactP(entry, None, "with an exact p but no number of participants")
    row, p = rows[0]
    p_up = one_sided(p, entry.direction, row.tails or 2)
    return ExactP(entry, p_up, "", two_tailed(p, row.tails))


def _reported(tables: Tables) -> dict[tuple[str, ...], list[RowP]]:
    """Return the exact p values of usable contrasts by place.

    Those of several groups, and those that do not account for the clusters of a trial, are none.
    """
    found: list[RowP] = []
    clustered = {(arm.study_id, arm.arm_id) for arm in tables.arms if arm.clusters}
    for row in tables.contrasts:
        unadjusted = (row.study_id, row.arm_id) in clustered and (
            Flag.CLUSTER_ADJUSTED not in row_flags(row)
        )
        test = row.statistic not in CORRELATIONS and not is_omnibus(row) and not unadjusted
        p = exact_p(row) if test and row.usable and not row.disputed else None
        if p is not None:
            found.append((row, p))
    found.sort(key=lambda item: (item[0].origin in SECOND_HAND, item[0].row))
    return grouped(found, lambda item: _place(item[0]))


def _place(row: Contrast | DirectionEntry | Effect) -> tuple[str, ...]:
    return (row.study_id, row.arm_id, row.outcome, row.analyte, row.site, row.timepoint, row.report)


def stouffer(p_values: Sequence[float], sizes: Sequence[float]) -> tuple[float, float]:
    """Combine one-sided p by Stouffer's method with weights sqrt(N); return Z and p."""
    weights = [math.sqrt(n) for n in sizes]
    z = sum(-w * ndtri(p) for w, p in zip(weights, p_values, strict=True))
    z = float(z / math.sqrt(sum(w * w for w in weights)))
    return z, float(ndtr(-z))


def fisher(p_values: Sequence[float]) -> tuple[float, int, float]:
    """Combine one-sided p by Fisher's method; return chi-square, df and p."""
    statistic = -2 * sum(math.log(p) for p in p_values)
    df = 2 * len(p_values)
    return statistic, df, float(chdtrc(df, statistic))


def direction_sets(found: Iterable[DirectionEntry], config: Config) -> list[DirectionSet]:
    """Return the sign test of each outcome, phase and design class with any direction."""
    return [
        direction_set(key, study_directions(members, config.directions.agreement_share))
        for key, members in counted_entries(found, config).items()
    ]


def direction_set(key: DirectionSetKey, studies: Sequence[StudyDirection]) -> DirectionSet:
    """Return the sign test over studies, with its range over all ways the unknown may have gone."""
    counts = Counter(study.direction for study in studies)
    up = counts[Direction.UP]
    unknown = sum(number for direction, number in counts.items() if direction.unknown)
    known = up + counts[Direction.DOWN]
    total = known + unknown
    ps = [sign_test(x, total) for x in range(up, up + unknown + 1)] if total else []
    low, high = share_interval(up, known) if known else (None, None)
    return DirectionSet(
        outcome=key[0], phase=key[1], design_class=key[2], n_up=up, n_down=counts[Direction.DOWN],
        n_mixed=counts[Direction.MIXED], n_zero=counts[Direction.ZERO],
        n_unchanged=counts[Direction.UNCHANGED], n_not_told=counts[Direction.NOT_TOLD],
        p_known=sign_test(up, known) if known else None,
        p_lowest=min(ps, default=None), p_highest=max(ps, default=None),
        share_known=up / known if known else None, share_ci_low=low, share_ci_high=high,
        share_lowest=up / total if total else None,
        share_highest=(up + unknown) / total if total else None,
    )  # fmt: skip


def sign_test(x: int, n: int) -> float:
    """Return the exact two-sided p of x ups among n known: min(1, 2 min of the tails)."""
    return float(min(1.0, 2 * min(bdtr(x, n, 0.5), bdtrc(x - 1, n, 0.5))))


def share_interval(x: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share."""
    tail = (1 - level) / 2
    low = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return low, high
