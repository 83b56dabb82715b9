"""Methods of the standardised mean difference (Hedges' g) of two arms (docs/methods, M3.7)."""

import math
import re
from dataclasses import replace

from osteometa.comparisons.reported_tests import ReportedDifference, ReportedTest, sizes_of
from osteometa.comparisons.summaries import Cell, CompleteSummary, Flags, has_sd, row_flags
from osteometa.effects.basis import (
    Basis,
    Estimate,
    Methods,
    after_scores,
    estimate_from,
    means_beside,
    unit_factor,
    with_r,
)
from osteometa.effects.formulas import g_variance, smd, smdh
from osteometa.effects.inputs import (
    NotDerivableError,
    all_with_sd,
    arms,
    both,
    change_variance,
    gathered,
    mean_change,
    pooled_sd,
    small_sample,
)
from osteometa.effects.worked import POOLED_SD, Worked, arms_of, change_of, variance_line
from osteometa.extraction.tables import Contrast
from osteometa.numerics.distributions import half_width_to_se
from osteometa.wording.vocabulary import DerivationMethod, Flag, Provenance

UNKNOWN_FACTOR_LIMIT = 0.8
"""From this r on, a factor of 1 and the change-score factor differ too much to guess between."""
Two = tuple[CompleteSummary, CompleteSummary]


def adjusted(basis: Basis) -> Estimate:
    """ADJ: a baseline-adjusted difference over the pooled baseline SD."""
    before = both(basis.before, "ADJ", "before")
    test = _adjusted_difference(basis)
    n_e, n_c = test.n_exercise, test.n_control
    if not n_e or not n_c:
        raise NotDerivableError("ADJ: n per arm is not reported")
    s0 = pooled_sd(*before) / unit_factor(basis, test)
    m = before[0].n + before[1].n - 2
    g = small_sample(m) * test.difference / s0
    u = (small_sample(m) * test.se / s0) ** 2
    cells, flags, codes = gathered(*before)
    factor = unit_factor(basis, test)
    worked = Worked(arms_of("0", *before)).then(
        f"S0 = {POOLED_SD.format(0)}", "yi = J * D / S0", "u = (J * SE / S0)**2",
        variance_line(basis.form, scaled=True), J=small_sample(m), m=m, N=n_e + n_c,
        D=test.difference * factor, SE=test.se * factor,
    )  # fmt: skip
    return Estimate(
        yi=g, vi=g_variance(u, g, n_e + n_c, m, basis.form, scaled=True), worked=worked,
        method=DerivationMethod.ADJ, codes=(test.code, *codes), flags=flags | test.flags,
        cells=cells + test.cells, n=(n_e, n_c), means=means_beside(basis),
    )  # fmt: skip


def _adjusted_difference(basis: Basis) -> ReportedDifference:
    for test in basis.differences(percent=False):
        if test.adjusted == "yes":
            return test
    raise NotDerivableError("ADJ: no baseline-adjusted difference with SE, CI, t or exact p")


def pre_post_control(basis: Basis) -> Estimate:
    """PPC: difference of mean changes over the pooled baseline SD (Morris 2008, dppc2)."""
    before = both(basis.before, "PPC", "before")
    changes, variances, worked = [], [], Worked()
    for side, start in enumerate(before):
        after, change = basis.after[side], basis.comparison.change[side]
        if (after is None or after.mean is None) and not has_sd(change):
            raise NotDerivableError(f"PPC: neither level after nor change of the {SIDES[side]} arm")
        changes.append(mean_change(start, after, change))
        variances.append(change_variance(start, after, change, basis.r[side].r))
        worked += change_of("TC"[side], start, after, change, basis.r[side].r)
    n = _analysed(basis, 0), _analysed(basis, 1)
    becker = basis.config.effects.smd_pre_post == "becker"
    if becker:
        g, variance, worked = _own_baselines(basis, before, changes, variances, n, worked)
    else:
        s0, m = pooled_sd(*before), before[0].n + before[1].n - 2
        g = small_sample(m) * (changes[0] - changes[1]) / s0
        variance = g_variance(sum(variances) / s0**2, g, sum(n), m, basis.form)
        worked = worked.then(
            f"S0 = {POOLED_SD.format(0)}", "yi = J * (dT - dC) / S0", "u = (vT + vC) / S0**2",
            variance_line(basis.form), J=small_sample(m), m=m, N=sum(n),
        )  # fmt: skip
    used = (
        c if has_sd(c) else a for c, a in zip(basis.comparison.change, basis.after, strict=True)
    )
    estimate = estimate_from(
        basis, DerivationMethod.PPC, (g, variance), [*before, *used], n, worked=worked
    )
    estimate = replace(estimate, own_effect_term=not becker)
    return estimate if all_with_sd(basis.comparison.change) else with_r(estimate, basis)


