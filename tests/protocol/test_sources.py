"""Settings from several files and from values beside them, with the place of each."""

import pytest
from osteometa.io.problems import ProblemsFound
from osteometa.protocol.sources import read_settings


@pytest.fixture
def files(tmp_path):
    (tmp_path / "config.yaml").write_text(
        "seed: 1\npooling:\n  method: REML\n  ci: wald\nsites: [a, b]\n"
    )
    (tmp_path / "more.yaml").write_text("# more\npooling:\n  method: DL\nsites:\n  - c\n")
    return [tmp_path / "config.yaml", tmp_path / "more.yaml"]


def test_mappings_are_merged_and_everything_else_is_replaced(files):
    values, places = read_settings(files, {"pooling": {"ci": "hksj"}, "seed": 2})
    assert values == {"seed": 2, "pooling": {"method": "DL", "ci": "hksj"}, "sites": ["c"]}
    assert places == {
        (): ("config.yaml", None),
        ("seed",): ("--config", None),
        ("pooling",): ("config.yaml", 2),
        ("pooling", "method"): ("more.yaml", 3),
        ("pooling", "ci"): ("--config", None),
        ("sites",): ("more.yaml", 4),
        ("sites", 0): ("more.yaml", 5),
    }


def test_values_alone_name_their_giver():
    values, places = read_settings([], {"sites": ("a",)}, "config of the module")
    assert values == {"sites": ["a"]}
    assert set(places.values()) == {("config of the module", None)}


def test_a_mapping_in_place_of_a_word_is_replaced_with_all_its_places(files):
    values, places = read_settings(files, {"pooling": "none"})
    assert values["pooling"] == "none"
    assert [where for where in places if where[:1] == ("pooling",)] == [("pooling",)]


def test_a_key_that_stands_twice_is_refused_in_every_file(files):
    files[1].write_text("seed: 1\nseed: 2\n")
    with pytest.raises(ProblemsFound) as refused:
        read_settings(files, {})
    (problem,) = refused.value.problems
    assert (problem.file, problem.row, problem.found) == ("more.yaml", 2, "seed")
