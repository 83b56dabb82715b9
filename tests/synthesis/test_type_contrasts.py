"""Differences between exercise types, pair by pair."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from builders import CONFIG, ROOT, derived_of
from hypothesis import given
from hypothesis import strategies as st
from osteometa.pooling.groups import holm
from osteometa.records.effects import Covariance
from osteometa.records.pools import TypeContrast
from osteometa.synthesis.subgroup_tests import subgroup_tests, type_contrasts
from osteometa.synthesis.words import contrast_words
from osteometa.wording.choices import EXERCISE_TYPES
from osteometa.wording.measure_format import MeasureFormat

ORACLE = json.loads((ROOT / "tests/oracle/contrasts.json").read_text())
PATTERN = next(
    e for e in derived_of(ROOT / "tests/reviews/small").effects if e.measure == "ROM" and e.pooled
)


def config_with(method="REML", ci="hksj-floor", up_to=5):
    return CONFIG.model_copy(update={
        "pooling": CONFIG.pooling.model_copy(update={"method": method, "ci": ci}),
        "small_k": CONFIG.small_k.model_copy(update={"subgroup_test": 0}),
        "subgroups": CONFIG.subgroups.model_copy(update={"common_tau2_up_to": up_to}),
    })  # fmt: skip


def effects_of(data, kinds=EXERCISE_TYPES):
    """The effects of a set of the oracle; its groups are exercise types in order of appearance."""
    levels = list(dict.fromkeys(data["group"]))
    v = data.get("vi") or np.diagonal(data["V"]).tolist()
    return [
        replace(PATTERN, effect_id=str(i), study_id=str(i), yi=y, vi=vi,
                exercise_type=kinds[levels.index(group)])
        for i, (y, vi, group) in enumerate(zip(data["yi"], v, data["group"], strict=True))
    ]  # fmt: skip


def linked(first, second, covariance):
    others = {f.name: "" for f in fields(Covariance)}
    return Covariance(**others | {
        "effect_id_1": first, "effect_id_2": second, "covariance": covariance,
    })  # fmt: skip


SIX = ORACLE["shared_control"]
LINK = [linked("0", "1", 0.045)]


@pytest.mark.parametrize(
    ("name", "data"), [(n, d) for n, d in ORACLE.items() if n != "shared_control"]
)
@pytest.mark.parametrize("method", ["DL", "REML"])
@pytest.mark.parametrize("model", ["common hksj-floor", "separate wald"])
def test_pairs_are_those_of_metafor(name, data, method, model):
    kind, ci = model.split()
    rows = type_contrasts(effects_of(data), config_with(method, "hksj-floor", 99 * (ci != "wald")))
    theirs = data["fits"][method][model]
    assert {(row.tau2_model, row.ci_method, row.method) for row in rows} == {(kind, ci, method)}
    for quantity in ("estimate", "se", "p", "p_holm"):
        ours = [getattr(row, quantity) for row in rows]
        assert ours == pytest.approx(theirs[quantity], rel=1e-6, abs=1e-9), quantity
    assert {row.df for row in rows} == {theirs.get("df")}
    sizes = {kind: data["group"].count(group) for kind, group in
             zip(EXERCISE_TYPES, dict.fromkeys(data["group"]), strict=False)}  # fmt: skip
    for row in rows:
        assert (row.k_a, row.k_b) == (sizes[row.type_a], sizes[row.type_b])
        assert (row.status == "single_study") == (1 in (row.k_a, row.k_b))


@pytest.mark.parametrize(("up_to", "statistic", "p"), [(0, 8.0547, 0.0045), (5, 7.8324, 0.0051)])
def test_worked_checks_33_and_34(up_to, statistic, p):
    """Borenstein et al. (2009), chapter 19: with separate and with one tau2."""
    (row,) = type_contrasts(
        effects_of(ORACLE["borenstein_19"]), config_with("DL", "wald", up_to)
    )  # fmt: skip
    assert row.statistic**2 == pytest.approx(statistic, abs=5e-5)
    assert row.p == row.p_holm == pytest.approx(p, abs=5e-5)
    means = {0: (0.3245, 0.6100), 5: (0.3247, 0.6083)}[up_to]
    assert row.estimate == pytest.approx(means[0] - means[1], abs=1e-4)


@pytest.mark.parametrize(
    ("links", "estimate", "se"), [(LINK, 0.2037, 0.2041), ([], 0.2228, 0.2359)]
)
@pytest.mark.parametrize("up_to", [0, 5])
def test_worked_check_36_a_shared_control(links, estimate, se, up_to):
    (row,) = type_contrasts(effects_of(SIX), config_with("EE", "wald", up_to), links)
    assert (row.type_a, row.type_b) == ("resistance", "aerobic")
    assert row.estimate == pytest.approx(estimate, abs=5e-5)
    assert row.se == pytest.approx(se, abs=5e-5)
    assert row.tau2_model == ("common" if links or up_to else "separate")


EFFECT = st.tuples(
    st.floats(-1, 1), st.floats(0.01, 0.5), st.sampled_from(["resistance", "aerobic"])
)
MODELS = st.sampled_from([config_with(up_to=up_to) for up_to in (0, 99)])


def made(rows):
    fixed = [(0.1, 0.1, "resistance"), (0.3, 0.2, "aerobic"), (-0.2, 0.1, "aerobic")]
    return [
        replace(PATTERN, effect_id=str(i), study_id=str(i), yi=y, vi=v, exercise_type=kind)
        for i, (y, v, kind) in enumerate([*fixed, (0.2, 0.3, "resistance"), *rows])
    ]


@given(st.lists(EFFECT, min_size=1, max_size=8), MODELS)
def test_the_difference_of_two_types_is_their_subgroup_test(rows, config):
    effects = made(rows)
    (row,), (test,) = type_contrasts(effects, config), subgroup_tests("x", effects, config)
    assert row.statistic**2 == pytest.approx(test.statistic, rel=1e-9, abs=1e-12)
    assert row.p == pytest.approx(test.p, rel=1e-9)
    assert (row.df, row.tau2_model) == (test.df2, test.tau2_model)
    assert (row.ci_low > 0 or row.ci_high < 0) == (row.p < 0.05)


SWAPPED = {"resistance": "aerobic", "aerobic": "resistance"}


@given(st.lists(EFFECT, min_size=1, max_size=8), MODELS, st.randoms())
@pytest.mark.slow
def test_swapped_types_change_the_sign_and_another_order_nothing(rows, config, random):
    effects = made(rows)
    (row,) = type_contrasts(effects, config)
    other = [replace(e, exercise_type=SWAPPED[e.exercise_type]) for e in effects]
    (back,) = type_contrasts(other, config)
    assert (back.estimate, back.ci_low, back.ci_high) == pytest.approx(
        (-row.estimate, -row.ci_high, -row.ci_low), rel=1e-9, abs=1e-12
    )
    assert (back.p, back.k_a, back.k_b) == (pytest.approx(row.p, rel=1e-9), row.k_b, row.k_a)
    random.shuffle(effects)
    (mixed,) = type_contrasts(effects, config)
    assert (mixed.estimate, mixed.se) == pytest.approx((row.estimate, row.se), rel=1e-9, abs=1e-12)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_p_by_holm_keeps_the_order_and_lies_between_p_and_bonferroni(p):
    adjusted = holm(p)
    for a, b in zip(p, adjusted, strict=True):
        assert a <= b <= min(1.0, len(p) * a)
        assert all(b <= d for c, d in zip(p, adjusted, strict=True) if a < c)


def sized(**sizes):
    kinds = [kind for kind, size in sizes.items() for _ in range(size)]
    return effects_of(
        {"yi": [0.01 * (i % 4) for i in range(len(kinds))], "vi": [1e-4] * len(kinds),
         "group": kinds}, list(sizes),
    )  # fmt: skip


def test_a_type_of_one_study_is_marked_and_counts_among_the_pairs():
    rows = type_contrasts(sized(resistance=3, aerobic=2, other=1), CONFIG)
    assert [(r.type_a, r.type_b, r.k_a, r.k_b, r.status, r.note) for r in rows] == [
        ("resistance", "aerobic", 3, 2, "ok", ""),
        ("resistance", "other", 3, 1, "single_study", "one study of other"),
        ("aerobic", "other", 2, 1, "single_study", "one study of other"),
    ]
    assert [r.p_holm for r in rows] == holm([r.p for r in rows])
    assert {row.by for row in rows} == {"exercise_type"}


def test_a_pair_without_a_degree_of_freedom_is_not_estimated():
    (row,) = type_contrasts(sized(resistance=1, aerobic=1), CONFIG)
    assert (row.status, row.note) == ("not_estimated", "no more studies than types")
    assert {row.estimate, row.se, row.ci_low, row.df, row.p, row.p_holm} == {None}
    assert type_contrasts(sized(resistance=4), CONFIG) == type_contrasts([], CONFIG) == []


PERCENT = MeasureFormat("ROM", "", "[a, b]", "ratio")
ROW = TypeContrast(
    by="exercise_type", measure="ROM", type_a="high_intensity", type_b="aerobic", k_a=3, k_b=2,
    estimate=0.0119, se=0.007, ci_low=-0.003, ci_high=0.0266, df=5, statistic=1.7, p=0.105,
    p_holm=0.21, tau2_model="common", method="REML", ci_method="hksj-floor", status="ok", note="",
)  # fmt: skip


def test_a_difference_in_words():
    words = "high-intensity against aerobic: "
    assert contrast_words(ROW, PERCENT) == (
        f"{words}1.2 % (95 % CI −0.3 to 2.7 %), Holm-adjusted p = 0.210"
    )
    smd = replace(ROW, measure="SMD", status="single_study", note="one study of aerobic")
    assert contrast_words(smd, MeasureFormat("SMD")) == (
        f"{words}0.01 (95 % CI 0.00 to 0.03), Holm-adjusted p = 0.210 (one study of aerobic)"
    )
    none = replace(ROW, estimate=None, status="not_estimated", note="no more studies than types")
    assert contrast_words(none, PERCENT) == f"{words}not estimated (no more studies than types)"
