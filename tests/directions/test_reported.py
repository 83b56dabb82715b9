"""What papers report, before the rules of sign tests: results, and the marks they are drawn by."""

from dataclasses import replace

import pytest
from builders import (
    CHANGES,
    CONFIG,
    ROOT,
    change,
    checked,
    contrast,
    derived_of,
    direction,
    level,
    reported_result,
    tables,
)
from osteometa.derivation.derive import derive
from osteometa.directions.per_study import arms_alike
from osteometa.directions.reported import direction_of
from osteometa.extraction.tables import Direction as DirectionRow

CONTROLLED = {"design": "rct", "control": True}


def results(rows, **how):
    return derive(tables(rows, **(how or CONTROLLED)), CONFIG).reported


@pytest.mark.parametrize(
    ("arrow", "word", "stated"),
    [
        ("up", "", "up"), ("down", "unknown", "down"), ("mixed", "", "mixed"),
        ("up", "down", "up"),  # the arrow is what the paper says
        ("none", "up", "up"), ("none", "zero", "zero"), ("", "down", "down"),
        ("none", "unknown", "unchanged"), ("none", "", "unchanged"),
        ("", "unknown", "not_told"), ("", "", "not_told"),
    ],
)  # fmt: skip
def test_the_arrow_comes_before_the_sign(arrow, word, stated):
    row = DirectionRow(study_id="t", arm_id="e", outcome="CTX", timepoint="end",
                       basis="between_arm", arrow=arrow, direction=word)  # fmt: skip
    assert direction_of(row) == stated


def test_each_stated_basis_is_a_result_of_its_own():
    """A change of the arm and a difference between arms are two results; one is counted."""
    rows = [direction("", "within_arm", arrow="down", significant="yes"),
            direction("", "between_arm", arrow="none", significant="no")]  # fmt: skip
    found = {r.basis: r for r in results(rows)}
    assert {basis: r.direction for basis, r in found.items()} == {
        "within_arm": "down", "between_arm": "unchanged",
    }  # fmt: skip
    assert all(r.stated and r.counted_as == "unchanged" for r in found.values())
    assert [r.significant for r in found.values()] == ["no", "yes"]


def test_a_reported_direction_stays_where_another_is_counted():
    """An arm's own change is shown and does not count as a difference; a sign of numbers does."""
    (own,) = results([direction("", "within_arm", arrow="down", significant="yes")])
    assert (own.basis, own.direction, own.counted_as) == ("within_arm", "down", "not_told")
    lower = [change("e", mean=1, sd=5, n=12), change("c", mean=4, sd=3, n=16)]
    (typed,) = results([direction("", "between_arm", arrow="up"), *CHANGES[:2], *lower])
    assert (typed.direction, typed.counted_as, typed.stated) == ("up", "down", True)
    assert typed.estimate < 0 and typed.effect_id


def test_numbers_that_nobody_puts_into_words_are_a_result():
    (sized,) = results(CHANGES)
    assert (sized.basis, sized.direction, sized.stated) == ("between_arm", "up", False)
    assert sized.ci_low < 0 < sized.estimate < sized.ci_high and sized.significant == ""
    (means,) = results([level("end", mean=5), level("end", arm="c", mean=6)])
    assert (means.direction, means.estimate, means.effect_id) == ("down", None, "")
    own, beside = results([*CHANGES, direction("", "within_arm", arrow="up")])
    assert (own.basis, own.estimate, beside.basis) == ("within_arm", None, "between_arm")
    assert beside.estimate == sized.estimate
    (nothing,) = results([contrast("p", p=0.4, p_operator="=", n_exercise=12, n_control=16)])
    assert (nothing.direction, nothing.stated, nothing.p) == ("not_told", False, "p = 0.4")


def test_what_is_not_counted_says_why():
    (listed,) = results([direction("unknown", arrow="none")])
    assert (listed.direction, listed.counted_as) == ("unchanged", None)
    assert listed.reason == "direction entered as unknown"


@pytest.fixture(scope="module")
def shipped():
    return derived_of(ROOT).reported


def of(results, study, outcome):
    return [r for r in results if (r.study_id, r.outcome) == (study, outcome)]


def test_the_change_of_a_control_arm_is_a_result_of_no_type(shipped):
    """Karaarslan 2010: RANKL fell in both programmes and in the control arm."""
    found = {r.arm_id: r for r in of(shipped, "karaarslan_2010", "RANKL")}
    assert set(found) == {"high_intensity_resistance", "low_intensity_resistance", "control"}
    assert {(r.basis, r.direction) for r in found.values()} == {("within_arm", "down")}
    control = found["control"]
    assert (control.role, control.exercise_type, control.counted_as) == ("control", None, None)
    assert control.reason == "the change of a control arm"
    assert found["low_intensity_resistance"].counted_as == "not_told"


def test_outcomes_that_are_in_no_synthesis_are_results_too(shipped):
    secondary = {r.outcome for r in shipped} & set(CONFIG.secondary_outcomes)
    assert len(secondary) == len(CONFIG.secondary_outcomes)
    (found,) = of(shipped, "kerschan_schindl_2009", "osteocalcin")
    assert (found.direction, found.basis, found.counted_as) == ("down", "within_arm", None)


