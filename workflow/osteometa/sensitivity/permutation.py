"""Permutation tests: p from the data's own symmetries instead of a distribution of tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array, Numbers
from osteometa.pooling.kernel import regress_many
from osteometa.pooling.model import checked
from osteometa.sensitivity.status import NotEstimableError, estimable
from osteometa.wording.choices import studies_words

# Statistics nearer than this are tied: equal in truth, apart by rounding.
TIED = 1e-8
EXACT_FLIPS_UP_TO = 15
EXACT_ORDERS_UP_TO = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Permutation:
    """A permutation test; None where a quantity does not exist."""

    test: str = ""
    """sign_flip or moderator."""
    k: int
    statistic: float | None = None
    """Of the data as they are: z or t (one column), F or chi-square (several)."""
    permutations: int | None = None
    """Arrangements behind p, that of the data included."""
    exact: bool | None = None
    """All arrangements, or a seeded sample of them."""
    p: float | None = None
    """Share of arrangements with a statistic at least as far from 0 (two-sided)."""
    p_smallest: float | None = None
    """The smallest p that this many studies or draws could have given."""
    status: str = "ok"
    reason: str = ""


def squared_statistics(Y: Array, b: Array, C: Array) -> Array:
    """Return the joint test statistic (n) of coefficients b (n, c) with covariances C (n, c, c).

    The squared z or t for one tested coefficient, F or chi-square divided by its df for several;
    infinity where the standard error is 0 and the coefficient is not, 0 where both are.
    """
    if b.shape[1] > 1:
        return np.sum(b * np.linalg.solve(C, b[:, :, None])[:, :, 0], axis=1) / b.shape[1]
    squares, variances = b[:, 0] ** 2, C[:, 0, 0]
    noise = (1e-15 * np.max(np.abs(Y))) ** 2
    none = variances <= noise
    found = np.where(squares > noise, math.inf, 0.0)
    return np.divide(squares, variances, out=found, where=~none)


@estimable(Permutation)
def sign_flip(
    yi: Numbers, vi: Numbers, *, method: str = "REML", ci: str = "wald",
    exact_up_to: int = EXACT_FLIPS_UP_TO, permutations: int = 10_000, seed: int = 1,
) -> Permutation:  # fmt: skip
    """Test the pooled effect by flipping the signs of the effects (Follmann and Proschan 1999).

    Parameters
    ----------
    yi, vi : sequences of length k
    method, ci : str
        The model that is fitted anew to every pattern of signs; its statistic is compared.
    exact_up_to : int
        Up to so many studies all 2^k patterns are taken, else a seeded sample that holds the
        data's own pattern.
    permutations, seed : int
        Of the sample.

    Raises
    ------
    ValueError
        For variances that are not positive and effects that are not finite.

    Notes
    -----
    Under the null the effects are symmetric around 0. The smallest p is 2 / 2^k, so fewer than
    six studies cannot give a p below 0.05.
    """
    y, v = checked(yi, vi)
    k = len(y)
    if k < 2:
        raise NotEstimableError(f"{studies_words(k)}, 2 are needed")
    exact = k <= exact_up_to
    if exact:
        # A pattern and its mirror image have the same statistic: half of them will do.
        signs = np.array([(1.0, *rest) for rest in itertools.product((1.0, -1.0), repeat=k - 1)])
    else:
        random = np.random.default_rng(seed)
        drawn = 1.0 - 2.0 * random.integers(0, 2, size=(permutations - 1, k))
        signs = np.vstack([np.ones(k), drawn])
    fits = regress_many(signs * y, v[None, :], np.ones((1, k, 1)), method=method, ci=ci)
    squares = squared_statistics(y, fits.coefficients, fits.covariance)
    total = 2 * len(signs) if exact else len(signs)
    if math.isinf(squares[0]):
        raise NotEstimableError("the standard error is 0: plain Hartung-Knapp of equal effects")
    return Permutation(
        test="sign_flip", k=k,
        statistic=math.copysign(math.sqrt(squares[0]), fits.coefficients[0, 0]),
        permutations=total, exact=exact, p=_share(squares),
        p_smallest=2 / total if exact else 1 / total,
    )  # fmt: skip


def _share(squares: Array) -> float:
    """Return the share of statistics at least as large as the first, ties counted in."""
    return float(np.mean(squares >= squares[0] * (1 - 2 * TIED)))


@estimable(Permutation)
def permute_moderator(
    yi: Numbers, vi: Numbers, x: Array, *, method: str = "REML",
    ci: str = "hksj-floor", exact_up_to: int = EXACT_ORDERS_UP_TO, permutations: int = 5_000,
    seed: int = 1,
) -> Permutation:  # fmt: skip
    """Test a moderator by giving its values to the studies in other orders.

    Parameters
    ----------
    yi, vi : sequences of length k
    x : array of length k, or (k, q)
        A covariate, or the dummy columns of a factor, permuted together and tested together.
    method, ci : str
        The model that is fitted anew to every order.
    exact_up_to : int
        Up to so many different orders all are taken, else a seeded sample that holds the data's
        own order.
    permutations, seed : int
        Of the sample.

    Raises
    ------
    ValueError
        For variances that are not positive and effects that are not finite.

    Notes
    -----
    Higgins and Thompson (2004). Every different order is as likely as any other.
    """
    y, v = checked(yi, vi)
    k = len(y)
    columns = _scaled(x, k)
    q = columns.shape[1]
    kinds, codes = np.unique(columns, axis=0, return_inverse=True)
    codes = codes.reshape(k)
    orders = _number_of_orders(codes)
    exact = orders <= exact_up_to
    if exact:
        arrangements = np.array([codes.tolist(), *_orders(codes)])
    else:
        random = np.random.default_rng(seed)
        arrangements = np.array(
            [codes, *(random.permutation(codes) for _ in range(permutations - 1))]
        )
    designs = np.concatenate([np.ones((len(arrangements), k, 1)), kinds[arrangements]], axis=2)
    fits = regress_many(y[None, :], v[None, :], designs, method=method, ci=ci)
    squares = squared_statistics(y, fits.coefficients[:, 1:], fits.covariance[:, 1:, 1:])
    first = float(squares[0])
    if not math.isfinite(first):
        raise NotEstimableError(
            "the standard error is 0: nothing is left to judge the moderator by"
        )
    # The data's own order stands first and is among all orders once more.
    return Permutation(
        test="moderator", k=k,
        statistic=math.copysign(math.sqrt(first), fits.coefficients[0, 1]) if q == 1 else first,
        permutations=orders if exact else permutations, exact=exact,
        p=_share_after_first(squares) if exact else _share(squares),
        p_smallest=1 / (orders if exact else permutations),
    )  # fmt: skip


def _scaled(x: Array, k: int) -> Array:
    """Return the moderator (k x q), centred and scaled, or refuse one that cannot be tested."""
    if k < 4:
        raise NotEstimableError(f"{studies_words(k)}: a moderator needs four")
    columns = np.asarray(x, dtype=float).reshape(k, -1)
    if not np.all(np.isfinite(columns)):
        raise NotEstimableError("the moderator is not known for every study")
    q = columns.shape[1]
    if k < q + 3:
        raise NotEstimableError(f"{k} studies: {q} moderator columns need {q + 3}")
    centred = columns - columns.mean(axis=0)
    spread = np.max(np.abs(centred), axis=0)
    if np.any(spread <= 1e-10 * np.max(np.abs(columns), axis=0)):
        raise NotEstimableError("the moderator is the same for all studies")
    if np.linalg.matrix_rank(centred / spread) < q:
        raise NotEstimableError("the moderator columns depend on each other")
    return centred / spread


def _share_after_first(squares: Array) -> float:
    return float(np.mean(squares[1:] >= squares[0] * (1 - 2 * TIED)))


def _number_of_orders(codes: NDArray[np.intp]) -> int:
    """Return in how many different orders the values can stand."""
    number = math.factorial(len(codes))
    for count in np.unique(codes, return_counts=True)[1]:
        number //= math.factorial(int(count))
    return number


def _orders(codes: NDArray[np.intp]) -> Iterator[tuple[int, ...]]:
    """Yield every different order of the values once, each as likely as any other."""
    counts = [int(count) for count in np.unique(codes, return_counts=True)[1]]

    def extended(head: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(head) == len(codes):
            yield head
            return
        for value, left in enumerate(counts):
            if left:
                counts[value] -= 1
                yield from extended((*head, value))
                counts[value] += 1

    yield from extended(())
