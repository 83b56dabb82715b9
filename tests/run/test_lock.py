import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from osteometa.run import lock

HOLDS = "from osteometa.run.lock import hold_lock; hold_lock(); print('held', flush=True); "


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lock, "_held", [])
    monkeypatch.delenv(lock.VARIABLE, raising=False)
    yield tmp_path
    for held in lock._held:
        os.close(held)
    os.environ.pop(lock.VARIABLE, None)


def holder(more="input()"):
    """Another process that holds the lock until it is told to end, or killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS + more],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    return process


def left(folder):
    path = folder / ".snakemake/locks/0.output.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("results/report.html\n")
    return path


def test_a_lock_that_a_killed_run_left_is_removed(folder, capsys):
    killed = holder()
    killed.kill()
    killed.wait()
    path = left(folder)
    lock.hold_lock()
    assert not path.exists()
    assert "had left its lock, which is now removed" in capsys.readouterr().err


def test_a_living_run_is_never_unlocked(folder):
    living = holder()
    path = left(folder)
    try:
        with pytest.raises(SystemExit, match=rf"Another run is active .*process {living.pid}\)"):
            lock.hold_lock()
    finally:
        living.communicate("\n")
    assert path.exists()
    lock.hold_lock()
    assert not path.exists()


def test_two_modules_in_one_run_hold_one_lock():
    lock.hold_lock()
    lock.hold_lock()
    with lock.shared_lock():
        assert len(lock._held) == 1


def test_a_step_that_outlives_its_killed_run_is_waited_for(capsys):
    step = (
        "import os, time\n"
        "from osteometa.run.lock import shared_lock\n"
        "if os.fork(): input()\n"
        "else:\n"
        "    with shared_lock(): os.close(1); time.sleep(1.5); open('written', 'w').close()\n"
        "    os._exit(0)"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", f"{HOLDS.rstrip('; ')}\n{step}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert killed.stdout.readline() == "held\n"
    time.sleep(0.5)
    killed.kill()
    killed.wait()
    assert not Path("written").exists()
    lock.hold_lock()
    assert Path("written").exists()
    assert "Waiting for the last steps" in capsys.readouterr().err


def test_a_step_that_begins_after_its_run_was_killed_writes_nothing():
    lock.hold_lock()
    os.environ[lock.VARIABLE] = "1 1"
    with pytest.raises(SystemExit, match="was killed"), lock.shared_lock():
        pytest.fail("the step went on")


@pytest.mark.parametrize("number", lock.UNSUPPORTED)
def test_a_file_system_without_locks_is_used_without(folder, monkeypatch, number):
    def refused(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refused)
    path = left(folder)
    lock.hold_lock()
    assert path.exists() and lock.VARIABLE not in os.environ
    with lock.shared_lock():
        pass


def test_another_failure_of_the_lock_is_not_passed_over(monkeypatch):
    def refused(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(OSError, match="Input/output"):
        lock.hold_lock()
