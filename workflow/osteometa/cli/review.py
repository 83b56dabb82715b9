"""What the commands on a review have in common: its checked tables, and the names of studies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osteometa.extraction.tables import Tables
    from osteometa.validation.review import CheckedReview


def checked_review(directory: str, command: str) -> tuple[CheckedReview | None, int]:
    """Return a review without problems, or None and the exit status; the problems are printed."""
    from osteometa.validation.review import check_review, report_text

    if not (Path(directory) / "config.yaml").exists():
        print(f"osteometa {command}: {directory} contains no config.yaml.", file=sys.stderr)
        return None, 2
    outcome = check_review(directory)
    if outcome.checked is None:
        print(report_text(outcome, directory), end="", file=sys.stderr)
    return outcome.checked, 0 if outcome.passed else 1


def unknown_studies(names: Sequence[str], tables: Tables, command: str) -> list[str]:
    """Return the names that are not in studies.csv; each is printed with a suggestion."""
    from osteometa.io.problems import suggestion

    known = [study.study_id for study in tables.studies]
    unknown = [name for name in names if name not in known]
    for name in unknown:
        near = suggestion(name, known)
        print(f"osteometa {command}: no study '{name}' in studies.csv. {near}", file=sys.stderr)
    return unknown
