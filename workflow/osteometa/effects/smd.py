"""The ladder of the standardised mean difference (Hedges' g).

Formulas and codes: docs/methods, M3.7.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from osteometa.comparisons.reported_tests import PrintedTest, people_of
from osteometa.comparisons.summaries import Cell, Summary, origin_flags
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
    pooled_sd,
    small_sample,
    unit_factor,
    with_sd,
)
from osteometa.effects.formulas import g_variance, smd, smdh
from osteometa.extraction.tables import Contrast
from osteometa.numerics.distributions import half_width_to_se

UNKNOWN_FACTOR_LIMIT = 0.8
"""From this r on, a factor of 1 and the change-score factor differ too much to guess between."""


def adjusted(basis: Basis) -> Estimate:
    """ADJ: a baseline-adjusted difference over the pooled baseline SD."""
    before = both(basis.before, "ADJ")
    test = _adjusted_test(basis)
    n_e, n_c = test.n_exercise, test.n_control
    if not n_e or not n_c:
        raise RefusalError("ADJ: n per arm is not printed")
    s0 = pooled_sd(*before) / unit_factor(basis, test)
    m = before[0].n + before[1].n - 2
    g = small_sample(m) * test.difference / s0
    u = (small_sample(m) * test.se / s0) ** 2
    cells, flags, codes = gathered(*before)
    return Estimate(
        g, g_variance(u, g, n_e + n_c, m, basis.form, scaled=True), "ADJ", (test.code, *codes),
        flags | test.flags, cells + test.cells, n=(n_e, n_c),
        **means(basis),
    )  # fmt: skip


def _adjusted_test(basis: Basis) -> PrintedTest:
    for test in basis.tests:
        if (
            test.adjusted == "yes"
            and test.difference is not None
            and test.se
            and test.row.unit != "%"
        ):
            return test
    raise RefusalError("ADJ: no baseline-adjusted difference with SE, CI, t or exact p")


def pre_post_control(basis: Basis) -> Estimate:
    """PPC: difference of mean changes over the pooled baseline SD (Morris 2008, dppc2)."""
    before = both(basis.before, "PPC")
    changes, variances = [], []
    for side in (0, 1):
        after, change = basis.after[side], basis.change[side]
        if (after is None or after.mean is None) and not with_sd(change):
            raise RefusalError(f"PPC: neither level after nor change of the {_side(side)} arm")
        changes.append(mean_change(before[side], after, change))
        variances.append(change_variance(before[side], after, change, basis.r[side].r))
    n = tuple(_analysed(basis, side) for side in (0, 1))
    if basis.config.effects.smd_pre_post == "becker":
        g, variance = _own_baselines(basis, before, changes, variances, n)
    else:
        s0, m = pooled_sd(*before), before[0].n + before[1].n - 2
        g = small_sample(m) * (changes[0] - changes[1]) / s0
        variance = g_variance(sum(variances) / s0**2, g, sum(n), m, basis.form)
    used = [basis.change[i] if with_sd(basis.change[i]) else basis.after[i] for i in (0, 1)]
    cells, flags, codes = gathered(*before, *used)
    rests = {} if all(with_sd(change) for change in basis.change) else basis.r_notes
    return Estimate(
        g, variance, "PPC", codes, flags | (basis.r_flags if rests else frozenset()),
        cells + (basis.r_cells if rests else ()), n=n, **means(basis), **rests,
    )  # fmt: skip


def _own_baselines(
    basis: Basis, before: tuple[Summary, Summary], changes: list[float], variances: list[float],
    n: tuple[int, ...],
) -> tuple[float, float]:  # fmt: skip
    """Return gT - gC, each arm's change over its own SD before (Becker 1988), and its variance."""
    parts = []
    for side in (0, 1):
        s0, m = before[side].sd, before[side].n - 1
        g = small_sample(m) * changes[side] / s0
        parts.append((g, g_variance(variances[side] / s0**2, g, n[side], m, basis.form)))
    return parts[0][0] - parts[1][0], parts[0][1] + parts[1][1]


