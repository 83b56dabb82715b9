"""All reviews of a folder at a glance: a page with a line for each, and a table of all pools."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from osteometa.io.csv_records import columns_of, read_records, read_rows, write_rows, write_text
from osteometa.io.problems import CheckWarning, counted, errors_of
from osteometa.records.pools import PooledRow, SynthesisRow
from osteometa.report.table_files import rendered
from osteometa.run.changes import Snapshot, changes, counts
from osteometa.run.remembered import EARLIER, FINISHED, recalled
from osteometa.run.reviews import LOG, is_current, reviews_in
from osteometa.validation.review import check_review

PAGE, POOLS = "reviews.html", "pools.csv"
ONE_OF = {
    "settings": "setting", "cells": "row", "effects": "effect", "pools": "pool",
    "claims": "answer", "sentences": "sentence",
}  # fmt: skip
"""What one change of each part of a snapshot is called."""
SHOWN = 20
"""Problems of a review that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine:
    """A row of the page: one review."""

    name: str
    problems: tuple[str, ...] = ()
    """Why it has no current results; empty if it has."""
    has_report: bool
    title: str = ""
    studies: int = 0
    """Included ones."""
    planned: int = 0
    pooled: int = 0
    """Planned analyses of two or more studies."""
    changed: str = ""
    """Since its run before with other tables, settings or code."""
    warnings: int = 0
    """Not accepted ones."""


def write_overview(folder: str | Path) -> list[ReviewLine]:
    """Write the page and the table of pools of all reviews in a folder; return the lines.

    The table has the pools of the reviews that are current, as their `pooled.csv` have them.
    """
    folder = Path(folder)
    lines = [_line(folder / name) for name in reviews_in(folder)]
    write_text(folder / PAGE, rendered("reviews.html.j2", lines=lines, pools=POOLS))
    finished = [line.name for line in lines if not line.problems]
    write_rows(folder / POOLS, ("review", *columns_of(PooledRow)), _pools(folder, finished))
    return lines


def _pools(folder: Path, names: Iterable[str]) -> Iterator[Sequence[str]]:
    for name in names:
        results = folder / name / "results"
        for row in read_records(results / "syntheses.csv", SynthesisRow):
            path = results / row.synthesis / "pooled.csv"
            if path.is_file():
                _, *rows = read_rows(path)
                yield from ((name, *cells) for cells in rows)


def _line(review: Path) -> ReviewLine:
    has_report = (review / "results/report.html").is_file()
    last = recalled(review / FINISHED)
    if last is None or not is_current(review):
        return ReviewLine(name=review.name, has_report=has_report, problems=_problems(review))
    warnings = read_records(review / "data/processed/warnings.csv", CheckWarning)
    pools = [name.split(" ")[0] for name, pool in last.pools.items() if int(pool["k"]) > 1]
    return ReviewLine(
        name=review.name,
        has_report=has_report,
        title=last.settings["title"]["value"],
        studies=sum(
            name.startswith("studies:") and row.get("include") == "yes"
            for name, row in last.cells.items()
        ),
        planned=sum(name.endswith(".id") for name in last.settings),
        pooled=len(set(pools)),
        changed=_changed(recalled(review / EARLIER), last),
        warnings=sum(not warning.reason for warning in warnings),
    )


def _problems(review: Path) -> tuple[str, ...]:
    found = [f"{p.file}, {p.text().strip()}" for p in errors_of(check_review(review).problems)]
    if len(found) > SHOWN:
        found[SHOWN:] = [f"and {len(found) - SHOWN} more: osteometa check {review.name}"]
    return tuple(found) or (f"Its run did not finish: see {review.name}/{LOG}.",)


def _changed(earlier: Snapshot | None, last: Snapshot) -> str:
    if earlier is None:
        return ""
    found = counts(tuple(changes(earlier, last)))
    return ", ".join(counted(number, ONE_OF[part]) for part, number in found.items() if number)