def _own_baselines(
    basis: Basis, before: Two, changes: list[float], variances: list[float], n: tuple[int, int],
    worked: Worked,
) -> tuple[float, float, Worked]:  # fmt: skip
    """Return gT - gC, each over its arm's SD before (Becker 1988), its variance and formula."""
    parts = []
    for side, start in enumerate(before):
        g = small_sample(start.n - 1) * changes[side] / start.sd
        u = variances[side] / start.sd**2
        parts.append((g, g_variance(u, g, n[side], start.n - 1, basis.form)))
        arm = "TC"[side]
        own = variance_line(basis.form).replace("vi =", f"w{arm} =")
        numbers = {"J": small_sample(start.n - 1), "m": start.n - 1, "N": n[side]}
        worked += Worked(
            {f"{name}{arm}": value for name, value in numbers.items()},
            tuple(
                re.sub(r"\b(J|m|N|u|y)i?\b", rf"\1{arm}", line)
                for line in (f"yi = J * d{arm} / s0{arm}", f"u = v{arm} / s0{arm}**2", own)
            ),
        )
    worked = worked.then("yi = yT - yC", "vi = wT + wC")
    return parts[0][0] - parts[1][0], parts[0][1] + parts[1][1], worked


def change_scores(basis: Basis) -> Estimate:
    """CHG: difference of changes, the raw SD derived from the SD of change and r."""
    reasons = []
    for pair, extra in (
        (basis.comparison.change, frozenset()),
        (basis.comparison.percent, frozenset({Flag.PERCENT})),
    ):
        try:
            one, other = both(pair, "CHG", "of the change")
        except NotDerivableError as error:
            reasons.append(str(error))
            continue
        s0, m = pooled_sd(one, other) / math.sqrt(2 * (1 - basis.mean_r)), one.n + other.n - 2
        g = small_sample(m) * (one.mean - other.mean) / s0
        u = (one.sd**2 / one.n + other.sd**2 / other.n) / s0**2
        effect = g, g_variance(u, g, one.n + other.n, m, basis.form)
        n = one.n, other.n
        worked = Worked(arms_of("d", one, other)).then(
            f"Sd = {POOLED_SD.format('d')}", "S0 = Sd / sqrt(2 * (1 - r))",
            "yi = J * (mdT - mdC) / S0", "u = (sdT**2 / ndT + sdC**2 / ndC) / S0**2",
            variance_line(basis.form), J=small_sample(m), m=m, N=sum(n), r=basis.mean_r,
        )  # fmt: skip
        estimate = estimate_from(
            basis, DerivationMethod.CHG, effect, [one, other], n, worked=worked
        )
        return with_r(replace(estimate, flags=estimate.flags | extra), basis)
    # A missing SD is nearer to an effect than a missing mean.
    raise NotDerivableError(next((why for why in reasons if "no mean" not in why), reasons[0]))


