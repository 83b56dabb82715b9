"""Before and after in one arm without a comparator: SMCR, MC and ROMC.

Formulas and codes: docs/methods, M3.8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from osteometa.comparisons.summaries import Cell, Summary
from osteometa.effects.basis import (
    Basis,
    Estimate,
    RefusalError,
    change_variance,
    complete,
    gathered,
    mean_change,
    means,
    small_sample,
    unit_factor,
    with_sd,
)
from osteometa.effects.differences import geary, log_ratio, over_baseline_mean, percent_to_log
from osteometa.effects.formulas import g_variance
from osteometa.effects.smd import g_of_printed_smd

Rung = Callable[[Basis], Estimate]


@dataclass(frozen=True, slots=True)
class MeanChange:
    """A mean change with the SE that the same people's own changes give it."""

    mean: float
    se: float
    n: int | None
    codes: tuple[str, ...]
    cells: tuple[Cell, ...]
    flags: frozenset[str]


def mean_change_of(basis: Basis, *, percent: bool = False) -> MeanChange:
    """Return the arm's mean change with its SE from paired statistics.

    In this order: a change with its SD (SE, CI); a printed difference with SE, CI, t or exact p;
    the means, with SE = |change| / |t| from a paired t, F of two times or exact p.

    Raises
    ------
    RefusalError
        If the paper prints none of them.
    """
    own = (basis.percent if percent else basis.change)[0]
    what = "percent change" if percent else "change"
    if with_sd(own) and own.n and own.n > 1:
        se = own.sd / math.sqrt(own.n)
        return MeanChange(own.mean, se, own.n, (own.code,), own.cells, own.flags)
    for test in basis.tests:
        if test.difference is not None and test.se and (test.row.unit == "%") == percent:
            factor = 1.0 if percent else unit_factor(basis, test)
            return MeanChange(
                test.difference * factor, test.se * factor, test.n_exercise, (test.code,),
                test.cells, test.flags,
            )  # fmt: skip
    mean, cells, flags = _means(basis, own, percent)
    if mean == 0:
        raise RefusalError(f"the printed {what} is 0, so its test gives no SE")
    for test in basis.tests:
        if test.t and test.difference is None:
            return MeanChange(
                mean, abs(mean / test.t), test.n_exercise, (test.code,), cells + test.cells,
                flags | test.flags,
            )  # fmt: skip
    raise RefusalError(f"no SD of the {what}, and no paired t or exact p")


def _means(
    basis: Basis, own: Summary | None, percent: bool
) -> tuple[float, tuple[Cell, ...], frozenset[str]]:
    if own is not None and own.mean is not None:
        return own.mean, own.cells, own.flags
    before, after = basis.before[0], basis.after[0]
    if percent or any(s is None or s.mean is None for s in (before, after)):
        raise RefusalError("no mean change" if not percent else "no mean percent change")
    cells, flags, _ = gathered(before, after)
    return after.mean - before.mean, cells, flags


def _tried(make: Callable[..., MeanChange], basis: Basis, **how: bool) -> MeanChange | None:
    try:
        return make(basis, **how)
    except RefusalError:
        return None


def _first(rung: str, basis: Basis, ways: tuple[Rung, ...]) -> Estimate:
    """Return the first estimate that one of several inputs gives."""
    reasons: dict[str, None] = {}
    for way in ways:
        try:
            return way(basis)
        except RefusalError as error:
            reasons[str(error)] = None
    raise RefusalError(f"{rung}: {'; '.join(reasons)}")


def smcr(basis: Basis) -> Estimate:
    """SMCR: mean change over the SD before, g = J(n-1) (m1 - m0) / s0, v = 2(1-r)/n + g^2/(2n).

    Becker (1988). Without an SD before: the SD of change over sqrt(2(1-r)), a paired t times
    sqrt(2(1-r)/n), or a printed standardised change.
    """
    return _first("SMCR", basis, (_over_baseline, _over_change, _from_test, _printed))


