"""Models, tests and counts in words."""

from dataclasses import fields

import pytest
from osteometa.records.directions import DirectionSet
from osteometa.records.pools import PooledRow, SubgroupTest
from osteometa.synthesis.words import heterogeneity, set_words, subgroup_words
from osteometa.wording.vocabulary import DesignClass, Phase


def subgroup_test(**more):
    row = {"synthesis": "a", "measure": "MD", "tested": True, "k": 6, "groups": 3, "note": ""}
    return SubgroupTest(**row, tau2_model="common", **more)


def test_a_test_of_subgroups_is_f_with_two_degrees_of_freedom_else_chi_squared():
    words = subgroup_words(subgroup_test(statistic=4.126, df1=2, df2=3.0, p=0.137))
    assert words == "Differences between exercise types: F(2, 3) = 4.13, p = 0.137 (common τ²)"
    words = subgroup_words(subgroup_test(statistic=4.126, df1=2, df2=None, p=0.127))
    assert words == "Differences between exercise types: χ²(2) = 4.13, p = 0.127 (common τ²)"


def directions(**counts):
    names = ("up", "down", "mixed", "zero", "unchanged", "not_told")
    ranges = {name: counts.pop(name) for name in [*counts] if name.startswith("p_")}
    return set_words(
        DirectionSet(
            outcome="OPG", phase=Phase.ACUTE, design_class=DesignClass.WITHIN_ARM, **ranges,
            **{f"n_{name}": counts.get(name, 0) for name in names},
        )
    ).partition(": ")[2]  # fmt: skip


@pytest.mark.parametrize(("counts", "words"), [
    ({"up": 2, "unchanged": 0, "p_lowest": 0.5, "p_known": 0.5}, "2 up, 0 down"),
    ({"up": 4, "down": 1, "p_known": 0.375, "p_lowest": 0.375, "p_highest": 0.375},
     "4 up, 1 down; sign test p = 0.375"),
    ({"up": 2, "not_told": 1, "p_known": 0.5, "p_lowest": 0.25, "p_highest": 1.0},
     "2 up, 0 down, 1 not reported; sign test p from 0.250 to 1.000 over all directions that the "
     "others may have (0.500 for the known ones alone)"),
    ({"unchanged": 3, "p_lowest": 0.25, "p_highest": 0.25},
     "0 up, 0 down, 3 unchanged; sign test p = 0.250 over all directions that the others may have"),
    ({"up": 1, "down": 1, "unchanged": 1, "p_known": 1.0, "p_lowest": 1.0, "p_highest": 1.0},
     "1 up, 1 down, 1 unchanged; sign test p = 1.000 over all directions that the others may have "
     "(1.000 for the known ones alone)"),
    ({"down": 1, "unchanged": 1, "p_lowest": 0.5, "p_highest": 1.0, "mixed": 4},
     "0 up, 1 down, 1 unchanged, 4 mixed"),
])  # fmt: skip
def test_a_sign_test_has_its_range_over_the_directions_that_are_not_known(counts, words):
    assert directions(**counts) == words


@pytest.mark.parametrize(("model", "words"), [
    ("separate", "k = 5; τ² = 0.25 (0.01 to 1.5); I² = 45 %; Q = 7.25, df = 4, p = 0.123"),
    ("common", "k = 5; Q = 7.25, df = 4, p = 0.123; one model for all types: "
     "τ² = 0.25 (0.01 to 1.5), I² = 45 %"),
])  # fmt: skip
def test_heterogeneity_of_one_type_or_of_all(model, words):
    row = dict.fromkeys(field.name for field in fields(PooledRow))
    row |= {"measure": "MD", "k": 5, "tau2": 0.25, "tau2_ci_low": 0.01, "tau2_ci_high": 1.5,
            "i2": 45.2, "q": 7.25, "q_df": 4, "q_p": 0.123, "tau2_model": model}  # fmt: skip
    assert heterogeneity(PooledRow(**row)) == words
