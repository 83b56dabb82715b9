"""The command `osteometa wanted`: a request for missing data, or what data would open."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osteometa.cli.review import RefusedError, checked_review

if TYPE_CHECKING:
    from osteometa.derivation.wanted import Wanted
    from osteometa.extraction.tables import Measurement
    from osteometa.protocol.config import Config
    from osteometa.records.ledger import WantedRow


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "wanted",
        help="write a request for missing data to the authors of a study",
        description="For each outcome of a study that cannot be pooled because numbers are "
        "missing: the smallest sets of numbers that would suffice, and a table to complete. Its "
        "columns are those of measurements.csv, so the completed rows can be added to that file. "
        "Without STUDY: the numbers that would open a further analysis, planned or not, because "
        "fewer than two studies are pooled in it.",
        epilog="Example: osteometa wanted karaarslan_2010 > request.txt. Exit status: 0 written, "
        "1 the tables have problems, 2 no such study.",
    )
    parser.add_argument("study", metavar="STUDY", nargs="?", help="study_id of studies.csv")
    parser.add_argument("--directory", default=".", help="the review's folder (default: this one)")


def run(arguments: argparse.Namespace) -> int:
    """Print the request, or what would open a further analysis."""
    from osteometa.derivation.derive import derive
    from osteometa.derivation.wanted import wanted_in, wanted_rows
    from osteometa.io.problems import suggestion

    outcome = checked_review(arguments.directory)
    known = [study.study_id for study in outcome.tables.studies]
    if arguments.study and arguments.study not in known:
        near = suggestion(arguments.study, known)
        raise RefusedError(f"no study '{arguments.study}' in studies.csv. {near}")
    found = wanted_in(derive(outcome.tables, outcome.config), outcome.config)
    if not arguments.study:
        print(openings(wanted_rows(found, outcome.config)), end="")
        return 0
    found = [item for item in found if item.comparison.study.study_id == arguments.study]
    if found:
        print(request(found, outcome.config), end="")
    else:
        words = "no missing numbers would add it to an analysis of config.yaml"
        print(f"{arguments.study}: {words}", file=sys.stderr)
    return 0


def openings(rows: Sequence[WantedRow]) -> str:
    """Return the smallest set of numbers of each arm that would open an analysis, one per line."""
    lines = []
    for row in rows:
        if not row.opens or row.alternative > 1:
            continue
        place = (row.analyte, row.site, row.phase, row.window, row.design_class)
        which = row.synthesis or f"not planned: {', '.join(part for part in place if part)}"
        another = " (with another study)" if row.opens == "with_another" else ""
        lines.append(f"{row.study_id}, {row.arm_id}: {which}{another}: {row.missing}\n")
    return "".join(lines) or "no missing numbers would open a further analysis\n"


def request(found: Sequence[Wanted], config: Config) -> str:
    """Return a request that can be sent to the authors of a study."""
    from osteometa.derivation.wanted import asked_rows

    study = found[0].comparison.study
    reference = ", ".join(part for part in (study.title, study.journal, study.doi) if part)
    lines = [
        f"To the authors of {study.label}" + (f" ({reference})" if reference else ""),
        "",
        *_paragraph(
            f"We are preparing a systematic review, {config.title}. Your study is eligible, but it "
            "cannot be included in the meta-analysis, because some numbers are not in the text "
            "available to us. We would be grateful for the following:"
        ),
    ]
    for number, item in enumerate(found, start=1):
        lines += ["", *_one(number, item, config)]
    rows = asked_rows(found, config)
    if not rows:
        return "\n".join([*lines, ""])
    lines += [
        "",
        *_paragraph(
            "A table to complete follows. Please give n, the mean and its standard deviation (sd) "
            "or standard error (se), before and after, of the participants analysed, and the unit. "
            "Leave empty what is not available."
        ),
        "",
        table(rows),
    ]
    return "\n".join(lines)


def _paragraph(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, 96, initial_indent=indent, subsequent_indent=indent)


def _one(number: int, item: Wanted, config: Config) -> list[str]:
    from osteometa.derivation.missing_data import unit_of, words_of

    comparison = item.comparison
    outcome = config.outcomes[comparison.outcome].label
    place = f", {comparison.site.replace('_', ' ')}" if comparison.site else ""
    against = comparison.control.label if comparison.control else "its own baseline"
    unit = unit_of(comparison, config)
    lines = _paragraph(
        f"{number}. {outcome}{place}: {comparison.arm.label} compared with {against}, "
        f"{comparison.timepoint.replace('_', ' ')} (unit: {unit or 'as measured'})"
    )
    first, *others = (words_of(comparison, chosen) for chosen in item.sets)
    lines += _paragraph(first, "   ")
    lines += [line for words in others for line in _paragraph(f"or {words}", "   ")]
    return lines


def table(rows: Sequence[Measurement]) -> str:
    """Return rows of measurements.csv with reported values, and empty cells for missing ones."""
    from osteometa.io.csv_records import csv_text

    columns = rows[0].columns()
    return csv_text(columns, ([row.text_of(name) for name in columns] for row in rows))
