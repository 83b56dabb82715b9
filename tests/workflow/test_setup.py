"""Set-up without a network: a stand-in Python writes down what it is asked to do."""

import os
import shutil
import subprocess
import sys
import tomllib

import pytest
from builders import ROOT
from ruamel.yaml import YAML

TOOLS = (
    "sh", "dirname", "cat", "cksum", "awk", "rm", "mkdir", "cp", "find", "chmod", "sed", "cut",
    "head",
)  # fmt: skip
PYTHON = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    --version*) echo "Python 3.12.0" ;;
esac
"""


class Checkout:
    """A checkout at an awkward path, on a machine with the tools of a bare system."""

    def __init__(self, folder):
        self.root = folder / "mein Ördner"
        (self.root / "workflow").mkdir(parents=True)
        for name in ("workflow/setup.sh", "requirements.txt", "pyproject.toml", "Makefile"):
            shutil.copy(ROOT / name, self.root / name)
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.calls = folder / "calls"

    def python(self, text=PYTHON, name="python3"):
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def run(self, what="setup"):
        self.calls.write_text("")
        environment = {"PATH": str(self.bin), "CALLS": str(self.calls), "LC_ALL": "C"}
        return subprocess.run(
            ["sh", "workflow/setup.sh", what], cwd=self.root, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def called(self):
        return self.calls.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


UNSUITABLE = "#!/bin/sh\nexit 1\n"


@pytest.mark.parametrize("text", ["", UNSUITABLE])
def test_no_suitable_python_is_one_sentence_that_helps(checkout, text):
    """None at all, one too old, or one without venv: the question to it fails."""
    if text:
        checkout.python(text)
    done = checkout.run()
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    words = (
        "3.11 to 3.14", "Debian/Ubuntu", "apt install", "WSL", "macOS", "brew install",
        "uv python install", "OSTEOMETA_PYTHON=$(uv python find",
    )  # fmt: skip
    for word in words:
        assert word in done.stderr
    assert not (checkout.root / ".venv").exists()


def test_a_python_whose_venv_fails_leaves_nothing_behind(checkout):
    checkout.python(PYTHON.replace('"-m venv")', '"-m venv") exit 1 ;; nothing)'))
    done = checkout.run()
    assert done.returncode == 1
    assert "python3-venv" in done.stderr
    assert not (checkout.root / ".venv").exists()


def test_the_question_to_a_python_is_about_its_version_and_venv():
    """Asked of the Python that runs the tests, it is answered with yes."""
    script = (ROOT / "workflow/setup.sh").read_text()
    question = script.split("-c '")[1].split("'")[0]
    assert subprocess.run([sys.executable, "-c", question], check=False).returncode == 0
    older = question.replace("(3, 14)", "(3, 10)")
    assert subprocess.run([sys.executable, "-c", older], check=False).returncode == 1


def test_set_up_is_done_once(checkout):
    checkout.python()
    assert checkout.run().returncode == 0
    installed = " ".join(checkout.called)
    assert "--require-hashes" in installed
    assert "-r .venv/tools.txt" in installed
    assert "-r .venv/run.txt" in installed
    assert checkout.run().returncode == 0
    assert checkout.called == []


def test_a_run_installs_no_tools_for_tests_and_documentation(checkout):
    checkout.python()
    assert checkout.run("review").returncode == 0
    assert "-r .venv/tools.txt" not in " ".join(checkout.called)
    needed = (checkout.root / ".venv/run.txt").read_text()
    assert "\nsnakemake==" in needed
    assert "\npytest==" not in needed
    assert checkout.run("setup").returncode == 0
    assert not any("venv" in call.split()[:2] for call in checkout.called)
    assert "-r .venv/tools.txt" in " ".join(checkout.called)
    assert checkout.run("setup").returncode == 0
    assert checkout.called == []


@pytest.mark.parametrize("wheel", [True, False])
def test_without_a_wheel_the_optional_extension_is_left_out(checkout, wheel):
    """A package whose part in C is optional is built with no compiler."""
    refuse = "" if wheel else 'case "$*" in *"--only-binary immutables"*) exit 2 ;; esac\n'
    note = 'printf \'%s\\n\' "compiler ${CC:-none}" >> "$CALLS"\n'
    checkout.python(PYTHON + refuse + note)
    assert checkout.run().returncode == 0
    assert ("compiler true" in checkout.called) is not wheel


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_set_up_is_done_again_when_what_it_rests_on_changes(checkout, name):
    checkout.python()
    checkout.run()
    with (checkout.root / name).open("a") as lines:
        lines.write("# another line\n")
    assert checkout.run().returncode == 0
    assert any("venv" in call for call in checkout.called)


def test_a_broken_off_set_up_mends_itself(checkout):
    broken = PYTHON + 'case "$*" in *"-r .venv/run.txt"*) exit 7 ;; esac\n'
    checkout.python(broken)
    assert checkout.run().returncode == 7
    assert (checkout.root / ".venv").exists()
    checkout.python()
    assert checkout.run().returncode == 0
    assert any("-r .venv/run.txt" in call for call in checkout.called)
    assert checkout.run().returncode == 0
    assert checkout.called == []


def test_clean_removes_what_was_derived_and_keeps_the_tables(checkout):
    kept = [
        checkout.root / name
        for name in ("data/raw/studies.csv", "results/.gitkeep", "data/processed/.gitkeep")
    ]
    derived = [checkout.root / name for name in ("results/x/forest.svg", "data/processed/a.csv")]
    for path in (*kept, *derived):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert checkout.run("clean").returncode == 0
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in derived)


def test_an_unknown_target_is_refused(checkout):
    assert checkout.run("everything").returncode == 2


def test_the_status_of_the_run_is_that_of_make(checkout):
    checkout.python()
    assert checkout.run().returncode == 0
    (checkout.root / ".venv/bin/python").write_text("#!/bin/sh\nexit 7\n")
    result = checkout.run("review")
    assert (result.returncode, result.stderr) == (7, "")


@pytest.mark.parametrize(("given", "folder"), [((), "."), (("REVIEW=my Ördner",), "my Ördner")])
def test_make_runs_the_review_of_a_folder(checkout, given, folder):
    checkout.python()
    environment = {"PATH": str(checkout.bin), "CALLS": str(checkout.calls), "LC_ALL": "C"}
    make = [shutil.which("make"), *given]
    subprocess.run(make, cwd=checkout.root, env=environment, capture_output=True, check=True)
    assert checkout.called[-1] == f"-m osteometa.cli run {folder}"


def targets():
    """Names after .PHONY of the Makefile."""
    line = next(
        line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:")
    )
    return set(line.split()[1:])


def test_every_target_is_known_to_the_script():
    usage = (ROOT / "workflow/setup.sh").read_text().split("usage: sh workflow/setup.sh [")[1]
    assert set(usage.split("]")[0].split("|")) == targets()


def test_continuous_integration_runs_targets_on_every_supported_python():
    jobs = YAML(typ="safe").load(ROOT / ".github/workflows/ci.yml")["jobs"]
    assert set(jobs["static"]["strategy"]["matrix"]["target"]) <= targets()
    for job in (jobs["static"], jobs["fast"]):
        commands = [step["run"] for step in job["steps"] if "run" in step]
        assert all(command.startswith("make ") for command in commands)
    assert os.access(ROOT / ".ci/run", os.X_OK)
    versions = jobs["fast"]["strategy"]["matrix"]["python"]
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    assert versions == [name.split()[-1] for name in classifiers if "Python :: 3" in name]
    script = (ROOT / "workflow/setup.sh").read_text()
    assert f"from {versions[0]} to {versions[-1]} " in script
