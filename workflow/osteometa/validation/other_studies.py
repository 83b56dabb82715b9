"""Plausibility beside the other studies of an outcome, and within the limits of config.yaml.

A value far from the median of the studies is questioned where its modified z score exceeds 3.5
(Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers, ASQC): the distance over 1.4826 times
the median absolute deviation, spreads on the log scale. Each study counts once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from osteometa.comparisons.build import Comparison
from osteometa.extraction.tables import Measurement, Tables
from osteometa.extraction.units import UnitError, convert, pooled_unit
from osteometa.io.problems import Problem
from osteometa.protocol.config import Config
from osteometa.validation.comparable import Change, Compared, Spread, spreads
from osteometa.validation.plausibility import warning_at

FARTHEST = 3.5
"""Modified z score beyond which Iglewicz and Hoaglin call a value an outlier."""
MAD_TO_SD = 1.4826
"""The SD of a normal distribution over its median absolute deviation."""
ENOUGH_SPREADS, ENOUGH_CHANGES = 4, 10
"""Fewest studies of which the median says what is usual; changes differ more than spreads."""
LEAST_FACTOR = 2.5
"""A spread nearer to the median than this is not questioned, however alike the studies are."""
LEAST_PERCENT, LEAST_SDS = 2.0, 1.0
"""The same of a change, in percent of the level and in SDs of change."""
LEAST_YEARS = 0.5
"""Over a shorter time the rate of a change is mostly error."""
LARGEST_CV = 2.0
"""SD over the mean of a quantity that cannot be negative: beyond it most values would be near 0."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The median of the studies of a group and its distance within which values are usual."""

    middle: float
    reach: float
    studies: int


def other_study_warnings(
    tables: Tables, comparisons: Sequence[Comparison], found: Sequence[Change], config: Config
) -> Iterator[Problem]:
    """Yield warnings about values unlike those of other studies, or beyond declared limits."""
    yield from _scales(tables, config)
    yield from _outside_range(tables, config)
    yield from _unlike_spreads(list(spreads(tables, comparisons, config)))
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
    means: dict[tuple[str, ...], list[tuple[float, Measurement]]] = defaultdict(list)
    for row, value, unit in _levels(tables, config):
        means[(row.outcome, row.analyte, row.site, unit)].append((value, row))
    for (*_, unit), values in means.items():
        middle = sorted(value for value, _ in values)[len(values) // 2]
        for value, row in values:
            if not middle / 5 < value < middle * 5:
                message = (
                    f"The mean is {value:.3g} {unit}, but the median of all studies is "
                    f"{middle:.3g} {unit}. Is the unit right?"
                )
                yield warning_at(row, "mean", "W07", message, row.mean)


def _outside_range(tables: Tables, config: Config) -> Iterator[Problem]:
    for row, value, unit in _levels(tables, config):
        low, high = config.outcomes[row.outcome].units.get(unit, (0.0, math.inf))
        if not low <= value <= high:
            message = (
                f"A mean of {value:.3g} {unit} is outside the plausible range of {row.outcome} in "
                f"config.yaml ({low:g} to {high:g} {unit}). Are number and unit right?"
            )
            yield warning_at(row, "mean", "W12", message, row.mean)


def _levels(tables: Tables, config: Config) -> Iterator[tuple[Measurement, float, str]]:
    """Yield the rows with a mean level, with the mean in the unit in which it is pooled."""
    for row in tables.measurements:
        outcome = config.outcomes.get(row.outcome)
        if outcome is None or row.kind != "level" or not row.mean:
            continue
        unit = pooled_unit(row.unit, outcome.units)
        try:
            yield row, convert(row.mean, row.unit, unit), unit
        except UnitError:
            continue


def _unlike_spreads(found: Sequence[Spread]) -> Iterator[Problem]:
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
            yield warning_at(one.row, one.column, "W40", message, one.entered)
        elif level and percent > 100 * LARGEST_CV:
            message = (
                f"The {what} is {percent / 100:.3g} times the mean of a quantity that cannot be "
                "negative. Are mean, SD and decimal points right? Check the paper."
            )
            yield warning_at(one.row, one.column, "W41", message, one.entered)


def _is_unlike(one: Spread, group: Usual) -> bool:
    """Tell whether a spread is unusual; one of unknown type also if it is too small for an SE."""
    distance = one.value - group.middle
    root = 0.0 if not one.unlabelled else math.log(one.n) / 2 if one.n else math.inf
    return distance > group.reach or distance < -group.reach - root


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
        time = "" if one.years is None else f" after {one.years:.2g} years"
        message = (
            f"{_words(one)} is {one.value:.3g} % of the level{time}, more than {limit}. Are "
            "number, sign, unit and time right? Check the paper."
        )
        yield warning_at(one.row, one.column, "W42", message, one.entered)


def _words(one: Change) -> str:
    return "The change" if one.group[3] == "change" else "The difference between the arms"


def _unlike_changes(found: Sequence[Change]) -> Iterator[Problem]:
    """Warn of changes far from those of the other studies, in percent or in SDs of change."""
    standardised = [replace(one, value=one.value / one.sd) for one in found if one.sd]
    families = (found, LEAST_PERCENT, "%", "W43"), (standardised, LEAST_SDS, "SD", "W44")
    for family, least, unit, code in families:
        groups = usual(family, ENOUGH_CHANGES, least)
        for one in family:
            group = groups.get(one.group)
            if group is None or abs(one.value - group.middle) <= group.reach:
                continue
            low, high = group.middle - group.reach, group.middle + group.reach
            message = (
                f"{_words(one)} is {one.value:.3g} {unit}; the median of {group.studies} studies "
                f"is {group.middle:.2g} {unit} (usual: {low:.2g} to {high:.2g}). Are sign, "
                "decimal point and SD right? Check the paper."
            )
            yield warning_at(one.row, one.column, code, message, one.entered)
