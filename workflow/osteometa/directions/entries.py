"""Directions of comparisons: what is known of the sign where the size is not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.classification import listed_only, shared_columns
from osteometa.comparisons.comparison import Comparison, comparison_key, difference_of_means
from osteometa.comparisons.summaries import Cell
from osteometa.extraction.tables import Direction as DirectionRow
from osteometa.extraction.tables import Tables
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, Origin
from osteometa.records.effects import Effect
from osteometa.wording.vocabulary import OPPOSITE, Direction


@dataclass(frozen=True, slots=True)
class KnownDirection:
    """A direction, where it is from, and why it is not known better."""

    direction: Direction
    origin: Origin
    cells: tuple[Cell, ...]
    reason: str


def effects_by_comparison(
    effects: Iterable[Effect], config: Config
) -> dict[tuple[str, ...], Effect]:
    """Return the effect of each comparison by its key, on the primary measure where it has one."""
    by_comparison: dict[tuple[str, ...], Effect] = {}
    for effect in effects:
        key = comparison_key(effect)
        primary = config.outcomes[effect.outcome].measures[0]
        if key not in by_comparison or effect.measure == primary:
            by_comparison[key] = effect
    return by_comparison


def entries(
    comparisons: Iterable[Comparison], by_comparison: Mapping[tuple[str, ...], Effect],
    config: Config,
) -> list[DirectionEntry]:  # fmt: skip
    """Return the direction of each comparison; the sign of its effect overrides what was typed."""
    return [_entry(one, by_comparison.get(one.key), config) for one in comparisons]


def secondary_entries(tables: Tables, config: Config) -> list[DirectionEntry]:
    """Return the directions of the secondary outcomes, which have no effects."""
    return entries(comparisons_of(tables, config, config.secondary_outcomes), {}, config)


def _entry(comparison: Comparison, effect: Effect | None, config: Config) -> DirectionEntry:
    reported = [row for row in comparison.directions if row.usable]
    if effect is not None:
        known = KnownDirection(_sign(effect.yi), "effect", (), "")
    else:
        known = _known(comparison, reported)
    claims = {row.direction or row.arrow for row in _fitting(comparison, reported)}
    opposite = OPPOSITE.get(known.direction)
    conflict = opposite in claims
    reason = f"the sign contradicts the reported {opposite}" if conflict else known.reason
    not_counted = why_not_counted(comparison, reported, config)
    inputs = sorted({cell.name for cell in known.cells}, key=str)
    return DirectionEntry(
        **shared_columns(comparison, config),
        direction=known.direction, origin=known.origin,
        arrow=tuple(sorted({row.arrow for row in reported if row.arrow})),
        significant=tuple(sorted({row.significant for row in reported if row.significant})),
        n=_participants(comparison), counted=not not_counted, conflict=conflict,
        reason=not_counted or reason,
        inputs=effect.inputs if effect is not None else tuple(inputs),
        source=tuple(dict.fromkeys(row.source for row in comparison.rows if row.source)),
    )  # fmt: skip


def why_not_counted(
    comparison: Comparison, reported: Sequence[DirectionRow], config: Config
) -> str:
    """Return why the direction of a comparison is not in a sign test, '' if it is."""
    analyte = config.analyte(comparison.outcome, comparison.analyte)
    if analyte is not None and not analyte.directions_counted:
        return f"{comparison.outcome}, {analyte.label}: listed, not counted"
    listed = listed_only(comparison, config)
    if listed is not None:
        return listed[1]
    if not comparison.controlled and comparison.study.design in ("rct", "nrct"):
        return "an arm of a controlled trial without its comparator: not counted within arms"
    if reported and all(row.direction == "unknown" for row in reported):
        return "direction entered as unknown"
    return ""


def _known(comparison: Comparison, reported: Sequence[DirectionRow]) -> KnownDirection:
    """Return the direction by what is reported, without an effect."""
    means = difference_of_means(comparison)
    if means is not None:
        return KnownDirection(_sign(means[0]), "means", means[1], "two reported means")
    for row in comparison.contrasts:
        fits = row.compares == ("between" if comparison.controlled else "within")
        if fits and row.usable and row.difference is not None:
            direction, cells = _sign(row.difference), (Cell(row, "value"),)
            return KnownDirection(direction, "means", cells, "a reported difference")
    fitting = _fitting(comparison, reported)
    for row in fitting:
        if row.direction in ("up", "down", "zero"):
            cells = (Cell(row, "direction"),)
            return KnownDirection(Direction(row.direction), "words", cells, "reported in words")
    for row in fitting:
        if row.arrow in ("up", "down") and row.significant == "yes":
            reason = "direction reported qualitatively, as significant"
            return KnownDirection(Direction(row.arrow), "arrow", (Cell(row, "arrow"),), reason)
    cells = tuple(Cell(row, "arrow" if row.arrow else "direction") for row in reported)
    unchanged = any(row.arrow == "none" for row in fitting)
    direction = Direction.UNCHANGED if unchanged else Direction.NOT_TOLD
    return KnownDirection(direction, "none", cells, _why_unknown(comparison, reported))


def _fitting(comparison: Comparison, reported: Sequence[DirectionRow]) -> list[DirectionRow]:
    """Return the directions of this comparison, not those of another basis."""
    bases = ("between_arm",) if comparison.controlled else ("within_arm", "not_stated")
    return [row for row in reported if row.basis in bases]


def _why_unknown(comparison: Comparison, reported: Sequence[DirectionRow]) -> str:
    bases = {row.basis for row in reported}
    if comparison.controlled and bases == {"within_arm"}:
        return "only the change within the arm is reported, not the difference between arms"
    if comparison.controlled and "not_stated" in bases and "between_arm" not in bases:
        return "not reported whether the direction is one between arms"
    if any(row.arrow == "none" for row in reported):
        return "no significant change, the sign is not reported"
    if any(row.arrow == "mixed" for row in reported):
        return "mixed results are reported"
    return "no sign is reported"


def _sign(value: float) -> Direction:
    if abs(value) < 1e-12:
        return Direction.ZERO
    return Direction.UP if value > 0 else Direction.DOWN


def _participants(comparison: Comparison) -> int | None:
    """Return the participants of a comparison, those in two conditions once.

    They are that in a crossover, and where both arms together have more than were enrolled.
    """
    found, enrolled = _participants_of_arms(comparison), comparison.study.n_enrolled
    if not comparison.controlled or found is None or enrolled is None:
        return found
    return min(found, enrolled)


def _participants_of_arms(comparison: Comparison) -> int | None:
    pairs = (comparison.levels, comparison.changes, comparison.percents)
    once = not comparison.controlled or comparison.paired
    for row in comparison.contrasts:
        if once and row.n_exercise:
            return row.n_exercise
        if row.n_exercise and row.n_control:
            return row.n_exercise + row.n_control
    known = []
    for side in (0,) if once else (0, 1):
        row = next((pair[side] for pair in pairs if pair[side] is not None), None)
        known.append(comparison.size(side, row).n)
    if None not in known:
        return sum(known)
    return next((row.n_total for row in comparison.contrasts if row.n_total), None)
