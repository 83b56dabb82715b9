"""What every job of the workflow does: a record of what it wrote, and a sentence if it fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from osteometa.run import manifest
from osteometa.run.failures import details_file, in_a_sentence
from osteometa.run.lock import shared_lock
from osteometa.run.preloaded import collect_rarely


@contextmanager
def job(snakemake: Any) -> Iterator[Path]:
    """Record the hashes of what a job read and wrote when it is done, or say why it failed.

    Gives the folder of the review, `root` of the rule's parameters.
    """
    collect_rarely()
    root = Path(snakemake.params.root)
    name = ".".join([snakemake.rule, *(str(value) for value in snakemake.wildcards)])
    with in_a_sentence(name), shared_lock():
        # Settings are not compared: what a job uses of them are its parameters. A file of settings
        # outside the review is not recorded: its path differs between computers.
        settings = set(getattr(snakemake.input, "config", ()))
        inputs = _inside(root, (p for p in snakemake.input if not Path(p).is_absolute()))
        compared = _inside(root, (p for p in snakemake.input if p not in settings))
        read = {**dict.fromkeys(inputs, ""), **manifest.hashes(compared, root)}
        manifest.forget(name, root)
        yield root
        manifest.record(name, _inside(root, snakemake.output), read, root)
    details_file(name).unlink(missing_ok=True)


def _inside(root: Path, paths: Iterable[str]) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in paths]
