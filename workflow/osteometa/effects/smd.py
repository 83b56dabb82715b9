"""Methods of the standardised mean difference (Hedges' g) of two arms (docs/methods, M3.7)."""

import math
import re
from dataclasses import replace

from osteometa.comparisons.reported_tests import ReportedDifference, ReportedTest, sizes_of
from osteometa.comparisons.summaries import Cell, Flags, has_sd, row_flags
from osteometa.effects.basis import Basis, Estimate, Methods
from osteometa.effects.formulas import Effect, smdh
from osteometa.effects.inputs import (
    NotDerivableError,
    Two,
    all_with_sd,
    arms,
    both,
    own_se,
    pooled_sd,
    small_sample,
)
from osteometa.effects.worked import POOLED_SD, Worked, arms_of
from osteometa.extraction.tables import Contrast
from osteometa.wording.vocabulary import DerivationMethod, Flag, Provenance

UNKNOWN_FACTOR_LIMIT = 0.8
"""From this r on, a factor of 1 and the change-score factor differ too much to guess between."""
ADJ, PPC, CHG = DerivationMethod.ADJ, DerivationMethod.PPC, DerivationMethod.CHG
POST, TST, SMDP = DerivationMethod.POST, DerivationMethod.TST, DerivationMethod.SMDP


def adjusted(basis: Basis) -> Estimate:
    """ADJ: a baseline-adjusted difference over the pooled baseline SD."""
    before = both(basis.before, "ADJ", "before")
    test = next((t for t in basis.differences(percent=False) if t.adjusted == "yes"), None)
    if test is None:
        raise NotDerivableError("ADJ: no baseline-adjusted difference with SE, CI, t or exact p")
    n_e, n_c = test.n_exercise, test.n_control
    if not n_e or not n_c:
        raise NotDerivableError("ADJ: n per arm is not reported")
    factor = basis.unit_factor(test)
    s0, m = pooled_sd(*before) / factor, before[0].n + before[1].n - 2
    g = small_sample(m) * test.difference / s0
    u = (small_sample(m) * test.se / s0) ** 2
    worked = Worked(arms_of("0", *before)).then(
        f"S0 = {POOLED_SD.format(0)}", "yi = J * D / S0", "u = (J * SE / S0)**2",
        D=test.difference * factor, SE=test.se * factor,
    )  # fmt: skip
    effect, worked = basis.standardised(g, u, n_e + n_c, m, worked, scaled=True)
    return basis.estimate_from(ADJ, effect, before, (n_e, n_c), worked=worked).with_test(test)


def pre_post_control(basis: Basis) -> Estimate:
    """PPC: difference of mean changes over the pooled baseline SD (Morris 2008, dppc2)."""
    before = both(basis.before, "PPC", "before")
    after, change = basis.after, basis.comparison.change
    changes, variances, worked = basis.changes_of(before, after, change)
    n = _analysed(basis, 0), _analysed(basis, 1)
    becker = basis.config.effects.smd_pre_post == "becker"
    if becker:
        effect, worked = _own_baselines(basis, before, changes, variances, n, worked)
    else:
        s0, m = pooled_sd(*before), before[0].n + before[1].n - 2
        g = small_sample(m) * (changes[0] - changes[1]) / s0
        lines = "yi = J * (dT - dC) / S0", "u = (vT + vC) / S0**2"
        worked = worked.then(f"S0 = {POOLED_SD.format(0)}", *lines)
        effect, worked = basis.standardised(g, sum(variances) / s0**2, sum(n), m, worked)
    used = [own if has_sd(own) else end for own, end in zip(change, after, strict=True)]
    estimate = basis.estimate_from(PPC, effect, [*before, *used], n, worked=worked)
    estimate = replace(estimate, own_effect_term=not becker)
    return estimate if all_with_sd(change) else basis.with_r(estimate)


def _own_baselines(
    basis: Basis, before: Two, changes: list[float], variances: list[float], n: tuple[int, int],
    worked: Worked,
) -> tuple[Effect, Worked]:  # fmt: skip
    """Return gT - gC, each over its arm's SD before (Becker 1988), with its formula."""
    parts = []
    for side, start in enumerate(before):
        arm, m = "TC"[side], start.n - 1
        own = Worked().then(f"yi = J * d{arm} / s0{arm}", f"u = v{arm} / s0{arm}**2")
        g, u = small_sample(m) * changes[side] / start.sd, variances[side] / start.sd**2
        part, own = basis.standardised(g, u, n[side], m, own)
        parts.append(part)
        lines = (line.replace("vi =", f"w{arm} =") for line in own.equations)
        worked += Worked(
            {f"{name}{arm}": value for name, value in own.numbers.items()},
            tuple(re.sub(r"\b(J|m|N|u|y)i?\b", rf"\1{arm}", line) for line in lines),
        )
    (g_e, v_e), (g_c, v_c) = parts
    return (g_e - g_c, v_e + v_c), worked.then("yi = yT - yC", "vi = wT + wC")


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
        n = one.n, other.n
        worked = Worked(arms_of("d", one, other)).then(
            f"Sd = {POOLED_SD.format('d')}", "S0 = Sd / sqrt(2 * (1 - r))",
            "yi = J * (mdT - mdC) / S0", "u = (sdT**2 / ndT + sdC**2 / ndC) / S0**2",
            r=basis.mean_r,
        )  # fmt: skip
        effect, worked = basis.standardised(g, u, sum(n), m, worked)
        estimate = basis.estimate_from(CHG, effect, [one, other], n, worked=worked)
        return basis.with_r(replace(estimate, flags=estimate.flags | extra))
    # A missing SD is nearer to an effect than a missing mean.
    raise NotDerivableError(next((why for why in reasons if "no mean" not in why), reasons[0]))


