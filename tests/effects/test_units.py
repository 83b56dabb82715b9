"""Units that are not stated, and units of enzymes."""

import pytest
from builders import AFTER, BEFORE, CONFIG, change, parallel, tables
from osteometa.derivation.derive import derive
from osteometa.extraction.units import convert


def unstated(rows):
    return [(*row[:4], {**row[4], "unit": "not_stated"}) for row in rows]


def test_without_a_unit_smd_and_rom_are_the_same_and_md_says_why():
    rows = [*BEFORE, *AFTER]
    with_unit, without = parallel(rows), parallel(unstated(rows))
    for measure in ("SMD", "ROM"):
        assert without[measure].yi == with_unit[measure].yi
        assert without[measure].vi == with_unit[measure].vi
    assert "MD" in with_unit and "MD" not in without
    assert without["SMD"].means_unit == ""
    derived = derive(tables(unstated(rows), design="rct", control=True), CONFIG)
    (item,) = derived.estimated
    assert {a.reason for a in item.attempts["MD"]} == {
        "the unit is not stated, in which a mean difference would be"
    }


def test_an_unstated_unit_is_not_compared_with_a_stated_one():
    rows = [*AFTER[:1], *unstated(AFTER[1:])]
    assert parallel(rows) == {}


def test_no_baseline_mean_of_another_unit_is_used():
    rows = [change("e", mean=0.02, sd=0.05, n=12), change("c", mean=0.01, sd=0.04, n=12)]
    how = {"what": "BMD", "site": "lumbar_spine"}
    assert "ROM" in parallel(rows, **how) and "ROM" not in parallel(unstated(rows), **how)


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (1, "IU/L", "U/L", 1), (1500, "mU/L", "U/L", 1.5), (2, "mU/mL", "U/L", 2),
        (1, "ukat/L", "U/L", 60), (50, "nkat/L", "U/L", 3), (3, "uIU/mL", "mIU/L", 3),
        (1, "mg/dL", "ug/mL", 10), (100, "ng/dL", "ng/mL", 1), (1, "umol/L", "nmol/L", 1000),
    ],
)  # fmt: skip
def test_units_are_converted_exactly(value, unit, to, expected):
    """1 kat = 6e7 U (Dybkaer 1979)."""
    assert convert(value, unit, to) == expected
