"""`osteometa new`: what it writes is a valid review, and nothing is half written."""

import csv
import io
import os
import sys

import pytest
from builders import P1NP_REVIEW, ROOT, append, output_of
from osteometa.cli.new import NAMES
from osteometa.extraction.tables import ROWS
from osteometa.extraction.units import QUANTITIES, units_of
from osteometa.protocol.config import load_config

MORE = (
    *P1NP_REVIEW,
    "--outcome", "BMD", "areal_density", "g/cm2", "areal", "lumbar spine", "femoral_neck",
    "--outcome", "Balance: score", "other", "left,right",
    "--exercise", "resistance", "--exercise", "combined", "--subgroup", "weeks=26,52",
    "--subgroup", "sex",
)  # fmt: skip


def everything_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_new_review_is_short_complete_and_without_problems(tmp_path, capsys):
    folder = tmp_path / "a folder" / "review"
    assert output_of(capsys, "new", folder, *P1NP_REVIEW)[0] == 0
    assert {path.name for path in folder.iterdir()} == set(NAMES)
    tables = {f"data/raw/{model.table}.csv" for model in ROWS}
    assert everything_in(folder) == {
        "config.yaml", "README.md", ".gitignore", "tables.xlsx", *tables,
    }  # fmt: skip
    umask = os.umask(0o22)
    os.umask(umask)
    assert folder.stat().st_mode & 0o777 == 0o777 & ~umask
    assert len((folder / "config.yaml").read_text(encoding="utf-8").splitlines()) <= 25
    status, out, _ = output_of(capsys, "check", folder)
    assert (status, out) == (0, "0 problems, 0 warnings.\n")
    assert set((folder / ".gitignore").read_text().split("\n")) >= {"/results/", "/data/processed/"}
    for model in ROWS:
        with (folder / f"data/raw/{model.table}.csv").open(encoding="utf-8", newline="") as lines:
            assert list(csv.reader(lines)) == [list(model.columns())]


def test_what_is_given_is_in_the_config_and_nothing_else_differs_from_the_defaults(
    tmp_path, capsys
):
    assert output_of(capsys, "new", tmp_path / "review", *MORE)[0] == 0
    config = load_config(tmp_path / "review/config.yaml")
    assert config.title == "Exercise and P1NP"
    assert config.outcomes["BMD"].sites == ("lumbar_spine", "femoral_neck")
    assert config.outcomes["BMD"].measures[0] == "ROM" and config.outcomes["BMD"].r == 0.95
    assert config.outcomes["P1NP"].units == {"ug/L": None}
    assert config.outcomes["Balance_score"].label == "Balance: score"
    assert set(config.outcomes["Balance_score"].analytes) == {
        "balance_score_left", "balance_score_right",
    }  # fmt: skip
    assert set(config.modalities.values()) == {"resistance", "combined"}
    assert config.subgroups.by == {"weeks": (26, 52), "sex": ()}
    assert [synthesis.id for synthesis in config.syntheses] == [
        "p1np_serum_training_controlled", "bmd_areal_lumbar_spine_training_controlled",
        "bmd_areal_femoral_neck_training_controlled",
        "balance_score_left_training_controlled", "balance_score_right_training_controlled",
    ]  # fmt: skip
    readme = (tmp_path / "review/README.md").read_text(encoding="utf-8")
    assert "| BMD, areal | BMD | bmd_areal | lumbar_spine, femoral_neck | g/cm2 |" in readme
    assert "- resistance: resistance, resistance_impact\n- combined: " in readme
    assert "| One row per group of a study. | study_id, arm_id, label, role, phase |" in readme
    assert len(readme.splitlines()) < 60 and "type_reason" not in readme


def test_the_readme_names_every_modality_that_a_review_of_all_types_takes(tmp_path, capsys):
    assert output_of(capsys, "new", tmp_path, *P1NP_REVIEW)[0] == 0
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    named = {name for line in readme.splitlines() if line.startswith("- ")
             for name in line.rpartition(": ")[2].split(", ")}  # fmt: skip
    assert named == set(load_config(tmp_path / "config.yaml").modalities)


def test_single_bouts_and_changes_within_arms_are_planned_where_asked_for(tmp_path, capsys):
    options = ("--compare", "acute_within_arm", "--compare", "training_within_arm")
    assert output_of(capsys, "new", tmp_path / "review", *P1NP_REVIEW, *options)[0] == 0
    assert output_of(capsys, "check", tmp_path / "review")[0] == 0
    config = load_config(tmp_path / "review/config.yaml")
    acute = [(one.phase, one.design_class, one.window) for one in config.syntheses]
    assert acute == [
        *(("acute", "within_arm", window) for window in config.windows),
        ("training", "within_arm", ""),
    ]
    assert config.syntheses[0].id == "p1np_serum_acute_immediate_within_arm"


