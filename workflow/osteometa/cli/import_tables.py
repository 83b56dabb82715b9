"""The command `osteometa import`: a workbook of the tables brought back into a review."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osteometa.exchange.proposal import Proposal


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "import",
        help="bring a workbook back into the tables",
        description="Bring back the workbook that `osteometa workbook` wrote. What is added, "
        "changed and removed is shown, and problems at their cells, before anything is written; "
        "nothing is written while there is a problem.",
        epilog="Example: osteometa import review.xlsx. Exit status: 0 written or nothing to write, "
        "1 problems or no consent, 2 wrong usage.",
    )
    parser.add_argument("file", metavar="FILE.xlsx", help="the workbook")
    parser.add_argument(
        "directory", nargs="?", default=".", help="the review's folder (default: this one)"
    )
    parser.add_argument("--yes", action="store_true", help="write without asking")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show what a file would change in a review, and write it with consent."""
    path, directory = Path(arguments.file), Path(arguments.directory)
    if not (directory / "config.yaml").exists():
        print(f"osteometa import: {directory} contains no config.yaml.", file=sys.stderr)
        return 2
    from osteometa.exchange.proposal import propose
    from osteometa.exchange.reading import at_cells, read_workbook
    from osteometa.io.sheet import SheetError

    try:
        sheets, found = read_workbook(path)
        if not sheets:
            raise SheetError("No sheet has the name of a table, such as studies or measurements.")
        proposal = propose(
            directory, sheets, found, lambda problems: at_cells(problems, path.name, sheets)
        )
    except SheetError as error:
        print(f"osteometa import: {path}: {error}", file=sys.stderr)
        return 2
    return _written(proposal, directory, yes=arguments.yes)


def _written(proposal: Proposal, directory: Path, *, yes: bool) -> int:
    """Write a proposal without problems, with consent; return the exit status."""
    from osteometa.exchange.differences import differences_text, write_sheets
    from osteometa.io.problems import render

    print(differences_text(proposal.differences), end="")
    if proposal.problems:
        print(render(proposal.problems), end="")
    if not proposal.passed:
        print("Nothing was written. Correct the problems and import the file again.")
        return 1
    if proposal.differences and not yes and not _consent():
        print("Nothing was written.")
        return 1
    write_sheets(directory / "data" / "raw", proposal.sheets)
    if proposal.differences:
        print("The tables are written.")
    return 0


def _consent() -> bool:
    """Ask in a terminal; elsewhere `--yes` is needed."""
    if not sys.stdin.isatty():
        print("osteometa import: --yes is needed to write without a terminal.", file=sys.stderr)
        return False
    return input("Write this into the tables? [y/N] ").strip().lower() in ("y", "yes")
