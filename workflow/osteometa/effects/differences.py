"""The ladders of the mean difference (MD) and the log ratio of means (ROM).

Formulas and codes: docs/methods, M3.7 and M3.8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from osteometa.comparisons.reported_tests import PrintedTest
from osteometa.comparisons.summaries import Cell, Summary
from osteometa.effects.basis import (
    Basis,
    Estimate,
    RefusalError,
    after_scores,
    arms,
    both,
    change_variance,
    gathered,
    mean_change,
    means,
    unit_factor,
    with_sd,
)
from osteometa.effects.formulas import change_variance as variance_of_change
from osteometa.effects.formulas import lajeunesse, md, rom

GEARY_LIMIT = 3.0
"""A log ratio wants mean * sqrt(n) / SD of at least this in each arm."""


def md_adjusted(basis: Basis) -> Estimate:
    """ADJ: a baseline-adjusted difference with its own SE."""
    test = _difference(basis, adjusted=True, percent=False)
    return _from_difference(basis, test, "ADJ")


def md_pre_post(basis: Basis) -> Estimate:
    """PPC: difference of mean changes, from levels before and after."""
    before, changes, variances, used = _levels(basis)
    cells, flags, codes = gathered(*before, *used)
    rests = {} if all(with_sd(change) for change in basis.change) else basis.r_notes
    return Estimate(
        changes[0] - changes[1], sum(variances), "PPC", codes,
        flags | (basis.r_flags if rests else frozenset()),
        cells + (basis.r_cells if rests else ()),
        n=(used[0].n, used[1].n), **means(basis), **rests,
    )  # fmt: skip


def _levels(
    basis: Basis,
) -> tuple[tuple[Summary, Summary], list[float], list[float], list[Summary]]:
    before = both(basis.before, "PPC")
    changes, variances, used = [], [], []
    for side in (0, 1):
        after, change = basis.after[side], basis.change[side]
        if after is None or after.mean is None:
            raise RefusalError("PPC: no level after of both arms")
        changes.append(mean_change(before[side], after, change))
        variances.append(change_variance(before[side], after, change, basis.r[side].r))
        used.append(change if with_sd(change) else after)
    return before, changes, variances, used


def md_change(basis: Basis) -> Estimate:
    """CHG: difference of mean changes with their SDs, or with the SE of their test (TMD)."""
    try:
        one, other = both(basis.change, "CHG")
    except RefusalError as error:
        return _md_change_by_test(basis, error)
    cells, flags, codes = gathered(one, other)
    return Estimate(
        *md(*arms(one, other)),
        "CHG",
        codes,
        flags,
        cells,
        n=(one.n, other.n),
        **means(basis),
    )


def _md_change_by_test(basis: Basis, error: RefusalError) -> Estimate:
    one, other = basis.change
    if not _means(one, other):
        raise error
    difference = one.mean - other.mean
    test = _test_of_changes(basis, difference)
    if test.difference is None or test.row.unit == "%":
        se = abs(difference / test.t)
    else:
        se = test.se * unit_factor(basis, test)
    cells, flags, _ = gathered(one, other)
    return Estimate(
        difference, se**2, "CHG", ("TMD", test.code), flags | test.flags | {"TMD"},
        cells + test.cells, n=(test.n_exercise, test.n_control), n_total=test.row.n_total,
        **means(basis),
    )  # fmt: skip


def md_difference(basis: Basis) -> Estimate:
    """DIF: a printed difference of changes or of levels after, with its SE."""
    test = _difference(basis, adjusted=False, percent=False)
    if test.score == "post" and all(with_sd(summary) for summary in basis.after):
        raise RefusalError("DIF: the levels after are printed themselves")
    return _from_difference(basis, test, "DIF")


def md_post(basis: Basis) -> Estimate:
    """POST: difference of levels after."""
    one, other = after_scores(basis)
    cells, flags, codes = gathered(one, other)
    return Estimate(
        *md(*arms(one, other)),
        "POST",
        codes,
        flags,
        cells,
        n=(one.n, other.n),
        **means(basis),
    )


def rom_pre_post(basis: Basis) -> Estimate:
    """PPC: difference of two log ratios after over before."""
    before = both(basis.before, "PPC")
    after = both(basis.after, "PPC")
    for summary in (*before, *after):
        geary(summary)
    ratios = [
        log_ratio(after[side], before[side], basis.r[side].r, basis.config.effects.rom_correction)
        for side in (0, 1)
    ]
    value, variance = ratios[0][0] - ratios[1][0], ratios[0][1] + ratios[1][1]
    if variance <= 0:
        raise RefusalError("PPC: SDs, n and the correlation give no positive variance")
    cells, flags, codes = gathered(*before, *after)
    return Estimate(
        value, variance, "PPC", codes, flags | basis.r_flags, cells + basis.r_cells,
        n=(after[0].n, after[1].n), **means(basis), **basis.r_notes,
    )  # fmt: skip


def log_ratio(upper: Summary, lower: Summary, r: float, corrected: bool) -> tuple[float, float]:
    """Return the log ratio of two means of the same people and its variance (ROMC).

    Corrected: with what Lajeunesse (2015) adds for the bias of each log mean.
    """
    variance = variance_of_change(
        lower.sd, lower.n, upper.sd, upper.n, r, lower.mean, upper.mean
    )  # fmt: skip
    parts = (s.sd**2 / (s.n * s.mean**2) for s in (upper, lower))
    more = lajeunesse(*parts) if corrected else (0.0, 0.0)
    return math.log(upper.mean / lower.mean) + more[0], variance + more[1]


def percent_to_log(percent: float, sd: float, n: int) -> tuple[float, float]:
    """Return the log ratio and its variance from a mean percent change.

    The mean of per-person percentages overstates the ratio: half the squared log SD comes off.
    """
    ratio = 1 + percent / 100
    if ratio <= 0:
        raise RefusalError("PCT: a percent change of -100 or less has no log ratio")
    c2 = math.log1p((sd / 100) ** 2 / ratio**2)
    return math.log(ratio) - c2 / 2, c2 / n


def rom_percent(basis: Basis) -> Estimate:
    """CHG: difference of two log ratios, each from an arm's percent change (PCT)."""
    one, other = basis.percent
    if not _means(one, other):
        raise RefusalError("CHG: no percent changes of both arms")
    codes: tuple[str, ...] = ("PCT",)
    cells, flags, sd_codes = gathered(one, other)
    flags |= {"PCT"}
    if one.sd is None or other.sd is None or not one.n or not other.n:
        one, other, test = _percent_by_test(basis, one, other)
        codes, flags = ("PCT", "TMD", test.code), flags | test.flags | {"TMD"}
        cells += test.cells
    (y1, v1), (y2, v2) = (percent_to_log(s.mean, s.sd, s.n) for s in (one, other))
    return Estimate(
        y1 - y2, v1 + v2, "CHG", (*codes, *sd_codes), flags, cells, n=(one.n, other.n),
        **means(basis, "pct_change"),
    )  # fmt: skip


