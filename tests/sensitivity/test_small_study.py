"""Small-study analyses: where metafor has no answer, and odd data; beside it in compare_*."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from compare import ORACLE, TIGHT
from compare import arrays as data_of
from compare_small_study import DIFFER, EGGER, EQUAL, SETS, SIDES, predictor
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.sensitivity.selection_model import selection_model
from osteometa.sensitivity.small_study import egger, pet_peese, rank_test, small_study
from osteometa.sensitivity.trim_fill import trim_fill


def stopped(name, part):
    """Return where metafor stopped with an error."""
    return [key for key, theirs in ORACLE[name][part].items() if "error" in theirs]


RANK = [(n, key) for n in DIFFER for key in stopped(n, "egger_regression_tests") if key in EGGER]


@pytest.mark.parametrize(("name", "key"), RANK)
def test_small_predictors_are_scaled(name, key):
    """metafor finds them "not of full rank"."""
    assert "full rank" in ORACLE[name]["egger_regression_tests"][key]["error"]
    method, kind = EGGER[key]
    (y, v), x = data_of(name), predictor(name, kind)
    ours = egger(y, v, predictor=x, method=method)
    larger = egger(1e4 * y, 1e8 * v, predictor=1e4 * x, method=method)
    assert ours.status == "ok" and ours.statistic == pytest.approx(larger.statistic, rel=1e-6)


@pytest.mark.parametrize("name", EQUAL)
def test_equal_effects_have_no_rank_correlation(name):
    """metafor gives none, or what rounding left."""
    assert rank_test(*data_of(name)).status == "not_estimable"


FILLS = {f"{method}_L0_{side}": (method, side) for method in ("EE", "DL", "REML")
         for side in SIDES}  # fmt: skip
STOPPED = [(n, key) for n in SETS for key in stopped(n, "trimfill") if key in FILLS]


@pytest.mark.parametrize(("name", "key"), STOPPED)
def test_trim_and_fill_where_metafor_stops(name, key):
    method, side = FILLS[key]
    ours = trim_fill(*data_of(name), method=method, ci="wald", side=side)
    if "full rank" in ORACLE[name]["trimfill"][key]["error"]:
        reference = ORACLE["hard_unit_scale_ref"]["trimfill"][key]
        assert (ours.filled, ours.side) == (reference["k0"], reference["side"])
    else:
        assert ours.status == "not_estimable" and "equally precise" in ours.reason


@pytest.mark.parametrize("name", DIFFER)
@pytest.mark.parametrize("method", [None, "REML"])
def test_pet_or_peese_is_read_by_the_p_of_pet(name, method):
    pet, peese, chosen = pet_peese(*data_of(name), method=method)
    assert pet.status == peese.status == "ok"
    read = peese if pet.estimate_p < 0.10 else pet
    assert (chosen.estimate, chosen.analysis) == (read.estimate, "pet_peese")


@pytest.mark.parametrize("name", [n for n, t in TIGHT["sets"].items() if t["selection"]])
@pytest.mark.slow
def test_no_maximum_of_metafors_selection_model_is_higher(name):
    """With numerical slopes it is good to 1e-6; for gibson2002_MD it is a local one."""
    theirs = TIGHT["sets"][name]["selection"]
    ours = selection_model(*data_of(name))
    assert ours.side == theirs["favoured"]
    higher = 3 if name == "gibson2002_MD" else -1e-9
    assert ours.log_likelihood > theirs["log_likelihood"] + higher


def test_trim_and_fill_in_small_units():
    """metafor's trimfill refits with an absolute threshold: right in mg/cm2, not in g/cm2."""
    data = TIGHT["small_units"]
    ours = trim_fill(data["yi"], data["vi"])
    assert (ours.side, ours.filled) == (data["mg"]["side"], data["mg"]["k0"])


@pytest.mark.parametrize(("k", "exact"), [(300, True), (301, False)])
def test_p_of_ranks_is_exact_up_to_three_hundred_studies(k, exact):
    """Else normal: the score of Kendall (1970) has the variance k (k - 1) (2 k + 5) / 18."""
    random = np.random.default_rng(3)
    found = rank_test(random.normal(size=k), random.uniform(0.01, 0.1, size=k))
    score = found.statistic * k * (k - 1) / 2
    normal = math.erfc(abs(score) / math.sqrt(k * (k - 1) * (2 * k + 5) / 9))
    assert found.p == pytest.approx(normal, rel=0.01)
    assert (found.p != pytest.approx(normal, rel=1e-9)) == exact


