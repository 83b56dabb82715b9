"""Problems of a review's files, worded so that a reviewer can correct them."""

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from osteometa.io.cell_text import visible


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One problem in one cell, row or file."""

    file: str
    row: int | None = None
    """Row of the spreadsheet (the header is row 1), or line of config.yaml."""
    column: str = ""
    code: str
    study: str = ""
    found: str = ""
    message: str
    """What is allowed and what to do."""
    severity: str = "error"
    """error, warning or note."""
    row_key: str = ""
    """Key of the row, by which accepted_warnings.csv names it."""
    reason: str = ""
    """Why a warning is accepted; empty if it is not."""
    cell: str = ""
    """Cell of a workbook, such as F12; empty where the file is none."""

    @property
    def in_table(self) -> str:
        """Return the name of the table."""
        return PurePosixPath(self.file).stem

    def text(self) -> str:
        """Return the problem as one line."""
        word = "row" if self.file.endswith((".csv", "'")) else "line"  # ', sheet 'arms'' too
        place = [f"{word} {self.row}"] if self.row else []
        place = [f"cell {self.cell}"] if self.cell else place
        place += [f"study {self.study}"] if self.study else []
        place += [f"column {self.column}"] if self.column and word == "row" else []
        place += [self.column] if self.column and word == "line" else []
        found = f" (found: {self.found})" if self.found else ""
        text = f"  {self.code:<5}{', '.join(place)}{': ' if place else ''}{self.message}{found}"
        return visible(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWarning:
    """A warning or note, which does not stop a run: a row of warnings.csv.

    The first fields are the columns of accepted_warnings.csv.
    """

    in_table: str
    row_key: str
    column: str
    code: str
    found: str
    reason: str
    row: int | None
    study: str
    message: str


class ProblemsFound(ValueError):
    """Raised if input cannot be used; holds every problem."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        super().__init__(render(self.problems))


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that stop a run."""
    return [problem for problem in problems if problem.severity == "error"]


def suggestion(found: str, allowed: Iterable[str]) -> str:
    """Return "Did you mean 'x'? " if an allowed word is similar, else nothing."""
    names = {name.lower(): name for name in allowed}
    near = difflib.get_close_matches(found.lower(), list(names), n=1, cutoff=0.6)
    return f"Did you mean '{names[near[0]]}'? " if near else ""


ACCEPTING = (
    "\nTo accept a warning whose value is right, enter it with the reason in "
    "data/raw/accepted_warnings.csv; `osteometa check --csv` shows the cells to copy."
)


def render(problems: Iterable[Problem]) -> str:
    """Return all problems as text by file, errors first, with counts; accepted ones as a number."""
    everything = list(problems)
    problems = [problem for problem in everything if not problem.reason]
    accepted = len(everything) - len(problems)
    lines: list[str] = []
    for severity, heading in (("error", ""), ("warning", " (warnings)"), ("note", " (notes)")):
        chosen = [problem for problem in problems if problem.severity == severity]
        for file in sorted({problem.file for problem in chosen}):
            lines.append(f"{file}{heading}")
            rows = [problem for problem in chosen if problem.file == file]
            rows.sort(key=lambda problem: (problem.row or 0, problem.column, problem.code))
            lines += [problem.text() for problem in rows]
    count = Counter(problem.severity for problem in problems)
    warnings = f", {counted(count['warning'], 'warning')}"
    warnings += f", {counted(accepted, 'accepted warning')}." if accepted else "."
    if count["warning"]:
        warnings += ACCEPTING
    elif count["error"]:
        warnings = ". Plausibility is checked when there are no problems."
    lines.append(f"{counted(count['error'], 'problem')}{warnings}")
    return "\n".join(lines) + "\n"


def counted(number: int, word: str) -> str:
    """Return a number with its word, in the plural where it is not 1."""
    return f"{number} {word}{'' if number == 1 else 's'}"
