"""Means, SDs and numbers of participants of one arm at one time, from what a paper reports."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from osteometa.comparisons.quantiles import Spread, from_quantiles
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Measurement
from osteometa.numerics.distributions import half_width_to_se
from osteometa.records.effects import CellName
from osteometa.wording.vocabulary import Flag, Provenance

SECOND_HAND = ("other_review", "press")
Codes = tuple[Provenance, ...]
Flags = frozenset[Flag]


@dataclass(frozen=True, slots=True)
class Cell:
    """One raw cell from which a number is derived."""

    row: Row
    column: str

    @property
    def name(self) -> CellName:
        """The cell as derived tables cite it."""
        return CellName(self.row.table, self.row.key_text.replace(" ", "_"), self.column)

    @property
    def disputed(self) -> str:
        """Why its row is inconsistent with another one; empty if it is not."""
        return getattr(self.row, "disputed", "")


@dataclass(frozen=True, slots=True)
class SampleSize:
    """How many participants a number is based on, and where that is reported."""

    n: int | None = None
    flags: Flags = frozenset()
    cells: tuple[Cell, ...] = ()


def size_in(row: Row, column: str) -> SampleSize:
    """Return the participants that a cell reports."""
    return SampleSize(getattr(row, column), cells=(Cell(row, column),))


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of one arm at one time; any number may be missing."""

    mean: float | None
    sd: float | None
    n: int | None
    codes: Codes
    """How the SD came about; empty without an SD."""
    cells: tuple[Cell, ...]
    flags: Flags = frozenset()

    def with_sd(self) -> SummaryWithSd | None:
        """Return the summary if mean and SD are known."""
        if self.mean is None or self.sd is None:
            return None
        return SummaryWithSd(self.mean, self.sd, self.n, self.codes, self.cells, self.flags)

    def complete(self) -> CompleteSummary | None:
        """Return the summary if mean, SD and n are known."""
        if self.mean is None or self.sd is None or not self.n:
            return None
        return CompleteSummary(self.mean, self.sd, self.n, self.codes, self.cells, self.flags)


