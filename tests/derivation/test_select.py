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
    assert {item.represented_by.timepoint for item in found} == {chosen}
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
