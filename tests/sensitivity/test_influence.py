"""Deletion diagnostics, leave-one-out and cumulative pools; beside metafor in compare_studies."""

import numpy as np
import pytest
from compare import ORACLE
from compare_studies import set_of
from osteometa.pooling.model import pool
from osteometa.sensitivity.influence import PooledEffects, cumulative, influence, leave_one_out
from osteometa.wording.choices import CI_METHODS


@pytest.mark.parametrize("ci", CI_METHODS)
def test_a_study_left_out_leaves_the_pool_of_the_others(ci):
    data = ORACLE["bcg_RR"]
    for i, row in enumerate(leave_one_out(set_of(data, "REML", ci))):
        rest = pool(np.delete(data["yi"], i), np.delete(data["vi"], i), ci=ci)
        for name in ("estimate", "se", "ci_low", "ci_high", "tau2"):
            assert getattr(row, name) == pytest.approx(getattr(rest, name), rel=1e-9)


def test_cumulative_pools_go_by_year():
    data = ORACLE["bcg_RR"]
    by_year = [row for row in cumulative(set_of(data)) if row.sequence == "year"]
    years = [data["year"][int(row.label[1:])] for row in by_year]
    assert len(years) == 13 and years == sorted(years)


def test_two_studies_have_no_diagnostics_but_a_reason():
    few = set_of({"yi": [0.1, 0.2], "vi": [0.1, 0.1]})
    for rows in (influence(few), leave_one_out(few), cumulative(few)):
        assert {row.status for row in rows} == {"not_applicable"}
        assert all("3 are needed" in row.reason for row in rows)


def test_a_study_with_two_effects_is_left_out_whole():
    y, v = np.array([0.1, 0.2, 0.5, 0.4]), np.array([0.1, 0.2, 0.1, 0.1])
    effects = PooledEffects(tuple("abcd"), ("one", "one", "two", "three"), tuple("abcd"), y, v,
                            None, (None,) * 4, "EE", "wald")  # fmt: skip
    rows = leave_one_out(effects)
    assert [row.study_id for row in rows] == ["one", "two", "three"]
    assert rows[0].estimate == pytest.approx(0.45)


def test_a_study_whose_absence_turns_the_sign_or_moves_the_null_is_marked():
    """Common effect by hand: all 0.2 (SE 0.1/sqrt 3); without a -0.1, without b and c 0.35."""
    y, v = np.array([0.8, -0.1, -0.1]), np.full(3, 0.01)
    effects = PooledEffects(tuple("abc"), tuple("abc"), tuple("abc"), y, v, None, (None,) * 3,
                            "EE", "wald")  # fmt: skip
    rows = leave_one_out(effects)
    assert [row.estimate for row in rows] == pytest.approx([-0.1, 0.35, 0.35])
    assert [row.sign_changed for row in rows] == [True, False, False]
    assert [row.null_crossed for row in rows] == [True, False, False]
