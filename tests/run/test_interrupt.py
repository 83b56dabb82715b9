"""Ctrl-C before Snakemake has begun, and after."""

import os
import signal
import subprocess
import sys

import pytest
from osteometa.run.interrupt import end


def test_ctrl_c_while_snakemake_is_imported_ends_in_a_sentence():
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--version"], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    next(line for line in process.stderr if " snakemake." in line)
    process.send_signal(signal.SIGINT)
    rest = process.communicate()[1]
    assert process.returncode == 130
    assert rest.endswith("Stopped before the first step.\n") and "Traceback" not in rest


def test_snakemake_at_work_gets_the_interrupt():
    names = {"__name__": "snakemake.api", "end": end, "frame": sys._getframe}
    exec("def work():\n    end(2, frame())", names)
    with pytest.raises(KeyboardInterrupt):
        names["work"]()
