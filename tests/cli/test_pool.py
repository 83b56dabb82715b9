"""`osteometa pool` with every method, moderators, groups and covariances."""

import json

import numpy as np
import pytest
from builders import BCG, ORACLE, effects_csv, output_of
from osteometa.cli import main
from osteometa.pooling.model import joint_test, pool, regress, tau2_limits
from osteometa.wording.choices import METHODS

DATA = ORACLE["bcg_RR"]
# escalc(measure = "OR") of the 13 trials of dat.bcg: yi, vi, allocation.
BCG_OR = (
    (-0.93869414087039216, 0.35712495225362872, "random"),
    (-1.66619072902654963, 0.20813239363718600, "random"),
    (-1.38629436111989079, 0.43341307814992025, "random"),
    (-1.45644354931298459, 0.020314412973197363, "random"),
    (-0.21914108567543256, 0.051951777317120272, "alternate"),
    (-0.95812204077626739, 0.0099052655153382407, "alternate"),
    (-1.63377583822889605, 0.22700967522349361, "random"),
    (0.012020601452732649, 0.0040069620121488307, "random"),
    (-0.47174603583869601, 0.056977123987762661, "random"),
    (-1.40121013928348104, 0.075421726314920404, "systematic"),
    (-0.34084964636621074, 0.012525133820215518, "systematic"),
    (0.44663468227444625, 0.53416217247471709, "systematic"),
    (-0.017341873929093587, 0.071635117296258746, "systematic"),
)  # fmt: skip
MODS = DATA["meta_regression"]["ablat"]


@pytest.fixture
def bcg(tmp_path):
    rows = [
        f"{name},{y!r},{v!r},{int(x[1])},{alloc}"
        for name, y, v, x, alloc in zip(
            [f"trial {i}" for i in range(13)], DATA["yi"], DATA["vi"], MODS["design_matrix"],
            DATA["subgroup_alloc"]["group"], strict=True,
        )
    ]  # fmt: skip
    return effects_csv(tmp_path, rows, "study,yi,vi,ablat,alloc")


