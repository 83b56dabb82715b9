"""Doubts: what is allowed but often a mistake of typing or of printing."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator

from osteometa.comparisons.reported_tests import adjustment, is_omnibus
from osteometa.extraction.cell_types import Printed, Row
from osteometa.extraction.tables import Contrast, Measurement, Tables
from osteometa.extraction.units import UnitError, convert, pooled_unit
from osteometa.io.problems import Problem
from osteometa.numerics.distributions import p_to_t, two_tailed
from osteometa.protocol.config import Config
from osteometa.validation.cells import problem_at

Series = dict[tuple[str, ...], list[Measurement]]


def warnings_of(tables: Tables, config: Config) -> Iterator[Problem]:
    """Yield warnings; a run goes on with them."""
    series = _series(tables)
    yield from _arms_without_weeks(tables)
    yield from _spreads(tables, config)
    yield from _pairs(series, config)
    yield from _large_smd(tables, config, series)
    yield from _printed_smd(tables)
    yield from _printed_p(tables, config)
    yield from _scales(tables, config)
    yield from _ranges(tables, config)
    yield from _time_of_day(tables, config)
    yield from _odd_codes(tables)
    yield from _half_intervals(tables)


def _warn(row: Row, column: str, code: str, message: str, found: object = "") -> Problem:
    problem = problem_at(row, column, code, message, found)
    return Problem(
        file=problem.file,
        row=problem.row,
        study=problem.study,
        column=column,
        code=code,
        found=problem.found,
        message=message,
        severity="warning",
    )


def _series(tables: Tables) -> Series:
    series: Series = defaultdict(list)
    for row in tables.measurements:
        key = (row.study_id, row.arm_id, row.outcome, row.analyte, row.site, row.report)
        series[key].append(row)
    return series


def sd_of(row: Measurement) -> float | None:
    """Return the SD of an arm as printed, or from its SE or interval; None if none is known.

    An accepted misprint gives none: its limits may stand the wrong way round.
    """
    if not row.usable:
        return None
    if row.sd is not None:
        return float(row.sd)
    if row.n is None or row.n < 2:
        return None
    if row.se is not None:
        return float(row.se) * math.sqrt(row.n)
    if row.ci_low is not None and row.ci_high is not None:
        from scipy.special import stdtrit

        level = float(row.ci_level or 95) / 100
        t = stdtrit(row.n - 1, 0.5 + level / 2)
        return float(math.sqrt(row.n) * (row.ci_high - row.ci_low) / (2 * t))
    return None


def _arms_without_weeks(tables: Tables) -> Iterator[Problem]:
    for arm in tables.arms:
        if arm.phase == "training" and arm.role == "exercise" and arm.weeks is None:
            message = "Training whose weeks are not entered: the end of the programme is not known."
            yield _warn(arm, "weeks", "W08", message)


def _spreads(tables: Tables, config: Config) -> Iterator[Problem]:
    for row in tables.measurements:
        if row.outcome not in config.outcomes or row.sd is None:
            continue
        if row.kind == "level" and row.mean and row.sd / row.mean < 0.05:
            message = "The SD is below 5 % of the mean. Is it a standard error? Look at the paper."
            yield _warn(row, "sd", "W01", message, row.sd)
    for row in tables.measurements:
        sd = sd_of(row)
        if sd is None or row.kind not in ("change", "pct_change"):
            continue
        level, least = _level_of(row, config), _least_sd(row, config)
        if level is not None and 100 * sd / level < least:
            message = (
                f"The SD of change is below {least:g} % of the level, less than the method of "
                "measurement allows (config.yaml: sd_of_change). Is it a standard error?"
            )
            yield _warn(row, "sd", "W02", message, f"{sd:.4g}")


def _level_of(row: Measurement, config: Config) -> float | None:
    """Return the usual level in the unit of a change: 100 for percent, None if not declared."""
    if row.kind == "pct_change":
        return 100.0
    analyte = config.analyte(row.outcome, row.analyte)
    mean = analyte.baseline_mean.get(row.site) if analyte else None
    try:
        unit = config.outcomes[row.outcome].unit_of(row.analyte) if analyte else ""
        return None if mean is None else convert(mean, unit, row.unit)
    except UnitError:
        return None


def _least_sd(row: Measurement | Contrast, config: Config) -> float:
    """Return the smallest SD of change that the measurement allows, in percent of the level."""
    outcome = config.outcomes.get(row.outcome)
    return outcome.plausible.sd_of_change if outcome else 0.0


def _pairs(series: Series, config: Config) -> Iterator[Problem]:
    for rows in series.values():
        before = next((row for row in rows if row.timepoint == "baseline"), None)
        if before is None or before.outcome not in config.outcomes:
            continue
        for after in rows:
            if after.kind == "level" and after is not before:
                if None not in (before.n, after.n) and before.n != after.n:
                    message = f"n is {before.n} before and {after.n} after. Is it the same people?"
                    yield _warn(after, "n", "W04", message, after.n)
                yield from _implied_r(before, after, rows, config)


def _implied_r(
    before: Measurement, after: Measurement, rows: list[Measurement], config: Config
) -> Iterator[Problem]:
    change = next(
        (row for row in rows if row.kind == "change" and row.timepoint == after.timepoint), None
    )
    if change is None or change.unit != before.unit:
        return
    s0, s1, sd = sd_of(before), sd_of(after), sd_of(change)
    if None in (s0, s1, sd):
        return
    r = (s0**2 + s1**2 - sd**2) / (2 * s0 * s1)
    lowest, highest = config.outcomes[before.outcome].plausible.r
    if not lowest <= r <= highest:
        message = f"The three SDs imply a before-after correlation of {r:.3f}. Look at the paper."
        yield _warn(change, "sd", "W05", message, f"{sd:.4g}")


def _large_smd(tables: Tables, config: Config, series: Series) -> Iterator[Problem]:
    for arm in tables.arms:
        if not arm.comparator:
            continue
        for key, rows in series.items():
            if key[:2] != (arm.study_id, arm.arm_id) or key[2] not in config.outcomes:
                continue
            others = series.get((key[0], arm.comparator, *key[2:]), [])
            for one in rows:
                other = _same_time(one, others)
                if other is None or None in (one.mean, other.mean) or one.timepoint == "baseline":
                    continue
                sds = [sd for sd in (sd_of(one), sd_of(other)) if sd]
                if len(sds) == 2 and abs(one.mean - other.mean) > 3 * math.hypot(*sds) / math.sqrt(
                    2
                ):
                    message = "The arms differ by more than 3 SD. Is the SD a standard error?"
                    yield _warn(one, "mean", "W03", message, one.mean)


def _printed_smd(tables: Tables) -> Iterator[Problem]:
    for row in tables.contrasts:
        if row.statistic == "smd" and row.value is not None and abs(row.value) > 3:
            message = "A printed SMD beyond 3. Is it standardised by a standard error?"
            yield _warn(row, "value", "W03", message, row.value)


def _same_time(row: Measurement, others: list[Measurement]) -> Measurement | None:
    wanted = (row.timepoint, row.kind, row.population_analysed)
    return next((o for o in others if (o.timepoint, o.kind, o.population_analysed) == wanted), None)


def _printed_p(tables: Tables, config: Config) -> Iterator[Problem]:
    arms = {(arm.study_id, arm.arm_id): arm for arm in tables.arms}
    crossovers = {s.study_id for s in tables.studies if s.design == "crossover_rct"}
    changes = {
        (m.study_id, m.arm_id, m.outcome, m.analyte, m.site, m.timepoint, m.report): m
        for m in tables.measurements
        if m.kind in ("change", "pct_change")
    }
    for row in tables.contrasts:
        if row.p is None or row.p_operator != "=" or row.test == "rank":
            continue
        arm = arms.get((row.study_id, row.arm_id))
        key = (row.outcome, row.analyte, row.site, row.timepoint, row.report)
        if row.compares == "within":
            own = changes.get((row.study_id, row.arm_id, *key))
            implied = implied_p_of_change(own) if own and row.statistic != "f" else None
            if implied:
                yield from _compare_p(row, implied, bool(row.disputed or own.disputed))
            continue
        if row.study_id in crossovers:
            continue  # a paired test: the spreads of both conditions do not imply its p
        pair = [
            changes.get((row.study_id, name, *key))
            for name in (row.arm_id, arm.comparator if arm else "")
        ]
        yield from _implied_sd(row, pair, config)
        implied = implied_p(*pair) if all(pair) and _of_printed_changes(row, pair) else None
        if implied:
            yield from _compare_p(row, implied, bool(row.disputed or pair[0].disputed))


def _of_printed_changes(row: Contrast, pair: list[Measurement]) -> bool:
    """Tell whether a test is the one that two printed changes imply (METHODS section 5).

    Not one of levels, nor of several groups or times together; and an adjusted test only where the
    means beside it are adjusted as well (flag ADJSE).
    """
    if row.score == "post" or is_omnibus(row):
        return False
    return adjustment(row) != "yes" or all("ADJSE" in m.flag.split() for m in pair)


def _implied_sd(row: Contrast, pair: list[Measurement | None], config: Config) -> Iterator[Problem]:
    """Warn where the exact p of two arms' changes implies an SD too small to be measured."""
    printed = all(m is not None and m.mean is not None and m.n and m.n > 1 for m in pair)
    least = _least_sd(row, config)
    if not least or row.disputed or adjustment(row) == "yes" or row.score == "post":
        return
    if not printed or any(sd_of(m) is not None for m in pair) or row.p == 1:
        return
    one, other = pair
    level = _level_of(one, config)
    if level is None or one.mean == other.mean:
        return
    t = p_to_t(float(row.p), one.n + other.n - 2, row.tails or 2)
    if t == 0:
        return
    sd = abs(one.mean - other.mean) / t / math.sqrt(1 / one.n + 1 / other.n)
    if 100 * sd / level < least:
        message = (
            "With the reported means and n this p implies an SD of change of "
            f"{100 * sd / level:.2g} % of the level, less than the method of measurement allows "
            f"({least:g} %; config.yaml: sd_of_change). Type the reason into `disputed`, in both "
            "arms."
        )
        yield _warn(row, "p", "W02", message, row.p)


