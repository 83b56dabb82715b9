"""Units: a closed table of exact factors, and refusal of every other conversion.

Kept by hand because the units libraries that were tried reject g/cm2 or round.
"""

from __future__ import annotations

from fractions import Fraction

# unit -> dimension, exact factor to the first unit of its dimension
UNITS: dict[str, tuple[str, Fraction]] = {
    "ng/mL": ("mass_concentration", Fraction(1)),
    "ug/L": ("mass_concentration", Fraction(1)),
    "pg/mL": ("mass_concentration", Fraction(1, 1000)),
    "ng/L": ("mass_concentration", Fraction(1, 1000)),
    "nmol/L": ("molar_concentration", Fraction(1)),
    "pmol/L": ("molar_concentration", Fraction(1, 1000)),
    "g/cm2": ("areal_density", Fraction(1)),
    "mg/cm2": ("areal_density", Fraction(1, 1000)),
    "mg/cm3": ("volumetric_density", Fraction(1)),
    "%": ("percent", Fraction(1)),
}
KINDS = {
    "concentration": ("mass_concentration", "molar_concentration"),
    "areal_density": ("areal_density",),
    "volumetric_density": ("volumetric_density",),
    "ratio": (),
}
CANONICAL = {"CTX": "ng/mL", "BMD": "g/cm2"}


class UnitError(ValueError):
    """A unit is not known, or cannot be converted into another."""


def dimension(unit: str) -> str:
    """Return the dimension of a unit.

    Raises
    ------
    UnitError
        If the unit is not in the table.
    """
    if unit not in UNITS:
        raise UnitError(f"'{unit}' is not known. Use one of: {', '.join(UNITS)}.")
    return UNITS[unit][0]


def convert(value: float, unit: str, to: str) -> float:
    """Convert a value exactly.

    Raises
    ------
    UnitError
        If a unit is not known or the two differ in dimension. Mass and molar concentrations are
        never converted without the mass that the assay itself states.
    """
    if unit == to:
        return float(value)
    found, wanted = dimension(unit), dimension(to)
    if found != wanted:
        hint = ""
        if {found, wanted} == {"mass_concentration", "molar_concentration"}:
            hint = " Enter the mass that the kit states in assays.csv."
        raise UnitError(f"'{unit}' cannot be converted into '{to}'.{hint}")
    factor = UNITS[unit][1] / UNITS[to][1]
    return float(value) * factor.numerator / factor.denominator


def canonical(outcome: str, unit: str) -> str:
    """Return the unit in which an outcome is pooled; the unit itself where none is set."""
    target = CANONICAL.get(outcome, unit)
    if unit in UNITS and target in UNITS and UNITS[unit][0] == UNITS[target][0]:
        return target
    if UNITS.get(unit, ("",))[0] == "mass_concentration":
        return "pg/mL"
    if UNITS.get(unit, ("",))[0] == "molar_concentration":
        return "pmol/L"
    return unit
