"""Directions and p values at their edges: whose sign counts, which p counts, what is combined."""

import math
from dataclasses import replace

import pytest
from builders import CONFIG, N, change, contrast, direction, level, tables
from osteometa.derivation.derive import derive
from osteometa.directions.p_values import (
    ExactP,
    albatross,
    combine_p,
    direction_sets,
    one_sided,
    p_combinations,
    share_interval,
    sign_test,
    stouffer,
)
from scipy.special import chdtrc, ndtr, ndtri

CONTROLLED = {"design": "rct", "control": True}
P = {"p": 0.02, "p_operator": "=", "test": "rank"}


def derived(rows, **how):
    raw = tables(rows, **(how or CONTROLLED))
    return raw, derive(raw, CONFIG)


def entry(rows, **how):
    (found,) = derived(rows, **how)[1].entries
    return found


def at(time, row, **cells):
    """Return a row at another timepoint."""
    table, arm, _, kind, old = row
    return (table, arm, time, kind, {**old, **cells})


# Where a direction comes from.
@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([level("end", mean=5), level("end", arm="c", mean=6)], ("down", "means")),
        ([change("e", mean=5), change("c", mean=6), direction("up")], ("down", "means")),
        ([contrast("smd", value=0.4), direction("down")], ("up", "means")),
        ([contrast("adj_md", value=-0.4), direction("up")], ("down", "means")),
        ([contrast("t", value=-0.4, score="not_stated"), direction("up")], ("down", "means")),
        ([contrast("t", value=0, score="not_stated"), direction("up")], ("zero", "means")),
        ([contrast("f", value=4, df1=1), direction("up")], ("up", "words")),
        ([contrast("md", value=-0.4, compares="within"), direction("up")], ("up", "words")),
        ([contrast("md"), direction("up")], ("up", "words")),
        ([direction("zero")], ("zero", "words")),
        ([direction("unknown", arrow="up", significant="yes")], ("up", "arrow")),
        ([direction("", arrow="down", significant="yes")], ("down", "arrow")),
        ([direction("", arrow="down", significant="no")], ("not_told", "none")),
        ([direction("", arrow="none", significant="yes")], ("unchanged", "none")),
        ([direction("", arrow="down", significant="not_stated")], ("not_told", "none")),
        ([direction("down", basis="within_arm")], ("not_told", "none")),
        ([direction("down", basis="not_stated")], ("not_told", "none")),
    ],
)
def test_where_a_direction_comes_from(rows, wanted):
    found = entry(rows)
    assert (found.direction, found.origin) == wanted


@pytest.mark.parametrize("basis", ["within_arm", "not_stated"])
def test_one_arm_speaks_of_itself(basis):
    found = entry([direction("down", basis=basis)], design="uncontrolled")
    assert (found.direction, found.origin, found.counted) == ("down", "words", True)
    other = entry([direction("down", basis="between_arm")], design="uncontrolled")
    assert other.direction == "not_told"
    md = contrast("md", value=2, compares="within")
    assert entry([md], design="uncontrolled").direction == "up"
    md = contrast("md", value=2, compares="between")
    assert entry([md], design="uncontrolled").direction == "not_told"


def test_a_direction_that_its_numbers_contradict_is_stated():
    found = entry([change("e", mean=5), change("c", mean=6), direction("up")])
    assert found.conflict and found.reason == "the sign contradicts the reported up"
    assert not entry([change("e", mean=5), change("c", mean=6), direction("down")]).conflict
    assert not entry([change("e", mean=5), change("c", mean=6), direction("zero")]).conflict


def test_a_direction_names_the_cells_it_rests_on():
    rows = [level("end", mean=5, sd=2, n=9), level("end", arm="c", mean=6, sd=2, n=8)]
    found = derived(rows)[1]
    assert found.entries[0].inputs == found.effects[0].inputs
    assert [cell.column for cell in entry([direction("up")]).inputs] == ["direction"]
    none = entry([direction("", arrow="none", significant="no")])
    assert [cell.column for cell in none.inputs] == ["arrow"]
    means = entry([level("end", mean=5), level("end", arm="c", mean=6)])
    assert [cell.column for cell in means.inputs] == ["mean", "mean"]


@pytest.mark.parametrize(
    ("bases", "reason"),
    [
        (
            ["within_arm"],
            "only the change within the arm is reported, not the difference between arms",
        ),
        (["not_stated"], "not reported whether the direction is one between arms"),
        ([], "no sign is reported"),
        (["within_arm", "not_stated"], "not reported whether the direction is one between arms"),
        (["within_arm", "between_arm"], "no sign is reported"),
        (["not_stated", "between_arm"], "no sign is reported"),
    ],
)
def test_why_arrows_of_arms_tell_nothing_of_a_comparison(bases, reason):
    rows = [direction("", basis=basis, arrow="up") for basis in bases]
    assert entry([*rows, contrast("p", **P, **N)]).reason == reason


