"""The commands outside the workflow: osteometa check, escalc, figure, pool, wanted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from osteometa import __version__
from osteometa.cli import check, escalc, figure, pool, wanted


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 for success, 1 for problems found, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="osteometa",
        description="Reproducible meta-analysis: check tables, derive and pool effects.",
        epilog="A whole review is run with `make` (or `snakemake`).",
    )
    parser.add_argument("--version", action="version", version=f"osteometa {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (check, escalc, figure, pool, wanted):
        command.add_parser(commands)
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130
