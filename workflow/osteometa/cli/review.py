"""What the commands on studies of a review have in common."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osteometa.protocol.config import Config
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


def source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add to a command how a CSV file is read, and consent to what it changes."""
    parser.add_argument("--encoding", help="encoding of a CSV file that is not UTF-8")
    parser.add_argument("--separator", choices=("comma", "semicolon", "tab", "bar"),
                        help="what stands between the cells of a CSV file")  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="write without asking")


def require_config(directory: str | Path) -> None:
    """Refuse a folder that is no review."""
    if not (Path(directory) / "config.yaml").is_file():
        raise RefusedError(
            f"{directory} contains no config.yaml. Give the folder of a review, or make one: "
            "osteometa new FOLDER."
        )


def require_module(name: str, extra: str) -> None:
    """Refuse a command whose module is not installed, naming the extra that has it."""
    if find_spec(name) is None:
        raise RefusedError(f"{name} is not installed. Install osteometa with its extra: [{extra}].")


def config_in(directory: Path) -> Config:
    """Return the settings of a review; problems are printed before RefusedError is raised."""
    from osteometa.io.problems import ProblemsFound
    from osteometa.protocol.config import load_config

    try:
        return load_config(directory / "config.yaml")
    except ProblemsFound as found:
        print(found, file=sys.stderr)
        raise RefusedError(status=1) from None


def checked_review(directory: str) -> CheckedReview:
    """Return a review without problems; they are printed before RefusedError is raised."""
    from osteometa.validation.review import check_review, report_text

    require_config(directory)
    outcome = check_review(directory)
    if outcome.checked is None:
        print(report_text(outcome, directory), end="", file=sys.stderr)
        raise RefusedError(status=1)
    return outcome.checked
