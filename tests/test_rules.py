"""The workflow expands over names that the package holds: each name has its maker."""

from dataclasses import fields

from osteometa.config import load_config
from osteometa.explore.suite import Explored
from osteometa.figures import kinds, overview, risk_of_bias
from osteometa.figures.names import KINDS, NAMES, TITLES, TOOLS
from osteometa.files import write_records
from osteometa.records import DirectionEntry
from osteometa.records_directions import DirectionSet
from osteometa.records_explore import RECORDS
from test_dag import ROOT


def test_every_look_at_a_synthesis_is_a_table():
    assert [field.name for field in fields(Explored)] == list(RECORDS)


def test_every_kind_of_figure_of_a_synthesis_is_drawn():
    assert list(kinds.DRAW) == list(KINDS)
    assert set(NAMES) - set(KINDS) == {"forest_smd", "forest_rom", "forest_md"}


def test_every_figure_of_the_review_is_drawn(tmp_path):
    write_records(tmp_path / "data/processed/directions.csv", DirectionEntry, [])
    write_records(tmp_path / "results/direction_sets.csv", DirectionSet, [])
    drawn = overview._kinds(tmp_path, load_config(ROOT / "config.yaml"))
    assert [name for name, _ in drawn] == list(TITLES)
    assert set(risk_of_bias.DOMAINS) == set(TOOLS)
