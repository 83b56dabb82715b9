"""Runs that are disturbed go on with the same command."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys

import pytest
from builders import ROOT, copied

TARGETS = ("results/wanted.csv", "results/ctx_serum_training_controlled/pooled.csv")


def started(review, *options):
    command = [sys.executable, "-m", "snakemake", "--directory", str(review), *options]
    return subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        start_new_session=True,
        # Whoever starts the tests may ignore Ctrl-C, as a background shell does.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def run(review, *options):
    process = started(review, *options)
    text = process.communicate()[1]
    return process.returncode, text


def test_a_dozen_disturbances_of_each_kind_and_the_same_bytes():
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"]).returncode:
        pytest.skip("the system does not let a user mount file systems in a namespace")
    script = [sys.executable, ROOT / "benchmarks/faults.py", "--dozen"]
    ended = subprocess.run(script, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_a_second_run_is_refused_and_the_first_goes_on(small):
    first = started(small, *TARGETS)
    for line in first.stderr:
        if line.startswith("Check"):
            break
    status, text = run(small, *TARGETS)
    assert status == 1
    assert f"Another run is active in this folder (process {first.pid})" in text
    first.communicate()
    assert first.returncode == 0


def test_a_table_edited_during_a_run_is_named_and_read_by_the_next(tmp_path):
    review = copied("seed", tmp_path / "review")
    table = review / "data/raw/studies.csv"
    text = ""
    process = started(review)
    for line in process.stderr:
        text += line
        if "Summarise" in line:
            times = table.stat()
            table.write_bytes(table.read_bytes() + b"\n")
            # By its time it is older than the results; what decides is its content.
            os.utime(table, (times.st_atime, times.st_mtime - 86400))
    assert process.wait() == 1
    assert "Changed or removed during the run: data/raw/studies.csv." in text
    assert "done:" not in text and not (review / "results/manifest.csv").exists()
    status, text = run(review)
    assert status == 0 and "Check the tables" in text, text
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    assert digest in (review / "results/report.html").read_text(encoding="utf-8")
    assert f"data/raw/studies.csv,{digest}," in (review / "results/manifest.csv").read_text()
