"""The numbers beside an estimate, written out: limits, weights, bounds, and what is refused."""

import math

import numpy as np
import pytest
from osteometa.pooling import kernel
from osteometa.pooling.batch import intercept_batch, log_likelihood, slope_moments
from osteometa.pooling.likelihood import last_root_bound
from osteometa.pooling.model import checked, joint_test, pool, prediction_interval, regress
from osteometa.pooling.tau2 import profile_likelihood, q_profile, typical_variance
from scipy.special import chdtrc, chdtri, fdtrc, ndtr, stdtrit

Y = np.array([0.9, -0.25, 0.55, 1.3, 0.1, -0.2])
V = np.array([0.09, 0.085, 0.12, 0.07, 0.06, 0.1])


def of(y, v):
    """Return one model as a batch."""
    return intercept_batch(np.array(y, float)[:, None], np.array(v, float)[:, None])


# One study, and what cannot be pooled.
def test_one_study_has_its_own_normal_interval_and_p():
    one = pool([0.3], [0.04])
    half = 1.959963984540054 * 0.2
    assert (one.estimate, one.se, one.statistic) == pytest.approx((0.3, 0.2, 1.5))
    assert (one.ci_low, one.ci_high) == pytest.approx((0.3 - half, 0.3 + half))
    assert one.p == pytest.approx(2 * ndtr(-1.5)) and one.weights == (100.0,)
    assert one.note == "one study: its own estimate and interval"
    two = pool([0.3, 0.5], None, V=np.array([[0.04, 0.01], [0.01, 0.04]]))
    assert two.note.endswith("(its effects combined by their covariance)")
    assert pool([-0.3], [0.04]).p == one.p


@pytest.mark.parametrize("method", ["REML", "PM", "DL", "EE"])
@pytest.mark.parametrize(("y", "v"), [(1e200, 1.0), (0.5, 1e-200)])
def test_sums_that_are_infinite_are_not_searched(y, v, method):
    """No entry point lets such numbers through, see test_scale.py."""
    with np.errstate(all="ignore"), pytest.raises(OverflowError, match="too large or too small"):
        kernel.solve(of([y, -y, 3 * y], [v, v, 2 * v]), method, "wald")


@pytest.mark.parametrize(
    ("yi", "vi", "words"),
    [
        ([0.1, math.inf], [1.0, 1.0], r"effect 2 is not a finite number"),
        ([math.nan, 0.1], [1.0, 1.0], r"effect 1 is not"),
        ([0.1, 0.2, 0.3], [1.0, 1.0, 0.0], r"variance 3 must be above 0 \(found 0\.0\)"),
        ([0.1, 0.2], [math.inf, 1.0], r"variance 1 must"),
        ([[0.1, 0.2]], [[1.0, 1.0]], r"two lists of the same length"),
        ([0.1, 0.2], [1.0], r"two lists of the same length"),
        ([0.1], [1.0, 1.0], r"two lists of the same length"),
    ],
)
def test_the_place_of_an_impossible_number_is_stated(yi, vi, words):
    with pytest.raises(ValueError, match=words):
        checked(yi, vi)


