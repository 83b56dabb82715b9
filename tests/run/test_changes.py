"""What differs between two states, and which run is remembered as the earlier one."""

from dataclasses import replace

from osteometa.run.changes import Snapshot, changes, counts, words
from osteometa.run.remembered import (
    EARLIER,
    FINISHED,
    inputs_of,
    keep_earlier,
    recalled,
    remember,
)

ROW, OTHER = "measurements:t/e", "measurements:t/c"
BEFORE = Snapshot(
    settings={"pooling.method": {"value": "REML"}},
    cells={ROW: {"mean": "0.5", "_place": "measurements.csv row 2"}, OTHER: {"mean": "1"}},
    effects={"t.e.smd": {"yi": "0.1", "vi": "0.04", "_inputs": f"{ROW} {OTHER}"}},
    pools={"ctx SMD overall": {"estimate": "0.1", "_shown": "0.10"}},
    sentences={"ctx": {"text": "Lower.", "_shown": "Lower."}},
)


def test_the_same_state_differs_in_nothing():
    assert changes(BEFORE, BEFORE) == ()


def test_a_cell_leads_to_its_effect_and_its_pool():
    after = replace(
        BEFORE,
        cells={ROW: {"mean": "0.6", "_place": "measurements.csv row 3"}, OTHER: {"mean": "1"}},
        effects={"t.e.smd": {"yi": "0.2", "vi": "0.04", "_inputs": f"{ROW} {OTHER}"}},
        pools={"ctx SMD overall": {"estimate": "0.2", "_shown": "0.20"}},
    )
    cell, effect, pool = changes(BEFORE, after)
    assert words(cell) == f"measurements.csv row 3, {ROW}: mean 0.5 -> 0.6"
    assert effect.because == (ROW,)
    assert words(effect) == f"t.e.smd: yi 0.1 -> 0.2 (from {ROW})"
    assert words(pool) == "ctx SMD overall: 0.10 -> 0.20"
    assert counts((cell, effect, pool))["pools"] == 1


def test_a_row_that_moved_and_the_last_digit_of_a_number_are_no_change():
    moved = {ROW: {"mean": "0.5", "_place": "measurements.csv row 9"}, OTHER: {"mean": "1"}}
    pools = {"ctx SMD overall": {"estimate": "0.1000000000001", "_shown": "0.10"}}
    assert changes(BEFORE, replace(BEFORE, cells=moved, pools=pools)) == ()
    pools = {"ctx SMD overall": {"estimate": "0.10000000001", "_shown": "0.10"}}
    (found,) = changes(BEFORE, replace(BEFORE, pools=pools))
    assert words(found) == "ctx SMD overall: estimate 0.1 -> 0.10000000001"


def test_what_comes_and_goes_is_stated():
    after = replace(BEFORE, effects={"new": {"yi": "1"}}, settings={})
    kinds = {change.name: change.kind for change in changes(BEFORE, after)}
    assert kinds == {"t.e.smd": "removed", "new": "added", "pooling.method": "removed"}


def test_a_run_with_the_same_inputs_keeps_what_is_remembered(tmp_path):
    (tmp_path / "data/raw").mkdir(parents=True)
    table = tmp_path / "data/raw/studies.csv"
    table.write_text("one\n")
    first = inputs_of(tmp_path, {"seed": 1}, "code")
    keep_earlier(tmp_path, first)
    assert recalled(tmp_path / FINISHED) is None and not (tmp_path / EARLIER).exists()
    remember(tmp_path, first, BEFORE)
    keep_earlier(tmp_path, inputs_of(tmp_path, {"seed": 1}, "code"))
    assert not (tmp_path / EARLIER).exists()
    table.write_text("two\n")
    second = inputs_of(tmp_path, {"seed": 1}, "code")
    keep_earlier(tmp_path, second)
    assert recalled(tmp_path / EARLIER) == BEFORE
    # Interrupted before its end, and begun again: the earlier run is the same one.
    stamp = (tmp_path / EARLIER).stat().st_mtime_ns
    keep_earlier(tmp_path, second)
    assert (tmp_path / EARLIER).stat().st_mtime_ns == stamp
    remember(tmp_path, second, replace(BEFORE, pools={}))
    keep_earlier(tmp_path, second)
    assert recalled(tmp_path / EARLIER) == BEFORE


def test_settings_and_code_make_another_run_too(tmp_path):
    remember(tmp_path, inputs_of(tmp_path, {"seed": 1}, "code"), BEFORE)
    for other in (inputs_of(tmp_path, {"seed": 2}, "code"), inputs_of(tmp_path, {"seed": 1}, "x")):
        (tmp_path / EARLIER).unlink(missing_ok=True)
        keep_earlier(tmp_path, other)
        assert (tmp_path / EARLIER).is_file()


def test_a_broken_memory_is_none(tmp_path):
    (tmp_path / FINISHED).parent.mkdir(parents=True)
    for text in ("{", "{}", '{"inputs": {}, "snapshot": {"other": 1}}'):
        (tmp_path / FINISHED).write_text(text)
        assert recalled(tmp_path / FINISHED) is None
        keep_earlier(tmp_path, {})
        assert not (tmp_path / EARLIER).exists()
