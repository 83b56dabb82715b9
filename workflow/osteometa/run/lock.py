"""One run at a time in a folder: a lock of the operating system, which ends with its holder.

Snakemake's own lock is a file that a killed run leaves behind. This one is held by the main process
of a run and by each of its steps, so that a step that outlives a killed run is waited for.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osteometa.run.preloaded_client import VARIABLE
from osteometa.run.progress import print_line

FILE = Path(".snakemake/osteometa.lock")
"""Holds the name of the run that has the lock."""
UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)
"""Of file systems without locks: there Snakemake's own lock remains."""
_held: list[int] = []


def hold_lock() -> None:
    """Take the lock for the life of this process, and remove what a killed run left of Snakemake's.

    SystemExit if another run is active.
    """
    if _held:
        return
    FILE.parent.mkdir(exist_ok=True)
    lock = os.open(FILE, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _take(lock)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return
        raise
    name = f"{os.getpid()} {time.time_ns()}"
    os.ftruncate(lock, 0)
    os.pwrite(lock, name.encode(), 0)
    left = list(FILE.parent.glob("locks/*.lock"))
    for path in left:
        path.unlink()
    if left:
        print_line("An interrupted run had left its lock, which is now removed.")
    # From now on shared with the steps. A run that takes it in between is the one that goes on.
    _take(lock, fcntl.LOCK_SH)
    os.environ[VARIABLE] = name
    _held.append(lock)


def _take(lock: int, kind: int = fcntl.LOCK_EX) -> None:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 100, 0).decode().split(" ")[0]
        if kind == fcntl.LOCK_SH or not holder or _lives(int(holder)):
            sys.exit(f"Another run is active in this folder (process {holder}): wait for its end.")
        print_line("Waiting for the last steps of a run that was killed.")
        fcntl.flock(lock, kind)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def shared_lock() -> Iterator[None]:
    """Share the lock of the run that started this step; SystemExit if another run is active."""
    if not os.environ.get(VARIABLE):
        yield
        return
    with FILE.open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if lock.read() != os.environ[VARIABLE]:
            sys.exit("The run of this step was killed, and another is active.")
        yield
