"""How commands end where something fails: one line, and a status that is not 0."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders import BCG, ROOT, effects_csv, output_of
from osteometa.cli import pool_models

pytestmark = pytest.mark.slow

FULL = Path("/dev/full")


def ended(*words, **options):
    command = [sys.executable, "-m", "osteometa.cli", *map(str, words)]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, **options)


@pytest.fixture
def table(tmp_path):
    return effects_csv(tmp_path, BCG)


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full, which acts as a full disk")
@pytest.mark.parametrize("words", [["pool", "FILE"], ["pool", "FILE", "--json"], ["check", ROOT]])
def test_a_full_disk(table, words):
    words = [table if word == "FILE" else word for word in words]
    with FULL.open("w") as full:
        done = ended(*words, stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"osteometa {words[0]}: No space left on device. The disk is full"
    )
    assert done.stderr.count("\n") == 1


def test_a_reader_that_has_gone(table):
    reading, writing = os.pipe()
    os.close(reading)
    done = ended("pool", table, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_stopped_by_ctrl_c(table):
    code = "import sys, time\nfrom osteometa import cli\nfrom osteometa.cli import pool\n" \
           "def run(_): print('at work', flush=True); time.sleep(60)\npool.run = run\n" \
           "sys.exit(cli.main(['pool', 'x.csv']))"  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout.readline() == "at work\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert (process.communicate()[1], process.returncode) == ("stopped.\n", 130)


def test_something_unforeseen(table, capsys, monkeypatch):
    def fails(_):
        raise ZeroDivisionError("nought")

    monkeypatch.chdir(table.parent)
    monkeypatch.setattr(pool_models, "results_of", fails)
    status, _, _ = output_of(capsys, "pool", table)
    assert "osteometa pool: An unforeseen failure (ZeroDivisionError: nought)" in status
    assert "Traceback" in (table.parent / "osteometa_failure_pool.txt").read_text()
