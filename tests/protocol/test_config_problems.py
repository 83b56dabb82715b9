"""What is wrong in config.yaml, as a reviewer reads it."""

import shutil

import pytest
from builders import ROOT
from osteometa.io.problems import ProblemsFound
from osteometa.protocol.config import load_config


def problems_of(folder, old, new):
    path = shutil.copy(ROOT / "config.yaml", folder)
    text = (folder / "config.yaml").read_text(encoding="utf-8")
    assert old in text
    (folder / "config.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProblemsFound) as found:
        load_config(path)
    return found.value.problems


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        ("\ntitle:", "\nsites: [femur]\ntitle:", "sites", "now called 'outcomes.NAME.sites'"),
        ("    ratio_as: percent", "    ratio_as: percent\n    baseline_mean: {femur: 1}",
         "outcomes.BMD.baseline_mean", "now called 'analytes.NAME.baseline_mean'"),
        ("quantity: areal_density", "quantity: areal", "outcomes.BMD.analytes.bmd_areal.quantity",
         "'areal_density'"),
        ("units: {g/cm2:", "units: {g/cm:", "outcomes.BMD.units.g/cm", "Did you mean 'g/cm2'"),
        ("{lumbar_spine: 0.92", "{lumbar: 0.92",
         "outcomes.BMD.analytes.bmd_areal.baseline_mean.lumbar", "This site is not known"),
        ("  cap: 10000", "  cap: many", "multiverse.cap", "must be a whole number"),
        ("agreement_share: 0.7", "agreement_share: 0.2", "directions.agreement_share",
         "must be above 0.5"),
        ("overall_diamond: true", "overall_diamond: perhaps", "subgroups.overall_diamond",
         "must be true or false"),
        ("    sex: []", "    gender: []", "subgroups.by.gender",
         "This column is not known"),
        ("    sex: []", "    sex: [1, 2]", "subgroups.by.sex", "write [] for it"),
        ("    weeks: [26, 52]", "    weeks: []", "subgroups.by.weeks", "the bounds between"),
        ("    weeks: [26, 52]", "    weeks: [52, 26]", "subgroups.by", "must ascend"),
        ("late: .inf", "late: 48", "windows", "the last must be .inf"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_line_and_the_remedy(tmp_path, old, new, column, words):
    problems = problems_of(tmp_path, old, new)
    (problem,) = [problem for problem in problems if problem.column == column]
    assert words in problem.message and problem.message.endswith(".")
    assert problem.row is not None and "Input should" not in problem.message
