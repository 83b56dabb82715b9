"""Every number of metafor's beside ours, and the page that says how far they agree."""

import functools

import agreement
import compare
import pytest
from osteometa.wording.choices import METHODS

pytestmark = pytest.mark.slow
PARTS = {part.__name__: part for part in agreement.PARTS}


@functools.cache
def comparisons(name):
    """Return what a part compares: once, and not before a test asks."""
    return list(PARTS[name]())


@pytest.mark.parametrize("name", PARTS)
def test_every_number_agrees_with_metafor(name):
    """1e-8 for closed formulas, 1e-6 for what rests on an iterated tau2."""
    assert comparisons(name)
    off = [c for c in comparisons(name) if not c.agrees and not agreement.reason(c)]
    assert not off, off[:5]


def test_no_method_interval_or_set_is_left_out():
    for data in compare.POOLED:
        seen = {(c.part, c.method) for c in comparisons("pools") if c.data == data}
        for method in METHODS:
            assert ("pool", method) in seen
            for ci in compare.CI.values():
                assert (f"pool, {ci}", method) in seen
    found = [c for name in PARTS for c in comparisons(name)]
    quantities = {c.quantity for c in found}
    assert quantities >= {"tau2", "I2", "H2", "interval of I2", "interval of H2", "weights"}
    sets: dict[str, set[str]] = {}
    for c in found:
        sets.setdefault(c.part, set()).add(c.data)
    least = {
        "profile likelihood": 26, "influence": 29, "Baujat's plot": 29, "cumulative": 29,
        "leave-one-out (kernel)": 29, "Egger's test": 26, "rank test": 27, "trim and fill": 27,
        "PET": 26, "PEESE": 26, "selection model": 11, "permutation": 20, "sign test": 5,
        "before and after": 10, "three levels": 2, "correlated effects": 4,
    }  # fmt: skip
    assert {part: len(sets[part]) for part in least if len(sets[part]) < least[part]} == {}


def test_the_page_is_up_to_date():
    new = agreement.page([c for name in PARTS for c in comparisons(name)])
    old = agreement.PAGE.read_text(encoding="utf-8")
    assert agreement.same_page(new, old), "run: python tests/agreement.py"
