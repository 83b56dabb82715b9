"""Permutation tests of the pooled effect and of a moderator."""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from osteometa.numerics.arrays import Array, Numbers
from osteometa.pooling.kernel import regress_many
from osteometa.pooling.model import checked
from osteometa.records.sensitivity import PermutationRow
from osteometa.sensitivity.status import NotEstimableError, estimable
from osteometa.wording.choices import studies_words

# Statistics nearer than this are tied: equal in truth, apart by rounding.
TIED = 1e-8
MOST_FLIPS = 2**15
EXACT_ORDERS_UP_TO = 5_000
TOGETHER = 1 << 16
"""Patterns of signs that are fitted together, so that any number takes the same memory."""


def squared_statistics(Y: Array, b: Array, variances: Array) -> Array:
    """Return the squared z or t of n estimates; at SE 0 infinity, or 0 where they are 0 too."""
    squares = b**2
    noise = (1e-15 * np.max(np.abs(Y))) ** 2
    none = variances <= noise
    found = np.where(squares > noise, math.inf, 0.0)
    return np.divide(squares, variances, out=found, where=~none)


@estimable(partial(PermutationRow, test="sign_flip"))
def sign_flip(
    yi: Numbers, vi: Numbers, *, method: str = "REML", ci: str = "wald",
    permutations: int = MOST_FLIPS, seed: int = 1,
) -> PermutationRow:  # fmt: skip
    """Test the pooled effect by flipping the signs of the effects (Follmann and Proschan 1999).

    The model of `method` and `ci` is fitted anew to every pattern of signs, and its statistic
    compared. All 2^k patterns are taken if they are not more than `permutations`, else so many: a
    seeded sample that includes the observed pattern. Under the null the effects are symmetric
    around 0. The smallest p is 2 / 2^k, so fewer than six studies cannot give a p below 0.05.
    Errors are those of `pooling.model.checked`.
    """
    y, v = checked(yi, vi)
    k = len(y)
    if k < 2:
        raise NotEstimableError(f"{studies_words(k)}, 2 are needed")
    exact = 2**k <= permutations
    chunks = all_signs(k) if exact else drawn_signs(k, permutations, seed)
    total = 2**k if exact else permutations
    observed, square, at_least = 0.0, 0.0, 0
    for number, signs in enumerate(chunks):
        fits = regress_many(signs * y, v[None, :], np.ones((1, k, 1)), method=method, ci=ci)
        squares = squared_statistics(y, fits.coefficients[:, 0], fits.covariance[:, 0, 0])
        if number == 0:
            observed, square = float(fits.coefficients[0, 0]), float(squares[0])
        if math.isinf(square):
            raise NotEstimableError("the standard error is 0: plain Hartung-Knapp of equal effects")
        at_least += int(np.sum(squares >= square * (1 - 2 * TIED)))
    return PermutationRow(
        test="sign_flip", k=k, statistic=math.copysign(math.sqrt(square), observed),
        permutations=total, exact=exact, p=(2 if exact else 1) * at_least / total,
        p_smallest=2 / total if exact else 1 / total,
    )  # fmt: skip


def all_signs(k: int) -> Iterator[Array]:
    """Yield all patterns of signs of k effects, the observed one first, some at a time.

    A pattern and its mirror image have the same statistic: half of them will do.
    """
    places = np.arange(k - 2, -1, -1)
    for start in range(0, 2 ** (k - 1), TOGETHER):
        numbers = np.arange(start, min(start + TOGETHER, 2 ** (k - 1)))
        flipped = (numbers[:, None] >> places) & 1
        signs = np.ones((len(numbers), k))
        signs[:, 1:] -= 2.0 * flipped
        yield signs


def drawn_signs(k: int, permutations: int, seed: int) -> Iterator[Array]:
    """Yield a seeded sample of patterns of signs, the observed one first, some at a time."""
    random = np.random.default_rng(seed)
    for start in range(0, permutations, TOGETHER):
        number = min(TOGETHER, permutations - start)
        signs = np.ones((number, k))
        drawn = signs[1:] if start == 0 else signs
        drawn -= 2.0 * random.integers(0, 2, size=drawn.shape)
        yield signs


@estimable(partial(PermutationRow, test="moderator"))
def permute_moderator(
    yi: Numbers, vi: Numbers, x: Array, *, method: str = "REML",
    ci: str = "hksj-floor", exact_up_to: int = EXACT_ORDERS_UP_TO, permutations: int = 5_000,
    seed: int = 1,
) -> PermutationRow:  # fmt: skip
    """Test a moderator by permuting its values among the studies (Higgins and Thompson 2004).

    The model of `method` and `ci` is fitted anew to every order. Up to `exact_up_to` different
    orders all are taken, each as likely as any other, else a seeded sample of `permutations` that
    includes the observed order. Errors are those of `pooling.model.checked`.
    """
    y, v = checked(yi, vi)
    k = len(y)
    kinds, codes, counts = np.unique(_scaled(x, k), return_inverse=True, return_counts=True)
    orders = math.factorial(k) // math.prod(map(math.factorial, counts.tolist()))
    exact = orders <= exact_up_to
    if exact:
        arrangements = np.array([codes.tolist(), *_orders(counts.tolist())])
    else:
        random = np.random.default_rng(seed)
        arrangements = np.array(
            [codes, *(random.permutation(codes) for _ in range(permutations - 1))]
        )
    designs = np.stack([np.ones((len(arrangements), k)), kinds[arrangements]], axis=2)
    fits = regress_many(y[None, :], v[None, :], designs, method=method, ci=ci)
    squares = squared_statistics(y, fits.coefficients[:, 1], fits.covariance[:, 1, 1])
    if not math.isfinite(squares[0]):
        raise NotEstimableError("the standard error is 0: the moderator cannot be tested")
    # The observed order comes first, and once more among all orders.
    counted = squares[1:] if exact else squares
    return PermutationRow(
        test="moderator", k=k,
        statistic=math.copysign(math.sqrt(squares[0]), fits.coefficients[0, 1]),
        permutations=len(counted), exact=exact, p_smallest=1 / len(counted),
        p=float(np.mean(counted >= squares[0] * (1 - 2 * TIED))),
    )  # fmt: skip


def _scaled(x: Array, k: int) -> Array:
    """Return the moderator (k), centred and scaled, or refuse one that cannot be tested."""
    if k < 4:
        raise NotEstimableError(f"{studies_words(k)}: a moderator needs four")
    values = np.asarray(x, dtype=float)
    if not np.all(np.isfinite(values)):
        raise NotEstimableError("the moderator is not known for every study")
    centred = values - values.mean()
    spread = np.max(np.abs(centred))
    if spread <= 1e-10 * np.max(np.abs(values)):
        raise NotEstimableError("the moderator is the same for all studies")
    return centred / spread


def _orders(left: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield every different order of values once; `left` is how often each value occurs."""
    k = sum(left)

    def extended(head: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(head) == k:
            yield head
            return
        for value in range(len(left)):
            if left[value]:
                left[value] -= 1
                yield from extended((*head, value))
                left[value] += 1

    yield from extended(())
