"""Means, SDs and tests as reported, and their participants."""

import math
from dataclasses import fields, is_dataclass, replace
from functools import cached_property
from importlib import import_module
from pkgutil import walk_packages

import osteometa
import pytest
from builders import CONFIG, ROOT_N, N, account_of, tables
from osteometa.comparisons.quantiles import from_five, from_quantiles
from osteometa.comparisons.reported_tests import ReportedDifference, is_omnibus, reported_tests
from osteometa.comparisons.summaries import (
    Cell,
    SampleSize,
    Summary,
    merge_sizes,
    merge_summaries,
    summary_of,
)
from osteometa.derivation.derive import derive
from osteometa.extraction.tables import Contrast, Measurement
from osteometa.numerics.distributions import half_width_to_se, hedges_j, p_to_t, t_quantile
from scipy.special import ndtri, stdtrit

PLACE = {"study_id": "t", "arm_id": "e", "outcome": "CTX", "analyte": "ctx_serum",
         "site": "", "timepoint": "end"}  # fmt: skip


def row(statistic, **cells):
    cells = {name: str(value) for name, value in cells.items()}
    return Contrast(statistic=statistic, **{"compares": "between", **PLACE, **cells})


def measured(**cells):
    cells = {name: str(value) for name, value in cells.items()}
    return Measurement(kind="level", unit="ng/mL", **PLACE, **cells)


def best(contrast, exercise=12, control=16, **how):
    return reported_tests((contrast,), SampleSize(exercise), SampleSize(control), **how)


def test_every_record_is_frozen_and_holds_no_more_than_its_fields():
    found = 0
    for module in walk_packages(osteometa.__path__, "osteometa."):
        if module.name.endswith("__main__"):
            continue
        for one in vars(import_module(module.name)).values():
            if isinstance(one, type) and is_dataclass(one) and one.__module__ == module.name:
                assert one.__dataclass_params__.frozen, one
                found += 1
                # A cached property needs room beside the fields.
                if not any(isinstance(held, cached_property) for held in vars(one).values()):
                    assert set(one.__slots__) <= {field.name for field in fields(one)}, one
    assert found > 40


# Test statistics.
@pytest.mark.parametrize("df", [5, None])
def test_intervals_and_p_by_quantiles(df):
    quantile = (lambda p: float(ndtri(p))) if df is None else (lambda p: float(stdtrit(df, p)))
    assert t_quantile(0.9, df) == quantile(0.9)
    assert half_width_to_se(1, 5, 95, df) == pytest.approx(2 / quantile(0.975))
    assert half_width_to_se(1, 5, 90, df) == pytest.approx(2 / quantile(0.95))
    assert p_to_t(0.04, df) == p_to_t(0.02, df, 1) == pytest.approx(quantile(0.98))
    assert p_to_t(0.7, df, 1) == pytest.approx(quantile(0.7))


def test_the_factor_of_hedges_needs_more_than_one_degree_of_freedom():
    assert hedges_j(2) == pytest.approx(1 / math.sqrt(math.pi))  # Gamma(1) / Gamma(1/2)
    for m in (1, 0, -1):
        with pytest.raises(ValueError, match=f"for {m} degrees"):
            hedges_j(m)


def test_the_se_behind_an_exact_p_of_a_difference():
    (found,) = best(row("md", value=-3, p=0.04, p_operator="="))
    t = p_to_t(0.04, 26)
    assert (found.se, found.t, found.signed) == (pytest.approx(3 / t), pytest.approx(-t), True)
    (found,) = best(row("md", value=7, p=0.02, p_operator="=", tails=1))
    assert (found.se, found.t) == (pytest.approx(7 / t), pytest.approx(t))
    assert best(row("md", value=0, p=0.04, p_operator="=")) == []
    assert best(row("md", value=3, p=1, p_operator="=")) == []
    for bound in ("<", "<=", ">", ">="):
        assert best(row("md", value=3, p=0.04, p_operator=bound)) == []


