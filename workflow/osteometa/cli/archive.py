"""The command `osteometa archive`: a finished run as one file that others can rerun."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from osteometa.cli.review import RefusedError, folder_argument, require_config, require_module


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "archive",
        help="pack a finished run as an RO-Crate: tables, settings, results, versions",
        description="Pack tables, config.yaml, results and software versions of a finished run "
        "into one zip with a description of what was made from what (RO-Crate 1.2). LICENSE and "
        "CITATION.cff of the review's folder are included.",
        epilog="Exit status: 0 written, 1 no finished run, 2 wrong usage.",
    )
    folder_argument(parser)
    parser.add_argument("--out", metavar="FILE", help="zip to write (default: FOLDER/archive.zip)")
    parser.add_argument(
        "--date", default="", metavar="YYYY-MM-DD",
        help="date of publication (default: the day on which the run was finished)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Write the archive and print its name."""
    root = Path(arguments.directory)
    require_config(root)
    try:
        published = date.fromisoformat(arguments.date).isoformat() if arguments.date else ""
    except ValueError:
        raise RefusedError(f"--date {arguments.date} is no date such as 2026-11-30.") from None
    require_module("rocrate", "exchange")
    from osteometa.export.archive import NO_LICENCE, archive_of
    from osteometa.export.finished import NotFinishedError
    from osteometa.io.csv_records import write_whole

    out = Path(arguments.out) if arguments.out else root / "archive.zip"
    try:
        write_whole(out, archive_of(root, published))
    except NotFinishedError as reason:
        raise RefusedError(str(reason), 1) from None
    print(out)
    if not (root / "LICENSE").is_file():
        print(f"There is no file LICENSE in {root}; the archive says: {NO_LICENCE}")
    return 0
