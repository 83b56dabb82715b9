"""Plausibility beside the other studies of an outcome, and within the limits of config.yaml.

A value far from the median of the studies is questioned where its modified z score exceeds 3.5
(Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers, ASQC): the distance over 1.4826 times
the median absolute deviation, spreads on the log scale. Each study counts once.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from osteometa.comparisons.comparison import Comparison
from osteometa.extraction.tables import Measurement, Tables
from osteometa.extraction.units import UnitError, convert, pooled_unit
from osteometa.io.problems import Problem
from osteometa.numerics.distributions import hedges_j
from osteometa.protocol.config import Config
from osteometa.validation.cells import warning_at
from osteometa.validation.comparable import Change, Compared, Spread, spreads

FARTHEST = 3.5
"""Modified z score beyond which Iglewicz and Hoaglin call a value an outlier."""
MAD_TO_SD = 1.4826
"""The SD of a normal distribution over its median absolute deviation."""
ENOUGH_SPREADS, ENOUGH_CHANGES = 4, 10
"""Fewest studies of which the median says what is usual; changes differ more than spreads."""
FARTHEST_LEVEL = 5.0
"""A mean nearer to the median than this factor is not questioned."""
LEAST_RATIO = 1.25
"""The same of the ratio of two sites."""
LEAST_FACTOR = 2.5
"""A spread nearer to the median than this is not questioned, however alike the studies are."""
LEAST_PERCENT, LEAST_SDS = 2.0, 1.0
"""The same of a change, in percent of the level and in SDs of change."""
LEAST_YEARS = 0.5
"""Over a shorter time the rate of a change is mostly error."""
LEAST_CV, LARGEST_CV = 5.0, 200.0
"""An SD in percent of the mean of a quantity that cannot be negative."""
LEAST_CV_OF_CONCENTRATION = 10.0
"""The smallest of a concentration: participants differ more in it than in size or density."""
LARGEST_SMD = 3.0
"""SDs by which arms differ, where too few studies show what is usual."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The median of the studies of a group and its distance within which values are usual."""

    middle: float
    reach: float
    studies: int

    def with_error(self, error: float) -> float:
        """Return the reach for a value with a standard error of its own."""
        return math.hypot(self.reach, FARTHEST * error)


def _in_sds(one: Change, sd: float) -> float:
    """Return a change in SDs, without the bias of small samples (Hedges 1981)."""
    df = (1 if one.group[3] == "change" else 2) * ((one.n or 0) - 1)
    return one.value / sd * (float(hedges_j(df)) if df > 1 else 1.0)


def _error_in_sds(one: Change, middle: float) -> float:
    """Return the standard error of a usual SMD in arms of n, of large samples (Hedges 1981)."""
    n = one.n or 0
    return math.sqrt(2 / n + middle**2 / (4 * (n - 1))) if n > 1 else 0.0


def other_study_warnings(
    tables: Tables, comparisons: Sequence[Comparison], found: Sequence[Change], config: Config
) -> Iterator[Problem]:
    """Yield warnings about values unlike those of other studies, or beyond declared limits."""
    yield from _scales(tables, config)
    yield from _outside_range(tables, config)
    yield from _unlike_ratios(tables, config)
    yield from _unlike_spreads(list(spreads(tables, comparisons, config)), config)
    yield from _large_changes(found, config)
    yield from _unlike_changes(found)