def change_scores(basis: Basis) -> Estimate:
    """CHG: difference of changes, the raw SD made from the SD of change and r."""
    pairs = [(basis.change, frozenset()), (basis.percent, frozenset({"PCT"}))]
    reasons = []
    for pair, extra in pairs:
        try:
            one, other = both(pair, "CHG")
        except RefusalError as error:
            reasons.append(str(error))
            continue
        s0, m = pooled_sd(one, other) / math.sqrt(2 * (1 - basis.mean_r)), one.n + other.n - 2
        g = small_sample(m) * (one.mean - other.mean) / s0
        u = (one.sd**2 / one.n + other.sd**2 / other.n) / s0**2
        cells, flags, codes = gathered(one, other)
        return Estimate(
            g, g_variance(u, g, one.n + other.n, m, basis.form), "CHG", codes,
            flags | basis.r_flags | extra, cells + basis.r_cells, n=(one.n, other.n),
            **means(basis), **basis.r_notes,
        )  # fmt: skip
    raise RefusalError(_most_telling(reasons))


def post_scores(basis: Basis) -> Estimate:
    """POST: difference of levels after over the pooled SD (Hedges 1981), or both SDs (SMDH)."""
    one, other = after_scores(basis)
    cells, flags, codes = gathered(one, other)
    if basis.config.effects.smd_post == "separate":
        g, variance = smdh(*arms(one, other))
    else:
        g, variance = smd(*arms(one, other), form=basis.form)
    return Estimate(
        g, variance, "POST", codes, flags, cells, n=(one.n, other.n), **means(basis)
    )  # fmt: skip


def from_test(basis: Basis) -> Estimate:
    """TST: from t, sqrt(F) or an exact p; f says how the test's SD relates to the raw one."""
    reasons = ["TST: no t, F with df1 = 1, CI, SE or exact p of a between-arm test"]
    for test in basis.tests:
        try:
            return _one_test(basis, test)
        except RefusalError as error:
            reasons.append(str(error))
    raise RefusalError(reasons[-1])


def _one_test(basis: Basis, test: PrintedTest) -> Estimate:
    n_e, n_c = test.n_exercise, test.n_control
    if not n_e or not n_c or n_e + n_c < 4:
        raise RefusalError("TST: n per arm is not printed, which an SMD needs")
    f, flags, uses_r = test_factor(test, basis.mean_r)
    sign, told = (1, ()) if test.signed else basis.sign(test)
    root = math.sqrt(1 / n_e + 1 / n_c)
    g = small_sample(n_e + n_c - 2) * f * sign * test.t * root
    flags |= test.flags | (basis.r_flags if uses_r else frozenset())
    if test.row.unit == "%" or (test.difference is None and _only_percent(basis)):
        flags |= {"PCT"}
    return Estimate(
        g, g_variance((f * root) ** 2, g, n_e + n_c, n_e + n_c - 2, basis.form), "TST",
        (test.code,), flags,
        test.cells + told + (basis.r_cells if uses_r else ()), n=(n_e, n_c),
        **means(basis), **(basis.r_notes if uses_r else {}),
    )  # fmt: skip


def _only_percent(basis: Basis) -> bool:
    """Tell whether a bare test can only be one of percent changes: nothing else is printed."""
    return any(basis.percent) and not any(basis.change) and not any(basis.after)


def test_factor(test: PrintedTest, r: float) -> tuple[float, frozenset[str], bool]:
    """Return f, its flags, and whether it rests on r.

    sqrt(1 - r^2) if the baseline is a covariate, else sqrt(2 (1 - r)) for change scores, else 1.

    Raises
    ------
    RefusalError
        If the paper does not say which, and r is so high that a guess would matter.
    """
    if test.adjusted == "yes":
        return math.sqrt(1 - r**2), frozenset(), True
    if test.adjusted == "not_stated" or test.score == "not_stated":
        if r >= UNKNOWN_FACTOR_LIMIT:
            raise RefusalError(
                "TST: whether the test compares changes or adjusts for the baseline is not "
                f"printed, and at r = {r:g} that decides the size"
            )
        return 1.0, frozenset({"FUNK"}), False
    if test.score == "change":
        return math.sqrt(2 * (1 - r)), frozenset(), True
    return 1.0, frozenset(), False


