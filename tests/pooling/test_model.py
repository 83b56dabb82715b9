"""The solver against metafor, against published numbers, and against itself."""

import json
import math
from dataclasses import asdict, fields

import numpy as np
import pytest
from builders import TESTS
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.pooling.model import checked, pool
from osteometa.pooling.results import Pooled
from osteometa.pooling.tau2 import profile_likelihood, q_profile
from osteometa.wording.choices import CI_METHODS, METHODS

ORACLE = json.loads((TESTS / "oracle" / "metafor.json").read_text())["datasets"]


def test_second_maximum_is_found():
    data = ORACLE["gibson2002_MD"]
    assert round(pool(data["yi"], data["vi"]).tau2, 3) == 9.679


def test_one_and_none():
    one = pool([0.3], [0.04])
    assert (one.status, one.tau2, one.q, one.pi_low) == ("listed", None, None, None)
    assert round(one.ci_low, 4) == round(0.3 - 1.959963985 * 0.2, 4)
    assert pool([], []).status == "not_estimable"


def test_equal_effects_have_no_plain_standard_error():
    same = pool([0.2, 0.2, 0.2], [0.1, 0.2, 0.3], ci="hksj")
    assert same.statistic is None and same.p == 0.0 and "equal" in same.note
    zero = pool([0.0, 0.0, 0.0], [0.1, 0.2, 0.3], ci="hksj")
    assert zero.statistic is None and zero.p is None


@pytest.mark.parametrize(("yi", "vi"), [([1.0], [0.0]), ([1.0], [-1.0]), ([math.nan], [1.0]),
                                        ([1.0], [math.inf]), ([1.0, 2.0], [1.0])])  # fmt: skip
def test_impossible_input_is_refused(yi, vi):
    with pytest.raises(ValueError, match=r"effect|variance|length"):
        checked(yi, vi)


effects = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.001, 5)), min_size=2, max_size=12)


@settings(max_examples=60, deadline=None)
@given(effects, st.floats(-3, 3))
def test_shift_swap_and_permute(rows, shift):
    y, v = [row[0] for row in rows], [row[1] for row in rows]
    base = pool(y, v)
    moved = pool([x + shift for x in y], v)
    swapped = pool([-x for x in y], v)
    turned = pool(y[::-1], v[::-1])
    assert moved.estimate == pytest.approx(base.estimate + shift, abs=1e-6)
    assert swapped.estimate == pytest.approx(-base.estimate, abs=1e-6)
    assert turned.estimate == pytest.approx(base.estimate, abs=1e-6)
    assert base.se >= math.sqrt(1 / sum(1 / (x + base.tau2) for x in v)) * (1 - 1e-12)
    low, high = q_profile(np.array(y), np.array(v), np.ones((len(y), 1)))
    assert 0 <= low <= high


def test_every_estimator_is_a_choice_of_the_config_and_of_the_command():
    from osteometa.cli import pool as command
    from osteometa.protocol import config

    field = config.Pooling.model_fields["method"]
    assert set(field.annotation.__args__) == set(METHODS) == set(command.METHODS)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("power", [-6, -3, 3, 6])
def test_every_estimator_is_scale_equivariant(method, power):
    """BMD in g/cm2 or in ug/cm2: tau2 by the square of the factor, I2 by none."""
    factor = 10.0**power
    for name in ("bmd_g_per_cm2_MD", "gibson2002_MD", "hard_tau2_near_zero", "bcg_RR"):
        y, v = np.array(ORACLE[name]["yi"]), np.array(ORACLE[name]["vi"])
        base, scaled = pool(y, v, method=method), pool(factor * y, factor**2 * v, method=method)
        for field in fields(Pooled):
            one, two = getattr(base, field.name), getattr(scaled, field.name)
            if not isinstance(one, float):
                continue
            order = 2 if field.name.startswith("tau2") else 1
            if field.name.split("_")[0] in ("i2", "h2", "q", "statistic", "df", "p"):
                order = 0
            hair = 1e-10 * float(np.mean(v)) ** (order / 2) * factor**order
            assert two == pytest.approx(one * factor**order, rel=1e-8, abs=hair), field.name


@settings(max_examples=60, deadline=None)
@given(effects, st.sampled_from(METHODS), st.sampled_from(CI_METHODS))
def test_what_is_ok_has_no_nan_and_ordered_intervals(rows, method, ci):
    y, v = [row[0] for row in rows], [row[1] for row in rows]
    fit = pool(y, v, method=method, ci=ci)
    for name, value in asdict(fit).items():
        if isinstance(value, float):
            assert math.isfinite(value), name
    assert fit.ci_low <= fit.estimate <= fit.ci_high
    assert sum(fit.weights) == pytest.approx(100)
    assert 0 <= fit.i2 <= 100
    if method != "EE":
        assert fit.tau2_ci_low <= fit.tau2_ci_high
        assert fit.i2_ci_low <= fit.i2_ci_high and 1 <= fit.h2_ci_low <= fit.h2_ci_high
    tiny = pool([*y, 3.0], [*v, 1e14], method="EE")
    assert tiny.estimate == pytest.approx(pool(y, v, method="EE").estimate, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(effects, st.sampled_from(["REML", "ML"]))
def test_profile_likelihood_holds_the_estimate_and_is_scale_free(rows, method):
    y, v = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    X = np.ones((len(y), 1))
    low, high = profile_likelihood(y, v, X, method)
    assert low <= pool(y, v, method=method).tau2 <= high
    scaled = profile_likelihood(1e-3 * y, 1e-6 * v, X, method)
    assert scaled == pytest.approx((low * 1e-6, high * 1e-6), rel=1e-6, abs=1e-12 * np.min(v))
