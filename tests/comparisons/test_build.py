"""Which reported rows make up a comparison."""

import pytest
from builders import CONFIG, level, tables
from osteometa.comparisons.build import comparisons_of

OF_ALL = level("baseline", mean=5)
OF_ITT = level("baseline", mean=6, population_analysed="itt")


@pytest.mark.parametrize("baselines", [[OF_ALL, OF_ITT], [OF_ITT, OF_ALL], [OF_ALL]])
def test_rows_of_the_analysis_population_come_before_rows_that_name_none(baselines):
    rows = [*baselines, level("end", mean=7, population_analysed="itt")]
    (found,) = comparisons_of(tables(rows), CONFIG)
    assert found.population == "itt"
    assert float(found.baselines[0].mean) == (6 if OF_ITT in baselines else 5)
