"""Deletion diagnostics, leave-one-out and cumulative pools, against metafor."""

import json
from pathlib import Path

import numpy as np
import pytest
from osteometa.explore.influence import Set, cumulative, influence, leave_one_out

ROOT = Path(__file__).parents[1]
ORACLE = json.loads((ROOT / "tests/oracle/metafor.json").read_text())["datasets"]
NAMES = {
    "rstudent": "rstudent", "dffits": "dffits", "cook_d": "cook_d", "cov_ratio": "cov_r",
    "tau2_without": "tau2_del", "q_without": "QE_del", "hat": "hat",
}  # fmt: skip


def set_of(data, method="REML", ci="hksj-floor"):
    y, v = np.array(data["yi"], float), np.array(data["vi"], float)
    names = tuple(f"s{i:03d}" for i in range(len(y)))
    years = tuple(data.get("year") or [None] * len(y))
    return Set(names, names, names, y, v, None, years, method, ci)


def close(ours, theirs, rel=1e-6):
    """Agreement relative to the larger of a number and a thousandth of the column's largest."""
    theirs = np.array([np.nan if t is None else t for t in theirs], float)
    ours = np.array([np.nan if o is None else o for o in ours], float)
    largest = np.nanmax(np.abs(theirs))
    # metafor leaves 1e-16 of the effects' own size where 0 is meant.
    slack = max(largest / 1000 * rel, 1e-14)
    np.testing.assert_allclose(ours, theirs, rtol=rel, atol=slack)


INFLUENCE = [
    (name, method)
    for name, data in ORACLE.items()
    for method in ("REML", "DL")
    if "rstudent" in (data.get(f"influence_{method}") or {})
]


@pytest.mark.parametrize(("name", "method"), INFLUENCE)
def test_deletion_diagnostics_are_metafors(name, method):
    data = ORACLE[name]
    rows = influence(set_of(data, method))
    theirs = data[f"influence_{method}"]
    for ours, key in NAMES.items():
        close([getattr(row, ours) for row in rows], theirs[key])
    baujat = data.get(f"baujat_{method}")
    if baujat and "x" in baujat:
        close([row.baujat_x for row in rows], baujat["x"])
        close([row.baujat_y for row in rows], baujat["y"])


TESTS = {"REML_z": "wald", "REML_knha": "hksj", "REML_adhoc": "hksj-floor"}
LEFT_OUT = [
    (name, key)
    for name, data in ORACLE.items()
    for key in TESTS
    if "estimate" in ((data.get("leave1out") or {}).get(key) or {}) and data["k"] > 2
]


@pytest.mark.parametrize(("name", "key"), LEFT_OUT)
def test_leave_one_out_is_metafors(name, key):
    data = ORACLE[name]
    rows = leave_one_out(set_of(data, "REML", TESTS[key]))
    theirs = data["leave1out"][key]
    for ours, names in (("estimate", "estimate"), ("se", "se"), ("ci_low", "ci_lb"),
                        ("ci_high", "ci_ub")):  # fmt: skip
        close([getattr(row, ours) for row in rows], theirs[names])
    close([row.tau2 for row in rows], theirs["tau2"])


def test_cumulative_pools_are_metafors():
    data = ORACLE["bcg_RR"]
    theirs = data["cumulative"]["REML"]
    # The oracle gave metafor this vector to sort by: it stands in for the years here.
    ranked = {**data, "year": theirs["order_1based"]}
    rows = [row for row in cumulative(set_of(ranked, "REML", "wald")) if row.sequence == "year"]
    for ours, names in (("estimate", "estimate"), ("se", "se"), ("ci_low", "ci_lb")):
        close([getattr(row, ours) for row in rows], theirs[names])
    by_year = [row for row in cumulative(set_of(data)) if row.sequence == "year"]
    years = [data["year"][int(row.label[1:])] for row in by_year]
    assert years == sorted(years)


def test_two_studies_have_no_diagnostics_but_a_reason():
    few = set_of({"yi": [0.1, 0.2], "vi": [0.1, 0.1]})
    for rows in (influence(few), leave_one_out(few), cumulative(few)):
        assert {row.status for row in rows} == {"not_applicable"}
        assert all("3 are needed" in row.reason for row in rows)


def test_a_study_with_two_effects_is_left_out_whole():
    y, v = np.array([0.1, 0.2, 0.5, 0.4]), np.array([0.1, 0.2, 0.1, 0.1])
    effects = Set(tuple("abcd"), ("one", "one", "two", "three"), tuple("abcd"), y, v, None,
                  (None,) * 4, "EE", "wald")  # fmt: skip
    rows = leave_one_out(effects)
    assert [row.study_id for row in rows] == ["one", "two", "three"]
    assert rows[0].estimate == pytest.approx(0.45)
