"""The usual bounds of deletion diagnostics (Viechtbauer and Cheung 2010)."""

import math

import pytest
from osteometa.numerics.influence_bounds import is_beyond


@pytest.mark.parametrize(
    ("diagnostic", "bound"),
    [("rstudent", 1.959964), ("dffits", 3 * math.sqrt(1 / 9)), ("cook_d", 0.4549364),
     ("hat", 0.3)],
)  # fmt: skip
def test_a_diagnostic_of_ten_effects_passes_its_bound(diagnostic, bound):
    assert is_beyond(diagnostic, 1.001 * bound, 10) and not is_beyond(diagnostic, 0.999 * bound, 10)
    both_ways = diagnostic in ("rstudent", "dffits")
    assert is_beyond(diagnostic, -1.001 * bound, 10) == both_ways
    assert not is_beyond(diagnostic, -0.999 * bound, 10)


def test_what_has_no_usual_bound_passes_none():
    assert not is_beyond("cov_ratio", 1e9, 10)
    assert not is_beyond("hat", 1.0, 3) and is_beyond("hat", 0.9, 4)
