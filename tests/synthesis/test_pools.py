"""What is reported for how many studies, and when types are compared."""

import json
import math
from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest
from builders import CONFIG, ROOT, derived_of
from osteometa.pooling.tau2 import q_profile, typical_variance
from osteometa.records.effects import Covariance
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.synthesis.pools import GroupModels, pooled_rows, primary_fits, weighted
from osteometa.synthesis.subgroup_tests import subgroup_tests
from osteometa.wording.choices import EXERCISE_TYPES
from scipy.special import chdtrc, stdtr, stdtrit

ORACLE = json.loads((ROOT / "tests/oracle/metafor.json").read_text())["datasets"]
# Where two groups have two studies or more: others are not tested.
GROUPED = [
    (name, key)
    for name, data in ORACLE.items()
    for key in data
    if key.startswith("subgroup_")
    and sum(n >= 2 for n in Counter(data[key]["group"]).values()) >= 2
]


@pytest.fixture(scope="module")
def pattern():
    return next(
        e
        for e in derived_of(ROOT / "tests/reviews/small").effects
        if e.measure == "ROM" and e.pooled
    )


def studies(pattern, sizes):
    """Effects of as many studies as each type has, spread so that they differ."""
    found = []
    for kind, size in sizes.items():
        for number in range(size):
            name = f"{kind}_{number}"
            found.append(
                replace(
                    pattern, effect_id=name, study_id=name, exercise_type=kind,
                    yi=0.01 * (number + 1) * (-1) ** number + 0.02, vi=0.0001 * (1 + number % 3),
                )
            )  # fmt: skip
    return found


def rows_of(pattern, config=CONFIG, **sizes):
    return pooled_rows("x", studies(pattern, sizes), config)


@pytest.mark.parametrize(
    ("k", "status", "diamond", "models", "pi_shown"),
    [
        (1, "listed", "none", ["REML"], False),
        (2, "ok", "hollow", ["REML", "EE"], False),
        (3, "ok", "full", ["REML", "REML", "EE"], False),
        (4, "ok", "full", ["REML", "REML", "EE"], False),
        (5, "ok", "full", ["REML"], True),
        (9, "ok", "full", ["REML"], True),
    ],
)
def test_what_is_reported_for_k_studies(pattern, k, status, diamond, models, pi_shown):
    rows = [row for row in rows_of(pattern, resistance=k) if row.group == "overall"]
    main = rows[0]
    assert main.primary
    assert not any(row.primary for row in rows[1:])
    assert (main.k, main.status, main.diamond, main.pi_shown) == (k, status, diamond, pi_shown)
    assert [row.method for row in rows] == models
    heterogeneity = (main.q, main.tau2, main.i2)
    assert all(value is None for value in heterogeneity) == (k == 1)
    assert (main.pi_low is None) == (k < 3)
    if k in (3, 4):
        assert [row.ci_method for row in rows] == ["hksj-floor", "wald", "wald"]
        assert "imprecise" in main.note


def test_no_study_gives_no_row(pattern):
    assert pooled_rows("x", [], CONFIG) == []
    assert subgroup_tests("x", [], CONFIG) == []


def test_one_type_has_no_diamond_of_its_own(pattern):
    rows = rows_of(pattern, resistance=6)
    assert {row.group: row.diamond for row in rows if row.primary} == {
        "overall": "full", "resistance": "none",
    }  # fmt: skip


def test_types_of_few_studies_share_one_tau2(pattern):
    rows = {row.group: row for row in rows_of(pattern, resistance=6, aerobic=2) if row.primary}
    assert rows["resistance"].tau2 == rows["aerobic"].tau2
    assert rows["aerobic"].df == 6
    assert rows["aerobic"].diamond == "hollow"
    assert "one tau2 for all types" in rows["aerobic"].note
    few = {row.group: row for row in rows_of(pattern, resistance=3, aerobic=2) if row.primary}
    assert few["aerobic"].df == 3
    assert few["aerobic"].diamond == "none"


def test_three_types_share_one_tau2_and_only_the_overall_row_shows_a_prediction_interval(pattern):
    rows = rows_of(pattern, resistance=6, aerobic=2, combined=3)
    found = {row.group: row for row in rows if row.primary}
    assert len({found[kind].tau2 for kind in ("resistance", "aerobic", "combined")}) == 1
    assert {found[kind].df for kind in ("resistance", "aerobic", "combined")} == {8}
    assert [row.group for row in rows if row.pi_shown] == ["overall"]
    apart = [row for row in rows_of(pattern, resistance=6, aerobic=7) if row.pi_shown]
    assert [row.group for row in apart] == ["overall"]


