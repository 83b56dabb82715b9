"""What commands that look at a review share: its checked tables, and names of studies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osteometa.extraction.tables import Tables
    from osteometa.validation.review import CheckOutcome


def checked_review(directory: str, command: str) -> tuple[CheckOutcome | None, int]:
    """Return the checked tables of a review, or None and the exit status after saying why not."""
    from osteometa.validation.review import check_review, report_text

    if not (Path(directory) / "config.yaml").exists():
        print(f"osteometa {command}: {directory} holds no config.yaml.", file=sys.stderr)
        return None, 2
    outcome = check_review(directory)
    if not outcome.passed:
        print(report_text(outcome, directory), end="", file=sys.stderr)
        return None, 1
    return outcome, 0


def unknown_studies(names: Sequence[str], tables: Tables, command: str) -> list[str]:
    """Return the names that studies.csv does not know, each said with what is near to it."""
    from osteometa.io.problems import suggestion

    known = [study.study_id for study in tables.studies]
    unknown = [name for name in names if name not in known]
    for name in unknown:
        near = suggestion(name, known)
        print(f"osteometa {command}: no study '{name}' in studies.csv. {near}", file=sys.stderr)
    return unknown
