"""Which comparison represents the same participants: by time, analysis and report."""

import builders
import pytest
from builders import CONFIG, level, tables
from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.estimate import estimate
from osteometa.derivation.select import select, why_represented


def selected(rows, config=CONFIG, **how):
    comparisons = comparisons_of(tables(rows, **how), config)
    return select(estimate(comparisons, Correlations(comparisons, config), config), config)


def levels_at(time, weeks, **more):
    cells = {"mean": 5, "sd": 2, "n": 12, "time_wk": weeks, **more}
    return [level(time, **cells), level(time, arm="c", **cells)]


TRIAL = {"design": "rct", "control": True}


@pytest.mark.parametrize(
    ("training_time", "chosen"), [("end", "week_12"), ("earliest", "week_6"), ("latest", "week_40")]
)
def test_the_time_that_config_chooses_represents_the_arm(training_time, chosen):
    derivation = CONFIG.derivation.model_copy(update={"training_time": training_time})
    config = CONFIG.model_copy(update={"derivation": derivation})
    rows = [*levels_at("week_6", 6), *levels_at("week_12", 12), *levels_at("week_40", 40)]
    found = selected(rows, config, **TRIAL)
    assert [item.comparison.timepoint for item in found if item.chosen] == [chosen]
    assert {item.represented_by.comparison.timepoint for item in found} == {chosen}
    other = next(item for item in found if not item.chosen)
    assert f"represented by {chosen}, " in why_represented(other, config)


def test_an_analysis_by_intention_to_treat_represents_one_per_protocol():
    rows = [*levels_at("end", 12, population_analysed="per_protocol"),
            *levels_at("end", 12, population_analysed="itt")]  # fmt: skip
    found = selected(rows, **TRIAL)
    assert [item.comparison.population for item in found if item.chosen] == ["itt"]
    (other,) = [item for item in found if not item.chosen]
    assert why_represented(other, CONFIG).endswith("represented by the itt analysis")


def test_a_comparison_without_inconsistent_data_represents_one_with():
    rows = [*levels_at("end", 12, report="a", disputed="two values"),
            *levels_at("end", 12, report="b")]  # fmt: skip
    found = selected(rows, **TRIAL)
    assert [item.comparison.report for item in found if item.chosen] == ["b"]


def without_sd(time):
    cells = {"mean": 5, "spread": 2, "spread_kind": "unknown", "report": "thesis", "time_wk": 12}
    return [level(time, arm=arm, n=12, **cells) for arm in ("e", "c")]


INTERIM = {"report": "interim", "population_analysed": "part"}


def test_a_part_does_not_stand_in_for_a_whole_without_a_usable_number():
    rows = [*without_sd("end"), *levels_at("end", 12, **INTERIM)]
    found = selected(rows, **TRIAL)
    assert [item.comparison.report for item in found if item.chosen] == ["thesis"]
    (interim,) = [item for item in found if not item.chosen]
    assert interim.part_of_unknown("SMD")
    assert why_represented(interim, CONFIG).endswith("by the whole trial (thesis, end)")


def test_a_part_is_reduced_where_the_whole_gives_an_effect():
    rows = [*levels_at("end", 12, report="thesis"), *levels_at("week_6", 6, **INTERIM)]
    found = selected(rows, **TRIAL)
    assert [item.part_of_unknown("SMD") for item in found] == [False, False]
    assert [item.comparison.report for item in found if item.chosen] == ["thesis"]


def test_a_part_represents_itself_where_nothing_of_the_whole_is_reported():
    (found,) = selected(levels_at("end", 12, **INTERIM), **TRIAL)
    assert found.chosen
    assert not found.part_of_unknown("SMD")


def test_of_several_parts_one_represents_the_others():
    other = {**INTERIM, "report": "later_interim"}
    rows = [*without_sd("end"), *levels_at("week_6", 6, **INTERIM), *levels_at("end", 12, **other)]
    found = {item.comparison.report: item for item in selected(rows, **TRIAL)}
    assert found["later_interim"].part_of_unknown("SMD")
    assert not found["interim"].part_of_unknown("SMD")
    assert found["interim"].represented_by is found["later_interim"].estimated


def test_a_part_takes_no_value_of_the_whole_nor_gives_it_one():
    part = {"population_analysed": "part"}
    rows = [*levels_at("baseline", 0, **part), *levels_at("end", 12), *levels_at("end", 12, **part)]
    found = {one.population: one for one in comparisons_of(tables(rows, **TRIAL), CONFIG)}
    assert found[""].baselines == (None, None)
    assert all(row.population_analysed == "part" for row in found["part"].baselines)
    assert all(row.population_analysed == "" for row in found[""].levels)
    other_way = [*levels_at("baseline", 0), *levels_at("end", 12, **part)]
    (only,) = comparisons_of(tables(other_way, **TRIAL), CONFIG)
    assert only.baselines == (None, None)


def test_in_each_window_the_sample_nearest_its_start(tmp_path):
    found = builders.review_effects(
        tmp_path, "SMD", **builders.csv_bout({0.1: 0.36, 0.4: 0.35, 1: 0.34, 3: 0.33})
    )
    blocks = {(e.window, e.timepoint): e.block for e in found}
    assert blocks == {
        ("immediate", "h0.1"): "pooled", ("immediate", "h0.4"): "reduced",
        ("early", "h1"): "pooled", ("early", "h3"): "reduced",
    }  # fmt: skip
    reasons = {e.timepoint: e.reason for e in found}
    assert reasons["h0.4"] == (
        "one effect per group of participants: represented by h0.1, the nearest to the start of "
        "the window 'immediate'"
    )
