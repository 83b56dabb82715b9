"""Every number of metafor's beside ours, and the page that says how far they agree."""

import agreement
import pytest


@pytest.fixture(scope="module")
def comparisons():
    return agreement.everything()


@pytest.mark.parametrize("name", sorted({*agreement.ORACLE, *agreement.SHARED}))
def test_every_number_agrees_with_metafor(comparisons, name):
    """1e-8 for closed formulas, 1e-6 for what rests on an iterated tau2."""
    mine = [c for c in comparisons if c.data.split()[0] == name]
    assert mine or name == "hard_k1"
    off = [c for c in mine if not c.agrees and not agreement.reason(c)]
    assert not off, off[:5]


def test_no_method_interval_or_set_is_left_out(comparisons):
    for name in agreement.POOLED:
        seen = {(c.part, c.method) for c in comparisons if c.data == name}
        for method in agreement.METHODS:
            assert ("pool", method) in seen
            for ci in agreement.CI.values():
                assert (f"pool, {ci}", method) in seen
    quantities = {c.quantity for c in comparisons}
    assert quantities >= {"tau2", "I2", "H2", "interval of I2", "interval of H2", "weights"}
    assert len({c.data for c in comparisons if c.part == "profile likelihood"}) > 25


def test_the_page_is_up_to_date(comparisons):
    new = agreement.page(comparisons)
    old = agreement.PAGE.read_text(encoding="utf-8")
    assert agreement.same_page(new, old), "run: python tests/agreement.py"
