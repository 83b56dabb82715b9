"""The commands outside the workflow: osteometa check, diff, explain, figure, plan, pool, wanted."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from osteometa import __version__
from osteometa.cli import check, diff, explain, figure, plan, pool, wanted
from osteometa.run.failures import in_a_sentence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 for success, 1 for problems found, 2 for wrong usage.

    A failure ends the process with one sentence and status 1.
    """
    parser = argparse.ArgumentParser(
        prog="osteometa",
        description="Reproducible meta-analysis: check tables, derive and pool effects.",
        epilog="A whole review is run with `make` (or `snakemake`).",
    )
    parser.add_argument("--version", action="version", version=f"osteometa {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (check, diff, explain, figure, plan, pool, wanted):
        command.add_parser(commands)
    try:
        arguments = parser.parse_args(argv)
        with in_a_sentence(arguments.command, f"osteometa {arguments.command}: "):
            status = arguments.run(arguments)
            sys.stdout.flush()
            return status
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130
    finally:
        _give_up_output()


def _give_up_output() -> None:
    """Leave nothing to write that would fail once more when Python ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
