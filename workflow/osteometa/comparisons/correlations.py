"""Before-after correlations: reported, derived, borrowed or assumed, in that order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from osteometa.comparisons.build import Comparison
from osteometa.comparisons.reported_tests import is_omnibus
from osteometa.comparisons.summaries import Cell, Summary, row_flags
from osteometa.extraction.tables import Contrast, Measurement
from osteometa.numerics.distributions import p_to_t
from osteometa.protocol.config import Config

PRINTED = ("SD", "SE", "CI")
"""SDs that may be borrowed: no quantiles, and none from a test between arms."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """A before-after correlation and how it is known."""

    r: float
    source: str
    """reported, change_sd, paired_test, other_arms or config."""
    cells: tuple[Cell, ...] = ()

    @property
    def imputed(self) -> bool:
        """Tell whether no print of this arm gives it."""
        return self.source in ("other_arms", "config")


@dataclass(frozen=True, slots=True)
class Known:
    """A correlation that an arm's own prints give."""

    study_id: str
    arm_id: str
    place: tuple[str, str, str]
    """Outcome, site and phase."""
    analyte: str
    correlation: Correlation
    first_hand: bool


class Correlations:
    """The correlations of a review: of its sources (M3.4), the first that has one."""

    def __init__(self, comparisons: Iterable[Comparison], config: Config, *, borrow: bool = True):
        comparisons = list(comparisons)
        self._config = config
        self._borrow = borrow
        self._known = _known(comparisons)
        self._spreads = _spreads(comparisons)

    def of(self, comparison: Comparison, side: int) -> Correlation:
        """Return the correlation for one side of a comparison (0 exercise, 1 control)."""
        if comparison.parts and side == 0:
            return _together([self.of(part, side) for part in comparison.parts])
        arm = (comparison.arm, comparison.control)[side]
        place = (comparison.outcome, comparison.site, comparison.arm.phase)
        own = [
            known.correlation
            for known in self._known
            if (known.study_id, known.arm_id, known.place, known.analyte)
            == (comparison.study.study_id, arm.arm_id if arm else "", place, comparison.analyte)
        ]
        if own:
            return own[0]
        others = [
            known.correlation.r
            for known in self._known
            if known.place == place and known.first_hand
        ]
        if self._borrow and len(others) >= 2:
            return Correlation(median(others), "other_arms")
        return Correlation(self._config.outcomes[comparison.outcome].r, "config")

    def between(self, comparison: Comparison) -> Correlation:
        """Return the correlation of two conditions of the same people: printed, else assumed."""
        for row in comparison.contrasts:
            told = row.statistic == "r" and row.compares == "between" and row.value is not None
            if told and row.usable and not row.disputed:
                return Correlation(float(row.value), "reported", (Cell(row, "value"),))
        return Correlation(self._config.outcomes[comparison.outcome].r, "config")

    def borrowed_sd(self, comparison: Comparison, row: Measurement | None) -> float | None:
        """Return an SD to borrow: the median of two or more arms of other studies.

        Of the same outcome, analyte, site, unit and assay, printed first-hand; None if there are
        fewer, or the row names no assay. For sensitivity only (flag BOR).
        """
        if row is None or not getattr(row, "assay", ""):
            return None
        place = (comparison.outcome, comparison.analyte, comparison.site, comparison.unit)
        sds = [
            sd
            for (where, assay, study_id, _), sd in self._spreads.items()
            if (where, assay) == (place, row.assay) and study_id != comparison.study.study_id
        ]
        return median(sds) if len(sds) >= 2 else None


def _spreads(
    comparisons: Iterable[Comparison],
) -> dict[tuple[tuple[str, ...], str, str, str], float]:
    """Return the SD of levels of each arm whose assay is named: at baseline, else after."""
    found: dict[tuple[tuple[str, ...], str, str, str], float] = {}
    for comparison in comparisons:
        place = (comparison.outcome, comparison.analyte, comparison.site, comparison.unit)
        study_id = comparison.study.study_id
        for rows in (comparison.baselines, comparison.levels):
            pair = comparison.pair(rows)
            for arm, row, summary in zip(
                (comparison.arm, comparison.control), rows, pair, strict=True
            ):
                assay = getattr(row, "assay", "")
                if arm is None or not assay or summary is None or summary.code not in PRINTED:
                    continue
                if row.disputed or "2ND" in summary.flags:
                    continue
                found.setdefault((place, assay, study_id, arm.arm_id), summary.sd)
    return found