@pytest.mark.parametrize("statistic", ["smd", "t"])
def test_an_exact_p_takes_the_sign_beside_it(statistic):
    found = {x.code: x for x in best(row(statistic, value=-0.9, p=0.04, p_operator="="))}
    assert (found["p"].t, found["p"].signed) == (pytest.approx(-p_to_t(0.04, 26)), True)
    assert ("t" in found) == (statistic == "t")
    (bare,) = best(row("p", p=0.04, p_operator="="))
    assert (bare.t, bare.signed) == (pytest.approx(p_to_t(0.04, 26)), False)
    assert not isinstance(bare, ReportedDifference)


def test_an_interval_of_a_difference_by_its_own_level():
    (found,) = best(row("md", value=3, ci_low=1, ci_high=5, ci_level=90))
    assert (found.se, found.t) == (pytest.approx(2 / p_to_t(0.1, 26)), pytest.approx(3 / found.se))
    (found,) = best(row("f", value=6.25, df1=1))
    assert (found.t, found.signed, found.code) == (2.5, False, "F")
    assert best(row("md", value=3, ci_low=1)) == []


@pytest.mark.parametrize(
    ("cells", "df"),
    [
        ({}, 26), ({"adjusted": "yes"}, 25), ({"adjusted": "yes", "covariates": 3}, 23),
        ({"covariates": 2}, 24), ({"n_total": 20}, 18), ({"n_total": 28}, 26),
        ({"n_exercise": 5, "n_control": 6}, 9), ({"n_exercise": 5}, 26),
        ({"n_exercise": 2, "n_control": 1}, 1), ({"n_exercise": 1, "n_control": 1}, None),
        ({"test": "rank"}, None),
    ],
)  # fmt: skip
def test_degrees_of_freedom_of_a_test_between_arms(cells, df):
    found = best(row("p", p=0.04, p_operator="=", **cells))
    assert [x.t for x in found] == ([] if df is None else [pytest.approx(p_to_t(0.04, df))])


@pytest.mark.parametrize(
    ("cells", "sides", "n"),
    [
        ({}, (12, 16), 12), ({}, (16, 12), 12), ({}, (None, 9), 9), ({}, (9, None), 9),
        ({"n_exercise": 7}, (12, 16), 7), ({"n_total": 8}, (12, 16), 8),
        ({"n_exercise": 7, "n_total": 8}, (12, 16), 7),
    ],
)  # fmt: skip
def test_people_of_a_paired_test_count_once(cells, sides, n):
    (found,) = best(row("p", p=0.04, p_operator="=", **cells), *sides, paired=True)
    assert (found.n_exercise, found.n_control) == (n, None)
    assert found.t == pytest.approx(p_to_t(0.04, n - 1))


def test_people_per_arm_are_not_known_where_a_total_says_otherwise():
    (found,) = best(row("t", value=2, n_total=20))
    assert (found.n_exercise, found.n_control) == (None, None)
    assert [cell.column for cell in found.cells] == ["value", "n_total"]
    (found,) = best(row("t", value=2, n_total=15), exercise=None)
    assert (found.n_exercise, found.n_control) == (None, None)
    for control in (12, 16):
        (found,) = best(row("t", value=2, n_total=12 + control), control=control)
        assert (found.n_exercise, found.n_control) == (12, control)
    assert [cell.column for cell in found.cells] == ["value", "n_total"]


@pytest.mark.parametrize(
    ("cells", "omnibus"),
    [
        ({"statistic": "f", "df1": 1}, False), ({"statistic": "f", "df1": 2}, True),
        ({"statistic": "f"}, True), ({"statistic": "t"}, False),
        ({"statistic": "p", "test": "rm_anova", "compares": "within"}, True),
        ({"statistic": "p", "test": "rm_anova", "compares": "within", "df1": 1}, False),
        ({"statistic": "p", "test": "rm_anova"}, False),
        ({"statistic": "t", "test": "rm_anova", "compares": "within"}, False),
        ({"statistic": "p", "test": "paired_t", "compares": "within"}, False),
    ],
)  # fmt: skip
def test_a_test_of_several_groups_or_times_has_no_sign(cells, omnibus):
    assert is_omnibus(row(**cells)) == omnibus


