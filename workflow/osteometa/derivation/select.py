"""Second pass: which comparisons of the same participants represent them, or are merged."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from osteometa.comparisons.classification import (
    exercise_type,
    listed_only,
    time_distance,
    window_of,
)
from osteometa.comparisons.comparison import NONE, Comparison, MergedRows, RowPair
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.estimate import Estimated, estimate
from osteometa.effects.rows import disputed_because
from osteometa.extraction.tables import Arm, Measurement
from osteometa.protocol.config import Config
from osteometa.records.groups import grouped
from osteometa.wording.choices import PART, POPULATIONS
from osteometa.wording.vocabulary import Flag

NEAREST = {"end": "the nearest to the end", "earliest": "the earliest", "latest": "the latest"}


@dataclass(frozen=True, slots=True)
class Selected:
    """An estimated comparison, and the one that represents the same participants."""

    estimated: Estimated
    represented_by: Estimated

    @property
    def comparison(self) -> Comparison:
        """The comparison itself."""
        return self.estimated.comparison

    @property
    def chosen(self) -> bool:
        """Whether it represents its participants itself."""
        return self.estimated is self.represented_by

    def part_of_unknown(self, measure: str) -> bool:
        """Return whether it is a part of a trial whose whole gives no effect on a measure."""
        whole = self.represented_by
        if self.comparison.population != PART or whole.comparison.population == PART:
            return False
        estimate = whole.estimate(measure)
        return estimate is None or Flag.BORROWED in estimate.flags


def select(estimated: Sequence[Estimated], config: Config) -> list[Selected]:
    """Choose one comparison per arm, outcome, site and window: by time, analysis and report.

    Of training the time that config.yaml chooses; in a window of a bout the sample nearest its
    start among those that give an effect. At one time, a comparison that gives the primary measure
    goes before one that does not, and one without inconsistent data before one with. The whole of a
    trial goes before any part of it, also where it gives no number; of several parts one represents
    the others.
    """
    groups = grouped(estimated, lambda item: same_participants(item.comparison, config))
    represented: dict[tuple[str, ...], Estimated] = {}
    for items in groups.values():
        first, *others = sorted(items, key=lambda item: _rank(item, config))
        represented |= dict.fromkeys((item.comparison.key for item in items), first)
        parts = [item for item in others if item.comparison.population == PART]
        if first.comparison.population != PART:
            represented |= {item.comparison.key: parts[0] for item in parts[1:]}
    return [Selected(e, represented[e.comparison.key]) for e in estimated]


def same_participants(comparison: Comparison, config: Config) -> tuple[str, ...]:
    """Return what the comparisons of the same participants have in common.

    Windows after a bout are sets of their own, times of training are not; a sample whose hours are
    not reported represents itself.
    """
    window = ""
    if comparison.arm.phase == "acute":
        window = window_of(comparison, config) or f"at {comparison.timepoint}"
    return (
        comparison.study.study_id, comparison.arm.arm_id, comparison.outcome, comparison.analyte,
        comparison.site, window,
    )  # fmt: skip


def _rank(item: Estimated, config: Config) -> tuple:
    comparison = item.comparison
    found = [item.estimate(measure) for measure in config.outcomes[comparison.outcome].measures]
    has = [estimate is not None and Flag.BORROWED not in estimate.flags for estimate in found]
    # At the end of the programme only its end counts, even where it gives no number.
    any_time = comparison.arm.phase == "acute" or config.derivation.training_time != "end"
    return (
        comparison.population == PART, not any(has) if any_time else False,
        time_distance(comparison, config), not any(has), not has[0],
        POPULATIONS.index(comparison.population),
        any(map(disputed_because, item.estimates().values())), comparison.report,
    )  # fmt: skip


def why_represented(item: Selected, config: Config) -> str:
    """Return which comparison represents the participants of one that is not chosen."""
    comparison, other = item.comparison, item.represented_by.comparison
    if comparison.population == PART != other.population:
        taken = f"the whole trial ({other.report or 'main report'}, {other.timepoint})"
    elif comparison.timepoint != other.timepoint:
        nearest = NEAREST[config.derivation.training_time]
        if comparison.arm.phase == "acute":
            nearest = f"the nearest to the start of the window '{window_of(other, config)}'"
        taken = f"{other.timepoint}, {nearest}"
    elif comparison.population != other.population:
        taken = f"the {other.population or 'main'} analysis"
    else:
        taken = f"report '{other.report or 'main'}'"
    return f"one effect per group of participants: represented by {taken}"


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
    names = ("levels", "changes", "percents", "baselines")
    pairs = {name: _merged_pair(parts, name) for name in names}
    if not any(pairs[name][0] for name in names[:3]):
        return None
    return replace(
        parts[0], arm=_merged_arm([part.arm for part in parts]), contrasts=(), directions=(),
        parts=tuple(parts), logs=NONE, log_baselines=NONE, **pairs,
    )  # fmt: skip


def _merged_pair(parts: Sequence[Comparison], name: str) -> RowPair:
    """Return the rows of all exercise arms as one, if each is complete, and the control's row."""
    rows, control = [], getattr(parts[0], name)[1]
    for part in parts:
        row = getattr(part, name)[0]
        summary = part.pair((row, None))[0]
        whole = summary is not None and summary.complete() is not None and summary.sd
        if not isinstance(row, Measurement) or not whole:
            return None, control
        rows.append(row)
    return MergedRows(tuple(rows)), control


def _merged_arm(arms: Sequence[Arm]) -> Arm:
    def same(column: str) -> object:
        values = {getattr(arm, column) for arm in arms}
        return getattr(arms[0], column) if len(values) == 1 else ""

    merged = {
        "arm_id": "+".join(arm.arm_id for arm in arms),
        "label": " + ".join(arm.label for arm in arms),
        "intensity": same("intensity"),
        "cointervention": "; ".join(dict.fromkeys(a.cointervention for a in arms)),
        "comparator_kind": same("comparator_kind") or arms[0].comparator_kind,
    }
    return arms[0].model_copy(update={**merged, "n_start": None, "n_end": None})