def _over_baseline(basis: Basis) -> Estimate:
    before = complete(basis.before[0], "before")
    after, change = basis.after[0], basis.change[0]
    paired = _tried(mean_change_of, basis)
    if after is not None and after.mean is not None:
        mean, used = mean_change(before, after, change), [change if with_sd(change) else after]
    elif paired is not None:
        mean, used = paired.mean, []
    else:
        raise RefusalError("neither level after nor change with its SD or test")
    n0, n1 = before.n, next((s.n for s in (change, after) if s and s.n), before.n)
    rests, cells, flags = basis.r_notes, basis.r_cells, basis.r_flags
    g = small_sample(n0 - 1) * mean / before.sd
    if paired is not None and (basis.r_flags or not with_sd(after)):
        # The paper's own SE of the change goes before an assumed correlation.
        u, rests, cells, flags = (paired.se / before.sd) ** 2, {}, paired.cells, paired.flags
        n1 = paired.n or n1
    else:
        # 2(1-r)/n, or where n falls from n0 to n1 what that is with equal SDs.
        u = 1 / n1 + 1 / n0 - 2 * basis.mean_r / max(n0, n1)
    more_cells, more_flags, codes = gathered(before, *used)
    return Estimate(
        g, g_variance(u, g, n1, n0 - 1, basis.form), "SMCR",
        codes if rests else (*codes, *paired.codes), flags | more_flags, more_cells + cells,
        n=(n1, None), n_total=n1, **means(basis), **rests,
    )  # fmt: skip


def _over_change(basis: Basis) -> Estimate:
    for (own, _), extra in ((basis.change, ()), (basis.percent, ("PCT",))):
        if with_sd(own) and own.n and own.n > 1:
            g = small_sample(own.n - 1) * own.mean / own.sd * math.sqrt(2 * (1 - basis.mean_r))
            u = 2 * (1 - basis.mean_r) / own.n
            return Estimate(
                g, g_variance(u, g, own.n, own.n - 1, basis.form), "SMCR",
                ("CHG", own.code, *extra), own.flags | basis.r_flags | frozenset(extra),
                own.cells + basis.r_cells, n=(own.n, None), n_total=own.n, **means(basis),
                **basis.r_notes,
            )  # fmt: skip
    raise RefusalError("no change with its SD and n")


def _from_test(basis: Basis) -> Estimate:
    for test in basis.tests:
        if not test.t or not test.n_exercise or test.n_exercise < 3:
            continue
        sign, told = (1, ()) if test.signed else basis.sign(test)
        n, r = test.n_exercise, basis.mean_r
        g = small_sample(n - 1) * sign * test.t / math.sqrt(n) * math.sqrt(2 * (1 - r))
        flags = test.flags | basis.r_flags
        if test.row.unit == "%" or (
            basis.percent[0] and not basis.change[0] and not basis.after[0]
        ):
            flags |= {"PCT"}
        return Estimate(
            g, g_variance(2 * (1 - r) / n, g, n, n - 1, basis.form), "SMCR", (test.code,), flags,
            test.cells + told + basis.r_cells, n=(n, None), n_total=n, **means(basis),
            **basis.r_notes,
        )  # fmt: skip
    raise RefusalError("no paired t, F of two times or exact p with n")


def _printed(basis: Basis) -> Estimate:
    for row in basis.comparison.contrasts:
        if row.statistic == "smd" and row.compares == "within" and row.value and row.usable:
            people = basis.comparison.people(0, None)
            n = row.n_exercise or people.n
            if n is None or n < 2:
                raise RefusalError("n of the printed SMD is not known")
            factor, _ = g_of_printed_smd(row, basis.mean_r, n - 1)
            g = factor * row.value
            cells = [Cell(row, column) for column in ("value", "standardiser")]
            cells += [Cell(row, "n_exercise")] if row.n_exercise else people.cells
            u = 2 * (1 - basis.mean_r) / n
            return Estimate(
                g, g_variance(u, g, n, n - 1, basis.form), "SMCR", ("SMDP",),
                basis.r_flags | (people.flags if not row.n_exercise else frozenset()),
                (*cells, *basis.r_cells), n=(n, None), n_total=n, **means(basis), **basis.r_notes,
            )  # fmt: skip
    raise RefusalError("no standardised change is printed")


def mc(basis: Basis) -> Estimate:
    """MC: mean change, v its squared SE, else (s0^2 + s1^2 - 2 r s0 s1)/n from the levels."""
    return _first("MC", basis, (_mc_paired, _mc_levels))


def _mc_paired(basis: Basis) -> Estimate:
    found = mean_change_of(basis)
    return Estimate(
        found.mean, found.se**2, "MC", found.codes, found.flags, found.cells, n=(found.n, None),
        n_total=found.n, **means(basis),
    )  # fmt: skip


