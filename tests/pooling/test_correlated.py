"""Effects that share a control: the full covariance against metafor's rma.mv and against itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.pooling.correlated import blocks, checked_covariance, decorrelated
from osteometa.pooling.model import joint_test, pool, regress
from osteometa.pooling.tau2 import q_profile
from scipy.special import chdtri, stdtrit

SHARED_V = np.diag([0.090, 0.085, 0.120, 0.070, 0.060, 0.100])
SHARED_V[0, 1] = SHARED_V[1, 0] = 0.045
APART_Y = [0.90, -0.25, 0.55, 1.30, 0.10, -0.20]
TYPES = np.array([[1.0, 0], [0, 1], [1, 0], [1, 0], [0, 1], [0, 1]])


def test_rows_and_studies_have_their_own_degrees_of_freedom():
    """Six effects of five studies: Q has rows - p, t has studies - p."""
    fit = pool(APART_Y, None, V=SHARED_V)
    assert (fit.k, fit.q_df, fit.df) == (5, 5, 4)
    assert pool(APART_Y, None, V=SHARED_V, studies=4).df == 3
    assert pool(APART_Y, np.diagonal(SHARED_V), studies=5).df == 4
    model = regress(APART_Y, None, TYPES, V=SHARED_V)
    assert (model.q_df, model.df) == (4, 3)
    statistic, df1, df2, _ = joint_test(model, np.array([[1.0, -1.0]]))
    assert statistic > 0 and (df1, df2) == (1, 3)


@pytest.mark.parametrize("ci", ["wald", "hksj", "hksj-floor"])
def test_as_many_coefficients_as_studies_have_a_normal_interval(ci):
    """Three effects of two studies: no degrees of freedom for t, errors by least squares."""
    y, V = [0.1, 0.4, 0.6], np.array([[0.10, 0.05, 0], [0.05, 0.20, 0], [0, 0, 0.10]])
    X = np.column_stack([np.ones(3), [1.0, 1.0, 2.0]])
    fit = regress(y, None, X, V=V, ci=ci, method="EE")
    assert (fit.studies, fit.q_df, fit.df) == (2, 1, None)
    covariance = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    assert fit.covariance == pytest.approx(covariance, rel=1e-9)


def test_one_study_of_two_arms_is_listed():
    one = pool(APART_Y[:2], None, V=SHARED_V[:2, :2])
    assert (one.status, one.k, one.tau2, one.df) == ("listed", 1, None, None)
    w = np.linalg.inv(SHARED_V[:2, :2]).sum(axis=0)
    assert one.estimate == pytest.approx(w @ APART_Y[:2] / w.sum(), rel=1e-12)
    assert one.se == pytest.approx(w.sum() ** -0.5, rel=1e-12)
    assert one.weights == pytest.approx(tuple(100 * w / w.sum()))


@pytest.mark.parametrize(
    ("V", "words"),
    [
        (np.eye(2), "must be 3 x 3"),
        (np.diag([1.0, -1.0, 1.0]), "variance 2 must be above 0"),
        (np.array([[1, 2, 0], [2, 1, 0], [0, 0, 1]]), "effects 1, 2 are not possible together"),
        (np.array([[1, 0.2, 0], [0.3, 1, 0], [0, 0, 1]]), "not symmetric"),
        (1e-6 * np.array([[1, 0.2, 0], [0.3, 1, 0], [0, 0, 1]]), "not symmetric"),
        (np.diag([1.0, np.nan, 1.0]), "not a finite number"),
    ],
)
def test_impossible_covariances_are_refused(V, words):
    with pytest.raises(ValueError, match=words):
        pool([0.1, 0.2, 0.3], None, V=V)


def test_blocks_are_found_over_a_chain_and_the_rest_is_left_alone():
    V = np.eye(5)
    V[0, 3] = V[3, 0] = V[3, 4] = V[4, 3] = 0.3
    assert blocks(V) == [[0, 3, 4], [1], [2]]
    y, v, X = decorrelated(np.arange(5.0), checked_covariance(V, 5), np.ones((5, 1)))
    assert (y[1], v[1], X[1, 0]) == (1.0, 1.0, 1.0)


rows = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 2)), min_size=3, max_size=9)


@settings(max_examples=50, deadline=None)
@given(rows, st.floats(-0.3, 0.9), st.booleans())
def test_a_diagonal_covariance_is_no_covariance(table, rho, together):
    y, v = (np.array(column) for column in zip(*table, strict=True))
    same = pool(y, None, V=np.diag(v))
    assert same == pool(y, v)
    V = np.diag(v)
    if together:
        V[0, 1] = V[1, 0] = rho * (v[0] * v[1]) ** 0.5
    fit = pool(y, None, V=V)
    turned = np.arange(len(y))[::-1]
    other = pool(y[turned], None, V=V[np.ix_(turned, turned)])
    assert other.tau2 == pytest.approx(fit.tau2, rel=1e-8, abs=1e-12)
    assert other.estimate == pytest.approx(fit.estimate, rel=1e-8, abs=1e-9)
    assert sum(fit.weights) == pytest.approx(100)


def matrices(V, X, tau2=0.0):
    """W and P of generalised least squares, written out."""
    W = np.linalg.inv(V + tau2 * np.eye(len(V)))
    return W, W - W @ X @ np.linalg.solve(X.T @ W @ X, X.T @ W)


@pytest.mark.parametrize("moderator", [False, True])
def test_closed_estimators_are_what_their_formulas_say(moderator):
    """DL, HE, HS, SJ and PM with a covariance, from dense matrices."""
    y, k = np.array(APART_Y) * 2, 6
    X = np.c_[np.ones(k), [0, 1, 3, 0, 2, 1]] if moderator else np.ones((k, 1))
    p = X.shape[1]
    W, P = matrices(SHARED_V, X)
    M = np.eye(k) - X @ np.linalg.solve(X.T @ X, X.T)
    start = float(np.mean((y - y.mean()) ** 2))
    wanted = {
        "DL": (y @ P @ y - (k - p)) / np.trace(P),
        "HE": (y @ M @ y - np.trace(M @ SHARED_V)) / (k - p),
        "HS": (y @ P @ y - k) / np.trace(W),
        "SJ": start * (y @ matrices(SHARED_V, X, start)[1] @ y) / (k - p),
    }
    for method, tau2 in wanted.items():
        fit = regress(y, None, X, method=method, V=SHARED_V)
        assert tau2 > 0 and fit.tau2 == pytest.approx(tau2, rel=1e-10), method
    for method in ("PM", "EB"):
        tau2 = regress(y, None, X, method=method, V=SHARED_V).tau2
        assert y @ matrices(SHARED_V, X, tau2)[1] @ y == pytest.approx(k - p, rel=1e-9)


def test_intervals_with_a_covariance_are_where_their_equations_hold():
    """Q-profile: chi-square quantiles of y'P(tau2)y. Profile likelihood: a fall of 1.92."""
    y, X = np.array(APART_Y) * 2, np.ones((6, 1))
    low, high = q_profile(y, np.diagonal(SHARED_V), X, V=SHARED_V)
    for limit, quantile in ((low, chdtri(5, 0.025)), (high, chdtri(5, 0.975))):
        assert y @ matrices(SHARED_V, X, limit)[1] @ y == pytest.approx(quantile, rel=1e-9)
    fit = pool(y, None, V=SHARED_V, tau2_ci="pl")

    def height(tau2):
        W, P = matrices(SHARED_V, X, tau2)
        return 0.5 * (np.linalg.slogdet(W)[1] - np.log((X.T @ W @ X)[0, 0]) - y @ P @ y)

    for limit in (fit.tau2_ci_low, fit.tau2_ci_high):
        assert height(fit.tau2) - height(limit) == pytest.approx(chdtri(1, 0.05) / 2, rel=1e-7)
    share = fit.tau2_ci_high / (fit.tau2_ci_high + 5 / np.trace(matrices(SHARED_V, X)[1]))
    assert fit.i2_ci_high == pytest.approx(100 * share)


def test_a_knapp_hartung_interval_with_a_covariance():
    """Factor e'We / (rows - p), t on studies - p, never narrower with the floor."""
    y, X = np.array(APART_Y), np.ones((6, 1))
    fit = pool(y, None, V=SHARED_V, ci="hksj")
    W, P = matrices(SHARED_V, X, fit.tau2)
    assert fit.se == pytest.approx(np.sqrt(y @ P @ y / 5 / W.sum()), rel=1e-9)
    half = stdtrit(4, 0.975) * fit.se
    assert fit.ci_high - fit.estimate == pytest.approx(half, rel=1e-9)
    assert pool(y, None, V=SHARED_V).se >= W.sum() ** -0.5 * (1 - 1e-12)
    close = pool([0.2, 0.21, 0.2, 0.2, 0.19, 0.2], None, V=SHARED_V)
    assert close.se == pytest.approx(matrices(SHARED_V, X)[0].sum() ** -0.5, rel=1e-9)
