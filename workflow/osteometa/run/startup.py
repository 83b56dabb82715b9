"""What must be right before Snakemake reads the Snakefile: Ctrl-C and folders for caches."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from osteometa.run.progress import stop


def prepare() -> None:
    """Set how Ctrl-C ends, and put the caches in .snakemake where HOME cannot be written to.

    Called by profiles/default too, which plain `snakemake` reads before anything else.
    """
    # Not where the starter ignores Ctrl-C, as a background shell does.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # `osteometa run` blocks it
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if not os.access(next(path for path in (cache, *cache.parents) if path.exists()), os.W_OK):
        os.environ["XDG_CACHE_HOME"] = str(Path(".snakemake/cache").absolute())
        os.environ.setdefault("MPLCONFIGDIR", os.environ["XDG_CACHE_HOME"])
    # A container may run as a user without a name, which Snakemake looks up.
    os.environ.setdefault("USER", str(os.getuid()))
