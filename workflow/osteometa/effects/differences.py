"""Methods of the mean difference (MD) and the log ratio of means (ROM) of two arms (M3.7, M3.8)."""

from dataclasses import replace

from osteometa.comparisons.reported_tests import ReportedDifference, ReportedTest
from osteometa.comparisons.summaries import CompleteSummary, Pair, has_sd, means_of
from osteometa.effects import ratios
from osteometa.effects.basis import Basis, Estimate, MeansBeside, Methods
from osteometa.effects.formulas import md, rom
from osteometa.effects.inputs import NotDerivableError, Two, all_with_sd, arms, both, tmd_sd
from osteometa.effects.worked import Worked, arms_of
from osteometa.wording.vocabulary import DerivationMethod, Flag, MeansKind

ADJ, PPC, CHG = DerivationMethod.ADJ, DerivationMethod.PPC, DerivationMethod.CHG
DIF, POST, LOG = DerivationMethod.DIF, DerivationMethod.POST, DerivationMethod.LOG
NO_DIFFERENCE = "no reported difference {} with SE, CI, t or exact p"


def md_adjusted(basis: Basis) -> Estimate:
    """ADJ: a baseline-adjusted difference with its own SE."""
    test = next((t for t in basis.differences(percent=False) if t.adjusted == "yes"), None)
    if test is None:
        raise NotDerivableError(NO_DIFFERENCE.format("in the unit of the levels"))
    return basis.of_difference(test, ADJ, test.row.n_total)


def md_pre_post(basis: Basis) -> Estimate:
    """PPC: difference of mean changes, from levels before and after."""
    before = both(basis.before, "PPC", "before")
    return _of_changes(basis, PPC, before, basis.after, basis.comparison.change)


def _of_changes(
    basis: Basis, method: DerivationMethod, before: Two, after: Pair, change: Pair
) -> Estimate:
    (d_e, d_c), variances, worked = basis.changes_of(before, after, change, by_levels=True)
    used = [own if has_sd(own) else end for own, end in zip(change, after, strict=True)]
    n_e, n_c = (summary.n if summary else None for summary in used)
    worked = worked.then("yi = dT - dC", "vi = vT + vC")
    effect = d_e - d_c, sum(variances)
    estimate = basis.estimate_from(method, effect, [*before, *used], (n_e, n_c), worked=worked)
    return estimate if all_with_sd(change) else basis.with_r(estimate)


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
    return basis.estimate_from(method, effect, [one, other], (one.n, other.n), worked=worked)


def _md_change_by_test(basis: Basis, difference: float) -> Estimate:
    test = _test_of_changes(basis, difference)
    one, other = means_of(basis.comparison.change) or (difference, 0.0)
    worked = Worked().then("yi = mT - mC", mT=one, mC=other)
    if isinstance(test, ReportedDifference) and not test.percent:
        se = test.se * basis.unit_factor(test)
        worked = worked.then("vi = SE**2", SE=se)
    else:
        se = abs(difference / test.t)
        worked = worked.then("vi = (yi / t)**2", t=test.t)
    effect, n = (difference, se**2), (test.n_exercise, test.n_control)
    estimate = basis.estimate_from(CHG, effect, basis.comparison.change, n, worked=worked)
    estimate = replace(estimate, codes=(), n_total=test.row.n_total)
    return estimate.with_test(test, gives_sd=True)


def md_difference(basis: Basis) -> Estimate:
    """DIF: a reported difference of changes or of levels after, with its SE."""
    test = next((t for t in basis.differences(percent=False) if t.adjusted != "yes"), None)
    if test is None:
        raise NotDerivableError(NO_DIFFERENCE.format("in the unit of the levels"))
    if test.score == "post" and all_with_sd(basis.after):
        raise NotDerivableError("DIF: the levels after are reported themselves")
    return basis.of_difference(test, DIF, test.row.n_total)


def md_post(basis: Basis) -> Estimate:
    """POST: difference of levels after."""
    return _of_two_arms(basis, POST, *basis.after_scores())


def rom_pre_post(basis: Basis) -> Estimate:
    """PPC: difference of two log ratios after over before."""
    before = both(basis.before, "PPC", "before")
    after = both(basis.after, "PPC", "after")
    for summary in (*before, *after):
        ratios.geary(summary)
    ((y1, v1), one), ((y2, v2), other) = (
        ratios.log_ratio(basis, start, end, r.r, arm)
        for start, end, r, arm in zip(before, after, basis.r, "TC", strict=True)
    )
    if v1 + v2 <= 0:
        raise NotDerivableError("PPC: SDs, n and the correlation give no positive variance")
    n, worked = (after[0].n, after[1].n), (one + other).then("yi = yT - yC", "vi = vT + vC")
    estimate = basis.estimate_from(PPC, (y1 - y2, v1 + v2), [*before, *after], n, worked=worked)
    return basis.with_r(estimate)


