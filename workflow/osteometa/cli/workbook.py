"""The command `osteometa workbook`: the tables of a review as one Excel workbook."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from osteometa.cli.review import RefusedError, config_in, folder_argument, require_config

if TYPE_CHECKING:
    from osteometa.exchange.differences import Sheets


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "workbook",
        help="write the tables as one Excel workbook, to fill in and import",
        description="Write data/raw/*.csv of a review as one workbook: a sheet per table, with "
        "lists of what is allowed, needed columns marked, and what each column holds. "
        "`osteometa import FILE.xlsx` brings it back.",
        epilog="Example: osteometa workbook --out review.xlsx. Exit status: 0 written, 1 the "
        "tables cannot be read, 2 wrong usage.",
    )
    folder_argument(parser)
    parser.add_argument("--out", required=True, metavar="FILE.xlsx", help="the file to write")


def run(arguments: argparse.Namespace) -> int:
    """Write the workbook of a review."""
    out, directory = Path(arguments.out), Path(arguments.directory)
    raw = directory / "data" / "raw"
    if out.suffix.lower() != ".xlsx":
        raise RefusedError("the name of the file must end in .xlsx.")
    require_config(directory)
    from osteometa.exchange.differences import read_sheets
    from osteometa.exchange.workbook import workbook_of
    from osteometa.extraction.reading import read_raw
    from osteometa.io.csv_records import write_whole
    from osteometa.io.problems import render

    config = config_in(directory)
    # A missing table becomes an empty sheet; a wrong cell may be corrected in the workbook.
    unread = [problem for problem in read_raw(raw)[1]
              if problem.code == "E101" and (raw / Path(problem.file).name).is_file()]  # fmt: skip
    if unread:
        print(render(unread), file=sys.stderr, end="")
        return 1
    sheets = read_sheets(raw)
    if out.exists():
        _check_that_nothing_is_lost(out, sheets)
    write_whole(out, workbook_of(sheets, config, config.title))
    print(f"{out} is written.", file=sys.stderr)
    return 0


def _check_that_nothing_is_lost(out: Path, sheets: Sheets) -> None:
    """Refuse to write over a file with other cells than the tables have."""
    from osteometa.exchange.differences import differences
    from osteometa.exchange.reading import read_workbook
    from osteometa.io.sheet import SheetError

    try:
        held, _ = read_workbook(out)
    except SheetError:
        held = {}
    if not held:
        raise RefusedError(f"{out} is there and holds no tables of a review. Give another name.")
    if differences(sheets, held):
        raise RefusedError(
            f"{out} is there and differs from the tables. Import it or delete it first, or give "
            "another name."
        )
