"""The Bayesian model against adaptive integration in two dimensions and closed forms."""

import itertools
import json
import math

import numpy as np
import pytest
from builders import TESTS
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.sensitivity.bayes import posterior
from scipy.integrate import dblquad, quad
from scipy.stats import norm

ORACLE = json.loads((TESTS / "oracle" / "metafor.json").read_text())["datasets"]
FOUR = ([0.1, 0.5, 0.3, 0.9], [0.04, 0.05, 0.10, 0.06])


def joint(mu, tau, y, v, scale=0.5):
    """Prior times likelihood, as the model is written down."""
    total = np.asarray(v) + tau**2
    likelihood = np.prod(np.exp(-0.5 * (np.asarray(y) - mu) ** 2 / total) / np.sqrt(total))
    return math.exp(-0.5 * (tau / scale) ** 2) * float(likelihood)


def integral(function, y, v, mu=(-7.0, 7.0), tau=(0.0, 5.0)):
    return dblquad(
        lambda m, t: function(m, t) * joint(m, t, y, v), *tau, *mu, epsabs=1e-13, epsrel=1e-10
    )[0]


@pytest.mark.parametrize(("y", "v"), [FOUR, ([0.2, 0.9], [0.05, 0.02])])
def test_agrees_with_integration_in_two_dimensions(y, v):
    ours = posterior(y, v)
    total = integral(lambda m, t: 1.0, y, v)
    assert ours.mean == pytest.approx(integral(lambda m, t: m, y, v) / total, rel=1e-7)
    assert ours.tau_mean == pytest.approx(integral(lambda m, t: t, y, v) / total, rel=1e-7)
    square = integral(lambda m, t: (m - ours.mean) ** 2, y, v) / total
    assert ours.sd == pytest.approx(math.sqrt(square), rel=1e-7)
    for limit, share in ((ours.low, 0.025), (ours.median, 0.5), (ours.high, 0.975)):
        below = integral(lambda m, t: 1.0, y, v, mu=(-7.0, limit)) / total
        assert below == pytest.approx(share, abs=1e-7)
    for limit, share in ((ours.tau_low, 0.025), (ours.tau_median, 0.5), (ours.tau_high, 0.975)):
        below = integral(lambda m, t: 1.0, y, v, tau=(0.0, limit)) / total
        assert below == pytest.approx(share, abs=1e-7)
    above = integral(lambda m, t: 1.0, y, v, mu=(0.0, 7.0)) / total
    assert ours.above_zero == pytest.approx(above, abs=1e-7)
    new = integral(lambda m, t: norm.cdf(ours.pi_high, m, t) if t else m < ours.pi_high, y, v)
    assert new / total == pytest.approx(0.975, abs=1e-6)


def test_one_study_leaves_tau_as_the_prior_says():
    """With a flat prior on mu one study tells nothing about tau: half-normal quantiles."""
    ours = posterior([0.4], [0.09])
    for found, share in ((ours.tau_low, 0.025), (ours.tau_median, 0.5), (ours.tau_high, 0.975)):
        assert found == pytest.approx(0.5 * norm.ppf(0.5 + share / 2), rel=1e-9)
    assert ours.mean == pytest.approx(0.4, rel=1e-12)
    assert ours.sd == pytest.approx(math.sqrt(0.09 + 0.25), rel=1e-9)


def test_a_prior_near_zero_gives_the_common_effect():
    y, v = (np.array(x) for x in FOUR)
    ours = posterior(y, v, scale=1e-6)
    w = 1 / v
    assert ours.mean == pytest.approx(float(np.sum(w * y) / np.sum(w)), rel=1e-8)
    assert ours.sd == pytest.approx(float(np.sum(w) ** -0.5), rel=1e-8)
    assert ours.high == pytest.approx(ours.mean + norm.ppf(0.975) * ours.sd, rel=1e-8)


def test_a_normal_prior_of_the_mean():
    ours = posterior([0.4], [0.09], scale=1e-6, mu_prior=(0.0, 0.3))
    assert ours.mean == pytest.approx(0.2, rel=1e-8)
    assert ours.sd == pytest.approx(math.sqrt(0.045), rel=1e-8)
    assert ours.prior == "tau half-normal(1e-06), mu normal(0, 0.3)"


@pytest.mark.parametrize("name", ["bcg_RR", "hard_huge_heterogeneity", "hard_variance_ratio_1e8",
                                  "hard_tau2_near_zero", "hard_identical_effects",
                                  "two_thousand"])  # fmt: skip
def test_tau_agrees_with_adaptive_integration(name):
    """Densities at 0, far in the tail of the prior, with a variance ratio of 1e8, and narrow."""
    made = {"yi": 30 * norm.ppf((np.arange(2000) + 0.5) / 2000), "vi": np.full(2000, 0.01)}
    data = {**ORACLE, "two_thousand": made}[name]
    y, v = np.array(data["yi"]), np.array(data["vi"])

    def log_density(tau):
        w = 1 / (v + tau**2)
        mean = np.sum(w * y) / np.sum(w)
        logs = np.sum(np.log(w)) - np.log(np.sum(w)) - np.sum(w * (y - mean) ** 2)
        return 0.5 * float(logs) - 0.5 * (tau / 0.5) ** 2

    grid = np.concatenate([np.linspace(0, 60, 6001), np.geomspace(1e-6, 1, 600)])
    at_top = grid[np.argmax([log_density(t) for t in grid])]
    top = log_density(at_top)
    edges = sorted({0.0, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 1.0, *(max(0, at_top + d) for d in
                    (-3, -1, -0.3, 0, 0.3, 1, 3, 8))})  # fmt: skip

    def moment(power):
        return sum(
            quad(lambda t: t**power * math.exp(log_density(t) - top), a, b, epsrel=1e-11)[0]
            for a, b in itertools.pairwise(edges)
        )

    ours = posterior(y, v)
    assert ours.tau_mean == pytest.approx(moment(1) / moment(0), rel=1e-7)
    assert ours.tau_low < ours.tau_median < ours.tau_high


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_units_change_nothing_if_the_prior_goes_with_them(scale):
    y, v = (np.array(x) for x in FOUR)
    first, other = posterior(y, v), posterior(scale * y, scale**2 * v, scale=0.5 * scale)
    for name in ("mean", "sd", "low", "high", "tau_mean", "tau_median", "tau_high", "pi_low"):
        assert getattr(other, name) == pytest.approx(scale * getattr(first, name), rel=1e-8)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.3, -0.2, 1e4, 0.7]),
                  st.sampled_from([0.04, 0.1, 1e-8, 1e8])),
        max_size=5,
    )
)  # fmt: skip
def test_odd_data_give_numbers_in_order_or_a_reason(pairs):
    ours = posterior([p[0] for p in pairs], [p[1] for p in pairs])
    if not pairs:
        assert ours.status == "not_estimable" and ours.reason == "no study"
        return
    assert ours.status == "ok"
    assert ours.low < ours.median < ours.high
    assert ours.pi_low <= ours.low and ours.high <= ours.pi_high
    assert 0 <= ours.tau_low < ours.tau_median < ours.tau_high
    assert ours.prior == "tau half-normal(0.5), mu flat"


def test_a_scale_of_zero_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        posterior(*FOUR, scale=0.0)