@pytest.mark.parametrize(
    ("cells", "score"),
    [
        ({}, "not_stated"), ({"unit": "%"}, "change"), ({"unit": "%", "score": "post"}, "post"),
        ({"unit": "ng/mL"}, "not_stated"), ({"score": "change"}, "change"),
    ],
)  # fmt: skip
def test_a_test_of_percentages_is_one_of_changes(cells, score):
    (found,) = best(row("t", value=2, **cells))
    assert found.score == score


@pytest.mark.parametrize("side", [0, 1])
def test_a_test_takes_the_flags_of_its_people_and_of_its_row(side):
    participants = [SampleSize(12, frozenset({"NRAND"} if i == side else ())) for i in (0, 1)]
    figure = row("t", value=2, flag="NREP", origin="figure")
    (found,) = reported_tests((figure,), *participants)
    assert found.flags == {"NRAND", "NREP", "FIG"}


# Several arms as one.
def test_people_of_several_arms_are_known_if_all_are():
    cell = Cell(measured(mean=1), "n")
    one, other = SampleSize(5, frozenset({"NRAND"}), (cell,)), SampleSize(7)
    assert merge_sizes([one, other]) == SampleSize(12, frozenset({"NRAND"}), (cell,))
    assert merge_sizes([one, SampleSize()]).n is None


def test_arms_merged_are_all_their_people():
    """Cochrane Handbook 6.5.2.10, written out as sums of squares."""
    one = Summary(5.0, 2.0, 10, ("SD",), (Cell(measured(mean=5), "mean"),), frozenset({"FIG"}))
    other = Summary(8.0, 3.0, 30, ("SE",), (), frozenset({"NREP"}))
    found = merge_summaries([one, other])
    squares = 9 * 4 + 29 * 9 + 10 * 30 / 40 * 9
    assert (found.n, found.mean, found.sd) == (40, 7.25, pytest.approx(math.sqrt(squares / 39)))
    assert (found.codes, found.cells) == (("SD", "SE"), one.cells)
    assert found.flags == {"MERGED", "FIG", "NREP"}
    for gap in ({"mean": None}, {"sd": None}, {"n": None}, {"n": 0}):
        assert merge_summaries([one, replace(other, **gap)]) is None
    assert merge_summaries([one, None]) is None


def test_five_numbers_of_many_people():
    """Luo 2018 and Shi 2020 at n = 100."""
    low, q1, median, q3, high = 1.0, 3.0, 4.0, 6.0, 9.0
    w1, w2 = 2.2 / (2.2 + 100**0.75), 0.7 - 0.72 / 100**0.55
    u = 1 / (1 + 0.07 * 100**0.6)
    assert u < 0.5
    mean, sd = from_five(low, q1, median, q3, high, 100)
    assert mean == pytest.approx(w1 * 5 + w2 * 4.5 + (1 - w1 - w2) * 4)
    by_range = 8 / (2 * ndtri((100 - 0.375) / 100.25))
    by_quartiles = 3 / (2 * ndtri((75 - 0.125) / 100.25))
    assert sd == pytest.approx(u * by_range + (1 - u) * by_quartiles)


# One arm.
def test_an_interval_of_a_mean_has_n_minus_one_degrees_of_freedom():
    found = summary_of(measured(mean=5, ci_low=4, ci_high=6, ci_level=90), SampleSize(9), 2.0)
    assert found.sd == pytest.approx(2 * 3 / p_to_t(0.1, 8)) and found.mean == 10
    assert [cell.column for cell in found.cells] == ["mean", "ci_low", "ci_high"]
    assert summary_of(measured(mean=5, ci_low=4), SampleSize(9), 1.0).sd is None


