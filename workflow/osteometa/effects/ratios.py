"""Log ratios of means: of the same participants, from percent changes, over a baseline mean.

Formulas: docs/methods, M3.7 to M3.9.
"""

import math
from dataclasses import replace

from osteometa.comparisons.reported_tests import (
    RATIOS,
    adjustment,
    exact_p,
    order,
    paired_size,
    sizes_of,
)
from osteometa.comparisons.summaries import (
    Cell,
    CompleteSummary,
    Flags,
    SampleSize,
    SummaryWithSd,
    row_flags,
)
from osteometa.effects.basis import Basis, Estimate
from osteometa.effects.formulas import Effect, change_variance, lajeunesse
from osteometa.effects.inputs import NotDerivableError, all_with_sd, own_se
from osteometa.effects.worked import Worked, log_ratio_of, percents_of
from osteometa.extraction.tables import Contrast
from osteometa.extraction.units import NOT_STATED
from osteometa.numerics.distributions import p_to_t
from osteometa.wording.vocabulary import DerivationMethod, Flag, Provenance

GEARY_LIMIT = 3.0 * (1 - 1e-12)
"""A log ratio needs mean * sqrt(n) / SD of 3 in each arm, in any unit: rounding is let pass."""


def log_ratio(
    basis: Basis, lower: CompleteSummary, upper: CompleteSummary, r: float, arm: str = ""
) -> tuple[Effect, Worked]:
    """Return the log ratio of two means of the same participants (ROMC), with its formula.

    Corrected where config.yaml asks for it: with what Lajeunesse (2015) adds for the bias of each
    log mean. The formula is that of y and v, of an arm where one is named.
    """
    corrected = basis.config.effects.rom_correction
    variance = change_variance(lower.sd, lower.n, upper.sd, upper.n, r, lower.mean, upper.mean)
    a, b = (s.sd**2 / (s.n * s.mean**2) for s in (upper, lower))
    more = lajeunesse(a, b) if corrected else (0.0, 0.0)
    effect = math.log(upper.mean / lower.mean) + more[0], variance + more[1]
    return effect, log_ratio_of(arm, lower, upper, r, corrected=corrected)


def percent_to_log(percent: float, sd: float, n: int) -> Effect:
    """Return the log ratio and its variance from a mean percent change.

    The mean of percentages per person overstates the ratio: half the squared log SD is subtracted.
    """
    ratio = 1 + percent / 100
    if ratio <= 0:
        raise NotDerivableError("PCT: a percent change of -100 or less has no log ratio")
    c2 = math.log1p((sd / 100) ** 2 / ratio**2)
    return math.log(ratio) - c2 / 2, c2 / n


def difference_of_percents(one: CompleteSummary, other: CompleteSummary) -> tuple[Effect, Worked]:
    """Return the difference of two log ratios, each from a percent change, with its formula."""
    (y1, v1), (y2, v2) = (percent_to_log(s.mean, s.sd, s.n) for s in (one, other))
    return (y1 - y2, v1 + v2), percents_of(one, other)


def percent_difference(value: float, se: float) -> tuple[Effect, Worked]:
    """Return the log ratio of a change in percent, or a difference of such, with its formula."""
    worked = Worked().then("yi = ln(1 + D / 100)", "vi = (SE / 100)**2", D=value, SE=se)
    return (math.log1p(value / 100), (se / 100) ** 2), worked


