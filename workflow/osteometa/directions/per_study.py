"""One direction per study, and what its arms report alike."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, ReportedResult, StudyDirection
from osteometa.records.groups import grouped
from osteometa.wording.choices import POPULATIONS
from osteometa.wording.vocabulary import DesignClass, Direction, DirectionBasis, Phase

DirectionSetKey = tuple[str, Phase, DesignClass]
"""Outcome, phase and design class."""


def study_directions(found: Iterable[DirectionEntry], share: float) -> list[StudyDirection]:
    """Return one direction per study: that of at least `share` of its known entries."""
    by_study = grouped(found, lambda entry: entry.study_id)
    rows = [_of_study(group, share) for group in by_study.values()]
    return sorted(rows, key=lambda study: (study.year or 0, study.label, study.study_id))


def _of_study(group: Sequence[DirectionEntry], share: float) -> StudyDirection:
    # A study that is not counted still has a direction.
    counted = [entry for entry in group if entry.counted] or group
    counts = Counter(entry.direction for entry in counted)
    first = group[0]
    volumes = {entry.plasma_volume for entry in group if entry.plasma_volume is not None}
    return StudyDirection(
        study_id=first.study_id, label=first.label, year=first.year, design=first.design,
        exercise_type=tuple(sorted({entry.exercise_type for entry in group})),
        direction=_most_common(counts, share), counted=any(entry.counted for entry in group),
        n_up=counts[Direction.UP], n_down=counts[Direction.DOWN], n_zero=counts[Direction.ZERO],
        n_unchanged=counts[Direction.UNCHANGED], n_not_told=counts[Direction.NOT_TOLD],
        n=max((entry.n for entry in group if entry.n is not None), default=None),
        arrow=tuple(sorted({arrow for entry in group for arrow in entry.arrow})),
        has_effect=any(entry.origin == "effect" for entry in group),
        plasma_volume=tuple(sorted(volumes)),
        reason="; ".join(dict.fromkeys(entry.reason for entry in group if entry.reason)),
    )  # fmt: skip


def _most_common(counts: Counter[Direction], share: float) -> Direction:
    known = counts[Direction.UP] + counts[Direction.DOWN]
    if not known:
        without_sign = (Direction.ZERO, Direction.UNCHANGED)
        return next((one for one in without_sign if counts[one]), Direction.NOT_TOLD)
    most = Direction.UP if counts[Direction.UP] >= counts[Direction.DOWN] else Direction.DOWN
    return most if counts[most] / known >= share - 1e-12 else Direction.MIXED


def counted_entries(
    found: Iterable[DirectionEntry], config: Config
) -> dict[DirectionSetKey, list[DirectionEntry]]:
    """Return the entries that count in each direction set, in the order of direction_sets.csv."""
    counted = [entry for entry in found if entry.counted]
    sets = grouped(counted, lambda entry: (entry.outcome, entry.phase, entry.design_class))
    outcomes = list(config.outcomes)
    return {key: sets[key] for key in sorted(sets, key=lambda k: (outcomes.index(k[0]), k[1:]))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmsAlike:
    """Arms of a study that report the same of one outcome: a mark of the direction plot."""

    results: tuple[ReportedResult, ...]
    basis: DirectionBasis
    direction: Direction

    @property
    def n(self) -> int | None:
        """Participants of the largest result, where one is reported."""
        return max((r.n for r in self.results if r.n is not None), default=None)

    @property
    def arms(self) -> tuple[str, ...]:
        """Labels of the arms."""
        return tuple(dict.fromkeys(result.arm_label for result in self.results))


def arms_alike(results: Iterable[ReportedResult]) -> list[ArmsAlike]:
    """Return the marks of one study, outcome, phase and type of exercise.

    Of each arm a known difference from another arm takes precedence over its own change; of several
    times the last one of a programme, or the first one after a bout, is taken. Sites or analytes
    that disagree are mixed.
    """
    alike: dict[tuple[DirectionBasis, Direction], list[ReportedResult]] = defaultdict(list)
    for found in grouped(results, lambda result: result.arm_id).values():
        known = [r for r in found if r.direction != Direction.NOT_TOLD] or found
        between = [r for r in known if r.basis == DirectionBasis.BETWEEN_ARM]
        chosen = _one_per_place(between or known)
        directions = {r.direction for r in chosen}
        direction = Direction.MIXED if len(directions) > 1 else chosen[0].direction
        alike[(min(r.basis for r in chosen), direction)] += chosen
    return [
        ArmsAlike(results=tuple(found), basis=basis, direction=direction)
        for (basis, direction), found in alike.items()
    ]


def _one_per_place(results: Iterable[ReportedResult]) -> list[ReportedResult]:
    """Return one result of each site and analyte: of the chosen time and the first population."""
    places = grouped(results, lambda result: (result.analyte, result.site))
    return [min(found, key=_order) for found in places.values()]


def _order(result: ReportedResult) -> tuple[bool, float, int, DirectionBasis, str, Direction]:
    population = result.population_analysed
    place = POPULATIONS.index(population) if population in POPULATIONS else len(POPULATIONS)
    time = 0.0 if result.time is None else result.time
    return (
        result.time is None, time if result.phase == Phase.ACUTE else -time, place, result.basis,
        result.report, result.direction,
    )  # fmt: skip
