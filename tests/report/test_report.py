"""What the report says, from records, odd ones included."""

import dataclasses
import itertools
import types

import pytest
from builders import CONFIG, record
from osteometa.extraction.tables import Tables
from osteometa.figures.files import write_figure
from osteometa.figures.style import new_figure, put, set_up
from osteometa.pooling.model import pool
from osteometa.protocol.config import Synthesis
from osteometa.records.directions import DirectionSet, StudyDirection
from osteometa.records.effects import AlternativeEffect, Choice, WeightedEffect
from osteometa.records.pools import PooledRow, SynthesisRow
from osteometa.records.sensitivity import (
    AlternativeModel,
    GoshRow,
    InfluenceRow,
    MetaRegressionRow,
    MultiverseShare,
    PermutationRow,
    SensitivityRow,
    SmallStudyRow,
    StepRow,
)
from osteometa.report import (
    exercise_types,
    sensitivity,
    sensitivity_choices,
    sensitivity_models,
    summary_of_findings,
)
from osteometa.report.findings import Average, Findings, SensitivityTables
from osteometa.report.inline_figures import inline_figure
from osteometa.report.page import p_range, share_known, share_range
from osteometa.report.sensitivity import sensitivity_lines
from osteometa.report.sentences import synthesis_sentences
from osteometa.report.studies import NOT_ASSESSED
from osteometa.sensitivity.permutation import sign_flip
from osteometa.wording.syntheses import bout_cautions
from osteometa.wording.vocabulary import SHOWN_APART


def effect(label, kind="resistance", measure="ROM", **more):
    return record(
        WeightedEffect, study_id=label.lower(), label=label, exercise_type=kind, measure=measure,
        outcome="BMD", pooled=True, design="rct", **more,
    )  # fmt: skip


def found(estimate, low, high, *, effects=(), measure="ROM", within=False, note="", **model):
    """Return the findings of one synthesis with a primary pool."""
    outcome, site = ("BMD", "lumbar_spine") if measure == "ROM" else ("CTX", "")
    design = "within_arm" if within else "controlled"
    effects = effects or tuple(
        effect(name, measure=measure, n_total=20) for name in ("Ada 2001", "Bo 2002", "Cy 2003")
    )
    main = record(
        PooledRow, measure=measure, group="overall", primary=True, k=len(effects), method="REML",
        estimate=estimate, ci_low=low, ci_high=high, diamond="full", tau2=0.0, **model,
    )  # fmt: skip
    analyte = {"BMD": "bmd_areal", "CTX": "ctx_serum"}[outcome]
    return Findings(
        synthesis=Synthesis(id="one", outcome=outcome, analyte=analyte, site=site,
                            phase="training", design_class=design),
        outcome=CONFIG.outcomes[outcome], when="",
        row=record(SynthesisRow, synthesis="one", outcome=outcome, analyte=analyte, site=site,
                   measure=measure, phase="training", design_class=design, status="pooled",
                   note=note),
        effects=tuple(effects), pooled=(main,),
    )  # fmt: skip


def main_of(synthesis):
    average = synthesis.average()
    assert isinstance(average, Average)
    return average


CLEAR = found(0.02, 0.01, 0.03)
ACROSS = found(-0.02, -0.05, 0.01)
MAIN, OPEN = main_of(CLEAR), main_of(ACROSS)


def changed(row, change, estimate, low, high, **more):
    more = {"group": "overall", "measure": "ROM", "k": 3, "status": "ok", "sign_changed": False,
            "null_crossed": False, **more}  # fmt: skip
    return record(SensitivityRow, row=row, change=change, estimate=estimate, ci_low=low,
                  ci_high=high, **more)  # fmt: skip


PRIMARY = changed("primary", "the primary pool", 0.02, 0.01, 0.03)


