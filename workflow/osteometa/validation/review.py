"""The check of a review: every problem, and every warning that is not accepted, at once."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from pathlib import Path

from osteometa.comparisons.build import comparisons_of
from osteometa.extraction.judgements import AcceptedWarning
from osteometa.extraction.reading import read_raw, read_sheets
from osteometa.extraction.tables import Tables
from osteometa.io.csv_records import columns_of, csv_text, fields_of, texts_of, write_records
from osteometa.io.problems import CheckWarning, Problem, ProblemsFound, counted, errors_of, render
from osteometa.io.sheet import Sheet
from osteometa.protocol.config import Config, load_config
from osteometa.validation.between_rows import between_rows_warnings
from osteometa.validation.cells import problem_at, value_problems, warning_at
from osteometa.validation.comparable import changes
from osteometa.validation.flow import flow_problems, flow_warnings
from osteometa.validation.implied_p import p_warnings
from osteometa.validation.keys import link_problems
from osteometa.validation.names import name_warnings
from osteometa.validation.other_studies import other_study_warnings
from osteometa.validation.plausibility import row_warnings, study_warnings
from osteometa.validation.same_studies import same_study_warnings
from osteometa.validation.sizes import size_warnings
from osteometa.validation.stated_directions import direction_warnings
from osteometa.validation.times import time_warnings
from osteometa.validation.within_row import within_row_warnings

TELLING = ("W29", "W26", "W12", "W07", "W14", "W42", "W43", "W03", "W44",
           "W22", "W30", "W02", "W40", "W41", "W01")  # fmt: skip
"""Codes of a number of an unlikely size, the most telling first: one of them is shown of a cell."""


@dataclass(frozen=True, slots=True)
class CheckedReview:
    """Tables and config of a review without problems."""

    tables: Tables
    config: Config


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a check of a review found."""

    problems: tuple[Problem, ...]
    tables: Tables | None
    """None if there are errors."""
    config: Config | None

    @property
    def passed(self) -> bool:
        """Return whether a run may go on."""
        return self.checked is not None

    @property
    def checked(self) -> CheckedReview | None:
        """The review, if it has no problems."""
        if self.tables is None or self.config is None:
            return None
        return CheckedReview(self.tables, self.config)


def check_review(
    directory: str | Path,
    *,
    raw: str | Path | None = None,
    settings: Callable[[], Config] | None = None,
    sheets: Mapping[str, Sheet] | None = None,
) -> CheckOutcome:
    """Check the settings and data/raw of a review, all problems in one go.

    The settings are those of config.yaml unless a run takes them from elsewhere; `sheets` are
    tables to check in place of those of data/raw.
    """
    directory = Path(directory)
    problems: list[Problem] = []
    config = None
    try:
        config = settings() if settings else load_config(directory / "config.yaml")
    except ProblemsFound as error:
        problems += error.problems
    raw = raw or directory / "data" / "raw"
    tables, wrong = read_raw(raw) if sheets is None else read_sheets(sheets)
    problems += wrong
    problems += check_tables(tables, config, unread_of(problems))
    return CheckOutcome(tuple(problems), None if errors_of(problems) else tables, config)


def unread_of(problems: Iterable[Problem]) -> frozenset[tuple[str, str]]:
    """Return table and study of the rows that could not be read.

    Rows that refer to them are not reported as lacking them. The study is empty where a whole table
    could not be read.
    """
    return frozenset((Path(p.file).stem, p.study) for p in problems if p.severity == "error")


def check_tables(
    tables: Tables, config: Config | None, unread: frozenset[tuple[str, str]] = frozenset()
) -> list[Problem]:
    """Return every problem and warning of tables whose cells could be read.

    Where the config has problems of its own, the rules that do not need it are checked.
    Plausibility is checked only in tables without a problem, because a wrong cell would raise false
    warnings.
    """
    found = (link_problems(tables, config, unread), value_problems(tables, config))
    problems = without_accepted(tables, chain(*found, flow_problems(tables)))
    if config is not None and not unread and not errors_of(problems):
        problems += with_reasons(tables.accepted_warnings, warnings_of(tables, config))
    return problems


def warnings_of(tables: Tables, config: Config) -> list[Problem]:
    """Return the warnings of tables without problems; a run continues with them."""
    comparisons = comparisons_of(tables, config)
    found = list(changes(tables, comparisons, config))
    warnings = [
        *row_warnings(tables, config),
        *within_row_warnings(tables),
        *between_rows_warnings(tables, config),
        *other_study_warnings(tables, comparisons, found, config),
        *direction_warnings(tables, found),
        *study_warnings(tables),
        *size_warnings(tables),
        *time_warnings(tables),
        *name_warnings(tables, config),
        *flow_warnings(tables),
        *same_study_warnings(tables),
        *p_warnings(tables, config),
    ]
    return list(_most_telling(warnings))


