"""What the explorations share: a status with its reason instead of numbers that mean nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

Array = NDArray[np.float64]
# Differences below this part of the largest effect are rounding, not data.
ROUNDING = 1e-13


class NotEstimableError(Exception):
    """The data cannot answer: the message is the reason that a table prints."""


def guarded(function: Callable[[], object]) -> tuple[object | None, str]:
    """Return the answer of a function and no reason, or no answer and the reason.

    Numerical failures of odd data (a singular matrix, an overflow) are reasons too.
    """
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            return function(), ""
    except NotEstimableError as error:
        return None, str(error)
    except (np.linalg.LinAlgError, FloatingPointError, OverflowError, ZeroDivisionError) as error:
        return None, f"the numbers cannot be worked with: {error}"


def estimable(record: type, sizes: Callable[..., dict[str, int]] | None = None) -> Callable:
    """Make a function that raises `NotEstimableError` return `record` with the reason instead.

    `sizes` gives what such a record still holds, from the function's arguments; by default k,
    the number of effects.
    """

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapper(yi, *arguments, **named):
            answer, reason = guarded(lambda: function(yi, *arguments, **named))
            if reason:
                counts = sizes(yi, *arguments) if sizes else {"k": len(yi)}
                return record(**counts, status="not_estimable", reason=reason)
            return answer

        return wrapper

    return decorate


def two_sided(statistic: float, df: float | None) -> float:
    """Return the two-sided p of a t with df, or of a z where df is None."""
    tail = ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic))
    return float(2 * tail)
