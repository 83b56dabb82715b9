"""`python -m osteometa.run`: Snakemake, with what it needs before it reads the Snakefile."""

import os
import signal
import sys
from pathlib import Path


def run() -> int:
    """Run Snakemake; Ctrl-C ends in no traceback while it starts."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Without a home that can be written to, Snakemake ends without a word.
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if not os.access(existing, os.W_OK):
        os.environ["XDG_CACHE_HOME"] = str(Path(".snakemake/cache").absolute())
    # After the signal is set: this import takes most of the time.
    from snakemake.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
