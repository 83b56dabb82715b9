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
PEOPLE = (10, 40)


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
    exercise, control = (random.integers(PEOPLE[0], PEOPLE[1] + 1, shape) for _ in range(2))
    true = MEAN + math.sqrt(tau2) * random.standard_normal(shape)
    free = exercise + control - 2
    difference = true + np.sqrt(1 / exercise + 1 / control) * random.standard_normal(shape)
    sd = np.sqrt(random.chisquare(free) / free)
    factors = np.array([math.nan, math.nan] + [hedges_j(m) for m in range(2, 2 * PEOPLE[1])])
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
        "# What the intervals of a small review are worth: a simulation",
        _set_up(repetitions),
        "## The interval of the mean effect",
        _mean_table(cells),
        "Wald is the normal interval; HK that of Hartung and Knapp; the default is HK with its "
        "factor never below 1. Covered: per cent of intervals that hold the true mean (95 is "
        "meant). Width: median. HK < Wald: per cent of reviews in which plain HK is narrower "
        "than Wald. Excludes 0: per cent of default intervals that find the effect, which is "
        f"{MEAN:g}.",
        "## The prediction interval",
        _prediction_table(cells),
        "Covered: per cent of the true effects of new studies that lie inside. Wald has normal "
        "quantiles; the default t with k - 1 degrees of freedom and the default standard error. "
        "tau2 = 0: per cent of reviews in which tau2 is estimated 0; there tables and figures "
        "show no prediction interval, and the column *shown* leaves those reviews out.",
        "## What to expect from four studies",
        _four(cells),
    ]) + "\n"  # fmt: skip


def _set_up(repetitions: int) -> str:
    error = 100 * math.sqrt(0.95 * 0.05 / repetitions)
    return (
        f"Made by `benchmarks/simulation.py` (seed {SEED}, {repetitions:,} reviews per row; "
        f"standard error of a coverage near 95 %: {error:.2f} points). Each trial has "
        f"{PEOPLE[0]} to {PEOPLE[1]} people per arm (uniform, arms drawn apart) and normal "
        f"outcomes; the effect is Hedges' g with exact J and the large-sample variance; the true "
        f"effects are normal around {MEAN:g} with variance tau2. tau2 = 0.04 is about what the "
        "review's SMDs of lumbar spine BMD show, 0.40 about what its SMDs of CTX show. All pools "
        "are REML."
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
            f"- **The default interval promises too little rather than too much.** It holds the "
            f"mean in {covers(none, default)} of reviews where trials do not differ, "
            f"{covers(some, default)} at tau2 = {some.tau2:g} and {covers(much, default)} at "
            f"{much.tau2:g}. Its median width is {some.width[default]:.2f} SD at tau2 = "
            f"{some.tau2:g}, against {some.width['wald']:.2f} for the normal interval.",
            f"- **It will seldom exclude 0.** A true effect of {MEAN:g} SD is found in "
            f"{_percent(some.excludes_null[default])} % of reviews of four trials at tau2 = "
            f"{some.tau2:g}, and in {_percent(ten.excludes_null[default])} % of reviews of ten. "
            "An interval across 0 from four trials says that they cannot tell, not that there is "
            "no effect.",
            f"- **The normal interval does not know that tau2 is guessed.** Where trials differ "
            f"much it holds the mean in {covers(much, 'wald')} of reviews (tau2 = "
            f"{much.tau2:g}); that it looks right at {some.tau2:g} ({covers(some, 'wald')}) is "
            "two errors that cancel: an estimate is never below 0, and its error is ignored.",
            f"- **Plain Hartung-Knapp is right on average** ({covers(some, 'hksj')} at tau2 = "
            f"{some.tau2:g}) **but not in each review**: in {_percent(none.narrower)} % of "
            "reviews at tau2 = 0 it is narrower than even the normal interval, just where trials "
            f"agree by chance. The floor takes those away: the median width grows from "
            f"{some.width['hksj']:.2f} to {some.width[default]:.2f}, the coverage to "
            f"{covers(some, default)}. That is its price, and it is paid on purpose.",
            f"- **tau2 of four trials is hardly an estimate.** It is 0 in {_percent(some.zero)} % "
            f"of reviews although it is {some.tau2:g}, and in {_percent(much.zero)} % although it "
            f"is {much.tau2:g}. An estimate of 0 is no sign that trials agree; its upper limit "
            "says what is possible.",
            f"- **The prediction interval** holds a new trial's true effect in "
            f"{_percent(some.predicted[default])} % at tau2 = {some.tau2:g} and "
            f"{_percent(much.predicted[default])} % at {much.tau2:g}; where it is shown its "
            f"median width is {some.prediction_width:.2f} and {much.prediction_width:.2f} SD. "
            "From four trials it stands in the table only: a warning, not a forecast.",
            f"- **More trials help the mean sooner than the prediction.** Of ten trials at tau2 = "
            f"{ten.tau2:g} the default interval holds the mean in {covers(ten, default)}, the "
            f"prediction interval a new effect in only {_percent(ten.predicted[default])} %: "
            f"tau2 is still estimated 0 in {_percent(ten.zero)} % of reviews. That is why nothing "
            f"is shown there (where it is shown: {_percent(ten.predicted_shown)} %).",
        ]
    )


def main(repetitions: int = REPETITIONS) -> None:
    """Simulate every cell and write the page."""
    cells = [simulated(k, tau2, repetitions) for k in SIZES for tau2 in TAU2]
    PAGE.write_text(page(cells, repetitions), encoding="utf-8")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
