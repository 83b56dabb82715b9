"""Every figure of every review, the shipped one and all test reviews, measured by its boxes."""

import io
import itertools
import re

import numpy as np
import pypdf
import pytest
from drawing import (
    EACH_REVIEW,
    REVIEWS,
    assert_apart,
    drawn_of,
    encoded,
    overlap,
    texts_of,
    write_results,
)
from matplotlib.collections import Collection, LineCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from osteometa.figures import synthesis_figures
from osteometa.figures.catalogue import NAMES
from osteometa.figures.chart import draw_mark
from osteometa.figures.settings import FigureSettings
from osteometa.figures.style import new_figure, put
from osteometa.io.csv_records import read_records
from osteometa.records.sensitivity import GoshRow, InfluenceRow

OKABE_ITO = {"#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#f0e442", "#000000"}
GREYS = {"#ffffff", "#666666", "#d0d0d0", "#dadada", "#bdbdbd"}


@pytest.fixture(scope="module", params=EACH_REVIEW)
def review(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return folder, write_results(REVIEWS[request.param], folder)


def results_of(folder, config, synthesis):
    settings = FigureSettings.of(config, synthesis)
    return synthesis_figures.Results(folder / "results" / synthesis, settings)


def drawn_or_none(folder, config, synthesis, name):
    """A figure of a synthesis; None where it does not apply."""
    if not (folder / "results" / synthesis).exists():
        return None  # no study has an effect
    try:
        return synthesis_figures.figure_named(results_of(folder, config, synthesis), name)
    except synthesis_figures.ReasonError:
        return None


def figures_of(folder, config):
    """Every page of every figure of a review, with its name."""
    for synthesis in config.syntheses:
        for name in NAMES:
            drawn = drawn_or_none(folder, config, synthesis.id, name)
            if drawn is not None:
                yield from _pages(f"{synthesis.id} {name}", drawn)
    for name, drawn in drawn_of(folder, config):
        yield from _pages(name, drawn)


def _pages(name, drawn):
    assert drawn.alt.strip(), name
    for number, page in enumerate(drawn.pages, start=1):
        yield f"{name}, page {number}", page


@pytest.mark.slow
def test_every_figure_is_measured(review):
    seen = []
    for name, figure in figures_of(*review):
        seen.append(name)
        assert_apart(figure, name)
        assert_no_line_through_text(figure, name)
        assert_palette(figure, name)
        assert_told_apart_in_grey(figure, name)
        assert round(figure.get_figwidth() * 25.4) in (89, 183), name
    assert len(seen) > (2 if review[0].name.startswith("seed") else 20)
    # Of the shipped review every kind of figure is measured.
    drawn = {name.split()[1].strip(",") for name in seen}
    assert set(synthesis_figures.KINDS) <= drawn or not review[0].name.startswith("shipped")


def assert_no_line_through_text(figure, name):
    """No line, stroke of a collection or edge of a patch runs through a text, nor a marker."""
    texts = [
        (text, box.shrunk(0.98, 0.8))
        for text, box in texts_of(figure)
        if text.get_gid() != "symbol" and text.get_text() != "?"
    ]
    for path, points in strokes_of(figure):
        x0, y0, x1, y1 = (*path.vertices.min(axis=0), *path.vertices.max(axis=0))
        for text, box in texts:
            if x1 < box.x0 or x0 > box.x1 or y1 < box.y0 or y0 > box.y1:
                continue
            words = f"{name}: '{text.get_text()}' is crossed by a line"
            if points:
                inside = [box.x0 < x < box.x1 and box.y0 < y < box.y1 for x, y in path.vertices]
                assert not any(inside), words
            else:
                assert not path.intersects_bbox(box, filled=False), words
    assert not [text for text, _ in texts if text.get_bbox_patch()], f"{name}: a ground cuts lines"


def strokes_of(figure):
    """The paths of all lines and outlines, in pixels, and whether only their corners are drawn."""
    for artist in figure.axes[0].get_children():
        if isinstance(artist, Line2D) and len(artist.get_xdata()):
            path = artist.get_path().transformed(artist.get_transform())
            yield path, artist.get_linestyle() == "None"
        elif isinstance(artist, LineCollection):
            for path in artist.get_paths():
                yield path.transformed(artist.get_transform()), False
        elif isinstance(artist, Patch) and artist.get_linewidth() and artist.get_gid() != "light":
            yield artist.get_path().transformed(artist.get_transform()), False


NAMED = ("funnel", "baujat")


def assert_names_are_clear(figure, rows, name):
    """A name beside points is nearer to its own than to any other, or at the end of its line.

    Points are drawn in the order of the rows. Returns how many names were looked at.
    """
    (axes,) = figure.axes
    points = [p.get_window_extent() for p in axes.patches if p.get_gid() == "point"]
    rows = [row for row in rows if row.kind == "point"]
    middles = [((p.x0 + p.x1) / 2, (p.y0 + p.y1) / 2) for p in points]
    leaders = [line.get_window_extent() for line in axes.lines if line.get_gid() == "leader"]
    texts = {text.get_text(): box for text, box in texts_of(figure)}
    mm, seen = figure.dpi / 25.4, 0
    assert len(points) == len(rows), name
    for row, point in zip(rows, points, strict=True):
        if row.label not in texts:
            continue
        seen += 1
        box = texts[row.label]
        away = [
            np.hypot(max(box.x0 - x, 0, x - box.x1), max(box.y0 - y, 0, y - box.y1))
            for x, y in middles
        ]
        own = away[rows.index(row)]
        led = [
            line for line in leaders
            if near(line, point, 0.4 * mm) and near(line, box, 0.8 * mm)
        ]  # fmt: skip
        others = min((a for a, other in zip(away, rows, strict=True) if other is not row))
        assert others > own + 0.8 * mm or (led and others > 1.5 * mm), f"{name}: {row.label}"
    return seen


def near(one, other, far):
    """Whether two boxes are at most so far apart."""
    return (
        max(one.x0, other.x0) <= min(one.x1, other.x1) + far
        and max(one.y0, other.y0) <= min(one.y1, other.y1) + far
    )


def test_names_of_points_are_clear(review):
    folder, config = review
    seen = 0
    for synthesis in config.syntheses:
        for name in NAMED:
            drawn = drawn_or_none(folder, config, synthesis.id, name)
            if drawn is not None:
                (page,) = drawn.pages
                seen += assert_names_are_clear(page, drawn.rows, f"{synthesis.id} {name}")
    assert seen > 1 or folder.name.startswith("seed")  # which reports arrows only


def inks_of(figure):
    """What stands on a page but texts: artist, its form, colour, and widths of its strokes.

    The form is what tells it apart without its colour: shape, hollow or filled, hatch, dashes.
    """
    (axes,) = figure.axes
    for artist in axes.get_children():
        if isinstance(artist, Line2D) and len(artist.get_xdata()):
            yield from _line_inks(artist)
        elif isinstance(artist, LineCollection):
            for color in artist.get_colors():
                yield artist, ("strokes",), to_hex(color), list(artist.get_linewidths())
        elif isinstance(artist, Collection):
            raise AssertionError(f"no measure of {type(artist)} is made yet")
        elif isinstance(artist, Patch) and artist is not axes.patch:
            face, edge = to_hex(artist.get_facecolor()), to_hex(artist.get_edgecolor())
            width = artist.get_linewidth() if artist.get_edgecolor()[3] else 0
            hollow = face == "#ffffff" and width > 0
            form = (outline_of(artist), hollow, artist.get_hatch(), artist.get_gid())
            yield artist, form, edge if hollow else face, [width] if width else []
            if width and not hollow:
                yield artist, ("edge", *form, face), edge, [width]


def _line_inks(line):
    if line.get_linestyle() != "None":
        form = ("line", line.get_linestyle(), str(line._unscaled_dash_pattern), line.get_gid())
        yield line, form, to_hex(line.get_color()), [line.get_linewidth()]
    if line.get_marker() not in ("None", "", None):
        width = line.get_markeredgewidth()
        color = to_hex(line.get_markerfacecolor())
        yield line, ("marker", line.get_marker()), color, [width] if width else []


def outline_of(patch):
    """The corners of a patch within the box around them: the same for all circles."""
    corners = patch.get_path().vertices
    low, high = corners.min(axis=0), corners.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    return type(patch).__name__, tuple(map(tuple, ((corners - low) / span).round(1)))


def assert_palette(figure, name):
    """Strokes of 0.5 to 1 pt, edges and hatches included, in Okabe and Ito's colours or greys.

    Strokes of an image, of which each is one of hundreds, make a tone and have no width to see.
    """
    for artist, _, color, widths in inks_of(figure):
        words = f"{name}: {type(artist).__name__} {artist.get_gid() or ''}"
        assert color in OKABE_ITO | GREYS, f"{words} is {color}"
        tone = artist.get_rasterized() and "specification_curve" in name
        assert tone or all(0.5 <= width <= 1.0 for width in widths), f"{words} has {widths}"
    for text, _ in texts_of(figure):
        assert to_hex(text.get_color()) in OKABE_ITO | GREYS, f"{name}: {text.get_text()}"


def lightness(color):
    """CIE L* of a colour: 0 black, 100 white."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def assert_told_apart_in_grey(figure, name):
    """Marks of one form differ in lightness where they differ in colour, or hold a sign."""
    signs = [box for text, box in texts_of(figure) if text.get_gid() == "symbol"]
    colours = {}
    for artist, form, color, _ in inks_of(figure):
        if artist.get_gid() == "light":
            area = artist.get_window_extent()
            assert any(overlap(area, box) for box in signs), f"{name}: a light without a sign"
        else:
            colours.setdefault(form, set()).add(color)
    for form, found in colours.items():
        for one, other in itertools.combinations(sorted(found), 2):
            apart = abs(lightness(one) - lightness(other))
            assert apart >= 10, f"{name}: {form} in {one} and {other}, {apart:.0f} apart in grey"


def test_studies_that_are_flagged_are_named_as_such(review):
    """The triangles of the influence panel follow from bounds, the flags from the results."""
    folder, config = review
    seen = 0
    for synthesis in config.syntheses:
        drawn = drawn_or_none(folder, config, synthesis.id, "influence_plot")
        if drawn is None:
            continue
        rows = read_records(folder / "results" / synthesis.id / "influence.csv", InfluenceRow)
        flagged = {row.effect_id for row in rows if row.influential}
        groups = ("dffits", "cook_d", "hat")
        beyond = {m.effect_id for m in drawn.rows if m.shape == "beyond" and m.group in groups}
        assert beyond == flagged, synthesis.id
        seen += len(rows)
    assert seen or folder.name.startswith("seed")  # which reports arrows only


def test_subsets_of_few_studies_are_stated_not_drawn(review):
    folder, config = review
    for synthesis in config.syntheses:
        place = folder / "results" / synthesis.id
        if not place.exists():
            continue
        rows = read_records(place / "gosh.csv", GoshRow)
        k = len(rows[0].subset) if rows else 0
        if k >= 5:
            assert _drawn(folder, config, synthesis.id, "gosh_plot").pages, synthesis.id
            continue
        with pytest.raises(synthesis_figures.ReasonError) as reason:
            _drawn(folder, config, synthesis.id, "gosh_plot")
        if k >= 3:
            assert f"{k} studies have {2**k - 1 - k} subsets" in str(reason.value)


@pytest.mark.slow
def test_every_kind_passes_the_preflight(review):
    """Of the synthesis with the most studies, which draws most kinds."""
    folder, config = review
    places = [folder / "results" / synthesis.id for synthesis in config.syntheses]
    places = [place for place in places if place.exists()]
    if not places:
        assert folder.name.startswith("seed")  # which reports arrows only
        return
    largest = max(places, key=lambda place: len((place / "influence.csv").read_text().splitlines()))
    for name in NAMES:
        drawn = drawn_or_none(folder, config, largest.name, name)
        if drawn is not None:
            assert_preflight(drawn.pages)
            svg = assert_texts(drawn.pages[0])
            if name == "forest":
                rows = max(20, len(drawn.rows))
                assert len(re.sub(r"base64,[^)]*", "", svg)) < 150_000 * rows / 20


def _drawn(folder, config, synthesis, name):
    return synthesis_figures.figure_named(results_of(folder, config, synthesis), name)


def assert_preflight(pages):
    """Page size, all fonts embedded with the letters behind their shapes, words for no eyes."""
    pdf = pypdf.PdfReader(io.BytesIO(encoded(pages, "pdf")))
    assert len(pdf.pages) == len(pages) > 0
    assert pdf.metadata.title and "/StructTreeRoot" in pdf.trailer["/Root"]
    for sheet, page in zip(pdf.pages, pages, strict=True):
        assert float(sheet.mediabox.width) == pytest.approx(page.get_figwidth() * 72, abs=0.01)
        assert float(sheet.mediabox.height) == pytest.approx(page.get_figheight() * 72, abs=0.01)
        fonts = [font.get_object() for font in sheet["/Resources"]["/Font"].values()]
        assert fonts
        for font in fonts:
            described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert font["/Subtype"] == "/Type0" and "/ToUnicode" in font
            assert {"/FontFile2", "/FontFile3"} & set(described)
            assert re.search("SourceSans|DejaVu", font["/BaseFont"]), font["/BaseFont"]


def assert_texts(page):
    svg = encoded([page], "svg").decode("utf-8")
    words = [text.get_text() for text, _ in texts_of(page)]
    assert words and svg.count("<text") == len(words)
    return svg


def titled():
    """A page with a text."""
    figure, axes = new_figure(89, 30)
    put(axes, 2, 5, "Words that stand here.")
    return figure


def test_a_line_through_a_text_is_seen():
    """The measure itself: a figure that is wrong does not pass."""
    figure = titled()
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


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({"facecolor": "#0072b2", "edgecolor": "#000000", "lw": 0.3}, "0.3"),
        ({"facecolor": "#0072b2", "edgecolor": "#000000", "lw": 1.2}, "1.2"),
        ({"facecolor": "#0072b2", "edgecolor": "#123456", "lw": 0.6}, "#123456"),
        ({"facecolor": "#123456", "lw": 0}, "#123456"),
        ({"facecolor": "white", "edgecolor": "#123456", "lw": 0.6}, "#123456"),
    ],
)
def test_thin_edges_and_other_colours_are_seen(patch, words):
    figure = titled()
    assert_palette(figure, "whole")
    figure.axes[0].add_patch(Rectangle((2, 2), 5, 5, **patch))
    with pytest.raises(AssertionError, match=words):
        assert_palette(figure, "made")


def test_thin_strokes_of_collections_and_markers_are_seen():
    for draw in (
        lambda axes: axes.vlines([2, 3], 1, 2, color="#000000", lw=0.2),
        lambda axes: axes.plot([2, 3], [1, 2], ls="", marker="|", mew=0.35, color="#000000"),
    ):
        figure = titled()
        draw(figure.axes[0])
        with pytest.raises(AssertionError, match="has"):
            assert_palette(figure, "made")


def test_colours_that_are_one_grey_are_seen():
    """Blue and vermilion are too near each other, but not as a square and a triangle."""
    figure = titled()
    draw_mark(figure.axes[0], 3, 3, 2, "square", "#0072b2")
    draw_mark(figure.axes[0], 9, 3, 2, "triangle", "#d55e00")
    assert_told_apart_in_grey(figure, "shapes")
    draw_mark(figure.axes[0], 15, 3, 2, "square", "#d55e00")
    with pytest.raises(AssertionError, match="8 apart in grey"):
        assert_told_apart_in_grey(figure, "squares")
    assert [round(lightness(c)) for c in ("#000000", "#ffffff", "#777777")] == [0, 100, 50]