def test_every_row_of_directions_of_an_included_study_is_one_result(shipped):
    tables = checked(ROOT).tables
    included = {study.study_id for study in tables.studies if study.include == "yes"}
    assert {r.study_id for r in shipped} <= included
    rows = [row for row in tables.directions if row.study_id in included]
    stated = [r for r in shipped if r.stated]
    assert len(rows) > 300
    assert [row.key_text for row in rows if not of_place(stated, row)] == []


def of_place(results, row):
    """The results with the basis and direction of a raw row, at its place."""
    return [
        r for r in results
        if (r.study_id, r.outcome, r.analyte, r.site, r.timepoint)
        == (row.study_id, row.outcome, row.analyte, row.site, row.timepoint)
        and row.arm_id in r.arm_id.split("+")
        and (r.basis, r.direction) == (row.basis, direction_of(row))
    ]  # fmt: skip


# Marks.
WITHIN = {"basis": "within_arm"}


def marks(*results):
    return [(m.arms, m.basis, m.direction) for m in arms_alike(results)]


def test_a_known_difference_between_arms_comes_before_a_change_of_the_arm():
    own = reported_result(direction="down", **WITHIN)
    for word in ("up", "unchanged", "zero", "mixed"):
        between = reported_result(direction=word)
        assert marks(own, between) == marks(between, own) == [(("e",), "between_arm", word)]
    not_told = reported_result(direction="not_told")
    assert marks(own, not_told) == [(("e",), "within_arm", "down")]
    assert marks(not_told) == [(("e",), "between_arm", "not_told")]


def test_a_mark_does_not_depend_on_the_order_of_results(shipped):
    """Two results of one place and time: what is reported is not lost, and the order is no rule."""
    own, not_told = (
        reported_result(direction="down", **WITHIN),
        reported_result(direction="not_told"),
    )
    assert marks(not_told, own) == [(("e",), "within_arm", "down")]
    groups = {}
    for r in shipped:
        groups.setdefault((r.phase, r.exercise_type, r.study_id, r.outcome), []).append(r)
    turned = [
        key[2:] for key, group in groups.items()
        if {m[1:] for m in marks(*group)} != {m[1:] for m in marks(*group[::-1])}
    ]  # fmt: skip
    assert turned == []


@pytest.mark.parametrize(
    ("phase", "times", "chosen"),
    [
        ("training", (12.0, 26.0, 52.0), 52.0), ("training", (52.0, None), 52.0),
        ("acute", (0.0, 1.0, 24.0), 0.0), ("acute", (None, 24.0), 24.0),
    ],
)  # fmt: skip
def test_the_last_time_of_a_programme_and_the_first_after_a_bout_are_drawn(phase, times, chosen):
    found = [
        reported_result(phase=phase, time=time, direction="up" if time == chosen else "down")
        for time in times
    ]
    for order in (found, found[::-1]):
        (mark,) = arms_alike(order)
        assert (mark.direction, [r.time for r in mark.results]) == ("up", [chosen])


def test_sites_that_disagree_are_mixed_whatever_is_not_stated():
    spine, hip = (reported_result(outcome="BMD", site=site) for site in ("lumbar_spine", "hip"))
    down = replace(hip, direction="down")
    assert marks(spine, hip) == [(("e",), "between_arm", "up")]
    assert marks(spine, down) == [(("e",), "between_arm", "mixed")]
    assert marks(spine, replace(hip, direction="unchanged")) == [(("e",), "between_arm", "mixed")]
    assert marks(spine, replace(hip, direction="not_told", **WITHIN)) == marks(spine)
    # Of one site, the later time alone is drawn.
    assert marks(spine, replace(spine, time=6.0, direction="down")) == marks(spine)


def test_arms_that_report_the_same_share_a_mark_of_the_largest():
    one = reported_result(arm_id="a", arm_label="a", n=20)
    two = reported_result(arm_id="b", arm_label="b", n=31)
    (mark,) = arms_alike([one, two, reported_result(arm_id="c", arm_label="c", n=None)])
    assert (mark.arms, mark.n) == (("a", "b", "c"), 31)
    assert len(arms_alike([one, replace(two, direction="down")])) == 2
    assert len(arms_alike([one, replace(two, **WITHIN)])) == 2
    (mark,) = arms_alike([replace(one, n=None)])
    assert mark.n is None


def test_races_of_different_lengths_stand_side_by_side(shipped):
    """Ziegler 2005: OPG unchanged after 15 km, higher after a marathon; RANKL lower after both."""
    assert marks(*of(shipped, "ziegler_2005", "OPG")) == [
        (("15 km race",), "within_arm", "unchanged"), (("marathon",), "within_arm", "up"),
    ]  # fmt: skip
    assert marks(*of(shipped, "ziegler_2005", "RANKL")) == [
        (("15 km race", "marathon"), "within_arm", "down")
    ]