@pytest.mark.parametrize(
    "cells", [{"se": 1}, {"spread": 1, "spread_kind": "se"}, {"ci_low": 4, "ci_high": 6}]
)
def test_one_participant_has_no_sd(cells):
    assert summary_of(measured(mean=5, **cells), SampleSize(1), 1.0).sd is None
    assert summary_of(measured(mean=5, **cells), SampleSize(2), 1.0).sd > 0


def test_a_printed_mean_goes_before_that_of_quantiles():
    quartiles = {"q1": 4, "median": 5, "q3": 7}
    alone = summary_of(measured(**quartiles), SampleSize(20), 1.0)
    both = summary_of(measured(mean=5.5, **quartiles), SampleSize(20), 1.0)
    assert (both.mean, both.sd, both.codes) == (5.5, alone.sd, ("Q3",)) and alone.mean != 5.5
    with_sd = summary_of(measured(sd=2, **quartiles), SampleSize(20), 1.0)
    assert (with_sd.mean, with_sd.sd, with_sd.codes) == (None, 2, ("SD",))


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ({"min": 1, "median": 3, "max": 3}, "R3"), ({"min": 1, "median": 1, "max": 3}, "R3"),
        ({"min": 3, "median": 3, "max": 3}, None), ({"q1": 3, "median": 3, "q3": 3}, None),
        ({"q1": 2, "median": 3, "q3": 3}, "Q3"),
        ({"min": 1, "q1": 1, "median": 3, "q3": 4, "max": 5}, "Q5"),
        ({"min": 1, "q1": 3, "median": 3, "q3": 3, "max": 5}, "R3"),
        ({"min": 1, "q1": 2, "median": 3, "q3": 4}, "Q3"),
        ({"min": 1, "q1": 2, "median": 3, "max": 5}, "R3"), ({"min": 1, "max": 5}, None),
        ({"q1": 1, "median": 3}, None),
    ],
)  # fmt: skip
def test_which_quantiles_have_a_spread(numbers, code):
    found = from_quantiles(measured(**numbers), 20)
    assert (found and found.codes[0]) == code
    assert from_quantiles(measured(**numbers), 4) is None
    assert (from_quantiles(measured(**numbers), 5) is None) == (code is None)


def test_people_known_from_the_start_of_a_trial_are_flagged():
    """A reported SMD without n takes that of the arms: completers, else the randomised (NRAND)."""
    smd = ("contrasts", "e", "end", "smd", {"value": 0.6, "standardiser": "raw"})

    def found(e, c, **how):
        raw = tables([smd], **how)
        arms = tuple(arm.model_copy(update=n) for arm, n in zip(raw.arms, (e, c), strict=False))
        (effect,) = derive(replace(raw, arms=arms), CONFIG).effects
        return effect

    how = {"design": "rct", "control": True}
    ended, started = {"n_end": 12}, {"n_start": 16}
    g = hedges_j(26) * 0.6
    for e, c, flags in (
        (ended, {"n_end": 16}, ""), (ended, started, "NRAND"),
        ({"n_start": 12}, {"n_end": 16}, "NRAND"),
        ({"n_start": 12}, started, "NRAND"), ({"n_start": 99, "n_end": 12}, {"n_end": 16}, ""),
    ):  # fmt: skip
        effect = found(e, c, **how)
        assert (effect.yi, effect.vi) == pytest.approx((g, ROOT_N**2 + g**2 / 56))
        assert account_of(effect)[2:] == (flags, *N.values())
    alone = found({"n_start": 12}, {})
    assert account_of(alone)[2:4] == ("NRAND RIMP", 12)
    for e, c in ((ended, {}), ({}, ended), ({}, {})):
        raw = tables([smd], **how)
        arms = tuple(arm.model_copy(update=n) for arm, n in zip(raw.arms, (e, c), strict=True))
        assert derive(replace(raw, arms=arms), CONFIG).effects == ()