def test_choices_that_change_nothing_are_counted_and_repeats_are_not():
    rows = [
        PRIMARY,
        changed("tau2=REML", "tau2 by REML", 0.02, 0.01, 0.03),
        changed("tau2=DL", "tau2 by DL", 0.0201, 0.011, 0.031),
        changed("leave one out", "without A: it moves the estimate most", 0.01, -0.01, 0.03),
        changed("r=0.9", "every assumed r is 0.9", 0.03, 0.02, 0.04),
    ]
    text, missing = sensitivity_choices.one_at_a_time(CLEAR, MAIN, rows)
    assert text == (
        "Two other choices tried, one at a time: none changes the sign of the estimate; the "
        "primary interval excludes the null value, and so do all others; estimates range from 2.0 "
        "to 3.0 % (primary 2.0 %)."
    )
    assert not missing


def test_choices_that_turn_the_result_are_named_with_what_is_left():
    rows = [
        PRIMARY,
        changed("without PCT", "without percent changes", -0.01, -0.02, 0.01, k=1,
                sign_changed=True, null_crossed=True),
        changed("with a_2000 TST+p", "A 2000, only the value derived by TST+p", 0.5,
                -0.1, 1.1, measure="SMD", k=4, null_crossed=True),
        changed("without PP", "without per-protocol analyses", None, None, None, k=0,
                status="not_estimable"),
        changed("without BASE", "without baseline means", 0.1, -0.1, 0.3, group="aerobic", k=2,
                null_crossed=True),
    ]  # fmt: skip
    text, _ = sensitivity_choices.one_at_a_time(CLEAR, MAIN, rows)
    twice = [*rows, dataclasses.replace(rows[1], change="without imputed numbers")]
    assert "two change the sign of the" in sensitivity_choices.one_at_a_time(CLEAR, MAIN, twice)[0]
    assert "one changes the sign of the estimate (without percent changes, one study);" in text
    assert (
        "the primary interval excludes the null value, but includes it with two choices (without "
        "percent changes, one study; A 2000, only the value derived by TST+p, "
        "as SMD, four studies)" in text
    )
    assert "Aerobic: without baseline means, two studies." in text
    assert text.endswith("No study remains in the analyses without per-protocol analyses.")


def test_without_a_primary_pool_or_another_choice_there_is_a_reason():
    gone = changed("primary", "the primary pool", None, None, None, status="not_estimable")
    assert sensitivity_choices.one_at_a_time(CLEAR, MAIN, [gone]) == (
        "",
        [("", "there is no primary pool")],
    )
    reason = "no other choice changes this pool"
    assert sensitivity_choices.one_at_a_time(CLEAR, MAIN, [PRIMARY]) == ("", [("", reason)])


def step(label, estimate, sequence="leave_one_out", **more):
    return record(StepRow, sequence=sequence, label=label, estimate=estimate, status="ok",
                  **{"sign_changed": False, "null_crossed": False, **more})  # fmt: skip


def test_leaving_out_names_the_ends_and_whom_the_verdict_rests_on():
    rows = [step("Ada 2001", 0.01, null_crossed=True), step("Bo 2002", 0.03), step("Cy 2003", 0.02)]
    text, _ = sensitivity.leave_one_out(CLEAR, MAIN, rows)
    assert text == (
        "Leaving out each of three studies in turn, the average ranges from 1.0 % (without Ada "
        "2001) to 3.0 % (without Bo 2002); the sign never changes, and the interval includes the "
        "null value without Ada 2001."
    )
    turned = [dataclasses.replace(row, sign_changed=True, null_crossed=False) for row in rows]
    text, _ = sensitivity.leave_one_out(ACROSS, OPEN, turned)
    assert "the sign changes without Ada 2001, Bo 2002 or Cy 2003, and the interval" in text
    lost = dataclasses.replace(rows[0], status="not_estimable", estimate=None, reason="no solution")
    text, _ = sensitivity.leave_one_out(CLEAR, MAIN, [lost, *rows[1:]])
    assert "one model without a study did not converge" in text
    none = [record(StepRow, status="not_applicable", reason="1 study, 3 are needed")]
    assert sensitivity.leave_one_out(CLEAR, MAIN, none) == (
        "",
        [("", "1 study, 3 are needed")],
    )


