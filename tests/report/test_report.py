"""What the report says, from records, odd ones included."""

import dataclasses
import itertools
import types

import pytest
from builders import ROOT
from osteometa.figures.files import save
from osteometa.figures.style import new_figure, put, set_up
from osteometa.pooling.model import pool
from osteometa.protocol.config import Synthesis, load_config
from osteometa.records.directions import DirectionSet, PCombination, StudyDirection
from osteometa.records.effects import VariantEffect, WeightedEffect
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
    sensitivity_choices,
    sensitivity_models,
    sensitivity_studies,
    summary_of_findings,
)
from osteometa.report.directions import direction_cells, p_cells
from osteometa.report.findings import Findings
from osteometa.report.inline_figures import inline_svg
from osteometa.report.sensitivity import WhatIf, what_if_lines
from osteometa.report.sentences import synthesis_sentences
from osteometa.report.studies import NOT_ASSESSED
from osteometa.sensitivity.permutation import sign_flip
from osteometa.wording.vocabulary import SHOWN_APART

FILL = {"str": "", "int": 0, "float": 0.0, "bool": False}


def record(kind, **given):
    """Return a record whose other fields are empty."""
    values = {
        field.name: given.get(field.name, None if "None" in str(field.type)
                              else FILL[str(field.type)])
        for field in dataclasses.fields(kind)
    }  # fmt: skip
    assert not set(given) - set(values)
    return kind(**values)


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
    return Findings(
        synthesis=Synthesis(id="one", outcome=outcome, analyte="bmd_areal", site=site,
                            phase="training", design_class=design),
        row=record(SynthesisRow, synthesis="one", outcome=outcome, site=site, measure=measure,
                   design_class=design, status="pooled", note=note),
        effects=tuple(effects), votes=(), pooled=(main,), tests=(),
    )  # fmt: skip


CLEAR = found(0.02, 0.01, 0.03)
ACROSS = found(-0.02, -0.05, 0.01)


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
    text, missing = sensitivity_choices.sensitivity(CLEAR, rows)
    assert text == (
        "Of two other choices, tried one at a time, none changes the sign of the average; the "
        "interval always lies clear of no difference; the averages run from 2.0 to 3.0 % (primary "
        "2.0 %)."
    )
    assert not missing


def test_choices_that_turn_the_result_are_named_with_what_is_left():
    rows = [
        PRIMARY,
        changed("without PCT", "without percent changes", -0.01, -0.02, 0.01, k=1,
                sign_changed=True, null_crossed=True),
        changed("with a_2000 TST+p", "A 2000, only the value derived by TST+p: t and p", 0.5,
                -0.1, 1.1, measure="SMD", k=4, null_crossed=True),
        changed("without PP", "without per-protocol analyses", None, None, None, k=0,
                status="not_estimable"),
        changed("without BASE", "without baseline means", 0.1, -0.1, 0.3, group="aerobic", k=2,
                null_crossed=True),
    ]  # fmt: skip
    text, _ = sensitivity_choices.sensitivity(CLEAR, rows)
    twice = [*rows, dataclasses.replace(rows[1], change="without imputed numbers")]
    assert "two change the sign of the" in sensitivity_choices.sensitivity(CLEAR, twice)[0]
    assert "one changes the sign of the average (without percent changes, one study);" in text
    assert (
        "with two choices the interval, which lies clear of no difference, reaches across it "
        "(without percent changes, one study; A 2000, only the value derived by TST+p, "
        "as SMD, four studies)" in text
    )
    assert "Aerobic: without baseline means, two studies." in text
    assert text.endswith("No study would be left without per-protocol analyses.")


def test_without_a_primary_pool_or_another_choice_there_is_a_reason():
    gone = changed("primary", "the primary pool", None, None, None, status="not_estimable")
    assert sensitivity_choices.sensitivity(CLEAR, [gone]) == (
        "",
        [("", "there is no primary pool")],
    )
    reason = "no other choice changes this pool"
    assert sensitivity_choices.sensitivity(CLEAR, [PRIMARY]) == ("", [("", reason)])


def step(label, estimate, sequence="leave_one_out", **more):
    return record(StepRow, sequence=sequence, label=label, estimate=estimate, status="ok",
                  **{"sign_changed": False, "null_crossed": False, **more})  # fmt: skip


