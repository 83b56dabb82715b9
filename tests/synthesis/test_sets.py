"""Planned analyses: their status and notes."""

import builders
from osteometa.derivation.derive import derive
from osteometa.synthesis.sets import split, summary_rows
from osteometa.validation.review import check_review


def test_what_moves_a_marker_without_bone_is_named(tmp_path):
    folder = builders.write_review(
        tmp_path, **builders.csv_bout({0.1: 0.36}, plasma_volume="not_corrected")
    )
    outcome = check_review(folder)
    derived = derive(outcome.tables, outcome.config)
    sets = split(derived.effects, derived.entries, outcome.config)
    rows = {row.synthesis: row for row in summary_rows(outcome.config, {}, sets)}
    note = rows["ctx_serum_acute_immediate_within_arm"].note
    assert note.startswith("CTX falls from morning to afternoon, and without a resting control")
    assert "no study is known to correct for the loss of plasma volume" in note
    assert rows["opg_acute_immediate_within_arm"].note == ""
    assert rows["ctx_serum_training_controlled"].note == ""
    assert {e.plasma_volume for e in derived.effects} == {"not_corrected"}