def test_both_orders_of_adding_have_one_reason():
    none = [record(StepRow, sequence=sequence, status="not_applicable", reason="no study")
            for sequence in ("year", "precision")]  # fmt: skip
    assert sensitivity.cumulative(MAIN, none) == ("", [("", "no study")])


@pytest.mark.parametrize(
    ("crossed", "words"),
    [
        (
            (False, False, False),
            "its interval excludes the null value from the first study onwards",
        ),
        ((True, False, False), "from Bo 2002 (study 2 of 3) onwards"),
        ((False, True, False), "only with all 3 studies"),
        ((True, True, False), "only with all 3 studies"),
    ],
)
def test_cumulative_tells_since_when_the_verdict_stands(crossed, words):
    rows = [
        step(label, 0.02, "year", null_crossed=over)
        for label, over in zip(("Ada 2001", "Bo 2002", "Cy 2003"), crossed, strict=True)
    ]
    text, _ = sensitivity.cumulative(MAIN, rows)
    assert text.startswith("Added by year, the average is above the null value from the first")
    assert words in text
    assert "below the null value" in sensitivity.cumulative(OPEN, rows)[0]
    assert sensitivity.cumulative(MAIN, []) == ("", [("", "no study is pooled")])


def test_influence_names_the_strong_and_else_the_farthest():
    one = record(InfluenceRow, label="Ada 2001", status="ok", rstudent=-2.63, tau2_without=0.0001,
                 influential=False)  # fmt: skip
    text, _ = sensitivity.influence(MAIN, [one])
    assert (
        text.startswith("No study exceeds")
        and "Ada 2001 (studentised deleted residual −2.6" in text
    )
    strong = dataclasses.replace(one, influential=True)
    assert sensitivity.influence(MAIN, [strong])[0].startswith("One study exceeds")
    two = sensitivity.influence(MAIN, [strong, dataclasses.replace(strong, label="Bo 2002")])
    assert two[0].startswith("Two studies exceed the usual thresholds")
    bare = dataclasses.replace(one, rstudent=None)
    assert sensitivity.influence(MAIN, [bare])[0].endswith("weight).")
    assert sensitivity.influence(MAIN, []) == ("", [("", "no study is pooled")])


def test_subsets_say_all_only_where_all_were_fitted():
    def subset(bits, value):
        return GoshRow(subset=bits, k=bits.count("1"), estimate=value, tau2=0.0, i2=0.0)

    rows = [subset(bits, value) for bits, value in
            (("110", 0.01), ("101", -0.01), ("011", 0.02), ("111", 0.015))]  # fmt: skip
    text, _ = sensitivity.gosh(CLEAR, MAIN, rows)
    assert text.startswith("Over all 4 subsets") and "75 % of them have the sign" in text
    assert sensitivity.gosh(CLEAR, MAIN, rows[:3])[0].startswith(
        "Over a random sample of 3 subsets"
    )
    none = record(GoshRow, status="not_applicable", reason="2 studies, 3 are needed", k=2)
    assert sensitivity.gosh(CLEAR, MAIN, [none]) == ("", [("", "2 studies, 3 are needed")])


@pytest.mark.parametrize(
    ("percent", "words"),
    [(100, "all"), (99.97, "more than 99 %"), (0.02, "less than 1 %"), (0, "none"), (15.2, "15 %"),
     (None, "an unknown share")],
)  # fmt: skip
def test_a_share_is_all_or_none_only_where_it_is(percent, words):
    assert sensitivity_choices.share_words(percent) == words


def share(choice, value=None, **more):
    more = {"measure": "ROM", "status": "ok", "levels": 3, **more}
    return record(MultiverseShare, choice=choice, share=value, **more)


