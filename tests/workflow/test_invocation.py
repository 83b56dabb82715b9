"""Conventions of Snakemake: settings from its command line, and use as a module."""

import csv
import subprocess
import sys

import pytest
from builders import ROOT

CTX = "ctx_serum_training_controlled"
MODULE = f"""
from ruamel.yaml import YAML

settings = YAML(typ="safe").load(open("bone/config.yaml"))
settings["syntheses"] = [s for s in settings["syntheses"] if s["id"] == "{CTX}"]
settings["pooling"]["method"] = METHOD


module osteometa:
    snakefile:
        "{ROOT}/Snakefile"
    config:
        settings
    PREFIX


use rule * from osteometa as bone_*


import pandas  # which a run of its own leaves out


rule all:
    default_target: True
    input:
        rules.bone_all.input,
    output:
        "seen.txt",
    params:
        table=pandas.DataFrame({{"a": [1]}}),
    shell:
        "wc -c < bone/results/report.html > {{output}}"
"""


def snakemake(folder, *options):
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def review(folder, *options):
    return snakemake(ROOT, "--directory", str(folder), *options)


def method_of(folder):
    with (folder / f"results/{CTX}/pooled.csv").open(newline="") as lines:
        return next(csv.DictReader(lines))["method"]


def test_settings_of_the_command_line_extend_the_file_and_are_left_with_it(small):
    target = f"results/{CTX}/pooled.csv"
    more = small / "more.yaml"
    more.write_text("pooling:\n  method: DL\n")
    extended = ["--configfile", str(more)]
    extracted = []
    for options, method in [
        ([*extended, "--config", "pooling={method: PM}"], "PM"),
        (extended, "DL"),
        ([], "REML"),
    ]:
        done = review(small, target, *options)
        assert done.returncode == 0, done.stderr
        assert method_of(small) == method
        extracted.append("Check the tables" in done.stderr)
    # An estimator needs no new effects.
    assert extracted[:2] == [True, False]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--config", "pooling={metod: DL}", "sed=1"],
            ["--config\n", "pooling.metod: This key is not known.", "Did you mean 'seed'?"],
        ),
        (
            ["--configfile", "more.yaml"],
            ["more.yaml\n", "line 3, pooling.ci: Use 'wald'"],
        ),
        (
            ["--configfile", "twice.yaml"],
            ["twice.yaml\n", "line 2: The key occurs twice. Keep one of the two. (found: seed)"],
        ),
    ],
)
def test_problems_of_settings_name_what_gave_them(small, options, words):
    (small / "more.yaml").write_text("pooling:\n  method: DL\n  ci: none\n")
    (small / "twice.yaml").write_text("seed: 1\nseed: 2\n")
    options = [str(small / option) if option.endswith(".yaml") else option for option in options]
    done = review(small, *options)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert not (small / "results").exists()


def test_another_workflow_uses_this_one_as_a_module(small):
    folder = small.parent / "parent"
    folder.mkdir()
    small.rename(folder / "bone")
    text = MODULE.replace("METHOD", '"DL"').replace("PREFIX", 'prefix:\n        "bone"')
    (folder / "Snakefile").write_text(text)
    done = snakemake(folder)
    assert done.returncode == 0, done.stderr
    assert method_of(folder / "bone") == "DL"
    assert {path.name for path in folder.iterdir()} == {
        "Snakefile", "bone", ".snakemake", "seen.txt",
    }  # fmt: skip
    made = {path.name for path in (folder / "bone/results").iterdir()}
    assert {CTX, "report.html", "manifest.csv", ".records"} <= made
    again = snakemake(folder)
    assert again.returncode == 0
    assert again.stderr == ""


@pytest.mark.parametrize(
    ("method", "prefix", "words"),
    [
        ('"XX"', 'prefix:\n        "bone"', "config of the module\n  E105 pooling.method: Use"),
        ('"DL"', 'replace_prefix:\n        {"results/": "out/"}', "takes `prefix`, not"),
    ],
)
def test_what_a_module_cannot_use_is_stated_in_a_sentence(small, method, prefix, words):
    folder = small.parent / "parent"
    folder.mkdir()
    small.rename(folder / "bone")
    (folder / "Snakefile").write_text(MODULE.replace("METHOD", method).replace("PREFIX", prefix))
    done = snakemake(folder)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