def test_leaving_out_names_the_ends_and_whom_the_verdict_rests_on():
    rows = [step("Ada 2001", 0.01, null_crossed=True), step("Bo 2002", 0.03), step("Cy 2003", 0.02)]
    text, _ = sensitivity_studies.leave_one_out(CLEAR, rows)
    assert text == (
        "Without any one of three studies the average stays between 1.0 % (without Ada 2001) and "
        "3.0 % (without Bo 2002); the sign never changes, and the interval reaches across no "
        "difference without Ada 2001."
    )
    turned = [dataclasses.replace(row, sign_changed=True, null_crossed=False) for row in rows]
    text, _ = sensitivity_studies.leave_one_out(ACROSS, turned)
    assert "the sign changes without Ada 2001, Bo 2002 or Cy 2003, and the interval always" in text
    lost = dataclasses.replace(rows[0], status="not_estimable", estimate=None, reason="no solution")
    text, _ = sensitivity_studies.leave_one_out(CLEAR, [lost, *rows[1:]])
    assert "one model without a study had no solution" in text
    none = [record(StepRow, status="not_applicable", reason="1 study, 3 are needed")]
    assert sensitivity_studies.leave_one_out(CLEAR, none) == ("", [("", "1 study, 3 are needed")])


def test_both_orders_of_adding_have_one_reason():
    none = [record(StepRow, sequence=sequence, status="not_applicable", reason="no study")
            for sequence in ("year", "precision")]  # fmt: skip
    assert sensitivity_studies.cumulative(CLEAR, none) == ("", [("", "no study")])


@pytest.mark.parametrize(
    ("crossed", "words"),
    [
        ((False, False, False), "its interval lies clear of no difference from the first study on"),
        ((True, False, False), "from Bo 2002 on (study 2 of 3)"),
        ((False, True, False), "only with all 3 studies"),
        ((True, True, False), "only with all 3 studies"),
    ],
)
def test_cumulative_tells_since_when_the_verdict_stands(crossed, words):
    rows = [
        step(label, 0.02, "year", null_crossed=over)
        for label, over in zip(("Ada 2001", "Bo 2002", "Cy 2003"), crossed, strict=True)
    ]
    text, _ = sensitivity_studies.cumulative(CLEAR, rows)
    assert text.startswith("Added by year, the average lies above no difference from the first")
    assert words in text
    assert "below no difference" in sensitivity_studies.cumulative(ACROSS, rows)[0]
    assert sensitivity_studies.cumulative(CLEAR, []) == ("", [("", "no study is pooled")])


def test_influence_names_the_strong_and_else_the_farthest():
    one = record(InfluenceRow, label="Ada 2001", status="ok", rstudent=-2.63, tau2_without=0.0001,
                 influential=False)  # fmt: skip
    text, _ = sensitivity_studies.influence(CLEAR, [one])
    assert (
        text.startswith("No study passes") and "Ada 2001 (studentised deleted residual −2.6" in text
    )
    strong = dataclasses.replace(one, influential=True)
    assert sensitivity_studies.influence(CLEAR, [strong])[0].startswith("One study passes")
    two = sensitivity_studies.influence(
        CLEAR, [strong, dataclasses.replace(strong, label="Bo 2002")]
    )
    assert two[0].startswith("Two studies pass the usual bounds")
    bare = dataclasses.replace(one, rstudent=None)
    assert sensitivity_studies.influence(CLEAR, [bare])[0].endswith("weight).")
    assert sensitivity_studies.influence(CLEAR, []) == ("", [("", "no study is pooled")])