def rom_percent(basis: Basis) -> Estimate:
    """CHG: difference of two log ratios, each from an arm's percent change (PCT)."""
    means = means_of(basis.comparison.percent)
    if means is None:
        raise NotDerivableError("CHG: no percent changes of both arms")
    test = None
    one, other = (summary and summary.complete() for summary in basis.comparison.percent)
    if one is None or other is None:
        one, other, test = _percents_by_test(basis, *means)
    effect, worked = ratios.difference_of_percents(one, other)
    n, kind = (one.n, other.n), MeansKind.PCT_CHANGE
    estimate = basis.estimate_from(CHG, effect, basis.comparison.percent, n, kind, worked=worked)
    return (estimate if test is None else estimate.with_test(test, gives_sd=True)).from_percent()


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
    one, other = (
        CompleteSummary(exercise, sd, n_e, (), ()),
        CompleteSummary(control, sd, n_c, (), ()),
    )
    return one, other, test


def rom_difference(basis: Basis) -> Estimate:
    """DIF: a reported ratio; or a difference of percent changes, ln(1 + D/100), SE/100 (PCT)."""
    if ratio := ratios.reported_ratio(basis, DIF):
        return ratio
    test = next(iter(basis.differences(percent=True)), None)
    if test is not None:
        value, se, changes = test.difference, test.se, ()
    else:
        changes = basis.comparison.percent
        means = means_of(changes)
        if means is None:
            raise NotDerivableError(NO_DIFFERENCE.format("in %"))
        # n per arm not known: the difference of the reported changes, by an exact p and total n.
        value = means[0] - means[1]
        test = _test_of_changes(basis, value)
        se = abs(value / test.t)
    if value <= -100:
        raise NotDerivableError("PCT: a difference of -100 % or less has no log ratio")
    effect, worked = ratios.percent_difference(value, se)
    n, kind = (test.n_exercise, test.n_control), MeansKind.PCT_CHANGE
    estimate = basis.estimate_from(DIF, effect, changes, n, kind, worked=worked)
    flags = estimate.flags | ({Flag.TEST_SD} if changes else set())
    estimate = replace(estimate, codes=(), flags=flags, n_total=test.row.n_total)
    return estimate.with_test(test).from_percent()


def rom_from_md(basis: Basis) -> Estimate:
    """Convert a change or difference in the unit of the outcome to a ratio by a baseline mean.

    ln(1 + D/m0), v = (SE/(m0 + D))^2, with the trial's own baseline mean where it is reported,
    else the fixed one of config.yaml (flag BASE).
    """
    try:
        estimate = basis.first_of((md_adjusted, md_change, md_difference), "BASE")
    except NotDerivableError:
        raise NotDerivableError("BASE: no difference of changes with its SE") from None
    if not ratios.has_ratios_of_changes(basis):
        raise NotDerivableError("BASE: a change in the unit of a marker gives no ratio")
    if all_with_sd(basis.after):
        raise NotDerivableError("BASE: levels after are reported")
    return ratios.over_baseline_mean(basis, estimate)


def rom_post(basis: Basis) -> Estimate:
    """POST: log ratio of levels after."""
    one, other = basis.after_scores()
    for summary in (one, other):
        ratios.geary(summary)
    corrected = basis.config.effects.rom_correction
    effect = rom(*arms(one, other), corrected=corrected)
    y, v = (" + (a - b) / 2", " + (a**2 + b**2) / 2") if corrected else ("", "")
    worked = Worked(arms_of("", one, other)).then(
        "a = sT**2 / (nT * mT**2)", "b = sC**2 / (nC * mC**2)", f"yi = ln(mT / mC){y}",
        f"vi = a + b{v}",
    )  # fmt: skip
    return basis.estimate_from(POST, effect, [one, other], (one.n, other.n), worked=worked)


def rom_logs(basis: Basis) -> Estimate:
    """LOG: difference of mean logarithms, so ln(GMT/GMC) of geometric means, v from the log SDs.

    With logarithms before too, the difference of the changes, as PPC of levels.
    """
    one, other = both(basis.comparison.log_after, "LOG", "of logarithms after")
    if not all_with_sd(basis.comparison.log_before):
        return replace(_of_two_arms(basis, LOG, one, other), means=MeansBeside())
    before = both(basis.comparison.log_before, "LOG", "of logarithms before")
    estimate = _of_changes(basis, LOG, before, (one, other), (None, None))
    return replace(estimate, means=MeansBeside())


MD_METHODS: Methods = (
    (ADJ, md_adjusted), (PPC, md_pre_post), (CHG, md_change), (DIF, md_difference), (POST, md_post),
)  # fmt: skip
ROM_METHODS: Methods = (
    (PPC, rom_pre_post), (CHG, rom_percent), (DIF, rom_difference),
    (DerivationMethod.BASE, rom_from_md), (POST, rom_post), (LOG, rom_logs),
)  # fmt: skip


def _test_of_changes(basis: Basis, difference: float) -> ReportedTest:
    """Return the best reported test of two arms' changes."""
    if difference == 0:
        raise NotDerivableError("CHG: the reported changes are equal, so their test gives no SE")
    for test in basis.comparison.tests:
        if test.adjusted != "yes" and test.score == "change" and test.t:
            return test
    raise NotDerivableError("CHG: no SD of change, and no exact p, t or CI of the difference")