def result(capsys, *words):
    status, out, err = output_of(capsys, "pool", *words, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize("method", METHODS)
def test_every_method(tmp_path, capsys, method):
    overall = result(capsys, effects_csv(tmp_path, BCG), "--method", method, "--ci", "wald")[
        "overall"
    ]
    assert overall["tau2"] == pytest.approx(DATA["estimators"][method]["tau2"], rel=1e-8)
    assert overall["i2"] == pytest.approx(DATA["estimators"][method]["I2"], rel=1e-8)
    if method == "EE":
        assert overall["pi_low"] is None and overall["i2_ci_low"] is None
    else:
        limits = DATA["Q_profile_95"]["I2_ci"]
        assert [overall["i2_ci_low"], overall["i2_ci_high"]] == pytest.approx(limits, rel=1e-6)


def test_profile_likelihood_and_the_older_prediction_interval(tmp_path, capsys):
    path = effects_csv(tmp_path, BCG)
    overall = result(capsys, path, "--tau2-ci", "pl", "--pi-df", "k-2", "--ci", "hksj")["overall"]
    limits = DATA["profile_likelihood_tau2_ci_95"]["REML"]
    assert [overall["tau2_ci_low"], overall["tau2_ci_high"]] == pytest.approx(limits, rel=1e-6)
    theirs = DATA["estimators"]["REML"]["knha"]["prediction_interval"]["HTS_t_kminus2"]
    assert [overall["pi_low"], overall["pi_high"]] == pytest.approx(theirs, rel=1e-6)
    status, _, err = output_of(capsys, "pool", path, "--tau2-ci", "pl", "--method", "DL")
    assert status == 2 and "needs REML or ML" in err


def test_meta_regression(bcg, capsys):
    regression = result(capsys, bcg, "--mods", "ablat", "--ci", "hksj")["regression"]
    theirs = MODS["fits"]["REML_knha"]
    got = [c["estimate"] for c in regression["coefficients"]]
    assert got == pytest.approx(theirs["beta"], rel=1e-6)
    assert [c["p"] for c in regression["coefficients"]] == pytest.approx(theirs["pval"], rel=1e-6)
    assert [c["ci_low"] for c in regression["coefficients"]] == pytest.approx(theirs["ci_lb"])
    assert regression["test"] == pytest.approx(
        {"statistic": theirs["QM"], "df1": 1, "df2": 11, "p": theirs["QMp"]}, rel=1e-6
    )
    limits = [regression["tau2_ci_low"], regression["tau2_ci_high"]]
    assert limits == pytest.approx(MODS["Q_profile_95"]["tau2_ci"], rel=1e-6)


# metafor 3.8-1, confint(rma(yi, vi, mods = ~ ablat), type), tolerances and threshold 1e-14.
LEFT_OVER = {
    ("REML", "qp"): (0.0166800683206, 0.7848352545755, 32.0978832359784, 95.6974435368293,
                     1.4727081387982, 23.2419959751807),
    ("REML", "pl"): (0.0058066347326, 0.4432159651337, 14.1305326010149, 92.6256991952881,
                     1.1645582886331, 13.5606076627772),
    ("ML", "pl"): (0.0, 0.2450458172382, 0.0, 87.4127151154747, 1.0, 7.9445250439147),
    ("DL", "qp"): (0.0166800683206, 0.7848352545755, 32.0978832359784, 95.6974435368293,
                   1.4727081387982, 23.2419959751807),
}  # fmt: skip


@pytest.mark.parametrize(("method", "kind"), LEFT_OVER)
def test_what_moderators_leave_has_both_intervals_of_metafor(bcg, capsys, method, kind):
    words = (bcg, "--mods", "ablat", "--method", method, "--tau2-ci", kind)
    regression = result(capsys, *words)["regression"]
    names = [f"{name}_ci_{end}" for name in ("tau2", "i2", "h2") for end in ("low", "high")]
    theirs = LEFT_OVER[method, kind]
    assert [regression[name] for name in names] == pytest.approx(theirs, rel=1e-6, abs=1e-12)
    out = output_of(capsys, "pool", *words)[1]
    assert f"I2 = {regression['i2']:.4g} % [{theirs[2]:.4g}, {theirs[3]:.4g}]" in out


def test_what_moderators_leave_with_covariances_is_the_solvers(tmp_path, capsys):
    path = effects_csv(tmp_path, EFFECTS, HEADER)
    cov = effects_csv(tmp_path, ["a1,a2,0.045"], "a,b,covariance", "cov.csv")
    kept, y = [0, 1, 2, 4, 5], np.array([0.9, -0.25, 0.55, 1.3, 0.1, -0.2])
    V = np.diag([0.09, 0.085, 0.12, 0.07, 0.06, 0.1])
    V[0, 1] = V[1, 0] = 0.045
    X, V = np.c_[np.ones(5), [1, 2, 3, 5, 6]], V[np.ix_(kept, kept)]
    for kind in ("qp", "pl"):
        got = result(capsys, path, "--cov", cov, "--mods", "weeks", "--tau2-ci", kind)["regression"]
        limits = tau2_limits(y[kept], None, X, V=V, tau2_ci=kind)
        assert {name: got[name] for name in limits} == limits
    common = result(capsys, path, "--cov", cov, "--mods", "weeks", "--method", "EE")["regression"]
    assert common["tau2_ci_low"] is common["i2_ci_high"] is None
    with pytest.raises(ValueError, match="needs REML or ML"):
        tau2_limits(y[kept], None, X, V=V, method="DL", tau2_ci="pl")
    with pytest.raises(ValueError, match="leave no variance"):
        tau2_limits(y[:2], [1, 1], X[:2])


def test_meta_regression_on_words_and_numbers_in_words(bcg, capsys):
    status, out, _ = output_of(capsys, "pool", bcg, "--mods", "alloc", "ablat", "--group", "alloc")
    assert status == 0
    for words in ("alloc: random", "alloc: systematic", "ablat", "all moderators: F(3, 9)",
                  "13 studies for 3 coefficients: ten for each are recommended",
                  "one tau2 for all"):  # fmt: skip
        assert words in out


def test_groups_and_their_tests(bcg, capsys):
    got = result(capsys, bcg, "--group", "alloc", "--ci", "wald")
    theirs = DATA["subgroup_alloc"]["REML"]
    for row in theirs["separate_tau2"]:
        assert got["groups"][row["level"]]["estimate"] == pytest.approx(row["estimate"], rel=1e-6)
    test = got["group_test"]
    assert test["common_tau2"]["statistic"] == pytest.approx(theirs["common_tau2"]["QM"], rel=1e-6)
    assert test["separate_tau2"]["p"] == pytest.approx(theirs["Q_between_p"], rel=1e-6)


@pytest.mark.parametrize("ci", ["wald", "hksj", "hksj-floor"])
def test_a_chi_square_between_groups_takes_conventional_standard_errors(tmp_path, capsys, ci):
    """BCG as odds ratios: Q between three rma fits by alloc in metafor 3.8-1 is 1.640239255388."""
    rows = [f"{i},{y!r},{v!r},{alloc}" for i, (y, v, alloc) in enumerate(BCG_OR)]
    got = result(
        capsys, effects_csv(tmp_path, rows, "study,yi,vi,alloc"), "--group", "alloc", "--ci", ci
    )
    test = got["group_test"]["separate_tau2"]
    assert (test["df1"], test["df2"]) == (2, None)
    assert [test["statistic"], test["p"]] == pytest.approx([1.640239255388, 0.440378969834], 1e-7)


def test_a_group_test_says_what_is_left_out_and_why_there_is_none(tmp_path, capsys):
    path = effects_csv(tmp_path, [f"{row},{'' if i == 4 else 'xxyyyy'[i]}"
                            for i, row in enumerate(EFFECTS)], f"{HEADER},type")  # fmt: skip
    within = effects_csv(tmp_path, ["a1,a2,0.045"], "a,b,covariance", "within.csv")
    test = result(capsys, path, "--cov", within, "--group", "type")["group_test"]
    assert test["note"] == "left out, because type is missing: d"
    parts = [[0, 1], [2, 3, 5]]
    y, v = np.array([0.9, -0.25, 0.55, 1.3, 0.1, -0.2]), np.array([0.09, 0.085, 0.12, 0.07, 0, 0.1])
    V = np.diag(v)
    V[0, 1] = V[1, 0] = 0.045
    fits = [pool(y[p], None, V=V[np.ix_(p, p)], studies=n, ci="wald")
            for p, n in zip(parts, (1, 3), strict=True)]  # fmt: skip
    theirs = (fits[0].estimate - fits[1].estimate) ** 2 / (fits[0].se ** 2 + fits[1].se ** 2)
    assert test["separate_tau2"]["statistic"] == pytest.approx(theirs)
    across = effects_csv(tmp_path, ["a2,b,0.02", "a1,c,0.01"], "a,b,covariance", "across.csv")
    test = result(capsys, path, "--cov", across, "--group", "type")["group_test"]
    assert test["separate_tau2"] is None and test["common_tau2"]["p"] is not None
    assert "a1 and c and others have a covariance; left out, because type is" in test["note"]
    assert (
        f"({test['note']})"
        in output_of(capsys, "pool", path, "--cov", across, "--group", "type")[1]
    )


EFFECTS = ["a,a1,0.9,0.09,1", "a,a2,-0.25,0.085,2", "b,b,0.55,0.12,3", "c,c,1.3,0.07,",
           "d,d,0.1,0.06,5", "e,e,-0.2,0.1,6"]  # fmt: skip
HEADER = "study,effect_id,yi,vi,weeks"


def test_covariance(tmp_path, capsys):
    path = effects_csv(tmp_path, EFFECTS, HEADER)
    cov = effects_csv(tmp_path, ["a1,a2,0.045", "a2,a1,0.045", "b,b,0.12"],
                "effect_id_1,effect_id_2,covariance", "cov.csv")  # fmt: skip
    got = result(capsys, path, "--cov", cov, "--mods", "weeks")
    V = np.diag([0.09, 0.085, 0.12, 0.07, 0.06, 0.1])
    V[0, 1] = V[1, 0] = 0.045
    y = [0.9, -0.25, 0.55, 1.3, 0.1, -0.2]
    ours = pool(y, None, V=V, studies=5)
    for name in ("estimate", "se", "tau2", "ci_low", "df", "k", "q_df", "tau2_ci_high"):
        assert got["overall"][name] == getattr(ours, name)
    kept = [0, 1, 2, 4, 5]
    X = np.c_[np.ones(5), [1, 2, 3, 5, 6]]
    fit = regress(np.array(y)[kept], None, X, V=V[np.ix_(kept, kept)], studies=4)
    assert got["regression"]["coefficients"][1]["estimate"] == fit.coefficients[1]
    assert got["regression"]["test"]["p"] == joint_test(fit, np.eye(2)[1:])[3]
    assert "left out, because a moderator is missing: c" in got["regression"]["note"]


def test_one_study_that_shares_no_covariance_is_still_one_study(tmp_path, capsys):
    path = effects_csv(tmp_path, EFFECTS, HEADER)
    cov = effects_csv(tmp_path, ["b,b,0.12"], "study,study,covariance", "cov.csv")
    assert result(capsys, path, "--cov", cov)["overall"]["df"] == 4


@pytest.mark.parametrize(
    ("words", "told_so"),
    [
        (["--mods", "week"], "no column 'week'. Did you mean 'weeks'?"),
        (["--group", "arm"], "no column 'arm'"),
        (["--mods", "effect_id"], "6 effects have all of effect_id; 7 are needed"),
        (["--cov", "absent.csv"], "absent.csv does not exist"),
    ],
)
def test_bad_calls_are_sentences(tmp_path, capsys, monkeypatch, words, told_so):
    monkeypatch.chdir(tmp_path)
    status, out, err = output_of(capsys, "pool", effects_csv(tmp_path, EFFECTS, HEADER), *words)
    assert (status, out) == (2, "")
    assert told_so in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        ("a,b,covariance", ["a1,a3,0.1"], "row 2: there is no effect 'a3'"),
        ("a,b,covariance", ["a1,a2,x"], "column covariance: 'x' is not a number"),
        ("a,b,covariance", ["a1,a2,0.1", "a2,a1,0.2"], "a1 and a2 have 0.2 here and 0.1 above"),
        ("a,b,covariance", ["b,b,0.13"], "variance of b is 0.13 here and 0.12 in the table"),
        ("a,b,covariance", ["a1,a2,0.2"], "cov.csv: the covariances of effects a1, a2 are not"),
        ("a,b,cov", ["a1,a2,0.1"], "must have three columns"),
    ],
)
def test_bad_covariances_are_sentences(tmp_path, capsys, header, rows, words):
    cov = effects_csv(tmp_path, rows, header, "cov.csv")
    status, out, err = output_of(
        capsys, "pool", effects_csv(tmp_path, EFFECTS, HEADER), "--cov", cov
    )
    assert (status, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["a,1,1,3", "b,2,1,3", "c,1,2,3", "d,1,2,3"], "'x' has the same value for all effects"),
        (
            ["a,1,1,3", "b,2,1,high", "c,1,2,4", "d,1,2,5"],
            "mixes numbers and words ('high' in row 3)",
        ),
    ],
)
def test_bad_moderators_are_sentences(tmp_path, capsys, rows, words):
    status, out, err = output_of(
        capsys, "pool", effects_csv(tmp_path, rows, "study,yi,vi,x"), "--mods", "x"
    )
    assert (status, out) == (2, "")
    assert words in err


