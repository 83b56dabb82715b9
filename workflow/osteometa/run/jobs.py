"""What the adapters of the workflow share: a record around each job, one line of progress."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from osteometa.run import manifest


@contextmanager
def job(snakemake: Any, words: str) -> Iterator[Path]:
    """Run one job: say what it does, and record the hashes of what it wrote when it is done.

    Gives the folder of the review, `root` of the rule's parameters.
    """
    root = Path(snakemake.params.root)
    name = ".".join([snakemake.rule, *(str(value) for value in snakemake.wildcards)])
    # Line and end in one piece, so that those of two jobs at once do not run into each other.
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
    manifest.forget(name, root)
    yield root
    # Code lies outside the review and its path is the machine's: no part of the record.
    inputs = [path for path in snakemake.input if not Path(path).is_absolute()]
    manifest.record(name, _inside(root, snakemake.output), _inside(root, inputs), root)


def _inside(root: Path, paths: Iterable[str]) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in paths]
