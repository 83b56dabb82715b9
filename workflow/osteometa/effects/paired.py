"""Crossover trials, and limbs of one person: both conditions are the same participants.

Paired statistics go first; without them a correlation of the conditions is assumed
and flagged. Participants count once, so n is in `n_exercise` and in `n_total` alone.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from osteometa.comparisons.correlations import Correlation
from osteometa.comparisons.reported_tests import ReportedTest
from osteometa.comparisons.summaries import CompleteSummary, Pair, Summary, SummaryWithSd, means_of
from osteometa.effects import ratios
from osteometa.effects.basis import (
    UNCORRELATED,
    Basis,
    Derive,
    Estimate,
    MeansBeside,
    Methods,
    UsedCorrelation,
)
from osteometa.effects.formulas import Effect, change_variance
from osteometa.effects.inputs import NotDerivableError, all_with_sd, small_sample
from osteometa.effects.worked import Worked, arms_of
from osteometa.wording.vocabulary import CorrelationSource, DerivationMethod, Flag, MeansKind

SMCR, MC, ROMC = DerivationMethod.SMCR, DerivationMethod.MC, DerivationMethod.ROMC
DIF, CHG, LOG = DerivationMethod.DIF, DerivationMethod.CHG, DerivationMethod.LOG
Levels = tuple[SummaryWithSd, SummaryWithSd, int]
"""Both conditions and their participants."""


def conditions(pair: Pair, method: DerivationMethod) -> Levels:
    """Return both conditions with mean and SD, and n; NotDerivableError if one is not reported."""
    known = []
    for side, summary in zip(("exercise", "control"), pair, strict=True):
        if summary is None or summary.mean is None:
            raise NotDerivableError(f"{method}: no mean of the {side} condition")
        found = summary.with_sd()
        if found is None:
            raise NotDerivableError(f"{method}: no SD of the {side} condition")
        known.append(found)
    sizes = [s.n for s in known if s.n]
    if not sizes or min(sizes) < 2:
        raise NotDerivableError(f"{method}: n is not reported")
    return known[0], known[1], min(sizes)


def correlation(basis: Basis, one: SummaryWithSd, other: SummaryWithSd, n: int) -> Correlation:
    """Return the correlation of levels after: reported, from their paired test, else assumed."""
    found = basis.between
    if not found.imputed:
        return found
    difference = one.mean - other.mean
    for test in basis.comparison.tests:
        if test.score == "post" and test.t and test.adjusted != "yes" and difference:
            square = (difference / test.t) ** 2 * n
            r = (one.sd**2 + other.sd**2 - square) / (2 * one.sd * other.sd)
            if -1 < r < 1:
                cells = one.cells + other.cells + test.cells
                return Correlation(r, CorrelationSource.PAIRED_TEST, cells)
    return found


def _with(estimate: Estimate, found: Correlation) -> Estimate:
    """Return an estimate that depends on the correlation of the two conditions."""
    flags = estimate.flags | ({Flag.R_IMPUTED} if found.imputed else set())
    used = UsedCorrelation(found.r, (found.source,))
    return replace(estimate, flags=flags, cells=estimate.cells + found.cells, correlation=used)


def smcr(basis: Basis) -> Estimate:
    """SMCR: difference of levels after over the root mean square of both SDs, as one group.

    J(n-1), v = 2(1-r)/n + g^2/(2n) (Becker 1988) with r that of the conditions; from a paired t of
    levels after, g = J t/sqrt(n) sqrt(2(1-r)). A comparison of changes gives none: it would need a
    second correlation.
    """
    try:
        one, other, n = conditions(basis.after, SMCR)
    except NotDerivableError as error:
        return _smcr_from_test(basis, error)
    found = correlation(basis, one, other, n)
    sd = math.sqrt((one.sd**2 + other.sd**2) / 2)
    g = small_sample(n - 1) * (one.mean - other.mean) / sd
    worked = Worked(arms_of("", one, other)).then(
        "S = sqrt((sT**2 + sC**2) / 2)", "yi = J * (mT - mC) / S", "u = 2 * (1 - r) / N", r=found.r
    )
    effect, worked = basis.standardised(g, 2 * (1 - found.r) / n, n, n - 1, worked)
    return _of_levels(basis, SMCR, effect, (one, other, n), found, worked)


def _of_levels(
    basis: Basis, method: DerivationMethod, effect: Effect, levels: Levels, found: Correlation,
    worked: Worked,
) -> Estimate:  # fmt: skip
    one, other, n = levels
    estimate = basis.estimate_from(
        method, effect, [one, other], (n, None), MeansKind.AFTER, worked=worked
    )
    return _with(estimate, found)


def _smcr_from_test(basis: Basis, error: NotDerivableError) -> Estimate:
    for test in basis.comparison.tests:
        n = test.n_exercise
        if test.score != "post" or test.adjusted == "yes" or not test.t or not n or n < 3:
            continue
        sign, sign_cells = basis.sign(test)
        found = basis.between
        g = small_sample(n - 1) * sign * test.t / math.sqrt(n) * math.sqrt(2 * (1 - found.r))
        lines = "yi = J * t / sqrt(N) * sqrt(2 * (1 - r))", "u = 2 * (1 - r) / N"
        worked = Worked().then(*lines, r=found.r, t=sign * test.t)
        effect, worked = basis.standardised(g, 2 * (1 - found.r) / n, n, n - 1, worked)
        estimate = basis.estimate_from(SMCR, effect, [], (n, None), MeansKind.AFTER, worked=worked)
        return _with(estimate.with_test(test, more=sign_cells), found)
    raise NotDerivableError(
        f"{error}; no paired t or exact p of levels after (one of changes gives no SMD: it would "
        "need a second correlation)"
    )


def difference(basis: Basis, *, percent: bool) -> Estimate:
    """DIF: the paired difference with its SE, CI, t or exact p (n - 1 degrees of freedom).

    As reported, else that of the reported means, whose test gives SE = |D| / |t|.
    """
    for test in basis.differences(percent=percent):
        return basis.of_difference(test, DIF, test.n_exercise)
    for test in basis.bare_tests():
        value, summaries = _difference_of_means(basis, test, percent)
        if value == 0:
            raise NotDerivableError("DIF: the reported means are equal, so their test gives no SE")
        effect, n = (value, (value / test.t) ** 2), (test.n_exercise, None)
        worked = Worked().then("yi = D", "vi = (D / t)**2", D=value, t=test.t)
        estimate = basis.estimate_from(DIF, effect, summaries, n, worked=worked)
        return replace(estimate, codes=()).with_test(test)
    kind = "in %" if percent else "in the unit of the levels"
    raise NotDerivableError(f"DIF: no paired difference {kind} with SE, CI, t or exact p")


def _difference_of_means(
    basis: Basis, test: ReportedTest, percent: bool
) -> tuple[float, Sequence[Summary | None]]:
    """Return the difference of the means that a bare test compares, and where they are from."""
    if test.adjusted == "yes":
        raise NotDerivableError("DIF: the test is adjusted, the reported means are not")
    before, after = means_of(basis.before), means_of(basis.after)
    changes = test.score == "change"
    if test.score == "not_stated":
        if before is not None and after is not None:
            raise NotDerivableError("DIF: not reported whether the test compares changes or levels")
        changes = after is None
    if percent and not changes:
        raise NotDerivableError("DIF: the test compares levels, not percent changes")
    pair = (
        basis.comparison.percent if percent else basis.comparison.change if changes else basis.after
    )
    means = means_of(pair)
    if means is not None:
        return means[0] - means[1], pair
    if changes and not percent and before is not None and after is not None:
        difference = (after[0] - before[0]) - (after[1] - before[1])
        return difference, (*basis.before, *basis.after)
    raise NotDerivableError("DIF: the means that the test compares are not reported in this unit")


def md_difference(basis: Basis) -> Estimate:
    """DIF: paired difference in the unit of the levels."""
    return difference(basis, percent=False)


def md_levels(basis: Basis) -> Estimate:
    """MC: difference of levels after, v = (sT^2 + sC^2 - 2 r sT sC)/n."""
    levels = conditions(basis.after, MC)
    return _difference(basis, MC, levels, correlation(basis, *levels))


def _difference(
    basis: Basis, method: DerivationMethod, levels: Levels, found: Correlation
) -> Estimate:
    """Return the difference of two conditions of the same participants, with its variance by r."""
    one, other, n = levels
    effect = one.mean - other.mean, change_variance(other.sd, n, one.sd, n, found.r)
    lines = "yi = mT - mC", "vi = sT**2 / N + sC**2 / N - 2 * r * sC * sT / N"
    worked = Worked(arms_of("", one, other)).then(*lines, N=n, r=found.r)
    return _of_levels(basis, method, effect, levels, found, worked)


def md_changes(basis: Basis) -> Estimate:
    """CHG: difference of changes with their SDs, v = (sT^2 + sC^2)/n.

    If any two levels of a person correlate alike, the changes of two conditions do not correlate at
    all, so no other correlation can be assumed for them; flag RIMP.
    """
    one, other, n = conditions(basis.comparison.change, CHG)
    effect = one.mean - other.mean, (one.sd**2 + other.sd**2) / n
    worked = Worked(arms_of("", one, other)).then("yi = mT - mC", "vi = (sT**2 + sC**2) / N", N=n)
    return _uncorrelated(basis.estimate_from(CHG, effect, [one, other], (n, None), worked=worked))


def _uncorrelated(estimate: Estimate) -> Estimate:
    flags = estimate.flags | {Flag.R_IMPUTED}
    return replace(estimate, flags=flags, correlation=UNCORRELATED)


def rom_difference(basis: Basis) -> Estimate:
    """DIF: a reported ratio; or a paired difference of percent changes, as of two arms (PCT)."""
    if ratio := ratios.reported_ratio(basis, DIF):
        return ratio
    found = difference(basis, percent=True)
    if found.yi <= -100:
        raise NotDerivableError("DIF: a percent difference of -100 or less has no log ratio")
    return replace(
        found, yi=math.log1p(found.yi / 100), vi=found.vi / 100**2,
        worked=found.worked.converted("yi = ln(1 + D / 100)", "vi = V / 100**2"),
        means=basis.means_beside(MeansKind.PCT_CHANGE),
    ).from_percent()  # fmt: skip


def rom_base(basis: Basis) -> Estimate:
    """DIF by a baseline mean: ln(1 + D/m0), v = (SE/(m0 + D))^2."""
    if all_with_sd(basis.after):
        raise NotDerivableError("BASE: levels after are reported")
    found = md_difference(basis)
    if not ratios.has_ratios_of_changes(basis):
        raise NotDerivableError("BASE: a change in the unit of a marker gives no ratio")
    return ratios.over_baseline_mean(basis, found)


def rom_levels(basis: Basis) -> Estimate:
    """ROMC: ln(mT/mC) of levels after, v within the same participants (Lajeunesse 2011)."""
    one, other, n = conditions(basis.after, ROMC)
    for summary in (one, other):
        ratios.geary(summary)
    found = correlation(basis, one, other, n)
    # The control condition takes the place of the values before.
    effect, worked = ratios.log_ratio(basis, _of_all(other, n), _of_all(one, n), found.r)
    worked = worked.then("yi = y", "vi = v")
    return _of_levels(basis, ROMC, effect, (one, other, n), found, worked)


def _of_all(summary: SummaryWithSd, n: int) -> CompleteSummary:
    """Return a condition with the n of both."""
    mean, sd = summary.mean, summary.sd
    return CompleteSummary(mean, sd, n, summary.codes, summary.cells, summary.flags)


def rom_logs(basis: Basis) -> Estimate:
    """LOG: difference of mean logarithms of levels after."""
    levels = conditions(basis.comparison.log_after, LOG)
    return replace(_difference(basis, LOG, levels, basis.between), means=MeansBeside())


def rom_percent(basis: Basis) -> Estimate:
    """CHG: two log ratios from percent changes (PCT), uncorrelated as in CHG of MD."""
    one, other, n = conditions(basis.comparison.percent, CHG)
    effect, worked = ratios.difference_of_percents(_of_all(one, n), _of_all(other, n))
    estimate = basis.estimate_from(
        CHG, effect, [one, other], (n, None), MeansKind.PCT_CHANGE, worked=worked
    )
    return _uncorrelated(estimate.from_percent())


METHODS: dict[str, Methods] = {
    "SMD": ((SMCR, smcr),),
    "MD": ((DIF, md_difference), (MC, md_levels), (CHG, md_changes)),
    "ROM": (
        (DIF, rom_difference), (DerivationMethod.BASE, rom_base), (ROMC, rom_levels),
        (LOG, rom_logs), (CHG, rom_percent),
    ),
}  # fmt: skip
FROM_LEVELS: dict[str, tuple[Derive, ...]] = {
    "SMD": (smcr,), "MD": (md_levels,), "ROM": (rom_levels,),
}  # fmt: skip
"""Methods for which an SD may be borrowed."""