def _together(found: list[Correlation]) -> Correlation:
    """Return the mean correlation of merged arms, imputed if that of any is."""
    order = ("reported", "change_sd", "paired_test", "other_arms", "config")
    source = max((one.source for one in found), key=order.index)
    cells = tuple(cell for one in found for cell in one.cells)
    return Correlation(sum(one.r for one in found) / len(found), source, cells)


def change_sd_to_r(before: float, after: float, change: float) -> float:
    """Return r from the SDs before, after and of the change (Cochrane Handbook 16.1.3.2)."""
    return (before**2 + after**2 - change**2) / (2 * before * after)


def _known(comparisons: Iterable[Comparison]) -> list[Known]:
    found: dict[tuple, Known] = {}
    for comparison in comparisons:
        for side, arm in enumerate((comparison.arm, comparison.control)):
            if arm is None:
                continue
            correlation = _of_arm(comparison, side)
            if correlation is None:
                continue
            place = (comparison.outcome, comparison.site, comparison.arm.phase)
            first = not any("2ND" in row_flags(cell.row) for cell in correlation.cells)
            key = (comparison.study.study_id, arm.arm_id, place, comparison.analyte)
            held = found.get(key)
            if held is None or _order(correlation) < _order(held.correlation):
                found[key] = Known(*key, correlation, first)
    return list(found.values())


def _order(correlation: Correlation) -> int:
    return ("reported", "change_sd", "paired_test").index(correlation.source)


def _of_arm(comparison: Comparison, side: int) -> Correlation | None:
    """Return the first correlation inside (-1, 1) of: reported, by the change SD, by a test."""
    own = (comparison.contrasts, comparison.controls_own)[side]
    crossover = comparison.study.design == "crossover_rct"
    for row in own:
        if crossover and row.compares == "between":
            continue  # between conditions, not between before and after
        if row.statistic == "r" and row.usable and not row.disputed and row.value is not None:
            return Correlation(float(row.value), "reported", (Cell(row, "value"),))
    before, after, change = (
        comparison.pair(rows)[side]
        for rows in (comparison.baselines, comparison.levels, comparison.changes)
    )
    if any(s is None or s.sd is None for s in (before, after)):
        return None
    if any(
        getattr(cell.row, "disputed", "") for s in (before, after, change) if s for cell in s.cells
    ):
        return None
    if change is not None and change.sd is not None:
        r = change_sd_to_r(before.sd, after.sd, change.sd)
        if -1 < r < 1:
            return Correlation(r, "change_sd", before.cells + after.cells + change.cells)
    return _from_paired_test(own, before, after)


def _from_paired_test(
    contrasts: tuple[Contrast, ...], before: Summary, after: Summary
) -> Correlation | None:
    if None in (before.mean, after.mean, before.n) or before.n != after.n:
        return None
    for row in contrasts:
        if row.compares != "within" or not row.usable or row.disputed or row.test == "rank":
            continue
        t, column = _paired_t(row, before.n)
        if t:
            sd = abs(after.mean - before.mean) * math.sqrt(before.n) / t
            if sd > 0:
                r = change_sd_to_r(before.sd, after.sd, sd)
                cells = (*before.cells, *after.cells, Cell(row, column))
                if -1 < r < 1:
                    return Correlation(r, "paired_test", cells)
    return None


def _paired_t(row: Contrast, n: int) -> tuple[float | None, str]:
    if row.statistic == "t" and row.value is not None:
        return abs(float(row.value)), "value"
    if is_omnibus(row):
        return None, ""
    if row.statistic == "f" and row.value is not None:
        return math.sqrt(row.value), "value"
    if row.p is not None and row.p_operator == "=" and row.p < 1:
        return p_to_t(float(row.p), n - 1, row.tails or 2), "p"
    return None, ""
