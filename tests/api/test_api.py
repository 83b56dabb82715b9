"""What `import osteometa` offers, beside metafor's numbers and with its errors."""

import doctest
import math
import subprocess
import sys

import numpy as np
import osteometa
import pandas as pd
import pytest
from builders import CONFIG, ORACLE, ROOT, TESTS
from osteometa.api import effect_sizes, models, plots, reviews

BCG = ORACLE["bcg_RR"]
FRAME = pd.DataFrame({"label": [f"trial {i}" for i in range(13)], "yi": BCG["yi"], "vi": BCG["vi"]})


@pytest.mark.parametrize("module", [models, effect_sizes, reviews, plots])
@pytest.mark.slow
def test_every_example_runs(module, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testmod(module)
    assert found.failed == 0 and found.attempted > 2


def test_every_public_function_has_an_example_and_explains_all_its_parameters():
    for name in osteometa.__all__:
        function = getattr(osteometa, name)
        assert name in dir(osteometa) and f"osteometa.{name}(" in function.__doc__
        code = function.__code__
        for parameter in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            assert parameter in function.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'poool'"):
        _ = osteometa.poool


def test_importing_the_package_loads_no_library():
    command = [sys.executable, "-c", "import osteometa, sys; print(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not {"numpy", "scipy", "pandas", "matplotlib", "pydantic"} & set(done.stdout.split())


@pytest.mark.parametrize("method", ["REML", "ML", "DL", "PM", "EE"])
def test_a_pool_is_that_of_metafor(method):
    found = osteometa.pool(FRAME, method=method, ci="wald")
    wanted = BCG["estimators"][method]
    assert found.estimate == pytest.approx(wanted["estimate"], rel=1e-8)
    assert found.tau2 == pytest.approx(wanted["tau2"], rel=1e-8)
    assert found.i2 == pytest.approx(wanted["I2"], rel=1e-8)
    assert found.weights == pytest.approx(wanted["weights_pct"], rel=1e-8)


def test_a_result_is_frozen_and_becomes_a_frame():
    found = osteometa.pool(BCG["yi"], BCG["vi"])
    with pytest.raises(AttributeError):
        found.estimate = 0
    frame = found.to_frame()
    assert frame.shape[0] == 1 and frame.loc[0, "k"] == 13
    assert frame.loc[0, "estimate"] == found.estimate
    names = ["estimate", "se", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "tau2_ci_low",
             "tau2_ci_high", "i2", "h2", "q", "q_df", "q_p"]  # fmt: skip
    assert set(names) < set(frame.columns)
    assert "<table" in found._repr_html_()
    effects = found.effects()
    assert effects["weight"].sum() == pytest.approx(100)
    assert effects["label"].tolist()[0] == "study 1"


@pytest.mark.parametrize(
    "given",
    [
        (BCG["yi"], BCG["vi"]),
        (tuple(BCG["yi"]), np.array(BCG["vi"])),
        (FRAME["yi"], FRAME["vi"]),
        (FRAME,),
        (FRAME.set_index("label"),),
        (FRAME.rename(columns={"label": "study"}),),
    ],
)
def test_lists_arrays_series_and_frames_are_the_same(given):
    assert osteometa.pool(*given).estimate == osteometa.pool(BCG["yi"], BCG["vi"]).estimate


def test_labels_come_from_the_frame_or_as_given():
    assert osteometa.pool(FRAME).labels == tuple(FRAME["label"])
    assert osteometa.pool([1, 2], [1, 1], labels=["a", "b"]).labels == ("a", "b")


def test_effects_with_a_covariance():
    V = [[0.1, 0.05, 0], [0.05, 0.1, 0], [0, 0, 0.2]]
    found = osteometa.pool([0.1, 0.2, 0.6], V=V, method="DL")
    assert found.k == 2 and found.vi == (0.1, 0.1, 0.2)
    checks = found.cross_check()
    assert set(checks["verdict"]) == {"not_comparable"}


def test_one_study_is_listed_with_its_own_interval():
    found = osteometa.pool([0.5], [0.04])
    assert (found.status, found.k, found.tau2) == ("listed", 1, None)
    assert found.ci_high - 0.5 == pytest.approx(1.959964 * 0.2, rel=1e-6)


@pytest.mark.parametrize(
    ("given", "more", "words"),
    [
        (([0.1, math.nan], [1, 1]), {}, r"yi: effect 2 is not a finite number \(found nan\)"),
        (([0.1, 0.2], [1, -1]), {}, r"vi: variance 2 must be above 0 \(found -1.0\)"),
        (([0.1, 0.2], [1]), {}, r"yi and vi must be two lists of the same length"),
        (([0.1, 0.2],), {}, r"vi must hold a sampling variance for each effect \(found None\)"),
        (([], []), {}, r"yi must hold at least one effect"),
        ((FRAME.drop(columns="vi"),), {}, r"columns yi and vi; vi is missing \(found label, yi\)"),
        ((FRAME,), {"method": "reml"}, r"method must be one of REML, .* \(found 'reml'\)"),
        ((FRAME,), {"ci": "t"}, r"ci must be one of wald, .* \(found 't'\)"),
        ((FRAME,), {"pi_df": "k"}, r"pi_df must be one of k-1, k-2 \(found 'k'\)"),
        ((FRAME,), {"tau2_ci": "x"}, r"tau2_ci must be one of qp, pl \(found 'x'\)"),
        ((FRAME,), {"labels": ["a"]}, r"labels must name each of the 13 effects \(found 1 names\)"),
    ],
)
def test_errors_name_parameter_value_and_what_is_allowed(given, more, words):
    with pytest.raises(ValueError, match=words):
        osteometa.pool(*given, **more)


MODS = BCG["meta_regression"]["ablat"]


@pytest.mark.parametrize("form", ["frame", "columns", "mapping", "series", "array"])
def test_a_regression_is_that_of_metafor(form):
    latitude = [row[1] for row in MODS["design_matrix"]]
    frame = FRAME.assign(ablat=latitude)
    given = {
        "frame": (BCG["yi"], BCG["vi"], frame[["ablat"]]),
        "columns": (frame, None, ["ablat"]),
        "mapping": (BCG["yi"], BCG["vi"], {"ablat": latitude}),
        "series": (BCG["yi"], BCG["vi"], frame["ablat"]),
        "array": (BCG["yi"], BCG["vi"], np.array(latitude)),
    }[form]
    found = osteometa.regress(*given, ci="hksj")
    table, wanted = found.to_frame(), MODS["fits"]["REML_knha"]
    assert table["name"].tolist() == ["intercept", "x1" if form == "array" else "ablat"]
    assert table["estimate"].tolist() == pytest.approx(wanted["beta"], rel=1e-6)
    assert table["p"].tolist() == pytest.approx(wanted["pval"], rel=1e-6)
    assert found.test.p == pytest.approx(wanted["QMp"], rel=1e-6)
    assert "<table" in found._repr_html_()


def test_a_factor_and_a_missing_value():
    kinds = pd.Series(["b", "a", "a", "b", None, "b", "a"], name="kind")
    y, v = [0.1, 0.5, 0.6, 0.2, 9.0, 0.3, 0.4], [0.1] * 7
    found = osteometa.regress(y, v, kinds)
    table = found.to_frame()
    assert table["name"].tolist() == ["intercept", "kind: b"] and found.k == 6
    assert table["estimate"].tolist() == pytest.approx([0.5, -0.3])


@pytest.mark.parametrize(
    ("mods", "words"),
    [
        (None, "mods must name or hold at least one moderator"),
        (["weeks"], r"mods: no column 'weeks' in the data frame"),
        ({"x": [1, 2]}, r"mods: 'x' must have one value for each of the 13 effects"),
        ({"x": [1] * 13}, "'x' has the same value for all effects"),
    ],
)
def test_errors_of_moderators(mods, words):
    with pytest.raises(ValueError, match=words):
        osteometa.regress(FRAME, None, mods)


GROUPS = pd.DataFrame(
    {"m1": [10, 11], "sd1": [2, 2], "n1": [20, 25], "m2": [9, 9], "sd2": [2, 3], "n2": [20, 25]},
    index=["one", "two"],
)


def test_effect_sizes_of_scalars_and_columns():
    columns = [GROUPS[name] for name in GROUPS]
    found = osteometa.smd(*columns)
    assert found.index.tolist() == ["one", "two"]
    for row, (_, numbers) in zip(found.to_numpy(), GROUPS.iterrows(), strict=True):
        assert osteometa.smd(*numbers).to_numpy()[0] == pytest.approx(row)
    j = math.exp(math.lgamma(19) - math.lgamma(18.5) - 0.5 * math.log(19))
    assert found["yi"].iloc[0] == pytest.approx(j * 0.5)
    assert osteometa.md(*columns)["vi"].iloc[0] == pytest.approx(0.4)
    assert osteometa.rom(*columns)["yi"].iloc[1] == pytest.approx(math.log(11 / 9))
    larger = osteometa.rom(*columns, corrected=True)["vi"] > osteometa.rom(*columns)["vi"]
    assert larger.all()
    assert osteometa.pool(found).k == 2


@pytest.mark.parametrize(
    ("name", "numbers", "words"),
    [
        ("smd", (1, 0, 9, 1, 1, 9), r"sd1 must be above 0 \(found 0, value 1\)"),
        ("smd", (1, 1, 9, 1, 1, 1), r"n2 must be at least 2 \(found 1, value 1\)"),
        ("md", (math.inf, 1, 9, 1, 1, 9), r"m1 must be a finite number \(found inf"),
        ("rom", (1, 1, 9, [1, -1], 1, 9), r"m2 must be above 0 \(found -1, value 2\)"),
        ("md", ([1, 2], 1, 9, [1, 1, 1], 1, 9), r"must be single numbers or of one length"),
    ],
)
def test_errors_of_effect_sizes(name, numbers, words):
    with pytest.raises(ValueError, match=words):
        getattr(osteometa, name)(*numbers)
    with pytest.raises(ValueError, match="variance must be one of LS, LS2, UB"):
        osteometa.smd(1, 1, 9, 1, 1, 9, variance="AV")


def test_both_libraries_agree():
    checks = osteometa.cross_check(FRAME, method="DL", ci="hksj")
    assert set(checks["library"]) == {"PyMARE", "statsmodels"}
    assert set(checks["verdict"]) == {"agrees"} and len(checks) == 10
    assert len(osteometa.cross_check(FRAME, method="SJ")) == 0


def test_a_forest_plot_in_three_lines():
    plot = osteometa.forest(FRAME, title="Vaccination", measure="ROM", favours=("Yes", "No"))
    assert plot._repr_svg_().startswith("<?xml")
    words = " ".join(text.get_text() for text in plot.figure.findobj(match=_is_text))
    for expected in ("Vaccination", "All studies", "k = 13", "Ratio", "Yes", FRAME["label"][0]):
        assert expected in words
    # Nobody gave numbers of participants.
    assert "Control" not in words


def _is_text(artist):
    return hasattr(artist, "get_text")


@pytest.mark.parametrize("k", [1, 2, 3])
def test_few_studies_are_drawn_too(k, tmp_path):
    plot = osteometa.pool(FRAME.iloc[:k]).forest(title="Few", width=89, style="jama")
    plot.save(tmp_path / "few.pdf")
    assert (tmp_path / "few.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("more", "words"),
    [({"measure": "OR"}, "measure must be"), ({"style": "x"}, "style must"),
     ({"width": 90}, "width must be one of 89, 183")],
)  # fmt: skip
def test_errors_of_forest_plots(more, words):
    with pytest.raises(ValueError, match=words):
        osteometa.forest(FRAME, **more)


def test_effects_of_a_review_are_pooled():
    effects = osteometa.derive(ROOT)
    measure = CONFIG.outcomes["BMD"].measures[0]
    chosen = effects[
        effects["pooled"] & (effects["measure"] == measure) & (effects["site"] == "lumbar_spine")
        & (effects["design_class"] == "controlled")
    ]  # fmt: skip
    assert len(chosen) > 3 and osteometa.pool(chosen).labels[0] == chosen["label"].iloc[0]


def test_a_review_with_errors_is_not_derived(tmp_path):
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    problems = osteometa.check_review(tmp_path)
    assert (problems["severity"] == "error").any() and problems["message"].str.len().min() > 10
    with pytest.raises(ValueError, match="missing"):
        osteometa.derive(tmp_path)
    fine = osteometa.check_review(TESTS / "reviews/small")
    assert list(fine.columns) == list(problems.columns)