def test_multiverse_names_the_choice_that_explains_most():
    total = {"specifications": 1220, "same_sign": 100, "excludes_null": 97.9, "median": 0.021,
             "lowest": 0.013, "highest": 0.029}  # fmt: skip
    rows = [
        share("inclusion", 80.4),
        share("tau2", 0.2),
        share("remainder", 95),
        share("all", **total),
    ]
    text, _ = sensitivity_choices.multiverse(CLEAR, rows)
    assert "combine to 1,220 distinct specifications: all have the sign" in text
    assert "excludes the null value in 98 %" in text and "from 1.3 to 2.9 %" in text
    assert "effects left out explains most of the variance between them (80 %)." in text
    for part, words in ((50.2, "most"), (50.0, "the largest part"), (35.0, "the largest part")):
        rows = [share("inclusion", part), share("tau2", 20.0), share("all", **total)]
        text, _ = sensitivity_choices.multiverse(CLEAR, rows)
        assert f"explains {words} of the variance between them ({part:.0f} %)." in text
    text, _ = sensitivity_choices.multiverse(CLEAR, [share("inclusion", 0), share("all", **total)])
    assert "no choice makes a difference" in text
    none = share("all", status="not_applicable", reason="fewer than two studies are pooled")
    assert sensitivity_choices.multiverse(CLEAR, [none])[1] == [("", none.reason)]
    assert sensitivity_choices.multiverse(CLEAR, [])[0] == ""


def small_row(analysis, **more):
    return record(SmallStudyRow, analysis=analysis, **{"status": "ok", "k": 12, **more})


def test_small_study_effects_are_a_sensitivity():
    rows = [
        small_row("egger", p=0.0004), small_row("rank", p=None),
        small_row("trim_fill", estimate=0.01, ci_low=0.0, ci_high=0.02, filled=2, side="left"),
        small_row("selection", estimate=0.01), small_row("pet_peese", status="not_estimable",
                                                         reason="no solution"),
    ]  # fmt: skip
    text, missing = sensitivity_models.small_study(CLEAR, rows)
    assert "Egger's regression, p < 0.001; rank correlation, p not defined." in text
    assert "analyses only: trim and fill adds two studies on the left and gives" in text
    assert text.endswith("selection model 1.0 %.")
    assert missing == [("PET-PEESE", "no solution")]
    few = [small_row("egger", status="not_applicable", reason="4 studies: they need 10")]
    assert sensitivity_models.small_study(CLEAR, few) == ("", [("", "4 studies: they need 10")])


def test_slopes_are_stated_per_step_on_the_scale_of_the_effect():
    row = record(MetaRegressionRow, covariate="weeks", k=12, slope=-0.001, ci_low=-0.002,
                 ci_high=0.0, p=0.05, p_permutation=0.0001, status="ok")  # fmt: skip
    text, _ = sensitivity_models.meta_regression(CLEAR, [row])
    assert "per 10 weeks of training −1.00 % (95 % CI −1.98 to 0.00 %; p = 0.050" in text
    assert "by permutation < 0.001" in text and "do not show causes" in text
    ratio = dataclasses.replace(CLEAR, outcome=CONFIG.outcomes["CTX"])
    assert "times 0.990 (" in sensitivity_models.meta_regression(ratio, [row])[0]
    few = dataclasses.replace(row, slope=None, status="not_applicable", k=1, reason="1 study")
    assert sensitivity_models.meta_regression(CLEAR, [few])[1] == [("", few.reason)]


