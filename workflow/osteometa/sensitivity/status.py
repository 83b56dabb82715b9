"""What analyses have in common: a status with its reason where they cannot give numbers."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from osteometa.numerics.arrays import Array
from osteometa.pooling.results import Estimated, Pooled
from osteometa.records.groups import grouped
from osteometa.records.sensitivity import SmallStudyRow

Answer = TypeVar("Answer")

# Differences below this part of the largest effect are rounding, not data.
ROUNDING = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallStudy(SmallStudyRow):
    """One analysis of small-study effects, with what its table does not show."""

    estimate_p: float | None = None
    slope_se: float | None = None


class NotEstimableError(Exception):
    """The data do not allow an estimate; the message is the reason given in the tables."""


def estimated(fit: Pooled) -> Estimated:
    """Return a pool that must have an estimate; else NotEstimableError with the reason."""
    if not isinstance(fit, Estimated):
        raise NotEstimableError(fit.note)
    return fit


def guarded(function: Callable[[], Answer]) -> tuple[Answer | None, str]:
    """Return the answer of a function and no reason, or no answer and the reason.

    Numerical failures of odd data (a singular matrix, an overflow) are reasons too.
    """
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            return function(), ""
    except NotEstimableError as error:
        return None, str(error)
    except (np.linalg.LinAlgError, FloatingPointError, OverflowError, ZeroDivisionError) as error:
        return None, f"the model cannot be computed: {error}"


def estimable(record: Callable, sizes: Callable[..., dict[str, int]] | None = None) -> Callable:
    """Make a function that raises `NotEstimableError` return `record` with the reason instead.

    `sizes` gives the counts of such a record from the function's arguments; by default k,
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


def one_per_study(
    y: Array, v: Array, V: Array | None, studies: Sequence[str]
) -> tuple[Array, Array]:
    """Return one effect and variance per study, in order of appearance.

    Effects of one study are combined by generalised least squares: weights V^-1 1 / (1' V^-1 1),
    variance 1 / (1' V^-1 1), V their sampling covariance (diagonal where none is given).
    """
    pairs = []
    for index in grouped(range(len(y)), lambda i: studies[i]).values():
        if len(index) == 1:
            pairs.append((y[index[0]], v[index[0]]))
            continue
        own = np.diag(v[index]) if V is None else V[np.ix_(index, index)]
        weights = np.linalg.solve(own, np.ones(len(index)))
        pairs.append((weights @ y[index] / weights.sum(), 1.0 / weights.sum()))
    return np.array([effect for effect, _ in pairs]), np.array([variance for _, variance in pairs])
