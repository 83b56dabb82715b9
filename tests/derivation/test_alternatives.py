"""Effects under other choices, and the readings of contradictory values."""

from dataclasses import replace

import builders
import pytest
from builders import ROOT, alternatives_of, checked, derived_of
from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.alternatives import (
    RESOLUTION,
    alternative_configs,
    alternatives,
    resolutions_of,
    split_alternatives,
)
from osteometa.derivation.derive import Estimates, derive, effects_of
from osteometa.derivation.estimate import estimate
from osteometa.records.directions import set_key
from osteometa.synthesis.sets import includes
from osteometa.validation.review import check_review

pytestmark = pytest.mark.slow
SHARED = ROOT / "tests/reviews/shared_control"
LIFTMOR = "watson_2018_liftmor.hirit.bmd.bmd_areal.femoral_neck.8_months"


@pytest.fixture(scope="module")
def shipped():
    return checked(ROOT), derived_of(ROOT), alternatives_of(ROOT)


@pytest.fixture(scope="module")
def shared():
    return checked(SHARED), derived_of(SHARED), alternatives_of(SHARED)


def rows_of(found, name, measure=None):
    own = (e for e in found.effects if str(e.alternative) == name)
    return [e for e in own if measure in (None, e.measure)]


def test_every_registered_value_has_one_alternative(shipped):
    config = shipped[0].config
    names = [str(choice) for choice, _ in alternative_configs(config)]
    assert len(names) == len(set(names))
    grid = sorted({r for outcome in config.outcomes.values() for r in outcome.r_grid})
    assert [name for name in names if name.startswith("r=")] == [f"r={r:g}" for r in grid]
    assert {"rho=0.3", "rho=0.8", "training_time=latest", "type_by=paper"} <= set(names)
    assert "rho=0.5" not in names and "training_time=end" not in names


def test_only_what_differs_is_kept(shipped):
    _, derived, found = shipped
    usual = {e.effect_id: (e.yi, e.vi, e.exercise_type, e.block) for e in derived.effects}
    assert found.effects
    groups = {}
    for e in found.effects:
        if e.alternative.key == RESOLUTION:
            continue
        key = (e.alternative, e.study_id, e.outcome, e.analyte, e.site, e.window, e.measure)
        same = usual.get(e.effect_id) == (e.yi, e.vi, e.exercise_type, e.block)
        groups.setdefault(key, []).append(same)
    # What differs may be the covariance alone: then the alternative holds that too.
    linked = {(c.alternative, c.effect_id_1.split(".")[0]) for c in found.covariances}
    alike = {key[:2] for key, same in groups.items() if all(same)}
    assert alike <= linked


@pytest.mark.parametrize("review", ["shipped", "shared"])
def test_what_is_kept_is_what_the_whole_derivation_gives(review, request):
    """Estimates that a choice leaves as they are, are not made again."""
    outcome, derived, found = request.getfixturevalue(review)
    comparisons = comparisons_of(outcome.tables, outcome.config)
    usual = numbers_of(derived.effects)
    for choice, config in alternative_configs(outcome.config):
        of_r = choice.key == "r"
        correlations = Correlations(comparisons, config).under(config, borrow=not of_r)
        estimates = Estimates(tuple(estimate(comparisons, correlations, config)), correlations)
        expected = numbers_of(effects_of(estimates, outcome.tables, config).effects)
        kept = numbers_of(rows_of(found, str(choice)))
        for key in usual.keys() | expected.keys():
            if not of_r or float(choice.value) in outcome.config.outcomes[key[1]].r_grid:
                now = kept.get(key, usual.get(key, set()))
                assert now == expected.get(key, set()), (choice, key)


def numbers_of(effects):
    """The numbers of effects by study, set and measure; none of effects that are gone."""
    groups = {}
    for e in effects:
        if e.block != "reduced":
            own = groups.setdefault((e.study_id, *set_key(e), e.measure), set())
            if e.block != "gone":
                own.add((e.effect_id, e.yi, e.vi, e.exercise_type, e.block))
    return groups


def test_another_r_touches_only_effects_that_rest_on_an_assumed_one(shipped):
    _, derived, found = shipped
    assumed = {e.effect_id for e in derived.effects if "RIMP" in e.flags}
    for alternative in ("r=0.85", "r=0.99", "r=0.7"):
        rows = rows_of(found, alternative)
        assert rows and {row.effect_id for row in rows} <= assumed
        assert {row.r for row in rows} == {float(alternative[2:])}
    assert {row.outcome for row in rows_of(found, "r=0.85")} == {"BMD"}
    assert "BMD" not in {row.outcome for row in rows_of(found, "r=0.7")}


def test_an_effect_that_another_r_takes_away_says_so(shipped):
    _, _, found = shipped
    gone = [row for row in found.effects if row.block == "gone"]
    assert gone and not any(row.pooled for row in gone)
    assert all("no derivation method gives an effect" in row.reason for row in gone)


