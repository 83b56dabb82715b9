"""Directions: what is known of the sign where sizes are not, and sign tests over studies.

Counting significant results is no synthesis; the sign of the estimate counts, whatever its p.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from scipy.special import bdtr, bdtrc, betaincinv

from osteometa.comparisons.build import Comparison, difference_of_means, exercise_type
from osteometa.comparisons.summaries import Cell
from osteometa.directions.per_study import study_directions
from osteometa.extraction.tables import Arm, Direction
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, DirectionSet, StudyDirection
from osteometa.records.effects import Effect

OPPOSITE = {"up": "down", "down": "up"}
DirectionSetKey = tuple[str, str, str]
"""Outcome, phase and design class."""


def entries(
    comparisons: Iterable[Comparison], effects: Sequence[Effect], config: Config
) -> list[DirectionEntry]:
    """Return what each comparison says of a direction.

    Parameters
    ----------
    comparisons : iterable of Comparison
    effects : sequence of Effect
        All effects that could be computed; their sign overrides what was typed.
    config : Config
    """
    signs: dict[tuple[str, ...], Effect] = {}
    for effect in effects:
        key = (
            effect.study_id, effect.arm_id, effect.outcome, effect.analyte, effect.site,
            effect.timepoint, effect.report, effect.population_analysed,
        )  # fmt: skip
        primary = config.outcomes[effect.outcome].measures[0]
        if key not in signs or effect.measure == primary:
            signs[key] = effect
    return [_entry(comparison, signs.get(comparison.key), config) for comparison in comparisons]


def _entry(comparison: Comparison, effect: Effect | None, config: Config) -> DirectionEntry:
    typed = [row for row in comparison.directions if row.usable]
    direction, origin, cells, reason = _direction(comparison, effect, typed)
    arrows = sorted({row.arrow for row in typed if row.arrow})
    claims = {row.direction or row.arrow for row in _fitting(comparison, typed)}
    conflict = OPPOSITE.get(direction, "-") in claims
    if conflict:
        reason = f"the sign contradicts the typed {OPPOSITE[direction]}"
    barred = why_no_vote(comparison, typed, config)
    inputs = effect.inputs if effect and origin == "effect" else " ".join(
        sorted({cell.row.cell_name(cell.column) for cell in cells})
    )  # fmt: skip
    return DirectionEntry(
        **common_columns(comparison, config),
        direction=direction,
        origin=origin,
        arrow="/".join(arrows),
        significant="/".join(sorted({row.significant for row in typed if row.significant})),
        n=_people(comparison),
        counted=not barred,
        conflict=conflict,
        reason=barred or reason,
        inputs=inputs,
        source="; ".join(dict.fromkeys(row.source for row in comparison.rows if row.source)),
    )


def common_columns(comparison: Comparison, config: Config) -> dict[str, Any]:
    """Return the columns that an effect and a direction share: who, what, where and when."""
    study, arm = comparison.study, comparison.arm
    return {
        "study_id": study.study_id,
        "label": study.label,
        "year": study.year,
        "arm_id": arm.arm_id,
        "arm_label": arm.label,
        "outcome": comparison.outcome,
        "analyte": comparison.analyte,
        "site": comparison.site,
        "phase": arm.phase,
        "window": window_of(comparison, config),
        "timepoint": comparison.timepoint,
        "time": comparison.time,
        "design": study.design,
        "design_class": "controlled" if comparison.controlled else "within_arm",
        "exercise_type": exercise_type(arm, config),
        "comparator_kind": arm.comparator_kind,
        "plasma_volume": plasma_volume_of(arm),
        "report": comparison.report,
        "population_analysed": comparison.population,
    }


def plasma_volume_of(arm: Arm) -> str:
    """Return whether blood values of a bout were corrected for the shift of plasma volume."""
    return (arm.plasma_volume or "not_stated") if arm.phase == "acute" else ""


def window_of(comparison: Comparison, config: Config) -> str:
    """Return the window of an acute comparison, '' for training."""
    if comparison.arm.phase != "acute":
        return ""
    return config.window_of(comparison.time, comparison.timepoint)


def why_no_vote(comparison: Comparison, typed: Sequence[Direction], config: Config) -> str:
    """Return why a comparison has no vote in a direction set, '' if it has one."""
    analyte = config.analyte(comparison.outcome, comparison.analyte)
    if analyte is not None and not analyte.directions_counted:
        return f"{comparison.outcome}, {analyte.label}: listed, not counted"
    reason = why_listed(comparison, config)
    if reason:
        return reason
    if not comparison.controlled and comparison.study.design in ("rct", "nrct"):
        return "an arm of a controlled trial without its comparator: no vote within arms"
    if typed and all(row.direction == "unknown" for row in typed):
        return "direction typed as unknown"
    return ""


def why_listed(comparison: Comparison, config: Config) -> str:
    """Return why a comparison is listed only, whatever its numbers; '' if it is not."""
    arm, control = comparison.arm, comparison.control
    if arm.listed:
        return arm.listed
    if control is None:
        return ""
    if arm.comparator_kind not in config.comparator_kinds:
        return f"comparator '{arm.comparator_kind}' is not pooled by config.yaml"
    if arm.cointervention.strip().casefold() != control.cointervention.strip().casefold():
        given = arm.cointervention or control.cointervention
        return f"cointervention in one arm only: {given}"
    return ""


def _direction(
    comparison: Comparison, effect: Effect | None, typed: Sequence[Direction]
) -> tuple[str, str, tuple[Cell, ...], str]:
    if effect is not None:
        return _sign(effect.yi), "effect", (), ""
    means = difference_of_means(comparison)
    if means is not None:
        return _sign(means[0]), "means", means[1], "two printed means"
    for row in comparison.contrasts:
        fits = row.compares == ("between" if comparison.controlled else "within")
        signed = row.statistic in ("md", "adj_md", "smd", "t")
        if fits and signed and row.usable and row.value is not None:
            return _sign(float(row.value)), "means", (Cell(row, "value"),), "a printed difference"
    for row in _fitting(comparison, typed):
        if row.direction in ("up", "down", "zero"):
            return row.direction, "typed", (Cell(row, "direction"),), "told in words"
    for row in _fitting(comparison, typed):
        if row.arrow in ("up", "down") and row.significant == "yes":
            return row.arrow, "arrow", (Cell(row, "arrow"),), "arrow called significant"
    cells = tuple(Cell(row, "arrow" if row.arrow else "direction") for row in typed)
    return "unknown", "none", cells, _why_unknown(comparison, typed)


def _fitting(comparison: Comparison, typed: Sequence[Direction]) -> list[Direction]:
    """Return the typed rows that speak of this comparison, not of another one."""
    bases = ("between_arm",) if comparison.controlled else ("within_arm", "not_stated")
    return [row for row in typed if row.basis in bases]


def _why_unknown(comparison: Comparison, typed: Sequence[Direction]) -> str:
    bases = {row.basis for row in typed}
    if comparison.controlled and bases == {"within_arm"}:
        return "only the arm's own change is told, not the difference between arms"
    if comparison.controlled and "not_stated" in bases and "between_arm" not in bases:
        return "the arrow does not say whether it compares arms"
    if any(row.arrow == "none" for row in typed):
        return "no significant change, the sign is not told"
    if any(row.arrow == "mixed" for row in typed):
        return "the paper reports mixed results"
    return "no sign is told"


def _sign(value: float) -> str:
    if abs(value) < 1e-12:
        return "zero"
    return "up" if value > 0 else "down"


def _people(comparison: Comparison) -> int | None:
    """Return the people of a comparison, those in two conditions once.

    They are that in a crossover, and where both arms together have more than the study enrolled.
    """
    found, enrolled = _people_of_arms(comparison), comparison.study.n_enrolled
    more = comparison.controlled and found is not None and enrolled is not None
    return enrolled if more and found > enrolled else found


def _people_of_arms(comparison: Comparison) -> int | None:
    pairs = (comparison.levels, comparison.changes, comparison.percents)
    once = not comparison.controlled or comparison.study.design == "crossover_rct"
    sides = (0,) if once else (0, 1)
    for row in comparison.contrasts:
        if once and row.n_exercise:
            return row.n_exercise
        if row.n_exercise and row.n_control:
            return row.n_exercise + row.n_control
    found = []
    for side in sides:
        row = next((pair[side] for pair in pairs if pair[side] is not None), None)
        found.append(comparison.people(side, row).n)
    if all(n is not None for n in found):
        return sum(found)
    totals = [row.n_total for row in comparison.contrasts if row.n_total]
    return totals[0] if totals else None


def direction_sets(found: Iterable[DirectionEntry], config: Config) -> list[DirectionSet]:
    """Return the sign test of each outcome, phase and design class that any study speaks of."""
    return [
        _direction_set(key, study_directions(members, config.directions.agreement_share))
        for key, members in counted_entries(found, config).items()
    ]


def counted_entries(
    found: Iterable[DirectionEntry], config: Config
) -> dict[DirectionSetKey, list[DirectionEntry]]:
    """Return the entries that count in each direction set, in the order of direction_sets.csv."""
    sets: dict[DirectionSetKey, list[DirectionEntry]] = defaultdict(list)
    for entry in found:
        if entry.counted:
            sets[(entry.outcome, entry.phase, entry.design_class)].append(entry)
    outcomes = list(config.outcomes)
    return {key: sets[key] for key in sorted(sets, key=lambda k: (outcomes.index(k[0]), k[1:]))}


def _direction_set(key: DirectionSetKey, cast: Sequence[StudyDirection]) -> DirectionSet:
    counts = {
        word: sum(vote.direction == word for vote in cast)
        for word in ("up", "down", "mixed", "zero", "unknown")
    }
    up, known, unknown = counts["up"], counts["up"] + counts["down"], counts["unknown"]
    total = known + unknown
    ps = [sign_test(x, total) for x in range(up, up + unknown + 1)] if total else []
    low, high = share_interval(up, known) if known else (None, None)
    return DirectionSet(
        outcome=key[0],
        phase=key[1],
        design_class=key[2],
        **{f"n_{word}": number for word, number in counts.items()},
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


def stouffer(p_values: Sequence[float], sizes: Sequence[float]) -> tuple[float, float]:
    """Combine one-sided p by Stouffer's method with weights sqrt(N); return Z and p."""
    from scipy.special import ndtr, ndtri

    weights = [math.sqrt(n) for n in sizes]
    z = sum(-w * ndtri(p) for w, p in zip(weights, p_values, strict=True))
    z = float(z / math.sqrt(sum(w * w for w in weights)))
    return z, float(ndtr(-z))


def fisher(p_values: Sequence[float]) -> tuple[float, int, float]:
    """Combine one-sided p by Fisher's method; return chi-square, df and p."""
    from scipy.special import chdtrc

    statistic = -2 * sum(math.log(p) for p in p_values)
    df = 2 * len(p_values)
    return statistic, df, float(chdtrc(df, statistic))
