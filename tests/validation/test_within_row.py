"""Numbers of one row that paper and typist give twice."""

import pytest
from builders import CONFIG, contrast, level, tables
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.validation.plausibility import likely_slip
from osteometa.validation.review import warnings_of

CODES = ("W21", "W22", "W23", "W24", "W25")
BONE = {"what": "BMD", "site": "lumbar_spine"}


def found(row, **how):
    how = {"control": True, **BONE, **how}
    return [p for p in warnings_of(tables([row], **how), CONFIG) if p.code in CODES]


def md(**cells):
    return contrast("md", value="0.018", unit="g/cm2", n_exercise=20, n_control=20, **cells)


@pytest.mark.parametrize(
    ("cells", "code", "words"),
    [
        ({"ci_low": "0.002", "ci_high": "0.340"}, "W21", "ci_high should be 0.034. Is a decimal"),
        ({"ci_low": "0.002", "ci_high": "-0.034"}, None, ""),
        ({"ci_low": "-0.002", "ci_high": "0.034"}, "W21", "ci_low should be 0.002. Is a minus"),
        ({"ci_low": "0.002", "ci_high": "0.043"}, "W21", "Are two digits exchanged?"),
        ({"ci_low": "0.002", "ci_high": "0.034"}, None, ""),
        ({"ci_low": "0.00", "ci_high": "0.03"}, None, ""),
        ({"ci_low": "0.002", "ci_high": "0.034", "p": "0.45", "p_operator": "="}, "W23", "0.0157"),
        ({"ci_low": "0.002", "ci_high": "0.034", "p": "0.03", "p_operator": "="}, None, ""),
        (
            {"ci_low": "0.002", "ci_high": "0.034", "p": "0.001", "p_operator": "<"},
            "W23",
            "< 0.001",
        ),
        ({"ci_low": "0.004", "ci_high": "0.032", "p": "0.05", "p_operator": ">"}, "W23", "> 0.05"),
        ({"ci_low": "-0.020", "ci_high": "0.056", "p": "0.05", "p_operator": "<"}, "W23", "< 0.05"),
        ({"ci_low": "0.002", "ci_high": "0.034", "se": "0.0079"}, None, ""),
        ({"ci_low": "0.002", "ci_high": "0.034", "se": "0.040"}, "W22", "0.00766 to 0.00842"),
        ({"ci_low": "0.002", "ci_high": "0.034", "se": "0.079"}, "W22", "decimal point"),
        ({"se": "0.0079", "p": "0.3", "p_operator": "="}, "W23", "decimal point"),
        ({"se": "0.0079", "p": "0.028", "p_operator": "="}, None, ""),
        ({"se": "0.0079", "p": "0.014", "p_operator": "=", "tails": 1}, None, ""),
        ({"se": "0.0079", "p": "0.3", "p_operator": "=", "test": "rank"}, None, ""),
        ({"n_total": 41}, "W24", "n_exercise + n_control = 40"),
    ],
)
def test_a_difference_its_interval_se_and_p(cells, code, words):
    problems = found(md(**cells))
    assert [p.code for p in problems] == ([code] if code else [])
    assert all(words in p.message for p in problems)


@pytest.mark.parametrize(
    ("statistic", "cells", "code"),
    [
        ("t", {"value": "2.11", "p": "0.041", "p_operator": "="}, None),  # t of 38 df
        ("t", {"value": "1.21", "p": "0.041", "p_operator": "="}, "W23"),
        ("f", {"value": "4.2", "df1": 1, "df2": 58, "p": "0.0444", "p_operator": "="}, "W24"),
        ("f", {"value": "4.2", "df1": 1, "df2": 38, "p": "0.0474", "p_operator": "="}, None),
        ("f", {"value": "4.2", "df1": 1, "df2": 38, "p": "0.474", "p_operator": "="}, "W23"),
        ("f", {"value": "4.2", "df1": 2, "p": "0.474", "p_operator": "="}, None),
        ("t", {"value": "2.11", "df2": 380}, "W24"),
    ],
)
def test_a_test_statistic_its_p_and_n(statistic, cells, code):
    problems = found(contrast(statistic, n_exercise=20, n_control=20, **cells))
    assert [p.code for p in problems] == ([code] if code else [])


@pytest.mark.parametrize(
    ("statistic", "cells", "code"),
    [
        # SE 0.0819 of the logarithm 0.0594: p 0.468.
        ("rom", {"p": "0.47", "p_operator": "="}, None),
        ("rom", {"p": "0.0047", "p_operator": "="}, "W23"),
        ("log_rom", {"se": "0.082", "p": "0.47", "p_operator": "="}, None),
        ("log_rom", {"se": "0.16"}, "W22"),
    ],
)
def test_a_ratio_or_its_logarithm_with_limits_se_and_p(statistic, cells, code):
    numbers = {
        "rom": {"value": "1.0612", "ci_low": "0.9039", "ci_high": "1.2460"},
        "log_rom": {"value": "0.0594", "ci_low": "-0.1011", "ci_high": "0.2199"},
    }[statistic]
    problems = found(contrast(statistic, n_exercise=200, n_control=200, **numbers, **cells))
    assert [p.code for p in problems] == ([code] if code else [])


def test_no_slip_is_named_where_the_p_may_be_anything():
    ratio = {"value": "1.1", "ci_low": "1.0", "ci_high": "1.2", "p": "0.9", "p_operator": "="}
    (problem,) = found(contrast("rom", n_exercise=200, n_control=200, **ratio))
    assert problem.code == "W23" and "decimal point" not in problem.message