def g_of_printed_smd(row: Contrast, r: float, m: int) -> tuple[float, bool]:
    """Return what a printed SMD is multiplied by to be a g, and whether that rests on r.

    J unless the note says Hedges; sqrt(2(1-r)) if the SD of change stands behind it.

    Raises
    ------
    RefusalError
        If the paper does not say which SD does.
    """
    if row.standardiser not in ("raw", "change"):
        raise RefusalError("SMDP: the SD behind the printed SMD is not stated")
    uses_r = row.standardiser == "change"
    factor = math.sqrt(2 * (1 - r)) if uses_r else 1.0
    if not re.search(r"(?<!not )hedges", row.note.lower()):
        factor *= small_sample(m)
    return factor, uses_r


def printed_smd(basis: Basis) -> Estimate:
    """SMDP: an SMD as printed, with its standardiser."""
    refusal = "SMDP: no SMD is printed"
    for row in basis.comparison.contrasts:
        if row.statistic != "smd" or row.compares != "between" or row.value is None:
            continue
        if not row.usable:
            continue
        if row.standardiser not in ("raw", "change"):
            refusal = "SMDP: the SD behind the printed SMD is not stated"
            continue
        people = people_of(row, *(basis.comparison.people(i, None) for i in (0, 1)))
        n_e, n_c = (side.n for side in people)
        if not n_e or not n_c or n_e + n_c < 4:
            raise RefusalError("SMDP: n per arm is not printed, or is too small")
        factor, uses_r = g_of_printed_smd(row, basis.mean_r, n_e + n_c - 2)
        g = factor * row.value
        flags = frozenset(row.flag.split()) | origin_flags(row)
        flags |= people[0].flags | people[1].flags
        columns = ["value", "standardiser"]
        if row.ci_low is not None and row.ci_high is not None:
            se = half_width_to_se(row.ci_low, row.ci_high, float(row.ci_level or 95), None)
            variance, columns = (factor * se) ** 2, [*columns, "ci_low", "ci_high"]
        else:
            spread = 2 * (1 - basis.mean_r) if uses_r else 1.0
            u = spread * (1 / n_e + 1 / n_c)
            variance = g_variance(u, g, n_e + n_c, n_e + n_c - 2, basis.form)
        return Estimate(
            g, variance, "SMDP", (), flags | (basis.r_flags if uses_r else frozenset()),
            (*(Cell(row, column) for column in columns), *people[0].cells, *people[1].cells,
             *(basis.r_cells if uses_r else ())),
            n=(n_e, n_c), **means(basis), **(basis.r_notes if uses_r else {}),
        )  # fmt: skip
    raise RefusalError(refusal)


RUNGS: tuple[tuple[str, Callable[[Basis], Estimate]], ...] = (
    ("ADJ", adjusted),
    ("PPC", pre_post_control),
    ("CHG", change_scores),
    ("POST", post_scores),
    ("TST", from_test),
    ("SMDP", printed_smd),
)


def _side(side: int) -> str:
    return ("exercise", "control")[side]


def _analysed(basis: Basis, side: int) -> int:
    for pair in (basis.change, basis.after, basis.before):
        if pair[side] is not None and pair[side].n:
            return pair[side].n
    raise RefusalError("n of an arm is not printed")


def _most_telling(reasons: list[str]) -> str:
    """Return the reason that is nearest to success: a missing SD rather than a missing mean."""
    return next((reason for reason in reasons if "no mean" not in reason), reasons[0])
