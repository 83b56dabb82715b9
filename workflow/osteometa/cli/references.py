"""The command `osteometa references`: files of references and screening exports, in and out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from osteometa.cli.review import RefusedError, folder_argument, require_config, source_arguments

if TYPE_CHECKING:
    from osteometa.exchange.proposal import Proposal


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "references",
        help="bring in references or screening counts, or write the studies as references",
        description="Add a study for each new reference of a RIS, BibTeX or NBIB file; with "
        "--screening take the counts of the PRISMA flow from an export of Rayyan, ASReview or "
        "Covidence; with --out write the studies as references. What would change is shown before "
        "anything is written.",
        epilog="Example: osteometa references pubmed.nbib --design rct --include yes. Exit status: "
        "0 written or nothing to write, 1 problems or no consent, 2 wrong usage.",
    )
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="references, or with --screening an export"
    )
    folder_argument(parser)
    parser.add_argument(
        "--design", choices=("rct", "crossover_rct", "nrct", "uncontrolled"),
        help="design of all new studies, which a reference does not state",
    )  # fmt: skip
    parser.add_argument("--include", choices=("yes", "no"), help="whether they are in the review")
    parser.add_argument("--reason", default="", help="why not, with --include no")
    words = "what was screened: titles and abstracts, or full reports"
    parser.add_argument("--screening", choices=("titles", "reports"), help=words)
    source_arguments(parser)
    parser.add_argument("--out", metavar="FILE", help="the .ris or .bib file to write")
    parser.add_argument("--which", choices=("included", "excluded", "all"), default="included",
                        help="studies to write (default: included)")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Bring references in, or write them."""
    from osteometa.cli.import_tables import written

    if arguments.out and arguments.file:  # the only word is then the folder
        arguments.directory = arguments.file
    elif not arguments.out and not arguments.file:
        raise RefusedError("name a FILE, or --out FILE.")
    directory = Path(arguments.directory)
    require_config(directory)

    path = Path(arguments.out or arguments.file)

    def proposal() -> Proposal | None:
        make = _out if arguments.out else _in
        return make(path, directory, arguments)

    return written(proposal, path, directory, yes=arguments.yes)


def _in(path: Path, directory: Path, arguments: argparse.Namespace) -> Proposal:
    """Return what a file proposes; RefusedError if design or include is not stated."""
    from osteometa.exchange.differences import read_sheets
    from osteometa.exchange.proposal import propose
    from osteometa.exchange.references import new_studies, read_references
    from osteometa.exchange.screening import counts, read_screening, with_counts

    own = read_sheets(directory / "data" / "raw")
    if arguments.screening:
        screened = read_screening(path, arguments.encoding, arguments.separator)
        rows = counts(screened, arguments.screening)
        for row in rows:
            print(f"{row['box']:<20}{row['n']:>7}  {row.get('reason', '')}".rstrip())
        return propose(directory, {"prisma": with_counts(own["prisma"], rows)})
    stated = {"design": arguments.design or "", "include": arguments.include or "",
              "exclude_reason": arguments.reason}  # fmt: skip
    table, duplicates = new_studies(read_references(path), own["studies"], stated, path.name)
    print("".join(f"{line}\n" for line in duplicates), end="")
    new = table.rows[len(own["studies"].rows) :]
    for _, line in new:
        cells = dict(zip(table.header, line, strict=True))
        print(f"{cells['study_id']}: {cells['title'].rstrip('.')}. {cells['journal']} "
              f"doi {cells['doi'] or '-'}, pmid {cells['pmid'] or '-'}")  # fmt: skip
    if new and not (arguments.design and arguments.include):
        raise RefusedError(
            "nothing was written. A reference does not state design and include: state --design "
            "and --include for all of them, and correct single ones afterwards."
        )
    return propose(directory, {"studies": table})


def _out(path: Path, directory: Path, arguments: argparse.Namespace) -> None:
    """Write studies as references."""
    from osteometa.exchange.references import references_text
    from osteometa.extraction.reading import read_raw
    from osteometa.io.csv_records import write_text
    from osteometa.io.problems import ProblemsFound, counted, errors_of

    if path.suffix.lower() not in (".ris", ".bib"):
        raise RefusedError("the name must end in .ris or .bib.")
    tables, problems = read_raw(directory / "data" / "raw")
    wrong = [problem for problem in errors_of(problems) if problem.in_table == "studies"]
    if wrong:
        raise ProblemsFound(wrong)
    words = {"included": ("yes",), "excluded": ("no",), "all": ("yes", "no")}[arguments.which]
    studies = [study for study in tables.studies if study.include in words]
    write_text(path, references_text(studies, path.suffix.lower()))
    print(f"{counted(len(studies), 'reference')} written to {path}.", file=sys.stderr)
