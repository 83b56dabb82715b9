"""Before-after correlations: reported, derived, taken from other arms or assumed, in that order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from osteometa.comparisons.comparison import Comparison, Reported, rows_of
from osteometa.comparisons.reported_tests import exact_p, is_omnibus
from osteometa.comparisons.summaries import Cell, Summary, row_flags
from osteometa.extraction.tables import Contrast
from osteometa.extraction.units import NOT_STATED
from osteometa.numerics.distributions import p_to_t
from osteometa.protocol.config import Config
from osteometa.wording.vocabulary import CorrelationSource, Flag, Provenance

REPORTED = ((Provenance.SD,), (Provenance.SE,), (Provenance.CI,))
"""Sources of SDs that may be borrowed: no quantiles, no figure, no test between arms."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """A before-after correlation and its source."""

    r: float
    source: CorrelationSource
    cells: tuple[Cell, ...] = ()

    @property
    def imputed(self) -> bool:
        """Whether nothing reported of this arm gives it."""
        return self.source in (CorrelationSource.OTHER_ARMS, CorrelationSource.CONFIG)

    @property
    def first_hand(self) -> bool:
        """Whether no value behind it is from a secondary source."""
        return not any(Flag.SECOND_HAND in row_flags(cell.row) for cell in self.cells)

    @property
    def rank(self) -> int:
        """The place of its source, the best first."""
        return tuple(CorrelationSource).index(self.source)


class ArmKey(NamedTuple):
    """Whose correlation it is."""

    study_id: str
    arm_id: str
    place: tuple[str, str, str]
    """Outcome, site and phase."""
    analyte: str


class SdKey(NamedTuple):
    """Whose SD of levels it is; the assay is named."""

    place: tuple[str, str, str, str]
    """Outcome, analyte, site and unit."""
    assay: str
    study_id: str
    arm_id: str


class Correlations:
    """The correlations of a review: of its sources (M3.4), the first that has one."""

    def __init__(self, comparisons: Iterable[Comparison], config: Config):
        comparisons = list(comparisons)
        self._config = config
        self._borrow = True
        self._known = _known(comparisons)
        self._sds = _known_sds(comparisons)

    def under(self, config: Config, *, borrow: bool) -> Correlations:
        """Return the correlations of the same comparisons under another config.

        Without `borrow` an assumed correlation takes precedence over the median of other arms.
        """
        other = copy(self)
        other._config, other._borrow = config, borrow
        return other

    def of(self, comparison: Comparison, side: int) -> Correlation:
        """Return the correlation for one side of a comparison (0 exercise, 1 control)."""
        if comparison.parts and side == 0:
            return _mean([self.of(part, side) for part in comparison.parts])
        key = _key(comparison, side)
        if key in self._known:
            return self._known[key]
        others = [
            known.r
            for other, known in self._known.items()
            if other.place == key.place and known.first_hand
        ]
        if self._borrow and len(others) >= 2:
            return Correlation(median(others), CorrelationSource.OTHER_ARMS)
        return self._assumed(comparison)

    def between(self, comparison: Comparison) -> Correlation:
        """Return the correlation of two conditions: reported, else assumed."""
        for row in comparison.contrasts:
            reported = _reported(row) if row.compares == "between" else None
            if reported is not None:
                return reported
        return self._assumed(comparison)

    def _assumed(self, comparison: Comparison) -> Correlation:
        r = self._config.outcomes[comparison.outcome].r
        return Correlation(r, CorrelationSource.CONFIG)

    def borrowed_sd(self, comparison: Comparison, row: Reported) -> float | None:
        """Return an SD to borrow: the median of two or more arms of other studies.

        Of the same outcome, analyte, site, unit and assay, and not from a secondary source; None
        if there are fewer, or the row names no assay. For sensitivity analyses only (flag BOR).
        """
        assay = _assay(row)
        sds = [
            sd
            for key, sd in self._sds.items()
            if key[:2] == (_sd_place(comparison), assay)
            and key.study_id != comparison.study.study_id
        ]
        return median(sds) if assay and len(sds) >= 2 else None


def _assay(row: Reported) -> str:
    """Return the assay of a row; '' where none is named, and of merged arms."""
    own = rows_of(row)
    return own[0].assay if len(own) == 1 else ""


def _sd_place(comparison: Comparison) -> tuple[str, str, str, str]:
    return comparison.outcome, comparison.analyte, comparison.site, comparison.unit


def _known_sds(comparisons: Iterable[Comparison]) -> dict[SdKey, float]:
    """Return the SD of levels of each arm whose assay is named: at baseline, else after."""
    found: dict[SdKey, float] = {}
    for comparison in comparisons:
        if comparison.unit == NOT_STATED:
            continue
        place, study_id = _sd_place(comparison), comparison.study.study_id
        for rows, pair in (
            (comparison.baselines, comparison.before), (comparison.levels, comparison.after),
        ):  # fmt: skip
            arms = (comparison.arm, comparison.control)
            for arm, row, summary in zip(arms, rows, pair, strict=True):
                assay = _assay(row)
                if arm is None or not assay or summary is None or summary.sd is None:
                    continue
                if summary.codes not in REPORTED or Flag.SECOND_HAND in summary.flags:
                    continue
                if not any(own.disputed for own in rows_of(row)):
                    found.setdefault(SdKey(place, assay, study_id, arm.arm_id), summary.sd)
    return found


def _mean(found: Sequence[Correlation]) -> Correlation:
    """Return the mean correlation of merged arms, imputed if that of any is."""
    source = max(found, key=lambda one: one.rank).source
    cells = tuple(cell for one in found for cell in one.cells)
    return Correlation(sum(one.r for one in found) / len(found), source, cells)


def change_sd_to_r(before: float, after: float, change: float) -> float:
    """Return r from the SDs before, after and of the change (Cochrane Handbook 16.1.3.2)."""
    return (before**2 + after**2 - change**2) / (2 * before * after)


def _key(comparison: Comparison, side: int) -> ArmKey:
    arm = (comparison.arm, comparison.control)[side]
    place = (comparison.outcome, comparison.site, comparison.arm.phase)
    arm_id = arm.arm_id if arm else ""
    return ArmKey(comparison.study.study_id, arm_id, place, comparison.analyte)


def _known(comparisons: Iterable[Comparison]) -> dict[ArmKey, Correlation]:
    """Return the best correlation that the values reported of each arm give."""
    found: dict[ArmKey, Correlation] = {}
    for comparison in comparisons:
        for side in comparison.sides:
            known, key = _of_arm(comparison, side), _key(comparison, side)
            if known is not None and (key not in found or known.rank < found[key].rank):
                found[key] = known
    return found


def _reported(row: Contrast) -> Correlation | None:
    if row.statistic != "r" or not row.usable or row.disputed or row.value is None:
        return None
    return Correlation(float(row.value), CorrelationSource.REPORTED, (Cell(row, "value"),))


def _of_arm(comparison: Comparison, side: int) -> Correlation | None:
    """Return the first correlation inside (-1, 1): reported, by the SD of change, by a test."""
    own = (comparison.contrasts, comparison.controls_own)[side]
    crossover = comparison.study.design == "crossover_rct"
    for row in own:
        if crossover and row.compares == "between":
            continue  # between conditions, not between before and after
        reported = _reported(row)
        if reported is not None:
            return reported
    before, after, change = (
        pair[side] for pair in (comparison.before, comparison.after, comparison.change)
    )
    if before is None or after is None or before.sd is None or after.sd is None:
        return None
    if any(cell.disputed for s in (before, after, change) if s for cell in s.cells):
        return None
    if change is not None and change.sd is not None and Provenance.PAIRED not in change.codes:
        r = change_sd_to_r(before.sd, after.sd, change.sd)
        if -1 < r < 1:
            cells = before.cells + after.cells + change.cells
            return Correlation(r, CorrelationSource.CHANGE_SD, cells)
    return _from_paired_test(own, before, after)


def _from_paired_test(
    contrasts: Sequence[Contrast], start: Summary, end: Summary
) -> Correlation | None:
    before, after = start.with_sd(), end.with_sd()
    if before is None or after is None or before.n is None or before.n != after.n:
        return None
    for row in contrasts:
        if row.compares != "within" or not row.usable or row.disputed or row.test == "rank":
            continue
        t, column = _paired_t(row, before.n)
        sd = abs(after.mean - before.mean) * math.sqrt(before.n) / t if t else 0.0
        r = change_sd_to_r(before.sd, after.sd, sd) if sd > 0 else math.nan
        if -1 < r < 1:
            cells = (*before.cells, *after.cells, Cell(row, column))
            return Correlation(r, CorrelationSource.PAIRED_TEST, cells)
    return None


def _paired_t(row: Contrast, n: int) -> tuple[float | None, str]:
    if row.statistic == "t" and row.value is not None:
        return abs(float(row.value)), "value"
    if is_omnibus(row):
        return None, ""
    if row.statistic == "f" and row.value is not None:
        return math.sqrt(row.value), "value"
    p = exact_p(row)
    return (p_to_t(p, n - 1, row.tails or 2), "p") if p is not None and p < 1 else (None, "")