def test_names_that_occur_twice_need_an_effect_id(tmp_path, capsys):
    path = effects_csv(tmp_path, ["a,1,1", "a,2,1"], "study,yi,vi")
    cov = effects_csv(tmp_path, ["a,a,1"], "study,study,covariance", "cov.csv")
    assert main(["pool", str(path), "--cov", str(cov)]) == 2
    assert "Add a column effect_id" in capsys.readouterr().err


def test_effects_on_a_line_have_no_plain_standard_error(tmp_path, capsys):
    path = effects_csv(tmp_path, ["a,0,1,0", "b,0,1,1", "c,0,1,2", "d,0,1,3"], "study,yi,vi,x")
    for extra in ((), ("--json",)):
        status, out, err = output_of(capsys, "pool", path, "--mods", "x", "--ci", "hksj", *extra)
        assert (status, err) == (0, "")
        assert "NaN" not in out
    assert json.loads(out)["regression"]["test"]["p"] is None


def test_moderators_that_say_the_same_are_refused_by_name(tmp_path, capsys):
    rows = ["a,1,1,1,7,2,u", "b,2,1,2,1,4,v", "c,1,2,3,4,6,u", "d,1,2,4,0,8,v", "e,1,1,5,5,10,u"]
    path = effects_csv(tmp_path, rows, "study,yi,vi,x,w,z,word")
    status, out, err = output_of(capsys, "pool", path, "--mods", "x", "w", "z")
    assert (status, out) == (2, "")
    assert "'z' is a linear combination of x, so their coefficients cannot be estimated" in err
    same = [f"{row},{row[-1]}{row[-1]}" for row in rows]
    path = effects_csv(tmp_path, same, "study,yi,vi,x,w,z,word,other")
    status, out, err = output_of(capsys, "pool", path, "--mods", "word", "w", "other")
    assert status == 2 and "'other: vv' is a linear combination of word: v, so" in err


