"""Ctrl-C and SIGTERM before Snakemake has begun, and after."""

import os
import signal
import subprocess
import sys

import pytest
from builders import ROOT
from osteometa.run.interrupt import end

SENTENCE = "Stopped before the first step.\n"
sent = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def take_interrupts():
    """Whoever starts the tests may ignore Ctrl-C, as a background shell does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def started(*words, at):
    """A Python that has imported a module of a name that begins so."""
    process = subprocess.Popen(
        [sys.executable, *words], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        preexec_fn=take_interrupts,
    )  # fmt: skip
    next(line for line in process.stderr if f" {at}" in line)
    return process


@sent
@pytest.mark.parametrize(
    ("words", "at"),
    [
        (["-m", "snakemake", "--version"], "snakemake."),
        (["-m", "osteometa.run", "--version"], "snakemake."),
        (["-m", "osteometa.cli", "run", str(ROOT / "tests/reviews/small")], "snakemake."),
    ],
    ids=["plain", "run", "command"],
)
def test_a_signal_while_snakemake_is_imported_ends_in_a_sentence(words, at, number):
    process = started(*words, at=at)
    process.send_signal(number)
    rest = process.communicate()[1]
    assert process.returncode == 128 + number
    assert rest.endswith(SENTENCE) and "Traceback" not in rest


@sent
def test_a_signal_before_the_new_program_waits_for_it(number):
    code = (
        "import os, signal; from osteometa.run.interrupt import SIGNALS, stop, watch;"
        "signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS);"
        f"os.kill(os.getpid(), {number:d}); watch(stop)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=take_interrupts, capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (128 + number, SENTENCE)


@sent
def test_a_signal_that_the_starter_ignores_stays_ignored(number):
    code = (
        "import os, signal; from osteometa.run.interrupt import stop, watch;"
        f"signal.signal({number:d}, signal.SIG_IGN); watch(stop); os.kill(os.getpid(), {number:d})"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_snakemake_at_work_gets_the_interrupt():
    names = {"__name__": "snakemake.api", "end": end, "frame": sys._getframe}
    exec("def work(number):\n    end(number, frame())", names)
    with pytest.raises(KeyboardInterrupt):
        names["work"](signal.SIGINT)
    child = os.fork()
    if not child:
        names["work"](signal.SIGTERM)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGTERM
