"""Subgroups by columns of studies.csv and arms.csv."""

from dataclasses import replace

import pytest
from builders import CONFIG, ROOT, checked, derived_of
from osteometa.derivation.extract import subgroup_values
from osteometa.records.effects import SubgroupValue
from osteometa.synthesis.pools import pooled_rows
from osteometa.synthesis.subgroup_tests import (
    bands,
    grouping_of,
    subgroup_rows,
    subgroup_tests,
    type_contrasts,
)

SMALL = ROOT / "tests/reviews/small"
PATTERN = next(e for e in derived_of(SMALL).effects if e.measure == "ROM" and e.pooled)


def config_by(**by):
    return CONFIG.model_copy(update={"subgroups": CONFIG.subgroups.model_copy(update={"by": by})})


def valued(effect_id, column, *values):
    return [SubgroupValue(effect_id=effect_id, column=column, value=value) for value in values]


def group_of(column, bounds, *values):
    return grouping_of(column, bounds, valued("e", column, *values)).groups["e"]


@pytest.mark.parametrize(
    ("weeks", "band"),
    [("25.9", "below 26"), ("26", "26 to below 52"), ("51.5", "26 to below 52"),
     ("52", "52 or more"), ("104", "52 or more"), ("", "not reported")],
)  # fmt: skip
def test_a_bound_belongs_to_the_band_above(weeks, band):
    assert group_of("weeks", (26, 52), weeks) == band


def test_nothing_is_guessed_of_a_value_that_is_not_reported():
    assert group_of("intensity", (), "") == group_of("intensity", (), "not_stated")
    assert group_of("intensity", (), "high", "") == "several"
    assert group_of("intensity", (), "high", "low") == "several"
    assert group_of("weeks", (26,), "8", "12") == "below 26"
    assert bands((26,)) == ["below 26", "26 or more"]


def test_codes_have_the_order_of_the_table_and_texts_that_of_the_alphabet():
    values = [*valued("a", "intensity", "high"), *valued("b", "intensity", "low"),
              *valued("c", "modality", "yoga"), *valued("d", "modality", "cycling")]  # fmt: skip
    order = grouping_of("intensity", (), values).order
    assert order == ("low", "moderate", "high", "several", "not reported")
    assert grouping_of("modality", (), values).order[:2] == ("cycling", "yoga")


def test_values_are_those_of_the_study_and_of_every_exercise_arm():
    tables = checked(SMALL).tables
    arm = next(arm for arm in tables.arms if arm.arm_id == PATTERN.arm_id)
    other = arm.model_copy(update={"arm_id": "second", "intensity": "low"})
    tables = replace(tables, arms=(*tables.arms, other))
    effect = replace(PATTERN, arm_id=f"{PATTERN.arm_id}+second")
    found = subgroup_values([effect, replace(effect, effect_id="x", pooled=False)], tables)
    assert {row.effect_id for row in found} == {effect.effect_id}
    intensities = [row.value for row in found if row.column == "intensity"]
    assert intensities == [arm.intensity, "low"]
    assert [row.value for row in found if row.column == "weeks"] == [arm.weeks.text]
    (study,) = (s for s in tables.studies if s.study_id == effect.study_id)
    assert [row.value for row in found if row.column == "sex"] == [study.sex]
    assert [row.value for row in found if row.column == "indirect"] == [study.indirect or "none"]


GROUPS = ("resistance", "aerobic", "resistance", "aerobic", "resistance", "resistance", "other")
SEX = {"resistance": "female", "aerobic": "male", "other": "mixed"}
EFFECTS = [
    replace(PATTERN, effect_id=str(i), study_id=str(i), yi=0.01 * (i % 4) + 0.001 * i,
            vi=1e-4 * (1 + i % 3), exercise_type=group)
    for i, group in enumerate(GROUPS)
]  # fmt: skip
VALUES = [row for e in EFFECTS for row in valued(e.effect_id, "sex", SEX[e.exercise_type])]
NUMBERS = ("k", "k_effects", "estimate", "se", "ci_low", "ci_high", "tau2", "tau2_model", "df", "p",
           "statistic", "status", "method", "ci_method")  # fmt: skip