def _most_telling(warnings: Sequence[Problem]) -> Iterator[Problem]:
    """Leave out a warning of a cell where another one says more about the same number.

    Arms that are compared with each other give some twice.
    """
    cell = attrgetter("file", "row_key", "column")
    best = {cell(p): p.code for code in reversed(TELLING) for p in warnings if p.code == code}
    for warning in dict.fromkeys(warnings):
        if warning.code not in TELLING or warning.code == best[cell(warning)]:
            yield warning


def report_text(outcome: CheckOutcome, directory: str | Path) -> str:
    """Return the text that a reviewer reads after a check."""
    text = render(outcome.problems)
    return text if outcome.passed else text + results_left(directory)


def write_warnings(path: str | Path, problems: Iterable[Problem]) -> None:
    """Write warnings and notes as a table for reviewers, new ones before accepted ones."""
    write_records(path, CheckWarning, _warning_rows(problems))


def warnings_text(problems: Iterable[Problem]) -> str:
    """Return new warnings as the CSV text of which accepted_warnings.csv is filled."""
    new = [row for row in _warning_rows(problems) if not row.reason and row.row]
    return csv_text(columns_of(CheckWarning), texts_of(CheckWarning, new))


def _warning_rows(problems: Iterable[Problem]) -> list[CheckWarning]:
    rows = [CheckWarning(**fields_of(p, CheckWarning)) for p in problems if p.severity != "error"]
    return sorted(
        rows, key=lambda w: (bool(w.reason), w.in_table, w.row or 0, w.column, w.code, w.found)
    )


def results_left(directory: str | Path) -> str:
    """Return how old the results are that a failed check leaves unchanged."""
    results = Path(directory) / "results"
    files = [path for path in results.rglob("*") if path.is_file() and path.name != ".gitkeep"]
    if not files:
        return "Nothing was computed. There are no results yet.\n"
    seconds = time.time() - max(path.stat().st_mtime for path in files)
    units = (("day", 86400), ("hour", 3600), ("minute", 60))
    ages = (f"{counted(int(seconds // size), unit)} old" for unit, size in units if seconds >= size)
    age = next(ages, "less than a minute old")
    return f"Nothing was computed. results/ is unchanged: {age}, from earlier tables or settings.\n"


BESIDE_OTHERS = ("W01", "W03", "W07", "W14", "W40", "W43", "W44")
"""Warnings that depend on the other studies, so that a new study may end or raise them."""


def without_accepted(tables: Tables, problems: Iterable[Problem]) -> list[Problem]:
    """Leave out the problems of rows whose paper really reports what a check rejects."""
    problems = list(problems)
    for row in tables.findings:
        if not row.accept:
            continue
        here = (f"data/raw/{row.table}.csv", row.row, row.accept)
        fired = [p for p in problems if (p.file, p.row, p.code) == here]
        if not fired:
            message = f"{row.accept} does not reject this row. Empty accept and accept_reason."
            problems.append(problem_at(row, "accept", "E105", message, row.accept))
        elif not row.accept_reason:
            message = "accept needs accept_reason. Enter what the paper reports."
            problems.append(problem_at(row, "accept_reason", "E105", message))
        else:
            problems = [problem for problem in problems if problem not in fired]
    return problems


def with_reasons(accepted: Sequence[AcceptedWarning], warnings: Iterable[Problem]) -> list[Problem]:
    """Return warnings with the reasons for which they are accepted.

    An acceptance that no warning matches is a warning itself, so that none outlives its value; not
    where the other studies decide, because the warning may come back.
    """
    key_of = attrgetter("in_table", "row_key", "column", "code")
    reasons = {(*key_of(row), row.found): row.reason for row in accepted}
    found: list[Problem] = []
    raised = set()
    for problem in warnings:
        key = (*key_of(problem), problem.found.strip())
        raised.add(key)
        found.append(replace(problem, reason=reasons.get(key, "")))
    for row in accepted:
        if (*key_of(row), row.found) not in raised and row.code not in BESIDE_OTHERS:
            message = (
                f"No warning {row.code} of this row, column and value is raised any more. "
                "Delete the row, or look at what is found now and enter it."
            )
            found.append(warning_at(row, "found", "W20", message, row.found))
    return found
