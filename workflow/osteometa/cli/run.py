"""The command `osteometa run`: the whole review, by the workflow in the package."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec

from osteometa.cli.review import folder_argument, without_config


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        help="run a review: tables to results and report",
        description="Check the tables of a review and make all its results and the report. Only "
        "what a change affects is made anew.",
        epilog="Arguments after -- are passed to Snakemake: osteometa run -- --forceall",
    )
    folder_argument(parser)
    parser.add_argument("--cores", type=int, metavar="N", help="use N cores (default: all)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Replace this process by the run; its status is that of the command."""
    if without_config(arguments.directory, "run"):
        return 2
    if find_spec("snakemake") is None:
        print(
            "osteometa run: Snakemake is not installed. Install osteometa with its extra: "
            "[workflow].",
            file=sys.stderr,
        )
        return 2
    sys.stdout.flush()
    os.execv(
        sys.executable, [sys.executable, "-m", "osteometa.run", *snakemake_arguments(arguments)]
    )


def snakemake_arguments(arguments: argparse.Namespace) -> list[str]:
    """Return what Snakemake is given."""
    from osteometa.run.code import workflow_home

    home = workflow_home()
    cores = ["--cores", str(arguments.cores)] if arguments.cores else []
    return [
        "--snakefile", str(home / "Snakefile"),
        "--workflow-profile", str(home / "profiles/default"),
        "--directory", arguments.directory, *cores, *arguments.passed,
    ]  # fmt: skip
