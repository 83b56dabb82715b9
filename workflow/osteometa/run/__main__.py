"""`python -m osteometa.run`: Snakemake, with what must be right before it reads the Snakefile.

Ctrl-C ends in no traceback while it starts, and its cache and matplotlib's are in .snakemake where
HOME cannot be written to.
"""

import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if not os.access(next(path for path in (cache, *cache.parents) if path.exists()), os.W_OK):
        os.environ["XDG_CACHE_HOME"] = str(Path(".snakemake/cache").absolute())
        os.environ.setdefault("MPLCONFIGDIR", os.environ["XDG_CACHE_HOME"])
    # A container may run as a user without a name, which Snakemake looks up.
    os.environ.setdefault("USER", str(os.getuid()))
    from snakemake.cli import main

    sys.exit(main())