def test_an_arm_of_a_controlled_trial_alone_has_no_vote():
    row = direction("up", basis="within_arm")
    for design in ("rct", "nrct"):
        found = entry([row], design=design)
        assert not found.counted and "without its comparator" in found.reason
    unknown = entry([direction("unknown")])
    assert (unknown.counted, unknown.reason) == (False, "direction entered as unknown")
    both = entry([direction("unknown"), direction("up")])
    assert (both.counted, both.direction) == (True, "up")


@pytest.mark.parametrize(
    ("of_exercise", "of_control", "given"),
    [("calcium", "", "calcium"), ("", "vitamin D", "vitamin D"), ("zinc", "calcium", "zinc")],
)
def test_a_cointervention_in_one_arm_is_listed(of_exercise, of_control, given):
    raw = tables([direction("up")], **CONTROLLED)

    def found(one, other):
        arms = (raw.arms[0].model_copy(update={"cointervention": one}),
                raw.arms[1].model_copy(update={"cointervention": other}))  # fmt: skip
        (entry,) = derive(replace(raw, arms=arms), CONFIG).entries
        return entry

    listed = found(of_exercise, of_control)
    assert not listed.counted and listed.reason == f"cointervention in one arm only: {given}"
    assert found(" Calcium", "calcium ").counted


# How many participants a direction has.
@pytest.mark.parametrize(
    ("rows", "n"),
    [
        ([direction("up"), contrast("p", **P, **N)], 28),
        ([direction("up"), contrast("p", **P, n_total=31)], 31),
        ([direction("up"), contrast("p", **P, n_exercise=12)], None),
        ([level("end", mean=5, n=9), level("end", arm="c", mean=6, n=8)], 17),
        ([level("end", mean=5, n=9), level("end", arm="c", mean=6)], None),
        ([change("e", mean=5, n=7), change("c", mean=6, n=6),
          level("end", mean=5, n=9), level("end", arm="c", mean=6, n=8)], 17),
        ([change("e", mean=5, n=7), change("c", mean=6, n=6)], 13),
        ([change("e", "pct_change", mean=5, n=7), change("c", "pct_change", mean=6, n=6)], 13),
    ],
)  # fmt: skip
def test_the_people_of_a_direction(rows, n):
    assert entry(rows).n == n


def test_two_conditions_and_one_arm_count_people_once():
    crossover = {"design": "crossover_rct", "phase": "acute", "control": True}
    assert entry([direction("up"), contrast("p", **P, **N)], **crossover).n == 12
    assert (
        entry([level("end", mean=5, n=9), level("end", arm="c", mean=6, n=8)], **crossover).n == 9
    )
    within = {"design": "uncontrolled"}
    p = contrast("p", **P, n_exercise=12)
    assert entry([direction("up", basis="within_arm"), p], **within).n == 12


def test_arms_that_together_have_more_people_than_were_enrolled_are_the_same_people():
    raw = tables([direction("up"), contrast("p", **P, **N)], **CONTROLLED)
    for enrolled, n in ((27, 27), (28, 28), (29, 28), (None, 28)):
        study = raw.studies[0].model_copy(update={"n_enrolled": enrolled})
        (found,) = derive(replace(raw, studies=(study,)), CONFIG).entries
        assert found.n == n


# Sign tests.
def test_sign_tests_without_an_up_and_with_nothing_else():
    assert sign_test(0, 5) == pytest.approx(2 / 32) == sign_test(5, 5)
    assert sign_test(1, 5) == pytest.approx(12 / 32)
    assert sign_test(2, 4) == 1.0
    low, high = share_interval(0, 5)
    assert (low, high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 5)))
    low, high = share_interval(5, 5, 0.9)
    assert (low, high) == (pytest.approx(0.05 ** (1 / 5)), 1.0)


def test_a_set_of_unknown_directions_has_no_p():
    base = entry([direction("up")])
    words = ("unchanged", "not_told", "not_told")
    unknown = [replace(base, study_id=str(i), direction=word) for i, word in enumerate(words)]
    (row,) = direction_sets(unknown, CONFIG)
    assert (row.n_unchanged, row.n_not_told) == (1, 2)
    assert (row.p_known, row.share_known, row.share_ci_low) == (None, None, None)
    assert (row.share_lowest, row.share_highest) == (0, 1)
    (row,) = direction_sets([replace(base, direction="zero")], CONFIG)
    assert (row.n_zero, row.p_lowest, row.share_lowest) == (1, None, None)


def test_sets_stand_in_the_order_of_the_config():
    base = entry([direction("up")])
    found = [
        replace(base, outcome=outcome, phase=phase, design_class=kind)
        for outcome in reversed(list(CONFIG.outcomes))
        for phase in ("training", "acute")
        for kind in ("within_arm", "controlled")
    ]
    keys = [(row.outcome, row.phase, row.design_class) for row in direction_sets(found, CONFIG)]
    assert keys == [
        (outcome, phase, kind) for outcome in CONFIG.outcomes
        for phase in ("acute", "training") for kind in ("controlled", "within_arm")
    ]  # fmt: skip


