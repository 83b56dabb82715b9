"""The share of an effect's variance that its control arm contributes."""

import math
from typing import Literal

from osteometa.comparisons.summaries import CompleteSummary, Summary
from osteometa.effects.basis import Basis, Estimate
from osteometa.effects.formulas import g_term
from osteometa.effects.inputs import NotDerivableError, change_variance, pooled_sd
from osteometa.effects.ratios import percent_to_log
from osteometa.wording.vocabulary import DerivationMethod, Flag, Provenance

Compared = Literal["post", "change", "test"]
"""What an effect compares; tests of one type count as not reported."""
Share = tuple[float | None, Compared]
BY_TEST: Share = (None, "test")
PPC, CHG, POST = DerivationMethod.PPC, DerivationMethod.CHG, DerivationMethod.POST


def control_share(basis: Basis, measure: str, estimate: Estimate) -> Share:
    """Return the part of an effect's variance that is its control's, and what was compared.

    The covariance of two effects with one control is the root of the product of their shares (for
    SMD plus g1 g2 / (2 N)): SMD 1/nC (POST), the variance of the control's mean change over S0^2
    (PPC, CHG), f^2/nC (ADJ, TST, SMDP); MD the control's variance; ROM that of its log mean or log
    ratio. For POST Gleser and Olkin (2009); the others follow from the variances of the methods.
    """
    if Flag.BORROWED in estimate.flags or Provenance.DESIGN_EFFECT in estimate.codes:
        return BY_TEST
    try:
        if measure == "SMD":
            return _smd(basis, estimate)
        if Provenance.TMD in estimate.codes:
            return BY_TEST
        return _md(basis, estimate) if measure == "MD" else _rom(basis, estimate)
    except NotDerivableError:
        return BY_TEST


def _smd(basis: Basis, estimate: Estimate) -> Share:
    n_e, n_c = estimate.n
    if estimate.method == POST and n_c:
        return 1 / n_c, "post"
    if estimate.method == PPC:
        exercise, control = basis.before
        return _change(basis) / pooled_sd(_known(exercise), _known(control)) ** 2, "change"
    if estimate.method == CHG:
        change, percent = basis.comparison.change, basis.comparison.percent
        whole = all(s and s.complete() for s in change)
        one, other = map(_known, change if whole else percent)
        s0 = pooled_sd(one, other) / math.sqrt(2 * (1 - basis.mean_r))
        return _square(other) / s0**2, "change"
    if n_e and n_c:
        left = estimate.vi - g_term(estimate.yi, n_e + n_c)
        return (left * n_e / (n_e + n_c) if left > 0 else None), "test"
    return BY_TEST


def _md(basis: Basis, estimate: Estimate) -> Share:
    if estimate.method == POST:
        return _square(basis.after[1]), "post"
    if estimate.method == PPC:
        return _change(basis), "change"
    if estimate.method == CHG:
        return _square(basis.comparison.change[1]), "change"
    return BY_TEST


def _rom(basis: Basis, estimate: Estimate) -> Share:
    if estimate.method == POST:
        after = _known(basis.after[1])
        return _square(after) / after.mean**2, "post"
    if estimate.method == PPC:
        after, before = _known(basis.after[1]), _known(basis.before[1])
        twice = 2 * basis.r[1].r * before.sd * after.sd / max(before.n, after.n)
        return (
            _square(after) / after.mean**2 + _square(before) / before.mean**2
            - twice / (before.mean * after.mean)
        ), "change"  # fmt: skip
    if estimate.method == CHG and Provenance.PCT in estimate.codes:
        control = _known(basis.comparison.percent[1])
        return percent_to_log(control.mean, control.sd, control.n)[1], "change"
    if estimate.method == CHG:  # changes in the outcome's unit, over a baseline mean
        one, other = map(_square, basis.comparison.change)
        return estimate.vi * other / (one + other), "change"
    return BY_TEST


def _change(basis: Basis) -> float:
    before = _known(basis.before[1])
    return change_variance(before, basis.after[1], basis.comparison.change[1], basis.r[1].r)


def _square(summary: Summary | None) -> float:
    """Return the variance of a mean."""
    known = _known(summary)
    return known.sd**2 / known.n


def _known(summary: Summary | None) -> CompleteSummary:
    found = summary.complete() if summary else None
    if found is None:
        raise NotDerivableError("mean, SD or n is not reported")
    return found
