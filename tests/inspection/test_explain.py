"""Explanations: every cause at once, and a pool with and without."""

import pytest
from builders import (
    CONFIG,
    TESTS,
    contrasted,
    level,
    measurement,
    output_of,
    review_of,
    tables,
    without_baseline_means,
)
from osteometa.inspection.explain import Explainer
from osteometa.inspection.explain_words import headline, study_text, synthesis_text, why_not

ANALYSIS = "ctx_serum_training_controlled"


def explained(given, config=CONFIG):
    explainer = Explainer(given, config)
    return explainer, explainer.study("t")


def trial(study="t", exercise="0.40", **changes):
    """A trial with levels of both arms before and after."""
    rows = [
        measurement(arm, time, mean=mean, sd="0.1", n=20)
        for arm, time, mean in (
            ("e", "baseline", "0.50"), ("e", "end", exercise),
            ("c", "baseline", "0.50"), ("c", "end", "0.48"),
        )
    ]  # fmt: skip
    given = review_of(rows, **changes)
    renamed = {"study_id": study}
    return {
        name: tuple(row.model_copy(update=renamed) for row in getattr(given, name))
        for name in ("studies", "arms", "measurements")
    }


def review(*trials):
    parts = [trial(study, exercise) for study, exercise in trials]
    whole = {name: sum((part[name] for part in parts), ()) for name in parts[0]}
    return review_of().__class__(**whole)


def test_all_causes_are_stated_at_once():
    given = review_of([measurement("e", "end", mean="0.4")], design="nrct")
    arm = given.arms[0].model_copy(
        update={"comparator_kind": "active", "cointervention": "calcium", "listed": "one of two"}
    )
    given = review_of(
        [
            measurement(arm, time, mean="0.4", sd="0.1", n=20)
            for arm in ("e", "c") for time in ("baseline", "end")
        ],
        design="nrct",
    )  # fmt: skip
    given = given.__class__(**{**vars_of(given), "arms": (arm, given.arms[1])})
    _, found = explained(given)
    causes = found.comparisons[0].measures[0].causes
    assert causes == (
        "one of two",
        "comparator 'active' is not pooled by config.yaml",
        "cointervention in one arm only: calcium",
        "non-randomised trial: shown separately",
    )
    assert found.comparisons[0].measures[0].effect.reason == causes[0]


def vars_of(given):
    return {name: getattr(given, name) for name in ("studies", "arms", "measurements")}


def test_an_analyte_of_no_analysis_is_said_with_what_is_missing():
    rows = [level("baseline", mean=0.5, n=20), level("end", mean=0.4, n=20)]
    given = tables(rows, control=True, design="rct")
    rows = tuple(row.model_copy(update={"analyte": "ctx_plasma"}) for row in given.measurements)
    given = given.__class__(**{**vars_of(given), "measurements": rows})
    explainer, found = explained(given)
    text = headline(found, explainer)
    assert text.startswith("Test 2001 (t) is not pooled: plasma CTX: belongs to no planned")
    assert "different only in its analyte: ctx_serum_training_controlled" in text
    assert "it would also need n analysed in both arms; exact p of the between-group" in text


def test_the_missing_cells_of_each_method_are_named():
    given = review_of([measurement(arm, "end", mean="0.4", n=20) for arm in ("e", "c")])
    _, found = explained(given)
    lacks = {tried.attempt.method: tried.lacks for tried in found.comparisons[0].measures[0].tried}
    assert lacks["POST"] == "SD at follow-up in both arms"
    assert lacks["TST"] == "exact p of the between-group test, with its direction"
    assert "baseline-adjusted difference with its SE" in lacks["ADJ"]


def test_what_a_method_lacks_is_enough_and_nothing_of_it_can_be_left_out():
    """Once the named cells are there, the method is used; without one of them it is not."""
    needed = [measurement(arm, "end", mean="0.4", sd="0.1", n=20) for arm in ("e", "c")]
    _, found = explained(review_of(needed))
    assert found.comparisons[0].measures[0].effect.derivation_method == "POST"
    one = [needed[0], needed[1].model_copy(update={"sd": None})]
    assert explained(review_of(one))[1].comparisons[0].measures[0].effect is None


