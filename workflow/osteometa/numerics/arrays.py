"""The array types of all statistics."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = Sequence[float] | NDArray[np.float64]
"""Numbers that a caller gives: a list, a tuple or an array."""
Labels: TypeAlias = Sequence[str] | NDArray[np.str_]
"""Names of studies, one per effect."""