def _percent_by_test(
    basis: Basis, one: Summary, other: Summary
) -> tuple[Summary, Summary, PrintedTest]:
    difference = one.mean - other.mean
    test = _test_of_changes(basis, difference)
    n_e, n_c = test.n_exercise, test.n_control
    if not n_e or not n_c:
        raise RefusalError("CHG: n per arm is not printed, which an arm's log ratio needs")
    se = test.se if test.difference is not None and test.row.unit == "%" else None
    if se is None:
        se = abs(difference / test.t)
    sd = se / math.sqrt(1 / n_e + 1 / n_c)
    return replace(one, sd=sd, n=n_e), replace(other, sd=sd, n=n_c), test


def rom_percent_difference(basis: Basis) -> Estimate:
    """DIF: a printed difference of percent changes, ln(1 + D/100) with SE/100 (PCT)."""
    try:
        test = _difference(basis, adjusted=None, percent=True)
        value, se, cells, flags = test.difference, test.se, test.cells, test.flags
    except RefusalError:
        one, other = basis.percent
        if not _means(one, other):
            raise
        # n per arm unknown: the difference of the printed changes, by an exact p and total n.
        value = one.mean - other.mean
        test = _test_of_changes(basis, value)
        se = abs(value / test.t)
        cells, flags, _ = gathered(one, other)
        cells, flags = cells + test.cells, flags | test.flags | {"TMD"}
    if value <= -100:
        raise RefusalError("PCT: a difference of -100 % or less has no log ratio")
    return Estimate(
        math.log1p(value / 100), (se / 100) ** 2, "DIF", ("PCT", test.code), flags | {"PCT"},
        cells, n=(test.n_exercise, test.n_control), n_total=test.row.n_total,
        **means(basis, "pct_change"),
    )  # fmt: skip


