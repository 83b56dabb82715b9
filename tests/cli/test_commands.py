"""The commands as users type them."""

import json
import re
import shutil

import pytest
from builders import BCG, ORACLE, ROOT, effects_csv, output_of

NAMES = {
    "estimate", "se", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "tau2_ci_low",
    "tau2_ci_high", "i2", "h2", "q", "q_df", "q_p", "k",
}  # fmt: skip


@pytest.mark.parametrize("method", ["REML", "DL", "EE"])
@pytest.mark.parametrize(("ci", "key"), [("wald", "z"), ("hksj", "knha"), ("hksj-floor", "adhoc")])
def test_pool_prints_metafors_numbers(tmp_path, capsys, method, ci, key):
    path = effects_csv(tmp_path, BCG)
    status, out, err = output_of(capsys, "pool", path, "--method", method, "--ci", ci, "--json")
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert set(result) == {"overall", "groups"}
    assert set(result["groups"]) == {"a", "b"}
    overall = result["overall"]
    assert set(overall) >= NAMES
    theirs = ORACLE["bcg_RR"]["estimators"][method]
    assert overall["estimate"] == pytest.approx(theirs["estimate"], rel=1e-6)
    assert overall["tau2"] == pytest.approx(theirs["tau2"], rel=1e-6)
    limits = [overall["ci_low"], overall["ci_high"]]
    assert limits == pytest.approx(theirs[key]["ci"], rel=1e-6)
    assert overall["k"] == 13
    assert result["groups"]["a"]["k"] == 6


@pytest.mark.parametrize("rows", [["one,0.5,0.1,a"], ["one,0,0.1,", "two,0,0.1,"]])
def test_pool_prints_null_and_never_nan(tmp_path, capsys, rows):
    status, out, _ = output_of(capsys, "pool", effects_csv(tmp_path, rows), "--json")
    assert status == 0
    assert not re.search(r"NaN|Infinity", out)
    overall = json.loads(out)["overall"]
    assert overall["k"] == len(rows)
    if len(rows) == 1:
        assert overall["tau2"] is None
        assert (overall["status"], overall["q"]) == ("listed", None)


def test_pool_reads_a_european_table_and_prints_words(tmp_path, capsys):
    path = effects_csv(tmp_path, ["Ä;0,3;0,04", "B;0,9;0,06"], "study;yi;vi")
    status, out, _ = output_of(capsys, "pool", path, "--ci", "hksj")
    assert status == 0
    assert "0.5833" in out and "k = 2" in out


def test_pool_says_that_a_study_stands_in_two_rows(tmp_path, capsys):
    status, out, err = output_of(
        capsys, "pool", effects_csv(tmp_path, ["a,1,1,", "a,2,1,"]), "--json"
    )
    assert status == 0 and json.loads(out)["overall"]["k"] == 2
    assert "more than one row of a" in err


