"""Whether groups of effects differ: what the review and `osteometa pool` both test."""

from collections.abc import Sequence

import numpy as np

from osteometa.numerics.arrays import Array
from osteometa.pooling.model import JointTest, pool
from osteometa.pooling.results import EffectData, Estimated, Fitted, GroupMeans


def differences(groups: int) -> Array:
    """Return the contrasts (groups - 1 x groups) of each mean with the last one."""
    others = groups - 1
    return np.hstack([np.eye(others), -np.ones((others, 1))])


def holm(p: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number (Holm 1979): in ascending order times what is left.

    An adjusted p is never below that of a smaller p, and never above 1.
    """
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = largest
    return adjusted


def separate_means(groups: Sequence[EffectData], method: str) -> GroupMeans:
    """Return the mean of each group by a model of its own, with its own tau2.

    Effects of different groups must be independent. Standard errors are the conventional ones,
    whatever the interval method: those of Hartung and Knapp go with t, not with chi-square.
    ValueError if the model of a group has no solution.
    """
    fits = [
        pool(group.yi, group.vi, V=group.V, studies=group.studies, method=method, ci="wald")
        for group in groups
    ]
    known = [fit for fit in fits if isinstance(fit, Estimated)]
    if len(known) < len(fits):
        raise ValueError("the model of a group has no solution")
    means, variances = [fit.estimate for fit in known], [fit.se**2 for fit in known]
    return GroupMeans(np.array(means), np.diag(variances), None)


def separate_test(groups: Sequence[EffectData], method: str) -> JointTest:
    """Test the means of `separate_means` against each other by Wald's chi-square."""
    means = separate_means(groups, method)
    between = pool(means.coefficients, np.diagonal(means.covariance), method="EE", ci="wald")
    if not isinstance(between, Fitted):
        raise ValueError("a test of groups needs two groups")
    return JointTest(between.q, between.q_df, None, between.q_p)