def post_scores(basis: Basis) -> Estimate:
    """POST: difference of levels after over the pooled SD (Hedges 1981), or both SDs (SMDH)."""
    one, other = after_scores(basis)
    n, m = (one.n, other.n), one.n + other.n - 2
    worked = Worked(arms_of("1", one, other)).then(J=small_sample(m), m=m, N=sum(n))
    if basis.config.effects.smd_post == "separate":
        effect = smdh(*arms(one, other))
        worked = worked.then(
            "S = sqrt((s1T**2 + s1C**2) / 2)", "yi = J * (m1T - m1C) / S",
            "u = (s1T**2 / (n1T - 1) + s1C**2 / (n1C - 1)) / S**2",
            "w = (s1T**4 / (n1T - 1) + s1C**4 / (n1C - 1)) / (8 * S**4)",
            "vi = J**2 * (u + w * yi**2)",
        )  # fmt: skip
        estimate = estimate_from(
            basis, DerivationMethod.POST, effect, [one, other], n, worked=worked
        )
        return replace(estimate, own_effect_term=False)
    effect = smd(*arms(one, other), form=basis.form)
    worked = worked.then(
        f"S = {POOLED_SD.format(1)}", "yi = J * (m1T - m1C) / S", "u = 1 / n1T + 1 / n1C",
        variance_line(basis.form),
    )  # fmt: skip
    return estimate_from(basis, DerivationMethod.POST, effect, [one, other], n, worked=worked)


def from_test(basis: Basis) -> Estimate:
    """TST: from t, sqrt(F) or an exact p; f relates the test's SD to the raw one."""
    reasons = ["TST: no t, F with df1 = 1, CI, SE or exact p of a between-arm test"]
    for test in basis.comparison.tests:
        try:
            return _one_test(basis, test)
        except NotDerivableError as error:
            reasons.append(str(error))
    raise NotDerivableError(reasons[-1])


def _one_test(basis: Basis, test: ReportedTest) -> Estimate:
    n_e, n_c = test.n_exercise, test.n_control
    if not n_e or not n_c or n_e + n_c < 4:
        raise NotDerivableError("TST: n per arm is not reported, which an SMD needs")
    f, flags, uses_r = test_factor(test, basis.mean_r)
    sign, sign_cells = basis.sign(test)
    root = math.sqrt(1 / n_e + 1 / n_c)
    g = small_sample(n_e + n_c - 2) * f * sign * test.t * root
    if test.percent or (not isinstance(test, ReportedDifference) and _only_percent(basis)):
        flags |= {Flag.PERCENT}
    worked = Worked().then(
        "yi = J * f * t * sqrt(1 / nT + 1 / nC)", "u = f**2 * (1 / nT + 1 / nC)",
        variance_line(basis.form), J=small_sample(n_e + n_c - 2), m=n_e + n_c - 2, N=n_e + n_c,
        f=f, t=sign * test.t, nT=n_e, nC=n_c,
    )  # fmt: skip
    estimate = Estimate(
        yi=g, vi=g_variance((f * root) ** 2, g, n_e + n_c, n_e + n_c - 2, basis.form),
        worked=worked,
        method=DerivationMethod.TST, codes=(test.code,), flags=flags | test.flags,
        cells=test.cells + sign_cells, n=(n_e, n_c), means=means_beside(basis),
    )  # fmt: skip
    return with_r(estimate, basis) if uses_r else estimate


def _only_percent(basis: Basis) -> bool:
    """Return whether a bare test can only be one of percent changes: nothing else is reported."""
    return (
        any(basis.comparison.percent) and not any(basis.comparison.change) and not any(basis.after)
    )


def test_factor(test: ReportedTest, r: float) -> tuple[float, Flags, bool]:
    """Return f, its flags, and whether it depends on r.

    sqrt(1 - r^2) if the baseline is a covariate, else sqrt(2 (1 - r)) for change scores, else 1.
    NotDerivableError if the paper does not state which, and r is so high that a guess would matter.
    """
    if test.adjusted == "yes":
        return math.sqrt(1 - r**2), frozenset(), True
    if test.adjusted == "not_stated" or test.score == "not_stated":
        if r >= UNKNOWN_FACTOR_LIMIT:
            raise NotDerivableError(
                "TST: not reported whether the test compares changes or adjusts for the baseline, "
                f"and at r = {r:g} that decides the size"
            )
        return 1.0, frozenset({Flag.FACTOR_UNKNOWN}), False
    if test.score == "change":
        return math.sqrt(2 * (1 - r)), frozenset(), True
    return 1.0, frozenset(), False