def test_types_of_many_studies_have_their_own_tau2(pattern):
    rows = {row.group: row for row in rows_of(pattern, resistance=6, aerobic=7) if row.primary}
    assert rows["resistance"].tau2 != rows["aerobic"].tau2
    assert (rows["resistance"].df, rows["aerobic"].df) == (5, 6)


@pytest.mark.parametrize(
    ("sizes", "tested", "model", "words"),
    [
        ({"resistance": 2, "aerobic": 2}, False, "", "5 are needed"),
        ({"resistance": 5, "aerobic": 1}, False, "", "fewer than two types have two studies"),
        (
            {"resistance": 3, "aerobic": 2},
            True,
            "common",
            "not whether their intervals overlap",
        ),
        (
            {"resistance": 6, "aerobic": 6},
            True,
            "separate",
            "not whether their intervals overlap",
        ),
        (
            {"resistance": 3, "aerobic": 2, "combined": 1},
            True,
            "common",
            "not whether their intervals overlap",
        ),
    ],
)
def test_when_types_are_compared(pattern, sizes, tested, model, words):
    (test,) = subgroup_tests("x", studies(pattern, sizes), CONFIG)
    assert (test.tested, test.tau2_model) == (tested, model)
    assert words in test.note
    assert (test.p is None) == (not tested)
    if model == "common":
        assert (test.df1, test.df2) == (len(sizes) - 1, sum(sizes.values()) - len(sizes))


def test_weights_are_those_of_the_primary_model_and_sum_to_100(pattern):
    effects = studies(pattern, {"resistance": 4, "aerobic": 3})
    effects[0] = replace(effects[0], pooled=False, block="disputed")
    found = weighted(effects, CONFIG)
    assert found[0].weight is None
    assert sum(effect.weight for effect in found[1:]) == pytest.approx(100)
    main = pooled_rows("x", effects, CONFIG)[0]
    share = 1 / (found[1].vi + main.tau2)
    total = sum(1 / (effect.vi + main.tau2) for effect in found[1:])
    assert found[1].weight == pytest.approx(100 * share / total)
    for effect in found:
        half = 1.959963984540054 * math.sqrt(effect.vi)
        limits = (effect.yi - half, effect.yi + half)
        assert (effect.ci_low, effect.ci_high) == pytest.approx(limits, rel=1e-12)


@pytest.mark.parametrize(("name", "key"), GROUPED)
@pytest.mark.parametrize("method", ["EE", "DL", "REML"])
def test_types_are_compared_as_metafor_compares_groups(pattern, name, key, method):
    data = ORACLE[name]
    theirs, levels = data[key][method], list(dict.fromkeys(data[key]["group"]))
    rows = [
        replace(pattern, effect_id=str(i), study_id=str(i), yi=y, vi=v,
                exercise_type=EXERCISE_TYPES[levels.index(level)])
        for i, (y, v, level) in enumerate(
            zip(data["yi"], data["vi"], data[key]["group"], strict=True)
        )
    ]  # fmt: skip

    def tested(ci, common_tau2_up_to):
        config = CONFIG.model_copy(update={
            "pooling": CONFIG.pooling.model_copy(update={"method": method, "ci": ci}),
            "small_k": CONFIG.small_k.model_copy(update={"subgroup_test": 0}),
            "subgroups": CONFIG.subgroups.model_copy(
                update={"common_tau2_up_to": common_tau2_up_to}
            ),
        })  # fmt: skip
        return subgroup_tests("x", rows, config)[0]

    common, hartung = tested("wald", 100), tested("hksj", 100)
    assert (common.tau2_model, common.df2) == ("common", None)
    assert common.statistic == pytest.approx(theirs["common_tau2"]["QM"], rel=1e-6)
    assert common.p == pytest.approx(theirs["common_tau2"]["QMp"], rel=1e-6)
    assert [hartung.df1, hartung.df2] == theirs["common_tau2_knha_F"]["df"]
    assert hartung.p == pytest.approx(theirs["common_tau2_knha_F"]["p"], rel=1e-6)
    for separate in (tested("wald", 0), tested("hksj-floor", 0)):
        assert separate.tau2_model == "separate" and separate.df1 == theirs["Q_between_df"]
        assert separate.statistic == pytest.approx(theirs["Q_between_separate_tau2"], rel=1e-6)
        assert separate.p == pytest.approx(theirs["Q_between_p"], rel=1e-6)