def test_subsets_say_all_only_where_all_were_fitted():
    def subset(bits, value):
        return GoshRow(subset=bits, k=bits.count("1"), estimate=value, tau2=0.0, i2=0.0)

    rows = [subset(bits, value) for bits, value in
            (("110", 0.01), ("101", -0.01), ("011", 0.02), ("111", 0.015))]  # fmt: skip
    text, _ = sensitivity_studies.gosh(CLEAR, rows)
    assert text.startswith("Over all 4 subsets") and "75 % of the subsets have the sign" in text
    assert sensitivity_studies.gosh(CLEAR, rows[:3])[0].startswith(
        "Over a random sample of 3 subsets"
    )
    none = record(GoshRow, status="not_applicable", reason="2 studies, 3 are needed", k=2)
    assert sensitivity_studies.gosh(CLEAR, [none]) == ("", [("", "2 studies, 3 are needed")])


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
    assert "gives 1,220 different specifications: all of them have the sign" in text
    assert "98 % an interval clear of no difference" in text and "from 1.3 to 2.9 %" in text
    assert (
        "which effects are excluded explains most of their spread (80 % of the variance)." in text
    )
    for part, words in ((50.2, "most"), (50.0, "the largest part"), (35.0, "the largest part")):
        rows = [share("inclusion", part), share("tau2", 20.0), share("all", **total)]
        text, _ = sensitivity_choices.multiverse(CLEAR, rows)
        assert f"excluded explains {words} of their spread ({part:.0f} % of the variance)." in text
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
    assert "Egger's regression p < 0.001, rank correlation p not defined." in text
    assert (
        "never as a corrected result: trim and fill adds two studies on the left and gives" in text
    )
    assert text.endswith("selection model 1.0 %.")
    assert missing == [("PET-PEESE", "no solution")]
    few = [small_row("egger", status="not_applicable", reason="4 studies: they need 10")]
    assert sensitivity_models.small_study(CLEAR, few) == ("", [("", "4 studies: they need 10")])


def test_slopes_are_told_per_step_on_the_scale_of_the_effect():
    row = record(MetaRegressionRow, covariate="weeks", k=12, slope=-0.001, ci_low=-0.002,
                 ci_high=0.0, p=0.05, p_permutation=0.0001, status="ok")  # fmt: skip
    text, _ = sensitivity_models.meta_regression(CLEAR, [row])
    assert "10 weeks more of training: −1.00 % (95 % CI −1.98 to 0.00 %; p = 0.050" in text
    assert "by permutation < 0.001" in text and "proves no cause" in text
    ratio = dataclasses.replace(CLEAR, row=dataclasses.replace(CLEAR.row, outcome="CTX"))
    assert "times 0.990 (" in sensitivity_models.meta_regression(ratio, [row])[0]
    few = dataclasses.replace(row, status="not_applicable", k=1, reason="1 study tells it, 10 are")
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
    text, _ = sensitivity_models.permutation(CLEAR, [row])
    assert f"in {by_statistic} of all {len(flips)} arrangements" in text
    assert f"for its standard error (t = {own.statistic:.2f}), or farther," in text
    wald = found(0.02, 0.01, 0.03, ci_method="wald")
    assert "(z = " in sensitivity_models.permutation(wald, [row])[0]


def test_permutation_counts_arrangements():
    row = record(PermutationRow, test="sign_flip", k=4, permutations=16, exact=True, p=0.375,
                 statistic=-1.2, p_smallest=0.125, status="ok")  # fmt: skip
    text, _ = sensitivity_models.permutation(CLEAR, [row])
    assert "in 6 of all 16 arrangements (p = 0.375; the smallest that four studies can" in text
    sampled = dataclasses.replace(row, permutations=10000, exact=False, p=0.0123, p_smallest=1e-4)
    text, _ = sensitivity_models.permutation(CLEAR, [sampled])
    assert "in 1.2 % of 10,000 random arrangements (p = 0.012;" in text and "below 0.001" in text
    one = dataclasses.replace(row, status="not_estimable", reason="1 study: it needs two")
    assert sensitivity_models.permutation(CLEAR, [one]) == ("", [("", "1 study: it needs two")])


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
    assert text.startswith("Beside the primary result, never in its place: Bayesian model, prior τ")
    assert "95 % credible interval" in text and "(fewer than 4 degrees of freedom)" in text
    assert missing == [("robust variance", "nothing is nested")]