def test_permutation_says_that_the_average_is_ranked_by_its_standard_error():
    """A set where more arrangements have a |t| as large than an average as large."""
    y, v = [-0.1, 0.5, 0.3, 0.3, 0.5, 0.4], [0.03, 0.03, 0.1, 0.09, 0.03, 0.06]
    own = pool(y, v)
    flips = [
        pool([s * effect for s, effect in zip(signs, y, strict=True)], v)
        for signs in itertools.product((1, -1), repeat=len(y))
    ]
    by_average = sum(abs(f.estimate) >= abs(own.estimate) * (1 - 1e-9) for f in flips)
    by_statistic = sum(abs(f.statistic) >= abs(own.statistic) * (1 - 1e-9) for f in flips)
    assert by_average != by_statistic
    got = sign_flip(y, v, ci="hksj-floor")
    row = record(PermutationRow, test="sign_flip", k=got.k, permutations=got.permutations,
                 statistic=got.statistic, exact=True, p=got.p, p_smallest=got.p_smallest,
                 status="ok")  # fmt: skip
    text, _ = sensitivity_models.permutation(MAIN, [row])
    assert f"{by_statistic} of all {len(flips)} assignments of signs" in text
    assert f"as extreme as the observed one (t = {own.statistic:.2f})," in text
    wald = found(0.02, 0.01, 0.03, ci_method="wald")
    assert "(z = " in sensitivity_models.permutation(main_of(wald), [row])[0]


def test_permutation_counts_arrangements():
    row = record(PermutationRow, test="sign_flip", k=4, permutations=16, exact=True, p=0.375,
                 statistic=-1.2, p_smallest=0.125, status="ok")  # fmt: skip
    text, _ = sensitivity_models.permutation(MAIN, [row])
    assert "6 of all 16 assignments" in text
    assert text.endswith("p = 0.375 (the smallest p possible with four studies is 0.125).")
    sampled = dataclasses.replace(row, permutations=10000, exact=False, p=0.0123, p_smallest=1e-4)
    text, _ = sensitivity_models.permutation(MAIN, [sampled])
    assert "1.2 % of 10,000 random assignments" in text and "p = 0.012 (" in text
    assert "below 0.001" in text
    one = dataclasses.replace(row, p=None, status="not_estimable", reason="1 study: it needs two")
    assert sensitivity_models.permutation(MAIN, [one]) == ("", [("", "1 study: it needs two")])


def test_alternative_models_are_never_the_headline():
    rows = [
        record(AlternativeModel, model="bayesian", estimate=-0.02, ci_low=-0.05, ci_high=0.01,
               prior="tau half-normal(0.5), mu flat", tau_low=0.1, tau_high=0.9, status="ok"),
        record(AlternativeModel, model="che", estimate=-0.01, ci_low=-0.02, ci_high=0.0, df=3.2,
               warning="fewer than 4 degrees of freedom", status="ok"),
        record(AlternativeModel, model="robust", status="not_applicable",
               reason="nothing is nested"),
    ]  # fmt: skip
    text, missing = sensitivity_models.alternative_models(CLEAR, rows)
    assert text.startswith("In addition to the primary model: Bayesian model, prior τ")
    assert "95 % credible interval" in text and "(fewer than 4 degrees of freedom)" in text
    assert missing == [("robust variance", "nothing is nested")]


def test_the_bootstrap_says_how_many_sign_vectors_and_the_smallest_p():
    wild = {"inference": "wild_bootstrap"}
    seven = {
        **wild,
        "k": 7,
        "sign_vectors": 128,
        "exact": True,
        "p_smallest": 2 / 128,
        "status": "ok",
    }
    rows = [
        record(AlternativeModel, model="che", estimate=-0.01, ci_low=-0.02, ci_high=0.0, df=3.2,
               warning="fewer than 4 degrees of freedom", status="ok"),
        record(AlternativeModel, model="three_level", estimate=-0.02, ci_low=-0.05,
               ci_high=0.01, p=0.25, **seven),
        record(AlternativeModel, model="che", estimate=-0.03, ci_low=-0.06, ci_high=0.02,
               p=0.125, **seven),
        record(AlternativeModel, model="robust", status="not_estimable", reason="singular", **wild),
    ]  # fmt: skip
    text, missing = sensitivity_models.alternative_models(CLEAR, rows)
    assert "(all 128 sign vectors of studies, to be preferred where" in text
    assert "three-level model" in text and "p = 0.250;" in text and "p = 0.125;" in text
    assert text.endswith("the smallest p possible with seven studies is 0.016.")
    assert missing == [("cluster wild bootstrap", "singular")]
    few = [
        dataclasses.replace(row, ci_low=None, ci_high=None, k=4, sign_vectors=16, p_smallest=0.125)
        for row in rows[1:3]
    ]
    text, _ = sensitivity_models.alternative_models(CLEAR, few)
    assert text.startswith("In addition to the primary model: Cluster wild bootstrap")
    assert "preferred" not in text
    assert text.endswith("with four studies is 0.125, so there is no interval.")
    drawn = dataclasses.replace(rows[1], exact=False, sign_vectors=2000, p_smallest=1 / 2000)
    text, _ = sensitivity_models.alternative_models(CLEAR, [drawn])
    assert "2,000 random sign vectors" in text and "is below 0.001" in text
    same = [dataclasses.replace(row, status="not_applicable", reason="none") for row in few]
    assert sensitivity_models.alternative_models(CLEAR, same)[1] == [
        ("cluster wild bootstrap", "none")
    ]


