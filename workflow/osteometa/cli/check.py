"""The command `osteometa check`: are the tables and config.yaml of a review in order."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="check tables and config.yaml, all problems at once",
        description="Check data/raw/*.csv and config.yaml of a review. Every problem is named with "
        "file, row as the spreadsheet counts it, study, column, value found, what is allowed and "
        "what to do. Nothing is written.",
        epilog="Exit status: 0 in order (warnings allowed), 1 problems, 2 wrong use.",
    )
    parser.add_argument(
        "directory", nargs="?", default=".", help="the review's folder (default: this one)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check a review and print what was found."""
    directory = Path(arguments.directory)
    if not (directory / "config.yaml").exists() and not (directory / "data" / "raw").is_dir():
        print(
            f"osteometa check: {directory} holds neither config.yaml nor data/raw. "
            "Name the folder of a review.",
            file=sys.stderr,
        )
        return 2
    from osteometa.validation.review import check_review, report_text

    outcome = check_review(directory)
    print(report_text(outcome, directory), end="")
    return 0 if outcome.passed else 1
