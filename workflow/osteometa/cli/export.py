"""The command `osteometa export`: what authors hand in, from a finished run."""

from __future__ import annotations

import argparse
from pathlib import Path

from osteometa.cli.review import RefusedError, folder_argument, require_config, require_module

FORMATS = ("pdf", "svg", "png", "tiff")


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "export",
        help="write Word, Excel, PDF, references and numbered figures of a finished run",
        description="Write manuscript.docx (tables, methods, checklists), tables.xlsx, "
        "supplement.pdf, references.ris and .bib, and the folder figures from "
        "a finished run. Nothing is computed.",
        epilog="Example: osteometa export my_review --figures 'Fig{n}' --format pdf,tiff. Exit "
        "status: 0 written, 1 no finished run, 2 wrong usage.",
    )
    folder_argument(parser)
    parser.add_argument("--to", metavar="OUT", help="folder to write to (default: FOLDER/export)")
    parser.add_argument(
        "--figures", default="Figure_{n}", metavar="PATTERN",
        help="names of figures; {n} is 1, 2, ... or S1, S2, ... (default: Figure_{n})",
    )  # fmt: skip
    parser.add_argument(
        "--format", default="pdf", metavar="LIST",
        help="formats of figures, with commas: pdf (default), svg, png (300 dpi), tiff (600 dpi)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Write the files and print their names."""
    root = Path(arguments.directory)
    formats = [word.strip().lower() for word in arguments.format.split(",")]
    unknown = [word for word in formats if word not in FORMATS]
    require_config(root)
    if unknown:
        raise RefusedError(f"no format '{unknown[0]}'. There are: {', '.join(FORMATS)}.")
    if "{n}" not in arguments.figures or Path(arguments.figures).name != arguments.figures:
        raise RefusedError("--figures needs a file name with {n}, for instance Figure_{n}.")
    require_module("openpyxl", "exchange")
    from osteometa.export.files import write_export
    from osteometa.export.finished import NotFinishedError

    out = Path(arguments.to) if arguments.to else root / "export"
    try:
        for path in write_export(root, out, pattern=arguments.figures, formats=formats):
            print(path)
    except NotFinishedError as reason:
        raise RefusedError(str(reason), 1) from None
    return 0
