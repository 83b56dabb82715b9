"""Coverage of the default intervals for reviews of the size of this one: writes docs/simulation.md.

    python benchmarks/simulation.py [repetitions]

Seeded: the same repetitions give the same file.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from osteometa.numerics.distributions import hedges_j, t_quantile
from osteometa.pooling.kernel import regress_many
from osteometa.wording.choices import CI_METHODS
from scipy.special import ndtr

PAGE = Path(__file__).parent.parent / "docs" / "simulation.md"
SEED = 20260
REPETITIONS = 20_000
MEAN = 0.3
SIZES = (3, 4, 5, 10, 20)
TAU2 = (0.0, 0.04, 0.40)
SMALLEST, LARGEST = 10, 40


@dataclass(frozen=True, slots=True)
class Cell:
    """What one number of studies and one tau2 gave; shares from 0 to 1."""

    k: int
    tau2: float
    covered: dict[str, float]
    """Intervals of the mean that hold it, by method."""
    width: dict[str, float]
    """Median width."""
    excludes_null: dict[str, float]
    narrower: float
    """Plain Hartung-Knapp narrower than Wald."""
    zero: float
    """tau2 estimated 0."""
    predicted: dict[str, float]
    """True effects of a new study inside the prediction interval, by method."""
    predicted_shown: float
    """The same for the default, where tau2 is above 0 and the interval is therefore shown."""
    prediction_width: float


def reviews(k: int, tau2: float, repetitions: int) -> tuple[np.ndarray, np.ndarray]:
    """Return SMDs and variances (repetitions x k) of trials with normal outcomes.

    Means and SDs are drawn from their exact distributions. g = J d with the exact J, variance
    1/nT + 1/nC + g^2 / (2 (nT + nC)), as the package makes them.
    """
    random = np.random.default_rng([SEED, k, round(1000 * tau2)])
    shape = (repetitions, k)
    exercise, control = (random.integers(SMALLEST, LARGEST + 1, shape) for _ in range(2))
    true = MEAN + math.sqrt(tau2) * random.standard_normal(shape)
    free = exercise + control - 2
    difference = true + np.sqrt(1 / exercise + 1 / control) * random.standard_normal(shape)
    sd = np.sqrt(random.chisquare(free) / free)
    factors = np.array([math.nan, math.nan] + [hedges_j(m) for m in range(2, 2 * LARGEST)])
    g = factors[free] * difference / sd
    return g, 1 / exercise + 1 / control + g**2 / (2 * (exercise + control))


def simulated(k: int, tau2: float, repetitions: int) -> Cell:
    """Pool the reviews of one cell by the three intervals."""
    y, v = reviews(k, tau2, repetitions)
    half, covered, width, excludes, predicted = {}, {}, {}, {}, {}
    for ci in CI_METHODS:
        fits = regress_many(y, v, np.ones((1, k, 1)), method="REML", ci=ci)
        estimate, se = fits.coefficients[:, 0], np.sqrt(fits.covariance[:, 0, 0])
        quantile = t_quantile(0.975, None if ci == "wald" else k - 1)
        half[ci] = quantile * se
        covered[ci] = float(np.mean(np.abs(estimate - MEAN) <= half[ci]))
        width[ci] = float(np.median(2 * half[ci]))
        excludes[ci] = float(np.mean(np.abs(estimate) > half[ci]))
        reach = quantile * np.sqrt(fits.tau2 + se**2)
        inside = _holds(estimate - reach, estimate + reach, tau2)
        predicted[ci] = float(np.mean(inside))
    # The last of CI_METHODS is the default.
    shown = fits.tau2 > 0
    return Cell(
        k, tau2, covered, width, excludes, float(np.mean(half["hksj"] < half["wald"])),
        float(np.mean(~shown)), predicted, float(np.mean(inside[shown])),
        float(np.median(2 * reach[shown])),
    )  # fmt: skip


def _holds(low: np.ndarray, high: np.ndarray, tau2: float) -> np.ndarray:
    """Return the probability that the true effect of a new study lies in each interval."""
    if tau2 == 0:
        return ((low <= MEAN) & (high >= MEAN)).astype(float)
    tau = math.sqrt(tau2)
    return ndtr((high - MEAN) / tau) - ndtr((low - MEAN) / tau)


def page(cells: list[Cell], repetitions: int) -> str:
    """Return the page: set-up, tables, and what they say about four studies."""
    return "\n\n".join([
        "# Coverage of the intervals of small reviews: a simulation",
        _set_up(repetitions),
        "## The interval of the mean effect",
        _mean_table(cells),
        "Wald is the normal interval, HK that of Hartung and Knapp; the default is HK with its "
        "factor never below 1. Covered: percent of intervals that include the true mean (nominal: "
        "95). Width: median. HK < Wald: percent of reviews in which plain HK is narrower than "
        "Wald. Excludes 0: percent of default intervals that exclude 0; the true mean is "
        f"{MEAN:g}.",
        "## The prediction interval",
        _prediction_table(cells),
        "Coverage: percent of the true effects of new studies inside the interval. Wald has normal "
        "quantiles; the default t with k - 1 degrees of freedom and the default standard error. "
        "tau2 = 0: percent of reviews in which tau2 is estimated 0; these have no prediction "
        "interval in tables and figures, and are left out of the columns *shown*.",
        "## What to expect from four studies",
        _four(cells),
    ]) + "\n"  # fmt: skip


def _set_up(repetitions: int) -> str:
    error = 100 * math.sqrt(0.95 * 0.05 / repetitions)
    return (
        f"Made by `benchmarks/simulation.py` (seed {SEED}, {repetitions:,} reviews per row; "
        f"standard error of a coverage near 95 %: {error:.2f} points). Each trial has "
        f"{SMALLEST} to {LARGEST} participants per arm (uniform, independent between arms) and "
        "normal outcomes; the effect is Hedges' g with exact J and the large-sample variance; the "
        f"true effects are normal around {MEAN:g} with variance tau2. tau2 = 0.04 is about that of "
        "the SMDs of lumbar spine BMD in the shipped review, 0.40 about that of the SMDs of CTX. "
        "All pools are REML."
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---:"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _mean_table(cells: list[Cell]) -> str:
    head = [
        "k", "tau2", "Wald covered", "HK covered", "default covered", "Wald width", "HK width",
        "default width", "HK < Wald", "excludes 0",
    ]  # fmt: skip
    return _table(head, [
        [
            str(c.k), f"{c.tau2:.2f}", *(_percent(c.covered[ci]) for ci in CI_METHODS),
            *(f"{c.width[ci]:.2f}" for ci in CI_METHODS), _percent(c.narrower),
            _percent(c.excludes_null["hksj-floor"]),
        ]
        for c in cells
    ])  # fmt: skip


def _prediction_table(cells: list[Cell]) -> str:
    head = ["k", "tau2", "Wald", "HK", "default", "default, shown", "width, shown", "tau2 = 0"]
    return _table(head, [
        [
            str(c.k), f"{c.tau2:.2f}", *(_percent(c.predicted[ci]) for ci in CI_METHODS),
            _percent(c.predicted_shown), f"{c.prediction_width:.2f}", _percent(c.zero),
        ]
        for c in cells
    ])  # fmt: skip


def _four(cells: list[Cell]) -> str:
    none, some, much = (c for c in cells if c.k == 4)
    ten = next(c for c in cells if c.k == 10 and c.tau2 == some.tau2)
    default = "hksj-floor"

    def covers(c: Cell, ci: str) -> str:
        return f"{_percent(c.covered[ci])} %"

    return "\n".join(
        [
            f"- **The default interval is conservative.** It covers the mean in "
            f"{covers(none, default)} of reviews with homogeneous trials, "
            f"{covers(some, default)} at tau2 = {some.tau2:g} and {covers(much, default)} at "
            f"{much.tau2:g}. Its median width is {some.width[default]:.2f} SD at tau2 = "
            f"{some.tau2:g}, against {some.width['wald']:.2f} for the normal interval.",
            f"- **Its power is low.** With a true effect of {MEAN:g} SD it excludes 0 in "
            f"{_percent(some.excludes_null[default])} % of reviews of four trials at tau2 = "
            f"{some.tau2:g}, and in {_percent(ten.excludes_null[default])} % of reviews of ten. "
            "An interval that includes 0 from four trials is inconclusive; it does not show that "
            "there is no effect.",
            f"- **The normal interval ignores the uncertainty of tau2.** With large heterogeneity "
            f"it covers the mean in {covers(much, 'wald')} of reviews (tau2 = {much.tau2:g}). Its "
            f"coverage at {some.tau2:g} ({covers(some, 'wald')}) is the result of two errors that "
            "cancel: tau2 is overestimated because it cannot be negative, and its uncertainty is "
            "ignored.",
            f"- **Plain Hartung-Knapp has nominal coverage on average** ({covers(some, 'hksj')} at "
            f"tau2 = {some.tau2:g}) **but not in each review**: in {_percent(none.narrower)} % of "
            "reviews at tau2 = 0 it is narrower than the normal interval, namely where trials "
            "agree by chance. The floor prevents this: the median width increases from "
            f"{some.width['hksj']:.2f} to {some.width[default]:.2f}, and the coverage to "
            f"{covers(some, default)}.",
            f"- **tau2 of four trials is very imprecise.** It is estimated 0 in "
            f"{_percent(some.zero)} % of reviews when the true value is {some.tau2:g}, and in "
            f"{_percent(much.zero)} % when it is {much.tau2:g}. An estimate of 0 is no evidence of "
            "homogeneity; the upper limit shows what is possible.",
            f"- **The prediction interval** covers the true effect of a new trial in "
            f"{_percent(some.predicted[default])} % at tau2 = {some.tau2:g} and "
            f"{_percent(much.predicted[default])} % at {much.tau2:g}; where it is shown its "
            f"median width is {some.prediction_width:.2f} and {much.prediction_width:.2f} SD. "
            "From four trials it is given in the table only.",
            f"- **More trials improve the interval of the mean before the prediction interval.** "
            f"With ten trials at tau2 = {ten.tau2:g} the default interval covers the mean in "
            f"{covers(ten, default)}, the prediction interval a new effect in only "
            f"{_percent(ten.predicted[default])} %: tau2 is still estimated 0 in "
            f"{_percent(ten.zero)} % of reviews, which is why no prediction interval is shown for "
            f"these (where it is shown: {_percent(ten.predicted_shown)} %).",
        ]
    )


def main(repetitions: int = REPETITIONS) -> None:
    """Simulate every cell and write the page."""
    cells = [simulated(k, tau2, repetitions) for k in SIZES for tau2 in TAU2]
    PAGE.write_text(page(cells, repetitions), encoding="utf-8")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
