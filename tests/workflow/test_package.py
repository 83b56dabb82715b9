"""The package by itself: its wheel, installed with what it requires and no checkout."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import osteometa
import pytest
from builders import P1NP_REVIEW, ROOT, enter_a_trial

UV = [sys.executable, "-m", "uv"]
EFFECTS = "study,yi,vi\nAdams,0.10,0.04\nBaker,0.35,0.09\nClark,0.22,0.02\nDavis,0.48,0.06\n"
EXTRAS = {"snakemake", "pygments", "pytest", "hypothesis", "ruff", "basedpyright", "sphinx", "uv"}


def run(*command, cwd, **settings):
    """The output of a command that must succeed."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False,
        **settings,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(folder):
    """The wheel, built by the locked build tools from a copy of the sources."""
    sources = folder / "sources"
    sources.mkdir()
    for name in (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "Snakefile",
        "CITATION.cff",
        "requirements.txt",
    ):
        shutil.copy(ROOT / name, sources / name)
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("workflow", "profiles"):
        shutil.copytree(ROOT / name, sources / name, ignore=ignore)
    run(
        *UV, "build", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable,
        "--out-dir", folder / "wheel", sources, cwd=folder,
    )  # fmt: skip
    (wheel,) = (folder / "wheel").glob("*.whl")
    return wheel


def installed(folder, wheel, extra=""):
    """The commands of a new environment: the wheel and its locked requirements, hashes compared."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    wanted = folder / "wanted.txt"
    wanted.write_text(f"osteometa{extra} @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    run(*UV, "venv", "--quiet", "--python", sys.executable, folder / "env", cwd=folder)
    install = [
        *UV, "pip", "install", "--quiet", "--python", folder / "env", "--require-hashes",
        "--constraint", ROOT / "requirements.txt", "-r", wanted,
    ]  # fmt: skip
    # `make` has filled the cache; only where it was cleared since is a network needed.
    offline = [str(part) for part in [*install, "--offline"]]
    if subprocess.run(offline, cwd=folder, capture_output=True, check=False).returncode:
        run(*install, cwd=folder)
    return folder / "env/bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An environment with what the package itself requires."""
    return installed(tmp_path_factory.mktemp("bare"), wheel)


@pytest.fixture
def elsewhere(tmp_path):
    """A folder that has nothing of the project, and no setting that points to it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {"cwd": tmp_path, "env": kept | {"MPLCONFIGDIR": str(tmp_path)}}


def test_the_installed_command_pools_a_file_of_effects(environment, elsewhere):
    (elsewhere["cwd"] / "effects.csv").write_text(EFFECTS)
    pooled = run(environment / "osteometa", "pool", "effects.csv", "--method", "DL", **elsewhere)
    here = Path(sys.executable).parent / "osteometa"
    assert pooled == run(here, "pool", "effects.csv", "--method", "DL", **elsewhere)
    assert "k = 4  0.247" in pooled


def test_every_module_imports_with_the_run_time_requirements(environment, elsewhere):
    script = """
import importlib, pathlib, pkgutil, sys, osteometa, pymare, statsmodels
home = pathlib.Path(osteometa.__file__).parent
assert home.is_relative_to(sys.prefix) and (home / "py.typed").exists()
for module in pkgutil.walk_packages(osteometa.__path__, "osteometa."):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:  # of the extra `exchange`, which its commands ask for
            assert module.name.startswith("osteometa.exchange.") and error.name == "openpyxl"
print(osteometa.__version__)
"""
    version = run(environment / "python", "-c", script, **elsewhere)
    assert version.strip() == osteometa.__version__


def test_every_package_is_in_the_wheel():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = (ROOT / "workflow/osteometa").rglob("__init__.py")
    names = {".".join(path.parent.relative_to(ROOT / "workflow").parts) for path in folders}
    assert set(listed) == names | {"osteometa.workflow"}


def test_nothing_of_the_extras_is_required(environment, elsewhere):
    listed = run(
        *UV, "pip", "list", "--format", "json", "--python", environment / "python", **elsewhere
    )
    names = {package["name"] for package in json.loads(listed)}
    assert "osteometa" in names
    assert not names & EXTRAS


def test_without_the_extra_a_run_names_what_to_install(environment, elsewhere):
    folder = new_review(environment, elsewhere)
    done = subprocess.run(
        [environment / "osteometa", "run", folder], capture_output=True, text=True, check=False,
        **elsewhere,
    )  # fmt: skip
    assert done.returncode == 2
    assert "with its extra: [workflow]" in done.stderr


def new_review(commands, elsewhere):
    """A review made and checked by the installed commands."""
    folder = elsewhere["cwd"] / "a review"
    run(commands / "osteometa", "new", folder, *P1NP_REVIEW, **elsewhere)
    assert "0 problems" in run(commands / "osteometa", "check", folder, **elsewhere)
    return folder


@pytest.mark.slow
def test_a_new_review_runs_without_a_checkout(wheel, elsewhere, tmp_path_factory):
    """The workflow is in the wheel; nothing of it is read from the checkout."""
    commands = installed(tmp_path_factory.mktemp("whole"), wheel, "[workflow]")
    folder = new_review(commands, elsewhere)
    enter_a_trial(folder)
    run(commands / "osteometa", "run", folder, **elsewhere)
    report = (folder / "results/report.html").read_text(encoding="utf-8")
    assert "Able 2020" in report
    where = "from osteometa.run.code import workflow_home; print(workflow_home())"
    assert run(commands / "python", "-c", where, **elsewhere).startswith(str(commands.parent))