# Two geometric means with their intervals: Cochrane Handbook 5.1, section 7.7.3.4.
@pytest.mark.parametrize("cells", [("24", "17", "34")])
def test_a_geometric_mean_is_named(cells):
    mean, low, high = cells
    row = level("end", mean=mean, ci_low=low, ci_high=high, n=20, note="morning")
    (problem,) = found(row, what="CTX", site="", control=False)
    assert problem.code == "W21" and "kind=geometric" in problem.message
    assert problem.found == "24 in 17 to 34"


def test_a_difference_with_the_limits_of_a_ratio_is_asked_for_as_a_ratio():
    row = contrast("smd", value="1.5", ci_low="0.75", ci_high="3.0", standardiser="raw")
    (problem,) = (p for p in found(row) if p.code == "W21")
    assert problem.message.endswith("Is it a ratio of means? Then enter statistic=rom.")


@pytest.mark.parametrize(
    ("cells", "question"),
    [
        ({"sd": "3.1"}, None),
        ({"sd": "0.69"}, "Is it an SE?"),
        ({"se": "0.69"}, None),
        ({"se": "3.1"}, "Is it an SD?"),
        ({"spread": "0.69", "spread_kind": "sd"}, "Is it an SE?"),
        ({"spread": "0.69", "spread_kind": "unknown"}, None),
        ({"sd": "31"}, "Is a decimal point misplaced?"),
    ],
)
def test_a_spread_and_the_interval_beside_it(cells, question):
    cells = {"mean": "1.5", "n": 20, "ci_low": "0.05", "ci_high": "2.95", **cells}
    problems = found(("measurements", "e", "end", "pct_change", cells))
    assert [p.code for p in problems] == (["W22"] if question else [])
    assert all(question in p.message for p in problems)


@pytest.mark.parametrize(
    ("mean", "sd", "warned"),
    [("0.015", "0.031", True), ("0.01", "3.1", False), ("-0.89", "0.16", False)],
)
def test_a_fraction_typed_as_percent(mean, sd, warned):
    problems = found(("measurements", "e", "end", "pct_change", {"mean": mean, "sd": sd, "n": 20}))
    assert [p.code for p in problems] == (["W25"] if warned else [])


@pytest.mark.parametrize(
    ("typed", "right", "question"),
    [
        ("-0.5", 0.5, "Is a minus sign lost or added?"),
        ("1776", 17.76, "Is a decimal point misplaced?"),
        ("0.943", 0.934, "Are two digits exchanged?"),
        ("0.9943", 0.943, "Is a digit typed twice?"),
        ("0.943", 0.5, ""),
    ],
)
def test_the_slip_is_named(typed, right, question):
    number = ReportedNumber(typed)
    assert likely_slip(number, right - 1e-9, right + 1e-9).strip() == question


# Tests with fewer degrees of freedom than n1 + n2 - 2; p and intervals of each agree.
@pytest.mark.parametrize(
    ("row", "how"),
    [
        (contrast("t", value="3.5", p="0.005", p_operator="=", n_exercise=12, n_control=12,
                  n_total=12), {"design": "crossover_rct"}),  # 11 df
        (md(se="0.0056", ci_low="0.0063", ci_high="0.0297", test="paired_t"), {}),
        (contrast("t", value="2.50", p="0.037", p_operator="=", n_exercise=100, n_control=100,
                  flag="CLADJ"), {}),  # 8 df
        (contrast("md", value="2.00", se="0.40", ci_low="1.08", ci_high="2.92", p="0.0011",
                  p_operator="=", unit="g/cm2", n_exercise=100, n_control=100, flag="CLADJ"), {}),
        (contrast("t", value="3.00", p="0.013", p_operator="=", n_exercise=10, n_control=10,
                  test="t_welch"), {}),
        (contrast("md", value="1.00", se="0.5", ci_low="-0.18", ci_high="2.18", unit="g/cm2",
                  n_exercise=6, n_control=20, test="t_welch"), {}),
        (contrast("md", value="0.010", ci_low="0.001", ci_high="0.030", unit="g/cm2",
                  n_exercise=20, n_control=20, test="rank"), {}),
        (("measurements", "e", "end", "change",
          {"mean": "0.010", "sd": "0.020", "n": 20, "ci_low": "-0.002", "ci_high": "0.022",
           "flag": "ADJSE"}), {}),
    ],
)  # fmt: skip
def test_honest_rows_of_other_tests_raise_no_warning(row, how):
    assert found(row, **how) == []


@pytest.mark.parametrize(
    ("cells", "warned"),
    [
        ({"se": "0.27"}, False),
        ({"se": "0.073"}, True),  # the variance
        ({"se": "1.0"}, True),
        ({"se": "0.09", "standardiser": "raw", "score": "change"}, False),  # in SDs of levels
        ({"se": "0.09", "standardiser": "raw", "score": "post"}, True),
        ({"ci_low": "0.02", "ci_high": "1.06"}, False),
        ({"ci_low": "0.53", "ci_high": "0.55"}, True),
        ({"se": "0.19", "compares": "within"}, False),
        ({"se": "1.0", "compares": "within"}, True),
    ],
)
def test_the_error_of_an_smd_is_that_of_its_participants(cells, warned):
    """Of 30 and 28 with d = 0.54 it is sqrt(1/30 + 1/28 + 0.54^2/116) = 0.268."""
    row = contrast("smd", value="0.54", unit="not_stated", n_exercise=30, n_control=28, **cells)
    assert [p.code for p in found(row)] == ["W22"] * warned


def test_a_ratio_has_no_kind():
    row = contrast("md", value="1.26", ci_low="1.00", ci_high="1.59", unit="g/cm2",
                   n_exercise=20, n_control=20)  # fmt: skip
    (problem,) = found(row)
    assert problem.code == "W21" and "kind=" not in problem.message
