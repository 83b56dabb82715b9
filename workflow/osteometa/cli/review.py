"""What the commands on studies of a review have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osteometa.validation.review import CheckedReview


class RefusedError(Exception):
    """A command cannot be carried out: the reason in words, and the exit status."""

    def __init__(self, words: str = "", status: int = 2):
        super().__init__(words)
        self.status = status


def folder_argument(parser: argparse.ArgumentParser) -> None:
    """Add the folder of a review to a command."""
    parser.add_argument(
        "directory", nargs="?", default=".", metavar="FOLDER",
        help="the review's folder (default: this one)",
    )  # fmt: skip


def without_config(directory: str | Path, command: str) -> bool:
    """Return whether a folder is no review, and print so."""
    if (Path(directory) / "config.yaml").is_file():
        return False
    print(
        f"osteometa {command}: {directory} contains no config.yaml. Give the folder of a review, "
        "or make one: osteometa new FOLDER.",
        file=sys.stderr,
    )
    return True


def review_with(studies: Sequence[str], directory: str, command: str) -> CheckedReview:
    """Return a review without problems that has the studies.

    Problems, and unknown studies with a suggestion, are printed before RefusedError is raised.
    """
    from osteometa.io.problems import suggestion
    from osteometa.validation.review import check_review, report_text

    if without_config(directory, command):
        raise RefusedError
    outcome = check_review(directory)
    if outcome.checked is None:
        print(report_text(outcome, directory), end="", file=sys.stderr)
        raise RefusedError(status=1)
    known = [study.study_id for study in outcome.checked.tables.studies]
    unknown = [name for name in studies if name not in known]
    for name in unknown:
        near = suggestion(name, known)
        print(f"osteometa {command}: no study '{name}' in studies.csv. {near}", file=sys.stderr)
    if unknown:
        raise RefusedError
    return outcome.checked
