"""Counts of studies and participants behind a pool."""

from dataclasses import replace

from builders import AFTER, BEFORE, parallel
from osteometa.report.studies import participants_of


def test_a_control_arm_that_two_effects_share_counts_once():
    one = replace(parallel([*BEFORE, *AFTER])["SMD"], n_exercise=24, n_control=24, n_total=48)
    other = replace(one, arm_id="second", n_exercise=20, n_total=44)
    assert participants_of([one, other]) == (24 + 20 + 24, 0)
    apart = replace(other, study_id="another")
    assert participants_of([one, apart]) == (48 + 44, 0)
    unknown = replace(one, study_id="third", n_exercise=None, n_control=None, n_total=None)
    assert participants_of([one, unknown, unknown]) == (48, 1)