def test_the_bootstrap_says_how_many_sign_vectors_and_the_smallest_p():
    seven = {"k": 7, "sign_vectors": 128, "exact": True, "p_smallest": 2 / 128, "status": "ok"}
    rows = [
        record(AlternativeModel, model="che", estimate=-0.01, ci_low=-0.02, ci_high=0.0, df=3.2,
               warning="fewer than 4 degrees of freedom", status="ok"),
        record(AlternativeModel, model="three_level_wild", estimate=-0.02, ci_low=-0.05,
               ci_high=0.01, p=0.25, **seven),
        record(AlternativeModel, model="che_wild", estimate=-0.03, ci_low=-0.06, ci_high=0.02,
               p=0.125, **seven),
        record(AlternativeModel, model="robust_wild", status="not_estimable", reason="singular"),
    ]  # fmt: skip
    text, missing = sensitivity_models.alternative_models(CLEAR, rows)
    assert "turns the signs of whole studies in all 128 ways and goes before the others" in text
    assert "three-level model" in text and "p = 0.250;" in text and "p = 0.125;" in text
    assert text.endswith("the smallest p that seven studies can give is 0.016.")
    assert missing == [("cluster wild bootstrap", "singular")]
    few = [
        dataclasses.replace(row, ci_low=None, ci_high=None, k=4, sign_vectors=16, p_smallest=0.125)
        for row in rows[1:3]
    ]
    text, _ = sensitivity_models.alternative_models(CLEAR, few)
    assert text.startswith("Beside the primary result, never in its place: Cluster wild bootstrap")
    assert "goes before" not in text
    assert text.endswith("four studies can give is 0.125, so that there is no interval.")
    drawn = dataclasses.replace(rows[1], exact=False, sign_vectors=2000, p_smallest=1 / 2000)
    text, _ = sensitivity_models.alternative_models(CLEAR, [drawn])
    assert "in 2,000 random ways" in text and "can give is below 0.001" in text
    same = [dataclasses.replace(row, status="not_applicable", reason="none") for row in few]
    assert sensitivity_models.alternative_models(CLEAR, same)[1] == [
        ("cluster wild bootstrap", "none")
    ]


def test_what_does_not_apply_is_told_once_with_its_reason():
    few = {"status": "not_applicable", "reason": "1 study, 3 are needed"}
    tables = WhatIf(
        sensitivity=(PRIMARY,), leave_one_out=(record(StepRow, **few),),
        influence=(record(InfluenceRow, **few),),
        permutation=(record(PermutationRow, test="sign_flip", **few),),
    )  # fmt: skip
    lines, words = what_if_lines(CLEAR, tables)
    assert lines == []
    assert "leave-one-out, influence, permutation (1 study, 3 are needed)" in words
    empty = dataclasses.replace(CLEAR, pooled=(), effects=())
    assert what_if_lines(empty, WhatIf())[0] == []
    assert "nothing can be varied" in what_if_lines(empty, WhatIf())[1]


def test_one_study_whose_interval_holds_the_null_leaves_the_direction_open():
    one = (effect("Ada 2001", n_total=20),)
    open_end = found(0.02, -0.01, 0.05, effects=one, ci_method="hksj-floor")
    text = synthesis_sentences(open_end, NOT_ASSESSED, NOT_ASSESSED)[0]
    assert "the interval leaves open whether exercise raises or lowers it. One study is not" in text
    closed = found(0.02, 0.01, 0.05, effects=one)
    assert "lies above no difference" in synthesis_sentences(closed, "", "")[0]
    within = found(0.02, -0.01, 0.05, effects=one, within=True)
    assert "leaves open whether it rose or fell" in synthesis_sentences(within, "", "")[0]


def test_what_moves_a_marker_after_a_bout_is_told():
    note = "haemoconcentration: 1 of 1 studies do not correct for plasma, or do not say so"
    text = " ".join(synthesis_sentences(found(0.02, 0.01, 0.05, note=note), "", ""))
    assert "Haemoconcentration: the one study does not correct for plasma, or does not say" in text
    note = note.replace("1 of 1", "3 of 4")
    text = " ".join(synthesis_sentences(found(0.02, 0.01, 0.05, note=note), "", ""))
    assert "3 of 4 studies do not correct" in text


@pytest.mark.parametrize("block", SHOWN_APART)
def test_every_study_that_a_forest_plot_draws_below_the_pool_is_in_the_report(block):
    apart = dataclasses.replace(effect("Di 2004"), pooled=False, block=block, vi=1.0)
    synthesis = dataclasses.replace(CLEAR, effects=(*CLEAR.effects, apart))
    text = " ".join(synthesis_sentences(synthesis, NOT_ASSESSED, NOT_ASSESSED))
    assert f"not pooled: {block.words} (1)." in text


