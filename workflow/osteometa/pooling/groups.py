"""Whether groups of effects differ: what the review and `osteometa pool` both test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from osteometa.numerics.arrays import Array
from osteometa.pooling.model import pool


def differences(groups: int) -> Array:
    """Return the contrasts (groups - 1 x groups) of each mean with the last one."""
    others = groups - 1
    return np.hstack([np.eye(others), -np.ones((others, 1))])


def separate_test(
    groups: Sequence[Mapping[str, object]], method: str
) -> tuple[float, int, None, float]:
    """Test the pools of groups, each with its own tau2, against each other by Wald's chi-square.

    With their conventional standard errors, whatever the interval method: a chi-square knows
    nothing of the t of Hartung and Knapp.

    Parameters
    ----------
    groups : sequence of mappings
        What `pool` needs of each group: `yi`, `vi`, and `V` and `studies` where there are any.
        Effects of different groups must be independent.
    method : str
        Estimator of tau2.

    Returns
    -------
    statistic, df1, df2, p
        As of `joint_test`; df2 is None.

    Raises
    ------
    ValueError
        If the model of a group has no solution.
    """
    fits = [pool(**numbers, method=method, ci="wald") for numbers in groups]
    if any(fit.se is None for fit in fits):
        raise ValueError("the model of a group has no solution")
    between = pool([f.estimate for f in fits], [f.se**2 for f in fits], method="EE", ci="wald")
    return between.q, between.q_df, None, between.q_p