def g_of_reported_smd(row: Contrast, r: float, m: int) -> tuple[float, bool]:
    """Return the factor from a reported SMD to a g, and whether that depends on r.

    J unless the note names Hedges; sqrt(2(1-r)) if it is standardised by the SD of change.
    NotDerivableError if the paper does not state the SD.
    """
    if row.standardiser not in ("raw", "change"):
        raise NotDerivableError("SMDP: the SD of the reported SMD is not stated")
    uses_r = row.standardiser == "change"
    factor = math.sqrt(2 * (1 - r)) if uses_r else 1.0
    if not names_hedges(row):
        factor *= small_sample(m)
    return factor, uses_r


def names_hedges(row: Contrast) -> bool:
    """Return whether the note says that the SMD is corrected for small samples already."""
    return re.search(r"(?<!not )hedges", row.note.lower()) is not None


def _own_se(row: Contrast) -> float:
    """Return the SE of a reported SMD, or that of its interval."""
    if row.se is not None:
        return float(row.se)
    level = float(row.ci_level or 95)
    return half_width_to_se(float(row.ci_low or 0), float(row.ci_high or 0), level, None)


def reported_smd(basis: Basis) -> Estimate:
    """SMDP: a reported SMD with its standardiser."""
    row, value = _reported_smd(basis)
    sizes = sizes_of(row, basis.comparison.size(0, None), basis.comparison.size(1, None))
    n_e, n_c = (size.n for size in sizes)
    known = n_e and n_c and n_e + n_c >= 4
    if not known and not (row.se is not None and names_hedges(row)):
        raise NotDerivableError("SMDP: n per arm is not reported, or is too small")
    factor, uses_r = g_of_reported_smd(row, basis.mean_r, (n_e or 0) + (n_c or 0) - 2)
    g, columns = factor * value, ["value", "standardiser"]
    own_spread = row.se is not None or (row.ci_low is not None and row.ci_high is not None)
    if own_spread:
        columns.extend(["se"] if row.se is not None else ["ci_low", "ci_high"])
        se = _own_se(row)
        variance = (factor * se) ** 2
        worked = Worked().then("yi = f * d", "vi = (f * SE)**2", f=factor, d=value, SE=se)
    else:
        assert n_e and n_c  # without a spread of its own n is known
        spread = 2 * (1 - basis.mean_r) if uses_r else 1.0
        u = spread * (1 / n_e + 1 / n_c)
        variance = g_variance(u, g, n_e + n_c, n_e + n_c - 2, basis.form)
        m = n_e + n_c - 2
        worked = Worked().then(
            "yi = f * d", "u = w * (1 / nT + 1 / nC)", variance_line(basis.form), f=factor,
            d=value, w=spread, nT=n_e, nC=n_c, J=small_sample(m), m=m, N=n_e + n_c,
        )  # fmt: skip
    estimate = Estimate(
        yi=g, vi=variance, method=DerivationMethod.SMDP, worked=worked,
        codes=(Provenance.SE,) if row.se is not None else (),
        flags=row_flags(row) | sizes[0].flags | sizes[1].flags,
        cells=(*(Cell(row, column) for column in columns), *sizes[0].cells, *sizes[1].cells),
        n=(n_e, n_c), means=means_beside(basis), own_effect_term=not own_spread,
    )  # fmt: skip
    return with_r(estimate, basis) if uses_r else estimate


def _reported_smd(basis: Basis) -> tuple[Contrast, float]:
    """Return the first reported SMD whose standardiser is stated, and its value."""
    why = "no SMD is reported"
    for row in basis.comparison.contrasts:
        if row.statistic == "smd" and row.compares == "between" and row.usable:
            if row.value is not None and row.standardiser in ("raw", "change"):
                return row, float(row.value)
            if row.value is not None:
                why = "the SD of the reported SMD is not stated"
    raise NotDerivableError(f"SMDP: {why}")


METHODS: Methods = (
    (DerivationMethod.ADJ, adjusted),
    (DerivationMethod.PPC, pre_post_control),
    (DerivationMethod.CHG, change_scores),
    (DerivationMethod.POST, post_scores),
    (DerivationMethod.TST, from_test),
    (DerivationMethod.SMDP, reported_smd),
)
SIDES = ("exercise", "control")


def _analysed(basis: Basis, side: int) -> int:
    for pair in (basis.comparison.change, basis.after, basis.before):
        summary = pair[side]
        if summary is not None and summary.n:
            return summary.n
    raise NotDerivableError("n of an arm is not reported")
