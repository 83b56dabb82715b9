"""The block of each estimate: the first reason that keeps it out of the pool."""

from dataclasses import replace

import pytest
from builders import CONFIG, effects, level, tables
from osteometa.derivation.derive import derive
from osteometa.wording.vocabulary import Block

LEVELS = [level("end", mean=6, sd=2, n=12), level("end", arm="c", mean=5, sd=2, n=12)]


def blocks(*, design="rct", exercise=(), control=(), rows=LEVELS):
    """Return block and reason of a trial whose arms have other cells than usual."""
    raw = tables(rows, design=design, control=True)
    updates = (dict(exercise), dict(control))
    arms = tuple(a.model_copy(update=u) for a, u in zip(raw.arms, updates, strict=True))
    found = derive(replace(raw, arms=arms), CONFIG).effects
    return {(effect.block, effect.reason) for effect in found}


def test_a_randomised_trial_is_pooled():
    assert blocks() == {(Block.POOLED, "")}


@pytest.mark.parametrize(
    ("how", "block", "reason"),
    [
        ({"exercise": {"comparator_kind": "active"}}, Block.ACTIVE, "comparator 'active'"),
        ({"exercise": {"comparator_kind": "not_stated"}}, Block.LISTED, "comparator 'not_stated'"),
        ({"exercise": {"listed": "one stratum"}}, Block.LISTED, "one stratum"),
        ({"control": {"cointervention": "calcium"}}, Block.LISTED, "one arm only: calcium"),
        ({"design": "nrct"}, Block.NON_RANDOMISED, "non-randomised trial"),
    ],
)
def test_what_keeps_an_effect_out_of_the_pool(how, block, reason):
    config_designs = CONFIG.designs
    assert "nrct" not in config_designs
    ((found, why),) = blocks(**how)
    assert found == block and reason in why


def test_inconsistent_data_go_before_the_design():
    rows = [level("end", mean=6, sd=2, n=12, disputed="two values"), LEVELS[1]]
    ((block, reason),) = blocks(rows=rows, design="nrct")
    assert (block, reason) == (Block.DISPUTED, "inconsistently reported data: two values")


def test_the_change_within_an_arm_of_a_trial_is_listed():
    rows = [level("baseline", mean=5, sd=2, n=12), level("end", mean=6, sd=2, n=12)]
    found = effects(rows, design="rct")
    assert {effect.block for effect in found.values()} == {Block.LISTED}
    assert not any(effect.pooled for effect in found.values())


@pytest.mark.parametrize(
    ("design", "whole", "block"),
    [("rct", {}, Block.PART), ("rct", {"sd": 2}, Block.REDUCED), ("nrct", {}, Block.PART)],
)
def test_a_part_of_a_trial_is_never_pooled_in_place_of_the_whole(design, whole, block):
    part = {"sd": 2, "n": 5, "population_analysed": "part"}
    rows = [level("end", arm, mean=mean, **cells) for arm, mean in (("e", 6), ("c", 5))
            for cells in ({"n": 12, **whole}, part)]  # fmt: skip
    found = derive(tables(rows, design=design, control=True), CONFIG).effects
    (of_part,) = {e.block for e in found if e.population_analysed == "part"}
    assert of_part == block


def test_a_part_with_an_active_comparator_stays_among_those():
    rows = [level("end", arm, mean=mean, **cells) for arm, mean in (("e", 6), ("c", 5))
            for cells in ({"n": 12}, {"sd": 2, "n": 5, "population_analysed": "part"})]  # fmt: skip
    found = blocks(rows=rows, exercise={"comparator_kind": "active"})
    assert {block for block, _ in found} == {Block.ACTIVE}