def test_pool_prints_no_prediction_interval_where_tau2_is_estimated_0(tmp_path, capsys):
    alike = effects_csv(tmp_path, ["a,1,1,", "b,1.1,1,", "c,0.9,1,"])
    assert "prediction" not in output_of(capsys, "pool", alike)[1]
    assert "prediction" in output_of(capsys, "pool", effects_csv(tmp_path, BCG))[1]


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        ("study,yi,vi", [], "has a header but no study to pool (k = 0)"),
        ("study,effect,vi", ["a,1,1"], "no column yi"),
        ("study,yi,vi", ["a,1,0"], "row 2, study a, column vi: 0 must be above 0"),
        ("study,yi,vi", ["a,1,1", "b,high,1"], "row 3, study b, column yi: 'high' is not a number"),
        ("study,yi,vi", ["a,nan,1"], "row 2, study a, column yi: the number is missing"),
        ("study,yi,vi", ["a,1,-1", "b,,1"], "row 3, study b, column yi: the number is missing"),
        ("study,yi,vi", ["a,0,3,0,04"], "row 2: The row has 5 cells, the header 3"),
        ("study,yi,vi", ["a,1"], "row 2: The row has 2 cells, the header 3"),
        ("study,yi,vi,yi", ["a,1,1,2"], "two columns yi"),
        ("study,yi,vi", ['"a,1,1'], "cannot be read as CSV"),
    ],
)
def test_pool_says_what_is_wrong_with_a_table(tmp_path, capsys, header, rows, words):
    status, out, err = output_of(capsys, "pool", effects_csv(tmp_path, rows, header), "--json")
    assert (status, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_pool_says_what_is_wrong_with_a_file(tmp_path, capsys):
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\xff\xfe")
    for path, words in (
        (tmp_path / "absent.csv", "does not exist"),
        (empty, "is empty"),
        (picture, "not UTF-8"),
        (tmp_path, "cannot be opened"),
    ):
        status, out, err = output_of(capsys, "pool", path)
        assert (status, out) == (2, "")
        assert words in err
        assert len(err.strip().splitlines()) == 1


def test_an_unknown_method_is_wrong_use(tmp_path, capsys):
    status, _, err = output_of(capsys, "pool", effects_csv(tmp_path, BCG), "--method", "XX")
    assert status == 2
    assert "REML" in err


@pytest.mark.parametrize("command", [(), ("check",), ("explain",), ("pool",)])
def test_help_says_what_it_is_for(capsys, command):
    status, out, _ = output_of(capsys, *command, "--help")
    assert status == 0
    assert len(out.split()) > 40
    assert "Traceback" not in out


def test_explain_begins_with_a_sentence_and_ends_at_the_cells(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    status, out, _ = output_of(capsys, "explain", "nelson_1994", "--all")
    assert status == 0
    assert out.startswith("Nelson 1994 (nelson_1994) is pooled in bmd_femoral_neck_training_contr")
    for words in ("CHG", "PPC", "ADJ", "mean 0.9, sd 4.5, n 20; abstract", "weight 6."):
        assert words in out


@pytest.mark.slow
def test_explain_of_a_study_with_several_comparisons_has_a_line_for_each_effect(
    capsys, monkeypatch
):
    monkeypatch.chdir(ROOT)
    _, out, _ = output_of(capsys, "explain", "nelson_1994")
    first, *rest = out.splitlines()
    assert first.startswith(
        "Nelson 1994 (nelson_1994) is pooled in bmd_femoral_neck_training_contr"
    )
    assert rest[:2] == ["", "BMD"] and len(out.splitlines()) == 11
    shown = [line.split(":")[0].strip() for line in rest if line.startswith("  ")]
    whole = output_of(capsys, "explain", "nelson_1994", "--all")[1]
    assert shown == re.findall(r"effect (nelson\S+):", whole) and len(shown) == 6


@pytest.mark.parametrize("name", [
    "nelson_1994", "karaarslan_2010", "bmd_lumbar_spine_training_controlled",
    "nelson_1994.strength.bmd.bmd_areal.femoral_neck.12_months.rom",
])  # fmt: skip
@pytest.mark.slow
def test_explain_gives_its_facts_as_json(name, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    status, out, _ = output_of(capsys, "explain", name, "--json")
    record = json.loads(out)
    text = output_of(capsys, "explain", name, "--all")[1]
    assert status == 0
    if "synthesis" in record:
        assert record["pool"]["k"] == 12 and text.startswith(f"{name} is {record['status']}")
        studies = {one["label"] for one in record["effects"] if one["pooled"]}
        assert len(studies) == 12 and all(f"  {label}: " in text for label in studies)
        return
    assert text.startswith(record["sentence"] + "\n")
    methods = [m for c in record["comparisons"] for one in c["measures"] for m in one["methods"]]
    for method in methods:
        if method["used"]:
            assert all(f"      {line}\n" in text for line in method["formula"])
            assert all(f"{c['table']}.csv row {c['row']} " in text for c in method["cells"])
        else:
            assert method["lacks"] in text
    assert len(methods) == text.count(") not used: ") + text.count(") used, ")


def test_explain_refuses_json_of_a_figure_row(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    name = "bmd_lumbar_spine_training_controlled"
    status, _, err = output_of(capsys, "explain", name, "forest", "Nelson 1994", "--json")
    assert status == 2 and "--json takes a study" in err


def test_explain_of_an_unknown_name_suggests_one(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    status, _, err = output_of(capsys, "explain", "nelson_1949")
    assert status == 2
    assert "nelson_1994" in err


@pytest.mark.slow
def test_explain_of_a_figure_row_leads_to_its_effect(capsys, tmp_path):
    shutil.copytree(ROOT / "data/raw", tmp_path / "data/raw")
    shutil.copy(ROOT / "config.yaml", tmp_path)
    name, effect = "bmd_lumbar_spine_training_controlled", "nelson_1994.strength.bmd.bmd_areal"
    effect += ".lumbar_spine.12_months.rom"
    words = ("explain", "--directory", tmp_path, name, "forest")
    assert output_of(capsys, *words, "Nelson 1994")[0] == 2
    figures = tmp_path / "results" / name / "figures"
    figures.mkdir(parents=True)
    rows = ["kind,label,effect_id", "heading,Resistance,", f"study,Nelson 1994,{effect}"]
    (figures / "forest.csv").write_text("\n".join(rows) + "\n")
    for row in ("Nelson 1994", "nelson_1994", effect):
        status, out, _ = output_of(capsys, *words, row)
        assert status == 0 and f"effect {effect}: yi = 0.0281142" in out
    status, _, err = output_of(capsys, *words)
    assert status == 2 and "Nelson 1994" in err and "Resistance" not in err
    two = [f"study,Nelson 1994: {measure},{effect[:-3]}{measure}" for measure in ("rom", "md")]
    (figures / "forest.csv").write_text("\n".join([rows[0], *two]) + "\n")
    for row in ("Nelson 1994", "nelson_1994"):
        status, out, _ = output_of(capsys, *words, row)
        assert status == 0 and "Nelson 1994: rom" in out and "Nelson 1994: md" in out
        assert out.count("Nelson 1994 (nelson_1994) is ") == 1
    (figures / "forest.csv").write_text("\n".join(rows) + "\n")
    assert "Did you mean 'Nelson 1994'" in output_of(capsys, *words, "Nelson 1949")[2]


def test_commands_outside_a_review_say_so(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for words in (("check",), ("explain", "nelson_1994")):
        status, _, err = output_of(capsys, *words)
        assert status == 2
        assert "Traceback" not in err
