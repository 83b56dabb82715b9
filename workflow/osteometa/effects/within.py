"""Before and after in one arm without a comparator: SMCR, MC and ROMC (docs/methods, M3.8)."""

import math
from dataclasses import dataclass, replace

from osteometa.comparisons.summaries import Cell, Codes, CompleteSummary, Flags, Summary, has_sd
from osteometa.effects import ratios
from osteometa.effects.basis import Basis, Derive, Estimate, MeansBeside, Methods
from osteometa.effects.formulas import Effect
from osteometa.effects.inputs import (
    NotDerivableError,
    change_variance,
    complete,
    gathered,
    mean_change,
    small_sample,
)
from osteometa.effects.smd import g_of_reported_smd, only_percent
from osteometa.effects.worked import LOG_RATIO, Worked, change_of
from osteometa.wording.vocabulary import DerivationMethod, Flag, MeansKind, Provenance

SMCR, MC, ROMC = DerivationMethod.SMCR, DerivationMethod.MC, DerivationMethod.ROMC


@dataclass(frozen=True, slots=True)
class MeanChange:
    """A mean change with the SE by the changes of the same participants."""

    mean: float
    se: float
    n: int | None
    codes: Codes
    cells: tuple[Cell, ...]
    flags: Flags


def mean_change_of(basis: Basis, *, percent: bool = False) -> MeanChange:
    """Return the arm's mean change with its SE from paired statistics.

    In this order: a change with its SD (SE, CI); a reported difference with SE, CI, t or exact p;
    the means, with SE = |change| / |t| from a paired t, F of two times or exact p.
    NotDerivableError if the paper reports none of them.
    """
    own, what = basis.comparison.change[0], "change"
    if percent:
        own, what = basis.comparison.percent[0], "percent change"
    whole = _with_spread(own)
    if whole is not None:
        se = whole.sd / math.sqrt(whole.n)
        return MeanChange(whole.mean, se, whole.n, whole.codes, whole.cells, whole.flags)
    for test in basis.differences(percent=percent):
        factor = 1.0 if percent else basis.unit_factor(test)
        mean, se = test.difference * factor, test.se * factor
        return MeanChange(mean, se, test.n_exercise, (test.code,), test.cells, test.flags)
    mean, cells, flags = _means(basis, own, percent)
    if mean == 0:
        raise NotDerivableError(f"the reported {what} is 0, so its test gives no SE")
    for test in basis.bare_tests():
        se, cells, flags = abs(mean / test.t), cells + test.cells, flags | test.flags
        return MeanChange(mean, se, test.n_exercise, (test.code,), cells, flags)
    raise NotDerivableError(f"no SD of the {what}, and no paired t or exact p")


def _with_spread(summary: Summary | None) -> CompleteSummary | None:
    """Return a summary whose SD is based on two participants or more."""
    whole = summary.complete() if summary else None
    return whole if whole is not None and whole.n > 1 else None


def _means(
    basis: Basis, own: Summary | None, percent: bool
) -> tuple[float, tuple[Cell, ...], Flags]:
    if own is not None and own.mean is not None:
        return own.mean, own.cells, own.flags
    before, after = basis.before[0], basis.after[0]
    if percent or before is None or after is None or before.mean is None or after.mean is None:
        raise NotDerivableError("no mean percent change" if percent else "no mean change")
    cells, flags, _ = gathered(before, after)
    return after.mean - before.mean, cells, flags


def _paired_change(basis: Basis) -> MeanChange | None:
    try:
        return mean_change_of(basis)
    except NotDerivableError:
        return None


def smcr(basis: Basis) -> Estimate:
    """SMCR: mean change over the SD before, g = J(n-1) (m1 - m0) / s0, v = 2(1-r)/n + g^2/(2n).

    Becker (1988). Without an SD before: the SD of change over sqrt(2(1-r)), a paired t times
    sqrt(2(1-r)/n), or a reported standardised change.
    """
    return basis.first_of((_over_baseline, _over_change, _from_test, _reported), SMCR)


