"""Which slip of a typist explains a number that disagrees with others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from osteometa.extraction.cell_types import ReportedNumber


def likely_slip(typed: ReportedNumber, low: float, high: float) -> str:
    """Return a question that names the slip between a typed number and the range it should be in.

    Empty if no single slip explains it.
    """
    for question, numbers in (
        ("Is a minus sign lost or added?", iter((-float(typed),))),
        ("Is a decimal point misplaced?", (typed * 10.0**k for k in (-3, -2, -1, 1, 2, 3))),
        ("Are two digits exchanged?", _with_digits_exchanged(typed.text)),
        ("Is a digit typed twice?", _with_a_digit_less(typed.text)),
    ):
        if any(low <= number <= high for number in numbers):
            return f" {question}"
    return ""


def _with_digits_exchanged(text: str) -> Iterator[float]:
    for i, (one, other) in enumerate(itertools.pairwise(text)):
        if one.isdigit() and other.isdigit() and one != other:
            yield float(text[:i] + other + one + text[i + 2 :])


def _with_a_digit_less(text: str) -> Iterator[float]:
    for i, (one, other) in enumerate(itertools.pairwise(text)):
        if one.isdigit() and one == other:
            yield float(text[:i] + text[i + 1 :])