def _mc_levels(basis: Basis) -> Estimate:
    before, after = _levels(basis)
    variance = change_variance(before, after, None, basis.mean_r)
    cells, flags, codes = gathered(before, after)
    return Estimate(
        after.mean - before.mean, variance, "MC", codes, flags | basis.r_flags,
        cells + basis.r_cells, n=(after.n, None), n_total=after.n, **means(basis, "after"),
        **basis.r_notes,
    )  # fmt: skip


def _levels(basis: Basis) -> tuple[Summary, Summary]:
    return complete(basis.before[0], "before"), complete(basis.after[0], "after")


def romc(basis: Basis) -> Estimate:
    """ROMC: log ratio of after to before.

    From levels: ln(m1/m0), v = s0^2/(n m0^2) + s1^2/(n m1^2) - 2 r s0 s1/(n m0 m1) (Lajeunesse
    2011); from logarithms (LOG); from a percent change (PCT); for BMD from a change in its unit
    and a baseline mean (BASE).
    """
    return _first(
        "ROMC", basis, (_romc_levels, _romc_logs, _romc_percent, _romc_difference, _romc_base)
    )


def _romc_levels(basis: Basis) -> Estimate:
    before, after = _levels(basis)
    for summary in (before, after):
        geary(summary)
    corrected = basis.config.effects.rom_correction
    value, variance = log_ratio(after, before, basis.mean_r, corrected)
    if variance <= 0:
        raise RefusalError("SDs, n and the correlation give no positive variance")
    cells, flags, codes = gathered(before, after)
    return Estimate(
        value, variance, "ROMC", codes, flags | basis.r_flags, cells + basis.r_cells,
        n=(after.n, None), n_total=after.n, **means(basis, "after"), **basis.r_notes,
    )  # fmt: skip


def _romc_logs(basis: Basis) -> Estimate:
    after = complete(basis.logs[0], "of logarithms after")
    before = complete(basis.log_baselines[0], "of logarithms before")
    variance = change_variance(before, after, None, basis.mean_r)
    cells, flags, codes = gathered(before, after)
    return Estimate(
        after.mean - before.mean, variance, "ROMC", ("LOG", *codes), flags | basis.r_flags,
        cells + basis.r_cells, n=(after.n, None), n_total=after.n, **basis.r_notes,
    )  # fmt: skip


def _romc_percent(basis: Basis) -> Estimate:
    own = basis.percent[0]
    if own is None or own.mean is None:
        raise RefusalError("no percent change")
    found = mean_change_of(basis, percent=True)
    if not found.n or found.n < 2:
        raise RefusalError("n of the percent change is not printed")
    value, variance = percent_to_log(found.mean, found.se * math.sqrt(found.n), found.n)
    return Estimate(
        value, variance, "ROMC", ("PCT", *found.codes), found.flags | {"PCT"}, found.cells,
        n=(found.n, None), n_total=found.n, **means(basis, "pct_change"),
    )  # fmt: skip


def _romc_difference(basis: Basis) -> Estimate:
    found = mean_change_of(basis, percent=True)
    if found.mean <= -100:
        raise RefusalError("a percent change of -100 or less has no log ratio")
    return Estimate(
        math.log1p(found.mean / 100), (found.se / 100) ** 2, "ROMC", ("PCT", *found.codes),
        found.flags | {"PCT"}, found.cells, n=(found.n, None), n_total=found.n,
        **means(basis, "pct_change"),
    )  # fmt: skip


def _romc_base(basis: Basis) -> Estimate:
    comparison = basis.comparison
    analyte = basis.config.analyte(comparison.outcome, comparison.analyte)
    if analyte is None or not analyte.baseline_mean:
        raise RefusalError("a change in the unit of a marker gives no ratio without levels")
    found = _mc_paired(basis)
    return over_baseline_mean(basis, replace(found, method="ROMC"))


RUNGS: dict[str, tuple[tuple[str, Rung], ...]] = {
    "SMD": (("SMCR", smcr),),
    "MD": (("MC", mc),),
    "ROM": (("ROMC", romc),),
}
LEVELS: dict[str, Rung] = {"SMD": _over_baseline, "MD": _mc_levels, "ROM": _romc_levels}
"""The ways that a borrowed SD can serve."""
