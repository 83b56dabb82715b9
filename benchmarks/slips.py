"""Slips of a typist put into the shipped tables, each tried through `osteometa check` to the pools.

usage: .venv/bin/python benchmarks/slips.py [--write] [--list] [NUMBER]     (default 5000 slips)

A seeded draw: a filled numeric cell of studies, arms, measurements or contrasts, and a kind of slip
that its number allows. The cell is replaced, the review is checked as by `osteometa check`, and if
it is not refused, the primary measure of each planned analysis is derived and pooled again.
`--list` prints the slips that move a pooled estimate and pass without a warning; `--write` puts the
counts into docs/reliability.md.
"""

from __future__ import annotations

import csv
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from osteometa.derivation.primary_pools import moves, primary_only, primary_pools
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.cell_types import Row as RawRow
from osteometa.extraction.reading import read_raw
from osteometa.io.problems import Problem, errors_of
from osteometa.protocol.config import Config, load_config
from osteometa.validation.review import check_review, check_tables, unread_of
from typist import TABLES, Row, Slip, Typist, read

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs/reliability.md"
START, END = "<!-- slips: begin -->", "<!-- slips: end -->"
SEED, NUMBER, PROCESSES = 20261130, 5000, 2
MOVED = 0.1
"""Part of the width of the interval by which an estimate moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Status of a slip."""

    slip: Slip
    outcome: str
    """refused, warned or silent."""
    codes: tuple[str, ...]
    """Of the problems, or of the warnings that the tables do not give without the slip."""
    moved: tuple[str, ...]
    """Planned analyses whose estimate moves."""