def test_a_pooled_study_has_its_weight_and_the_pool_without_it():
    explainer = Explainer(review(("a", "0.40"), ("b", "0.44"), ("t", "0.30")), CONFIG)
    text = study_text(explainer.study("t"), explainer)
    found = explainer.sets([ANALYSIS])[ANALYSIS]
    assert text.startswith(f"Test 2001 (t) is pooled in {ANALYSIS}.\n")
    weight = next(e.weight for e in found.effects if e.study_id == "t" and e.measure == "SMD")
    assert f"pooled, weight {weight:.1f} %" in text
    alone = Explainer(review(("a", "0.40"), ("b", "0.44")), CONFIG).sets([ANALYSIS])[ANALYSIS]
    without = found.without_study("t")
    assert without.estimate == pytest.approx(alone.row().estimate, rel=1e-12)


def test_the_pool_with_an_effect_that_is_not_in_it_is_that_of_all():
    three = review(("a", "0.40"), ("b", "0.44"), ("t", "0.30"))
    arms = tuple(
        arm.model_copy(update={"listed": "left out"}) if arm.study_id == "t" else arm
        for arm in three.arms
    )
    explainer = Explainer(three.__class__(**{**vars_of(three), "arms": arms}), CONFIG)
    found = explainer.sets([ANALYSIS])[ANALYSIS]
    effect = next(e for e in found.effects if e.study_id == "t" and e.measure == "SMD")
    whole = Explainer(three, CONFIG).sets([ANALYSIS])[ANALYSIS]
    with_it = explainer.pool_with(found, effect)
    assert with_it.estimate == pytest.approx(whole.row().estimate, rel=1e-12)
    assert "with it the pool would be" in study_text(explainer.study("t"), explainer)


def test_a_single_study_is_not_said_to_be_pooled():
    explainer = Explainer(review(("t", "0.40")), CONFIG)
    text = study_text(explainer.study("t"), explainer)
    assert text.startswith(f"Test 2001 (t) is alone in {ANALYSIS}.\n")
    whole = synthesis_text(ANALYSIS, explainer)
    assert "\nThe one study, as SMD\n" in whole
    for words in (text, whole):
        assert "weight" not in words and "In the pool" not in words and "without this" not in words


def test_the_line_of_the_one_study_of_an_analysis_has_no_weight():
    rows = [level(time, mean=mean, sd=0.1, n=20) for time, mean in (("baseline", 5), ("end", 4))]
    rows += [level(time, arm="c", mean=5, sd=0.1, n=20) for time in ("baseline", "end")]
    given = tables([*rows, level("later", mean=4)], control=True, design="rct")
    explainer, found = explained(given)
    text = study_text(found, explainer, whole=False)
    assert f"; the one study in {ANALYSIS}\n" in text and "weight" not in text


@pytest.mark.parametrize(
    ("control", "design", "reason"),
    [
        (False, "rct", "change within one arm of a controlled trial: not pooled"),
        (True, "nrct", "non-randomised trial: shown separately"),
    ],
)
def test_a_design_that_no_number_brings_into_a_pool_is_said_with_what_is_missing(
    control, design, reason
):
    rows = [level(time, arm=arm, mean=5, sd=0.1)
            for arm in ("ec" if control else "e") for time in ("baseline", "end")]  # fmt: skip
    explainer, found = explained(tables(rows, control=control, design=design))
    text = headline(found, explainer)
    assert reason in text and "it would also need n analysed" in text


def test_a_bout_without_hours_is_stated_that_time_h_is_empty():
    rows = [level(time, mean=5, sd=0.1, n=20) for time in ("baseline", "end")]
    explainer, found = explained(tables(rows, phase="acute"))
    assert "no planned analysis, because `time_h` (hours after the bout) is empty" in headline(
        found, explainer
    )
    timed = [rows[0], level("end", mean=5, sd=0.1, n=20, time_h=1)]
    assert "time_h" not in headline(*reversed(explained(tables(timed, phase="acute"))))


def test_an_effect_on_another_measure_is_not_hidden_by_the_primary_one():
    """An adjusted difference with its p gives an MD; the ratio needs another test."""
    place = {"outcome": "BMD", "site": "lumbar_spine"}
    test = contrasted("adj_md", **place, value="0.024", p="0.04", p_operator="=", adjusted="yes",
                      test="ancova", unit="g/cm2", n_exercise=20, n_control=20)  # fmt: skip
    means = [measurement(arm, "end", kind="pct_change", mean=mean, n=20, **place)
             for arm, mean in (("e", "1.5"), ("c", "-1.0"))]  # fmt: skip
    config = without_baseline_means(CONFIG)
    explainer, found = explained(review_of(means, contrasts=[test]), config)
    assert [one.measure for one in found.comparisons[0].measures if one.effect] == ["MD", "SMD"]
    text = headline(found, explainer)
    assert "for ROM, the primary measure, it would need exact p of the unadjusted" in text


