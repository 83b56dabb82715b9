"""Shipped effects by different methods, recomputed from what the papers report.

Every number below is typed from the paper as `data/raw/` holds it, and the arithmetic is that of
the formulas of docs/methods, M3. Nothing of the package computes here: J is a ratio
of gamma functions, t quantiles are those of scipy. `CASES` repeats the numbers that the effect's
cells hold, so that a cell changed without this file fails.
"""

from math import gamma, log, sqrt

import pytest
from builders import ROOT, cell_name, checked, derived_of, text
from scipy.stats import t as student


def j(m):
    """Hedges' exact factor for m degrees of freedom."""
    return gamma(m / 2) / (sqrt(m / 2) * gamma((m - 1) / 2))


def walking_md():
    """MD of two arms by CHG: changes with their SEs (Brooke-Wavell 1997, lumbar spine, g/cm2).

    Walkers +0.006 (SE 0.004, n 38), controls -0.005 (SE 0.004, n 40).
    SD = SE sqrt(n); v = SD_T^2/n_T + SD_C^2/n_C, which is SE_T^2 + SE_C^2.
    """
    difference = 0.006 - -0.005
    variance = (0.004 * sqrt(38)) ** 2 / 38 + (0.004 * sqrt(40)) ** 2 / 40
    return difference, variance


def vest_log_ratio():
    """ROM of two arms by PPC, levels before and after, some lost (Hakestad 2015, lumbar spine).

    Vest 0.951 (0.139, n 42) to 0.943 (0.114, n 35); control 0.955 (0.088, n 38) to 0.968 (0.084,
    n 33). ln(m1/m0) of each arm, exercise minus control; of each arm
    v = s1^2/(n1 m1^2) + s0^2/(n0 m0^2) - 2 r s0 s1/(n0 m0 m1), r = 0.95 assumed for BMD.
    """
    r = 0.95
    vest = log(0.943 / 0.951)
    control = log(0.968 / 0.955)
    v_vest = (
        0.114**2 / (35 * 0.943**2)
        + 0.139**2 / (42 * 0.951**2)
        - 2 * r * 0.139 * 0.114 / (42 * 0.951 * 0.943)
    )
    v_control = (
        0.084**2 / (33 * 0.968**2)
        + 0.088**2 / (38 * 0.955**2)
        - 2 * r * 0.088 * 0.084 / (38 * 0.955 * 0.968)
    )
    return vest - control, v_vest + v_control


def metastases_adjusted():
    """SMD of two arms by ADJ: an ANCOVA difference with its CI (Rief 2016, serum CTX).

    D = -0.1 (95 % CI -0.2 to -0.003), n 23 and 24; baseline SD 0.27 (n 23) and 0.37 (n 24).
    SE = (high - low)/(2 t.975), df = 23 + 24 - 2 - 1, the baseline being a covariate; S0 pooled,
    J on its 45 df; g = J D/S0; v = (J SE/S0)^2 + g^2/(2N).
    """
    se = (-0.003 - -0.2) / (2 * student.ppf(0.975, 23 + 24 - 2 - 1))
    s0 = sqrt((22 * 0.27**2 + 23 * 0.37**2) / 45)
    g = j(45) * -0.1 / s0
    return g, (j(45) * se / s0) ** 2 + g**2 / (2 * 47)


def walking_from_p():
    """SMD of two arms by TST: an exact p of an ANCOVA (Bergstrom 2012, OPG).

    p = .007 two-sided, n 48 and 44, OPG higher with exercise (+7.55 pg/mL), baseline a covariate.
    t of p on 48 + 44 - 2 - 1 df, J on 90; f = sqrt(1 - r^2), r = 0.5 assumed for a
    blood marker; g = J f t sqrt(1/n_T + 1/n_C); v = f^2 (1/n_T + 1/n_C) + g^2/(2N).
    """
    t = student.isf(0.007 / 2, 48 + 44 - 2 - 1)
    f = sqrt(1 - 0.5**2)
    g = j(90) * f * t * sqrt(1 / 48 + 1 / 44)
    return g, f**2 * (1 / 48 + 1 / 44) + g**2 / (2 * 92)


def one_arm_acute():
    """SMD within one arm by SMCR, acute: an exact paired p (K Nelson's thesis, OPG after 24 h).

    505.0 after, 535.8 before, so lower; p = .046, n 20. t of p on 19 df;
    g = J t/sqrt(n) sqrt(2(1 - r)), v = 2(1 - r)/n + g^2/(2n) (Becker), r = 0.5 assumed.
    """
    r, n = 0.5, 20
    t = -student.isf(0.046 / 2, n - 1)
    g = j(n - 1) * t / sqrt(n) * sqrt(2 * (1 - r))
    assert 505.0 < 535.8
    return g, 2 * (1 - r) / n + g**2 / (2 * n)


