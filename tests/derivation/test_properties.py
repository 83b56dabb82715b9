"""What must hold for any numbers: order, sign, origin, unit, participants merged in any order."""

import itertools
import math
import random
from dataclasses import asdict

import numpy as np
import pytest
from builders import CONFIG, contrasted, measurement, review_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from osteometa.comparisons.summaries import merge_arms
from osteometa.derivation.derive import derive
from osteometa.pooling.model import pool, regress
from osteometa.pooling.tau2 import profile_likelihood, q_profile
from osteometa.wording.choices import CI_METHODS, METHODS

arms = st.lists(
    st.tuples(st.integers(2, 80), st.floats(-50, 50), st.floats(0.01, 20)), min_size=2, max_size=5
)
studies = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 4)), min_size=2, max_size=9)
covariances = st.tuples(st.sampled_from((0.0, 0.3, 0.6)), st.integers(0, 999))
levels = st.tuples(*[st.floats(1, 9), st.floats(0.1, 1)] * 4)


def close(one, other, scale=1.0):
    return one == pytest.approx(other, rel=1e-7, abs=1e-9 * scale)


@given(arms, st.randoms(use_true_random=False))
def test_arms_merge_to_the_same_in_any_order_and_in_steps(groups, rng):
    whole = merge_arms(groups)
    mixed = list(groups)
    rng.shuffle(mixed)
    stepwise = mixed[0]
    for arm in mixed[1:]:
        stepwise = merge_arms([stepwise, arm])
    for found in (merge_arms(mixed), stepwise):
        assert found[0] == whole[0] == sum(n for n, _, _ in groups)
        assert found[1:] == pytest.approx(whole[1:], rel=1e-9, abs=1e-9)


@given(st.lists(st.lists(st.floats(-9, 9), min_size=2, max_size=6), min_size=2, max_size=4))
def test_a_merged_arm_is_the_arm_of_all_its_people(groups):
    everybody = list(itertools.chain(*groups))
    assume(np.std(everybody) > 1e-3)
    n, mean, sd = merge_arms([(len(g), np.mean(g), np.std(g, ddof=1)) for g in groups])
    wanted = (len(everybody), np.mean(everybody), np.std(everybody, ddof=1))
    assert (n, mean, sd) == pytest.approx(wanted, abs=1e-9)


def covariance(vi, rho, seed):
    """Return a covariance that links neighbours, two and two; rho 0 is none."""
    V = np.diag(vi)
    for i in range(seed % 2, len(vi) - 1, 2):
        V[i, i + 1] = V[i + 1, i] = rho * math.sqrt(vi[i] * vi[i + 1])
    return V


@settings(max_examples=60, deadline=None)
@given(studies, covariances, st.sampled_from(METHODS))
def test_the_order_of_studies_is_nothing(rows, link, method):
    y, v = (np.array(column) for column in zip(*rows, strict=True))
    V = covariance(v, *link)
    turn = np.random.default_rng(link[1]).permutation(len(y))
    one = pool(y, v, V=V, method=method)
    other = pool(y[turn], v[turn], V=V[np.ix_(turn, turn)], method=method)
    for name in ("estimate", "se", "ci_low", "ci_high", "tau2", "q", "i2"):
        if getattr(one, name) is not None:
            assert close(getattr(other, name), getattr(one, name), 10.0), name
    assert close(np.array(other.weights), np.array(one.weights)[turn], 100.0)


@settings(max_examples=60, deadline=None)
@given(studies, covariances, st.sampled_from(METHODS), st.floats(-5, 5), st.sampled_from((-1, 1)))
def test_origin_and_sign_move_the_mean_alone(rows, link, method, shift, sign):
    y, v = (np.array(column) for column in zip(*rows, strict=True))
    V = covariance(v, *link)
    one = pool(y, v, V=V, method=method)
    other = pool(sign * y + shift, v, V=V, method=method)
    assert close(other.estimate, sign * one.estimate + shift, 10.0)
    for name in ("se", "tau2", "q", "i2", "tau2_ci_low", "tau2_ci_high"):
        if getattr(one, name) is not None:
            assert close(getattr(other, name), getattr(one, name), 10.0), name
    ends = sorted((sign * one.ci_low + shift, sign * one.ci_high + shift))
    assert close([other.ci_low, other.ci_high], ends, 10.0)


