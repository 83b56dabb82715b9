"""The command `osteometa check`: whether tables and config.yaml of a review are valid."""

from __future__ import annotations

import argparse
from pathlib import Path

from osteometa.cli.review import RefusedError, folder_argument


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="check tables and config.yaml; all problems are reported at once",
        description="Check data/raw/*.csv and config.yaml of a review. Every problem is reported "
        "with file, row of the spreadsheet, study, column, the value found, what is allowed and "
        "what to do. Nothing is written.",
        epilog="Exit status: 0 no problem (warnings are allowed), 1 problems, 2 wrong usage.",
    )
    folder_argument(parser)
    words = "print new warnings as a table, with the cells that accepted_warnings.csv needs"
    parser.add_argument("--csv", action="store_true", help=words)


def run(arguments: argparse.Namespace) -> int:
    """Check a review and print its problems and warnings."""
    directory = Path(arguments.directory)
    if not (directory / "config.yaml").exists() and not (directory / "data" / "raw").is_dir():
        raise RefusedError(
            f"{directory} contains neither config.yaml nor data/raw. Give the folder of a review."
        )
    from osteometa.validation.review import check_review, report_text, warnings_text

    outcome = check_review(directory)
    table = arguments.csv and outcome.passed
    print(warnings_text(outcome.problems) if table else report_text(outcome, directory), end="")
    return 0 if outcome.passed else 1
