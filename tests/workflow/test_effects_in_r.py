"""All effects once more by an independent script in R, where R with metafor is installed."""

import re
import shutil
import subprocess
import sys

import pytest
from builders import ROOT


@pytest.fixture(scope="module")
def metafor():
    if not shutil.which("Rscript"):
        pytest.skip("Rscript is not installed")
    asked = ["Rscript", "-e", "suppressMessages(library(metafor))"]
    if subprocess.run(asked, capture_output=True).returncode:
        pytest.skip("R has no metafor")


@pytest.mark.parametrize(
    "review", [ROOT, ROOT / "tests/reviews/shared_control"], ids=["shipped", "shared"]
)
def test_every_effect_is_what_r_computes_from_the_raw_cells(review, metafor):
    command = [sys.executable, str(ROOT / "benchmarks/effects_in_r.py"), str(review)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    agree, of = map(int, re.search(r"(\d+) of (\d+) effects agree", done.stdout).groups())
    assert agree == of > 40