@settings(max_examples=40, deadline=None)
@given(studies, st.floats(-3, 3), st.sampled_from(("REML", "ML", "EE")))
def test_a_study_of_next_to_no_weight_moves_nothing(rows, effect, method):
    """Methods of moments count it among the degrees of freedom; a likelihood does not."""
    y, v = (list(column) for column in zip(*rows, strict=True))
    one = pool(y, v, method=method, ci="wald")
    other = pool([*y, effect], [*v, 1e13], method=method, ci="wald")
    for name in ("estimate", "se", "tau2"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-5, abs=1e-5)
    assert other.q == pytest.approx(one.q, rel=1e-9, abs=1e-9)
    assert other.weights[-1] < 1e-8


@settings(max_examples=60, deadline=None)
@given(studies, st.floats(-3, 3), st.sampled_from(("DL", "HE", "HS", "PM", "EB")))
def test_a_moment_estimator_counts_that_study_and_so_can_only_fall(rows, effect, method):
    """Q stays and its expectation rises by 1; HE takes off the mean variance, which is huge.

    Nothing holds for SJ, which starts from the plain variance of the effects.
    """
    y, v = (list(column) for column in zip(*rows, strict=True))
    one, other = pool(y, v, method=method), pool([*y, effect], [*v, 1e13], method=method)
    assert other.tau2 <= one.tau2 * (1 + 1e-9)
    assert other.q == pytest.approx(one.q, rel=1e-9, abs=1e-9)
    assert other.weights[-1] < 1e-8


ORDER = {"i2": 0, "h2": 0, "q": 0, "statistic": 0, "df": 0, "p": 0, "tau2": 2}
"""By which power of the unit a number changes; estimates and limits by the first."""


@settings(max_examples=120, deadline=None)
@given(
    studies, covariances, st.sampled_from(METHODS), st.sampled_from(CI_METHODS), st.integers(-6, 6)
)
def test_another_unit_changes_nothing_but_the_unit(rows, link, method, ci, power):
    y, v = (np.array(column) for column in zip(*rows, strict=True))
    V, factor = covariance(v, *link), 10.0**power
    one = pool(y, v, V=V, method=method, ci=ci)
    other = pool(factor * y, factor**2 * v, V=factor**2 * V, method=method, ci=ci)
    assert (other.status, other.k, other.note) == (one.status, one.k, one.note)
    assert close(np.array(other.weights), np.array(one.weights), 100.0)
    for name, value in asdict(one).items():
        found = getattr(other, name)
        if isinstance(value, float):
            unit = factor ** ORDER.get(name.split("_")[0], 1)
            assert found == pytest.approx(unit * value, rel=1e-7, abs=1e-9 * unit), name
        elif name != "weights":
            assert found == value, name


@settings(max_examples=60, deadline=None)
@given(studies, covariances, st.sampled_from(METHODS), st.sampled_from(CI_METHODS))
def test_what_is_ok_has_no_nan_with_a_covariance_either(rows, link, method, ci):
    y, v = (np.array(column) for column in zip(*rows, strict=True))
    V = covariance(v, *link)
    fit = pool(y, v, V=V, method=method, ci=ci)
    assert fit.status == ("listed" if fit.k == 1 else "ok")
    for name, value in asdict(fit).items():
        if isinstance(value, float):
            assert math.isfinite(value), name
    assert fit.ci_low <= fit.estimate <= fit.ci_high
    assert sum(fit.weights) == pytest.approx(100)
    assert fit.tau2 is None or fit.tau2 >= 0


@settings(max_examples=60, deadline=None)
@given(studies, covariances, st.floats(1.01, 4))
def test_limits_of_tau2_rise_with_the_spread_and_widen_with_the_level(rows, link, factor):
    y, v = (np.array(column) for column in zip(*rows, strict=True))
    V, X = covariance(v, *link), np.ones((len(y), 1))
    low, high = q_profile(y, v, X, V=V)
    hair = 1e-9 * (1 + high)
    more = q_profile(factor * y, v, X, V=V)
    assert low <= more[0] + hair and high <= more[1] + hair
    wide, narrow = (q_profile(y, v, X, level=level, V=V) for level in (0.99, 0.8))
    assert wide[0] <= low + hair and low <= narrow[0] + hair
    assert narrow[1] <= high + hair and high <= wide[1] + hair