def _over_baseline(basis: Basis) -> Estimate:
    before = complete(basis.before[0], "before")
    after, change = basis.after[0], basis.comparison.change[0]
    paired = _paired_change(basis)
    if after is not None and after.mean is not None:
        mean, used = mean_change(before, after, change), [change if has_sd(change) else after]
    elif paired is not None:
        mean, used = paired.mean, []
    else:
        raise NotDerivableError("neither level after nor change with its SD or test")
    n0, n1 = before.n, next((s.n for s in (change, after) if s and s.n), before.n)
    g = small_sample(n0 - 1) * mean / before.sd
    worked = Worked().then("yi = J * d / s0", d=mean, s0=before.sd)
    cells, flags, codes = gathered(before, *used)
    # The paper's own SE of the change takes precedence over an assumed correlation.
    own_se = paired if basis.r_flags or not has_sd(after) else None
    if own_se is not None:
        u = (own_se.se / before.sd) ** 2
        worked = worked.then("u = (SE / s0)**2", SE=own_se.se)
        n1 = own_se.n or n1
        cells, flags = cells + own_se.cells, flags | own_se.flags
        codes = (*codes, *own_se.codes)
    else:
        # 2(1-r)/n, or where n falls from n0 to n1 the same with equal SDs.
        u = 1 / n1 + 1 / n0 - 2 * basis.mean_r / max(n0, n1)
        line = f"u = 1 / n1 + 1 / n0 - 2 * r / {'n0' if n0 >= n1 else 'n1'}"
        worked = worked.then(line, n0=n0, n1=n1, r=basis.mean_r)
    effect, worked = basis.standardised(g, u, n1, n0 - 1, worked)
    estimate = Estimate(
        yi=effect[0], vi=effect[1], method=SMCR, codes=codes, flags=flags, worked=worked,
        cells=cells, n=(n1, None), n_total=n1, means=basis.means_beside(),
    )  # fmt: skip
    return estimate if own_se is not None else basis.with_r(estimate)


def _over_change(basis: Basis) -> Estimate:
    for percent, pair in enumerate((basis.comparison.change, basis.comparison.percent)):
        own = _with_spread(pair[0])
        if own is not None:
            r = basis.mean_r
            g = small_sample(own.n - 1) * own.mean / own.sd * math.sqrt(2 * (1 - r))
            worked = Worked().then("yi = J * d / sd * sqrt(2 * (1 - r))", d=own.mean, sd=own.sd)
            codes = (Provenance.CHG, *own.codes, *([Provenance.PCT] if percent else []))
            flags = own.flags | ({Flag.PERCENT} if percent else set())
            return _standardised(basis, g, own.n, worked, codes, flags, own.cells)
    raise NotDerivableError("no change with its SD and n")


def _from_test(basis: Basis) -> Estimate:
    for test in basis.comparison.tests:
        n, r = test.n_exercise, basis.mean_r
        if not test.t or not n or n < 3:
            continue
        sign, sign_cells = basis.sign(test)
        g = small_sample(n - 1) * sign * test.t / math.sqrt(n) * math.sqrt(2 * (1 - r))
        percent = {Flag.PERCENT} if test.percent or only_percent(basis) else set()
        worked = Worked().then("yi = J * t / sqrt(n) * sqrt(2 * (1 - r))", t=sign * test.t)
        flags, cells = test.flags | percent, test.cells + sign_cells
        return _standardised(basis, g, n, worked, (test.code,), flags, cells)
    raise NotDerivableError("no paired t, F of two times or exact p with n")


def _standardised(
    basis: Basis, g: float, n: int, worked: Worked, codes: Codes, flags: Flags,
    cells: tuple[Cell, ...],
) -> Estimate:  # fmt: skip
    """Return a standardised change without an SD before; `worked` is the formula of g alone."""
    r = basis.mean_r
    worked = worked.then("u = 2 * (1 - r) / n", n=n, r=r)
    effect, worked = basis.standardised(g, 2 * (1 - r) / n, n, n - 1, worked)
    estimate = Estimate(
        yi=effect[0], vi=effect[1], method=SMCR, worked=worked, codes=codes, flags=flags,
        cells=cells, n=(n, None), n_total=n, means=basis.means_beside(),
    )  # fmt: skip
    return basis.with_r(estimate)


def _reported(basis: Basis) -> Estimate:
    for row in basis.comparison.contrasts:
        if row.statistic == "smd" and row.compares == "within" and row.value and row.usable:
            size = basis.comparison.size(0, None)
            n = row.n_exercise or size.n
            if n is None or n < 2:
                raise NotDerivableError("n of the reported SMD is not known")
            factor, _ = g_of_reported_smd(row, basis.mean_r, n - 1)
            g = factor * float(row.value)
            cells = [Cell(row, column) for column in ("value", "standardiser")]
            cells += [Cell(row, "n_exercise")] if row.n_exercise else size.cells
            worked = Worked().then("yi = f * d", f=factor, d=float(row.value))
            flags = frozenset() if row.n_exercise else size.flags
            return _standardised(basis, g, n, worked, (Provenance.SMDP,), flags, tuple(cells))
    raise NotDerivableError("no standardised change is reported")


def mc(basis: Basis) -> Estimate:
    """MC: mean change, v its squared SE, else (s0^2 + s1^2 - 2 r s0 s1)/n from the levels."""
    return basis.first_of((_mc_paired, _mc_levels), MC)


def _mc_paired(basis: Basis) -> Estimate:
    found = mean_change_of(basis)
    worked = Worked().then("yi = d", "vi = SE**2", d=found.mean, SE=found.se)
    return _of_change(basis, MC, found, (found.mean, found.se**2), worked)


def _of_change(
    basis: Basis, method: DerivationMethod, found: MeanChange, effect: Effect, worked: Worked,
    kind: MeansKind = MeansKind.CHANGE,
) -> Estimate:  # fmt: skip
    return Estimate(
        yi=effect[0], vi=effect[1], method=method, codes=found.codes, flags=found.flags,
        cells=found.cells, n=(found.n, None), n_total=found.n, means=basis.means_beside(kind),
        worked=worked,
    )  # fmt: skip


