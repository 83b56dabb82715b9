"""Methods of the mean difference (MD) and the log ratio of means (ROM) of two arms (M3.7, M3.8)."""

import math
from dataclasses import replace

from osteometa.comparisons.reported_tests import ReportedDifference, ReportedTest
from osteometa.comparisons.summaries import Codes, CompleteSummary, has_sd, means_of
from osteometa.effects.basis import (
    Basis,
    Derive,
    Estimate,
    MeansBeside,
    Methods,
    after_scores,
    estimate_from,
    means_beside,
    of_difference,
    unit_factor,
    with_r,
)
from osteometa.effects.formulas import md, rom
from osteometa.effects.inputs import (
    NotDerivableError,
    all_with_sd,
    arms,
    both,
    change_variance,
    gathered,
    mean_change,
    tmd_sd,
)
from osteometa.effects.ratios import (
    geary,
    has_ratios_of_changes,
    log_ratio,
    over_baseline_mean,
    percent_to_log,
    reported_ratio,
)
from osteometa.effects.worked import Worked, arms_of, change_of, log_ratio_of, percents_of
from osteometa.wording.vocabulary import DerivationMethod, Flag, MeansKind, Provenance

ADJ, PPC, CHG = DerivationMethod.ADJ, DerivationMethod.PPC, DerivationMethod.CHG
DIF, POST, LOG = DerivationMethod.DIF, DerivationMethod.POST, DerivationMethod.LOG


def md_adjusted(basis: Basis) -> Estimate:
    """ADJ: a baseline-adjusted difference with its own SE."""
    for test in basis.differences(percent=False):
        if test.adjusted == "yes":
            return of_difference(basis, test, ADJ, test.row.n_total)
    raise NotDerivableError(_no_difference(percent=False))


def md_pre_post(basis: Basis) -> Estimate:
    """PPC: difference of mean changes, from levels before and after."""
    before = both(basis.before, "PPC", "before")
    changes, variances, used, worked = [], [], [], Worked()
    for side, start in enumerate(before):
        after, change = basis.after[side], basis.comparison.change[side]
        if after is None or after.mean is None:
            raise NotDerivableError("PPC: no level after of both arms")
        changes.append(mean_change(start, after, change))
        variances.append(change_variance(start, after, change, basis.r[side].r))
        worked += change_of("TC"[side], start, after, change, basis.r[side].r)
        used.append(change if change is not None and has_sd(change) else after)
    effect = changes[0] - changes[1], sum(variances)
    n = used[0].n, used[1].n
    worked = worked.then("yi = dT - dC", "vi = vT + vC")
    estimate = estimate_from(basis, PPC, effect, [*before, *used], n, worked=worked)
    return estimate if all_with_sd(basis.comparison.change) else with_r(estimate, basis)


def md_change(basis: Basis) -> Estimate:
    """CHG: difference of mean changes with their SDs, or with the SE of their test (TMD)."""
    try:
        one, other = both(basis.comparison.change, "CHG", "of the change")
    except NotDerivableError:
        means = means_of(basis.comparison.change)
        if means is None:
            raise
        return _md_change_by_test(basis, means[0] - means[1])
    return _of_two_arms(basis, CHG, one, other)


def _of_two_arms(
    basis: Basis, method: DerivationMethod, one: CompleteSummary, other: CompleteSummary
) -> Estimate:
    effect = md(*arms(one, other))
    worked = Worked(arms_of("", one, other)).then("yi = mT - mC", "vi = sT**2 / nT + sC**2 / nC")
    return estimate_from(basis, method, effect, [one, other], (one.n, other.n), worked=worked)


def _md_change_by_test(basis: Basis, difference: float) -> Estimate:
    test = _test_of_changes(basis, difference)
    one, other = means_of(basis.comparison.change) or (difference, 0.0)
    worked = Worked().then("yi = mT - mC", mT=one, mC=other)
    if isinstance(test, ReportedDifference) and not test.percent:
        se = test.se * unit_factor(basis, test)
        worked = worked.then("vi = SE**2", SE=se)
    else:
        se = abs(difference / test.t)
        worked = worked.then("vi = (yi / t)**2", t=test.t)
    cells, flags, _ = gathered(*basis.comparison.change)
    return Estimate(
        yi=difference, vi=se**2, method=CHG, worked=worked, codes=(Provenance.TMD, test.code),
        flags=flags | test.flags | {Flag.TEST_SD}, cells=cells + test.cells,
        n=(test.n_exercise, test.n_control), n_total=test.row.n_total, means=means_beside(basis),
    )  # fmt: skip


