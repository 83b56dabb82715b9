"""Every figure of every review, the shipped one and all test reviews, measured by its boxes."""

import re
from pathlib import Path

import pytest
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle, Wedge
from osteometa.config import forest_settings
from osteometa.figures import kinds, overview
from osteometa.figures.chart import reason_figure
from osteometa.figures.presets import resolved
from osteometa.figures.style import encoded
from osteometa.files import read_records
from osteometa.records_explore import GoshRow, InfluenceRow
from results_of import write_results
from test_charts import assert_apart
from test_figures import texts_of

ROOT = Path(__file__).parents[1]
REVIEWS = {
    "shipped": ROOT,
    **{folder.name: folder for folder in sorted((ROOT / "tests/reviews").iterdir())},
}
OKABE_ITO = {"#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#f0e442", "#000000"}
GREYS = {"#ffffff", "#666666", "#d0d0d0", "#dadada", "#bdbdbd"}
MARKS = (Polygon, Wedge, Rectangle)


@pytest.fixture(scope="module", params=REVIEWS)
def review(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return folder, write_results(REVIEWS[request.param], folder)


def figures_of(folder, config):
    """Every page of every figure of a review, with its name; no two words of reasons twice."""
    reasons = set()
    for synthesis in config.syntheses:
        settings = resolved(forest_settings(config, synthesis.id))
        for name in kinds.NAMES:
            drawn = kinds.figure_named(folder / "results" / synthesis.id, settings, name)
            if drawn.reason in reasons:
                continue
            reasons |= {drawn.reason} - {""}
            yield from _pages(f"{synthesis.id} {name}", drawn)
    for name, drawn in overview.drawn_of(folder, config):
        yield from _pages(name, drawn)


def _pages(name, drawn):
    assert drawn.alt.strip(), name
    for number, page in enumerate(drawn.pages, start=1):
        yield f"{name}, page {number}", page


def test_every_figure_is_measured(review):
    seen = 0
    for name, figure in figures_of(*review):
        seen += 1
        assert_apart(figure, name)
        assert_no_line_through_text(figure, name)
        assert_palette(figure, name)
        assert round(figure.get_figwidth() * 25.4) in (89, 183), name
    assert seen > 20


def assert_no_line_through_text(figure, name):
    """No line runs through a text, but behind those that stand on a ground of their own."""
    texts = [
        (text, box.shrunk(0.98, 0.8))
        for text, box in texts_of(figure)
        if text.get_gid() != "symbol" and text.get_bbox_patch() is None and text.get_text() != "?"
    ]
    for line in figure.axes[0].lines:
        path = line.get_path().transformed(line.get_transform())
        for text, box in texts:
            words = f"{name}: '{text.get_text()}' is crossed by a line"
            if line.get_linestyle() == "None":
                inside = [box.x0 < x < box.x1 and box.y0 < y < box.y1 for x, y in path.vertices]
                assert not any(inside), words
            else:
                assert not path.intersects_bbox(box, filled=False), words


def assert_palette(figure, name):
    """Lines of 0.3 to 1 pt and the colours of Okabe and Ito, white, black and greys."""
    for artist in figure.axes[0].get_children():
        if isinstance(artist, Line2D) and artist.get_linestyle() != "None":
            assert 0.35 <= artist.get_linewidth() <= 1.0, name
            assert to_hex(artist.get_color()) in OKABE_ITO | GREYS, name
        elif isinstance(artist, MARKS) and artist is not figure.axes[0].patch:
            assert artist.get_linewidth() <= 1.0, name
            assert to_hex(artist.get_facecolor()) in OKABE_ITO | GREYS, name


def test_studies_that_are_flagged_are_named_as_such(review):
    """The triangles of the influence panel follow from bounds, the flags from the results."""
    folder, config = review
    seen = 0
    for synthesis in config.syntheses:
        settings = resolved(forest_settings(config, synthesis.id))
        drawn = kinds.figure_named(folder / "results" / synthesis.id, settings, "influence_plot")
        if drawn.reason:
            continue
        rows = read_records(folder / "results" / synthesis.id / "influence.csv", InfluenceRow)
        flagged = {row.effect_id for row in rows if row.influential}
        groups = ("dffits", "cook_d", "hat")
        beyond = {m.effect_id for m in drawn.rows if m.shape == "beyond" and m.group in groups}
        assert beyond == flagged, synthesis.id
        seen += len(rows)
    assert seen or folder.name.startswith("seed")  # which prints arrows only


def test_subsets_of_few_studies_are_told_not_drawn(review):
    folder, config = review
    for synthesis in config.syntheses:
        place = folder / "results" / synthesis.id
        rows = read_records(place / "gosh.csv", GoshRow)
        settings = resolved(forest_settings(config, synthesis.id))
        reason = kinds.figure_named(place, settings, "gosh_plot").reason
        k = len(rows[0].subset) if rows else 0
        assert bool(reason) == (k < 5), synthesis.id
        if 3 <= k < 5:
            assert f"{k} studies have {2**k - 1 - k} subsets" in reason


def test_pdfs_pass_a_preflight_and_texts_stay_texts(review):
    """Page size, embedded TrueType fonts, no type 3; SVG with texts, small beside its font."""
    folder, config = review
    for synthesis in config.syntheses[:4]:
        settings = resolved(forest_settings(config, synthesis.id))
        drawn = kinds.figure_named(folder / "results" / synthesis.id, settings, "forest")
        pdf = encoded(drawn.pages, "pdf")
        boxes = re.findall(rb"/MediaBox \[ *0 +0 +([\d.]+) +([\d.]+) *\]", pdf)
        assert len(boxes) == len(drawn.pages)
        for (width, height), page in zip(boxes, drawn.pages, strict=True):
            assert float(width) == pytest.approx(page.get_figwidth() * 72, abs=0.01)
            assert float(height) == pytest.approx(page.get_figheight() * 72, abs=0.01)
        assert b"/Type3" not in pdf
        assert pdf.count(b"/Type /FontDescriptor") == pdf.count(b"/FontFile2") > 0
        assert b"/ToUnicode" in pdf
        svg = encoded(drawn.pages, "svg").decode("utf-8")
        rows = max(20, len(drawn.rows))
        assert len(re.sub(r"base64,[^)]*", "", svg)) < 150_000 * rows / 20
        words = [text.get_text() for text, _ in texts_of(drawn.pages[0])]
        assert svg.count("<text") == len(words)


def test_a_line_through_a_text_is_seen():
    """The measure itself: a figure that is wrong does not pass."""
    figure = reason_figure("Title", "A reason that stands here.")
    assert_no_line_through_text(figure, "whole")
    _, box = texts_of(figure)[-1]
    (axes,) = figure.axes
    ends = axes.transData.inverted().transform([(box.x0, box.y0), (box.x1, box.y1)])
    axes.plot(ends[:, 0], ends[:, 1], color="#000000", lw=0.6)
    with pytest.raises(AssertionError, match="crossed"):
        assert_no_line_through_text(figure, "crossed")
    axes.text(10, 5, "upon another", fontsize=8)
    axes.text(10, 5, "upon another", fontsize=8)
    with pytest.raises(AssertionError, match="overlaps"):
        assert_apart(figure, "overlap")