def test_one_coefficient_is_stated_in_the_singular(tmp_path, capsys):
    path = effects_csv(tmp_path, EFFECTS, HEADER)
    cov = effects_csv(tmp_path, ["a1,a2,0.045"], "a,b,covariance", "cov.csv")
    note = result(capsys, path, "--cov", cov, "--mods", "weeks")["regression"]["note"]
    assert "4 studies for 1 coefficient: ten for each are recommended" in note


# metafor 4.8-0: rma(yi, vi, mods = ~ type, test = "adhoc") with NA in two of the six types.
NA_GROUP = [
    "Abe 2001,0.10,0.02,aerobic,12", "Bo 2003,0.30,0.03,resistance,24", "Cho 2005,0.25,0.02,NA,n/a",
    "Diaz 2007,0.50,0.04,resistance,26", "Eck 2009,-0.05,0.03,aerobic,8", "Fu 2011,0.90,0.05,NA,52",
]  # fmt: skip


def test_a_missing_group_or_moderator_is_left_out_and_named_as_metafor_does(tmp_path, capsys):
    path = effects_csv(tmp_path, NA_GROUP, "study,yi,vi,type,weeks")
    test = result(capsys, path, "--group", "type")["group_test"]
    assert test["common_tau2"]["statistic"] == pytest.approx(4.101, abs=5e-4)
    assert test["common_tau2"]["p"] == pytest.approx(0.180, abs=5e-4)
    assert "because type is missing: Cho 2005, Fu 2011" in test["note"]
    regression = result(capsys, path, "--mods", "type")["regression"]
    second = regression["coefficients"][1]
    got = [second["estimate"], second["ci_low"], second["ci_high"]]
    assert got == pytest.approx([0.3457, -0.389, 1.080], abs=5e-4)
    assert (regression["k"], regression["test"]["df2"]) == (4, 2)
    assert "Cho 2005" in result(capsys, path, "--mods", "weeks")["regression"]["note"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["A,1_5,0.1"], "row 2, study A, column yi: '1_5' is not a number"),
        (['A,"1,5",0.1', "B,0.2,0.1"], "'1,5' has a decimal comma, but other numbers"),
        (['A,"1,500",0.1', "B,0.2,0.1"], "'1,500' could be 1.500 or 1500"),
        (["A,NA,0.1"], "the number is missing"),
        (["A\u202e,1,0.1"], "U+202E (right-to-left override)"),
        (["A,2-Jan,0.1"], "'2-Jan' is a date"),
        (["2-Jan,1,0.1"], "row 2, column study: '2-Jan' is a date"),
        (["May 99,1,0.1"], "write the year of a name in four digits"),
        (["A,1 500.5,0.1", "B,3'100.5,0.1"], "'1 500.5' and '3'100.5' separate thousands in two"),
    ],
)
def test_a_cell_that_is_no_number_is_named(tmp_path, capsys, rows, words):
    path = effects_csv(tmp_path, rows, "study,yi,vi")
    status, _, err = output_of(capsys, "pool", path)
    assert status == 2 and words in err


def test_a_group_that_is_a_date_is_named_once(tmp_path, capsys):
    path = effects_csv(tmp_path, ["A,1,0.1,2-Jan", "B,2,0.1,x"])
    for options in ((), ("--group", "group")):
        status, _, err = output_of(capsys, "pool", path, *options)
        assert status == 2 and err.count("'2-Jan' is a date") == 1


def test_printed_minus_signs_tabs_and_decimal_commas_are_the_same_numbers(tmp_path, capsys):
    plain = effects_csv(tmp_path, ["A,-0.5,0.1", "B,1234.5,0.1"], "study,yi,vi")
    for rows, header in (
        (["A;\N{MINUS SIGN}0,5;0,1", "B;1.234,5;0,1"], "study;yi;vi"),
        (["A\t-0,5\t0,1", "B\t1 234,5\t0,1"], "sep=\t\nstudy\tyi\tvi"),
        (['A,"-0,5","0,1"', 'B,"1\'234,5","0,1"'], "study,yi,vi"),
    ):
        path = effects_csv(tmp_path, rows, header, name="other.csv")
        assert result(capsys, path) == result(capsys, plain)
