"""The solver stands alone: it imports nothing of tables, config or drawing."""

import subprocess
import sys

import pytest

LOADED = "import {name}, sys; print(*sys.modules)"


def loaded_by(name):
    command = [sys.executable, "-c", LOADED.format(name=name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("osteometa.numerics.distributions", {"numerics"}),
        ("osteometa.numerics.range", {"numerics"}),
        ("osteometa.pooling", {"numerics", "pooling", "wording"}),
        ("osteometa.pooling.design", {"numerics", "pooling", "wording"}),
        ("osteometa.pooling.groups", {"numerics", "pooling", "wording"}),
    ],
)
def test_numerics_and_pooling_import_nothing_of_a_review(name, packages):
    loaded = loaded_by(name)
    ours = [module.split(".") for module in loaded if module.startswith("osteometa.")]
    assert {parts[1] for parts in ours} == packages
    assert {parts[2] for parts in ours if parts[1] == "wording" and len(parts) > 2} <= {"choices"}
    others = {"pydantic", "pandas", "matplotlib", "ruamel"}
    assert not others & {module.split(".")[0] for module in loaded}


NUMBERS = (
    "bayes", "influence", "meta_regression", "multilevel", "nested", "permutation",
    "selection_model", "small_study", "trim_fill", "wild_bootstrap",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", NUMBERS)
def test_analyses_of_numbers_know_no_config(name):
    loaded = loaded_by(f"osteometa.sensitivity.{name}")
    packages = {module.split(".")[1] for module in loaded if module.startswith("osteometa.")}
    assert packages <= {"numerics", "io", "pooling", "wording", "records", "sensitivity"}
    assert "pydantic" not in loaded
