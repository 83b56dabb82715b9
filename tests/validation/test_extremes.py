"""What the check passes, a run can compute: extremes in every numeric column and every key."""

import runpy
from collections import Counter
from dataclasses import replace

import pytest
from builders import ROOT, checked

EXTREMES = runpy.run_path(str(ROOT / "benchmarks/extremes.py"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_an_extreme_is_refused_or_computed(seed):
    said = Counter()
    for words, answer, run in EXTREMES["trials"](60, seed):
        said[answer] += 1
        try:
            if answer == "passed":
                run(seen=set(), sensitivity=False)
        except Exception as error:
            raise AssertionError(words) from error
    assert said["passed"] > 10 and said["refused"] > 20


@pytest.mark.slow
def test_an_effect_of_negative_weight_has_no_dffits():
    """A change entered at baseline gives effects whose covariances weigh one of them negatively."""
    review = checked(ROOT / "tests/reviews/shared_control")
    rows = tuple(
        row.model_copy(update={"kind": "change"})
        if (row.study_id, row.arm_id, row.timepoint, row.outcome)
        == ("made_two_types_2001", "strength", "baseline", "BMD")
        else row
        for row in review.tables.measurements
    )
    assert rows != review.tables.measurements
    EXTREMES["compute"](replace(review.tables, measurements=rows), review.config, set())
