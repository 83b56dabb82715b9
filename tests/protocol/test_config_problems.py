"""What is wrong in config.yaml, as a reviewer reads it."""

import math
import shutil
from copy import deepcopy
from functools import reduce
from operator import getitem

import pytest
from builders import ROOT
from osteometa.io.problems import ProblemsFound
from osteometa.protocol.config import load_config
from osteometa.protocol.sources import read_settings


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
@pytest.mark.slow
def test_a_wrong_value_is_named_with_its_line_and_the_remedy(tmp_path, old, new, column, words):
    problems = problems_of(tmp_path, old, new)
    (problem,) = [problem for problem in problems if problem.column == column]
    assert words in problem.message and problem.message.endswith(".")
    assert problem.row is not None and "Input should" not in problem.message


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        ("lumbar_spine: 0.92", "lumbar_spine: .inf",
         "outcomes.BMD.analytes.bmd_areal.baseline_mean.lumbar_spine", "a number with an end"),
        ("lumbar_spine: 0.92", "lumbar_spine: true",
         "outcomes.BMD.analytes.bmd_areal.baseline_mean.lumbar_spine", "must be a number"),
        ("lumbar_spine: 0.92", "lumbar_spine: 1e300",
         "outcomes.BMD.analytes.bmd_areal.baseline_mean.lumbar_spine", "at most 1000000000"),
        ("  rho: 0.5", "  rho: .nan", "derivation.rho", "a number with an end"),
        ("seed: 20120229", "seed: true", "seed", "a whole number"),
        ("seed: 20120229", "seed: 99999999999", "seed", "at most 1000000000"),
        ("schema_version: 1", "schema_version: true", "schema_version", "a whole number"),
        ("units: {g/cm2: [0.3, 2]", "units: {g/cm2: [2, 0.3]", "outcomes.BMD.units.g/cm2",
         "must be the smaller"),
        ("id: opg_training_controlled", f"id: {'o' * 300}", "syntheses.0.id",
         "at most 100 characters"),
        ("title: Exercise,", 'title: "\\u202eExercise" #', "title",
         "U+202E (right-to-left override)"),
        ("label: serum,", 'label: "se\\0rum",', "outcomes.OPG.analytes.opg_serum.label", "U+0000"),
        ("title: Exercise,", "title: #", "title", "must be text"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_a_value_that_no_job_can_use_is_refused(tmp_path, old, new, column, words):
    (problem,) = [p for p in problems_of(tmp_path, old, new) if p.column == column]
    assert words in problem.message and problem.row is not None


ODD = (None, True, "x", "", -1, 0.5, 1e300, math.inf, math.nan, 10**400, [], {}, [[]], {"X y": 1},
       "\u202e", "y" * 400)  # fmt: skip


def places_in(value, at=()):
    inner = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else inner:
        yield (*at, key)
        yield from places_in(item, (*at, key))


def test_every_key_with_odd_values_is_read_or_refused_in_a_sentence():
    """Pydantic's own words are for developers; none may reach a reviewer."""
    settings, _ = read_settings([ROOT / "config.yaml"], {})
    for name in ("RANKL", "CTX"):
        del settings["outcomes"][name]
    settings["modalities"] = {"running": "aerobic"}
    settings["syntheses"] = settings["syntheses"][:1]
    tried = refused = 0
    for number, place in enumerate(places_in(settings)):
        for odd in [ODD[(3 * number + i) % len(ODD)] for i in range(3)]:
            changed = deepcopy(settings)
            *above, key = place
            node = reduce(getitem, above, changed)
            node[key] = odd
            tried += 1
            try:
                load_config(given=changed)
            except ProblemsFound as found:
                refused += 1
                for problem in found.problems:
                    words = ("Input", "should", "valid ", "parse", "String", "Value error")
                    assert not any(word in problem.message for word in words), problem
                    assert problem.message.endswith(".")
    assert tried > 300 and refused > 0.8 * tried