def post_scores(basis: Basis) -> Estimate:
    """POST: difference of levels after over the pooled SD (Hedges 1981), or both SDs (SMDH)."""
    one, other = basis.after_scores()
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
        estimate = basis.estimate_from(POST, effect, [one, other], n, worked=worked)
        return replace(estimate, own_effect_term=False)
    g = small_sample(m) * (one.mean - other.mean) / pooled_sd(one, other)
    lines = "yi = J * (m1T - m1C) / S", "u = 1 / n1T + 1 / n1C"
    worked = worked.then(f"S = {POOLED_SD.format(1)}", *lines)
    effect, worked = basis.standardised(g, 1 / one.n + 1 / other.n, sum(n), m, worked)
    return basis.estimate_from(POST, effect, [one, other], n, worked=worked)


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
    root, m = math.sqrt(1 / n_e + 1 / n_c), n_e + n_c - 2
    g = small_sample(m) * f * sign * test.t * root
    if test.percent or (not isinstance(test, ReportedDifference) and only_percent(basis)):
        flags |= {Flag.PERCENT}
    worked = Worked().then(
        "yi = J * f * t * sqrt(1 / nT + 1 / nC)", "u = f**2 * (1 / nT + 1 / nC)",
        f=f, t=sign * test.t, nT=n_e, nC=n_c,
    )  # fmt: skip
    effect, worked = basis.standardised(g, (f * root) ** 2, n_e + n_c, m, worked)
    estimate = basis.estimate_from(TST, effect, [], (n_e, n_c), worked=worked)
    estimate = replace(estimate, flags=flags).with_test(test, more=sign_cells)
    return basis.with_r(estimate) if uses_r else estimate


def only_percent(basis: Basis) -> bool:
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


def reported_smd(basis: Basis) -> Estimate:
    """SMDP: a reported SMD with its standardiser."""
    row, value = _reported_smd(basis)
    sizes = sizes_of(row, basis.comparison.size(0, None), basis.comparison.size(1, None))
    n_e, n_c = (size.n for size in sizes)
    known = n_e and n_c and n_e + n_c >= 4
    if not known and not (row.se is not None and names_hedges(row)):
        raise NotDerivableError("SMDP: n per arm is not reported, or is too small")
    factor, uses_r = g_of_reported_smd(row, basis.mean_r, (n_e or 0) + (n_c or 0) - 2)
    g, columns, spread = factor * value, ("value", "standardiser"), own_se(row)
    worked = Worked().then("yi = f * d", f=factor, d=value)
    if spread is not None:
        se, _, own = spread
        columns += own
        effect, worked = (g, (factor * se) ** 2), worked.then("vi = (f * SE)**2", SE=se)
    else:
        assert n_e and n_c  # without a spread of its own n is known
        w = 2 * (1 - basis.mean_r) if uses_r else 1.0
        worked = worked.then("u = w * (1 / nT + 1 / nC)", w=w, nT=n_e, nC=n_c)
        u, n = w * (1 / n_e + 1 / n_c), n_e + n_c
        effect, worked = basis.standardised(g, u, n, n - 2, worked)
    estimate = Estimate(
        yi=effect[0], vi=effect[1], method=SMDP, worked=worked,
        codes=(Provenance.SE,) if row.se is not None else (),
        flags=row_flags(row) | sizes[0].flags | sizes[1].flags,
        cells=(*(Cell(row, column) for column in columns), *sizes[0].cells, *sizes[1].cells),
        n=(n_e, n_c), means=basis.means_beside(), own_effect_term=spread is None,
    )  # fmt: skip
    return basis.with_r(estimate) if uses_r else estimate


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
    (ADJ, adjusted), (PPC, pre_post_control), (CHG, change_scores), (POST, post_scores),
    (TST, from_test), (SMDP, reported_smd),
)  # fmt: skip


def _analysed(basis: Basis, side: int) -> int:
    for pair in (basis.comparison.change, basis.after, basis.before):
        summary = pair[side]
        if summary is not None and summary.n:
            return summary.n
    raise NotDerivableError("n of an arm is not reported")
