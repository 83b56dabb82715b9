"""Range of effects and variances that can be pooled in floating-point arithmetic.

The likelihood needs squares of effects times cubes of weights, and its Newton steps the squares of
Q; a product beyond about 1e308 would be infinite, and a search for a maximum would not end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST, SMALLEST = 1e50, 1e-50
WIDEST = 1e20
"""Largest ratio of two variances in a model with a moderator: numbers have 16 digits."""
RANGE = f"{SMALLEST:g} to {LARGEST:g}; use another unit"


def out_of_range(effect: float, variance: float) -> str:
    """Return why an effect or its variance is out of range; empty if neither is."""
    if not abs(effect) <= LARGEST:
        return f"effect {effect:g} is too large to compute with: at most {LARGEST:g}"
    if not SMALLEST <= variance <= LARGEST:
        return f"variance {variance:g} cannot be computed with: {RANGE}"
    return ""


def refuse_design(
    X: NDArray[np.float64], v: NDArray[np.float64], names: Sequence[str] = ()
) -> None:
    """Raise a ValueError if a design (k x p) and its variances (k) cannot be computed with."""
    for j, size in enumerate(abs(X).max(axis=0, initial=0.0)):
        if not (size == 0 or SMALLEST <= size <= LARGEST):
            name = names[j] if names else str(j + 1)
            raise ValueError(
                f"column '{name}' of the design cannot be computed with, its largest number is "
                f"{size:g}: {RANGE}"
            )
    ratio = max(v, default=1.0) / min(v, default=1.0)
    if X.shape[1] > 1 and ratio > WIDEST:
        raise ValueError(
            f"variances differ by a factor of {ratio:.0e}: with a moderator at most {WIDEST:g} can "
            "be computed with"
        )


def refuse_unknown(name: str, value: str, allowed: Sequence[str]) -> None:
    """Raise a ValueError for a parameter that has none of its values."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)} (found '{value}')")
