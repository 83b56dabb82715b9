"""Log ratios of means: of the same participants, from percent changes, over a baseline mean.

Formulas: docs/methods, M3.7 to M3.9.
"""

import math
from dataclasses import replace

from osteometa.comparisons.summaries import Cell, CompleteSummary, Flags, SummaryWithSd
from osteometa.effects.basis import Basis, Estimate
from osteometa.effects.formulas import change_variance as variance_of_change
from osteometa.effects.formulas import lajeunesse
from osteometa.effects.inputs import NotDerivableError
from osteometa.extraction.units import NOT_STATED
from osteometa.wording.vocabulary import Flag, Provenance

GEARY_LIMIT = 3.0
"""A log ratio needs mean * sqrt(n) / SD of at least this in each arm."""


def log_ratio(
    upper: CompleteSummary, lower: CompleteSummary, r: float, corrected: bool
) -> tuple[float, float]:
    """Return the log ratio of two means of the same participants and its variance (ROMC).

    Corrected: with what Lajeunesse (2015) adds for the bias of each log mean.
    """
    variance = variance_of_change(
        lower.sd, lower.n, upper.sd, upper.n, r, lower.mean, upper.mean
    )  # fmt: skip
    a, b = (s.sd**2 / (s.n * s.mean**2) for s in (upper, lower))
    more = lajeunesse(a, b) if corrected else (0.0, 0.0)
    return math.log(upper.mean / lower.mean) + more[0], variance + more[1]


def percent_to_log(percent: float, sd: float, n: int) -> tuple[float, float]:
    """Return the log ratio and its variance from a mean percent change.

    The mean of percentages per person overstates the ratio: half the squared log SD is subtracted.
    """
    ratio = 1 + percent / 100
    if ratio <= 0:
        raise NotDerivableError("PCT: a percent change of -100 or less has no log ratio")
    c2 = math.log1p((sd / 100) ** 2 / ratio**2)
    return math.log(ratio) - c2 / 2, c2 / n


def baseline_mean(basis: Basis) -> tuple[float, tuple[Cell, ...], Flags]:
    """Return the mean before exercise: the trial's own, else that of config.yaml (flag BASE)."""
    own = [(s.mean, s.n or 1, s.cells[0]) for s in basis.before if s and s.mean is not None]
    if own:
        mean = sum(w * m for m, w, _ in own) / sum(w for _, w, _ in own)
        return mean, tuple(cell for *_, cell in own), frozenset()
    place = basis.comparison
    analyte = basis.config.analyte(place.outcome, place.analyte)
    if place.unit == NOT_STATED:
        raise NotDerivableError("BASE: the unit of the change is not stated")
    if analyte is None or place.site not in analyte.baseline_mean:
        raise NotDerivableError("BASE: no baseline mean is reported, and config.yaml has none")
    return analyte.baseline_mean[place.site], (), frozenset({Flag.BASELINE_MEAN})


def over_baseline_mean(basis: Basis, estimate: Estimate) -> Estimate:
    """Convert a difference D to a log ratio: ln(1 + D/m0), v = (SE/(m0 + D))^2.

    NotDerivableError if there is no baseline mean, or D would take it below 0.
    """
    m0, cells, flags = baseline_mean(basis)
    if m0 + estimate.yi <= 0:
        raise NotDerivableError("BASE: the difference exceeds the baseline mean")
    return replace(
        estimate,
        yi=math.log1p(estimate.yi / m0),
        vi=estimate.vi / (m0 + estimate.yi) ** 2,
        codes=(*estimate.codes, Provenance.BASE) if flags else estimate.codes,
        flags=estimate.flags | flags,
        cells=estimate.cells + cells,
        worked=estimate.worked.converted("yi = ln(1 + D / m0)", "vi = V / (m0 + D)**2", m0=m0),
    )


def geary(summary: SummaryWithSd) -> None:
    """Raise an error where a mean is too near 0 for its SD to form a ratio (Geary 1930)."""
    if summary.n is None:
        raise NotDerivableError("n is not reported, which a log ratio needs")
    if summary.mean <= 0 or summary.mean * math.sqrt(summary.n) / summary.sd < GEARY_LIMIT:
        raise NotDerivableError("the mean is too near 0 for its SD: no log ratio")
