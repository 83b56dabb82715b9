"""What the rows of a forest plot say: heterogeneity, models, weights of types, order of blocks."""

from dataclasses import replace

import pytest
from builders import checked
from drawing import REVIEWS, derived_of, forest_diamond, forest_study, made_forest, pooled_row
from osteometa.figures.forest.draw import (
    HOLLOW_WORDS,
    N_WITHIN_WORDS,
    N_WORDS,
    NOT_COUNTED_WORDS,
    legend_of,
)
from osteometa.figures.forest.layout import place_columns
from osteometa.figures.forest.rows import _notes, forest_of
from osteometa.figures.settings import FigureSettings
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import split
from osteometa.synthesis.subgroup_tests import subgroup_tests
from osteometa.synthesis.words import heterogeneity, model_words
from osteometa.wording.measure_format import MeasureFormat
from osteometa.wording.vocabulary import SHOWN_APART, ExerciseType, Flag

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
        "k = 5; Q = 17.49, df = 4, p = 0.002; one model for all types: "
        "τ² = 0.000126 (0.0000295 to 0.000813; log scale), I² = 71 %"
    )
    bare = replace(shared, measure="SMD", tau2_ci_low=None, tau2_ci_high=None, i2=None)
    assert heterogeneity(bare).endswith("one model for all types: τ² = 0.000126")


@pytest.mark.parametrize(("shown", "count"), [(True, 1), (False, 0)])
def test_a_model_speaks_of_a_prediction_interval_where_one_is_shown(shown, count):
    words = model_words(replace(ROW, pi_shown=shown), "k-1")
    assert words.startswith("Model: random effects, REML, Hartung-Knapp with floor")
    assert words.count("; prediction interval from t(k−1)") == count


@pytest.fixture(scope="module")
def spine():
    """Effects, forest, directions and settings of the shipped review's largest synthesis."""
    derived, config = derived_of(REVIEWS["shipped"]), checked(REVIEWS["shipped"]).config
    effects, directions = split(derived.effects, derived.entries, config)[SPINE]
    settings = FigureSettings.of(config, SPINE)
    chosen = weighted(effects, config)
    made = pooled_rows(SPINE, effects, config), subgroup_tests(SPINE, effects, config)
    forest = forest_of(chosen, directions, *made, settings)
    return [e for e in chosen if e.measure == "ROM"], forest, directions, settings


def test_the_diamond_of_a_type_has_the_weight_of_its_studies(spine):
    effects, rows = spine[0], spine[1].rows
    seen = 0
    for kind in ExerciseType:
        for row in rows:
            if row.kind == "diamond" and row.group == kind:
                own = sum(e.weight for e in effects if e.pooled and e.exercise_type == kind)
                assert row.weight == f"{own:.1f}"
                seen += 1
    assert seen == 3


def test_every_flag_has_a_letter(spine):
    effects, settings = spine[0], spine[3]
    forest = forest_of([replace(effects[0], flags=frozenset(Flag))], [], [], [], settings)
    (marks,) = (row.marks.split() for row in forest.rows if row.marks)
    assert set(marks) == set(forest.letters) and len(marks) == len(Flag)


def test_blocks_stand_by_year(spine):
    effects, rows = spine[0], spine[1].rows
    years = {e.effect_id: e.year for e in effects}
    headings = [row.label for row in rows if row.kind == "heading"]
    sizes = []
    for words in set(headings) & {block.apart for block in SHOWN_APART}:
        start = next(n for n, row in enumerate(rows) if row.label == words) + 1
        block = []
        for row in rows[start:]:
            if row.kind != "study":
                break
            block.append(years[row.effect_id])
        assert block and block == sorted(block), words
        sizes.append(len(block))
    assert max(sizes) > 2


def legend(forest, rows=None):
    rows = forest.rows if rows is None else rows
    columns = place_columns(rows, forest.settings.preset, 183.0)
    return legend_of(rows, columns, forest.letters, forest.settings.within_arm)


def test_the_legend_explains_n_and_what_is_not_counted(spine):
    rows, found = spine[1].rows, legend(spine[1])
    assert any(row.participants for row in rows) and any(row.counted is False for row in rows)
    assert {N_WORDS, NOT_COUNTED_WORDS} <= set(found)
    counted = [row for row in rows if row.counted is None]
    assert NOT_COUNTED_WORDS not in legend(spine[1], counted)


def test_only_the_means_that_stand_on_a_page_are_explained():
    kinds = {"pct_change": "%: percent", "after": "†: final", "change": "Means are changes"}
    for some in (["pct_change"], ["change", "after"], list(kinds), [""]):
        rows = [forest_study("Able 2001", 0.01, 0.01, means_kind=kind) for kind in some]
        found = legend(made_forest(rows))
        assert len(found) == len([kind for kind in some if kind])
        assert all(any(line.startswith(kinds[k]) for line in found) for k in some if k)


@pytest.mark.parametrize(("shape", "count"), [("hollow", 1), ("full", 0)])
def test_a_hollow_diamond_is_explained_where_one_stands(shape, count):
    rows = [forest_diamond("All studies", 0.01, 0.01, shape=shape)]
    assert legend(made_forest(rows)).count(HOLLOW_WORDS) == count


def test_participants_within_an_arm_are_no_comparison(spine):
    found = next(found for found in spine[2] if found.n)
    settings = replace(spine[3], design_class="within_arm")
    forest = forest_of([], [found], [], [], settings)
    rows = [forest_study("Able 2001", 0.01, 0.01), *forest.rows]
    assert N_WITHIN_WORDS in legend(forest, rows) and N_WORDS not in legend(forest, rows)


@pytest.mark.parametrize(("k", "count"), [(5, 1), (4, 0)])
def test_only_where_one_would_stand_is_a_missing_prediction_interval_explained(spine, k, count):
    none = replace(ROW, k=k, tau2=0.0, tau2_ci_low=0.0, pi_shown=False, diamond="none")
    notes = _notes(none, None, spine[3])
    assert [note[:22] for note in notes].count("No prediction interval") == count


@pytest.mark.parametrize(
    ("measure", "ratio_as", "title"),
    [
        ("MD", "percent", "Mean difference, g/cm²"),
        ("SMD", "ratio", "Standardised mean difference"),
        ("ROM", "percent", "Difference, %"), ("ROM", "ratio", "Ratio of means"),
    ],
)  # fmt: skip
def test_axes_have_units_as_a_journal_prints_them(measure, ratio_as, title):
    assert MeasureFormat(measure, "g/cm2", "[a, b]", ratio_as).title == title
