"""Claims answered from the results of a review: which cell, which estimate, which studies."""

from dataclasses import replace

import pytest
from builders import ROOT, checked, derived_of
from osteometa.directions.entries import secondary_entries
from osteometa.directions.p_values import direction_sets
from osteometa.extraction.judgements import Claim
from osteometa.synthesis.claims import Results, claim_rows
from osteometa.synthesis.pools import pooled_rows
from osteometa.synthesis.sets import covariances_in, split
from osteometa.synthesis.subgroup_tests import type_contrasts

SPINE = "bmd_lumbar_spine_training_controlled"


@pytest.fixture(scope="module")
def results():
    """The shipped review's results, as the workflow derives them."""
    outcome, derived = checked(ROOT), derived_of(ROOT)
    tables, config = outcome.tables, outcome.config
    sets = split(derived.effects, derived.entries, config)
    effects = {name: found for name, (found, _) in sets.items() if found}
    links = {name: covariances_in(found, derived.covariances) for name, found in effects.items()}
    found = Results(
        entries=[*derived.entries, *secondary_entries(tables, config)],
        pooled={n: pooled_rows(n, e, config, links[n]) for n, e in effects.items()},
        contrasts={n: type_contrasts(e, config, links[n]) for n, e in effects.items()},
        effects=effects,
    )
    return found, config


def answers(results, outcome, expectation="up", phase="training", **cells):
    claim = Claim(claim_id="a", claim="A.", outcome=outcome, expectation=expectation, phase=phase,
                  source="section 1", **cells)  # fmt: skip
    return claim_rows([claim], *results)


def test_an_estimate_of_a_type_is_that_of_its_primary_pool(results):
    """BMD, spine, resistance: 2.9 % [1.4, 4.5]."""
    cell = {"analyte": "bmd_areal", "site": "lumbar_spine"}
    (row,) = answers(results, "BMD", exercise_type="resistance", **cell)
    pooled = next(p for p in results[0].pooled[SPINE]
                  if (p.measure, p.group, p.primary) == ("ROM", "resistance", True))  # fmt: skip
    assert (row.synthesis, row.verdict, row.k) == (SPINE, "supported", pooled.k)
    numbers = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
    assert all(getattr(row, name) == getattr(pooled, name) for name in numbers)
    assert len(row.studies) == row.k and "nelson_1994" in row.studies
    assert row.evidence.startswith("Five studies: 2.9 % (95 % CI 1.4 to 4.5 %); prediction inter")


def test_each_site_has_its_row_and_all_together_theirs(results):
    *sites, whole = answers(results, "BMD")
    assert [(row.analyte, row.site) for row in sites] == [
        ("bmd_areal", "lumbar_spine"), ("bmd_areal", "femoral_neck"), ("bmd_areal", "total_hip"),
        ("bmd_volumetric", "lumbar_spine"),
    ]  # fmt: skip
    assert (whole.site, whole.synthesis, whole.verdict) == ("", "", "supported_by_directions")
    outcome = checked(ROOT)
    test = next(row for row in direction_sets(derived_of(ROOT).entries, outcome.config)
                if (row.outcome, row.design_class) == ("BMD", "controlled"))  # fmt: skip
    assert (whole.n_up, whole.n_down, whole.n_mixed) == (test.n_up, test.n_down, test.n_mixed)
    assert (whole.n_unchanged, whole.n_not_told) == (test.n_unchanged, test.n_not_told)
    assert whole.n_unchanged > 0 and whole.n_not_told > 0
    assert (whole.p_lowest, whole.p_highest) == (test.p_lowest, test.p_highest)


def test_no_change_of_ctx_is_not_settled(results):
    row = answers(results, "CTX", "unchanged", analyte="ctx_serum")[0]
    assert (row.verdict, row.smallest_effect, row.k) == ("not_settled", 0.2, 4)
    assert row.evidence.startswith("Four studies: SMD −0.37 (95 % CI −1.52 to 0.78); prediction")
    assert "; smallest effect of interest 0.2 SD; directions of studies: " in row.evidence


def test_a_mean_difference_has_its_unit(results):
    found, config = results
    density = config.outcomes["BMD"].model_copy(
        update={"measures": ("MD", "ROM", "SMD"), "smallest_effect": {"MD": 0.01},
                "units": {"g/cm2": (0.3, 2)}}
    )  # fmt: skip
    other = config.model_copy(update={"outcomes": {**config.outcomes, "BMD": density}})
    (row,) = answers((found, other), "BMD", "unchanged", site="lumbar_spine")
    assert row.measure == "MD" and ": MD in g/cm² 0.0" in row.evidence
    assert "smallest effect of interest 0.01 g/cm²" in row.evidence


