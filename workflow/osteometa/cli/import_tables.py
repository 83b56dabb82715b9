"""The command `osteometa import`: a workbook of the tables, or a table from another source."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from osteometa.cli.review import RefusedError, folder_argument, require_config, source_arguments

if TYPE_CHECKING:
    from osteometa.exchange.proposal import Proposal

REMOVED = (
    "Removed rows are in the tables and not in the file. If the tables have changed since the file "
    "was written, write a new one."
)


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "import",
        help="bring a workbook, decisions or another table into the tables",
        description="Bring back the workbook that `osteometa workbook` wrote, or the one of "
        "`osteometa compare` with its decisions, or add the rows of a table from another source "
        "(CSV, Excel), with a mapping that says which column holds what; without --map a first "
        "mapping is guessed and written beside the table. What is added, changed and removed is "
        "shown, and problems at their cells, before anything is written; nothing is written while "
        "there is a problem.",
        epilog="Example: osteometa import review.xlsx. Exit status: 0 written or nothing to write, "
        "1 problems or no consent, 2 wrong usage.",
    )
    parser.add_argument("file", metavar="FILE", help="the workbook or table")
    folder_argument(parser)
    parser.add_argument("--map", metavar="FILE.yaml", help="which column of the table holds what")
    source_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show what a file would change in a review, and write it with consent."""
    path, directory = Path(arguments.file), Path(arguments.directory)
    require_config(directory)

    def proposal() -> Proposal | None:
        found = _of_workbook(path, directory) if arguments.map is None else None
        return found or _of_table(path, directory, arguments)

    return written(proposal, path, directory, yes=arguments.yes)


def _of_workbook(path: Path, directory: Path) -> Proposal | None:
    """Return what a workbook of the tables proposes; None for another file."""
    if path.suffix.lower() != ".xlsx":
        return None
    from osteometa.exchange.adjudication import decided, read_decisions
    from osteometa.exchange.proposal import propose
    from osteometa.exchange.reading import at_cells, read_workbook

    decisions = read_decisions(path)
    if decisions is not None:
        return decided(decisions, directory, path.name)
    sheets, found = read_workbook(path)
    if not sheets:
        return None
    return propose(directory, sheets, found, lambda some: at_cells(some, path.name, sheets))


def _of_table(path: Path, directory: Path, arguments: argparse.Namespace) -> Proposal | None:
    """Return what another table proposes; None if its mapping has now been written, to edit."""
    from osteometa.exchange.differences import read_sheets
    from osteometa.exchange.foreign import filled_heads, read_foreign
    from osteometa.exchange.guess import guess
    from osteometa.exchange.mapping import mapping_text, read_mapping
    from osteometa.exchange.proposal import propose
    from osteometa.exchange.rows import at_sources, rows_from
    from osteometa.io.csv_records import write_text
    from osteometa.io.problems import Problem, ProblemsFound
    from osteometa.io.sheet import SheetError
    from osteometa.protocol.config import load_config

    config = load_config(directory / "config.yaml")
    table = read_foreign(path, arguments.encoding, arguments.separator)
    mapping = Path(arguments.map or path.with_suffix(".map.yaml"))
    if arguments.map and not mapping.is_file():
        raise SheetError(f"There is no mapping {mapping}. Without --map a first one is guessed.")
    if not mapping.exists():
        fields = guess(filled_heads(table))
        unused = tuple(head for head in table.header if head not in {f.text for f in fields})
        text = mapping_text(path.name, fields, unused, config)
        write_text(mapping, text)
        print(f"{text}\nThis is {mapping}: what each column holds, as far as the heads show. "
              "Edit it, then give it with --map.")  # fmt: skip
        return None
    if arguments.map is None:
        message = "The mapping exists: give it with --map, or delete it for a new guess."
        raise ProblemsFound([Problem(file=mapping.name, code="E105", message=message)])
    fields = read_mapping(mapping, table.header, config)
    made = rows_from(table, fields, read_sheets(directory / "data" / "raw"), path.name)
    if made.problems:
        raise ProblemsFound(made.problems)
    names = path.name, mapping.name
    return propose(directory, made.sheets, (), lambda some: at_sources(some, made, fields, *names))


def written(make: Callable[[], Proposal | None], path: Path, directory: Path, *, yes: bool) -> int:
    """Write what a file proposes, with consent; return the exit status."""
    from osteometa.exchange.differences import differences_text, write_sheets
    from osteometa.io.problems import ProblemsFound, render
    from osteometa.io.sheet import SheetError

    try:
        proposal = make()
    except SheetError as error:
        raise RefusedError(f"{path}: {error}") from None
    except ProblemsFound as error:
        print(f"{error}Nothing was written.")
        return 1
    if proposal is None:
        return 0
    print(differences_text(proposal.differences), end="")
    if any(item.kind == "removed" for item in proposal.differences):
        print(REMOVED)
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
        print("osteometa: --yes is needed to write without a terminal.", file=sys.stderr)
        return False
    return input("Write this into the tables? [y/N] ").strip().lower() in ("y", "yes")