def test_exercise_types_come_first_with_the_numbers_of_their_own_tables():
    rows = subgroup_rows(EFFECTS, config_by())
    pooled = {row.group: row for row in pooled_rows("x", EFFECTS, CONFIG) if row.primary}
    (test,) = subgroup_tests("x", EFFECTS, CONFIG)
    assert [row.group for row in rows] == ["resistance", "aerobic", "other"]
    for row in rows:
        own = pooled[row.group]
        assert row.by == "exercise_type" and row.note == own.note
        assert all(getattr(row, name) == getattr(own, name) for name in NUMBERS)
        found = (row.test_statistic, row.test_df1, row.test_df2, row.test_p, row.test_note)
        assert found == (test.statistic, test.df1, test.df2, test.p, test.note)


def test_groups_by_a_column_are_pooled_and_compared_as_types_are():
    """The same groups by another name give the same numbers."""
    rows = subgroup_rows(EFFECTS, config_by(sex=()), (), VALUES)
    types, sexes = rows[:3], rows[3:]
    assert [row.group for row in sexes] == ["female", "male", "mixed"]
    assert {row.by for row in sexes} == {"sex"}
    tested = ("tested", "test_statistic", "test_df1", "test_df2", "test_p")
    for row, kind in zip(sexes, types, strict=True):
        assert all(getattr(row, n) == getattr(kind, n) for n in (*NUMBERS, *tested))
    assert "all groups" in sexes[0].note and "whether groups differ" in sexes[0].test_note
    pairs = type_contrasts(EFFECTS, config_by(sex=()), (), VALUES)
    assert [row.by for row in pairs] == ["exercise_type"] * 3 + ["sex"] * 3
    assert (pairs[3].type_a, pairs[3].type_b) == ("female", "male")
    for kind, sex in zip(pairs[:3], pairs[3:], strict=True):
        assert (sex.estimate, sex.se, sex.p_holm, sex.df) == (
            kind.estimate, kind.se, kind.p_holm, kind.df,
        )  # fmt: skip


def test_what_is_not_reported_is_a_group_apart_that_moves_no_other():
    """It is pooled by itself; models, test and pairs are those of the others alone."""
    hidden = [row for row in VALUES if row.effect_id not in ("4", "6")]
    values = [*hidden, *valued("4", "sex", "")]
    rows = subgroup_rows(EFFECTS, config_by(sex=()), (), values)[3:]
    assert [(row.group, row.k) for row in rows] == [("female", 3), ("male", 2), ("not reported", 2)]
    known = [e for e in EFFECTS if e.effect_id not in ("4", "6")]
    without = subgroup_rows(known, config_by(sex=()), (), values)[2:]
    assert rows[:2] == without and without[0].tau2_model == "common"
    apart = pooled_rows("x", [EFFECTS[4], EFFECTS[6]], CONFIG)[0]
    assert (rows[2].estimate, rows[2].tau2, rows[2].tau2_model) == (
        apart.estimate, apart.tau2, "separate",
    )  # fmt: skip
    pairs = type_contrasts(EFFECTS, config_by(sex=()), (), values)[3:]
    assert [(row.type_a, row.type_b) for row in pairs] == [("female", "male")]


def test_without_any_value_there_is_one_group_and_no_test():
    (row,) = subgroup_rows(EFFECTS, config_by(menopause=()), (), VALUES)[3:]
    overall = pooled_rows("x", EFFECTS, CONFIG)[0]
    assert (row.group, row.k, row.estimate) == ("not reported", 7, overall.estimate)
    assert not row.tested and row.test_note == "not tested: no study, 5 are needed"
