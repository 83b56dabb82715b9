"""What must be right before Snakemake reads the Snakefile: signals, folders for caches, memory."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from osteometa.run.interrupt import stop, watch
from osteometa.run.preloaded import collect_rarely


def prepare() -> None:
    """Set how signals end, and put the caches in .snakemake where HOME cannot be written to.

    Called by profiles/default too, which plain `snakemake` reads before anything else.
    """
    collect_rarely()
    watch(stop)
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is no home
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path(home, ".cache"))
    nearest = next(path for path in (cache, *cache.parents) if path.exists())
    if not (cache.is_absolute() and nearest.is_dir() and os.access(nearest, os.W_OK)):
        own = Path(tempfile.gettempdir(), f"osteometa-{os.getuid()}")
        cache = Path(".snakemake/cache").absolute() if os.access(".", os.W_OK) else own
        os.environ["XDG_CACHE_HOME"] = str(cache)
        os.environ.setdefault("MPLCONFIGDIR", str(cache))
    # A container may run as a user without a name, which Snakemake looks up.
    os.environ.setdefault("USER", str(os.getuid()))