def md_difference(basis: Basis) -> Estimate:
    """DIF: a reported difference of changes or of levels after, with its SE."""
    test = next((t for t in basis.differences(percent=False) if t.adjusted != "yes"), None)
    if test is None:
        raise NotDerivableError(_no_difference(percent=False))
    if test.score == "post" and all_with_sd(basis.after):
        raise NotDerivableError("DIF: the levels after are reported themselves")
    return of_difference(basis, test, DIF, test.row.n_total)


def md_post(basis: Basis) -> Estimate:
    """POST: difference of levels after."""
    return _of_two_arms(basis, POST, *after_scores(basis))


def rom_pre_post(basis: Basis) -> Estimate:
    """PPC: difference of two log ratios after over before."""
    before = both(basis.before, "PPC", "before")
    after = both(basis.after, "PPC", "after")
    for summary in (*before, *after):
        geary(summary)
    corrected = basis.config.effects.rom_correction
    (y1, v1), (y2, v2) = (
        log_ratio(end, start, r.r, corrected)
        for end, start, r in zip(after, before, basis.r, strict=True)
    )
    if v1 + v2 <= 0:
        raise NotDerivableError("PPC: SDs, n and the correlation give no positive variance")
    n = after[0].n, after[1].n
    worked = Worked().then("yi = yT - yC", "vi = vT + vC")
    for arm, start, end, r in zip("CT", before[::-1], after[::-1], basis.r[::-1], strict=True):
        worked = log_ratio_of(arm, start, end, r.r, corrected=corrected) + worked
    estimate = estimate_from(basis, PPC, (y1 - y2, v1 + v2), [*before, *after], n, worked=worked)
    return with_r(estimate, basis)


def rom_percent(basis: Basis) -> Estimate:
    """CHG: difference of two log ratios, each from an arm's percent change (PCT)."""
    means = means_of(basis.comparison.percent)
    if means is None:
        raise NotDerivableError("CHG: no percent changes of both arms")
    codes: Codes = (Provenance.PCT,)
    cells, flags, sd_codes = gathered(*basis.comparison.percent)
    flags |= {Flag.PERCENT}
    one, other = (summary and summary.complete() for summary in basis.comparison.percent)
    if one is None or other is None:
        one, other, test = _percents_by_test(basis, *means)
        codes = (Provenance.PCT, Provenance.TMD, test.code)
        flags |= test.flags | {Flag.TEST_SD}
        cells += test.cells
    (y1, v1), (y2, v2) = (percent_to_log(s.mean, s.sd, s.n) for s in (one, other))
    return Estimate(
        yi=y1 - y2, vi=v1 + v2, method=CHG, codes=(*codes, *sd_codes), flags=flags, cells=cells,
        worked=percents_of(one, other),
        n=(one.n, other.n), means=means_beside(basis, MeansKind.PCT_CHANGE),
    )  # fmt: skip


def _percents_by_test(
    basis: Basis, exercise: float, control: float
) -> tuple[CompleteSummary, CompleteSummary, ReportedTest]:
    """Return the percent changes of both arms with the SD that their test gives."""
    test = _test_of_changes(basis, exercise - control)
    n_e, n_c = test.n_exercise, test.n_control
    if not n_e or not n_c:
        raise NotDerivableError("CHG: n per arm is not reported, which an arm's log ratio needs")
    if isinstance(test, ReportedDifference) and test.percent:
        se = test.se
    else:
        se = abs((exercise - control) / test.t)
    sd = tmd_sd(se, n_e, n_c)
    return (
        CompleteSummary(exercise, sd, n_e, (), ()),
        CompleteSummary(control, sd, n_c, (), ()),
        test,
    )


def rom_difference(basis: Basis) -> Estimate:
    """DIF: a reported ratio; or a difference of percent changes, ln(1 + D/100), SE/100 (PCT)."""
    if ratio := reported_ratio(basis, DIF):
        return ratio
    test = next(iter(basis.differences(percent=True)), None)
    if test is not None:
        value, se, cells, flags = test.difference, test.se, test.cells, test.flags
    else:
        means = means_of(basis.comparison.percent)
        if means is None:
            raise NotDerivableError(_no_difference(percent=True))
        # n per arm not known: the difference of the reported changes, by an exact p and total n.
        value = means[0] - means[1]
        test = _test_of_changes(basis, value)
        se = abs(value / test.t)
        cells, flags, _ = gathered(*basis.comparison.percent)
        cells, flags = cells + test.cells, flags | test.flags | {Flag.TEST_SD}
    if value <= -100:
        raise NotDerivableError("PCT: a difference of -100 % or less has no log ratio")
    return Estimate(
        yi=math.log1p(value / 100), vi=(se / 100) ** 2, method=DIF,
        worked=Worked().then("yi = ln(1 + D / 100)", "vi = (SE / 100)**2", D=value, SE=se),
        codes=(Provenance.PCT, test.code), flags=flags | {Flag.PERCENT}, cells=cells,
        n=(test.n_exercise, test.n_control), n_total=test.row.n_total,
        means=means_beside(basis, MeansKind.PCT_CHANGE),
    )  # fmt: skip