def test_effects_of_a_type_are_weighted_by_the_common_tau2(pattern):
    """Shares of 1 / (v + tau2), and a prediction interval with the df of the interval beside it."""
    effects = studies(pattern, {"resistance": 6, "aerobic": 3})
    models = GroupModels.of(EffectSet.of(effects, "ROM"), CONFIG)
    found = primary_fits(EffectSet.of(effects, "ROM"), CONFIG)["aerobic"]
    own = [e for e in effects if e.exercise_type == "aerobic"]
    shares = [1 / (e.vi + models.common.tau2) for e in own]
    assert found.weights == pytest.approx([100 * share / sum(shares) for share in shares])
    mean = sum(w * e.yi for w, e in zip(shares, own, strict=True)) / sum(shares)
    assert (found.estimate, found.tau2, found.df) == (pytest.approx(mean), models.common.tau2, 7)
    half = stdtrit(7, 0.975)
    width = pytest.approx(half * found.se)
    assert found.ci_high - mean == width and mean - found.ci_low == width
    width = pytest.approx(half * math.sqrt(found.tau2 + found.se**2))
    assert found.pi_high - mean == width and mean - found.pi_low == width
    assert (found.statistic, found.p) == (
        pytest.approx(mean / found.se), pytest.approx(2 * stdtr(7, -abs(mean / found.se))),
    )  # fmt: skip
    # What the type's own effects say without a tau2.
    w = [1 / e.vi for e in own]
    plain = sum(x * e.yi for x, e in zip(w, own, strict=True)) / sum(w)
    q = sum(x * (e.yi - plain) ** 2 for x, e in zip(w, own, strict=True))
    assert (found.k, found.q, found.q_df, found.q_p) == (
        3, pytest.approx(q), 2, pytest.approx(chdtrc(2, q)),
    )  # fmt: skip
    v = [e.vi for e in effects]
    X = np.array(
        [[e.exercise_type == kind for kind in models.effects.groups] for e in effects], float
    )
    s2 = typical_variance(np.array(v), X)
    assert found.i2 == pytest.approx(100 * found.tau2 / (found.tau2 + s2))
    assert found.h2 == pytest.approx(1 / (1 - found.i2 / 100))
    limits = q_profile(np.array([e.yi for e in effects]), np.array(v), X)
    assert (found.tau2_ci_low, found.tau2_ci_high) == limits


def test_a_normal_interval_of_a_type_with_a_common_tau2(pattern):
    config = CONFIG.model_copy(
        update={"pooling": CONFIG.pooling.model_copy(update={"ci": "wald", "method": "DL"})}
    )
    rows = rows_of(pattern, config, resistance=3, aerobic=2)
    found = {row.group: row for row in rows if row.primary}["aerobic"]
    assert (found.df, found.diamond, found.method, found.ci_method) == (
        None,
        "hollow",
        "DL",
        "wald",
    )
    assert found.note.startswith("one tau2 for all types, normal interval")
    half = 1.959963984540054 * found.se
    assert found.ci_high - found.estimate == pytest.approx(half)
    # Two studies show no spread of studies, whatever the interval.
    assert found.pi_low is None


@pytest.mark.parametrize(("k", "diamond"), [(3, "none"), (4, "hollow")])
def test_a_type_of_two_studies_has_a_diamond_from_four_degrees_of_freedom(pattern, k, diamond):
    rows = {r.group: r for r in rows_of(pattern, resistance=k, aerobic=2) if r.primary}
    assert (rows["aerobic"].df, rows["aerobic"].diamond) == (k, diamond)
    assert rows["resistance"].diamond == "full"


def test_a_type_of_one_study_is_listed_beside_a_common_tau2(pattern):
    rows = {r.group: r for r in rows_of(pattern, resistance=5, aerobic=1) if r.primary}
    alone = rows["aerobic"]
    assert (alone.status, alone.diamond, alone.note) == (
        "listed", "none", "one study: its own estimate and interval",
    )  # fmt: skip


