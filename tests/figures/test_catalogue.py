"""Names that rules, config and modules share stand once: each has its maker and its words."""

import ast
import re

from builders import ROOT
from osteometa import __version__
from osteometa.figures import review_figures, risk_of_bias, settings, synthesis_figures
from osteometa.figures.catalogue import CAPTIONS, HEADS, KINDS, NAMES, TITLES, TOOLS, page_of
from osteometa.io.csv_records import write_records
from osteometa.protocol.config import load_config
from osteometa.records.directions import DirectionEntry, DirectionSet, ReportedResult
from osteometa.report import methods
from osteometa.run.code import PACKAGE
from osteometa.sensitivity.one_at_a_time import METHOD_WORDS
from osteometa.wording.choices import (
    ALTERNATIVES,
    CI_METHODS,
    INTERVALS,
    METHODS,
    SMD_POST,
    SMD_PRE_POST,
    SMD_VARIANCES,
    STYLES,
    alternative_words,
)


def test_every_kind_of_figure_of_a_synthesis_is_drawn():
    assert list(synthesis_figures.DRAW) == list(KINDS)
    assert set(NAMES) - set(KINDS) == {"forest_smd", "forest_rom", "forest_md"}


def test_every_figure_of_the_review_is_drawn(tmp_path):
    write_records(tmp_path / "data/processed/directions.csv", DirectionEntry, [])
    write_records(tmp_path / "results/direction_sets.csv", DirectionSet, [])
    write_records(tmp_path / "data/processed/reported.csv", ReportedResult, [])
    drawn = review_figures.kinds(tmp_path, load_config(ROOT / "config.yaml"))
    assert [name for name, _ in drawn] == list(TITLES)
    assert set(risk_of_bias.DOMAINS) == set(TOOLS)


def test_every_estimator_and_interval_has_its_words():
    assert set(METHOD_WORDS) == set(methods.MODELS) == set(METHODS)
    assert set(INTERVALS) == set(methods.INTERVALS) == set(CI_METHODS)
    assert "Paule-Mandel; osteometa" in methods.MODELS["PM"].format("osteometa 1")


def test_every_form_of_an_effect_has_words_of_its_own():
    """What a reader sees names no word of config.yaml."""
    forms = {"smd_variance": SMD_VARIANCES, "smd_post": SMD_POST, "smd_pre_post": SMD_PRE_POST,
             "rom_correction": ("true", "false")}  # fmt: skip
    names = [f"{key}={value}" for key, values in forms.items() for value in values]
    words = [alternative_words(name) for name in names]
    assert len(set(words)) == len(names) == len([name for name in ALTERNATIVES if "=" in name])
    assert not [text for text in words if "_" in text or "=" in text]
    assert alternative_words("r=0.9") == "assumed r 0.9"
    assert alternative_words("training_time=latest") == "latest time point of training"


def test_every_style_has_its_preset():
    assert tuple(settings.PRESETS) == STYLES


def modules_of(path):
    """Return the modules right below the package that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "osteometa":
            yield from node.module.split(".")[1:2] or [alias.name for alias in node.names]


def test_modules_import_from_their_own_line_of_contributing_and_those_above():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    line_of = {
        name: number for number, line in enumerate(table) for name in re.findall(r"`(\w+)/?`", line)
    }
    files = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"]
    tops = {path: path.relative_to(PACKAGE).with_suffix("").parts[0] for path in files}
    assert set(line_of) == set(tops.values())
    assert not [
        (path.name, name)
        for path, top in tops.items()
        for name in modules_of(path)
        if line_of.get(name, 0) > line_of[top]
    ]


def test_the_citation_and_the_changelog_know_the_version():
    words = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in words
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(__version__)}(?: \(.*\))?$", changes, re.MULTILINE)


def test_a_page_of_every_figure_has_its_name_and_caption():
    """As the report of Snakemake finds them from the names of files."""
    for name in (*HEADS, *TITLES):
        assert (page_of(name), page_of(f"{name}_2")) == ((name, "1"), (name, "2"))
        assert CAPTIONS[name]
