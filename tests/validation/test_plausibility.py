"""Plausibility checks on every way in which papers report a spread, and on declared ranges."""

import pytest
from builders import CONFIG, level, tables
from osteometa.validation.review import warnings_of

SPREADS = {
    "sd": {"sd": "0.004"},
    "spread of type sd": {"spread": "0.004", "spread_kind": "sd"},
    "spread of type se": {"spread": "0.0009", "spread_kind": "se"},
    "se": {"se": "0.0009"},
    "interval": {"ci_low": "0.498", "ci_high": "0.502"},
    "quartiles": {"q1": "0.497", "median": "0.5", "q3": "0.503"},
    "range": {"min": "0.49", "median": "0.5", "max": "0.51"},
}


def codes(rows, **how):
    return {(p.code, p.column) for p in warnings_of(tables(rows, **how), CONFIG)}


@pytest.mark.parametrize("spread", list(SPREADS))
def test_a_small_sd_is_questioned_however_it_is_reported(spread):
    cells = {"mean": "0.5", "n": 20, "note": "morning", **SPREADS[spread]}
    found = codes([level("end", **cells)])
    assert [code for code, _ in found] == ["W01"]
    assert {column for _, column in found} <= set(cells)


def test_a_spread_of_unknown_type_is_not_questioned():
    cells = {"mean": "0.5", "n": 20, "note": "morning", "spread": "0.004", "spread_kind": "unknown"}
    assert codes([level("end", **cells)]) == set()


@pytest.mark.parametrize("mean", ["0.2", "2.1"])
def test_a_mean_outside_the_declared_range_is_questioned(mean):
    rows = [level("end", mean=mean, sd="0.1", n=20)]
    found = codes(rows, what="BMD", site="lumbar_spine")
    assert ("W12", "mean") in found


def test_an_outcome_with_a_rhythm_needs_the_time_of_day():
    row = level("end", mean="0.5", sd="0.1", n=20)
    assert ("W09", "note") in codes([row])
    noted = level("end", mean="0.5", sd="0.1", n=20, note="fasting, 8 a.m.")
    assert codes([noted]) == set()
    assert ("W09", "note") not in codes([row], what="BMD", site="lumbar_spine")
    warned = warnings_of(tables([row, level("baseline", mean="0.5", n=20)]), CONFIG)
    (one,) = (p for p in warned if p.code == "W09")
    assert one.message.endswith("The same holds for 1 other row of the study.")


# A p beside the changes that it is not of, or of which it is one of two.
CHANGE = ("measurements", "e", "end", "change", {"mean": "0.010", "sd": "0.030", "n": 20})


@pytest.mark.parametrize(
    "cells",
    [
        {"statistic": "r", "value": "0.95", "p": "0.001", "p_operator": "<"},
        {"statistic": "p", "p": "0.01", "p_operator": "=", "test": "rm_anova"},
        {"statistic": "p", "p": "0.04", "p_operator": "=", "adjusted": "yes"},
    ],
)
def test_a_p_of_something_else_is_not_compared_with_the_change(cells):
    row = ("contrasts", "e", "end", cells["statistic"], {
        "compares": "within", **{n: c for n, c in cells.items() if n != "statistic"}})  # fmt: skip
    found = warnings_of(tables([CHANGE, row], what="BMD", site="total_hip"), CONFIG)
    assert "W06" not in {p.code for p in found}


def test_a_p_may_be_of_the_change_or_of_the_percent_change():
    rows = [
        ("measurements", "e", "end", "change", {"mean": "0.020", "sd": "0.050", "n": 20}),
        ("measurements", "e", "end", "pct_change", {"mean": "2.50", "sd": "6.80", "n": 20}),
    ]

    def codes(p):
        test = ("contrasts", "e", "end", "p", {"compares": "within", "p": p, "p_operator": "="})
        made = tables([*rows, test], what="BMD", site="total_hip")
        return {w.code for w in warnings_of(made, CONFIG)}

    assert "W06" not in codes("0.09") and "W06" not in codes("0.12") and "W06" in codes("0.009")