@pytest.mark.parametrize(("analytes", "raised"), [("urine", False), ("serum,urine", True)])
def test_a_loss_of_plasma_volume_raises_no_value_in_urine(tmp_path, capsys, analytes, raised):
    outcome = ["--outcome", "NTX", "collagen_equivalents", "nM BCE", analytes]
    assert output_of(capsys, "new", tmp_path, "--title", "NTX", *outcome)[0] == 0
    outcomes = load_config(tmp_path / "config.yaml").outcomes
    assert outcomes["NTX"].haemoconcentration is raised


def test_nothing_that_is_evidence_is_written(tmp_path, capsys):
    """No baseline, smallest effect or range of plausible means may come from a program."""
    assert output_of(capsys, "new", tmp_path / "review", *MORE)[0] == 0
    for outcome in load_config(tmp_path / "review/config.yaml").outcomes.values():
        assert outcome.smallest_effect == {} and not any(outcome.units.values())
        assert outcome.plausible.sd_of_change == 0 and outcome.plausible.largest_change is None
        assert not any(analyte.baseline_mean for analyte in outcome.analytes.values())


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.slow
def test_every_kind_of_quantity_makes_a_valid_review(tmp_path, capsys, quantity):
    outcome = ["Total", quantity, *units_of(quantity)[:1], "no"]
    status, _, err = output_of(
        capsys, "new", tmp_path / "review", "--title", "1: #", "--outcome", *outcome
    )
    assert (status, err) == (0, "")
    config = load_config(tmp_path / "review/config.yaml")
    assert (config.title, config.outcomes["Total"].analytes["total_no"].label) == ("1: #", "no")


def test_a_mean_in_a_unit_without_a_range_is_no_warning(tmp_path, capsys):
    assert output_of(capsys, "new", tmp_path, *P1NP_REVIEW)[0] == 0
    append(tmp_path, "studies",
           {"study_id": "a", "label": "A", "design": "uncontrolled", "include": "yes"})  # fmt: skip
    append(tmp_path, "arms",
           {"study_id": "a", "arm_id": "e", "label": "e", "role": "exercise", "modality": "yoga",
            "phase": "training", "comparator_kind": "none", "weeks": 8})  # fmt: skip
    append(tmp_path, "measurements",
           {"study_id": "a", "arm_id": "e", "outcome": "P1NP", "analyte": "p1np_serum", "n": 9,
            "timepoint": "baseline", "kind": "level", "mean": 9e3, "unit": "ug/L",
            "source": "Table 1"})  # fmt: skip
    assert "W12" not in output_of(capsys, "check", tmp_path)[1]
    config = tmp_path / "config.yaml"
    config.write_text(config.read_text().replace("units: {ug/L: }", "units: {ug/L: [5, 300]}"))
    assert "W12" in output_of(capsys, "check", tmp_path)[1]


