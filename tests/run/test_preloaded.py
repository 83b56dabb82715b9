"""Steps as copies of a process that has their imports."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from osteometa.run import preloaded_client
from osteometa.run.preloaded import MODULES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="steps are copies on Linux alone")


def preloaded_by(address: Path, run: int) -> list:
    return [sys.executable, "-m", "osteometa.run.preloaded", address, str(run)]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Start the process as a run does, and wait until it listens."""
    address = tmp_path_factory.mktemp("s") / "socket"
    server = subprocess.Popen(preloaded_by(address, os.getpid()))
    while not address.exists():
        assert server.poll() is None
        time.sleep(0.05)
    yield address
    server.kill()


def _asked(address, script: str, folder: Path) -> subprocess.CompletedProcess:
    path = folder / "step.py"
    path.write_text(script)
    command = [sys.executable, "-I", "-S", preloaded_client.__file__, address, sys.executable, path]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _until_all_is_imported(address, folder):
    loaded = f"import sys; print({MODULES[-1]!r} in sys.modules)"
    until = time.monotonic() + 20
    while _asked(address, loaded, folder).stdout != "True\n":
        assert time.monotonic() < until


@pytest.mark.parametrize(
    ("script", "status", "out", "error"),
    [
        ("print('done')", 0, "done\n", ""),
        ("import sys; sys.exit()", 0, "", ""),
        ("import sys; sys.exit(3)", 3, "", ""),
        ("import sys; sys.exit('refused')", 1, "", "refused\n"),
        ("from pathlib import Path; print(Path.cwd().name)", 0, "here\n", ""),
        ("import os; os.kill(os.getpid(), 9)", 137, "", ""),
    ],
)
def test_a_script_ends_as_it_would_alone(address, tmp_path, script, status, out, error):
    folder = tmp_path / "here"
    folder.mkdir()
    ended = _asked(address, script, folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, out, error)


def test_a_failure_has_its_traceback(address, tmp_path):
    ended = _asked(address, "1 / 0", tmp_path)
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr


def test_the_modules_are_imported_and_no_script_changes_those_of_the_next(address, tmp_path):
    _until_all_is_imported(address, tmp_path)
    _asked(address, "import osteometa.report.page as page; page.render_report = 1", tmp_path)
    script = "from osteometa.report.page import render_report as made; print(callable(made))"
    assert _asked(address, script, tmp_path).stdout == "True\n"


def test_no_file_is_open_that_steps_would_share(address, tmp_path):
    """Copies share the place in an open file: two that read fonts at a time would fail."""
    script = (
        "import os\n"
        "files = [os.path.realpath(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')]\n"
        f"print([file for file in files if file.startswith({sys.prefix!r})])"
    )
    _until_all_is_imported(address, tmp_path)
    assert _asked(address, script, tmp_path).stdout == "[]\n"


def test_without_the_process_python_starts(tmp_path):
    ended = _asked(tmp_path / "none", "import sys; print('numpy' in sys.modules)", tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "False\n")


def test_python_starts_where_the_process_ends_before_it_takes_the_step(tmp_path):
    script = tmp_path / "step.py"
    script.write_text("print('done')")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        command = [sys.executable, "-I", "-S", preloaded_client.__file__, tmp_path / "socket"]
        step = subprocess.Popen([*command, sys.executable, script], stdout=subprocess.PIPE)
        select.select([listener], [], [], 20)
    assert step.communicate(timeout=20) == (b"done\n", None)


def test_a_step_does_not_wait_for_the_copies_of_a_killed_process(tmp_path):
    address = tmp_path / "socket"
    server = subprocess.Popen(preloaded_by(address, os.getpid()))
    while not address.exists():
        time.sleep(0.05)
    script = tmp_path / "long.py"
    script.write_text("import time; print('at work', flush=True); time.sleep(20)")
    command = [sys.executable, "-I", "-S", preloaded_client.__file__, address, sys.executable]
    with subprocess.Popen([*command, script], stdout=subprocess.PIPE) as long:
        assert long.stdout.readline() == b"at work\n"
        server.kill()
        server.wait()
        began = time.monotonic()
        assert _asked(address, "print('done')", tmp_path).stdout == "done\n"
        assert time.monotonic() - began < 10
        long.kill()


def test_it_ends_with_its_parent_and_leaves_nothing(tmp_path):
    starts = (
        "import sys\n"
        "from osteometa.run import preloaded\n"
        "preloaded.start()\n"
        "address = sys.executable.split()[-2]\n"
        "from pathlib import Path\n"
        "import time\n"
        "while not Path(address).exists(): time.sleep(0.05)\n"
        "print(address)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", starts], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    folder = Path(ended.stdout.strip()).parent
    until = time.monotonic() + 20
    while folder.exists():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_it_ends_where_its_run_was_killed_before_it_began(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    place = tmp_path / "s"
    place.mkdir()
    done = subprocess.run(preloaded_by(place / "socket", ended.pid), timeout=60, check=False)
    assert done.returncode == 0 and not place.exists()
