"""What people run outside the workflow: osteometa check, escalc, figure, pool, wanted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from osteometa import __version__
from osteometa.cli import check, escalc, figure, pool, wanted


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 if all is well, 1 for problems found, 2 for wrong use."""
    parser = argparse.ArgumentParser(
        prog="osteometa",
        description="Meta-analysis of exercise and bone: look at tables, effects and pools.",
        epilog="The whole review runs with `make` (or `snakemake`).",
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
