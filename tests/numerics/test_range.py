"""Numbers that no computer can pool are refused by name: no endless search, no warning."""

import json
import math
import warnings

import numpy as np
import pytest
from builders import BCG, effects_csv, output_of
from osteometa.numerics.range import LARGEST, SMALLEST
from osteometa.pooling import likelihood
from osteometa.pooling.batch import intercept_batch, slope_moments
from osteometa.pooling.model import checked, pool, regress
from osteometa.wording.choices import CI_METHODS, METHODS

RANDOM = np.random.default_rng(20)


@pytest.mark.parametrize("effect", ["1e150", "-1e200", "1e300"])
def test_an_effect_too_large_is_stated_by_row_study_and_column(tmp_path, capsys, effect):
    """A single 1e150 among normal rows once filled the memory, 1e200 never came back."""
    path = effects_csv(tmp_path, [*BCG, f"far,{effect},0.1,a"])
    status, out, err = output_of(capsys, "pool", path)
    assert (status, out) == (2, "")
    assert f"row 15, study far, column yi: effect {float(effect):g} is too large" in err


@pytest.mark.parametrize("variance", ["1e-156", "1e+200"])
def test_a_variance_out_of_range_is_stated_by_row_study_and_column(tmp_path, capsys, variance):
    path = effects_csv(tmp_path, [*BCG, f"far,0.1,{variance},a"])
    status, _, err = output_of(capsys, "pool", path, "--method", "ML")
    assert status == 2
    assert f"row 15, study far, column vi: variance {variance} cannot be computed with" in err


@pytest.mark.parametrize("size", ["e-300", "e-150", "e150"])
def test_a_moderator_out_of_range_is_stated_by_its_name(tmp_path, capsys, size):
    rows = [f"{row},{i}{size}" for i, row in enumerate(BCG)]
    path = effects_csv(tmp_path, rows, "study,yi,vi,group,x")
    status, _, err = output_of(capsys, "pool", path, "--mods", "x")
    assert status == 2 and "column 'x' of the design" in err and "another unit" in err


def test_a_moderator_beside_variances_that_are_too_unlike_is_refused(tmp_path, capsys):
    rows = [f"{row},{i}" for i, row in enumerate([*BCG, "far,0.1,1e-30,a"])]
    status, _, err = output_of(
        capsys, "pool", effects_csv(tmp_path, rows, "study,yi,vi,group,x"), "--mods", "x"
    )
    assert status == 2 and "variances differ by a factor of 5e+29" in err


def test_columns_at_the_ends_of_the_range_that_nearly_say_the_same_have_finite_numbers(
    tmp_path, capsys
):
    cells = [line.split(",") for line in BCG]
    rows = [f"{s},{1e49 * float(y)!r},1e50,{1 + i % 3 * 1.5e-10!r}e-50"
            for i, (s, y, *_) in enumerate(cells)]  # fmt: skip
    path = effects_csv(tmp_path, rows, "study,yi,vi,x")
    status, out, err = output_of(capsys, "pool", path, "--mods", "x", "--json")
    found = json.loads(out)["regression"]["coefficients"][1]
    assert (status, err) == (0, "") and None not in found.values() and found["estimate"] > 1e107


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ci", CI_METHODS)
def test_all_that_is_in_range_is_pooled_without_a_warning(method, ci):
    """Effects and variances of any sizes up to both ends, in one set."""
    ends = (math.log10(SMALLEST), math.log10(LARGEST))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in (2, 3, 6, 12) * 3:
            y = RANDOM.normal(size=k) * 10 ** RANDOM.uniform(-60, 49, k)
            found = pool(y, 10 ** RANDOM.uniform(*ends, k), method=method, ci=ci)
            assert found.status == "ok" and math.isfinite(found.ci_low + found.tau2)
            alike = 10 ** (RANDOM.uniform(-9, 9, k) + RANDOM.choice((-40, 0, 40)))
            X = np.c_[np.ones(k), RANDOM.normal(size=k) * 10.0 ** RANDOM.choice((-48, 0, 48))]
            found = regress(y, alike, X, method=method, ci=ci)
            assert np.all(np.isfinite(found.coefficients)) and math.isfinite(found.tau2)


@pytest.mark.parametrize(("effect", "variance"), [(2 * LARGEST, 1.0), (0.0, SMALLEST / 2),
                                                  (0.0, 2 * LARGEST)])  # fmt: skip
def test_just_out_of_range_is_out(effect, variance):
    checked([0.1, LARGEST, -LARGEST, 0.1], [1.0, LARGEST, SMALLEST, 1.0])
    with pytest.raises(ValueError, match="position 2: "):
        checked([0.1, effect], [1.0, variance])


@pytest.mark.parametrize("size", [1.0, 1e-10])
def test_a_block_of_variances_that_no_eigenvalue_can_hold_has_failed(size):
    """Sizes of 1 to 1e20 in one covariance: its smallest eigenvalue is lost in rounding."""
    sd = size * np.array([1.0, 1e10, 1e-10, 1.0])
    V = 0.5 * np.outer(sd, sd)
    np.fill_diagonal(V, sd**2)
    V[3, :3] = V[:3, 3] = 0.0
    found = pool([1.0, 2.0, 3.0, 4.0], None, V=V)
    assert (found.status, found.estimate) == ("failed", None) and "too unlike" in found.note


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("far", [1e160, 1e200, math.nan])
def test_a_score_that_is_not_finite_ends_the_search(restricted, far):
    """What no entry point lets through would be halved for ever."""
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="too large"):
        batch = intercept_batch(np.array([[0.1], [0.4], [far]]), np.full((3, 1), 0.1))
        likelihood.highest_maximum(batch, restricted, slope_moments(batch, 0.0))


def test_effects_that_differ_by_next_to_nothing_have_no_i2():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pool([0.0, 1e-161], [1.0, 1.0], method="EE")
    assert (found.i2, found.tau2) == (0.0, 0.0)