@settings(max_examples=60, deadline=None)
@given(studies, covariances, st.sampled_from(("REML", "ML")))
def test_limits_by_likelihood_widen_with_the_level_and_hold_the_estimate(rows, link, method):
    y, v = (np.array(column) for column in zip(*rows, strict=True))
    V, X = covariance(v, *link), np.ones((len(y), 1))
    ends = [profile_likelihood(y, v, X, method, level, V) for level in (0.5, 0.8, 0.95, 0.99)]
    lows, highs = zip(*ends, strict=True)
    hair = 1e-9 * (1 + highs[-1])
    tau2 = regress(y, v, X, V=V, method=method).tau2
    assert all(low >= wider - hair for low, wider in itertools.pairwise((tau2, *lows)))
    assert all(high <= wider + hair for high, wider in itertools.pairwise((tau2, *highs)))


def rows_of(values, n_e, n_c, swap=1):
    """Levels before and after of both arms; with swap -1 each arm has the numbers of the other."""
    made = []
    for arm, (m0, s0, m1, s1), n in (("e", values[:4], n_e), ("c", values[4:], n_c))[::swap]:
        label = arm if swap == 1 else {"e": "c", "c": "e"}[arm]
        made.append(measurement(label, "baseline", mean=round(m0, 3), sd=round(s0, 3), n=n))
        made.append(measurement(label, "end", mean=round(m1, 3), sd=round(s1, 3), n=n))
    return made


@settings(max_examples=40, deadline=None)
@given(levels, st.integers(4, 40), st.integers(4, 40))
def test_swapped_arms_of_levels_before_and_after(values, n_e, n_c):
    one = derive(review_of(rows_of(values, n_e, n_c)), CONFIG).effects
    other = derive(review_of(rows_of(values, n_e, n_c, -1)), CONFIG).effects
    assert [e.measure for e in one] == [e.measure for e in other] and len(one) >= 2
    for effect, mirrored in zip(one, other, strict=True):
        assert effect.derivation_method == mirrored.derivation_method
        assert mirrored.yi == pytest.approx(-effect.yi, rel=1e-9, abs=1e-12)
        assert mirrored.vi == pytest.approx(effect.vi, rel=1e-9)
        assert (mirrored.n_exercise, mirrored.n_control) == (effect.n_control, effect.n_exercise)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.1, 5), st.floats(0.1, 2), st.integers(4, 40), st.integers(4, 40),
    st.sampled_from(("post", "change")),
)  # fmt: skip
def test_the_sign_of_a_printed_difference_is_that_of_the_effects(value, se, n_e, n_c, score):
    def found(sign):
        md = contrasted("md", value=sign * round(value, 3), se=round(se, 3), unit="ng/mL",
                        score=score, adjusted="no", n_exercise=n_e, n_control=n_c)  # fmt: skip
        return {e.measure: e for e in derive(review_of(contrasts=[md]), CONFIG).effects}

    up, down = found(1), found(-1)
    assert set(up) == set(down) == {"MD", "SMD"}
    for measure, effect in up.items():
        assert effect.yi > 0 and down[measure].yi == pytest.approx(-effect.yi)
        assert down[measure].vi == pytest.approx(effect.vi)
        # The same t and z whatever the scale, but for the term of g in the variance of an SMD.
        assert abs(effect.z) <= value / se * (1 + 1e-2)


@settings(max_examples=20, deadline=None)
@given(levels, st.randoms(use_true_random=False))
def test_the_order_of_raw_rows_is_nothing(values, rng: random.Random):
    rows = rows_of(values, 14, 17)
    mixed = list(rows)
    rng.shuffle(mixed)
    assert derive(review_of(mixed), CONFIG).effects == derive(review_of(rows), CONFIG).effects