@dataclass(frozen=True, slots=True)
class SummaryWithSd(Summary):
    """A summary whose mean and SD are known."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class CompleteSummary(SummaryWithSd):
    """A summary whose mean, SD and n are known."""

    n: int


Pair = tuple[Summary | None, Summary | None]
"""Summaries of the exercise and the control arm."""


def means_of(summaries: Sequence[Summary | None]) -> list[float] | None:
    """Return the means of several summaries; None where one of them is not known."""
    means = [s.mean for s in summaries if s is not None and s.mean is not None]
    return means if len(means) == len(summaries) else None


def has_sd(summary: Summary | None) -> bool:
    """Return whether mean and SD are known."""
    return summary is not None and summary.with_sd() is not None


def summary_of(row: Measurement, size: SampleSize, factor: float) -> Summary:
    """Return what one row reports of an arm, times the factor to the unit in which it is pooled.

    Of a geometric mean with its limits: mean and SD of the natural logarithms.
    `size` is that of the participants measured, where the row or the arm reports them.
    """
    cells = [Cell(row, "mean")] if row.mean is not None else []
    spread = spread_of(row, size.n)
    mean = spread.mean if row.mean is None else float(row.mean)
    logarithm = row.kind in ("log_level", "geometric")  # whose SD has no unit
    if mean is not None:
        if row.kind == "geometric":
            mean = math.log(mean)
        mean = mean + math.log(factor) if logarithm else mean * factor
    return Summary(
        mean,
        spread.sd if spread.sd is None or logarithm else spread.sd * factor,
        size.n,
        spread.codes,
        (*cells, *(Cell(row, column) for column in spread.columns), *size.cells),
        size.flags | row_flags(row) | spread.flags,
    )


def spread_of(row: Measurement, n: int | None) -> Spread:
    """Return the SD of a row of n participants by the first source that gives one.

    SD, SE, confidence interval, then quantiles (Q5, Q3, R3), which give the mean too. A value read
    off a figure has the code FIG, in place of SD or after the others. The SD of a geometric mean is
    that of the logarithms, by its confidence limits alone.
    """
    spread = _by_interval(row, n) if row.kind == "geometric" else _reported_spread(row, n)
    if spread.sd is None and row.kind != "geometric":
        spread = from_quantiles(row, n) or spread
    if spread.codes and row.origin == "figure":
        codes = (code for code in spread.codes if code != Provenance.SD)
        return replace(spread, codes=(*codes, Provenance.FIG))
    return spread


def _reported_spread(row: Measurement, n: int | None) -> Spread:
    sd = row.spread if row.sd is None and row.spread_kind == "sd" else row.sd
    if sd is not None:
        return Spread(float(sd), (Provenance.SD,), ("spread" if row.sd is None else "sd",))
    se = row.spread if row.se is None and row.spread_kind == "se" else row.se
    if se is not None and n is not None and n >= 2:
        column = "spread" if row.se is None else "se"
        return Spread(float(se) * math.sqrt(n), (Provenance.SE,), (column,))
    return _by_interval(row, n)


def _by_interval(row: Measurement, n: int | None) -> Spread:
    if n is None or n < 2 or row.ci_low is None or row.ci_high is None:
        return Spread()
    low, high = float(row.ci_low), float(row.ci_high)
    if row.kind == "geometric":
        low, high = math.log(low), math.log(high)
    se = half_width_to_se(low, high, float(row.ci_level or 95), n - 1)
    return Spread(se * math.sqrt(n), (Provenance.CI,), ("ci_low", "ci_high"))


def merge_arms(arms: Sequence[tuple[int, float, float]]) -> tuple[int, float, float]:
    """Merge arms (n, mean, SD) into one of all participants: Cochrane Handbook, table 6.5.a."""
    n = sum(arm[0] for arm in arms)
    mean = sum(arm[0] * arm[1] for arm in arms) / n
    squares = sum((k - 1) * sd**2 + k * (m - mean) ** 2 for k, m, sd in arms)
    return n, mean, math.sqrt(squares / (n - 1))


def merge_sizes(groups: Sequence[SampleSize]) -> SampleSize:
    """Return the participants of several arms together; their number only if all are known."""
    known = [group.n for group in groups if group.n is not None]
    return SampleSize(
        sum(known) if len(known) == len(groups) else None,
        frozenset[Flag]().union(*(group.flags for group in groups)),
        tuple(cell for group in groups for cell in group.cells),
    )


def merge_summaries(summaries: Sequence[Summary | None]) -> CompleteSummary | None:
    """Return several arms as one, flagged MERGED; None unless all are complete."""
    parts = [whole for s in summaries if s is not None and (whole := s.complete()) is not None]
    if len(parts) < len(summaries):
        return None
    n, mean, sd = merge_arms([(s.n, s.mean, s.sd) for s in parts])
    return CompleteSummary(
        mean, sd, n, distinct_codes(s.codes for s in parts),
        tuple(cell for s in parts for cell in s.cells),
        frozenset({Flag.MERGED}).union(*(s.flags for s in parts)),
    )  # fmt: skip


def distinct_codes(codes: Iterable[Codes]) -> Codes:
    """Return how the SDs of several summaries came about, each way once."""
    return tuple(code for group in sorted(set(codes)) for code in group)


def row_flags(row: Row) -> Flags:
    """Return the flags that a raw row passes on to every effect derived from it.

    Those of its column `flag`, and one for where its numbers were read.
    """
    flags = frozenset(map(Flag, getattr(row, "flag", "").split()))
    origin = getattr(row, "origin", "")
    if origin == "figure":
        return flags | {Flag.FIGURE}
    return flags | {Flag.SECOND_HAND} if origin in SECOND_HAND else flags
