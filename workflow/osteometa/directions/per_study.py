"""One vote per study: the direction that most of what it says shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from osteometa.records.directions import DirectionEntry, StudyDirection


def study_directions(found: Iterable[DirectionEntry], share: float) -> list[StudyDirection]:
    """Return one vote per study: the direction that at least `share` of its known entries have."""
    by_study: dict[str, list[DirectionEntry]] = defaultdict(list)
    for entry in found:
        by_study[entry.study_id].append(entry)
    rows = [_vote(group, share) for group in by_study.values()]
    return sorted(rows, key=lambda vote: (vote.year or 0, vote.label, vote.study_id))


def _vote(group: list[DirectionEntry], share: float) -> StudyDirection:
    # A study that is barred from voting still says what it says.
    voting = [entry for entry in group if entry.counted] or group
    counts = {
        word: sum(entry.direction == word for entry in voting)
        for word in ("up", "down", "zero", "unknown")
    }
    known = counts["up"] + counts["down"]
    if not known:
        direction = "zero" if counts["zero"] else "unknown"
    else:
        top = "up" if counts["up"] >= counts["down"] else "down"
        direction = top if counts[top] / known >= share - 1e-12 else "mixed"
    first = group[0]
    people = [entry.n for entry in group if entry.n is not None]
    reasons = dict.fromkeys(entry.reason for entry in group if entry.reason)
    types = sorted({entry.exercise_type for entry in group})
    arrows = sorted({arrow for entry in group for arrow in entry.arrow.split("/") if arrow})
    return StudyDirection(
        study_id=first.study_id,
        label=first.label,
        year=first.year,
        design=first.design,
        exercise_type=types[0] if len(types) == 1 else "/".join(types),
        direction=direction,
        counted=any(entry.counted for entry in group),
        n_up=counts["up"],
        n_down=counts["down"],
        n_zero=counts["zero"],
        n_unknown=counts["unknown"],
        n=max(people) if people else None,
        arrow="/".join(arrows),
        has_effect=any(entry.origin == "effect" for entry in group),
        plasma_volume="/".join(sorted({e.plasma_volume for e in group if e.plasma_volume})),
        reason="; ".join(reasons),
    )
