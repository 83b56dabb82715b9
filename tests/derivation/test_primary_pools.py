from dataclasses import replace

from builders import CONFIG
from osteometa.derivation.primary_pools import PrimaryPool, moves

SPINE, NECK = "bmd_lumbar_spine_training_controlled", "bmd_femoral_neck_training_controlled"


def pool(estimate, *effects, width=0.5):
    return PrimaryPool(estimate, width, tuple((name, 0.1, 0.01) for name in effects))


def test_effects_that_enter_or_leave_weigh_more_than_a_shift():
    before = {SPINE: pool(0.2, "a", "b", "c"), NECK: pool(0.1, "a", "b")}
    after = {SPINE: pool(-0.3, "a", "b", "c"), NECK: pool(0.1, "b", "d", "e")}
    first, second = moves(before, after, CONFIG, {"BMD"})
    assert (first.synthesis, first.enter, first.leave, first.shift) == (NECK, 2, 1, 0)
    assert (second.synthesis, second.enter, second.leave, second.shift) == (SPINE, 0, 0, -1)
    assert (first.weight, second.weight) == ((3, 0), (0, 1))
    assert moves(before, after, CONFIG, {"OPG"}) == ()


def test_a_pool_that_comes_or_goes_has_no_shift():
    known = {SPINE: pool(0.2, "a", "b")}
    (gone,) = moves(known, {}, CONFIG, {"BMD"})
    (new,) = moves({}, known, CONFIG, {"BMD"})
    assert (gone.enter, gone.leave, gone.shift) == (0, 2, 0)
    assert new == replace(gone, enter=2, leave=0)