def by_paper(label, kind, **more):
    more = {"variant": "type_by=paper", "measure": "ROM", **more}
    return record(VariantEffect, study_id=label.lower(), label=label, exercise_type=kind,
                  pooled=True, **more)  # fmt: skip


def test_both_mappings_stand_side_by_side():
    pool = tuple(effect(name) for name in ("Ada 2001", "Bo 2002", "Cy 2003"))
    done = found(0.02, 0.01, 0.03, effects=pool)
    variants = [
        by_paper("Ada 2001", "high_intensity"),
        by_paper("Bo 2002", "aerobic", measure="SMD"),
        by_paper("Bo 2002", "aerobic", variant="r=0.5"),
    ]
    other = exercise_types.pool_by_paper(done, variants)
    row = changed("type_by=paper", "by the paper", 0.04, 0.01, 0.07, group="resistance", k=2)
    table = exercise_types.mapping_rows(done, other, [row])
    assert [line["type"] for line in table] == ["Resistance", "High-intensity"]
    assert table[0]["studies"] == "3: Ada 2001; Bo 2002; Cy 2003"
    assert table[0]["studies_by_paper"] == "2: Bo 2002; Cy 2003"
    assert table[0]["effect_by_paper"] == "4.1 % (1.0 to 7.3 %)"
    assert table[1] == {"type": "High-intensity", "studies": "none", "effect": "",
                        "studies_by_paper": "1: Ada 2001", "effect_by_paper": ""}  # fmt: skip
    words = exercise_types.mapping_words(done, other)
    assert words.startswith("One study of the pool changes room")
    assert "Ada 2001, resistance by what was done, high-intensity by the paper." in words


def test_arms_merged_under_one_mapping_may_part_under_the_other():
    variants = [by_paper("Ada 2001", "high_intensity"), by_paper("Ada 2001", "resistance")]
    words = exercise_types.mapping_words(CLEAR, exercise_types.pool_by_paper(CLEAR, variants))
    assert "resistance by what was done, resistance and high-intensity by the paper." in words


def test_mappings_that_agree_have_one_sentence():
    assert exercise_types.mapping_rows(CLEAR, CLEAR.pool, []) == []
    assert exercise_types.mapping_words(CLEAR, CLEAR.pool).startswith(
        "Both mappings put every study"
    )
    assert exercise_types.mapping_words(dataclasses.replace(CLEAR, effects=()), []) == ""


def test_combined_p_values_name_their_studies_or_the_reason():
    done = record(PCombination, k=3, n_total=60, p_stouffer=0.0002, p_stouffer_lower=0.9998,
                  p_fisher=0.01, p_fisher_lower=1.0, status="ok", studies="a b")  # fmt: skip
    cells = p_cells(done, {"a": "Ada 2001"})
    assert (cells["stouffer_up"], cells["fisher_down"]) == ("< 0.001", "1.000")
    assert (cells["studies"], cells["people"]) == ("Ada 2001; b", "60")
    none = dataclasses.replace(
        done, status="not_applicable", reason="1 of at least 3", p_fisher=None
    )
    cells = p_cells(none, {})
    assert (cells["stouffer_up"], cells["people"], cells["reason"]) == ("", "", "1 of at least 3")


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
def test_a_statement_is_as_sure_as_the_certainty_that_people_entered(level, words):
    assert summary_of_findings.statement(CLEAR, CLEAR.model(), level) == words


def test_a_statement_says_what_the_interval_and_the_design_leave_open():
    assert summary_of_findings.statement(ACROSS, ACROSS.model(), "low") == (
        "Exercise may lower BMD at the lumbar spine, but the interval leaves open whether it does."
    )
    within = found(0.02, 0.01, 0.03, within=True)
    assert summary_of_findings.statement(within, within.model(), "high").startswith(
        "A change within one arm"
    )


