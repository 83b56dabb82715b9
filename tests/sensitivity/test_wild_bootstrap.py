"""Cluster wild bootstrap against refits by metafor and robumeta, counts by hand and symmetries."""

import itertools
import json

import numpy as np
import pytest
from builders import TESTS
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.sensitivity.multilevel import multilevel, robust_variance
from osteometa.sensitivity.wild_bootstrap import wild_bootstrap

ORACLE = json.loads((TESTS / "oracle" / "wild.json").read_text())
MODELS = {"three_level": "three_level", "che": "che", "correlated": "robust"}
CASES = [(name, key) for name in ORACLE for key in ("three_level", "che", "correlated", "shifted")]


def case(name, key):
    """Return effects under the null of a case, variances, studies, and how R fitted them."""
    data, theirs = ORACLE[name], ORACLE[name][key]
    options = {"model": MODELS.get(key, "three_level"), "rho": theirs["rho"]}
    return np.array(data["yi"]) - theirs.get("null", 0.0), data["vi"], data["study"], options


def turned(y, study, signs):
    return np.array(y) * [signs[list(dict.fromkeys(study)).index(name)] for name in study]


@pytest.mark.parametrize(("name", "key"), CASES)
def test_p_agrees_with_refits_in_r(name, key):
    y, v, study, options = case(name, key)
    theirs = ORACLE[name][key]
    ours = wild_bootstrap(y, v, study, **options, interval=False)
    assert ours.status == "ok" and ours.exact
    assert ours.p == theirs["p"]
    assert ours.sign_vectors == 2 * len(theirs["statistics"]) == 2**ours.k
    assert ours.p_smallest == 2 / 2**ours.k
    assert ours.statistic == pytest.approx(theirs["statistics"][0], rel=1e-6)
    if key == "correlated":
        assert ours.estimate == pytest.approx(theirs["estimate"], rel=1e-8)
        assert ours.tau2 == pytest.approx(theirs["tau2"][0], rel=1e-8) and ours.omega2 is None
    else:
        estimate = theirs["coefficients"][0] - theirs["null"]
        assert ours.estimate == pytest.approx(estimate, rel=1e-6)
        assert (ours.tau2, ours.omega2) == pytest.approx(theirs["sigma2"], rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "key"), CASES)
def test_the_statistic_of_every_sign_vector_agrees_with_r(name, key):
    y, v, study, options = case(name, key)
    theirs = ORACLE[name][key]
    one = {**options, "exact_up_to": 0, "draws": 2, "interval": False}
    for signs, statistic in zip(theirs["signs"], theirs["statistics"], strict=True):
        ours = wild_bootstrap(turned(y, study, signs), v, study, **one)
        # Where metafor stops, the variances are right to 1e-6: so are statistics near 0.
        assert ours.statistic == pytest.approx(statistic, rel=1e-5, abs=1e-5)


def nested(studies=7, seed=5, mean=0.3):
    random = np.random.default_rng(seed)
    number = random.integers(1, 5, studies)
    number[0] = 3
    study = np.repeat([f"s{i:02d}" for i in range(studies)], number)
    v = random.uniform(0.02, 0.2, len(study))
    y = mean + np.repeat(random.normal(0, 0.3, studies), number)
    return y + random.normal(0, 1, len(y)) * np.sqrt(v + 0.02), v, study


KINDS = [("three_level", 0.0), ("che", 0.5), ("robust", 0.8)]


@pytest.mark.parametrize(("model", "rho"), KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_equal_designs_are_counted_by_hand(model, rho, seed):
    """With equal variances and numbers t rises with the mean of the studies' turned means."""
    random = np.random.default_rng(seed)
    y = random.normal(0.3, 0.5, (6, 2))
    means = y.mean(axis=1)
    sums = [
        abs(np.dot(signs, means)) for signs in itertools.product((1.0, -1.0), repeat=len(means))
    ]
    study = np.repeat(list("abcdef"), 2)
    ours = wild_bootstrap(y.ravel(), np.full(12, 0.1), study, model=model, rho=rho)
    assert ours.p == np.mean(np.array(sums) >= sums[0] * (1 - 1e-9))
    assert ours.estimate == pytest.approx(means.mean(), rel=1e-9)
    deviations = means - means.mean()
    assert ours.statistic == pytest.approx(
        6 * means.mean() / np.sqrt(np.sum(deviations**2)), rel=1e-9
    )


@pytest.mark.parametrize(("model", "rho"), KINDS)
def test_under_symmetry_p_is_exact(model, rho):
    """Over all ways to turn the studies, p is at most a in a share of at most a of them."""
    y, v, study = nested(5)
    found = [
        wild_bootstrap(
            turned(y, study, (1, *signs)), v, study, model=model, rho=rho, interval=False
        ).p
        for signs in itertools.product((1, -1), repeat=4)
    ]
    assert sorted(found) == pytest.approx(np.arange(1, 17) / 16)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "rho"), KINDS)