def usual(compared: Iterable[Compared], enough: int, least: float) -> dict[tuple[str, ...], Usual]:
    """Return what is usual in each group of at least `enough` studies.

    `least` is the smallest reach, for studies that are nearly alike.
    """
    values: dict[tuple[str, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in compared:
        values[one.group][one.row.study_id].append(one.value)
    found = {}
    for group, studies in values.items():
        if len(studies) >= enough:
            middles = [median(own) for own in studies.values()]
            middle = median(middles)
            deviation = median(abs(value - middle) for value in middles)
            reach = max(FARTHEST * MAD_TO_SD * deviation, least)
            found[group] = Usual(middle, reach, len(studies))
    return found


def _scales(tables: Tables, config: Config) -> Iterator[Problem]:
    """Warn of means far from the median of all studies; farther where studies differ more."""
    levels = [
        Compared(row=row, column="mean", value=math.log(value),
                 group=(row.outcome, row.analyte, row.site, unit))
        for row, value, unit in _levels(tables, config)
        if config.outcomes[row.outcome].has_zero(unit)
    ]  # fmt: skip
    groups = usual(levels, 1, math.log(FARTHEST_LEVEL))
    for one in levels:
        group = groups[one.group]
        if abs(one.value - group.middle) > group.reach:
            message = (
                f"The mean is {math.exp(one.value):.3g} {one.group[3]}, but the median of all "
                f"studies is {math.exp(group.middle):.3g} {one.group[3]}. Is the unit right?"
            )
            found = one.found(f"{math.exp(one.value):.3g} {one.group[3]}")
            yield warning_at(one.row, "mean", "W07", message, found)


def _outside_range(tables: Tables, config: Config) -> Iterator[Problem]:
    for row, value, unit in _levels(tables, config):
        low, high = config.outcomes[row.outcome].units.get(unit) or (0.0, math.inf)
        if not low <= value <= high:
            message = (
                f"A mean of {value:.3g} {unit} is outside the plausible range of {row.outcome} in "
                f"config.yaml ({low:g} to {high:g} {unit}). Are number and unit right?"
            )
            yield warning_at(row, "mean", "W12", message, row.mean)


def _unlike_ratios(tables: Tables, config: Config) -> Iterator[Problem]:
    """Warn of two sites of one arm whose ratio is unlike that of the other studies."""
    places: dict[tuple[str, ...], list[tuple[Measurement, float]]] = defaultdict(list)
    for row, value, unit in _levels(tables, config):
        if row.site and config.outcomes[row.outcome].has_zero(unit):
            arm = (row.study_id, row.arm_id, row.timepoint, row.report, row.population_analysed)
            places[*arm, row.outcome, row.analyte, unit].append((row, value))
    ratios = [
        Compared(
            row=one, column="mean", value=math.log(a / b),
            group=(*place[-3:], *sorted((one.site, other.site)), one.site),
        )
        for place, rows in places.items()
        for (one, a), (other, b) in itertools.permutations(rows, 2)
        if one.site != other.site
    ]  # fmt: skip
    groups = usual(ratios, ENOUGH_SPREADS, math.log(LEAST_RATIO))
    for one in ratios:
        group = groups.get(one.group)
        if group is not None and abs(one.value - group.middle) > group.reach:
            sites = " over ".join(sorted(one.group[3:5], key=one.row.site.__ne__))
            message = (
                f"{sites} is {math.exp(one.value):.3g}, the median of {group.studies} studies "
                f"{math.exp(group.middle):.3g}. Are two sites exchanged? Check both means."
            )
            yield warning_at(one.row, "mean", "W14", message, one.found(sites))


def _levels(tables: Tables, config: Config) -> Iterator[tuple[Measurement, float, str]]:
    """Yield the rows with a mean level, with the mean in the unit in which it is pooled."""
    for row in tables.measurements:
        outcome = config.outcomes.get(row.outcome)
        if outcome is None or row.kind != "level" or row.mean is None:
            continue
        unit = pooled_unit(row.unit, outcome.units)
        try:
            yield row, convert(row.mean, row.unit, unit), unit
        except UnitError:
            continue


def _unlike_spreads(found: Sequence[Spread], config: Config) -> Iterator[Problem]:
    """Warn of SDs much larger or smaller than those of the other studies, or than their mean."""
    labelled = [one for one in found if not one.unlabelled and not one.test]
    groups = usual(labelled, ENOUGH_SPREADS, math.log(LEAST_FACTOR))
    for one in found:
        group = groups.get(one.group)
        percent, level = math.exp(one.value), one.group[3] == "level"
        what = "SD that the test implies" if one.test else "spread" if one.unlabelled else "SD"
        if group is not None and _is_unlike(one, group):
            message = (
                f"The {what} is {percent:.3g} % of the {'mean' if level else 'level'}, the median "
                f"of {group.studies} studies {math.exp(group.middle):.3g} %: "
                f"{_likely_slip(one, one.value - group.middle)} Check the paper."
            )
            yield warning_at(one.row, one.column, "W40", message, one.found(f"{percent:.3g} %"))
        elif group is None and level and not one.unlabelled:
            yield from _beside_mean(one, percent, config)


def _beside_mean(one: Spread, percent: float, config: Config) -> Iterator[Problem]:
    """Warn of an SD much smaller or larger than its mean, where few studies show what is usual."""
    analyte = config.analyte(one.row.outcome, one.row.analyte)
    concentration = analyte is not None and analyte.quantity == "concentration"
    least = LEAST_CV_OF_CONCENTRATION if concentration else LEAST_CV
    if percent < least:
        message = f"The SD is below {least:g} % of the mean. Is it a standard error?"
        yield warning_at(one.row, one.column, "W01", message, one.found(f"{percent:.3g} %"))
    if percent > LARGEST_CV:
        message = (
            f"The SD is {percent / 100:.3g} times the mean of a quantity that cannot be negative. "
            "Are mean, SD and decimal points right? Check the paper."
        )
        yield warning_at(one.row, one.column, "W41", message, one.found(f"{percent:.3g} %"))


def _is_unlike(one: Spread, group: Usual) -> bool:
    """Return whether a spread is unusual; one of unknown type also if it is too small for an SE."""
    distance = one.value - group.middle
    n = one.n or 0
    reach = group.with_error(math.sqrt(1 / (2 * (n - 1))) if n > 1 else 0.0)
    root = 0.0 if not one.unlabelled else math.log(n) / 2 if n else math.inf
    return distance > reach or distance < -reach - root


def _likely_slip(one: Spread, distance: float) -> str:
    """Return by how much a spread differs from the usual one, and what it may be."""
    factor, root = math.exp(abs(distance)), math.sqrt(one.n or 0)
    if distance > 0:
        return f"{factor:.3g} times larger. Are decimal point and unit right?"
    if one.test:
        return f"{factor:.3g} times smaller. Are means, n and test right?"
    if root > 1 and 0.5 < factor / root < 2:
        return f"{factor:.3g} times smaller. The root of n is {root:.3g}: is it a standard error?"
    return f"{factor:.3g} times smaller. Is it a standard error, or is the decimal point wrong?"


def _large_changes(found: Iterable[Change], config: Config) -> Iterator[Problem]:
    """Warn of changes larger, or faster, than config.yaml declares plausible."""
    for one in found:
        if one.group[3] == "levels":
            continue
        limits = config.outcomes[one.row.outcome].plausible
        years = None if one.years is None else max(one.years, LEAST_YEARS)
        most, rate = limits.largest_change, limits.largest_change_per_year
        if one.group[3] == "change" and one.value <= -100:
            limit = "all of it"
        elif most is not None and abs(one.value) > most:
            limit = f"{most:g} % (largest_change in config.yaml)"
        elif rate is not None and years is not None and abs(one.value) > rate * years:
            limit = f"{rate:g} % a year (largest_change_per_year in config.yaml)"
        else:
            continue
        after = "" if one.years is None else f"{one.years:.2g}"
        time = f" after {after} {'year' if after == '1' else 'years'}" if after else ""
        message = (
            f"{_words(one)} is {one.value:.3g} % of the level{time}, more than {limit}. Are "
            "number, sign, unit and time right? Check the paper."
        )
        yield warning_at(one.row, one.column, "W42", message, one.found(f"{one.value:.3g} %"))


def _words(one: Change) -> str:
    return "The change" if one.group[3] == "change" else "The difference between the arms"


def _unlike_changes(found: Sequence[Change]) -> Iterator[Problem]:
    """Warn of changes far from those of the other studies, in percent or in SDs of change."""
    percent = [one for one in found if one.group[3] != "levels"]
    standardised = [replace(one, value=_in_sds(one, one.sd)) for one in found if one.sd]
    families = (percent, LEAST_PERCENT, "%", "W43"), (standardised, LEAST_SDS, "SD", "W44")
    for family, least, unit, code in families:
        groups = usual(family, ENOUGH_CHANGES, least)
        for one in family:
            group, shown = groups.get(one.group), one.found(f"{one.value:.3g} {unit}")
            error = _error_in_sds(one, group.middle) if group and unit == "SD" else 0.0
            reach = group.with_error(error) if group else math.inf
            if group is not None and abs(one.value - group.middle) > reach:
                low, high = group.middle - reach, group.middle + reach
                message = (
                    f"{_words(one)} is {one.value:.3g} {unit}; the median of {group.studies} "
                    f"studies is {group.middle:.2g} {unit} (usual: {low:.2g} to {high:.2g}). Are "
                    "sign, decimal point and SD right? Check the paper."
                )
                yield warning_at(one.row, one.column, code, message, shown)
            arms = unit == "SD" and one.group[3] != "change"
            if group is None and arms and abs(one.value) > LARGEST_SMD:
                message = "The arms differ by more than 3 SD. Is the SD a standard error?"
                yield warning_at(one.row, one.column, "W03", message, shown)
