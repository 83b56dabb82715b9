"""The command `osteometa new`: the folder of a new review."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Collection
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from osteometa.cli.review import RefusedError
from osteometa.extraction.units import QUANTITIES
from osteometa.io.problems import suggestion
from osteometa.wording.choices import COMPARISONS, EXERCISE_TYPES

if TYPE_CHECKING:
    from osteometa.protocol.new_review import NewReview

NAMES = ("config.yaml", "data", "README.md", ".gitignore", "tables.xlsx")
"""What a new review has in its folder."""
Answer = TypeVar("Answer")


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "new",
        help="make the folder of a new review: config.yaml, empty tables, README",
        description="Make the folder of a new review: a short config.yaml, empty tables and a "
        "README. In a terminal, without a title or an outcome, what is not given is asked.",
        epilog="Example: osteometa new my_review --title 'Exercise and P1NP' --outcome P1NP "
        "concentration ug/L serum,plasma --outcome BMD areal_density g/cm2 areal lumbar_spine "
        "--subgroup weeks=26,52. Exit status: 0 made, 1 a review is there, 2 wrong usage.",
    )
    parser.add_argument("directory", metavar="FOLDER", help="folder of the review")
    parser.add_argument("--title", help="heads the report")
    parser.add_argument(
        "--outcome", nargs="+", action="append", metavar="WORD",
        help="name, kind of quantity, unit, what exactly is measured (several: serum,plasma), and "
        "sites if it has any; repeated for each outcome; kinds, of which other has no unit: "
        f"{', '.join(QUANTITIES)}",
    )  # fmt: skip
    parser.add_argument(
        "--exercise", action="append", choices=EXERCISE_TYPES,
        help="an exercise type in the review; repeated (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--subgroup", action="append", metavar="COLUMN[=BOUNDS]",
        help="further subgroups, for instance sex or weeks=26,52; repeated",
    )  # fmt: skip
    parser.add_argument(
        "--compare", action="append", choices=COMPARISONS,
        help="what the planned analyses compare: a programme (training) or a single bout (acute), "
        "with a comparator (controlled) or before and after in one arm (within_arm); repeated "
        f"(default: {COMPARISONS[0]})",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Make the folder, or say why not."""
    from osteometa.protocol.new_review import files_of

    folder = Path(arguments.directory)
    there = [path for path in (folder / name for name in NAMES) if path.exists()]
    there += [path for path in (folder, *folder.parents) if path.is_file()]
    if there:
        what = "is a file" if there[0] in (folder, *folder.parents) else "exists already"
        raise RefusedError(f"{there[0]} {what}. Give another folder.", 1)
    try:
        review = review_of(arguments)
        files = files_of(review)
    except ValueError as refusal:
        raise RefusedError(str(refusal)) from None
    except EOFError:
        raise RefusedError("stopped before the last answer. Nothing was written.") from None
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Made beside its place and moved there whole.
    place = folder if folder.exists() else folder.parent
    with tempfile.TemporaryDirectory(prefix=".new_review_", dir=place) as name:
        made = Path(name, "review")
        problems = _write(made, files)
        if problems:
            raise RefusedError(f"config.yaml would be wrong:\n{problems}")
        folder.mkdir(exist_ok=True)
        for path in list(made.iterdir()):
            path.rename(folder / path.name)
    for outcome in review.outcomes:
        print(outcome.words())
    print(
        f"{folder} is made: read {folder / 'README.md'}, enter a study, then: "
        f"osteometa run {shlex.quote(str(folder))}"
    )
    return 0


def _write(folder: Path, files: dict[str, str]) -> str:
    """Write the files of a review and return what a check finds in them."""
    from osteometa.io.csv_records import write_text, write_whole
    from osteometa.validation.review import check_review, report_text

    for name, text in files.items():
        write_text(folder / name, text)
    outcome = check_review(folder)
    if outcome.config is not None and outcome.passed and find_spec("openpyxl"):
        from osteometa.exchange.differences import read_sheets
        from osteometa.exchange.workbook import workbook_of

        sheets = read_sheets(folder / "data/raw")
        made = workbook_of(sheets, outcome.config, outcome.config.title)
        write_whole(folder / "tables.xlsx", made)
    return "" if outcome.passed else report_text(outcome, folder)