@pytest.mark.parametrize("exact_up_to", [12, 0])
def test_symmetries(model, rho, exact_up_to):
    y, v, study = nested()
    options = {"model": model, "rho": rho, "exact_up_to": exact_up_to, "draws": 200}
    first = wild_bootstrap(y, v, study, **options)
    limits = np.array([first.ci_low, first.estimate, first.ci_high])
    assert limits[0] < limits[1] < limits[2] and first.exact == bool(exact_up_to)

    def same(other, expected):
        found = [other.ci_low, other.estimate, other.ci_high]
        assert other.p == first.p
        assert found == pytest.approx(list(expected), rel=1e-6, abs=1e-6 * np.ptp(expected))

    small = wild_bootstrap(1e-3 * y, 1e-6 * v, study, **options)
    same(small, 1e-3 * limits)
    assert small.tau2 == pytest.approx(1e-6 * first.tau2, rel=1e-6)
    assert small.statistic == pytest.approx(first.statistic, rel=1e-6)
    same(wild_bootstrap(-y, v, study, **options), -limits[::-1])
    order = np.random.default_rng(8).permutation(len(y))
    same(wild_bootstrap(y[order], v[order], study[order], **options), limits)
    away = wild_bootstrap(y + 0.1, v, study, **options)
    assert (away.ci_low, away.ci_high) == pytest.approx(limits[[0, 2]] + 0.1, rel=1e-6)


@pytest.mark.parametrize(("model", "rho"), KINDS)
def test_the_interval_holds_what_the_test_does_not_reject(model, rho):
    y, v, study = nested(8, seed=2)
    found = wild_bootstrap(y, v, study, model=model, rho=rho)
    for limit in (found.ci_low, found.ci_high):
        for share, rejected in ((0.98, False), (1.02, True)):
            value = found.estimate + share * (limit - found.estimate)
            p = wild_bootstrap(y - value, v, study, model=model, rho=rho, interval=False).p
            assert (p <= 0.05) == rejected


def test_a_seeded_sample_is_near_the_exact_p_and_repeats():
    y, v, study = nested(10, seed=11, mean=0.1)
    options = {"model": "robust", "rho": 0.5, "interval": False}
    exact = wild_bootstrap(y, v, study, **options)
    drawn = {**options, "exact_up_to": 9, "draws": 5000}
    ours = wild_bootstrap(y, v, study, **drawn, seed=3)
    assert not ours.exact and ours.sign_vectors == 5000 and ours.p_smallest == 1 / 5000
    assert exact.exact and exact.sign_vectors == 1024 and 0.1 < exact.p < 0.9
    assert ours.p == pytest.approx(exact.p, abs=4 * (exact.p * (1 - exact.p) / 5000) ** 0.5)
    assert ours == wild_bootstrap(y, v, study, **drawn, seed=3)
    assert ours.p != wild_bootstrap(y, v, study, **drawn, seed=4).p


@pytest.mark.parametrize("studies", [3, 5])
def test_few_studies_say_the_smallest_p(studies):
    y, v, study = nested(studies)
    ours = wild_bootstrap(y, v, study)
    assert ours.status == "ok" and ours.p >= ours.p_smallest == 2 / 2**studies > 0.05
    assert ours.ci_low is None and ours.ci_high is None
    assert ours.warning == f"{studies} studies: no p below {2 / 2**studies:g} is possible"
    assert not wild_bootstrap(*nested(6)).warning


def test_the_estimate_is_that_of_the_model_itself():
    y, v, study = nested(12, seed=4)
    for model, fit in (
        ("three_level", multilevel(y, v, study)), ("che", multilevel(y, v, study, rho=0.5)),
        ("robust", robust_variance(y, v, study, rho=0.5)),
    ):  # fmt: skip
        rho = 0.0 if model == "three_level" else 0.5
        ours = wild_bootstrap(y, v, study, model=model, rho=rho, interval=False, exact_up_to=0)
        assert ours.estimate == pytest.approx(fit.estimate, rel=1e-9)
        assert ours.tau2 == pytest.approx(fit.tau2, rel=1e-6)
        assert ours.k == fit.k and ours.effects == fit.effects


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 5))
def test_every_nested_set_has_a_p(seed, studies):
    y, v, study = nested(studies, seed=seed)
    for model, rho in KINDS:
        ours = wild_bootstrap(y, v, study, model=model, rho=rho)
        assert ours.status == "ok", ours.reason
        assert ours.p_smallest <= ours.p <= 1


def test_a_search_that_scoring_alone_does_not_end():
    """Fisher scoring swings around the top of this likelihood for ever."""
    y = [0.763, -0.175, 0.737, -0.003, 0.509, 0.307, 0.344, 0.324, 0.269, 0.728, 0.877, 1.4, 1.105]
    v = [0.125, 0.037, 0.098, 0.106, 0.049, 0.152, 0.04, 0.09, 0.113, 0.098, 0.126, 0.153, 0.192]
    study = list("aaabcddefffff")
    fit = multilevel(y, v, study, least=3)
    assert fit.status == "ok" and fit.tau2 >= 0


def test_what_cannot_be_asked():
    y, v, study = nested()
    few = wild_bootstrap(y[:4], v[:4], ["a", "a", "b", "b"])
    assert few.status == "not_estimable" and "2 studies: the model needs 3" in few.reason
    assert few.p is None and few.effects == 4
    single = wild_bootstrap(y[:4], v[:4], list("abcd"))
    assert "no study has several effects" in single.reason
    equal = wild_bootstrap([0.3] * 6, [0.1] * 6, list("aabbcc"))
    assert equal.status == "not_estimable" and equal.reason
    for wrong in ({"model": "hierarchical"}, {"model": "three_level", "rho": 0.5},
                  {"model": "che", "rho": 1.0}):  # fmt: skip
        with pytest.raises(ValueError, match=r"the model|do not correlate|correlation"):
            wild_bootstrap(y, v, study, **wrong)
