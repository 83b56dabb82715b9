"""Tables proposed for a review: what they would change, and the problems they would give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from osteometa.exchange.differences import Difference, Sheets, differences, read_sheets
from osteometa.io.problems import Problem, errors_of
from osteometa.validation.review import check_review


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """New tables of a review that are not written yet."""

    sheets: Sheets
    differences: tuple[Difference, ...]
    problems: tuple[Problem, ...]
    """Of the whole review with the new tables, at the cells where they were entered."""

    @property
    def passed(self) -> bool:
        """Return whether the tables may be written."""
        return not errors_of(self.problems)


def propose(
    directory: str | Path, new: Sheets, found: Iterable[Problem] = (),
    place: Callable[[Iterable[Problem]], list[Problem]] = list,
) -> Proposal:  # fmt: skip
    """Return what new tables would change in a review, and every problem it would have then.

    `found` are problems of cells that could not be read as text, in place of which the check says
    nothing; `place` gives each problem the place where a reviewer corrects it. Raises SheetError if
    a table of the review cannot be read.
    """
    old = read_sheets(Path(directory) / "data" / "raw")
    found = list(found)
    known = {(problem.file, problem.row, problem.column) for problem in errors_of(found)}
    checked = check_review(directory, sheets={**old, **new}).problems
    problems = [*found, *(p for p in checked if (p.file, p.row, p.column) not in known)]
    return Proposal(sheets=new, differences=differences(old, new), problems=tuple(place(problems)))
