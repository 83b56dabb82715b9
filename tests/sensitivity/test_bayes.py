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
from scipy.integrate import quad
from scipy.stats import norm

ORACLE = json.loads((TESTS / "oracle" / "metafor.json").read_text())["datasets"]
FOUR = ([0.1, 0.5, 0.3, 0.9], [0.04, 0.05, 0.10, 0.06])


def taus(found):
    """Quantiles of tau, each with its share."""
    return ((found.tau_low, 0.025), (math.sqrt(found.tau2), 0.5), (found.tau_high, 0.975))


def joint(mu, tau, y, v, scale=0.5):
    """Prior times likelihood, as the model is written down."""
    likelihood = np.ones(np.broadcast(mu, tau).shape)
    for effect, variance in zip(y, v, strict=True):
        total = variance + tau**2
        likelihood *= np.exp(-0.5 * (effect - mu) ** 2 / total) / np.sqrt(total)
    return np.exp(-0.5 * (tau / scale) ** 2) * likelihood


def nodes(low, high, panels=20, order=20):
    """Return nodes and weights of the Gauss-Legendre rule in each of equal panels."""
    x, w = np.polynomial.legendre.leggauss(order)
    half = (high - low) / panels / 2
    middles = low + half * (2 * np.arange(panels) + 1)
    return (middles[:, None] + half * x).ravel(), np.tile(half * w, panels)


def integral(function, y, v, mu=(-7.0, 7.0), tau=(0.0, 5.0)):
    """Return the integral over a rectangle, with panels of 0.7 by 0.25 or smaller."""
    (m, by_mu), (t, by_tau) = nodes(*mu), nodes(*tau)
    m, t = m[:, None], t[None, :]
    return float(by_mu @ (function(m, t) * joint(m, t, y, v)) @ by_tau)


@pytest.mark.parametrize(("y", "v"), [FOUR, ([0.2, 0.9], [0.05, 0.02])])
def test_agrees_with_integration_in_two_dimensions(y, v):
    ours = posterior(y, v)
    total = integral(lambda m, t: 1.0, y, v)
    assert ours.estimate == pytest.approx(integral(lambda m, t: m, y, v) / total, rel=1e-7)
    square = integral(lambda m, t: (m - ours.estimate) ** 2, y, v) / total
    assert ours.se == pytest.approx(math.sqrt(square), rel=1e-7)
    for limit, share in ((ours.ci_low, 0.025), (ours.ci_high, 0.975)):
        below = integral(lambda m, t: 1.0, y, v, mu=(-7.0, limit)) / total
        assert below == pytest.approx(share, abs=1e-7)
    for limit, share in taus(ours):
        below = integral(lambda m, t: 1.0, y, v, tau=(0.0, limit)) / total
        assert below == pytest.approx(share, abs=1e-7)


def test_one_study_leaves_tau_as_the_prior_says():
    """With a flat prior on mu one study tells nothing about tau: half-normal quantiles."""
    ours = posterior([0.4], [0.09])
    for found, share in taus(ours):
        assert found == pytest.approx(0.5 * norm.ppf(0.5 + share / 2), rel=1e-9)
    assert ours.estimate == pytest.approx(0.4, rel=1e-12)
    assert ours.se == pytest.approx(math.sqrt(0.09 + 0.25), rel=1e-9)


def test_a_prior_near_zero_gives_the_common_effect():
    y, v = (np.array(x) for x in FOUR)
    ours = posterior(y, v, scale=1e-6)
    w = 1 / v
    assert ours.estimate == pytest.approx(float(np.sum(w * y) / np.sum(w)), rel=1e-8)
    assert ours.se == pytest.approx(float(np.sum(w) ** -0.5), rel=1e-8)
    assert ours.ci_high == pytest.approx(ours.estimate + norm.ppf(0.975) * ours.se, rel=1e-8)


@pytest.mark.parametrize("name", ["bcg_RR", "hard_huge_heterogeneity", "hard_variance_ratio_1e8",
                                  "hard_tau2_near_zero", "hard_identical_effects", pytest.param(
                                      "two_thousand", marks=pytest.mark.slow)])  # fmt: skip
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

    def below(limit):
        return sum(
            quad(lambda t: math.exp(log_density(t) - top), a, b, epsrel=1e-11)[0]
            for a, b in itertools.pairwise([*(e for e in edges if e < limit), limit])
        )

    ours = posterior(y, v)
    whole = below(max(edges))
    for limit, share in taus(ours):
        assert below(limit) / whole == pytest.approx(share, abs=1e-7)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_units_change_nothing_if_the_prior_goes_with_them(scale):
    y, v = (np.array(x) for x in FOUR)
    first, other = posterior(y, v), posterior(scale * y, scale**2 * v, scale=0.5 * scale)
    assert other.tau2 == pytest.approx(scale**2 * first.tau2, rel=1e-8)
    for name in ("estimate", "se", "ci_low", "ci_high", "tau_high"):
        assert getattr(other, name) == pytest.approx(scale * getattr(first, name), rel=1e-8)


@pytest.mark.slow
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
    assert ours.ci_low < ours.ci_high
    assert 0 <= ours.tau_low < math.sqrt(ours.tau2) < ours.tau_high
    assert ours.prior == "tau half-normal(0.5), mu flat"


def test_a_scale_of_zero_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        posterior(*FOUR, scale=0.0)