def _mc_levels(basis: Basis) -> Estimate:
    return _difference(basis, MC, *_levels(basis))


def _difference(
    basis: Basis, method: DerivationMethod, before: CompleteSummary, after: CompleteSummary
) -> Estimate:
    """Return after minus before with its variance by r."""
    effect = after.mean - before.mean, change_variance(before, after, None, basis.mean_r)
    worked = change_of("", before, after, None, basis.mean_r).then("yi = d", "vi = v")
    return _of_levels(basis, method, effect, before, after, worked)


def _of_levels(
    basis: Basis, method: DerivationMethod, effect: Effect, before: CompleteSummary,
    after: CompleteSummary, worked: Worked,
) -> Estimate:  # fmt: skip
    estimate = basis.estimate_from(
        method, effect, [before, after], (after.n, None), MeansKind.AFTER, worked=worked
    )
    return basis.with_r(estimate)


def _levels(basis: Basis) -> tuple[CompleteSummary, CompleteSummary]:
    return complete(basis.before[0], "before"), complete(basis.after[0], "after")


def romc(basis: Basis) -> Estimate:
    """ROMC: log ratio of after to before.

    From levels: ln(m1/m0), v = s0^2/(n m0^2) + s1^2/(n m1^2) - 2 r s0 s1/(n m0 m1) (Lajeunesse
    2011); from logarithms (LOG); from a percent change (PCT); where config.yaml declares a
    baseline mean, from a change in the unit of the outcome (BASE); as reported. A reported ratio of
    the paper itself takes precedence over what rests on an assumed correlation or baseline mean.
    """
    ways = (_romc_levels, _romc_logs, _romc_percent, _romc_difference, _romc_base)
    ratio = ratios.reported_ratio(basis, ROMC)
    try:
        found = basis.first_of(ways, ROMC)
    except NotDerivableError:
        if ratio is None:
            raise
        return ratio
    assumed = found.flags & {Flag.R_IMPUTED, Flag.BASELINE_MEAN}
    return ratio if ratio and assumed and Flag.SECOND_HAND not in ratio.flags else found


def _romc_levels(basis: Basis) -> Estimate:
    before, after = _levels(basis)
    for summary in (before, after):
        ratios.geary(summary)
    effect, worked = ratios.log_ratio(basis, before, after, basis.mean_r)
    if effect[1] <= 0:
        raise NotDerivableError("SDs, n and the correlation give no positive variance")
    return _of_levels(basis, ROMC, effect, before, after, worked.then("yi = y", "vi = v"))


def _romc_logs(basis: Basis) -> Estimate:
    after = complete(basis.comparison.log_after[0], "of logarithms after")
    before = complete(basis.comparison.log_before[0], "of logarithms before")
    estimate = _difference(basis, ROMC, before, after)
    return replace(estimate, codes=(Provenance.LOG, *estimate.codes), means=MeansBeside())


def _romc_percent(basis: Basis) -> Estimate:
    own = basis.comparison.percent[0]
    if own is None or own.mean is None:
        raise NotDerivableError("no percent change")
    found = mean_change_of(basis, percent=True)
    if not found.n or found.n < 2:
        raise NotDerivableError("n of the percent change is not reported")
    sd = found.se * math.sqrt(found.n)
    lines = (*(line.format("") for line in LOG_RATIO), "yi = y", "vi = v")
    worked = Worked({"p": found.mean, "s": sd, "n": found.n}, lines)
    return _of_percent(basis, found, ratios.percent_to_log(found.mean, sd, found.n), worked)


def _romc_difference(basis: Basis) -> Estimate:
    found = mean_change_of(basis, percent=True)
    if found.mean <= -100:
        raise NotDerivableError("a percent change of -100 or less has no log ratio")
    return _of_percent(basis, found, *ratios.percent_difference(found.mean, found.se))


def _of_percent(basis: Basis, found: MeanChange, effect: Effect, worked: Worked) -> Estimate:
    kind = MeansKind.PCT_CHANGE
    return _of_change(basis, ROMC, found, effect, worked, kind).from_percent()


def _romc_base(basis: Basis) -> Estimate:
    if not ratios.has_ratios_of_changes(basis):
        raise NotDerivableError("a change in the unit of a marker gives no ratio without levels")
    return ratios.over_baseline_mean(basis, replace(_mc_paired(basis), method=ROMC))


METHODS: dict[str, Methods] = {"SMD": ((SMCR, smcr),), "MD": ((MC, mc),), "ROM": ((ROMC, romc),)}
FROM_LEVELS: dict[str, tuple[Derive, ...]] = {
    "SMD": (_over_baseline,), "MD": (_mc_levels,), "ROM": (_romc_levels,),
}  # fmt: skip
"""Methods for which an SD may be borrowed."""