def _compare_p(row: Contrast, implied: tuple[float, float], disputed: bool) -> Iterator[Problem]:
    low, high = row.p - row.p.half_unit, row.p + row.p.half_unit
    if row.tails == 1:  # the p of means and spreads is two-tailed
        both = two_tailed(low, 1), two_tailed(min(high, 1.0), 1)
        low, high = min(both), 1.0 if low <= 0.5 <= high else max(both)
    low = max(low, 1e-12)
    apart = max(low / implied[1], implied[0] / high, 1.0) if implied[1] > 0 else math.inf
    if apart <= 1:
        return
    message = (
        f"The printed p and the p of the means and spreads ({implied[0]:.2g} to "
        f"{implied[1]:.2g} over the rounding) disagree by a factor of {apart:.2g}."
    )
    if apart > 3 and not disputed:
        message += " Above 3 the rows are disputed: type the reason into `disputed`, in both arms."
    yield _warn(row, "p", "W06", message, row.p)


def implied_p(one: Measurement, other: Measurement) -> tuple[float, float] | None:
    """Return the range of the p that two arms' changes imply, over the rounding of every figure.

    The pooled-variance t test of the two means.
    """
    from scipy.special import stdtr

    if None in (one.mean, other.mean, one.n, other.n) or min(one.n, other.n) < 2:
        return None
    spreads = [_sd_range(row) for row in (one, other)]
    if None in spreads:
        return None
    gap = abs(one.mean - other.mean)
    slack = one.mean.half_unit + other.mean.half_unit
    df = one.n + other.n - 2
    ps = []
    for difference, a, b in itertools.product((max(gap - slack, 0.0), gap + slack), *spreads):
        pooled = math.sqrt(((one.n - 1) * a**2 + (other.n - 1) * b**2) / df)
        t = difference / (pooled * math.sqrt(1 / one.n + 1 / other.n))
        ps.append(float(2 * stdtr(df, -t)))
    return min(ps), max(ps)