def test_each_resolution_uses_one_of_the_inconsistent_values(shipped):
    """LIFTMOR's femoral neck: by its SDs of 2.6 %, or by its p of .004."""
    _, _, found = shipped
    rows = {str(e.alternative): e for e in found.effects if e.effect_id == f"{LIFTMOR}.rom"}
    assert set(rows) >= {"resolution=CHG+PCT+SD", "resolution=CHG+PCT+TMD+p"}
    by_sd, by_p = rows["resolution=CHG+PCT+SD"], rows["resolution=CHG+PCT+TMD+p"]
    assert by_sd.vi == pytest.approx(0.026**2 / 1.003**2 / 49 + 0.026**2 / 0.981**2 / 52, rel=1e-3)
    assert abs(by_p.z) == pytest.approx(2.95, abs=0.01) and by_p.vi > by_sd.vi
    for row in rows.values():
        assert row.block == "disputed" and not row.pooled and "DISPUTED" in row.flags
    assert any(":sd" in cell for cell in map(str, by_sd.inputs))
    assert any(":p" in cell for cell in map(str, by_p.inputs))


def test_a_comparison_without_inconsistent_data_has_no_resolution(shipped):
    outcome, derived, _ = shipped
    correlations = Correlations((item.comparison for item in derived.estimated), outcome.config)
    for item in derived.estimated:
        if not any(getattr(row, "disputed", "") for row in item.comparison.rows):
            for measure in item.attempts:
                assert not resolutions_of(item.comparison, measure, correlations, outcome.config)


def test_a_disputed_smd_of_bmd_counts_as_one_of_change(shipped):
    _, _, found = shipped
    (row,) = rows_of(found, "resolution=SMDP")
    assert "FUNK" in row.flags and row.study_id == "kemmler_2021_actlife"


def test_a_split_control_stands_for_the_joint_fit(shared):
    _, derived, found = shared
    usual = {e.effect_id: e for e in derived.effects}
    links = {(c.effect_id_1, c.effect_id_2): c.covariance for c in derived.covariances}
    rows = rows_of(found, "shared_control=split", "MD")
    two = [r for r in rows if r.study_id == "made_two_types_2001" and r.outcome == "BMD"]
    assert len(two) == 2
    (shared_variance,) = [v for (a, _), v in links.items() if a == two[0].effect_id]
    for row in two:
        assert row.yi == usual[row.effect_id].yi
        assert row.vi == pytest.approx(usual[row.effect_id].vi + shared_variance)
    assert not [c for c in found.covariances if str(c.alternative) == "shared_control=split"]
    tests = [r for r in rows if r.study_id == "made_tests_2003"]
    assert sorted(r.arm_id for r in tests) == ["running", "walking"]
    assert not [r for r in rows if r.study_id == "made_one_type_2002"], "merged arms stay merged"


def test_the_second_mapping_parts_what_the_first_merges(shared):
    _, _, found = shared
    rows = rows_of(found, "type_by=paper", "ROM")
    assert {(r.arm_id, r.exercise_type) for r in rows if r.outcome == "BMD"} == {
        ("high", "high_intensity"), ("low", "resistance"),
    }  # fmt: skip
    linked = [c for c in found.covariances if str(c.alternative) == "type_by=paper"]
    assert {c.effect_id_1.split(".")[1] for c in linked} == {"high"}


def test_rho_moves_composites_only(shared):
    _, derived, found = shared
    usual = {e.effect_id: e for e in derived.effects}
    rows = rows_of(found, "rho=0.8")
    assert rows and all("COMPOSITE" in row.provenance for row in rows)
    assert all(row.vi > usual[row.effect_id].vi for row in rows)


@pytest.mark.slow
def test_another_study_changes_nothing_of_other_sets(shipped):
    """Nothing written per synthesis may hold anything of studies that are not in it."""
    outcome, _, found = shipped
    config = outcome.config
    kept = [s for s in outcome.tables.studies if s.study_id != "kemmler_efops"]
    fewer = replace(outcome.tables, studies=tuple(kept))
    whole = split_alternatives(found, config)
    parts = split_alternatives(alternatives(fewer, config), config)
    for synthesis in config.syntheses:
        rest = [e for e in whole[synthesis.id].effects if e.study_id != "kemmler_efops"]
        assert list(parts[synthesis.id].effects) == rest
        assert all(includes(synthesis, e) for e in rest)


def test_times_of_training(tmp_path):
    """The end by default; the earliest and the latest sample as alternatives."""
    rows = [
        row
        for weeks, gain in ((13, 0.5), (26, 1.0), (52, 2.0))
        for row in (
            builders.csv_measurement(
                "ex", f"w{weeks}", "pct_change", n=20, mean=gain, sd=3, time_wk=weeks
            ),
            builders.csv_measurement(
                "control", f"w{weeks}", "pct_change", n=20, mean=0, sd=3, time_wk=weeks
            ),
        )
    ]
    folder = builders.write_review(
        tmp_path, studies=[builders.csv_study()], arms=builders.csv_arms(), measurements=rows
    )
    outcome = check_review(folder)
    derived = derive(outcome.tables, outcome.config)
    chosen = {e.timepoint: e.block for e in derived.effects if e.measure == "ROM"}
    assert chosen == {"w13": "reduced", "w26": "pooled", "w52": "reduced"}
    found = alternatives(outcome.tables, outcome.config)
    assert [e.timepoint for e in rows_of(found, "training_time=earliest", "ROM")] == ["w13"]
    assert [e.timepoint for e in rows_of(found, "training_time=latest", "ROM")] == ["w52"]