def test_two_arms_of_one_study_are_one_study(pattern):
    """Effects of other participants but of one study: t has the degrees of freedom of studies."""
    effects = studies(pattern, {"resistance": 5})
    effects[1] = replace(effects[1], study_id=effects[0].study_id)
    main = pooled_rows("x", effects, CONFIG)[0]
    assert (main.k, main.k_effects, main.df, main.q_df) == (4, 5, 3, 4)


def test_covariances_count_where_both_effects_are_pooled(pattern):
    effects = studies(pattern, {"resistance": 4})
    link = Covariance(
        effect_id_1="resistance_0", effect_id_2="resistance_1", covariance=5e-5,
        **{f.name: "" for f in fields(Covariance) if f.name not in (
            "effect_id_1", "effect_id_2", "covariance")},
    )  # fmt: skip
    data = EffectSet.of(effects, "ROM", [link]).data
    wanted = np.diag([e.vi for e in effects])
    wanted[0, 1] = wanted[1, 0] = 5e-5
    assert np.array_equal(data.V, wanted)
    assert EffectSet.of(effects[1:], "ROM", [link]).data.V is None


def test_a_measure_read_from_a_file_is_the_same_word(pattern):
    assert len(EffectSet.of(studies(pattern, {"resistance": 3}), "-ROM"[1:]).effects) == 3


def test_notes_of_a_pool(pattern):
    notes = {k: rows_of(pattern, resistance=k)[0].note for k in (1, 2, 3, 4, 5)}
    assert notes[2] == "two studies: the wide interval reflects how little information they provide"
    assert (
        notes[3] == notes[4] == "the estimate of tau2 is imprecise with so few studies"
        and notes[5] == ""
    )
    same = [replace(e, yi=0.01) for e in studies(pattern, {"resistance": 5})]
    assert pooled_rows("x", same, CONFIG)[0].note == (
        "tau2 is estimated as 0: no prediction interval; see its upper limit"
    )
    others = [r for r in rows_of(pattern, resistance=3) if not r.primary and r.group == "overall"]
    assert [row.note for row in others] == ["", ""]


@pytest.mark.parametrize(("least", "shown"), [(4, True), (5, True), (6, False)])
def test_from_how_many_studies_a_prediction_interval_is_shown(pattern, least, shown):
    config = CONFIG.model_copy(
        update={"small_k": CONFIG.small_k.model_copy(update={"prediction_interval": least})}
    )
    assert rows_of(pattern, config, resistance=5)[0].pi_shown == shown


def test_an_overall_diamond_may_be_left_out(pattern):
    def drawn(k, diamond=2, overall=True):
        config = CONFIG.model_copy(update={
            "small_k": CONFIG.small_k.model_copy(update={"diamond": diamond}),
            "subgroups": CONFIG.subgroups.model_copy(update={"overall_diamond": overall}),
        })  # fmt: skip
        return rows_of(pattern, config, resistance=k)[0].diamond

    assert [drawn(2), drawn(3), drawn(3, 3), drawn(2, 3)] == ["hollow", "full", "full", "none"]
    assert drawn(5, overall=False) == "none"


@pytest.mark.parametrize(
    ("sizes", "up_to", "model"),
    [
        ({"resistance": 6, "aerobic": 4}, 4, "common"),
        ({"resistance": 6, "aerobic": 5}, 4, "separate"),
    ],
)
def test_up_to_which_smallest_type_tau2_is_common(pattern, sizes, up_to, model):
    config = CONFIG.model_copy(
        update={"subgroups": CONFIG.subgroups.model_copy(update={"common_tau2_up_to": up_to})}
    )
    (test,) = subgroup_tests("x", studies(pattern, sizes), config)
    assert test.tau2_model == model
    kinds = {r.group: r.tau2 for r in rows_of(pattern, config, **sizes) if r.primary}
    assert (kinds["resistance"] == kinds["aerobic"]) == (model == "common")


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"resistance": 4}, "not tested: 4 studies, 5 are needed"),
        ({"resistance": 5}, "not tested: fewer than two types have two studies"),
        ({"resistance": 2, "aerobic": 2, "combined": 1}, ""),
    ],
)
def test_why_types_are_not_compared(pattern, sizes, reason):
    (test,) = subgroup_tests("x", studies(pattern, sizes), CONFIG)
    assert (test.tested, test.k, test.groups) == (not reason, sum(sizes.values()), len(sizes))
    assert test.note == (
        reason or "this test, and not whether their intervals overlap, shows whether types differ"
    )
