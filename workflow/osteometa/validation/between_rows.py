"""Warnings about rows of one arm, or of the arms of a comparison, that do not agree.

Rows are compared within one report. Rows of different analysis populations are not: a per-protocol
result need not agree with that of all participants.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from osteometa.comparisons.reported_tests import RATIOS, adjustment
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Arm, Contrast, Measurement, Tables
from osteometa.io.problems import Problem
from osteometa.protocol.config import Config
from osteometa.records.groups import grouped
from osteometa.validation.cells import warning_at
from osteometa.validation.plausibility import likely_slip, sd_of, spread_column

Series = dict[tuple[str, ...], list[Measurement]]
"""Rows by study, arm, outcome, analyte, site and report."""
LEAST_LEFT = 0.6
"""Part of the participants left below which a loss is no usual drop-out."""
LOSSES = 2.5
"""Standard errors by which a mean may move because fewer participants are measured later."""
CHANGE_OF_MEAN = 4.0
"""Factor between two means of one arm, or of two arms before, that is no effect of exercise."""
CHANGE_OF_SD = 3.0
"""The same of two SDs; an SE of ten participants is smaller by about this factor."""
ERRORS_OF_SD = 3.5
"""Standard errors by which the logarithms of two SDs differ at least: SDs of few vary much."""
LARGEST_BEFORE = 2.0
"""SDs by which randomised arms do not differ before."""
BY_CHANCE = 0.02
"""Chance of equal means and spreads of two rows below which one is taken for a copy."""
FEW = 20
"""Participants assumed for that chance where a row has no n."""


def between_rows_warnings(tables: Tables, config: Config) -> Iterator[Problem]:
    """Yield warnings about the rows of one arm and of the arms of a comparison."""
    series = series_of(tables)
    for rows in series.values():
        if rows[0].outcome in config.outcomes:
            yield from _of_one_arm(rows, config)
    arms = {(arm.study_id, arm.arm_id): arm for arm in tables.arms}
    for (study, arm_id, *place), rows in series.items():
        arm = arms.get((study, arm_id))
        if arm is not None and arm.comparator and place[0] in config.outcomes:
            yield from _of_two_arms(rows, series.get((study, arm.comparator, *place), []))
    for row in tables.contrasts:
        arm = arms.get((row.study_id, row.arm_id))
        if row.usable and arm is not None and row.outcome in config.outcomes:
            yield from _contrast_and_arms(row, arm, series)
    yield from _repeated(tables, arms, config)


def series_of(tables: Tables) -> Series:
    """Return the measurements of each arm, outcome, analyte, site and report."""
    return grouped(
        tables.measurements,
        lambda row: (row.study_id, row.arm_id, row.outcome, row.analyte, row.site, row.report),
    )


def rows_at(series: Series, row: Contrast, arm_id: str) -> list[Measurement]:
    """Return the measurements of an arm at the outcome, analyte, site and report of a contrast."""
    place = (row.study_id, arm_id, row.outcome, row.analyte, row.site, row.report)
    return series.get(place, [])


def same_population(one: Measurement | Contrast, other: Measurement | Contrast) -> bool:
    """Return whether two rows may be of the same participants: alike, or one of them not stated."""
    populations = {one.population_analysed, other.population_analysed} - {"", "not_stated"}
    return len(populations) < 2


def find(
    rows: Iterable[Measurement], like: Measurement | Contrast, *kinds: str
) -> Measurement | None:
    """Return the row of a kind at the time of another one; of its own population if there is."""
    found = [
        row
        for row in rows
        if row.timepoint == like.timepoint and row.kind in kinds and same_population(row, like)
    ]
    same = [row for row in found if row.population_analysed == like.population_analysed]
    return next(iter(same or found), None)


def _of_one_arm(rows: list[Measurement], config: Config) -> Iterator[Problem]:
    before = [row for row in rows if row.timepoint == "baseline" and row.kind == "level"]
    for after in rows:
        base = next((row for row in before if same_population(row, after)), None)
        if base is None or after.timepoint == "baseline":
            continue
        yield from _n_before_and_after(base, after)
        if after.kind == "level":
            yield from _far_apart(after, base, "before")
            change = find(rows, after, "change")
            if change is not None:
                yield from _implied_r(base, after, change, config)
        elif after.kind in ("change", "pct_change"):
            yield from _change_and_levels(after, base, rows, config)


def _n_before_and_after(before: Measurement, after: Measurement) -> Iterator[Problem]:
    """Warn of more participants after than before, and of a loss beyond usual drop-out."""
    if before.n is None or after.n is None:
        return
    if not LEAST_LEFT * before.n <= after.n <= before.n:
        message = (
            f"n is {before.n} before and {after.n} after. Are they the same participants? Check "
            "the paper."
        )
        yield warning_at(after, "n", "W04", message, f"{after.n} after {before.n}")


def _implied_r(
    before: Measurement, after: Measurement, change: Measurement, config: Config
) -> Iterator[Problem]:
    if change.unit != before.unit:
        return
    s0, s1, sd = sd_of(before), sd_of(after), sd_of(change)
    if s0 is None or s1 is None or sd is None:
        return
    r = (s0**2 + s1**2 - sd**2) / (2 * s0 * s1)
    lowest, highest = config.outcomes[before.outcome].plausible.r
    if not lowest <= r <= highest:
        message = (
            f"The SDs before, after and of change imply a before-after correlation of {r:.3f}, "
            f"outside the plausible range ({lowest:g} to {highest:g} in config.yaml). Check the "
            "paper."
        )
        yield warning_at(change, spread_column(change), "W05", message, f"{sd:.4g}")


def _change_and_levels(
    row: Measurement, before: Measurement, rows: list[Measurement], config: Config
) -> Iterator[Problem]:
    """Warn of a change that is not after minus before, or not the percent of it."""
    if row.mean is None or before.mean is None or "ADJSE" in row.flag.split():
        return
    after = find(rows, row, "level")
    if after is not None and after.mean is not None and after.unit == before.unit:
        difference = after.mean - before.mean
        slack = after.mean.half_unit + before.mean.half_unit + _of_losses(before, after, row)
    else:
        after = find(rows, row, "change") if row.kind == "pct_change" else None
        if after is None or after.mean is None or after.unit != before.unit:
            return
        difference, slack = float(after.mean), after.mean.half_unit + _of_losses(before, after, row)
    if row.kind == "change":
        if row.unit == before.unit:
            words = f"{after.mean} after minus {before.mean} before"
            yield from _differs(row, row.mean, "W26", difference, slack, words)
        return
    if before.mean <= 0:  # of a scale that goes below 0 nothing is a percentage
        return
    percent = 100 / before.mean
    slack = slack * percent + abs(difference) * percent * before.mean.half_unit / before.mean
    # The mean of percent changes exceeds the percent change of the mean by about cv2 (1 - r).
    cv = (sd_of(before) or before.mean / 2) / before.mean
    slack += 300 * cv**2 * (1 - config.outcomes[row.outcome].r)
    words = f"{difference:.3g} {before.unit} of a baseline mean of {before.mean}"
    yield from _differs(row, row.mean, "W27", difference * percent, slack, words)


def _of_losses(before: Measurement, after: Measurement, row: Measurement) -> float:
    """Return how far means may differ because not all of them are of the same participants."""
    numbers = [one.n for one in (before, after, row) if one.n]
    sd = sd_of(before) or abs(before.mean or 0.0) / 2
    if len(numbers) < 2:
        return sd / 10
    return LOSSES * sd * math.sqrt(1 / min(numbers) - 1 / max(numbers))


def _differs(
    row: Measurement, mean: ReportedNumber, code: str, expected: float, slack: float, words: str
) -> Iterator[Problem]:
    slack += mean.half_unit
    if abs(mean - expected) <= slack * (1 + 1e-9):
        return
    kind = "percent change" if code == "W27" else "change"
    message = f"The {kind} {mean.text} and the other rows disagree: {words} is {expected:.4g}."
    message += likely_slip(mean, expected - slack, expected + slack) or " Check all of them."
    yield warning_at(row, "mean", code, message, f"{mean.text} against {expected:.4g}")


def _far_apart(row: Measurement, other: Measurement, words: str) -> Iterator[Problem]:
    """Warn of two means, or two SDs, that differ by a factor."""
    if row.unit != other.unit:
        return
    means = row.mean and other.mean and row.mean > 0 and other.mean > 0
    if row.kind == "level" and row.mean and other.mean and means:
        ratio = row.mean / other.mean
        if not 1 / CHANGE_OF_MEAN < ratio < CHANGE_OF_MEAN:
            message = (
                f"The mean is {row.mean.text}, {words} {other.mean.text}: {ratio:.3g} times as "
                "much. Check unit, decimal point and digits."
            )
            found = f"{row.mean.text} against {other.mean.text}"
            yield warning_at(row, "mean", "W29", message, found)
    sd, other_sd = _any_sd(row), _any_sd(other)
    if not sd or not other_sd:
        return
    rounding = (1 + _rounding_of_spread(row)) * (1 + _rounding_of_spread(other))
    ratios = [sd / other_sd]
    if row.kind == "level" and row.mean and other.mean and means:
        ratios.append(ratios[0] * other.mean / row.mean)  # of the coefficients of variation
    least = max(CHANGE_OF_SD, math.exp(ERRORS_OF_SD * _error_of_log_ratio(row, other))) * rounding
    if all(max(one, 1 / one) > least for one in ratios):
        message = (
            f"The spread is {sd:.3g}, {words} {other_sd:.3g}: {sd / other_sd:.2g} times as much. "
            "Is a decimal point misplaced, or one of them an SE"
        )
        n = row.n or other.n
        message += f" (the root of n = {n} is {math.sqrt(n):.2g})?" if n else "?"
        found = f"{sd:.4g} against {other_sd:.4g}"
        yield warning_at(row, spread_column(row), "W30", message, found)


def _error_of_log_ratio(row: Measurement, other: Measurement) -> float:
    """Return the standard error of the logarithm of the ratio of two SDs, of normal data."""
    return math.sqrt(sum(1 / (2 * (one.n - 1)) for one in (row, other) if one.n and one.n > 1))


def _any_sd(row: Measurement) -> float | None:
    """Return the SD, or a spread of unspecified type, which is compared with one of its kind."""
    return sd_of(row) or (float(row.spread) if row.spread is not None and row.usable else None)


def _rounding_of_spread(row: Measurement) -> float:
    """Return the largest error of rounding of a reported spread, as a share of it."""
    cells = (cell for cell in (row.sd, row.spread, row.se) if cell)
    return next((cell.half_unit / cell for cell in cells), 0.0)


def _of_two_arms(rows: list[Measurement], others: list[Measurement]) -> Iterator[Problem]:
    for one in rows:
        other = find(others, one, one.kind)
        if other is None:
            continue
        yield from _far_apart(one, other, "in the comparator")
        yield from _copied(one, other)
        yield from _copied(other, one)
        sd, other_sd = sd_of(one), sd_of(other)
        if one.mean is None or other.mean is None or not sd or not other_sd:
            continue
        apart = abs(one.mean - other.mean) / (math.hypot(sd, other_sd) / math.sqrt(2))
        if one.timepoint == "baseline" and apart > LARGEST_BEFORE:
            message = (
                f"The arms differ by {apart:.2g} SD before the training. Is the SD a standard "
                "error, or a mean mistyped?"
            )
            found = f"{one.mean.text} against {other.mean.text}"
            yield warning_at(one, "mean", "W03", message, found)


def _copied(one: Measurement, other: Measurement) -> Iterator[Problem]:
    """Warn of a spread that is the mean of the other arm, as where a cell was copied."""
    for column in ("sd", "se", "spread"):
        spread: ReportedNumber | None = getattr(one, column)
        if not spread or other.mean is None or spread.text != other.mean.text:
            continue
        if len(re.sub(r"^0*\.?0*|\D", "", spread.text)) >= 3:  # two digits agree by chance
            message = (
                f"The {column} {spread.text} is the mean of the other arm (row {other.row}). Is a "
                "cell copied from there?"
            )
            yield warning_at(one, column, "W17", message, spread)


def _repeated(
    tables: Tables, arms: dict[tuple[str, str], Arm], config: Config
) -> Iterator[Problem]:
    """Warn of a mean with a spread that a compared arm, another site or time has as well."""
    known: dict[tuple[str, ...], list[Measurement]] = defaultdict(list)
    for row in tables.measurements:
        spread = next((cell for cell in (row.sd, row.se, row.spread) if cell), None)
        if row.mean is None or spread is None or row.outcome not in config.outcomes:
            continue
        place = (row.study_id, row.outcome, row.analyte, row.report, row.kind, row.unit)
        equal = known[*place, row.mean.text, spread.text]
        for other in equal:
            names = ("arm_id", "site", "timepoint")
            different = [name for name in names if getattr(row, name) != getattr(other, name)]
            r = config.outcomes[row.outcome].r if different == ["timepoint"] else 0.0
            ids = [(one.arm_id, arms[one.study_id, one.arm_id].comparator) for one in (row, other)]
            if different == ["arm_id"] and not set(ids[0]) & set(ids[1]) - {""}:
                continue
            if len(different) == 1 and _chance_of_equal(row, r) < BY_CHANCE:
                message = (
                    f"Mean and spread are those of the {different[0]} "
                    f"'{getattr(other, different[0])}' as well (row {other.row}). Is the row "
                    "copied from there and not edited?"
                )
                found = f"{row.mean.text} and {spread.text}"
                yield warning_at(row, "mean", "W17", message, found)
                break
        equal.append(row)


def _chance_of_equal(row: Measurement, r: float) -> float:
    """Return the chance that another mean and SD of the same distribution round to those of a row.

    The last digit over the width of the sampling distribution of the difference of two means, and
    of two SDs, that are correlated by r and r squared; 1 where the SD is not known.
    """
    sd, n = _any_sd(row), row.n or FEW
    if not sd or row.mean is None:
        return 1.0
    of_mean = 2 * row.mean.half_unit / (sd * math.sqrt(2 * (1 - r) / n))
    of_sd = 2 * _rounding_of_spread(row) / math.sqrt((1 - r**2) / n)
    return min(of_mean / math.sqrt(math.tau), 1.0) * min(of_sd / math.sqrt(math.tau), 1.0)


def _contrast_and_arms(row: Contrast, arm: Arm, series: Series) -> Iterator[Problem]:
    """Warn of a difference, t or SMD that the arms' own means contradict."""
    value, adjusted = row.value, adjustment(row) == "yes"
    if value is None or row.compares != "between" or row.difference is None:
        return
    if row.statistic in RATIOS:  # of other means, such as geometric ones
        return
    if adjusted and row.statistic in ("t", "smd"):
        return  # its sign may be another than that of the unadjusted means
    own, others = rows_at(series, row, row.arm_id), rows_at(series, row, arm.comparator)
    differences = list(_differences(row, own, others))
    if row.statistic in ("md", "adj_md"):
        se = _se_of(row)
        free = math.inf if se is None and adjusted else (se or 0.0) * (2 if adjusted else 1)
        near = [abs(value - d) <= s + value.half_unit + free for d, s in differences]
    else:
        near = [value * d >= 0 or abs(d) <= s or abs(value) < 0.5 for d, s in differences]
    if any(near) or not differences:
        return
    expected, slack = differences[0]
    message = (
        f"The {row.statistic} is {value.text}, but the means of the arms differ by "
        f"{expected:.4g} (exercise minus control). "
    )
    message += likely_slip(value, expected - slack, expected + slack).strip() or (
        "Is the sign that of exercise minus control? Check the means and `score`."
    )
    yield warning_at(row, "value", "W28", message, f"{value.text} against {expected:.4g}")


def _se_of(row: Contrast) -> float | None:
    if row.se is not None or row.ci_low is None or row.ci_high is None:
        return row.se
    return (row.ci_high - row.ci_low) / 4


def _differences(
    row: Contrast, own: list[Measurement], others: list[Measurement]
) -> Iterator[tuple[float, float]]:
    """Yield the differences of the arms that a contrast may be about, each with its rounding."""
    percent = row.unit == "%"
    kinds = {"post": ["level"], "change": ["pct_change" if percent else "change"]}
    unstated = [*kinds["change"], *([] if percent else kinds["post"])]
    if row.statistic in ("t", "smd"):
        kinds, unstated = {"post": ["level"]}, ["change", "pct_change"]
    for kind in kinds.get(row.score, unstated):
        one = find(own, row, kind)
        other = None if one is None else find(others, row, kind)
        if one is None or other is None or one.mean is None or other.mean is None:
            continue
        if row.statistic in ("t", "smd") or row.unit == one.unit == other.unit:
            yield one.mean - other.mean, one.mean.half_unit + other.mean.half_unit
