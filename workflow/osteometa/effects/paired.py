"""Crossover trials, and legs or sides of one person: both conditions are the same people.

Paired statistics go first; without them a correlation of the conditions is assumed
and flagged. People count once, so n stands in `n_exercise` and in `n_total` alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from osteometa.comparisons.correlations import Correlation
from osteometa.comparisons.reported_tests import PrintedTest
from osteometa.comparisons.summaries import Cell, Summary
from osteometa.effects.basis import (
    Basis,
    Estimate,
    RefusalError,
    gathered,
    means,
    small_sample,
    unit_factor,
    with_sd,
)
from osteometa.effects.differences import geary, log_ratio, over_baseline_mean, percent_to_log
from osteometa.effects.formulas import change_variance, g_variance

Rung = Callable[[Basis], Estimate]


def conditions(pair: list[Summary | None], rung: str) -> tuple[Summary, Summary, int]:
    """Return both conditions, each with mean and SD, and the number of people.

    Raises
    ------
    RefusalError
        If a number is not printed.
    """
    one, other = pair
    for side, summary in (("exercise", one), ("control", other)):
        if summary is None or summary.mean is None:
            raise RefusalError(f"{rung}: no mean of the {side} condition")
        if summary.sd is None:
            raise RefusalError(f"{rung}: no SD of the {side} condition")
    known = [s.n for s in pair if s.n]
    if not known or min(known) < 2:
        raise RefusalError(f"{rung}: n is not printed")
    return one, other, min(known)


def correlation(basis: Basis, one: Summary, other: Summary, n: int) -> Correlation:
    """Return the correlation of levels after: printed, from their paired test, else assumed."""
    told = basis.between
    if not told.imputed:
        return told
    difference = one.mean - other.mean
    for test in basis.tests:
        if test.score == "post" and test.t and test.adjusted != "yes" and difference:
            square = (difference / test.t) ** 2 * n
            r = (one.sd**2 + other.sd**2 - square) / (2 * one.sd * other.sd)
            if -1 < r < 1:
                return Correlation(r, "paired_test", one.cells + other.cells + test.cells)
    return told


def _r(found: Correlation) -> dict[str, object]:
    return {"r": found.r, "r_source": found.source}


def _flags(found: Correlation) -> frozenset[str]:
    return frozenset({"RIMP"} if found.imputed else ())


def _people(n: int | None) -> dict[str, object]:
    return {"n": (n, None), "n_total": n}


def smcr(basis: Basis) -> Estimate:
    """SMCR: difference of levels after over the root mean square of both SDs, as one group.

    J(n-1), v = 2(1-r)/n + g^2/(2n) (Becker 1988) with r that of the conditions; from a paired t of
    levels after, g = J t/sqrt(n) sqrt(2(1-r)). A comparison of changes gives none: it would need a
    second correlation.
    """
    try:
        one, other, n = conditions(basis.after, "SMCR")
    except RefusalError as error:
        return _smcr_from_test(basis, error)
    found = correlation(basis, one, other, n)
    sd = math.sqrt((one.sd**2 + other.sd**2) / 2)
    g = small_sample(n - 1) * (one.mean - other.mean) / sd
    cells, flags, codes = gathered(one, other)
    return Estimate(
        g, g_variance(2 * (1 - found.r) / n, g, n, n - 1, basis.form), "SMCR", codes,
        flags | _flags(found), cells + found.cells, **_people(n), **means(basis, "after"),
        **_r(found),
    )  # fmt: skip


def _smcr_from_test(basis: Basis, error: RefusalError) -> Estimate:
    for test in basis.tests:
        n = test.n_exercise
        if test.score != "post" or test.adjusted == "yes" or not test.t or not n or n < 3:
            continue
        sign, told = (1, ()) if test.signed else basis.sign(test)
        found = basis.between
        g = small_sample(n - 1) * sign * test.t / math.sqrt(n) * math.sqrt(2 * (1 - found.r))
        return Estimate(
            g, g_variance(2 * (1 - found.r) / n, g, n, n - 1, basis.form), "SMCR", (test.code,),
            test.flags | _flags(found), test.cells + told + found.cells, **_people(n),
            **means(basis, "after"), **_r(found),
        )  # fmt: skip
    raise RefusalError(
        f"{error}; no paired t or exact p of levels after (one of changes gives no SMD: it would "
        "need a second correlation)"
    )


def difference(basis: Basis, *, percent: bool) -> Estimate:
    """DIF: the paired difference with its SE, CI, t or exact p (n - 1 degrees of freedom).

    As printed, else that of the printed means, whose test gives SE = |D| / |t|.
    """
    for test in basis.tests:
        if test.difference is not None and test.se and (test.row.unit == "%") == percent:
            factor = 1.0 if percent else unit_factor(basis, test)
            return Estimate(
                test.difference * factor, (test.se * factor) ** 2, "DIF", (test.code,), test.flags,
                test.cells, **_people(test.n_exercise), **means(basis),
            )  # fmt: skip
    for test in basis.tests:
        if test.t and test.difference is None:
            value, cells, flags = _difference_of_means(basis, test, percent)
            if value == 0:
                raise RefusalError("DIF: the printed means are equal, so their test gives no SE")
            return Estimate(
                value, (value / test.t) ** 2, "DIF", (test.code,), flags | test.flags,
                cells + test.cells, **_people(test.n_exercise), **means(basis),
            )  # fmt: skip
    kind = "in %" if percent else "in the unit of the levels"
    raise RefusalError(f"DIF: no paired difference {kind} with SE, CI, t or exact p")


def _difference_of_means(
    basis: Basis, test: PrintedTest, percent: bool
) -> tuple[float, tuple[Cell, ...], frozenset[str]]:
    """Return the difference of the means that a bare test compares."""
    if test.adjusted == "yes":
        raise RefusalError("DIF: the test is adjusted, the printed means are not")
    changes = test.score == "change"
    if test.score == "not_stated":
        if _means(basis.before) and _means(basis.after):
            raise RefusalError("DIF: whether the test compares changes or levels is not printed")
        changes = not _means(basis.after)
    pairs = [basis.percent] if percent else [basis.change] if changes else [basis.after]
    if percent and not changes:
        raise RefusalError("DIF: the test compares levels, not percent changes")
    for one, other in pairs:
        if _means([one, other]):
            cells, flags, _ = gathered(one, other)
            return one.mean - other.mean, cells, flags
    if changes and not percent and _means(basis.before) and _means(basis.after):
        cells, flags, _ = gathered(*basis.before, *basis.after)
        gains = [a.mean - b.mean for a, b in zip(basis.after, basis.before, strict=True)]
        return gains[0] - gains[1], cells, flags
    raise RefusalError("DIF: the means that the test compares are not printed in this unit")


def _means(pair: list[Summary | None]) -> bool:
    return all(s is not None and s.mean is not None for s in pair)


def md_difference(basis: Basis) -> Estimate:
    """DIF: paired difference in the unit of the levels."""
    return difference(basis, percent=False)


def md_levels(basis: Basis) -> Estimate:
    """MC: difference of levels after, v = (sT^2 + sC^2 - 2 r sT sC)/n."""
    one, other, n = conditions(basis.after, "MC")
    found = correlation(basis, one, other, n)
    cells, flags, codes = gathered(one, other)
    return Estimate(
        one.mean - other.mean, change_variance(other.sd, n, one.sd, n, found.r), "MC", codes,
        flags | _flags(found), cells + found.cells, **_people(n), **means(basis, "after"),
        **_r(found),
    )  # fmt: skip


def md_changes(basis: Basis) -> Estimate:
    """CHG: difference of changes with their SDs, v = (sT^2 + sC^2)/n.

    If any two levels of a person correlate alike, the changes of two conditions do not correlate at
    all, so no other correlation can be assumed for them; flag RIMP.
    """
    one, other, n = conditions(basis.change, "CHG")
    cells, flags, codes = gathered(one, other)
    return Estimate(
        one.mean - other.mean, (one.sd**2 + other.sd**2) / n, "CHG", codes, flags | {"RIMP"},
        cells, **_people(n), **means(basis), r=0.0, r_source="uncorrelated",
    )  # fmt: skip


def rom_difference(basis: Basis) -> Estimate:
    """DIF: ln(1 + D/100), v = (SE/100)^2, D a paired difference of percent changes (PCT)."""
    found = difference(basis, percent=True)
    if found.yi <= -100:
        raise RefusalError("DIF: a percent difference of -100 or less has no log ratio")
    return replace(
        found, yi=math.log1p(found.yi / 100), vi=found.vi / 100**2, codes=("PCT", *found.codes),
        flags=found.flags | {"PCT"}, **means(basis, "pct_change"),
    )  # fmt: skip


def rom_base(basis: Basis) -> Estimate:
    """DIF by a baseline mean: ln(1 + D/m0), v = (SE/(m0 + D))^2."""
    if all(with_sd(summary) for summary in basis.after):
        raise RefusalError("BASE: levels after are printed")
    return over_baseline_mean(basis, md_difference(basis))


def rom_levels(basis: Basis) -> Estimate:
    """ROMC: ln(mT/mC) of levels after, v of a ratio within the same people (Lajeunesse 2011)."""
    one, other, n = conditions(basis.after, "ROMC")
    for summary in (one, other):
        geary(summary)
    found = correlation(basis, one, other, n)
    same = [replace(summary, n=n) for summary in (one, other)]
    value, variance = log_ratio(*same, found.r, basis.config.effects.rom_correction)
    cells, flags, codes = gathered(one, other)
    return Estimate(
        value, variance, "ROMC", codes, flags | _flags(found), cells + found.cells, **_people(n),
        **means(basis, "after"), **_r(found),
    )  # fmt: skip


def rom_logs(basis: Basis) -> Estimate:
    """LOG: difference of mean logarithms of levels after."""
    one, other, n = conditions(basis.logs, "LOG")
    found = basis.between
    cells, flags, codes = gathered(one, other)
    return Estimate(
        one.mean - other.mean, change_variance(other.sd, n, one.sd, n, found.r), "LOG", codes,
        flags | _flags(found), cells + found.cells, **_people(n), **_r(found),
    )  # fmt: skip


def rom_percent(basis: Basis) -> Estimate:
    """CHG: two log ratios from percent changes (PCT), uncorrelated as in CHG of MD."""
    one, other, n = conditions(basis.percent, "CHG")
    (y1, v1), (y2, v2) = (percent_to_log(s.mean, s.sd, n) for s in (one, other))
    cells, flags, codes = gathered(one, other)
    return Estimate(
        y1 - y2, v1 + v2, "CHG", ("PCT", *codes), flags | {"RIMP", "PCT"}, cells, **_people(n),
        **means(basis, "pct_change"), r=0.0, r_source="uncorrelated",
    )  # fmt: skip


RUNGS: dict[str, tuple[tuple[str, Rung], ...]] = {
    "SMD": (("SMCR", smcr),),
    "MD": (("DIF", md_difference), ("MC", md_levels), ("CHG", md_changes)),
    "ROM": (
        ("DIF", rom_difference),
        ("BASE", rom_base),
        ("ROMC", rom_levels),
        ("LOG", rom_logs),
        ("CHG", rom_percent),
    ),
}
LEVELS: dict[str, Rung] = {"SMD": smcr, "MD": md_levels, "ROM": rom_levels}
"""The ways that a borrowed SD can serve."""