def test_as_many_coefficients_as_effects_leave_nothing_to_test():
    found = regress(Y[:2], V[:2], np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert found.coefficients == pytest.approx([0.9, -1.15])
    assert (found.q_df, found.df) == (0, None)
    assert all(map(math.isnan, (found.q_p, found.i2, found.h2)))
    with pytest.raises(ValueError, match="not linearly independent"):
        regress(Y, V, np.ones((6, 2)))
    with pytest.raises(ValueError, match="2 effects cannot give 3 coefficients"):
        regress(Y[:2], V[:2], np.ones((2, 3)))
    with pytest.raises(ValueError, match="must be one of"):
        regress(Y, V, np.ones((6, 1)), method="XX")
    with pytest.raises(ValueError, match="must be one of"):
        regress(Y, V, np.ones((6, 1)), ci="XX")


def test_a_profile_likelihood_needs_a_likelihood():
    with pytest.raises(ValueError, match="DL has no likelihood"):
        pool(Y, V, method="DL", tau2_ci="pl")
    assert profile_likelihood(Y[:1], V[:1], np.ones((1, 1))) == (0.0, math.inf)


# Intervals.
@pytest.mark.parametrize(("pi_df", "lost"), [("k-1", 1), ("k-2", 2)])
@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_prediction_interval_has_the_degrees_of_freedom_asked_for(pi_df, lost, k):
    low, high = prediction_interval(0.5, 0.2, 0.09, k, pi_df)
    if k == lost:
        assert (low, high) == (None, None)
    else:
        half = stdtrit(k - lost, 0.975) * math.sqrt(0.09 + 0.04)
        assert (low, high) == pytest.approx((0.5 - half, 0.5 + half))


def test_the_common_effect_has_no_prediction_interval_and_no_interval_of_tau2():
    found = pool(Y, V, method="EE", ci="wald")
    assert (found.pi_low, found.tau2_ci_low, found.i2_ci_high, found.tau2) == (None, None, None, 0)
    assert found.q_p == pytest.approx(chdtrc(5, found.q))


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("factor", [1.0, {"REML": 0.744, "ML": 0.785}, 0.5, 0.05])
def test_a_profile_likelihood_falls_by_1_92_at_its_limits(method, factor):
    """At the upper limit, and at the lower one where that is not 0, be it by a hair."""
    factor = factor[method] if isinstance(factor, dict) else factor
    y = factor * Y
    low, high = profile_likelihood(y, V, np.ones((6, 1)), method)
    peak = pool(y, V, method=method).tau2

    def height(tau2):
        w = 1 / (V + tau2)
        q = np.sum(w * (y - w @ y / w.sum()) ** 2)
        return 0.5 * (np.log(w).sum() - (method == "REML") * np.log(w.sum()) - q)

    drop = chdtri(1, 0.05) / 2
    assert height(peak) - height(high) == pytest.approx(drop, rel=1e-8)
    if low > 0:
        assert height(peak) - height(low) == pytest.approx(drop, rel=1e-8)
    else:
        assert height(peak) - height(0.0) <= drop
    assert (low > 0) == (factor > 0.7) and (0 < low < 1e-4) == (0.7 < factor < 1)
    small = profile_likelihood(1e-6 * y, 1e-12 * V, np.ones((6, 1)), method)
    assert small == pytest.approx((1e-12 * low, 1e-12 * high), rel=1e-8, abs=1e-24)
    assert log_likelihood(of(y, V), peak, method == "REML") == pytest.approx(height(peak))


def test_the_q_profile_meets_the_quantiles_of_its_level():
    for level in (0.95, 0.8):
        low, high = q_profile(Y, V, np.ones((6, 1)), level)
        for limit, tail in ((low, (1 - level) / 2), (high, (1 + level) / 2)):
            w = 1 / (V + limit)
            q = np.sum(w * (Y - w @ Y / w.sum()) ** 2)
            assert q == pytest.approx(chdtri(5, tail), rel=1e-10)
    assert q_profile(0.01 * Y, V, np.ones((6, 1))) == (0.0, 0.0)


def test_the_typical_variance_is_that_of_higgins_and_thompson():
    """s2 = (k - 1) sum w / ((sum w)^2 - sum w^2), I2 = tau2 / (tau2 + s2), H2 = 1 / (1 - I2)."""
    w = 1 / V
    s2 = 5 * w.sum() / (w.sum() ** 2 - (w**2).sum())
    assert typical_variance(V, np.ones((6, 1))) == pytest.approx(s2, rel=1e-12)
    found = pool(Y, V)
    for tau2, i2, h2 in (
        (found.tau2, found.i2, found.h2),
        (found.tau2_ci_low, found.i2_ci_low, found.h2_ci_low),
        (found.tau2_ci_high, found.i2_ci_high, found.h2_ci_high),
    ):
        assert (i2, h2) == pytest.approx((100 * tau2 / (tau2 + s2), (tau2 + s2) / s2))


# The joint test.
@pytest.mark.parametrize("ci", ["wald", "hksj"])
def test_a_joint_test_written_out(ci):
    """(C b)' (C S C')^-1 C b: chi-square, or over the rows of C an F."""
    X = np.repeat(np.eye(3), 2, axis=0)
    found = regress(Y, V, X, ci=ci)
    C = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    b = C @ found.coefficients
    wald = b @ np.linalg.inv(C @ found.covariance @ C.T) @ b
    statistic, df1, df2, p = joint_test(found, C)
    if ci == "wald":
        assert (statistic, df1, df2, p) == (
            pytest.approx(wald),
            2,
            None,
            pytest.approx(chdtrc(2, wald)),
        )
    else:
        assert (statistic, df1, df2) == (pytest.approx(wald / 2), 2, 3)
        assert p == pytest.approx(fdtrc(2, 3, wald / 2))


# Where the search for tau2 ends.
@pytest.mark.parametrize("restricted", [True, False])
def test_the_bound_of_the_search_is_where_its_equation_holds(restricted):
    """(vmin + top)^2 (n - p) = RSS (vmax + top); with equal variances it is the root itself."""
    rss, free = np.sum((Y - Y.mean()) ** 2), 5 if restricted else 6
    lowest, top = last_root_bound(of(Y, V), restricted)
    assert lowest.item() == V.min()
    left, right = (top + V.min()) ** 2 * free, rss * (top + V.max())
    assert left.item() == pytest.approx(right.item(), rel=1e-8)
    same = last_root_bound(of(Y, np.full(6, 0.08)), restricted)[1].item()
    assert same == pytest.approx(rss / free - 0.08, rel=1e-8)
    assert same >= rss / free - 0.08, "rounding leaves it above the root"


def test_of_very_unlike_variances_the_most_precise_effect_leads_without_loss():
    """w = 1e16 beside 1 and 2: mean 1 + (w2 (y2 - 1) + w3 (y3 - 1)) / sum w, to the last digits."""
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        y, v = np.array([1.0, 3.0, -2.0])[order], np.array([1e-16, 1.0, 0.5])[order]
        at = slope_moments(of(y, v), 0.0)
        assert at.mean.item() == pytest.approx((2.0 - 6.0) / (1e16 + 3.0), rel=1e-12)
        assert at.q.item() == pytest.approx(4.0 + 18.0, rel=1e-12)
        assert at.q2.item() == pytest.approx(4.0 + 36.0 + 16.0, rel=1e-12)
        assert at.trace.item() == pytest.approx(3.0 + 1.0 + 2.0, rel=1e-12)