def test_what_does_not_apply_is_stated_once_with_its_reason():
    few = {"status": "not_applicable", "reason": "1 study, 3 are needed"}
    tables = SensitivityTables(
        sensitivity=(PRIMARY,), leave_one_out=(record(StepRow, **few),),
        influence=(record(InfluenceRow, **few),),
        permutation=(record(PermutationRow, test="sign_flip", **few),),
    )  # fmt: skip
    lines, words = sensitivity_lines(dataclasses.replace(CLEAR, tables=tables))
    assert lines == []
    assert (
        "one study left out, influential studies, permutation test (1 study, 3 are needed)" in words
    )
    empty = dataclasses.replace(CLEAR, pooled=(), effects=())
    assert sensitivity_lines(empty) == (
        [], "not applicable, because no effect estimate is in the pool.",
    )  # fmt: skip


def test_one_study_whose_interval_holds_the_null_leaves_the_direction_open():
    one = (effect("Ada 2001", n_total=20),)
    open_end = found(0.02, -0.01, 0.05, effects=one, ci_method="hksj-floor")
    text = synthesis_sentences(open_end, Tables())[0]
    assert text.endswith("the interval includes the null value. A single study is not pooled.")
    closed = found(0.02, 0.01, 0.05, effects=one)
    assert "excludes the null value" in synthesis_sentences(closed, Tables())[0]
    within = found(0.02, -0.01, 0.05, effects=one, within=True)
    assert "higher after exercise than before" in synthesis_sentences(within, Tables())[0]


def test_what_changes_a_marker_after_a_bout_is_stated():
    note = "; ".join(bout_cautions("CTX", diurnal="falls at noon", uncorrected=1, studies=1))
    text = " ".join(synthesis_sentences(found(0.02, 0.01, 0.05, note=note), Tables()))
    assert "CTX falls at noon, and without a resting control" in text
    assert "no study is known to correct for the loss of plasma volume" in text
    (caution,) = bout_cautions("CTX", diurnal="", uncorrected=3, studies=4)
    assert caution.startswith("3 of 4 studies are not known to correct")
    assert bout_cautions("CTX", diurnal="", uncorrected=0, studies=4) == []


@pytest.mark.parametrize("block", SHOWN_APART)
def test_every_study_that_a_forest_plot_draws_below_the_pool_is_in_the_report(block):
    apart = dataclasses.replace(effect("Di 2004"), pooled=False, block=block, vi=1.0)
    synthesis = dataclasses.replace(CLEAR, effects=(*CLEAR.effects, apart))
    text = " ".join(synthesis_sentences(synthesis, Tables()))
    assert f"not pooled: {block.words} (1)." in text


def by_paper(label, kind, **more):
    more = {"alternative": Choice("type_by", "paper"), "measure": "ROM", **more}
    return record(AlternativeEffect, study_id=label.lower(), label=label, exercise_type=kind,
                  pooled=True, **more)  # fmt: skip


