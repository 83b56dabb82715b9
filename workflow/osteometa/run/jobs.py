"""What every job of the workflow does: one line of progress, and a record of what it wrote."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from osteometa.run import manifest


@contextmanager
def job(snakemake: Any, words: str) -> Iterator[Path]:
    """Print what a job does, and when it is done record the hashes of what it wrote.

    Gives the folder of the review, `root` of the rule's parameters.
    """
    root = Path(snakemake.params.root)
    name = ".".join([snakemake.rule, *(str(value) for value in snakemake.wildcards)])
    # Line and line end in one piece, so that the lines of two jobs do not mix.
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
    manifest.forget(name, root)
    yield root
    # Code is outside the review, and its path differs between computers: not recorded.
    inputs = [path for path in snakemake.input if not Path(path).is_absolute()]
    manifest.record(name, _inside(root, snakemake.output), _inside(root, inputs), root)


def _inside(root: Path, paths: Iterable[str]) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in paths]