def test_a_direction_that_is_not_reported_is_not_said_to_be_counted():
    given = review_of(
        [measurement(arm, time, n=20) for arm in "ec" for time in ("baseline", "end")]
    )
    for exercise, counted in ((given, False), (review(("t", "0.40")), True)):
        explainer = Explainer(exercise, CONFIG)
        text = study_text(explainer.study("t"), explainer)
        assert "direction: " in text and ("counted in the sign test" in text) is counted


def test_places_with_several_arms_name_the_arm():
    given = review(("t", "0.40"))
    other = [row.model_copy(update={"arm_id": "f", "sd": None})
             for row in given.measurements if row.arm_id == "e"]  # fmt: skip
    arm = given.arms[0].model_copy(update={"arm_id": "f", "label": "jumping", "listed": "left out"})
    parts = {"arms": (*given.arms, arm), "measurements": (*given.measurements, *other)}
    listed = parts["arms"][0].model_copy(update={"listed": "left out too"})
    parts["arms"] = (listed, *parts["arms"][1:])
    explainer, found = explained(given.__class__(**{**vars_of(given), **parts}))
    text = headline(found, explainer)
    assert "CTX (jumping): " in text and f"CTX ({listed.label}): " in text


def test_the_one_empty_cell_of_a_test_is_asked_for():
    """At the high r of bone, the size of an SMD from a test depends on what was compared."""
    place = {"outcome": "BMD", "site": "lumbar_spine"}
    rows = [measurement(arm, "end", n=20, **place) for arm in "ec"]
    cells = {"value": "2.1", "score": "change", "test": "other", "n_exercise": 20, "n_control": 20}
    test = contrasted("t", **place, **cells)
    explainer, found = explained(review_of(rows, contrasts=[test]))
    asked = f"`adjusted`, which is empty in contrasts.csv row {test.row}: enter yes or no"
    assert f"decides the size; it would need {asked}\n" in study_text(found, explainer)
    stated = test.model_copy(update={"adjusted": "no"})
    text = study_text(*reversed(explained(review_of(rows, contrasts=[stated]))))
    assert "TST (reported test statistic or p value) used" in text and "`adjusted`" not in text
    both = test.model_copy(update={"score": ""})
    text = study_text(*reversed(explained(review_of(rows, contrasts=[both]))))
    assert "not reported whether the test compares" in text and "`" not in text


def test_an_analysis_names_what_is_in_and_what_is_out():
    three = review(("a", "0.40"), ("b", "0.44"), ("t", "0.30"))
    rows = tuple(
        row.model_copy(update={"sd": None}) if row.study_id == "t" else row
        for row in three.measurements
    )
    explainer = Explainer(three.__class__(**{**vars_of(three), "measurements": rows}), CONFIG)
    text = synthesis_text(ANALYSIS, explainer)
    assert text.startswith(f"{ANALYSIS} is pooled: SMD ")
    inside, outside = text.split("Not in the pool")
    assert "a.e.ctx" in inside and "b.e.ctx" in inside and "t.e.ctx" not in inside
    assert "it would need" in outside


def test_a_study_without_a_comparison_and_an_excluded_one_are_stated():
    explainer, found = explained(review_of())
    assert headline(found, explainer).endswith("no comparison on an outcome that is pooled.")
    given = review_of([measurement("e", "end", mean="0.4")])
    study = given.studies[0].model_copy(update={"include": "no", "exclude_reason": "animals"})
    explainer, found = explained(given.__class__(**{**vars_of(given), "studies": (study,)}))
    assert headline(found, explainer) == "Test 2001 (t) is not included: animals."
    assert found.other_rows[0].reason == "the study is not included: animals"


def test_a_reported_difference_leads_to_its_cells():
    given = review_of(contrasts=[contrasted("smd", value="0.5", standardiser="raw", n_exercise=20,
                                            n_control=20, source="table 2")])  # fmt: skip
    explainer, found = explained(given)
    text = study_text(found, explainer)
    assert "value 0.5, standardiser raw, n_exercise 20, n_control 20; table 2" in text
    assert why_not(found.comparisons[0]) == ""


def test_merged_arms_are_explained(capsys):
    directory = TESTS / "reviews/shared_control"
    words = ("made_one_type_2002", "--directory", directory)
    status, out, _ = output_of(capsys, "explain", *words)
    assert status == 0 and "merged: high and low share one control" in out
    assert output_of(capsys, "explain", *words, "--all")[0] == 0