def test_both_classifications_stand_side_by_side():
    pool = tuple(effect(name) for name in ("Ada 2001", "Bo 2002", "Cy 2003"))
    alternatives = (
        by_paper("Ada 2001", "high_intensity"),
        by_paper("Bo 2002", "aerobic", measure="SMD"),
        by_paper("Bo 2002", "aerobic", alternative=Choice("r", "0.5")),
    )
    row = changed("type_by=paper", "by the paper", 0.04, 0.01, 0.07, group="resistance", k=2)
    done = dataclasses.replace(
        found(0.02, 0.01, 0.03, effects=pool), alternatives=alternatives,
        tables=SensitivityTables(sensitivity=(row,)),
    )  # fmt: skip
    other = exercise_types.pool_by_paper(done)
    table = exercise_types.type_rows(done, other)
    assert [line.type for line in table] == ["Resistance", "High-intensity"]
    assert table[0].studies == "3: Ada 2001; Bo 2002; Cy 2003"
    assert table[0].studies_by_paper == "2: Bo 2002; Cy 2003"
    assert table[0].effect_by_paper == "4.1 % (1.0 to 7.3 %)"
    assert table[1] == ("High-intensity", "none", "", "1: Ada 2001", "")
    words = exercise_types.type_words(done, other)
    assert words.startswith("One study of the pool changes type")
    assert "Ada 2001 (resistance by modality, high-intensity by the paper)." in words


def test_arms_merged_by_one_classification_may_part_by_the_other():
    alternatives = tuple(by_paper("Ada 2001", k) for k in ("high_intensity", "resistance"))
    done = dataclasses.replace(CLEAR, alternatives=alternatives)
    words = exercise_types.type_words(done, exercise_types.pool_by_paper(done))
    assert "resistance by modality, resistance and high-intensity by the paper)." in words


def test_classifications_that_agree_have_one_sentence():
    assert exercise_types.type_rows(CLEAR, CLEAR.pool) == []
    words = exercise_types.type_words(CLEAR, CLEAR.pool)
    assert words.startswith("Both classifications assign every study")
    assert exercise_types.type_words(dataclasses.replace(CLEAR, effects=()), []) == ""


def tables(**levels):
    rows = [types.SimpleNamespace(synthesis="one", certainty=level, reasons="")
            for level in levels.values()]  # fmt: skip
    return types.SimpleNamespace(grade=rows)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("high", "Exercise raises BMD at the lumbar spine."),
        ("moderate", "Exercise probably raises BMD at the lumbar spine."),
        ("low", "Exercise may raise BMD at the lumbar spine."),
        ("very_low", "The evidence is very uncertain about the effect of exercise on BMD at the "
                     "lumbar spine."),
        ("", ""),
    ],
)  # fmt: skip
def test_a_statement_is_worded_by_the_certainty_that_reviewers_entered(level, words):
    assert summary_of_findings.statement(CLEAR, MAIN, level) == words


def test_a_statement_says_what_the_interval_and_the_design_leave_open():
    assert summary_of_findings.statement(ACROSS, OPEN, "low") == (
        "Exercise may lower BMD at the lumbar spine, but the interval includes the null value."
    )
    within = found(0.02, 0.01, 0.03, within=True)
    assert summary_of_findings.statement(within, main_of(within), "high").startswith(
        "A change within one arm"
    )