def test_one_study_settles_nothing(results):
    (row,) = answers(results, "OPG", "unchanged")
    assert (row.design_class, row.verdict, row.k) == ("controlled", "one_study", 1)
    assert row.studies == ("bergstrom_2012",)


def test_opg_after_a_bout_is_not_settled_by_directions(results):
    *windows, whole = answers(results, "OPG", phase="acute", design_class="within_arm")
    assert {row.verdict for row in windows} == {"one_study"}
    assert (whole.n_up, whole.n_down, whole.n_unchanged) == (10, 1, 5)
    assert whole.verdict == "not_settled_by_directions"
    assert whole.evidence == (
        "Directions of studies: 10 up, 1 down, 5 with no significant change; "
        "sign test p from < 0.001 to 0.454."
    )


def test_named_arms_are_answered_by_their_one_effect_and_by_directions(results):
    arms = "ziegler_2005/15_km ziegler_2005/42_km"
    (both,) = answers(results, "OPG", phase="acute", arms=arms)
    assert (both.n_up, both.arms, both.planned) == (1, tuple(arms.split()), False)
    (short,) = answers(results, "OPG", phase="acute", arms="ziegler_2005/15_km")
    assert (short.n_up, short.n_unchanged) == (0, 1)
    (year,) = answers(results, "OPG", arms="bergstrom_2012/walking_aerobics")
    assert (round(year.estimate, 2), year.n_up, year.verdict) == (0.49, 1, "one_study")
    assert year.evidence.startswith("One study: SMD 0.49 (95 % CI 0.13 to 0.86); ")


def test_secondary_outcomes_are_answered_by_directions(results):
    arms = "kerschan_schindl_2009/spartathlon_246_km"
    (row,) = answers(results, "osteocalcin", "down", phase="acute", arms=arms)
    assert (row.n_down, row.verdict, row.studies) == (
        1, "one_study", ("kerschan_schindl_2009",),
    )  # fmt: skip
    (none,) = answers(results, "BAP", "unchanged", phase="acute")
    assert (none.verdict, none.studies) == ("no_evidence", ())
    assert none.evidence == "No study reports the outcome."


def test_a_report_that_is_not_counted_is_evidence_that_settles_nothing(results):
    (row,) = answers(results, "OPG", arms="hur_2018/metabolic_syndrome")
    assert (row.verdict, row.studies) == ("not_settled_by_directions", ())
    assert row.evidence.startswith("No planned analysis, only directions that are not")


def test_types_are_compared_by_their_difference(results):
    found, config = results
    larger = {"expectation": "larger_than", "site": "femoral_neck"}
    neck = "bmd_femoral_neck_training_controlled"
    (row,) = answers(results, "BMD", exercise_type="resistance", than="combined", **larger)
    given = next(
        c
        for c in found.contrasts[neck]
        if (c.measure, c.type_a, c.type_b) == ("ROM", "resistance", "combined")
    )
    assert (row.estimate, row.ci_low, row.ci_high) == (given.estimate, given.ci_low, given.ci_high)
    assert (row.k, row.n_up, row.p_highest) == (given.k_a + given.k_b, None, None)
    (back,) = answers(results, "BMD", exercise_type="combined", than="resistance", **larger)
    assert (back.estimate, back.ci_low, back.ci_high) == (
        -given.estimate, -given.ci_high, -given.ci_low,
    )  # fmt: skip
    above = replace(given, ci_low=0.001, ci_high=0.04)
    changed = replace(found, contrasts={neck: [above]})
    verdicts = [
        answers((changed, config), "BMD", exercise_type=a, than=b, **larger)[0].verdict
        for a, b in (("resistance", "combined"), ("combined", "resistance"))
    ]
    assert verdicts == ["supported", "contradicted"]


def test_a_type_with_one_study_or_none_is_not_compared(results):
    larger = {"expectation": "larger_than", "exercise_type": "resistance"}
    (row,) = answers(results, "BMD", than="aerobic", site="lumbar_spine", **larger)
    assert (row.verdict, row.k) == ("one_study", 6)
    assert "a single one of one exercise type: difference 1.7 %" in row.evidence
    (row,) = answers(results, "OPG", than="aerobic", **larger)
    assert (row.verdict, row.estimate) == ("not_settled", None)
    assert row.evidence == "No planned analysis has an estimate of both exercise types."
    (row,) = answers(results, "OPG", than="high_intensity", **larger)
    assert row.verdict == "no_evidence"


def test_a_window_or_a_design_narrows_the_cell(results):
    (late,) = answers(results, "RANKL", phase="acute", window="late")
    assert (late.n_up, late.n_down, late.design_class) == (1, 1, "within_arm")
    (row,) = answers(results, "OPG", "unchanged", design_class="within_arm")
    assert (row.n_down, row.n_unchanged, row.verdict) == (1, 4, "not_settled_by_directions")
