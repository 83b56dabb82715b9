"""Summaries of specifications from the parts on disk, in three passes and bounded memory.

The parts are read in their order, so that sums are the same however the parts were divided among
processes.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array
from osteometa.records.specifications import (
    CurveColumn,
    SpecificationExtreme,
    SpecificationLevel,
    SpecificationSummary,
)
from osteometa.sensitivity.explained_variance import averaged_parts
from osteometa.specifications.choices import Numbers, Registered

BINS = 1 << 20
"""Bins of estimates: a quantile is off by the width of one at most."""
LIMIT_BINS = 1 << 12
"""Bins of the limits of intervals in each column of the curve."""
COLUMNS = 240
"""Columns of the curve."""
EXTREMES = 10
QUANTILES = {"q025": 0.025, "q25": 0.25, "median": 0.5, "q75": 0.75, "q975": 0.975}
NEAR = 200
"""Different estimates at each end that are held, as many are equal but for rounding."""
ROWS = 1 << 15
OF_EXTREMES = ("specification", "k", "estimate", "ci_low", "ci_high")
Columns = Mapping[str, NDArray[Any]]
Stream = Callable[[Sequence[str]], Iterator[tuple[Registered, Columns]]]
"""Gives the parts in their order, with some columns of numbers."""


@dataclass(frozen=True, slots=True)
class Summaries:
    """All tables of a summary."""

    summary: Sequence[SpecificationSummary]
    levels: Sequence[SpecificationLevel]
    extremes: Sequence[SpecificationExtreme]
    curve: Sequence[CurveColumn]


class _Sums:
    """What the first pass adds up for one measure."""

    def __init__(self, one: Registered, origin: float):
        levels = sum(map(len, one.columns.values()))
        self.one, self.origin = one, origin
        self.counts = np.zeros((3, levels))
        """Specifications, estimates and intervals that exclude the null, by level."""
        self.gram, self.cross = np.zeros((levels, levels)), np.zeros(levels)
        """Levels that occur together, and estimates by level; each estimate counts once."""
        self.number = self.excludes = self.positive = self.negative = 0
        self.once, self.total, self.squares = 0, 0.0, 0.0
        self.low, self.high = math.inf, -math.inf
        self.lowest: dict[float, tuple[float, ...]] = {}
        self.highest: dict[float, tuple[float, ...]] = {}

    def add(self, part: Columns) -> None:
        """Add the specifications of a part."""
        estimates, excludes = part["estimate"], part["excludes_null"]
        y = estimates - self.origin
        self.number += len(y)
        self.excludes += int(np.sum(excludes))
        self.positive += int(np.sum(estimates > 0))
        self.negative += int(np.sum(estimates < 0))
        self.low = min(self.low, float(np.min(estimates)))
        self.high = max(self.high, float(np.max(estimates)))
        places, levels = _level_places(self.one, part["specification"]), len(self.cross)
        for own in places:
            for row, weights in enumerate((None, y, excludes.astype(float))):
                self.counts[row] += np.bincount(own, weights, levels)
        once = self.one.moves_estimate(part["specification"])
        y, places = y[once], [own[once] for own in places]
        self.once += len(y)
        self.total += float(np.sum(y))
        self.squares += float(np.sum(y**2))
        for own in places:
            self.cross += np.bincount(own, y, levels)
        for start in range(0, len(y), ROWS):
            dummies = np.zeros((levels, len(y[start : start + ROWS])))
            for own in places:
                dummies[own[start : start + ROWS], np.arange(dummies.shape[1])] = 1.0
            self.gram += dummies @ dummies.T
        self._add_ends(part)

    def _add_ends(self, part: Columns) -> None:
        """Keep the specifications with the lowest and highest of the different estimates."""
        values, rows = np.unique(part["estimate"], return_index=True)
        for held, chosen, last in (
            (self.lowest, slice(None, NEAR), False), (self.highest, slice(-NEAR, None), True),
        ):  # fmt: skip
            for value, row in zip(values[chosen].tolist(), rows[chosen], strict=True):
                held.setdefault(value, tuple(float(part[name][row]) for name in OF_EXTREMES))
            for value in sorted(held, reverse=last)[NEAR:]:
                del held[value]

    def shares(self) -> dict[str, float]:
        """Return the part of the variance that each choice explains, and the interactions."""
        columns = {name: levels for name, levels in self.one.columns.items() if name != "ci"}
        first, owner, kept = 0, [], []
        for place, levels in enumerate(columns.values()):
            used = [i for i in range(first, first + len(levels)) if self.gram[i, i] > 0]
            kept += used[1:]
            owner += [place] * len(used[1:])
            first += len(levels)
        n, total = np.diagonal(self.gram)[kept], self.squares - self.total**2 / self.once
        scale = max(abs(self.low), abs(self.high))
        # Equal estimates differ by rounding, which no choice explains.
        if total <= self.once * (1e-12 * scale) ** 2:
            return dict.fromkeys(columns, 0.0)
        gram = self.gram[np.ix_(kept, kept)] - np.outer(n, n) / self.once
        cross = self.cross[kept] - n * self.total / self.once
        parts = averaged_parts(gram, cross, total, np.array(owner, dtype=int), len(columns))
        return dict(zip(columns, parts, strict=True)) | {"interactions": max(0.0, 1 - sum(parts))}


def _level_places(one: Registered, numbers: Numbers) -> list[Numbers]:
    """Return the place of each level among the levels of all choices, an array for each choice."""
    found, first = [], 0
    for name, own in one.places(numbers).items():
        found.append(own + first)
        first += len(one.columns[name])
    return found


def summarised(stream: Stream, primary: int | None) -> Summaries:
    """Return all summaries of the parts, which `stream` gives anew at each call.

    `primary` is the number of the primary specification. ValueError if none has two studies.
    """
    sums: dict[str, _Sums] = {}
    primaries: dict[str, float] = {}
    for one, part in stream([*OF_EXTREMES, "excludes_null"]):
        if not len(part["estimate"]):
            continue
        if one.measure not in sums:
            sums[one.measure] = _Sums(one, float(part["estimate"][0]))
        sums[one.measure].add(part)
        found = part["estimate"][part["specification"] == primary]
        if len(found):
            primaries[one.measure] = float(found[0])
    if not sums:
        raise ValueError("no combination of choices pools two studies")
    histograms = _histograms(stream, sums)
    rows = [_summary(own, histograms[name], primaries.get(name)) for name, own in sums.items()]
    return Summaries(
        [*rows, _overall(rows, sums, primaries)],
        [row for own in sums.values() for row in _levels(own)],
        [row for own in sums.values() for row in _extremes(own)],
        _curve(stream, sums, histograms),
    )


def _bins(own: _Sums, estimates: Array) -> Numbers:
    """Return the bin of each estimate, evenly from the lowest to the highest."""
    width = (own.high - own.low) / BINS
    if width <= 0:
        return np.zeros(len(estimates), dtype=np.int64)
    return np.minimum(((estimates - own.low) / width).astype(np.int64), BINS - 1)


def _histograms(stream: Stream, sums: Mapping[str, _Sums]) -> dict[str, Numbers]:
    found = {name: np.zeros(BINS, dtype=np.int64) for name in sums}
    for one, part in stream(["estimate"]):
        if len(part["estimate"]):
            bins = _bins(sums[one.measure], part["estimate"])
            found[one.measure] += np.bincount(bins, minlength=BINS)
    return found


def _summary(own: _Sums, histogram: Numbers, primary: float | None) -> SpecificationSummary:
    """Return the row of a measure; a quantile is the least estimate with its share up to it."""
    width = (own.high - own.low) / BINS
    below = np.cumsum(histogram)
    found = {
        name: own.low + width * (0.5 + int(np.searchsorted(below, math.ceil(q * own.number))))
        for name, q in QUANTILES.items()
    }
    sign = found["median"] if primary is None else primary
    same = own.positive if sign > 0 else own.negative if sign < 0 else 0
    return SpecificationSummary(
        measure=own.one.measure, specifications=own.number, registered=own.one.size,
        same_sign=100 * same / own.number, excludes_null=100 * own.excludes / own.number,
        primary=primary, lowest=own.low, highest=own.high, quantile_error=width, **found,
    )  # fmt: skip


def _overall(
    rows: Sequence[SpecificationSummary], sums: Mapping[str, _Sums], primaries: Mapping[str, float]
) -> SpecificationSummary:
    """Return the row of all measures: the sign is that of the primary estimate."""
    number = sum(row.specifications for row in rows)
    sign = next(iter(primaries.values()), rows[0].median or 0.0)
    same = sum(own.positive if sign > 0 else own.negative for own in sums.values())
    return SpecificationSummary(
        measure="all", specifications=number, registered=sum(row.registered for row in rows),
        same_sign=100 * same / number,
        excludes_null=100 * sum(own.excludes for own in sums.values()) / number,
    )  # fmt: skip


def _levels(own: _Sums) -> Iterator[SpecificationLevel]:
    shares, i = own.shares(), 0
    for name, levels in own.one.columns.items():
        for level in levels:
            n, total, excludes = own.counts[:, i]
            i += 1
            yield SpecificationLevel(
                measure=own.one.measure, choice=name, level=level, specifications=int(n),
                mean=own.origin + total / n if n else None,
                excludes_null=100 * excludes / n if n else None,
                share=100 * shares.get(name, 0.0),
            )  # fmt: skip
    yield SpecificationLevel(
        measure=own.one.measure, choice="interactions", level="", specifications=own.number,
        mean=None, excludes_null=None, share=100 * shares.get("interactions", 0.0),
    )  # fmt: skip


def _extremes(own: _Sums) -> Iterator[SpecificationExtreme]:
    """Yield the lowest and highest of the different estimates, the farthest first."""
    apart = 1e-9 * (own.high - own.low)
    for end, held in (("lowest", own.lowest), ("highest", own.highest)):
        last, shown = math.nan, 0
        for value in sorted(held, reverse=end == "highest"):
            if shown == EXTREMES or abs(value - last) <= apart:
                continue
            last, shown = value, shown + 1
            found = dict(zip(OF_EXTREMES, held[value], strict=True))
            number = int(found["specification"])
            words = own.one.words(number).items()
            yield SpecificationExtreme(
                measure=own.one.measure, end=end, specification=number, k=int(found["k"]),
                estimate=value, ci_low=found["ci_low"], ci_high=found["ci_high"],
                choices="; ".join(f"{name}: {level}" for name, level in words),
            )  # fmt: skip


def _curve(
    stream: Stream, sums: Mapping[str, _Sums], histograms: Mapping[str, Numbers]
) -> list[CurveColumn]:
    """Return the specifications of each measure in columns of neighbours by estimate."""
    made = {name: _Curve(own, histograms[name]) for name, own in sums.items()}
    for one, part in stream(["specification", "estimate", "ci_low", "ci_high", "excludes_null"]):
        if len(part["estimate"]):
            made[one.measure].add(part)
    return [row for curve in made.values() for row in curve.rows()]


class _Curve:
    """What the third pass counts in each column of the curve."""

    def __init__(self, own: _Sums, histogram: Numbers):
        middle = np.cumsum(histogram) - histogram / 2
        self.of_bin = np.minimum((middle / own.number * COLUMNS).astype(np.int64), COLUMNS - 1)
        self.own = own
        reach = (own.high - own.low) or abs(own.high) or 1.0
        self.start, self.width = own.low - reach, 3 * reach / LIMIT_BINS
        self.sums = np.zeros((3, COLUMNS))
        """Specifications, estimates less the origin, and intervals that exclude the null."""
        self.levels = np.zeros((COLUMNS, len(own.cross)))
        self.limits = np.zeros((2, COLUMNS, LIMIT_BINS), dtype=np.int64)

    def add(self, part: Columns) -> None:
        """Count the specifications of a part."""
        column = self.of_bin[_bins(self.own, part["estimate"])]
        weights = (None, part["estimate"] - self.own.origin, part["excludes_null"].astype(float))
        for row, own in enumerate(weights):
            self.sums[row] += np.bincount(column, own, COLUMNS)
        levels = self.levels.shape[1]
        for own in _level_places(self.own.one, part["specification"]):
            counted = np.bincount(column * levels + own, minlength=COLUMNS * levels)
            self.levels += counted.reshape(COLUMNS, levels)
        for side, name in enumerate(("ci_low", "ci_high")):
            bins = np.clip((part[name] - self.start) / self.width, 0, LIMIT_BINS - 1)
            at = column * LIMIT_BINS + bins.astype(np.int64)
            counted = np.bincount(at, minlength=COLUMNS * LIMIT_BINS)
            self.limits[side] += counted.reshape(COLUMNS, LIMIT_BINS)

    def rows(self) -> Iterator[CurveColumn]:
        """Yield the columns that have specifications, from the lowest estimate."""
        before = 0.0
        for i in np.flatnonzero(self.sums[0]).tolist():
            n, total, excludes = self.sums[:, i]
            start, before = before, before + n
            yield CurveColumn(
                measure=self.own.one.measure, start=100 * start / self.own.number,
                stop=100 * before / self.own.number, estimate=self.own.origin + total / n,
                low_outer=self._limit(0, i, 0.05), low=self._limit(0, i, 0.5),
                high=self._limit(1, i, 0.5), high_outer=self._limit(1, i, 0.95),
                excludes_null=100 * excludes / n,
                levels=" ".join(f"{100 * own / n:.1f}" for own in self.levels[i]),
            )  # fmt: skip

    def _limit(self, side: int, column: int, share: float) -> float:
        below = np.cumsum(self.limits[side, column])
        place = int(np.searchsorted(below, math.ceil(share * below[-1])))
        return float(self.start + self.width * (place + 0.5))
