"""How effects reach the public functions."""

import osteometa
import pytest


def test_texts_are_read_as_in_the_tables():
    frame = osteometa.md(["\N{MINUS SIGN}1,5", "2,0"], ["2,0", 2], 20, 0, "2", 20)
    assert frame["yi"].tolist() == [-1.5, 2.0]
    found = osteometa.pool(["0.5", "\N{MINUS SIGN}0.1", "0.2"], ["0.1", "0.2", "0.1"])
    assert found == osteometa.pool([0.5, -0.1, 0.2], [0.1, 0.2, 0.1])
    with pytest.raises(ValueError, match="'1_5' is not a number"):
        osteometa.pool(["1_5", "0.2"], [0.1, 0.1])
    with pytest.raises(ValueError, match="not a finite number"):
        osteometa.pool(["NA", "0.2"], [0.1, 0.1])


def test_a_word_for_a_missing_value_is_no_level_of_a_moderator():
    yi, vi = [0.10, 0.30, 0.25, 0.50, -0.05, 0.90], [0.02, 0.03, 0.02, 0.04, 0.03, 0.05]
    kind = ["aerobic", "resistance", "NA", "resistance", "aerobic", "n/a"]
    found = osteometa.regress(yi, vi, {"kind": kind})
    assert found.k == 4