def test_summary_of_findings_translates_effects_by_a_named_reference():
    row = summary_of_findings.summary_of_findings([CLEAR], tables())[0]
    assert row.certainty == NOT_ASSESSED and row.statement == ""
    assert (
        row.participants == "60"
        and row.k == "3"
        and row.effect.replace("\xa0", " ") == ("2.0 % (1.0 to 3.0 %)")
    )
    mean = CONFIG.outcomes["BMD"].analytes["bmd_areal"].baseline_mean["lumbar_spine"]
    assert row.absolute.startswith("0.019 (0.009 to 0.028) g/cm²")
    assert f"for a mean of {mean:g} g/cm²" in row.absolute
    reported = [
        effect("Ada 2001", means_kind="after", sd_control=0.2, means_unit="ng/mL"),
        effect("Bo 2002", means_kind="after", sd_control=0.4, means_unit="ng/mL"),
        effect("Cy 2003", means_kind="after", sd_control=400, means_unit="pg/mL"),
        effect("Di 2004", means_kind="change", sd_control=9, means_unit="ng/mL"),
    ]
    sd, unit, named = summary_of_findings.reference_sd(reported, "controlled")
    assert (round(sd, 12), unit, named) == (
        0.3,
        "ng/mL",
        "SD of final values, median of two studies",
    )
    assert summary_of_findings.reference_sd(reported[:1], "controlled")[2] == (
        "SD of final values, Ada 2001"
    )
    assert summary_of_findings.reference_sd(reported[3:], "controlled") is None
    bare = found(-0.4, -0.8, 0.1, measure="SMD")
    (row,) = summary_of_findings.summary_of_findings([bare], tables())
    assert row.absolute.startswith("not translated: no SD of final values")


def test_an_analysis_without_a_size_is_no_finding():
    none = dataclasses.replace(CLEAR, pooled=(), effects=(), directions=(record(StudyDirection),))
    assert summary_of_findings.summary_of_findings([none], tables()) == []


def test_a_figure_with_links_is_a_group_and_one_without_an_image(tmp_path):
    square = '<g id="square:a.b"><path d="M 0 0" clip-path="url(#p1)"/></g><g id="p1"/>'
    for name, inside in (("linked", square), ("plain", "<path/>")):
        (tmp_path / f"{name}.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="10pt" height="5pt">'
            f"<title>Own</title><defs><style>@font-face{{}}</style></defs>{inside}"
            '<text style="font-weight: 700; font-size: 8px">&#946;</text></svg>'
        )
    linked = inline_figure(tmp_path / "linked.svg", "x", 'what it "shows"')
    assert 'role="group" aria-label="what it &quot;shows&quot;" style="max-width:17px' in linked.svg
    assert '<a href="#effect-a.b" aria-label="effect a.b"><g><path' in linked.svg
    assert 'clip-path="url(#x-p1)"' in linked.svg and '<g id="x-p1"' in linked.svg
    assert linked.letters == {"bold": {"β"}}
    plain = inline_figure(tmp_path / "plain.svg", "x", "words").svg
    assert 'role="img"' in plain
    assert not [part for part in ("title", "style>", "height") if part in plain]


def test_texts_of_a_figure_are_not_rounded_with_its_places(tmp_path):
    words = "p < 0.001; p = 0.426; τ² = 0.000137"
    set_up()
    figure, axes = new_figure(89, 30)
    put(axes, 3.123456, 10, words)
    axes.plot([0.1234567, 1], [2, 3], gid="square:trial_2016.2000.bmd")
    write_figure([figure], tmp_path / "words", {".svg": "svg"}, title="", alt="")
    svg = (tmp_path / "words.svg").read_text(encoding="utf-8")
    assert words.replace("<", "&lt;") in svg
    assert 'id="square:trial_2016.2000.bmd"' in svg


def test_the_range_over_unknown_directions_comes_before_the_known_ones():
    row = record(
        DirectionSet, phase="training", design_class="within_arm", n_up=3, n_unchanged=1,
        p_known=0.25, p_lowest=0.125, p_highest=0.625, share_known=1.0, share_ci_low=0.2924,
        share_ci_high=1.0, share_lowest=0.75, share_highest=1.0,
    )  # fmt: skip
    cells = [
        words(row).replace("\N{NO-BREAK SPACE}", " ")
        for words in (p_range, share_range, share_known)
    ]
    assert cells == [
        "0.125 to 0.625", "75 % to 100 %", "known only: 100 % (95 % CI 29 to 100 %)",
    ]  # fmt: skip