def test_equal_studies_are_tied_wherever_they_stand():
    """Three pairs of equal studies among 35: sums in another order must not untie them."""
    random = np.random.default_rng(4)
    y, v = random.normal(size=35).round(1), random.uniform(0.01, 0.1, size=35).round(2)
    y[[3, 20]], v[[3, 20]], y[[7, 33]], v[[7, 33]] = 0.4, 0.05, -0.2, 0.03
    first = rank_test(y, v)
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(35)
        assert rank_test(y[order], v[order]).statistic == first.statistic


def test_trim_and_fill_does_not_depend_on_the_order_of_ties():
    y, v = data_of("raudenbush1985")
    assert len(set(y)) < len(y)
    first = trim_fill(y, v)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(y))
        again = trim_fill(y[order], v[order])
        assert again.filled == first.filled


def test_trim_and_fill_moves_with_the_effects():
    """The middle of a symmetric set is at the centre, whatever rounding leaves of its distance."""
    y, v = np.array([-0.9, -0.5, -0.2, 0.0, 0.2, 0.5, 0.9]), np.full(7, 0.04)
    first = trim_fill(y, v, method="EE", ci="wald", side="left")
    for shift in np.linspace(0.1, 1.7, 33):
        other = trim_fill(y + shift, v, method="EE", ci="wald", side="left")
        assert (other.filled, other.filled_se) == (first.filled, pytest.approx(first.filled_se))
        assert other.estimate == pytest.approx(first.estimate + shift)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_effects_on_a_line_have_no_classic_regression(scale):
    v = np.array([0.01, 0.02, 0.04, 0.05, 0.09])
    y = scale * (1 + 2 * np.sqrt(v))
    ours = egger(y, scale**2 * v)
    assert ours.status == "not_estimable" and "all effects lie on one line" in ours.reason
    assert egger(y + scale * np.array([0.1, 0, 0, 0, 0]), scale**2 * v).status == "ok"


