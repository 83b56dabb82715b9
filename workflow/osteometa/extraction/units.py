"""Units of measurement: one table of exact factors, and the refusal of every other conversion.

A new unit is one line of `UNITS`; a new kind of quantity is a line of `Quantity` and `QUANTITIES`.
Kept by hand because the units libraries that were tried reject g/cm2 or round.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

Quantity = Literal[
    "concentration", "enzyme_activity", "collagen_equivalents", "areal_density",
    "volumetric_density", "strength", "power", "length", "time", "speed", "other",
]  # fmt: skip
QUANTITIES: dict[Quantity, tuple[str, ...]] = {
    "concentration": ("mass concentration", "molar concentration"),
    "enzyme_activity": ("enzyme activity",),
    "collagen_equivalents": ("bone collagen equivalents",),
    "areal_density": ("areal density",),
    "volumetric_density": ("volumetric density",),
    "strength": ("mass", "force", "torque"),
    "power": ("power",),
    "length": ("length",),
    "time": ("time",),
    "speed": ("speed",),
    "other": (),
}
"""Kinds of quantity that config.yaml may give an analyte, and the dimensions of their units.

Units of one dimension are converted into each other, those of two dimensions never. `other` is for
what has no closed list of units (ratios, counts, scores): any unit is accepted, none converted.
"""

NOT_STATED = "not_stated"
"""In place of a unit that the paper does not state: there is no mean difference in it."""

UNITS: dict[str, tuple[str, Fraction]] = {
    "ng/mL": ("mass concentration", Fraction(1)),
    "ug/L": ("mass concentration", Fraction(1)),
    "pg/mL": ("mass concentration", Fraction(1, 1000)),
    "ng/L": ("mass concentration", Fraction(1, 1000)),
    "ug/mL": ("mass concentration", Fraction(1000)),
    "mg/L": ("mass concentration", Fraction(1000)),
    "ng/dL": ("mass concentration", Fraction(1, 100)),
    "ug/dL": ("mass concentration", Fraction(10)),
    "mg/dL": ("mass concentration", Fraction(10_000)),
    "nmol/L": ("molar concentration", Fraction(1)),
    "pmol/L": ("molar concentration", Fraction(1, 1000)),
    "umol/L": ("molar concentration", Fraction(1000)),
    "mmol/L": ("molar concentration", Fraction(1_000_000)),
    "U/L": ("enzyme activity", Fraction(1)),
    "IU/L": ("enzyme activity", Fraction(1)),
    "U/mL": ("enzyme activity", Fraction(1000)),
    "mU/L": ("enzyme activity", Fraction(1, 1000)),
    "mU/mL": ("enzyme activity", Fraction(1)),
    "mIU/L": ("enzyme activity", Fraction(1, 1000)),
    "mIU/mL": ("enzyme activity", Fraction(1)),
    "uU/mL": ("enzyme activity", Fraction(1, 1000)),
    "uIU/mL": ("enzyme activity", Fraction(1, 1000)),
    "kU/L": ("enzyme activity", Fraction(1000)),
    "nkat/L": ("enzyme activity", Fraction(6, 100)),
    "ukat/L": ("enzyme activity", Fraction(60)),
    "nM BCE": ("bone collagen equivalents", Fraction(1)),
    "g/cm2": ("areal density", Fraction(1)),
    "mg/cm2": ("areal density", Fraction(1, 1000)),
    "mg/cm3": ("volumetric density", Fraction(1)),
    "kg": ("mass", Fraction(1)),
    "g": ("mass", Fraction(1, 1000)),
    "N": ("force", Fraction(1)),
    "kN": ("force", Fraction(1000)),
    "N m": ("torque", Fraction(1)),
    "W": ("power", Fraction(1)),
    "m": ("length", Fraction(1)),
    "cm": ("length", Fraction(1, 100)),
    "mm": ("length", Fraction(1, 1000)),
    "s": ("time", Fraction(1)),
    "min": ("time", Fraction(60)),
    "m/s": ("speed", Fraction(1)),
    "km/h": ("speed", Fraction(1000, 3600)),
    "%": ("percent", Fraction(1)),
}
"""Each known unit: its dimension, and the exact factor to the first unit of that dimension."""


class UnitError(ValueError):
    """A unit is not known, or cannot be converted into another."""


def dimension(unit: str) -> str:
    """Return the dimension of a unit; UnitError if the unit is not in the table."""
    if unit not in UNITS:
        raise UnitError(f"'{unit}' is not known. Use one of: {', '.join(UNITS)}.")
    return UNITS[unit][0]


def units_of(quantity: Quantity) -> list[str]:
    """Return the units that a kind of quantity can be reported in; none where any is accepted."""
    dimensions = QUANTITIES[quantity]
    return [unit for unit, (found, _) in UNITS.items() if found in dimensions]


def convert(value: float, unit: str, to: str) -> float:
    """Convert a value exactly; UnitError if a unit is not known or the two differ in dimension."""
    if unit == to:
        return float(value)
    found, target = dimension(unit), dimension(to)
    if found != target:
        raise UnitError(f"'{unit}' ({found}) cannot be converted into '{to}' ({target}).")
    factor = UNITS[unit][1] / UNITS[to][1]
    return float(value) * factor.numerator / factor.denominator


def pooled_unit(unit: str, targets: Iterable[str]) -> str:
    """Return the unit of `targets` with the dimension of a unit; the unit itself if none has it."""
    if unit not in UNITS:
        return unit
    known = (to for to in targets if to in UNITS)
    return next((to for to in known if UNITS[to][0] == UNITS[unit][0]), unit)
