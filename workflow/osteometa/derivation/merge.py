"""Third pass: arms of one exercise type that share a control are merged into one arm."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from osteometa.comparisons.build import NONE, Comparison, MergedRows, Reported, RowPair
from osteometa.comparisons.classification import exercise_type, listed_only
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.estimate import estimate
from osteometa.derivation.select import Selected
from osteometa.extraction.tables import Arm
from osteometa.protocol.config import Config


def merge(
    selected: Sequence[Selected], correlations: Correlations, config: Config
) -> list[Selected]:
    """Return the merged arms that are added to the selected comparisons.

    Arms of one type on one control for which the same kinds of values are reported at the same
    place.
    """
    groups: dict[tuple[str, ...], list[Comparison]] = defaultdict(list)
    for item in selected:
        one = item.comparison
        if item.chosen and _may_be_merged(one, config):
            type_of_exercise = exercise_type(one.arm, config)
            key = (one.study.study_id, one.arm.comparator, type_of_exercise, *one.key[2:])
            groups[key].append(one)
    merged = [merged_comparison(parts) for parts in groups.values() if len(parts) > 1]
    found = estimate([one for one in merged if one is not None], correlations, config)
    return [Selected(item, item) for item in found]


def _may_be_merged(comparison: Comparison, config: Config) -> bool:
    return (
        comparison.controlled
        and not comparison.paired
        and listed_only(comparison, config) is None
        and not any(row.disputed for row in comparison.rows)
    )


def merged_comparison(parts: Sequence[Comparison]) -> Comparison | None:
    """Return several arms of one type and control as one comparison.

    Each kind of value (levels, changes, percent changes) is merged if every arm reports it with
    mean, SD and n; a test of one arm does not apply to all of them. None if the arms have no kind
    of value after the exercise in common.
    """
    levels = _merged_pair(parts, [part.levels for part in parts])
    changes = _merged_pair(parts, [part.changes for part in parts])
    percents = _merged_pair(parts, [part.percents for part in parts])
    if not (levels[0] or changes[0] or percents[0]):
        return None
    return replace(
        parts[0], arm=_merged_arm([part.arm for part in parts]), contrasts=(), directions=(),
        parts=tuple(parts), logs=NONE, log_baselines=NONE, levels=levels, changes=changes,
        percents=percents, baselines=_merged_pair(parts, [part.baselines for part in parts]),
    )  # fmt: skip


def _merged_pair(parts: Sequence[Comparison], pairs: Sequence[RowPair]) -> RowPair:
    """Return the rows of all exercise arms as one, if each is complete, and the control's row."""
    rows = []
    for part, pair in zip(parts, pairs, strict=True):
        summary = part.pair(pair)[0]
        if isinstance(pair[0], MergedRows) or pair[0] is None:
            return None, pairs[0][1]
        if summary is None or summary.complete() is None or not summary.sd:
            return None, pairs[0][1]
        rows.append(pair[0])
    exercise: Reported = MergedRows(tuple(rows))
    return exercise, pairs[0][1]


def _merged_arm(arms: Sequence[Arm]) -> Arm:
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
