"""The command `osteometa compare`: where two reviewers differ, and how far they agree."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from osteometa.cli.review import RefusedError

if TYPE_CHECKING:
    from osteometa.exchange.disagreements import Disagreement
    from osteometa.extraction.tables import Tables


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "compare",
        help="list where the tables of two reviewers differ, by weight, to adjudicate",
        description="List each cell and row in which two sets of tables differ, sorted by what it "
        "does alone to the primary estimates of the first: effects that enter or leave a pool, "
        "then the shift of an estimate in widths of its interval. Agreement is given by column and "
        "as a sentence for the methods paragraph. The settings are those of config.yaml beside the "
        "tables of A, of B, or in this folder.",
        epilog="Example: osteometa compare anna ben --out adjudicate.xlsx, then enter decisions "
        "and osteometa import adjudicate.xlsx FOLDER. Exit status: 0 compared, 1 tables cannot be "
        "read, 2 wrong usage.",
    )
    parser.add_argument("a", metavar="A", help="folder of a review, or of its tables")
    parser.add_argument("b", metavar="B", help="the same of the second reviewer")
    parser.add_argument(
        "--out", metavar="FILE.xlsx", help="write the differences as a workbook to decide in"
    )


def run(arguments: argparse.Namespace) -> int:
    """Compare two sets of tables."""
    folders = Path(arguments.a), Path(arguments.b)
    out = Path(arguments.out) if arguments.out else None
    if out is not None and out.suffix.lower() != ".xlsx":
        raise RefusedError("the name of the file must end in .xlsx.")
    raws = [folder / "data/raw" if (folder / "data/raw").is_dir() else folder for folder in folders]
    for raw in raws:
        if not (raw / "studies.csv").is_file():
            raise RefusedError(f"{raw} contains no studies.csv.")
    configs = [folder / "config.yaml" for folder in (*folders, Path())]
    path = next((path for path in configs if path.is_file()), None)
    if path is None:
        raise RefusedError("no config.yaml in A, in B or in this folder.")
    from osteometa.exchange.agreement import agreement, agreement_text, methods_sentence
    from osteometa.exchange.disagreements import disagreements, likely_same, with_consequences
    from osteometa.io.problems import ProblemsFound
    from osteometa.protocol.config import load_config

    try:
        config = load_config(path)
        a, b = (_tables(raw) for raw in raws)
    except ProblemsFound as error:
        print(error, file=sys.stderr, end="")
        return 1
    found = list(disagreements(a, b))
    items = with_consequences(found, a, config, _progress(len(found)))
    print(_text(items), end="")
    for one, other in likely_same(found):
        print(f"Likely the same in {one.table}.csv: {one.row_key} (A) and {other.row_key} (B). "
              "Use one name in both, then compare again.")  # fmt: skip
    columns = agreement(a, b, config)
    print(f"\nAgreement\n{agreement_text(columns)}\n{methods_sentence(columns, items)}")
    if out is not None:
        from osteometa.exchange.adjudication import adjudication_book
        from osteometa.io.csv_records import write_whole

        write_whole(out, adjudication_book(items, f"Differences: {config.title}"))
        print(f"{out} is written.", file=sys.stderr)
    return 0


def _tables(raw: Path) -> Tables:
    """Return the tables of a folder, all cells of which can be read."""
    from osteometa.extraction.reading import read_raw
    from osteometa.io.problems import ProblemsFound, errors_of

    tables, problems = read_raw(raw)
    wrong = [replace(p, file=str(raw / Path(p.file).name)) for p in errors_of(problems)]
    # A second reviewer may have extracted some of the tables only: the others are empty.
    wrong = [p for p in wrong if p.code != "E101" or Path(p.file).is_file()]
    if wrong:
        raise ProblemsFound(wrong)
    return tables


def _progress(total: int):
    """Return what shows in a terminal how many differences are done."""

    def show(number: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if number == total else ""
            print(f"\r{number} of {total} differences computed", end=end, file=sys.stderr)

    return show


def _text(items: list[Disagreement]) -> str:
    """Return the differences as lines for reviewers."""
    from osteometa.io.cell_text import visible
    from osteometa.io.problems import counted

    if not items:
        return "No cell differs.\n"
    moving = sum(any(item.weight) for item in items)
    lines = [f"{counted(len(items), 'difference')}, {moving} of them with a consequence"]
    for item in items:
        place = f"{item.table} {item.row_key}"
        if item.column:
            values = [f"'{text}'" if text else "(empty)" for text in (item.a, item.b)]
            lines.append(f"  {place} {item.column}: A {values[0]}, B {values[1]}")
        else:
            lines.append(f"  {place}: only in {item.only_in} ({counted(len(item.rows), 'row')})")
        if item.consequence:
            lines.append(f"      {item.consequence}")
    return visible("\n".join(lines)) + "\n"