def review_of(arguments: argparse.Namespace) -> NewReview:
    """Return what options and answers say; a ValueError says what is missing or wrong."""
    from osteometa.protocol.new_review import NewReview, outcome_of, subgroup_of, title_of

    if not (arguments.title and arguments.outcome):
        if not sys.stdin.isatty():
            raise ValueError("give --title and --outcome (see osteometa new --help).")
        _ask(arguments)
    outcomes = [outcome_of(words) for words in arguments.outcome]
    return NewReview(
        title=title_of(arguments.title),
        outcomes=tuple(outcomes),
        exercise_types=tuple(arguments.exercise or EXERCISE_TYPES),
        subgroups=dict(subgroup_of(text) for text in arguments.subgroup or ()),
        comparisons=tuple(dict.fromkeys(arguments.compare or COMPARISONS[:1])),
    )


def _ask(arguments: argparse.Namespace) -> None:
    """Ask for the options that were not given."""
    from osteometa.protocol.new_review import name_of, subgroup_of

    arguments.title = arguments.title or _answer("Title of the review", _needed)
    if not arguments.outcome:
        first = _ask_outcome("Outcome, for instance P1NP", lambda text: name_of(_needed(text)))
        question = "Another outcome (empty: no more)"
        arguments.outcome = [first]
        while more := _ask_outcome(question, lambda text: text and name_of(text)):
            arguments.outcome.append(more)
    if not arguments.exercise:
        question = f"Exercise types in the review: {', '.join(EXERCISE_TYPES)} (empty: all)"
        among = partial(_among, known=EXERCISE_TYPES, what="exercise type")
        arguments.exercise = _answer(question, among)
    if not arguments.compare:
        question = (
            "What is compared: a programme (training) or a single bout (acute), with a comparator "
            f"(controlled) or within one arm: {', '.join(COMPARISONS)} (empty: {COMPARISONS[0]})"
        )
        among = partial(_among, known=COMPARISONS, what="comparison")
        arguments.compare = _answer(question, among)
    if not arguments.subgroup:
        question = "Subgroups beside them, for instance: sex weeks=26,52 (empty: none)"
        arguments.subgroup = _answer(question, lambda text: _each(text.split(), subgroup_of))


def _ask_outcome(question: str, check: Callable[[str], str]) -> list[str]:
    from osteometa.extraction.units import units_of
    from osteometa.protocol.new_review import analytes_of, name_of, quantity_of, unit_of

    name = _answer(question, check)
    if not name:
        return []
    kind = _answer(f"  Kind of quantity: {', '.join(QUANTITIES)}", quantity_of)
    question = f"  Unit: {', '.join(units_of(kind))}"
    unit = [_answer(question, lambda text: unit_of(text, kind))] if units_of(kind) else []
    what = _answer(
        "  What exactly is measured (never pooled together), for instance: serum, plasma",
        lambda text: ",".join(analytes_of(text)),
    )
    sites = _answer(
        "  Sites, for instance: lumbar_spine femoral_neck (empty: none)",
        lambda text: _each(text.split(), name_of),
    )
    return [name, kind, *unit, what, *sites]


def _answer(question: str, make: Callable[[str], Answer]) -> Answer:
    """Ask until the answer can be read."""
    while True:
        try:
            return make(input(f"{question}: ").strip())
        except ValueError as refusal:
            print(refusal)


def _needed(text: str) -> str:
    if not text:
        raise ValueError("An answer is needed.")
    return text


def _among(text: str, known: Collection[str], what: str) -> list[str]:
    """Return words that are all known."""
    words = text.replace(",", " ").split()
    for word in words:
        if word not in known:
            raise ValueError(f"'{word}' is no {what}. {suggestion(word, known)}")
    return words


def _each(words: list[str], check: Callable[[str], object]) -> list[str]:
    """Return words that all pass a check."""
    for word in words:
        check(word)
    return words
