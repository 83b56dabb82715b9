"""What a run shows: the steps with how many are done, and failures in a few lines.

Snakemake's own handler, which would write a page for every step, writes nothing once the Snakefile
is read; its log records are passed to this one. In a terminal one line is kept up to date,
elsewhere each step is a line.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from osteometa.run import preloaded
from osteometa.run.failures import remedy_for
from osteometa.run.interrupt import stop, watch

PLAN = "OSTEOMETA_PLAN"
"""The environment of a run whose steps are to be named."""
CLEAR = "\r\033[K"
"""Empties the line of a terminal."""
REPEATED = (
    "CalledProcessError in file",
    "Exiting because a job",
    "At least one job did not complete",
)
"""In messages on a failed step, whose own message is printed already."""
STOPPED = "Will exit after finishing"
"""Snakemake's message when it is stopped, in each round until the running steps are done."""
TARGET = "all"
"""A rule without a step of its own, which Snakemake counts."""
MANY = 3
"""Steps from which on a process with their imports pays, as far as known before the first."""
LINES = 6
"""Most lines of a failure that are printed."""
EVERY = 30
"""Least seconds between two lines on parts that are done, where there is no terminal."""
LOG = "The newest file in .snakemake/log has all of it."


class Progress(logging.Handler):
    """Prints progress and failures of a run of Snakemake."""

    def __init__(self, at_first_step: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.at_first_step: Callable[[], object] | None = at_first_step
        self.terminal = sys.stderr.isatty()
        self.running: dict[int, str] = {}
        self.stopping = False
        self.done, self.total, self.targets, self.began = 0, 0, 0, time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record of Snakemake, or store its content."""
        _defer_termination()
        facts: dict[str, Any] = vars(record)
        event = facts.get("event")
        if event == "job_info" and facts["rule_msg"]:
            if self.at_first_step and self.total >= MANY:
                self.at_first_step()
            self.at_first_step = None
            self.running[facts["jobid"]] = facts["rule_msg"].rstrip(".")
            if not self.terminal:
                print_line(f"{self._count()}{self.running[facts['jobid']]}")
        elif event == "run_info":
            self.targets = facts["stats"].get(TARGET, 0)
            self.total = facts["stats"]["total"] - self.targets
        elif event == "job_finished":
            self.running.pop(facts["job_id"], None)
        elif event == "progress":
            self.done, self.total = facts["done"], facts["total"] - self.targets
        elif event == "job_error":
            print_line(f"Failed: {self.running.pop(facts['jobid'], facts['rule_name'])}.")
        elif record.getMessage().startswith("Nothing to be done"):
            print_line("All results are up to date.")
        elif record.getMessage().startswith(STOPPED):
            if not self.stopping:
                print_line(
                    "Stopping when the running steps are done (Ctrl-C again: at once). "
                    "The same command goes on from there."
                )
            self.stopping = True
        elif record.levelno >= logging.WARNING:
            self._message(record.getMessage(), failure=record.levelno >= logging.ERROR)
        if self.terminal:
            self._update()

    def close(self) -> None:
        """Leave a clean line."""
        if self.terminal:
            sys.stderr.write(CLEAR)
        super().close()

    def _count(self) -> str:
        """Return how many steps are done, once it is known of how many."""
        return _count_words(self.done, self.total, self.began) if self.done >= 2 else ""

    def _message(self, text: str, *, failure: bool) -> None:
        if any(words in text for words in REPEATED):
            return
        remedy = remedy_for(text) if failure else ""
        lines = [line[:300] for line in text.strip().splitlines() if line.strip()]
        shown = lines[-1:] if text.startswith("Traceback") else lines[:LINES]
        more = LOG if failure and len(shown) < len(lines) else ""
        if remedy:
            causes = [re.sub(r".*\[Errno \d+\] ", "", line) for line in lines if "Errno" in line]
            shown, more = causes[:1], remedy
        print_line("\n".join([*shown, *filter(None, [more])]))

    def _update(self) -> None:
        line = f"{self._count()}{'; '.join(self.running.values())}" if self.running else ""
        sys.stderr.write(f"{CLEAR}{line[: shutil.get_terminal_size().columns - 1]}\r")
        sys.stderr.flush()


def _count_words(done: int, total: int, began: float) -> str:
    seconds = (time.monotonic() - began) / done * (total - done)
    left = f", about {seconds:.0f} s left" if done > 4 and seconds >= 1 else ""
    return f"[{done} of {total} done{left}] "


class Parts:
    """Prints how many parts of equal size are done: one line in a terminal, else now and then."""

    def __init__(self, total: int) -> None:
        self.terminal = sys.stderr.isatty()
        self.done, self.total, self.began = 0, total, time.monotonic()
        self.printed = self.began

    def one_more(self) -> None:
        """Count one more part as done."""
        self.done += 1
        words = _count_words(self.done, self.total, self.began)
        if self.terminal:
            sys.stderr.write(f"{CLEAR}{words}\r")
            sys.stderr.flush()
        elif time.monotonic() - self.printed >= EVERY or self.done == self.total:
            print_line(words.rstrip())
            self.printed = time.monotonic()

    def close(self) -> None:
        """Leave a clean line."""
        if self.terminal:
            sys.stderr.write(CLEAR)


class Steps(logging.Handler):
    """Prints each step that Snakemake names as a line of JSON: for `osteometa plan`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a step with its files and Snakemake's reason."""
        facts: dict[str, Any] = vars(record)
        if facts.get("event") == "job_info" and facts["rule_msg"]:
            step = {name: facts[name] for name in ("rule_name", "rule_msg", "reason")}
            step |= {name: list(map(str, facts[name])) for name in ("input", "output")}
            step["wildcards"] = list(dict(facts["wildcards"]).values())
            sys.stdout.write(f"{json.dumps(step)}\n")
            sys.stdout.flush()


def list_steps() -> None:
    """Print the steps of Snakemake as JSON."""
    snakemake = logging.getLogger("snakemake.logging")
    if not any(isinstance(handler, Steps) for handler in snakemake.handlers):
        snakemake.addHandler(Steps())


def print_line(text: str) -> None:
    """Print a line of a run, in a terminal in the place of the line that is kept up to date."""
    # Line and line end in one piece, so that the lines of two processes do not mix.
    sys.stderr.write(f"{CLEAR if sys.stderr.isatty() else ''}{text}\n")
    sys.stderr.flush()


def follow(workflow: Any = None) -> None:
    """Print the progress of the run that reads the Snakefile, once, and stop it on a signal.

    With its first step a process starts that has the imports of the others, if there are many and
    the workflow is given.
    """
    # A message that cannot be written to a log, on a full disk, is no reason for a traceback.
    logging.raiseExceptions = False
    snakemake = logging.getLogger("snakemake.logging")
    if not any(isinstance(handler, Progress) for handler in snakemake.handlers):
        for handler in snakemake.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(lambda _: False)
        own = Progress(lambda: workflow and workflow.local_exec and preloaded.start())
        snakemake.addHandler(own)
    watch(stop)


def _defer_termination() -> None:
    """Call Snakemake's handler of SIGTERM in a thread: it takes a lock that the main one may hold.

    Snakemake sets the handler when it has read the Snakefile, and only the main thread may replace
    it.
    """
    handler: Any = signal.getsignal(signal.SIGTERM)
    if getattr(handler, "__name__", "") != "exit_gracefully":
        return
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=handler).start())
