"""Directions: one direction per study, sign tests with what the unknown ones could make of them."""

from dataclasses import replace

import pytest
from builders import ROOT, TESTS, checked, derived_of
from hypothesis import given
from hypothesis import strategies as st
from osteometa.directions.p_values import direction_sets, share_interval, sign_test
from osteometa.directions.per_study import study_directions

HERE = TESTS


@pytest.fixture(scope="module")
def small():
    folder = HERE / "reviews/small"
    return derived_of(folder).entries, checked(folder).config


@given(st.integers(1, 40), st.data())
def test_swapping_arms_leaves_p_and_mirrors_the_share(n, data):
    x = data.draw(st.integers(0, n))
    assert sign_test(x, n) == pytest.approx(sign_test(n - x, n))
    low, high = share_interval(x, n)
    assert share_interval(n - x, n) == pytest.approx((1 - high, 1 - low))
    assert low <= x / n <= high


def entries_of(small, *directions, study="one"):
    entry = next(entry for entry in small[0] if entry.counted)
    return [
        replace(entry, study_id=study, label=study, direction=word, counted=True, origin="words")
        for word in directions
    ]


@pytest.mark.parametrize(
    ("directions", "direction"),
    [
        (["up"], "up"),
        (["up", "up", "down"], "mixed"),
        (["up"] * 7 + ["down"] * 3, "up"),
        (["down"] * 5 + ["up"], "down"),
        (["up", "unchanged", "not_told"], "up"),
        (["not_told"], "not_told"),
        (["not_told", "unchanged"], "unchanged"),
        (["zero", "unchanged"], "zero"),
        (["zero", "down"], "down"),
    ],
)
def test_seven_of_ten_known_entries_make_a_direction(small, directions, direction):
    (cast,) = study_directions(entries_of(small, *directions), small[1].directions.agreement_share)
    assert cast.direction == direction


def test_the_range_over_unknown_directions_is_not_only_at_its_ends(small):
    """Four up, two unchanged, four not reported: p is largest when the last six split."""
    found = []
    for number in range(10):
        word = ("up", "unchanged", "not_told")[(number > 3) + (number > 5)]
        found += entries_of(small, word, study=f"study_{number}")
    (row,) = direction_sets(found, small[1])
    assert (row.n_up, row.n_unchanged, row.n_not_told) == (4, 2, 4)
    assert row.p_known == pytest.approx(0.125)
    ps = [sign_test(up, 10) for up in range(4, 11)]
    assert row.p_highest == pytest.approx(max(ps)) == 1
    assert row.p_lowest == pytest.approx(sign_test(10, 10))
    assert row.p_highest > max(ps[0], ps[-1])
    assert (row.share_lowest, row.share_highest) == (0.4, 1)


def test_entries_that_do_not_vote_are_in_no_set(small):
    entry = replace(entries_of(small, "up")[0], counted=False)
    assert direction_sets([entry], small[1]) == []


def test_the_sign_of_an_effect_goes_before_a_typed_arrow():
    derived = derived_of(ROOT)
    signs = {}
    for effect in derived.effects:
        key = (effect.study_id, effect.arm_id, effect.outcome, effect.site, effect.timepoint)
        signs.setdefault(key, set()).add("up" if effect.yi > 0 else "down" if effect.yi else "zero")
    checked = 0
    for entry in derived.entries:
        key = (entry.study_id, entry.arm_id, entry.outcome, entry.site, entry.timepoint)
        if entry.origin == "effect" and key in signs:
            assert entry.direction in signs[key]
            checked += 1
    assert checked > 20


def test_within_arm_arrows_never_fill_a_comparison():
    entries = derived_of(HERE / "reviews/seed").entries
    lowered = [e for e in entries if e.study_id.startswith("karaarslan") and e.outcome == "RANKL"]
    assert lowered
    assert {e.direction for e in lowered if e.design_class == "controlled"} == {"not_told"}