@pytest.mark.parametrize("name", ["config.yaml", "data/raw/studies.csv", "README.md"])
def test_a_folder_that_has_a_review_is_left_alone(tmp_path, capsys, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    status, _, err = output_of(capsys, "new", tmp_path, *P1NP_REVIEW)
    there = tmp_path / name.split("/")[0]
    assert status == 1 and f"{there} exists already. Give another folder." in err
    assert everything_in(tmp_path) == {name}
    assert (tmp_path / name).read_text() == "mine"


def test_a_file_of_the_name_is_left_alone(tmp_path, capsys):
    (tmp_path / "review").write_text("mine")
    for folder in (tmp_path / "review", tmp_path / "review/inside"):
        status, _, err = output_of(capsys, "new", folder, *P1NP_REVIEW)
        assert status == 1 and f"{tmp_path / 'review'} is a file. Give another folder." in err
    assert (tmp_path / "review").read_text() == "mine"


def test_what_was_understood_of_an_outcome_is_printed(tmp_path, capsys):
    outcomes = ["--outcome", "stay", "other", "days", "total", *P1NP_REVIEW[2:]]
    out = output_of(capsys, "new", tmp_path, "--title", "t", *outcomes)[1]
    assert out.startswith(
        "stay: kind other, no unit, analyte stay_days (days), site total\n"
        "P1NP: kind concentration, unit ug/L, analyte p1np_serum (serum), no site\n"
    )


def test_a_bound_keeps_its_digits(tmp_path, capsys):
    options = (*P1NP_REVIEW, "--subgroup", "weeks=12.1234567,26")
    assert output_of(capsys, "new", tmp_path, *options)[0] == 0
    assert load_config(tmp_path / "config.yaml").subgroups.by == {"weeks": (12.1234567, 26)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "give --title and --outcome"),
        (["--title", "t", "--outcome", "P1NP", "concentrate", "ug/L", "serum"],
         "Did you mean 'concentration'?"),
        (["--title", "t", "--outcome", "P1NP", "concentration", "ug/l", "serum"],
         "Did you mean 'ug/L'?"),
        (["--title", "t", "--outcome", "stay", "time", "day", "hospital"],
         "Use one of: s, min; or the kind other, which has no unit."),
        (["--title", "t", "--outcome", "P1NP", "concentration", "ug/L"], "exactly is measured"),
        (["--title", "t", "--outcome", "--"], "expected at least one argument"),
        (["--title", "t", "--outcome", "!", "other", "total"], "no name of an outcome"),
        (["--title", "t", "--outcome", "1", "other", "total"], "Begin with a letter"),
        (["--title", "t", "--outcome", "null", "other", "total"], "'null' is no name"),
        (["--title", "t", "--outcome", "BMD", "other", "total", "hip", "2.5"], "'2.5' is no name"),
        (["--title", "t", "--outcome", "P1NP", "other", "serum,Serum"], "named twice"),
        ([*P1NP_REVIEW, "--title", " "], "The title must be one line"),
        ([*P1NP_REVIEW, "--title", "a\nb"], "The title must be one line"),
        ([*P1NP_REVIEW, "--subgroup", "weeks"], "write weeks=26,52"),
        ([*P1NP_REVIEW, "--subgroup", "gender"], "forms no subgroups"),
        ([*P1NP_REVIEW, "--subgroup", "weeks=52,26"], "must ascend"),
        ([*P1NP_REVIEW, *P1NP_REVIEW[2:]], "The key occurs twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_review_is_refused_in_a_sentence(
    tmp_path, capsys, monkeypatch, options, words
):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    status, _, err = output_of(capsys, "new", tmp_path / "review", *options)
    assert status == 2 and words in err
    assert list(tmp_path.iterdir()) == []


def answered(monkeypatch, answers):
    """Answer the questions of a terminal."""
    asked, left = [], iter(answers)

    def answer(question):
        asked.append(question)
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    return asked


def test_in_a_terminal_what_is_missing_is_asked(tmp_path, capsys, monkeypatch):
    asked = answered(monkeypatch, [
        "", "Exercise and P1NP", "P1NP", "conc", "concentration", "ng", "ug/L", "", "serum", "",
        "Balance", "other", "total", "", "", "walking", "aerobic", "acute",
        "training_controlled, acute_controlled", "gender", "weeks=26,52 sex",
    ])  # fmt: skip
    status, out, _ = output_of(capsys, "new", tmp_path / "review")
    assert status == 0 and "An answer is needed." in out and "no exercise type" in out
    assert any("Unit: ng/mL, ug/L" in question for question in asked)
    config = load_config(tmp_path / "review/config.yaml")
    assert list(config.outcomes) == ["P1NP", "Balance"]
    assert set(config.modalities.values()) == {"aerobic"}
    assert {one.phase for one in config.syntheses} == {"training", "acute"}
    assert config.subgroups.by == {"weeks": (26, 52), "sex": ()}


def test_a_folder_with_other_files_keeps_them(tmp_path, capsys):
    (tmp_path / "protocol.pdf").write_text("mine")
    assert output_of(capsys, "new", tmp_path, *P1NP_REVIEW)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "protocol.pdf", "config.yaml", "README.md", ".gitignore", "data", "tables.xlsx",
    }  # fmt: skip


def test_an_end_of_the_answers_writes_nothing(tmp_path, capsys, monkeypatch):
    answered(monkeypatch, ["Exercise and P1NP", "P1NP"])
    status, _, err = output_of(capsys, "new", tmp_path / "review")
    assert status == 2 and "Nothing was written." in err
    assert list(tmp_path.iterdir()) == []


def test_what_a_review_leaves_out_is_as_in_the_shipped_config(tmp_path):
    """One source of defaults: their reasons are in config.yaml."""
    shipped = load_config(ROOT / "config.yaml")
    least = load_config(given={"title": "t", "outcomes": {}, "syntheses": []})
    own = {"title": "t", "outcomes": {}, "syntheses": (), "secondary_outcomes": ()}
    subgroups = shipped.subgroups.model_copy(update={"by": {}})
    assert least == shipped.model_copy(update=own | {"subgroups": subgroups})