def rom_from_md(basis: Basis) -> Estimate:
    """Bring a change or difference in g/cm2 to a ratio by a baseline mean.

    ln(1 + D/m0), v = (SE/(m0 + D))^2, with the trial's own baseline mean where it prints one, else
    the fixed one of config.yaml (flag BASE).
    """
    estimate = next(
        (
            found
            for rung in (md_adjusted, md_change, md_difference)
            if (found := _tried(rung, basis))
        ),
        None,
    )
    if estimate is None:
        raise RefusalError("BASE: no difference of changes with its SE")
    comparison = basis.comparison
    analyte = basis.config.analyte(comparison.outcome, comparison.analyte)
    if analyte is None or not analyte.baseline_mean:
        raise RefusalError("BASE: no baseline mean is declared for this analyte")
    if all(with_sd(summary) for summary in basis.after):
        raise RefusalError("BASE: levels after are printed")
    return over_baseline_mean(basis, estimate)


def rom_post(basis: Basis) -> Estimate:
    """POST: log ratio of levels after."""
    one, other = after_scores(basis)
    for summary in (one, other):
        geary(summary)
    cells, flags, codes = gathered(one, other)
    value, variance = rom(*arms(one, other), corrected=basis.config.effects.rom_correction)
    return Estimate(
        value, variance, "POST", codes, flags, cells, n=(one.n, other.n), **means(basis)
    )


def rom_logs(basis: Basis) -> Estimate:
    """LOG: difference of mean logarithms, so ln(GMT/GMC) of geometric means, v from the log SDs.

    With logarithms before too, the difference of the changes, as PPC of levels.
    """
    one, other = both(basis.logs, "LOG")
    if not all(with_sd(summary) for summary in basis.log_baselines):
        cells, flags, codes = gathered(one, other)
        return Estimate(*md(*arms(one, other)), "LOG", codes, flags, cells, n=(one.n, other.n))
    before = both(basis.log_baselines, "LOG")
    variance = sum(
        change_variance(b, a, None, r.r)
        for b, a, r in zip(before, (one, other), basis.r, strict=True)
    )
    cells, flags, codes = gathered(*before, one, other)
    return Estimate(
        (one.mean - before[0].mean) - (other.mean - before[1].mean), variance, "LOG", codes,
        flags | basis.r_flags, cells + basis.r_cells, n=(one.n, other.n), **basis.r_notes,
    )  # fmt: skip


MD_RUNGS: tuple[tuple[str, Callable[[Basis], Estimate]], ...] = (
    ("ADJ", md_adjusted),
    ("PPC", md_pre_post),
    ("CHG", md_change),
    ("DIF", md_difference),
    ("POST", md_post),
)
ROM_RUNGS: tuple[tuple[str, Callable[[Basis], Estimate]], ...] = (
    ("PPC", rom_pre_post),
    ("CHG", rom_percent),
    ("DIF", rom_percent_difference),
    ("BASE", rom_from_md),
    ("POST", rom_post),
    ("LOG", rom_logs),
)


