"""Effect sizes and their sampling variances as pure functions of reported numbers.

Each returns (yi, vi) in metafor's sense. T exercise, C control; 0 before, 1 after; r the
correlation between the two times; m degrees of freedom; u the variance of a mean (or a difference
of means) in units of the squared standardiser, without the part that comes from estimating that.
"""

import math

from osteometa.numerics.distributions import hedges_j
from osteometa.wording.choices import SmdVariance

Effect = tuple[float, float]


def g_term(g: float, n: float) -> float:
    """Return the part of g's variance that comes from estimating the SD, g^2 / (2 n)."""
    return g**2 / (2 * n)


def g_variance(
    u: float, g: float, n: float, m: float, form: SmdVariance = "LS", *, scaled: bool = False
) -> float:
    """Return the sampling variance of a standardised effect g (with the factor J).

    LS: u + g^2/(2n), Hedges (1982). LS2: J^2 times the same with d = g/J, Borenstein (2009),
    formula 4.24. UB: u + (1 - (m-2)/(m J^2)) g^2, unbiased, Hedges (1983). AV is LS until the
    average effect of a set is known. u is the part without the effect, such as 1/nT + 1/nC,
    `scaled` if it has the factor J^2 already, as the SE of an adjusted difference has; n are the
    participants, m the degrees of freedom of the SD.
    """
    if form == "UB":
        return u + (1 - (m - 2) / (m * hedges_j(m) ** 2)) * g**2
    if form == "LS2" and not scaled:
        return hedges_j(m) ** 2 * u + g_term(g, n)
    return u + g_term(g, n)


def md(mT: float, sT: float, nT: int, mC: float, sC: float, nC: int) -> Effect:
    """Return the mean difference of two arms, with v = sT^2/nT + sC^2/nC."""
    return mT - mC, sT**2 / nT + sC**2 / nC


def smd(
    mT: float, sT: float, nT: int, mC: float, sC: float, nC: int, form: SmdVariance = "LS"
) -> Effect:
    """Return Hedges' g of two arms over their pooled SD (Hedges 1981)."""
    m = nT + nC - 2
    sd = math.sqrt(((nT - 1) * sT**2 + (nC - 1) * sC**2) / m)
    g = hedges_j(m) * (mT - mC) / sd
    return g, g_variance(1 / nT + 1 / nC, g, nT + nC, m, form)


def smdh(mT: float, sT: float, nT: int, mC: float, sC: float, nC: int) -> Effect:
    """Return g over the root mean square of both SDs, which may differ (Bonett 2008, 2009).

    v = J^2 (u + g^2 w), u = [sT^2/(nT-1) + sC^2/(nC-1)] / S^2, w = [sT^4/(nT-1) + sC^4/(nC-1)] /
    (8 S^4): the form of metafor before 4.6; later releases scale it otherwise.
    """
    square = (sT**2 + sC**2) / 2
    j = hedges_j(nT + nC - 2)
    g = j * (mT - mC) / math.sqrt(square)
    u = (sT**2 / (nT - 1) + sC**2 / (nC - 1)) / square
    spread = (sT**4 / (nT - 1) + sC**4 / (nC - 1)) / (8 * square**2)
    return g, j**2 * (u + spread * g**2)


def rom(
    mT: float, sT: float, nT: int, mC: float, sC: float, nC: int, *, corrected: bool = False
) -> Effect:
    """Return the log ratio of two means (Hedges, Gurevitch and Curtis 1999).

    Corrected: the bias corrections of Lajeunesse (2015), formulas 8 and 9.
    """
    a, b = sT**2 / (nT * mT**2), sC**2 / (nC * mC**2)
    more = lajeunesse(a, b) if corrected else (0.0, 0.0)
    return math.log(mT / mC) + more[0], a + b + more[1]


def lajeunesse(upper: float, lower: float) -> Effect:
    """Return what Lajeunesse (2015) adds to a log ratio and to its variance.

    `upper` and `lower` are s^2/(n m^2) of the mean above and of that below the line.
    """
    return (upper - lower) / 2, (upper**2 + lower**2) / 2


def change_variance(
    s0: float, n0: int, s1: float, n1: int, r: float, m0: float = 1.0, m1: float = 1.0
) -> float:
    """Return the variance of a mean change, or with the means that of a log ratio after to before.

    s1^2/n1 + (s0^2 - 2 r s0 s1)/n0 where n falls from n0 to n1 (completers among the randomised);
    where it rises, those measured twice are those measured before.
    """
    twice = 2 * r * s0 * s1 / (max(n0, n1) * m0 * m1)
    return s1**2 / (n1 * m1**2) + s0**2 / (n0 * m0**2) - twice


def smcc(m0: float, s0: float, m1: float, s1: float, n: int, r: float) -> Effect:
    """Return the mean change of one arm over the SD of the change (metafor's SMCC).

    g = J(n-1) (m1 - m0) / sd, sd^2 = s0^2 + s1^2 - 2 r s0 s1, v = 1/n + g^2/(2n) (Gibbons, Hedeker
    and Davis 1993). In no hierarchy: its unit differs from that of effects over the SD between
    participants, with which it must not be pooled; different r give different g for one change.
    """
    sd = math.sqrt(s0**2 + s1**2 - 2 * r * s0 * s1)
    g = hedges_j(n - 1) * (m1 - m0) / sd
    return g, 1 / n + g_term(g, n)
