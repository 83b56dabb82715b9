"""The ten studies that report arrows only: what is known of them, and that it is little."""

import pytest
from builders import TESTS
from osteometa.derivation.derive import derive
from osteometa.directions.p_values import direction_sets
from osteometa.validation.review import check_review

SEED = TESTS / "reviews/seed"


@pytest.fixture(scope="module")
def review():
    outcome = check_review(SEED)
    assert outcome.passed
    return outcome.tables, derive(outcome.tables, outcome.config), outcome.config


def test_all_arrows_are_entered(review):
    tables, derived, _ = review
    assert len(tables.studies) == 10
    assert len(tables.directions) == 84
    assert len({row.outcome for row in tables.directions}) == 20
    assert derived.effects == ()


@pytest.mark.parametrize(
    ("phase", "design_class", "up", "unchanged", "not_told", "p_known", "p_range", "share_ci"),
    [
        ("acute", "within_arm", 3, 1, 0, 0.25, (0.125, 0.625), (0.292, 1)),
        ("training", "controlled", 1, 0, 3, 1, (0.125, 1), (0.025, 1)),  # of arms, or not stated
        ("training", "within_arm", 0, 1, 0, None, (1, 1), (None, None)),
    ],
)
def test_signs_of_opg(
    review, phase, design_class, up, unchanged, not_told, p_known, p_range, share_ci
):
    _, derived, config = review
    row = next(
        row
        for row in direction_sets(derived.entries, config)
        if (row.outcome, row.phase, row.design_class) == ("OPG", phase, design_class)
    )
    assert (row.n_up, row.n_down, row.n_mixed, row.n_zero) == (up, 0, 0, 0)
    assert (row.n_unchanged, row.n_not_told) == (unchanged, not_told)
    assert row.p_known == (p_known if p_known is None else pytest.approx(p_known))
    assert (row.p_lowest, row.p_highest) == pytest.approx(p_range)
    if up:
        assert row.share_known == 1
        assert (row.share_ci_low, row.share_ci_high) == pytest.approx(share_ci, abs=5e-4)
    else:
        assert (row.share_known, row.share_ci_low, row.share_ci_high) == (None, *share_ci)