def crossover_composite():
    """ROM of the same participants by DIF: two bouts against one rest (Evans 2019, CTX after 1 h).

    +30.2 % and +32.0 %, 90 % limits 10 below and above each, the same 12 men.
    SE = (high - low)/(2 t.95), 11 df, in per cent; ln(1 + D/100) with v = (SE/100)^2 each.
    Both bouts are of one exercise type, so they are one effect: the mean, with
    v = (v1 + v2 + 2 rho sqrt(v1 v2))/4, rho = 0.5.
    """
    se = (40.2 - 20.2) / (2 * student.ppf(0.95, 11))
    first, second = log(1 + 30.2 / 100), log(1 + 32.0 / 100)
    v = (se / 100) ** 2
    return (first + second) / 2, (v + v + 2 * 0.5 * sqrt(v * v)) / 4


def percent_change_from_p():
    """ROM of two arms by CHG: % changes, one SD from the p between them (Vainionpaa 2005, neck).

    +1.1 % (n 39) against -0.4 % (n 41), p = .003. SE = D/t, t of p on 78 df;
    SD = SE/sqrt(1/n_T + 1/n_C) in both arms. Of an arm with the mean p and SD s, in per cent:
    c = ln(1 + (s/100)^2/(1 + p/100)^2), estimate ln(1 + p/100) - c/2, variance c/n.
    """
    se = (1.1 - -0.4) / student.isf(0.003 / 2, 39 + 41 - 2)
    sd = se / sqrt(1 / 39 + 1 / 41)
    c_jump = log(1 + (sd / 100) ** 2 / 1.011**2)
    c_control = log(1 + (sd / 100) ** 2 / 0.996**2)
    jump, control = log(1.011) - c_jump / 2, log(0.996) - c_control / 2
    return jump - control, c_jump / 39 + c_control / 41


CASES = (
    (walking_md, "brooke_wavell_1997.walking.bmd.bmd_areal.lumbar_spine.12_months.md", "CHG+SE",
     (0.006, 0.004, 38, -0.005, 0.004, 40)),
    (vest_log_ratio, "hakestad_2015.weight_vest.bmd.bmd_areal.lumbar_spine.6_months.rom", "PPC+SD",
     (0.951, 0.139, 42, 0.943, 0.114, 35, 0.955, 0.088, 38, 0.968, 0.084, 33)),
    (metastases_adjusted, "rief_2016.resistance.ctx.ctx_serum.3_months.smd", "ADJ+CI+SD",
     (-0.1, -0.2, -0.003, 23, 24, 0.29, 0.27, 23, 0.39, 0.37, 24)),
    (walking_from_p, "bergstrom_2012.walking_aerobics.opg.opg_serum.12_months.smd", "TST+p",
     (0.007, 7.55, 48, 44)),
    (one_arm_acute, "nelson_k_thesis.postmenopausal.opg.opg_serum.24_h_after.smd", "SMCR+p",
     (505.0, 535.8, 0.046, 20)),
    (crossover_composite, "evans_2019.running_5_s+running_80_s.ctx.ctx_not_stated.1_h_after.rom",
     "DIF+PCT+CI+COMPOSITE", (30.2, 20.2, 40.2, 12, 32.0, 22.0, 42.0, 12)),
    (percent_change_from_p, "vainionpaa_2005.high_impact.bmd.bmd_areal.femoral_neck.12_months.rom",
     "CHG+PCT+TMD+p", (1.1, 39, -0.4, 41, 0.003)),
)  # fmt: skip


@pytest.fixture(scope="module")
def shipped():
    tables = checked(ROOT).tables
    cells = {
        cell_name(row, column): getattr(row, column)
        for table in (tables.measurements, tables.contrasts)
        for row in table
        for column in row.columns()
    }
    return {effect.effect_id: effect for effect in derived_of(ROOT).effects}, cells


@pytest.mark.parametrize(
    ("by_hand", "name", "provenance", "reported"), CASES, ids=[case[0].__name__ for case in CASES]
)
def test_a_shipped_effect_is_what_its_values_give(by_hand, name, provenance, reported, shipped):
    effects, cells = shipped
    effect = effects[name]
    assert text(effect).provenance == provenance
    assert sorted(float(cells[cell]) for cell in map(str, effect.inputs)) == sorted(reported)
    yi, vi = by_hand()
    assert effect.yi == pytest.approx(yi, rel=1e-9)
    assert effect.vi == pytest.approx(vi, rel=1e-9)


def test_the_cases_are_of_different_rungs_and_of_every_measure():
    assert len({provenance for _, _, provenance, _ in CASES}) == len(CASES)
    assert {name.rpartition(".")[2] for _, name, _, _ in CASES} == {"smd", "rom", "md"}
