"""One direction per study: the one that most of its comparisons have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from osteometa.records.directions import DirectionEntry, StudyDirection
from osteometa.wording.vocabulary import Direction


def study_directions(found: Iterable[DirectionEntry], share: float) -> list[StudyDirection]:
    """Return one direction per study: that of at least `share` of its known entries."""
    by_study: dict[str, list[DirectionEntry]] = defaultdict(list)
    for entry in found:
        by_study[entry.study_id].append(entry)
    rows = [_of_study(group, share) for group in by_study.values()]
    return sorted(rows, key=lambda study: (study.year or 0, study.label, study.study_id))


def _of_study(group: Sequence[DirectionEntry], share: float) -> StudyDirection:
    # A study that is not counted still has a direction.
    counted = [entry for entry in group if entry.counted] or group
    counts = Counter(entry.direction for entry in counted)
    first = group[0]
    sizes = [entry.n for entry in group if entry.n is not None]
    volumes = {entry.plasma_volume for entry in group if entry.plasma_volume is not None}
    return StudyDirection(
        study_id=first.study_id,
        label=first.label,
        year=first.year,
        design=first.design,
        exercise_type=tuple(sorted({entry.exercise_type for entry in group})),
        direction=_most_common(counts, share),
        counted=any(entry.counted for entry in group),
        n_up=counts[Direction.UP],
        n_down=counts[Direction.DOWN],
        n_zero=counts[Direction.ZERO],
        n_unchanged=counts[Direction.UNCHANGED],
        n_not_told=counts[Direction.NOT_TOLD],
        n=max(sizes) if sizes else None,
        arrow=tuple(sorted({arrow for entry in group for arrow in entry.arrow})),
        has_effect=any(entry.origin == "effect" for entry in group),
        plasma_volume=tuple(sorted(volumes)),
        reason="; ".join(dict.fromkeys(entry.reason for entry in group if entry.reason)),
    )


def _most_common(counts: Counter[Direction], share: float) -> Direction:
    known = counts[Direction.UP] + counts[Direction.DOWN]
    if not known:
        without_sign = (Direction.ZERO, Direction.UNCHANGED)
        return next((one for one in without_sign if counts[one]), Direction.NOT_TOLD)
    most = Direction.UP if counts[Direction.UP] >= counts[Direction.DOWN] else Direction.DOWN
    return most if counts[most] / known >= share - 1e-12 else Direction.MIXED