def write_table(path: Path, rows: list[Row]) -> None:
    """Write the rows of a table."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@cache
def settings() -> Config:
    """Return the choices of the shipped review."""
    return load_config(PROJECT / "config.yaml")


class Trial:
    """The shipped review with one cell replaced at a time, the table read from a file."""

    def __init__(self) -> None:
        outcome = check_review(PROJECT)
        if outcome.tables is None:
            sys.exit("The shipped tables have problems: run osteometa check.")
        self.tables = outcome.tables
        self.known = warnings_in(outcome.problems)
        self.config = primary_only(settings())
        self.before = primary_pools(self.tables, self.config, {}, settings().outcomes)
        self.rows = {m.table: read(PROJECT / f"data/raw/{m.table}.csv") for m in TABLES}
        self.raw = Path(tempfile.mkdtemp())
        for path in (PROJECT / "data/raw").glob("*.csv"):
            header = path.read_text(encoding="utf-8").partition("\n")[0]
            (self.raw / path.name).write_text(f"{header}\n", encoding="utf-8")
        self.outcomes: dict[str, set[str]] = {}
        for row in (*self.tables.measurements, *self.tables.contrasts, *self.tables.directions):
            self.outcomes.setdefault(row.study_id, set()).add(row.outcome)

    def check(self, table: str, rows: list[Row]) -> list[Problem]:
        """Check the review with other rows in one table, which is read from a file."""
        path = self.raw / f"{table}.csv"
        header = path.read_text(encoding="utf-8")
        write_table(path, rows)
        tables, problems = read_raw(self.raw)
        path.write_text(header, encoding="utf-8")
        changed = replace(self.tables, **{table: getattr(tables, table)})
        return [*problems, *check_tables(changed, settings(), unread_of(problems))]

    def of(self, slip: Slip) -> Result:
        """Try one slip."""
        rows = list(self.rows[slip.table])
        rows[slip.place] = {**rows[slip.place], **slip.typed}
        problems = self.check(slip.table, rows)
        refused = errors_of(problems)
        codes = {p.code for p in refused} or {w[3] for w in warnings_in(problems) - self.known}
        try:
            names = self.moved_by(slip)
        except Exception:
            if not refused:
                raise
            names = ()  # what is refused need not be computable
        word = "refused" if refused else "warned" if codes else "silent"
        return Result(slip=slip, outcome=word, codes=tuple(sorted(codes)), moved=names)

    def moved_by(self, slip: Slip) -> tuple[str, ...]:
        """Return the planned analyses whose estimate a slip moves, were it not refused."""
        rows = list(getattr(self.tables, slip.table))
        row = rows[slip.place]
        rows[slip.place] = row.model_copy(
            update={column: number(text, row, column) for column, text in slip.typed.items()}
        )
        known = self.outcomes.get(row.study_id, set())
        chosen = [name for name in settings().outcomes if name in known]
        changed = replace(self.tables, **{slip.table: tuple(rows)})
        after = primary_pools(changed, self.config, self.before, chosen)
        found = moves(self.before, after, self.config, chosen)
        return tuple(m.synthesis for m in found if m.weight > (0, MOVED))


def warnings_in(problems: Iterable[Problem]) -> set[tuple[str, int | None, str, str, str]]:
    """Return place, code and value of each warning, by which it is accepted too."""
    return {(p.file, p.row, p.column, p.code, p.found) for p in problems}


def number(text: str, row: RawRow, column: str) -> ReportedNumber | int | None:
    """Return the number of a cell without any check of its range."""
    if not text:
        return None
    whole = "int" in str(type(row).model_fields[column].annotation)
    if whole and not float(text).is_integer():
        raise ValueError(text)
    return int(float(text)) if whole else ReportedNumber(text)


_trial: list[Trial] = []


def tried(slip: Slip) -> Result:
    """Try a slip in the folder of this process."""
    if not _trial:
        _trial.append(Trial())
    return _trial[0].of(slip)


def table_of(title: str, results: list[Result], of: Callable[[Result], str]) -> list[str]:
    """Return a table of counts by something of the slips."""
    lines = [
        f"| {title} | slips | refused | warned of | silent | move an estimate | of these silent |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in sorted({of(result) for result in results}):
        own = [result for result in results if of(result) == name]
        count = Counter(result.outcome for result in own)
        movers = Counter(result.outcome for result in own if result.moved)
        lines.append(
            f"| {name} | {len(own)} | {count['refused']} | {count['warned']} | {count['silent']} "
            f"| {movers.total()} | {movers['silent']} |"
        )
    return lines


def share(results: list[Result]) -> float:
    """Return the share of slips that are refused or warned of, in percent."""
    return 100 * sum(result.outcome != "silent" for result in results) / max(len(results), 1)


def section(results: list[Result]) -> str:
    """Return the section of docs/reliability.md."""
    movers = [result for result in results if result.moved]
    count = Counter(result.outcome for result in results)
    return "\n".join([
        START, "## Slips of a typist", "",
        f"Made by `python benchmarks/slips.py --write`: {len(results)} slips (seed {SEED}) in "
        "filled numeric cells of the shipped studies, arms, measurements and contrasts, one at a "
        "time, each tried through `osteometa check` and the pools. A slip moves an estimate if "
        "the primary estimate of a planned analysis changes by more than a tenth of the width of "
        "its interval, or an effect enters or leaves its pool. Only warnings that the tables do "
        "not give without the slip are counted. Whether a refused slip would have moved an "
        "estimate is computed as if it had not been refused.", "",
        f"- **Of {len(movers)} slips that move an estimate {share(movers):.1f} % are refused or "
        "warned of.**",
        f"- **Of all slips {share(results):.1f} %**: {count['refused']} refused, "
        f"{count['warned']} warned of, {count['silent']} silent.", "",
        *table_of("kind of slip", results, lambda r: r.slip.kind), "",
        *table_of("column", results, lambda r: f"{r.slip.table}: `{r.slip.column}`"), "", END,
    ])  # fmt: skip


def put(text: str) -> None:
    """Put a section into docs/reliability.md, in place of the old one."""
    old = PAGE.read_text(encoding="utf-8")
    before, _, rest = old.partition(START)
    rest = rest.partition(END)[2] or "\n"
    PAGE.write_text(before + text + rest, encoding="utf-8")


def main() -> None:
    """Try the slips, print the section and write it if asked to."""
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    slips = Typist(PROJECT / "data/raw", SEED).slips((numbers or [NUMBER])[0])
    start = time.perf_counter()
    with multiprocessing.Pool(PROCESSES) as processes:
        results = processes.map(tried, slips, chunksize=25)
    text = section(results)
    print(text)
    print(f"{time.perf_counter() - start:.0f} s")
    if "--list" in sys.argv:
        for result in results:
            if result.outcome == "silent" and (result.moved or "--all" in sys.argv):
                slip = result.slip
                row = Typist(PROJECT / "data/raw", SEED).tables[slip.table][slip.place]
                print(
                    slip.table, slip.place + 2, row["study_id"], row.get("arm_id", ""),
                    row.get("site", ""), slip.kind, slip.column, slip.found, slip.typed,
                    result.moved, sep="  ",
                )  # fmt: skip
    if "--write" in sys.argv:
        put(text)


if __name__ == "__main__":
    main()
