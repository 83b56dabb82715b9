import errno
import logging
import os
import signal
import threading

import pytest
from osteometa.run.failures import remedy_for
from osteometa.run.jobs import job
from osteometa.run.progress import LINES, LOG, Progress, follow


def record(level=logging.INFO, text="", **facts):
    made = logging.LogRecord("snakemake.logging", level, "", 0, text, None, None)
    vars(made).update(facts)
    return made


def started(number, words):
    return record(event="job_info", jobid=number, rule_msg=f"{words}.", rule_name="pool")


@pytest.fixture
def progress():
    return Progress()


def test_each_step_is_a_line_with_how_many_are_done(progress, capsys):
    progress.emit(started(1, "Check the tables"))
    progress.emit(record(event="job_finished", job_id=1))
    progress.emit(record(event="progress", done=1, total=4))
    progress.emit(started(2, "Pool a"))
    progress.emit(record(event="progress", done=2, total=9))
    progress.emit(started(3, "Pool b"))
    progress.began -= 60
    progress.emit(record(event="progress", done=6, total=9))
    progress.emit(started(4, "Draw a"))
    lines = capsys.readouterr().err.splitlines()
    # Before the checkpoint is done the number of steps is not known.
    assert lines == ["Check the tables", "Pool a", "[2 of 9 done] Pool b",
                     "[6 of 9 done, about 30 s left] Draw a"]  # fmt: skip


def test_the_target_is_no_step(progress, capsys):
    """`osteometa plan` names as many steps as a run counts."""
    progress.emit(record(event="run_info", stats={"all": 1, "pool": 3, "total": 4}))
    progress.emit(record(event="progress", done=2, total=4))
    progress.emit(started(3, "Pool c"))
    assert capsys.readouterr().err == "[2 of 3 done] Pool c\n"


def test_a_terminal_has_one_line_that_is_kept_up_to_date(progress, capsys):
    progress.terminal = True
    progress.emit(started(1, "Check the tables"))
    progress.emit(record(event="job_finished", job_id=1))
    progress.close()
    assert capsys.readouterr().err == "\r\033[KCheck the tables\r" + "\r\033[K\r" + "\r\033[K"


def test_a_failed_step_is_named_once(progress, capsys):
    progress.emit(started(1, "Pool a"))
    command = "RuleException:\nCalledProcessError in file pool.smk\nCommand 'python' returned 1"
    progress.emit(record(logging.ERROR, command, event="error"))
    progress.emit(record(logging.ERROR, event="job_error", jobid=1, rule_name="pool"))
    progress.emit(record(logging.ERROR, "Exiting because a job execution failed."))
    assert capsys.readouterr().err == "Pool a\nFailed: Pool a.\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("LockException:\nError: Directory cannot be locked.", "snakemake --unlock"),
        ("Traceback\n  File x\nOSError: [Errno 30] Read-only file system: 'a'", "Run a copy"),
        ("WorkflowError:\nOSError: [Errno 28] No space left on device", "The disk is full"),
        ("MissingOutputException:\nresults/a.csv (missing locally)", "A file was removed"),
        ("ProtectedOutputException:\nWrite-protected output files for rule report", "Run a copy"),
        ("PermissionError: [Errno 13] Permission denied: 'a'", "Change its permissions"),
        ("NotADirectoryError: [Errno 20] Not a directory: 'results'", "Rename it"),
    ],
)
def test_a_failure_of_snakemake_has_its_remedy(progress, capsys, text, words):
    progress.emit(record(logging.ERROR, text))
    stated = capsys.readouterr().err
    assert (
        words in stated
        and "[Errno" not in stated
        and "Traceback" not in stated
        and len(stated.splitlines()) <= 2
    )


def test_another_failure_is_stated_in_few_lines(progress, capsys):
    progress.emit(record(logging.ERROR, "Traceback:\n a\n b\nKeyError: 'x'"))
    progress.emit(record(logging.ERROR, "\n".join(["MissingInputException:", *"abcdefgh"])))
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == ["KeyError: 'x'", LOG, "MissingInputException:"]
    assert len(lines) == 1 + LINES + 2 and lines[-1] == LOG


def test_nothing_to_do_is_said(progress, capsys):
    progress.emit(record(text="Nothing to be done (all requested files are present)."))
    assert capsys.readouterr().err == "All results are up to date.\n"


def test_a_run_is_followed_once():
    snakemake = logging.getLogger("snakemake.logging")
    before = list(snakemake.handlers)
    try:
        follow(workflow := object())
        follow(workflow)
        assert len(snakemake.handlers) == len(before) + 1
    finally:
        snakemake.handlers[:] = before


class Scheduler:
    """Snakemake's: its handler of SIGTERM takes a lock."""

    def __init__(self):
        self._lock, self.stopped = threading.Lock(), threading.Event()

    def exit_gracefully(self, *_):
        with self._lock:
            self.stopped.set()


def test_a_run_that_is_stopped_while_it_holds_its_lock_does_not_hang(progress):
    scheduler = Scheduler()
    before = signal.signal(signal.SIGTERM, scheduler.exit_gracefully)
    try:
        progress.emit(record())
        with scheduler._lock:
            os.kill(os.getpid(), signal.SIGTERM)
            assert not scheduler.stopped.wait(0.2)
        assert scheduler.stopped.wait(5)
    finally:
        signal.signal(signal.SIGTERM, before)


class Given:
    """What Snakemake gives a script."""

    def __init__(self, root):
        self.params = type("Params", (), {"root": str(root)})
        self.rule, self.wildcards, self.input, self.output = "pool", [], [], []


def test_a_job_that_fails_says_why_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="The disk is full") as stop, job(Given(tmp_path)):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "Traceback" not in str(stop.value)
    with pytest.raises(SystemExit, match=r"unforeseen failure .KeyError"), job(Given(tmp_path)):
        raise KeyError("x")
    details = tmp_path / "osteometa_failure_pool.txt"
    text = details.read_text()
    assert "Traceback" in text and "osteometa 0" in text and "Python 3" in text
    assert remedy_for("no such thing") == ""
