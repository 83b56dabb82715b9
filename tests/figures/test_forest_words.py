"""What the rows of a forest plot say: heterogeneity, models, weights of types, order of blocks."""

from dataclasses import replace

import pytest
from drawing import REVIEWS, derived_of, pooled_row
from osteometa.figures.forest.draw import legend_of
from osteometa.figures.forest.layout import place_columns
from osteometa.figures.forest.rows import ForestRow, _overall, forest_rows
from osteometa.figures.forest.words import (
    HOLLOW_WORDS,
    N_WITHIN_WORDS,
    N_WORDS,
    NO_VOTE_WORDS,
    mean_words,
)
from osteometa.figures.presets import PRESETS, resolved
from osteometa.protocol.config import forest_settings
from osteometa.synthesis.pools import pooled_rows, subgroup_tests, weighted
from osteometa.synthesis.sets import split
from osteometa.wording.models import heterogeneity, model_words
from osteometa.wording.scale import Scale
from osteometa.wording.vocabulary import SHOWN_APART, ExerciseType

SPINE = "bmd_lumbar_spine_training_controlled"
ROW = pooled_row(
    k=5, tau2=0.000126, tau2_ci_low=0.0000295, tau2_ci_high=0.000813, i2=70.6, q=17.49, q_df=4,
    q_p=0.0016,
)  # fmt: skip


def test_heterogeneity_says_the_scale_of_tau2():
    assert heterogeneity(ROW) == (
        "k = 5; τ² = 0.000126 (0.0000295 to 0.000813; log scale); I² = 71 %; "
        "Q = 17.49, df = 4, p = 0.002"
    )
    assert "(0.0000295 to 0.000813);" in heterogeneity(replace(ROW, measure="SMD"))
    bare = replace(ROW, tau2_ci_low=None, tau2_ci_high=None, i2=None)
    assert heterogeneity(bare, leading_zero=False) == (
        "k = 5; τ² = 0.000126 (log scale); Q = 17.49, df = 4, p = .002"
    )


def test_types_that_share_a_tau2_say_its_interval_and_i2_as_of_all():
    shared = replace(ROW, tau2_model="common")
    assert heterogeneity(shared) == (
        "k = 5; Q = 17.49, df = 4, p = 0.002; one model of all types: "
        "τ² = 0.000126 (0.0000295 to 0.000813; log scale), I² = 71 %"
    )
    bare = replace(shared, measure="SMD", tau2_ci_low=None, tau2_ci_high=None, i2=None)
    assert heterogeneity(bare).endswith("one model of all types: τ² = 0.000126")


@pytest.mark.parametrize(("shown", "count"), [(True, 1), (False, 0)])
def test_a_model_speaks_of_a_prediction_interval_where_one_is_shown(shown, count):
    words = model_words(replace(ROW, pi_shown=shown), "k-1")
    assert words.startswith("Model: random effects, REML, Hartung-Knapp with floor")
    assert words.count("; prediction interval on t(k−1)") == count


@pytest.fixture(scope="module")
def spine():
    """Effects, rows, legend, votes and settings of the shipped review's largest synthesis."""
    derived, config = derived_of(REVIEWS["shipped"])
    effects, votes = split(derived.effects, derived.entries, config)[SPINE]
    settings = resolved(forest_settings(config, SPINE))
    chosen = weighted(effects, config)
    made = pooled_rows(SPINE, effects, config), subgroup_tests(SPINE, effects, config)
    rows = forest_rows(chosen, votes, *made, settings)
    return [e for e in chosen if e.measure == "ROM"], *rows, votes, settings


def test_the_diamond_of_a_type_has_the_weight_of_its_studies(spine):
    effects, rows, *_ = spine
    seen = 0
    for kind in ExerciseType:
        for row in rows:
            if row.kind == "diamond" and row.label == kind.heading:
                own = sum(e.weight for e in effects if e.pooled and e.exercise_type == kind)
                assert row.weight == f"{own:.1f}"
                seen += 1
    assert seen == 3


def test_blocks_stand_by_year(spine):
    effects, rows, *_ = spine
    years = {e.effect_id: e.year for e in effects}
    headings = [row.label for row in rows if row.kind == "heading"]
    for words in set(headings) & {block.apart for block in SHOWN_APART}:
        start = next(n for n, row in enumerate(rows) if row.label == words) + 1
        block = []
        for row in rows[start:]:
            if row.kind != "study":
                break
            block.append(years[row.effect_id])
        assert block == sorted(block) and len(block) > 1, words


def test_the_legend_explains_n_and_no_vote(spine):
    _, rows, legend, *_ = spine
    assert any(row.n_total.startswith("N ") for row in rows) == (N_WORDS in legend)
    assert any(row.effect.endswith("no vote") for row in rows) == (NO_VOTE_WORDS in legend)
    assert {N_WORDS, NO_VOTE_WORDS} <= set(legend)


def test_only_the_means_that_stand_on_a_page_are_explained():
    assert mean_words(["", "−1.90 % (2.00)"]) == ["%: percent changes"]
    assert mean_words(["0.20† (0.23)"])[0].startswith("†: levels after")
    assert [w[:2] for w in mean_words(["0.1 %", "0.20†", "0.3"])] == ["Me", "%:", "†:"]
    assert mean_words(["", ""]) == []


@pytest.mark.parametrize(("shape", "count"), [("hollow", 1), ("full", 0)])
def test_a_hollow_diamond_is_explained_where_one_stands(shape, count):
    rows = [ForestRow(kind="diamond", label="All studies", shape=shape)]
    found = legend_of(rows, [], place_columns(rows, PRESETS["standard"], 183.0))
    assert found.count(HOLLOW_WORDS) == count


def test_people_within_an_arm_are_no_comparison(spine):
    vote = next(vote for vote in spine[3] if vote.n)
    settings = {**spine[4], "synthesis": {**spine[4]["synthesis"], "design_class": "within_arm"}}
    rows, legend = forest_rows([], [vote], [], [], settings)
    assert N_WITHIN_WORDS in legend and N_WORDS not in legend
    assert rows[0].label.startswith("Directions only") and "before and after" in rows[0].label


@pytest.mark.parametrize(("k", "count"), [(5, 1), (4, 0)])
def test_only_where_one_would_stand_is_a_missing_prediction_interval_explained(spine, k, count):
    settings = spine[4]
    none = replace(ROW, k=k, tau2=0.0, tau2_ci_low=0.0, pi_shown=False, diamond="none")
    rows = _overall(none, None, 1, Scale("ROM", "", "[a, b]", "percent", 3), settings)
    assert [row.label[:22] for row in rows].count("No prediction interval") == count


@pytest.mark.parametrize(
    ("measure", "ratio_as", "title"),
    [
        ("MD", "percent", "Mean difference, g/cm²"),
        ("SMD", "ratio", "Standardised mean difference"),
        ("ROM", "percent", "Difference, %"), ("ROM", "ratio", "Ratio of means"),
    ],
)  # fmt: skip
def test_axes_have_units_as_a_journal_prints_them(measure, ratio_as, title):
    assert Scale(measure, "g/cm2", "[a, b]", ratio_as).title == title
