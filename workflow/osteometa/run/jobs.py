"""What every job of the workflow does: a record of what it wrote."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from osteometa.run import manifest
from osteometa.run.progress import remedy_for


@contextmanager
def job(snakemake: Any) -> Iterator[Path]:
    """Record the hashes of what a job wrote when it is done, or say why it cannot write.

    Gives the folder of the review, `root` of the rule's parameters.
    """
    root = Path(snakemake.params.root)
    name = ".".join([snakemake.rule, *(str(value) for value in snakemake.wildcards)])
    try:
        manifest.forget(name, root)
        yield root
    except OSError as error:
        remedy = remedy_for(str(error))
        if not remedy:
            raise
        sys.exit(f"{error}. {remedy}")
    # A configuration file outside the review is not recorded: its path differs between computers.
    inputs = [path for path in snakemake.input if not Path(path).is_absolute()]
    manifest.record(name, _inside(root, snakemake.output), _inside(root, inputs), root)


def _inside(root: Path, paths: Iterable[str]) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in paths]
