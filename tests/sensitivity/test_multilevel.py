"""Models of several effects per study; beside metafor and others in compare_nested."""

import math

import numpy as np
import pytest
from compare import TIGHT
from compare_nested import NESTED
from osteometa.sensitivity.multilevel import constant_correlation, multilevel, robust_variance

ITERATED, CLOSED = 1e-6, 1e-8


def test_few_degrees_of_freedom_are_marked():
    y, v = 0.3 + 1e-3 * np.arange(13), np.full(13, 0.1)
    v[:3] = 1e-5
    study = [str(max(0, i - 1)) for i in range(13)]
    ours = multilevel(y, v, study, rho=0.5)
    assert ours.df < 4
    assert ours.warning == f"intercept: {ours.df:.1f} degrees of freedom, below 4: not reliable"
    data = NESTED["konstantopoulos2011"]
    assert not multilevel(data["yi"], data["vi"], data["cluster"]).warning


def restricted_log_likelihood(y, V, study, tau2, omega2):
    """The likelihood written down a second time, for all effects at once and without constants."""
    same = (study[:, None] == study[None, :]).astype(float)
    W = np.linalg.inv(V + tau2 * same + omega2 * np.eye(len(y)))
    residuals = y - np.sum(W @ y) / np.sum(W)
    return 0.5 * (np.linalg.slogdet(W)[1] - math.log(np.sum(W)) - residuals @ W @ residuals)


@pytest.mark.parametrize("theirs", TIGHT["che"], ids=lambda t: f"{t['set']}-{t['rho']}")
def test_variances_are_at_the_top_of_the_likelihood(theirs):
    data = NESTED[theirs["set"]]
    y, study = np.array(data["yi"]), np.array(data["cluster"])
    V = constant_correlation(data["vi"], study, theirs["rho"])
    ours = multilevel(y, data["vi"], study, rho=theirs["rho"])
    top = np.array([ours.tau2, ours.omega2])
    for step in np.vstack([np.eye(2), [1, 1], [1, -1]]) * top * 1e-3:
        up, down = (
            restricted_log_likelihood(y, V, study, *(top + sign * step)) for sign in (1, -1)
        )
        at = restricted_log_likelihood(y, V, study, *top)
        # The slope is 0 beside the curvature: the top is within 1e-6 of the variances.
        assert up < at > down
        assert abs(up - down) / (2 * at - up - down) < 2e-3


@pytest.mark.parametrize("model", [multilevel, robust_variance])
@pytest.mark.parametrize("limit", ["ci_low", "ci_high"])
def test_a_limit_of_the_interval_is_rejected_with_a_p_of_five_percent(model, limit):
    data = NESTED["assink2016"]
    y, rest = np.array(data["yi"]), (data["vi"], data["cluster"])
    ours = model(y, *rest, rho=0.6)
    assert ours.ci_low < ours.estimate < ours.ci_high
    shifted = model(y - getattr(ours, limit), *rest, rho=0.6)
    assert shifted.p == pytest.approx(0.05, rel=1e-5)


def test_robust_variance_agrees_with_pymare():
    from pymare.stats import correlated_effects_tau2

    data = NESTED["assink2016"]
    y, v = (np.array(data[key])[:, None] for key in ("yi", "vi"))
    groups = np.unique(data["cluster"], return_inverse=True)[1]
    theirs = correlated_effects_tau2(y, v, np.ones((len(y), 1)), groups, rho=0.3)
    ours = robust_variance(data["yi"], data["vi"], data["cluster"], rho=0.3)
    assert ours.tau2 == pytest.approx(float(np.ravel(theirs)[0]), rel=CLOSED)


@pytest.mark.parametrize("scale", [1e-3, 1e3, 1e6])
@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_units_change_nothing(scale, rho):
    data = NESTED["konstantopoulos2011"]
    y, v = np.array(data["yi"]), np.array(data["vi"])
    first = multilevel(y, v, data["cluster"], rho=rho)
    other = multilevel(scale * y, scale**2 * v, data["cluster"], rho=rho)
    assert other.tau2 == pytest.approx(scale**2 * first.tau2, rel=ITERATED)
    assert other.omega2 == pytest.approx(scale**2 * first.omega2, rel=ITERATED)
    assert other.se == pytest.approx(scale * first.se, rel=ITERATED)
    assert (other.df, other.p) == pytest.approx((first.df, first.p), rel=ITERATED)


def test_small_units_agree_with_clubsandwich_in_larger_ones():
    """In g/cm2 clubSandwich gives other standard errors than in mg/cm2: its limits are absolute."""
    data = TIGHT["small_units"]
    ours = multilevel(data["yi"], data["vi"], data["study"], least=2)
    assert 1e3 * ours.estimate == pytest.approx(data["mg"]["estimate"], rel=1e-5)
    assert 1e3 * ours.se == pytest.approx(data["mg"]["se"], rel=1e-5)
    assert ours.df == pytest.approx(data["mg"]["df"], rel=1e-5)


def test_order_changes_nothing():
    data = NESTED["konstantopoulos2011"]
    order = np.random.default_rng(3).permutation(len(data["yi"]))
    y, v, study = (np.array(data[key]) for key in ("yi", "vi", "cluster"))
    first = multilevel(y, v, study, rho=0.5)
    other = multilevel(y[order], v[order], study[order], rho=0.5)
    for name in ("tau2", "omega2", "estimate", "se", "df", "p"):
        assert getattr(other, name) == pytest.approx(getattr(first, name), rel=ITERATED)


def test_constant_correlation():
    V = constant_correlation([0.04, 0.09, 0.25], ["a", "b", "a"], 0.5)
    expected = [[0.04, 0, 0.05], [0, 0.09, 0], [0.05, 0, 0.25]]
    assert pytest.approx(np.array(expected)) == V
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        constant_correlation([0.1], ["a"], 1.0)


@pytest.mark.parametrize(
    ("y", "study", "word"),
    [
        ([], [], "no study: the model needs"),
        ([0.1, 0.2, 0.3], ["a", "a", "b"], "2 studies"),
        (list(np.linspace(0, 1, 12)), [str(i) for i in range(12)], "no study has several"),
        ([0.3] * 24, [str(i // 2) for i in range(24)], "clusters do not differ"),
    ],
)
@pytest.mark.parametrize("model", [multilevel, robust_variance])
def test_what_cannot_be_estimated_says_why(y, study, word, model):
    ours = model(y, [0.1] * len(y), study)
    assert ours.status == "not_estimable" and word in ours.reason
    assert ours.estimate is None and ours.effects == len(y) and ours.k == len(set(study))


def test_one_dominant_study_gives_numbers_or_a_reason():
    random = np.random.default_rng(5)
    study = [str(i // 2) for i in range(24)]
    for v0 in (1e-12, 1e12):
        v = [v0] + [0.1] * 23
        for ours in (
            multilevel(random.normal(size=24), v, study, rho=0.5),
            robust_variance(random.normal(size=24), v, study),
        ):
            if ours.status == "ok":
                assert all(math.isfinite(x) for x in (ours.estimate, ours.se, ours.df, ours.p))
            else:
                assert ours.reason and ours.estimate is None
