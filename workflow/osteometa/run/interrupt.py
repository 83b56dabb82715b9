"""Ctrl-C before Snakemake has begun: a sentence in the place of a traceback.

Snakemake is imported before it reads any file of a workflow. A file of the environment
(`osteometa_interrupt.pth`, written by setup.sh) therefore calls `watch` where Python starts
`snakemake`.
"""

import os
import signal
from types import FrameType


def end(number: int, frame: FrameType | None) -> None:
    """End with a sentence; once Snakemake works, raise KeyboardInterrupt, which it handles."""
    at = frame
    while at is not None:
        if at.f_globals.get("__name__") == "snakemake.api" and at.f_code.co_name != "<module>":
            signal.default_int_handler(number, frame)
        at = at.f_back
    os.write(2, b"Stopped before the first step.\n")
    os._exit(130)


def watch() -> None:
    """Set how Ctrl-C ends, where the starter does not ignore it, as a background shell does."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end)
