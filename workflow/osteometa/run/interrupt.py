"""Ctrl-C and SIGTERM: a sentence before the first step; later the running steps finish.

Snakemake is imported before it reads any file of a workflow. A file of the environment
(`osteometa_interrupt.pth`, written by setup.sh) therefore calls `watch` where Python starts
`snakemake`.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def watch(handler: Callable[[int, FrameType | None], object] | None = None) -> None:
    """Set how both signals end, where the starter does not ignore them, as background shells do."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler or end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # `osteometa run` blocks them


def end(number: int, frame: FrameType | None) -> None:
    """End with a sentence; once Snakemake works, as Python does without a handler."""
    at = frame
    while at is not None:
        if at.f_globals.get("__name__") == "snakemake.api" and at.f_code.co_name != "<module>":
            if number == signal.SIGINT:
                signal.default_int_handler(number, frame)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        at = at.f_back
    _leave(number)


def stop(number: int, frame: FrameType | None) -> None:
    """Let the running steps finish, as Snakemake does when it is terminated.

    A second Ctrl-C ends at once.
    """
    if signal.getsignal(signal.SIGTERM) in (stop, signal.SIG_DFL, signal.SIG_IGN):
        _leave(number)  # Snakemake, which sets its handler before its first step, has not done so
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(number: int) -> None:
    os.write(2, b"Stopped before the first step.\n")
    os._exit(128 + number)