# Which p of a study counts.
def points(rows, weeks="12", **how):
    """Return the exact p that counts for a study, by timepoint, from rows of rank tests."""
    raw = tables(rows, **(how or CONTROLLED))
    arms = tuple(arm.model_copy(update={"weeks": weeks}) for arm in raw.arms)
    raw = replace(raw, arms=arms)
    entries = derive(raw, CONFIG).entries
    (point,) = albatross(entries, [], raw, CONFIG)
    (row,) = p_combinations(entries, raw, CONFIG)
    assert row.k == 1
    return round(point.p * 1000)


@pytest.mark.parametrize(
    ("times", "weeks", "chosen"),
    [
        ((6, 12, 26), 12, 12), ((6, 26), 12, 6), ((10, 13), 12, 13), ((9, 13), 12, 13),
        ((6, 26), None, 26), ((6, 26, 13), None, 26), ((None, 6), 12, 6), ((None, 6), None, 6),
    ],
)  # fmt: skip
def test_the_time_nearest_the_end_of_the_programme_speaks(times, weeks, chosen):
    """p = time / 1000 tells which; without the length of the programme the latest."""
    rows = []
    for time in times:
        when = {} if time is None else {"time_wk": time}
        rows += [at(f"t{time}", contrast("p", **{**P, "p": (time or 1) / 1000}, **N), **when),
                 at(f"t{time}", direction("up"), **when)]  # fmt: skip
    assert points(rows, weeks=weeks) == chosen


@pytest.mark.parametrize(("times", "chosen"), [((1, 24), 1), ((24, 2, 4), 2), ((None, 24), 24)])
def test_the_earliest_time_after_a_bout_speaks(times, chosen):
    rows = []
    for time in times:
        when = {} if time is None else {"time_h": time}
        rows += [at(f"t{time}", contrast("p", **{**P, "p": (time or 9) / 1000}, **N), **when),
                 at(f"t{time}", direction("up"), **when)]  # fmt: skip
    assert points(rows, weeks=None, design="rct", control=True, phase="acute") == chosen


@pytest.mark.parametrize(
    "first",
    [{"origin": "text"}, {"test": "t_pooled"}],
)
def test_a_second_hand_p_comes_after_the_papers_own(first):
    other = contrast("p", p=0.001, p_operator="=", origin="press", **N)
    own = contrast("p", **{"p": 0.04, "p_operator": "=", **first}, **N)
    for rows in ([other, own], [own, other]):
        raw, found = derived([*rows, direction("up")])
        (point,) = albatross(found.entries, [], raw, CONFIG)
        assert point.p == 0.04


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (contrast("p", p=0.02, p_operator="<", **N), "without an exact p"),
        (contrast("p", p=0.02, p_operator="=", compares="within", **N), "without an exact p"),
        (contrast("r", value=0.5, p=0.02, p_operator="=", **N), "without an exact p"),
        (contrast("f", value=5, df1=2, p=0.02, p_operator="=", **N), "without an exact p"),
        (contrast("p", p=0.02, p_operator="="), "with an exact p but no number of participants"),
    ],
)
def test_why_a_study_has_no_p(row, reason):
    raw, found = derived([row, direction("up")])
    (combined,) = p_combinations(found.entries, raw, CONFIG)
    assert combined.reason.endswith(f"the other studies: 1 {reason}")
    assert albatross(found.entries, [], raw, CONFIG) == []
    raw, found = derived([contrast("p", **P, **N), direction("", arrow="mixed")])
    (combined,) = p_combinations(found.entries, raw, CONFIG)
    assert combined.reason.endswith("1 with an exact p but no known direction")


def test_a_p_between_arms_is_none_of_one_arm():
    rows = [contrast("p", **P, **N, compares="between"), direction("up", basis="within_arm")]
    raw, found = derived(rows, design="uncontrolled")
    (combined,) = p_combinations(found.entries, raw, CONFIG)
    assert combined.reason.endswith("1 without an exact p")


def test_combined_p_are_kept_off_0_and_1():
    base = entry([direction("up")])
    stated = [
        ExactP(replace(base, study_id=str(i), n=n), p, "")
        for i, (p, n) in enumerate(((0.0, 10), (1.0, 40), (0.2, 30)))
    ]
    row = combine_p(("CTX", "training", "controlled"), stated)
    ps = (1e-12, 1 - 1e-12, 0.2)
    z = sum(-math.sqrt(n) * ndtri(p) for n, p in zip((10, 40, 30), ps, strict=True))
    assert row.z == pytest.approx(z / math.sqrt(80))
    assert (row.p_stouffer, row.p_stouffer_lower) == pytest.approx((ndtr(-row.z), ndtr(row.z)))
    chi2, lower = (-2 * sum(map(math.log, x)) for x in (ps, [1 - p for p in ps]))
    assert (row.chi2, row.chi2_lower) == pytest.approx((chi2, lower))
    assert (row.p_fisher, row.p_fisher_lower) == pytest.approx((chdtrc(6, chi2), chdtrc(6, lower)))
    assert (row.df, row.k, row.n_total, row.studies) == (6, 3, 80, ("0", "1", "2"))
    assert stouffer([0.1, 0.1], [9, 9])[0] == pytest.approx(-ndtri(0.1) * math.sqrt(2))
    assert one_sided(0.02, "up") == 0.01 and one_sided(0.02, "down", tails=1) == 0.98
