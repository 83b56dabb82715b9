"""What is reported for how many studies, and when types are compared."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from osteometa.check import check_review
from osteometa.config import EXERCISE_TYPES, load_config
from osteometa.evidence import derive
from osteometa.pooling import pooled_rows, subgroup_tests, weighted

ROOT = Path(__file__).parents[1]
CONFIG = load_config(ROOT / "config.yaml")
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
    outcome = check_review(ROOT / "tests/reviews/small")
    derived = derive(outcome.tables, outcome.config)
    return next(e for e in derived.effects if e.measure == "ROM" and e.pooled)


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
        ({"resistance": 3, "aerobic": 2}, True, "common", "this test does"),
        ({"resistance": 6, "aerobic": 6}, True, "separate", "this test does"),
        ({"resistance": 3, "aerobic": 2, "combined": 1}, True, "common", "this test does"),
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