def test_summary_of_findings_translates_effects_by_a_named_reference():
    config = load_config(ROOT / "config.yaml")
    row = summary_of_findings.summary_of_findings([CLEAR], tables(), config)[0]
    assert row["certainty"] == NOT_ASSESSED and row["statement"] == ""
    assert row["people"] == "60" and row["k"] == "3"
    mean = config.outcomes["BMD"].analytes["bmd_areal"].baseline_mean["lumbar_spine"]
    assert row["absolute"].startswith("0.019 (0.009 to 0.028) g/cm²")
    assert f"where the mean is {mean:g} g/cm²" in row["absolute"]
    printed = [
        effect("Ada 2001", measure="MD", means_kind="after", sd_control=0.2, unit="ng/mL"),
        effect("Bo 2002", measure="MD", means_kind="after", sd_control=0.4, unit="ng/mL"),
        effect("Cy 2003", measure="MD", means_kind="after", sd_control=400, unit="pg/mL"),
        effect("Di 2004", measure="MD", means_kind="change", sd_control=9, unit="ng/mL"),
    ]
    sd, unit, named = summary_of_findings.reference_sd(printed, "controlled")
    assert (round(sd, 12), unit, named) == (0.3, "ng/mL", "SD after, median of two studies")
    assert summary_of_findings.reference_sd(printed[:1], "controlled")[2] == "SD after, Ada 2001"
    assert summary_of_findings.reference_sd(printed[3:], "controlled") is None
    bare = found(-0.4, -0.8, 0.1, measure="SMD")
    (row,) = summary_of_findings.summary_of_findings([bare], tables(), config)
    assert "prints an SD of levels" in row["absolute"]


def test_an_analysis_without_a_size_is_no_finding():
    config = load_config(ROOT / "config.yaml")
    none = dataclasses.replace(CLEAR, pooled=(), effects=(), votes=(record(StudyDirection),))
    assert summary_of_findings.summary_of_findings([none], tables(), config) == []


def test_a_figure_with_links_is_a_group_and_one_without_an_image(tmp_path):
    square = '<g id="square:a.b"><path d="M 0 0"/></g>'
    for name, inside in (("linked", square), ("plain", "<path/>")):
        (tmp_path / f"{name}.svg").write_text(
            f'<svg viewBox="0 0 9 9" width="10pt" height="5pt">{inside}</svg>'
        )
    linked = inline_svg(tmp_path / "linked.svg", "x", 'what it "shows"')
    assert linked.startswith('<svg role="group" aria-label="what it &quot;shows&quot;"')
    assert '<a href="#effect-a.b"' in linked
    assert inline_svg(tmp_path / "plain.svg", "x", "words").startswith('<svg role="img"')


def test_texts_of_a_figure_are_not_rounded_with_its_places(tmp_path):
    words = "p < 0.001; p = 0.426; τ² = 0.000137"
    set_up()
    figure, axes = new_figure(89, 30)
    put(axes, 3.123456, 10, words)
    axes.plot([0.1234567, 1], [2, 3], gid="square:trial_2016.2000.bmd")
    save(figure, tmp_path / "words")
    svg = (tmp_path / "words.svg").read_text(encoding="utf-8")
    assert words.replace("<", "&lt;") in svg
    assert 'id="square:trial_2016.2000.bmd"' in svg


@pytest.mark.parametrize(
    ("up", "unknown", "words"),
    [
        (0, 0, "No direction up or down is known."),
        (0, 1, "The direction is not known in one study, all there are."),
        (1, 6, "The direction is not known for most studies (6 of 7)."),
        (10, 4, "10 up, 0 down; not known for 4 of 14."),
        (3, 0, "3 up, 0 down; none is unknown."),
    ],
)
def test_a_direction_that_is_not_known_leads(up, unknown, words):
    row = record(DirectionSet, n_up=up, n_unknown=unknown)
    assert direction_cells(row)["words"] == words


def test_the_range_over_unknown_directions_comes_before_the_known_ones():
    row = record(DirectionSet, n_up=3, n_unknown=1, p_known=0.25, p_lowest=0.125, p_highest=0.625,
                 share_known=1.0, share_ci_low=0.2924, share_ci_high=1.0, share_lowest=0.75,
                 share_highest=1.0)  # fmt: skip
    cells = {k: text.replace("\N{NO-BREAK SPACE}", " ") for k, text in direction_cells(row).items()}
    assert (cells["p_range"], cells["p_known"]) == ("0.125 to 0.625", "known only: 0.250")
    assert (cells["share_range"], cells["known"]) == ("75 % to 100 %", "3 of 4")
    assert cells["share_known"] == "known only: 100 % (95 % CI 29 to 100 %)"
