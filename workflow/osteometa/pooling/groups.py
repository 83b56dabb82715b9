"""Whether groups of effects differ: what the review and `osteometa pool` both test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from osteometa.numerics.arrays import Array
from osteometa.pooling.model import JointTest, pool
from osteometa.pooling.results import EffectData, Estimated, Fitted


def differences(groups: int) -> Array:
    """Return the contrasts (groups - 1 x groups) of each mean with the last one."""
    others = groups - 1
    return np.hstack([np.eye(others), -np.ones((others, 1))])


def separate_test(groups: Sequence[EffectData], method: str) -> JointTest:
    """Test the pools of groups, each with its own tau2, against each other by Wald's chi-square.

    Effects of different groups must be independent. Standard errors are the conventional ones,
    whatever the interval method: those of Hartung and Knapp go with t, not with chi-square.

    Raises
    ------
    ValueError
        If the model of a group has no solution.
    """
    fits = [
        pool(group.yi, group.vi, V=group.V, studies=group.studies, method=method, ci="wald")
        for group in groups
    ]
    known = [fit for fit in fits if isinstance(fit, Estimated)]
    if len(known) < len(fits):
        raise ValueError("the model of a group has no solution")
    between = pool([f.estimate for f in known], [f.se**2 for f in known], method="EE", ci="wald")
    if not isinstance(between, Fitted):
        raise ValueError("a test of groups needs two groups")
    return JointTest(between.q, between.q_df, None, between.q_p)
