"""Whether numbers agree with the direction and the significance that a paper states in words."""

from collections.abc import Iterable, Iterator

from osteometa.comparisons.build import population_of
from osteometa.comparisons.reported_tests import CORRELATIONS
from osteometa.extraction.tables import Contrast, Direction, Measurement, Tables
from osteometa.io.problems import Problem
from osteometa.records.groups import grouped
from osteometa.validation.cells import warning_at
from osteometa.validation.comparable import Change

SIGNIFICANT = 0.05
SIGNS = {"up": 1, "down": -1}
KINDS = {"within_arm": "change", "between_arm": "difference", "within": "change"}


def direction_warnings(tables: Tables, changes: Iterable[Change]) -> Iterator[Problem]:
    """Yield warnings about changes, differences and p values that words of the paper contradict."""
    stated = grouped(tables.directions, lambda row: _place(row, KINDS.get(row.basis, "")))
    for change in changes:
        for row in _same(change.row, stated.get(_place(change.row, change.group[3]), ())):
            yield from _sign(change, row)
    for test in tables.contrasts:
        place = _place(test, KINDS.get(test.compares, "difference"))
        for row in _same(test, stated.get(place, ())):
            yield from _significance(test, row)


def _place(row: Measurement | Contrast | Direction, kind: str) -> tuple[str, ...]:
    return (
        row.study_id, row.arm_id, row.outcome, row.analyte, row.site, row.timepoint, row.report,
        kind,
    )  # fmt: skip


def _same(row: Measurement | Contrast, stated: Iterable[Direction]) -> Iterator[Direction]:
    """Yield the rows that may be of the same analysis population."""
    for other in stated:
        if len({population_of(row), population_of(other)} - {""}) < 2:
            yield other


def _sign(change: Change, row: Direction) -> Iterator[Problem]:
    words = row.direction if row.direction in SIGNS else row.arrow
    sign = SIGNS.get(words, 0)
    opposite = sign * change.value < 0 or (change.value == 0 and row.significant == "yes")
    if not sign or not opposite or row.disputed or change.row.disputed:
        return
    what = "change" if change.group[3] == "change" else "difference between the arms"
    message = (
        f"The {what} by this number is {change.value:.3g} % of the level, but row {row.row} of "
        f"directions.csv says {words}. Is a sign lost, or a value of the other arm entered? Check "
        "the paper."
    )
    found = change.found(f"{change.value:.3g} %")
    yield warning_at(change.row, change.column, "W45", message, found)


def _significance(test: Contrast, row: Direction) -> Iterator[Problem]:
    if test.p is None or test.statistic in CORRELATIONS or row.disputed or test.disputed:
        return
    above = test.p > SIGNIFICANT and test.p_operator in ("=", ">", ">=")
    below = test.p < SIGNIFICANT and test.p_operator in ("=", "<", "<=")
    if (row.significant == "yes" and above) or (row.significant == "no" and below):
        message = (
            f"p {test.p_operator} {test.p.text}, but row {row.row} of directions.csv says "
            f"significant: {row.significant}. Is the decimal point right? Check the paper."
        )
        yield warning_at(test, "p", "W46", message, f"{test.p_operator} {test.p.text}")