def reported_ratio(basis: Basis, method: DerivationMethod) -> Estimate | None:
    """Return the best reported ratio of means, or its logarithm, as an effect; None without one.

    ln R, its SE as reported of the logarithm, (ln U - ln L) / 2z of its limits, or |ln R| / z of an
    exact p (Cochrane Handbook 6.3.2); of several one of the paper itself, then an adjusted one,
    then the order of `reported_tests`. Levels after of different participants that are reported
    themselves take precedence over an unadjusted ratio of them.
    """
    comparison = basis.comparison
    compares = "between" if comparison.controlled else "within"
    two = comparison.controlled and not comparison.paired
    levels = two and all_with_sd(basis.after)
    reported = [
        (row, *found)
        for row in comparison.contrasts
        if row.statistic in RATIOS and row.compares == compares and row.usable
        if not (levels and row.score == "post" and adjustment(row) != "yes")
        if (found := _log_and_se(row)) is not None
    ]
    if not reported:
        return None

    def place(one: tuple[Contrast, float, float, Provenance, tuple[str, ...]]) -> tuple:
        second_hand, by_code = order(row_flags(one[0]), one[3])
        return second_hand, adjustment(one[0]) != "yes", by_code

    row, log, se, code, columns = min(reported, key=place)
    sizes = comparison.size(0, None), comparison.size(1, None)
    sizes = sizes_of(row, *sizes) if two else (paired_size(row, *sizes), SampleSize())
    n_e, n_c = sizes[0].n, sizes[1].n if two else None
    known = (*sizes[0].cells, *sizes[1].cells)
    if two and row.n_total is not None and not known:
        known = (Cell(row, "n_total"),)
    line = "yi = ln(R)" if row.statistic == "rom" else "yi = R"
    return Estimate(
        yi=log, vi=se**2, method=method, codes=(code,),
        worked=Worked().then(line, "vi = SE**2", R=float(row.value or 0), SE=se),
        flags=row_flags(row) | sizes[0].flags | sizes[1].flags,
        cells=(*(Cell(row, name) for name in ("value", *columns)), *known),
        n=(n_e, n_c), n_total=row.n_total if two else n_e,
        means=basis.means_beside(),
    )  # fmt: skip


def _log_and_se(row: Contrast) -> tuple[float, float, Provenance, tuple[str, ...]] | None:
    """Return the log ratio of a row, its SE, and what that is from; None where it has no SE."""
    scale = math.log if row.statistic == "rom" else float
    log = row.difference
    if log is None or row.test == "rank":
        return None
    if spread := own_se(row, scale):
        return log, *spread
    p = exact_p(row)
    z = 0.0 if p is None or p >= 1 else p_to_t(p, None, row.tails or 2)
    return (log, abs(log) / z, Provenance.P, ("p",)) if log and z > 0 else None


def baseline_mean(basis: Basis) -> tuple[float, tuple[Cell, ...], Flags]:
    """Return the mean before exercise: the trial's own, else that of config.yaml (flag BASE)."""
    own = [(s.mean, s.n or 1, s.cells[0]) for s in basis.before if s and s.mean is not None]
    if own:
        mean = sum(w * m for m, w, _ in own) / sum(w for _, w, _ in own)
        return mean, tuple(cell for *_, cell in own), frozenset()
    place, analyte = basis.comparison, basis.analyte
    if place.unit == NOT_STATED:
        raise NotDerivableError("BASE: the unit of the change is not stated")
    if analyte is None or place.site not in analyte.baseline_mean:
        raise NotDerivableError("BASE: no baseline mean is reported, and config.yaml has none")
    return analyte.baseline_mean[place.site], (), frozenset({Flag.BASELINE_MEAN})


def has_ratios_of_changes(basis: Basis) -> bool:
    """Return whether a change in the unit of the levels may become a ratio: not of a marker."""
    return basis.analyte is not None and basis.analyte.over_baseline_mean


def over_baseline_mean(basis: Basis, estimate: Estimate) -> Estimate:
    """Convert a difference D to a log ratio: ln(1 + D/m0), v = (SE/(m0 + D))^2.

    NotDerivableError if there is no baseline mean, or D would take it below 0.
    """
    m0, cells, flags = baseline_mean(basis)
    if m0 + estimate.yi <= 0:
        raise NotDerivableError("BASE: the difference exceeds the baseline mean")
    return replace(
        estimate, yi=math.log1p(estimate.yi / m0), vi=estimate.vi / (m0 + estimate.yi) ** 2,
        codes=(*estimate.codes, Provenance.BASE) if flags else estimate.codes,
        flags=estimate.flags | flags, cells=estimate.cells + cells,
        worked=estimate.worked.converted("yi = ln(1 + D / m0)", "vi = V / (m0 + D)**2", m0=m0),
    )  # fmt: skip


def geary(summary: SummaryWithSd) -> None:
    """Raise an error where a mean is too near 0 for its SD to form a ratio (Geary 1930)."""
    if summary.n is None:
        raise NotDerivableError("n is not reported, which a log ratio needs")
    if summary.mean <= 0 or summary.mean * math.sqrt(summary.n) / summary.sd < GEARY_LIMIT:
        raise NotDerivableError("the mean is too near 0 for its SD: no log ratio")