def log_likelihood(y, v, mu, tau2, chance):
    """The selection model's likelihood written down a second time, study by study."""
    total = 0.0
    for effect, variance in zip(y, v, strict=True):
        sd = math.sqrt(variance + tau2)
        limit = 1.959963984540054 * math.sqrt(variance)
        below = 0.5 * math.erfc(-(limit - mu) / sd / math.sqrt(2))
        density = math.exp(-0.5 * ((effect - mu) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
        seen = chance if effect < limit else 1.0
        total += math.log(seen * density / (1 - below + chance * below))
    return total


@pytest.mark.parametrize("name", ["gibson2002_MD", "bcg_RR", "konstantopoulos2011"])
def test_selection_model_is_at_a_maximum(name):
    y, v = data_of(name)
    ours = selection_model(y, v)
    sign = 1 if ours.side == "greater" else -1
    top = (sign * ours.estimate, ours.tau2, ours.slope)
    assert log_likelihood(sign * y, v, *top) == pytest.approx(ours.log_likelihood, abs=1e-10)
    for i, size in enumerate((ours.se, ours.tau2, ours.slope)):
        for step in (1e-3, -1e-3, 0.3, -0.3):
            near = list(top)
            near[i] += step * size
            assert log_likelihood(sign * y, v, *near) < ours.log_likelihood


@pytest.mark.parametrize(
    "name", ["gibson2002_MD", "konstantopoulos2011", "raudenbush1985", "morris2008_SMCR_difference"]
)
def test_errors_of_the_selection_model_come_from_the_observed_information(name):
    """By second differences of the likelihood, in the estimate, log chance and tau2 if above 0."""
    y, v = data_of(name)
    ours = selection_model(y, v)
    sign = 1 if ours.side == "greater" else -1
    top = np.array([sign * ours.estimate, math.log(ours.slope), ours.tau2])
    steps = np.diag([1e-3 * ours.se, 1e-3, 1e-3 * ours.tau2])[: 3 if ours.tau2 else 2]

    def value(point):
        return log_likelihood(sign * y, v, point[0], point[2], math.exp(point[1]))

    hessian = np.array([
        [(value(top + a + b) - value(top + a - b) - value(top - a + b) + value(top - a - b))
         / (4 * np.sum(a) * np.sum(b)) for a in steps] for b in steps
    ])  # fmt: skip
    variances = np.diagonal(np.linalg.inv(-hessian))
    assert ours.se == pytest.approx(math.sqrt(variances[0]), rel=1e-4)
    chance_se = ours.slope * math.sqrt(variances[1])
    assert ours.slope_se == pytest.approx(chance_se, rel=1e-4)
    half = 1.959963984540054 * ours.se
    limits = (ours.estimate - half, ours.estimate + half)
    assert (ours.ci_low, ours.ci_high) == pytest.approx(limits)


@pytest.mark.parametrize(("name", "word"), [("begg1989", "every"), ("hard_tau2_zero_k10", "no ")])
def test_selection_needs_studies_on_both_sides_of_the_step(name, word):
    ours = selection_model(*data_of(name), favoured="greater")
    assert ours.status == "not_estimable" and ours.reason.startswith(word)
    assert ours.estimate is None


def test_below_ten_studies_everything_says_so():
    rows = small_study(*data_of("normand1999_SMD"))
    assert [row.analysis for row in rows] == [
        "egger", "egger_mixed", "rank", "trim_fill", "pet", "peese", "pet_peese", "selection",
    ]  # fmt: skip
    assert {row.status for row in rows} == {"not_applicable"}
    assert all("9 studies" in row.reason for row in rows)


def test_the_suite_holds_its_parts():
    y, v = data_of("bcg_RR")
    rows = {row.analysis: row for row in small_study(y, v)}
    assert {row.status for row in rows.values()} == {"ok"}
    assert rows["egger"].p == egger(y, v).p
    assert rows["trim_fill"].filled == 1 and rows["trim_fill"].side == "right"
    assert rows["selection"].p == selection_model(y, v).p


@pytest.mark.parametrize(("name", "chosen"), [("bcg_RR", "pet"), ("gibson2002_MD", "peese")])
def test_the_suite_has_both_regressions_and_the_one_of_them_that_is_read(name, chosen):
    y, v = data_of(name)
    rows = {row.analysis: row for row in small_study(y, v)}
    assert (rows["pet"], rows["peese"]) == pet_peese(y, v)[:2]
    assert rows["pet_peese"].estimate == rows[chosen].estimate


def numbers(record):
    for value in asdict(record).values():
        yield from value if isinstance(value, tuple) else (value,)


def is_whole(record):
    """No number that is not a number; a status that is not ok comes with a reason only."""
    found = [n for n in numbers(record) if isinstance(n, float)]
    assert all(math.isfinite(n) for n in found), record
    if record.status != "ok":
        assert record.reason and not found, record


effects = st.one_of(
    st.floats(-5, 5).map(lambda x: round(x, 3)), st.sampled_from([0.0, 0.3, 0.3, 1e-9, 1e5])
)
variances = st.one_of(
    st.floats(1e-3, 2).map(lambda x: round(x, 4)), st.sampled_from([0.04, 0.04, 1e-10, 1e8])
)
odd = st.lists(st.tuples(effects, variances.filter(lambda v: v > 0)), max_size=12)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(odd)
def test_odd_data_give_a_reason_and_never_nan(pairs):
    y, v = [p[0] for p in pairs], [p[1] for p in pairs]
    for row in small_study(y, v, least=0, method="DL"):
        is_whole(row)
    is_whole(trim_fill(y, v, method="EE", ci="wald", side="left"))
    is_whole(selection_model(y, v))


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("name", ["bcg_RR", "bmd_g_per_cm2_MD", "gibson2002_MD"])
def test_units_and_signs_change_nothing(name, scale):
    y, v = data_of(name)
    for first, other in zip(small_study(y, v), small_study(-scale * y, scale**2 * v), strict=True):
        assert first.status == other.status == "ok"
        if first.p is not None:
            assert other.p == pytest.approx(first.p, rel=1e-6)
        if first.estimate is not None:
            assert other.estimate == pytest.approx(-scale * first.estimate, rel=1e-6)
            assert other.se == pytest.approx(scale * first.se, rel=1e-6)
        assert other.filled == first.filled


def test_order_changes_nothing():
    y, v = data_of("gibson2002_SMD")
    order = np.random.default_rng(7).permutation(len(y))
    for first, other in zip(small_study(y, v), small_study(y[order], v[order]), strict=True):
        for name in ("estimate", "se", "p", "tau2", "filled"):
            before, after = getattr(first, name), getattr(other, name)
            assert after == (None if before is None else pytest.approx(before, rel=1e-7))


@pytest.mark.parametrize("v", [[0.1, 0.0, 0.2], [0.1, -0.1, 0.2], [0.1, math.nan, 0.2]])
def test_impossible_variances_are_refused(v):
    with pytest.raises(ValueError, match="variance 2"):
        egger([0.1, 0.2, 0.3], v, predictor=[1, 2, 3])
