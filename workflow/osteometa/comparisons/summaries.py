"""Means, SDs and test statistics from what papers print."""

from __future__ import annotations

import math
from dataclasses import dataclass

from osteometa.comparisons.quantiles import from_quantiles
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Measurement
from osteometa.numerics.distributions import half_width_to_se

SECOND_HAND = ("other_review", "press")


def merge_arms(arms: list[tuple[int, float, float]]) -> tuple[int, float, float]:
    """Merge arms (n, mean, SD) into one: Cochrane Handbook, table 6.5.a.

    Returns
    -------
    n, mean, SD of all people together.
    """
    n = sum(arm[0] for arm in arms)
    mean = sum(arm[0] * arm[1] for arm in arms) / n
    squares = sum((k - 1) * sd**2 + k * (m - mean) ** 2 for k, m, sd in arms)
    return n, mean, math.sqrt(squares / (n - 1))


@dataclass(frozen=True, slots=True)
class Cell:
    """One raw cell that a number rests on."""

    row: Row
    column: str


@dataclass(frozen=True, slots=True)
class People:
    """How many people stand behind a number, and how that is known."""

    n: int | None = None
    flags: frozenset[str] = frozenset()
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean, SD and n of one arm at one time."""

    mean: float | None
    sd: float | None
    n: int | None
    code: str
    """How the SD came about: SD, SE, CI, TMD, Q5, Q3, R3, FIG (digitised); empty without an SD."""
    cells: tuple[Cell, ...]
    flags: frozenset[str] = frozenset()


def summary_of(row: Measurement, people: People, factor: float) -> Summary:
    """Return what one row says of an arm, the SD by the first possible rung.

    SD, SE, CI, then quantiles (Q5, Q3, R3), which give the mean too where none is printed.

    Parameters
    ----------
    row : Measurement
    people : People
        People measured, where the row or the arm prints it.
    factor : float
        Exact factor to the unit in which the outcome is pooled.
    """
    cells = [Cell(row, "mean")] if row.mean is not None else []
    n = people.n
    flags = people.flags | frozenset(row.flag.split()) | origin_flags(row)
    mean = None if row.mean is None else float(row.mean)
    sd, code, columns = _sd_of(row, n)
    quantiles = from_quantiles(row, n) if sd is None else None
    if quantiles is not None:
        mean = quantiles.mean if mean is None else mean
        sd, code, columns = quantiles.sd, quantiles.code, quantiles.columns
        flags |= {"SKEW"} if quantiles.skewed else set()
    if code and row.origin == "figure":
        code = "FIG" if code == "SD" else f"{code}+FIG"
    cells += [Cell(row, column) for column in columns]
    cells += people.cells
    return Summary(
        None if mean is None else mean * factor, None if sd is None else sd * factor,
        n, code, tuple(cells), flags,
    )  # fmt: skip


def merge_people(groups: list[People]) -> People:
    """Return the people of several arms together; their number only if all are known."""
    known = all(group.n is not None for group in groups)
    return People(
        sum(group.n for group in groups) if known else None,
        frozenset().union(*(group.flags for group in groups)),
        tuple(cell for group in groups for cell in group.cells),
    )


def merge_summaries(summaries: list[Summary | None]) -> Summary | None:
    """Return several arms as one, flagged MERGED; None unless each has mean, SD and n."""
    if any(s is None or None in (s.mean, s.sd) or not s.n for s in summaries):
        return None
    n, mean, sd = merge_arms([(s.n, s.mean, s.sd) for s in summaries])
    return Summary(
        mean, sd, n, "+".join(sorted({s.code for s in summaries})),
        tuple(cell for s in summaries for cell in s.cells),
        frozenset({"MERGED"}).union(*(s.flags for s in summaries)),
    )  # fmt: skip


def origin_flags(row: Row) -> frozenset[str]:
    """Return 2ND for numbers read in another review or in the press, FIG for digitised ones."""
    origin = getattr(row, "origin", "")
    if origin == "figure":
        return frozenset({"FIG"})
    return frozenset({"2ND"} if origin in SECOND_HAND else ())


def row_flags(row: Row) -> frozenset[str]:
    """Return the flags that a raw row carries into every effect that rests on it."""
    return frozenset(getattr(row, "flag", "").split()) | origin_flags(row)


def _sd_of(row: Measurement, n: int | None) -> tuple[float | None, str, tuple[str, ...]]:
    if row.sd is not None:
        return float(row.sd), "SD", ("sd",)
    if row.spread is not None and row.spread_kind == "sd":
        return float(row.spread), "SD", ("spread",)
    if n is None or n < 2:
        return None, "", ()
    if row.se is not None:
        return float(row.se) * math.sqrt(n), "SE", ("se",)
    if row.spread is not None and row.spread_kind == "se":
        return float(row.spread) * math.sqrt(n), "SE", ("spread",)
    if row.ci_low is not None and row.ci_high is not None:
        se = half_width_to_se(row.ci_low, row.ci_high, float(row.ci_level or 95), n - 1)
        return se * math.sqrt(n), "CI", ("ci_low", "ci_high")
    return None, "", ()