def rom_from_md(basis: Basis) -> Estimate:
    """Convert a change or difference in the unit of the outcome to a ratio by a baseline mean.

    ln(1 + D/m0), v = (SE/(m0 + D))^2, with the trial's own baseline mean where it is reported,
    else the fixed one of config.yaml (flag BASE).
    """
    methods = (md_adjusted, md_change, md_difference)
    estimate = next((found for derive in methods if (found := _tried(derive, basis))), None)
    if estimate is None:
        raise NotDerivableError("BASE: no difference of changes with its SE")
    if not has_ratios_of_changes(basis):
        raise NotDerivableError("BASE: a change in the unit of a marker gives no ratio")
    if all_with_sd(basis.after):
        raise NotDerivableError("BASE: levels after are reported")
    return over_baseline_mean(basis, estimate)


def rom_post(basis: Basis) -> Estimate:
    """POST: log ratio of levels after."""
    one, other = after_scores(basis)
    for summary in (one, other):
        geary(summary)
    corrected = basis.config.effects.rom_correction
    effect = rom(*arms(one, other), corrected=corrected)
    y, v = (" + (a - b) / 2", " + (a**2 + b**2) / 2") if corrected else ("", "")
    worked = Worked(arms_of("", one, other)).then(
        "a = sT**2 / (nT * mT**2)", "b = sC**2 / (nC * mC**2)", f"yi = ln(mT / mC){y}",
        f"vi = a + b{v}",
    )  # fmt: skip
    return estimate_from(basis, POST, effect, [one, other], (one.n, other.n), worked=worked)


def rom_logs(basis: Basis) -> Estimate:
    """LOG: difference of mean logarithms, so ln(GMT/GMC) of geometric means, v from the log SDs.

    With logarithms before too, the difference of the changes, as PPC of levels.
    """
    one, other = both(basis.comparison.log_after, "LOG", "of logarithms after")
    if not all_with_sd(basis.comparison.log_before):
        return replace(_of_two_arms(basis, LOG, one, other), means=MeansBeside())
    before = both(basis.comparison.log_before, "LOG", "of logarithms before")
    variance = sum(
        change_variance(start, end, None, r.r)
        for start, end, r in zip(before, (one, other), basis.r, strict=True)
    )
    effect = (one.mean - before[0].mean) - (other.mean - before[1].mean), variance
    worked = Worked()
    for arm, start, end, r in zip("TC", before, (one, other), basis.r, strict=True):
        worked += change_of(arm, start, end, None, r.r)
    worked = worked.then("yi = dT - dC", "vi = vT + vC")
    estimate = estimate_from(
        basis, LOG, effect, [*before, one, other], (one.n, other.n), worked=worked
    )
    return with_r(replace(estimate, means=MeansBeside()), basis)


MD_METHODS: Methods = (
    (ADJ, md_adjusted),
    (PPC, md_pre_post),
    (CHG, md_change),
    (DIF, md_difference),
    (POST, md_post),
)
ROM_METHODS: Methods = (
    (PPC, rom_pre_post),
    (CHG, rom_percent),
    (DIF, rom_difference),
    (DerivationMethod.BASE, rom_from_md),
    (POST, rom_post),
    (LOG, rom_logs),
)


def _tried(derive: Derive, basis: Basis) -> Estimate | None:
    try:
        return derive(basis)
    except NotDerivableError:
        return None


def _no_difference(*, percent: bool) -> str:
    kind = "difference in %" if percent else "difference in the unit of the levels"
    return f"no reported {kind} with SE, CI, t or exact p"


def _test_of_changes(basis: Basis, difference: float) -> ReportedTest:
    """Return the best reported test of two arms' changes."""
    if difference == 0:
        raise NotDerivableError("CHG: the reported changes are equal, so their test gives no SE")
    for test in basis.comparison.tests:
        if test.adjusted != "yes" and test.score == "change" and test.t:
            return test
    raise NotDerivableError("CHG: no SD of change, and no exact p, t or CI of the difference")
