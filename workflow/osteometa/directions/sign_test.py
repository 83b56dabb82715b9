"""Sign tests over studies: the direction of the estimate counts, regardless of its p."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scipy.special import bdtr, bdtrc, betaincinv

from osteometa.directions.per_study import DirectionSetKey, counted_entries, study_directions
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, DirectionSet, StudyDirection
from osteometa.wording.vocabulary import Direction


def direction_sets(found: Iterable[DirectionEntry], config: Config) -> list[DirectionSet]:
    """Return the sign test of each outcome, phase and design class with any direction."""
    return [
        direction_set(key, study_directions(members, config.directions.agreement_share))
        for key, members in counted_entries(found, config).items()
    ]


def direction_set(key: DirectionSetKey, studies: Sequence[StudyDirection]) -> DirectionSet:
    """Return the sign test over studies, with its range over all ways the unknown may have gone."""
    counts = {
        direction: sum(study.direction == direction for study in studies) for direction in Direction
    }
    up = counts[Direction.UP]
    unknown = sum(number for direction, number in counts.items() if direction.unknown)
    known = up + counts[Direction.DOWN]
    total = known + unknown
    ps = [sign_test(x, total) for x in range(up, up + unknown + 1)] if total else []
    low, high = share_interval(up, known) if known else (None, None)
    return DirectionSet(
        outcome=key[0],
        phase=key[1],
        design_class=key[2],
        n_up=up,
        n_down=counts[Direction.DOWN],
        n_mixed=counts[Direction.MIXED],
        n_zero=counts[Direction.ZERO],
        n_unchanged=counts[Direction.UNCHANGED],
        n_not_told=counts[Direction.NOT_TOLD],
        p_known=sign_test(up, known) if known else None,
        p_lowest=min(ps) if ps else None,
        p_highest=max(ps) if ps else None,
        share_known=up / known if known else None,
        share_ci_low=low,
        share_ci_high=high,
        share_lowest=up / total if total else None,
        share_highest=(up + unknown) / total if total else None,
    )


def sign_test(x: int, n: int) -> float:
    """Return the exact two-sided p of x ups among n known: min(1, 2 min of the tails)."""
    return float(min(1.0, 2 * min(bdtr(x, n, 0.5), bdtrc(x - 1, n, 0.5))))


def share_interval(x: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share."""
    tail = (1 - level) / 2
    low = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return low, high