def implied_p_of_change(row: Measurement) -> tuple[float, float] | None:
    """Return the range of the p that an arm's own change implies: the paired t test."""
    from scipy.special import stdtr

    if row.mean is None or row.n is None or row.n < 2 or (spread := _sd_range(row)) is None:
        return None
    slack = row.mean.half_unit
    means = (max(abs(row.mean) - slack, 0.0), abs(row.mean) + slack)
    ps = [
        float(2 * stdtr(row.n - 1, -mean / (sd / math.sqrt(row.n))))
        for mean, sd in itertools.product(means, spread)
    ]
    return min(ps), max(ps)


def _sd_range(row: Measurement) -> tuple[float, float] | None:
    sd = sd_of(row)
    if sd is None:
        return None
    printed: Printed | None = row.sd if row.sd is not None else row.se
    if printed is not None:
        share = printed.half_unit / printed
        return sd * (1 - share), sd * (1 + share)
    share = (row.ci_low.half_unit + row.ci_high.half_unit) / (row.ci_high - row.ci_low)
    return sd * max(1 - share, 0.05), sd * (1 + share)


def _scales(tables: Tables, config: Config) -> Iterator[Problem]:
    means: dict[tuple[str, ...], list[tuple[float, Measurement]]] = defaultdict(list)
    for row in tables.measurements:
        if row.outcome in config.outcomes and row.kind == "level" and row.mean:
            unit = pooled_unit(row.unit, config.outcomes[row.outcome].units)
            try:
                value = convert(row.mean, row.unit, unit)
            except UnitError:
                continue
            means[(row.outcome, row.analyte, row.site, unit)].append((value, row))
    for values in means.values():
        middle = sorted(value for value, _ in values)[len(values) // 2]
        for value, row in values:
            if not middle / 5 < value < middle * 5:
                message = (
                    f"In one unit this mean is {value:.3g}, while the studies' middle one is "
                    f"{middle:.3g}. Is the unit right?"
                )
                yield _warn(row, "mean", "W07", message, row.mean)


def _ranges(tables: Tables, config: Config) -> Iterator[Problem]:
    """Warn of means outside the plausible range that config.yaml declares for their unit."""
    for row in tables.measurements:
        outcome = config.outcomes.get(row.outcome)
        if outcome is None or row.kind != "level" or row.mean is None:
            continue
        unit = pooled_unit(row.unit, outcome.units)
        if unit not in outcome.units:
            continue
        low, high = outcome.units[unit]
        value = convert(row.mean, row.unit, unit)
        if not low <= value <= high:
            message = (
                f"A mean of {value:.3g} {unit} is outside the plausible range of {row.outcome} in "
                f"config.yaml ({low:g} to {high:g} {unit}). Are number and unit right?"
            )
            yield _warn(row, "mean", "W12", message, row.mean)


def _time_of_day(tables: Tables, config: Config) -> Iterator[Problem]:
    words = ("fasting", "fasted", "morning", "a.m.", "o'clock", "time of day")
    said: set[str] = set()
    for row in (*tables.measurements, *tables.contrasts):
        outcome = config.outcomes.get(row.outcome)
        if outcome is None or not outcome.diurnal or row.study_id in said:
            continue
        if not any(word in row.note.lower() for word in words):
            said.add(row.study_id)
            message = (
                f"{row.outcome} {outcome.diurnal}, and the note does not state the time of day. "
                "Type into the note when it was measured, for instance 'morning' or 'fasting'."
            )
            yield _warn(row, "note", "W09", message)


def _odd_codes(tables: Tables) -> Iterator[Problem]:
    for row in (*tables.studies, *tables.arms, *tables.measurements, *tables.contrasts):
        for column in row.columns():
            value = getattr(row, column)
            if isinstance(value, int | float) and value in (999, 9999):
                message = "This looks like a code for 'missing'. Leave the cell empty if it is."
                yield _warn(row, column, "W10", message, value)


def _half_intervals(tables: Tables) -> Iterator[Problem]:
    for row in (*tables.measurements, *tables.contrasts):
        for here, other in (("ci_low", "ci_high"), ("ci_high", "ci_low")):
            value = getattr(row, here)
            if value is not None and getattr(row, other) is None:
                message = (
                    f"An interval with {here} alone gives no standard error and is not used. "
                    f"Type {other}, if the paper prints it."
                )
                yield _warn(row, other, "W11", message)