def _tried(rung: Callable[[Basis], Estimate], basis: Basis) -> Estimate | None:
    try:
        return rung(basis)
    except RefusalError:
        return None


def _difference(basis: Basis, *, adjusted: bool | None, percent: bool) -> PrintedTest:
    for test in basis.tests:
        fits = adjusted is None or (test.adjusted == "yes") == adjusted
        if fits and test.difference is not None and test.se and (test.row.unit == "%") == percent:
            return test
    kind = "difference in %" if percent else "difference in the unit of the levels"
    raise RefusalError(f"no printed {kind} with SE, CI, t or exact p")


def _from_difference(basis: Basis, test: PrintedTest, rung: str) -> Estimate:
    factor = unit_factor(basis, test)
    return Estimate(
        test.difference * factor, (test.se * factor) ** 2, rung, (test.code,), test.flags,
        test.cells, n=(test.n_exercise, test.n_control), n_total=test.row.n_total, **means(basis),
    )  # fmt: skip


def _test_of_changes(basis: Basis, difference: float) -> PrintedTest:
    """Return the best printed test of two arms' changes, without a difference of its own unit."""
    if difference == 0:
        raise RefusalError("CHG: the printed changes are equal, so their test gives no SE")
    for test in basis.tests:
        if test.adjusted != "yes" and test.score == "change" and test.t:
            return test
    raise RefusalError("CHG: no SD of change, and no exact p, t or CI of the difference")


def baseline_mean(basis: Basis) -> tuple[float, tuple[Cell, ...], frozenset[str]]:
    """Return the mean before exercise: the trial's own, else that of config.yaml (flag BASE).

    Raises
    ------
    RefusalError
        If there is neither.
    """
    own = [s for s in basis.before if s is not None and s.mean is not None]
    if own:
        weights = [s.n or 1 for s in own]
        mean = sum(w * s.mean for w, s in zip(weights, own, strict=True)) / sum(weights)
        return mean, tuple(s.cells[0] for s in own), frozenset()
    place = basis.comparison
    analyte = basis.config.analyte(place.outcome, place.analyte)
    if analyte is None or place.site not in analyte.baseline_mean:
        raise RefusalError("BASE: no baseline mean is printed, and config.yaml has none")
    return analyte.baseline_mean[place.site], (), frozenset({"BASE"})


def over_baseline_mean(basis: Basis, estimate: Estimate) -> Estimate:
    """Bring a difference D to a log ratio: ln(1 + D/m0), v = (SE/(m0 + D))^2.

    Raises
    ------
    RefusalError
        If there is no baseline mean, or D would take it below 0.
    """
    m0, cells, flags = baseline_mean(basis)
    if m0 + estimate.yi <= 0:
        raise RefusalError("BASE: the difference exceeds the baseline mean")
    return replace(
        estimate,
        yi=math.log1p(estimate.yi / m0),
        vi=estimate.vi / (m0 + estimate.yi) ** 2,
        codes=(*estimate.codes, "BASE") if flags else estimate.codes,
        flags=estimate.flags | flags,
        cells=estimate.cells + cells,
    )


def geary(summary: Summary) -> None:
    """Refuse a log ratio where a mean is too near 0 for its SD (Geary 1930)."""
    if summary.n is None:
        raise RefusalError("n is not printed, which a log ratio needs")
    if summary.mean <= 0 or summary.mean * math.sqrt(summary.n) / summary.sd < GEARY_LIMIT:
        raise RefusalError("the mean is too near 0 for its SD: no log ratio")


def _means(one: Summary | None, other: Summary | None) -> bool:
    return all(s is not None and s.mean is not None for s in (one, other))
