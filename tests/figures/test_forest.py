"""Every figure of every review, measured: what is drawn is right, apart, inside and the same."""

import hashlib
import io
import itertools
import re
from dataclasses import replace
from xml.etree import ElementTree

import pypdf
import pytest
from builders import checked
from drawing import (
    EACH_REVIEW,
    HARD,
    LONG_LABEL,
    REVIEWS,
    SETTINGS,
    derived_of,
    drawn_forest,
    forest_study,
    made_forest,
    overlap,
    pooled_marks,
    texts_of,
)
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text
from osteometa.directions.p_values import direction_sets
from osteometa.figures import direction_plot, fonts, style
from osteometa.figures.files import write_figure
from osteometa.figures.forest import draw
from osteometa.figures.forest.layout import ROW, place_axis, place_columns, place_rows, ticks_of
from osteometa.figures.forest.marks import LARGEST_SQUARE
from osteometa.figures.forest.pages import pages_of
from osteometa.figures.forest.rows import Diamond, ForestRow, forest_of
from osteometa.figures.palette import SMALL
from osteometa.figures.settings import PRESETS, FigureSettings
from osteometa.figures.style import missing_letters
from osteometa.figures.synthesis_figures import ReasonError, Results, figure_named
from osteometa.io.csv_records import write_records
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow, SubgroupTest
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import split
from osteometa.synthesis.subgroup_tests import subgroup_tests
from osteometa.wording.measure_format import MeasureFormat
from osteometa.wording.vocabulary import Flag

PER_MM = 72 / 25.4


def forests_of(folder, **changes):
    """All forest plots of a review, by synthesis."""
    derived, config = derived_of(folder), checked(folder).config
    for name, (effects, directions) in split(derived.effects, derived.entries, config).items():
        settings = replace(FigureSettings.of(config, name), **changes)
        pooled, tests = pooled_rows(name, effects, config), subgroup_tests(name, effects, config)
        yield name, forest_of(weighted(effects, config), directions, pooled, tests, settings)


def marks_of(figure):
    (axes,) = figure.axes
    for artist in axes.get_children():
        if isinstance(artist, (Line2D, Polygon)) or (
            isinstance(artist, Rectangle) and artist is not axes.patch
        ):
            yield artist, artist.get_window_extent()


def assert_readable(figure, name):
    """No text overlaps another or a mark, leaves the page or is smaller than 7 pt."""
    found = texts_of(figure)
    page = figure.bbox
    for text, box in found:
        words = f"{name}: '{text.get_text()}'"
        assert text.get_fontsize() >= SMALL, words
        assert box.x0 >= page.x0 and box.x1 <= page.x1, f"{words} leaves the page"
        assert box.y0 >= page.y0 and box.y1 <= page.y1, f"{words} leaves the page"
    for (one, a), (other, b) in itertools.combinations(found, 2):
        assert not overlap(a, b), f"{name}: '{one.get_text()}' overlaps '{other.get_text()}'"
    for mark, area in marks_of(figure):
        for text, box in found:
            if text.get_text() != "?" and text.get_gid() != "symbol":
                words = f"{name}: '{text.get_text()}' touches {type(mark).__name__} {area}"
                assert not overlap(area, box), words


def pages(rows, letters=None, **changes):
    return draw.forest_figures(made_forest(rows, letters, **changes))


def squares(figure):
    return [
        p
        for p in figure.axes[0].patches
        if isinstance(p, Rectangle) and str(p.get_gid()).startswith("square")
    ]


def diamonds(figure):
    return [p for p in figure.axes[0].patches if p.get_gid() == "diamond"]


@pytest.mark.parametrize("review", EACH_REVIEW)
def test_every_forest_plot_is_readable_and_true(review):
    for name, forest in forests_of(REVIEWS[review]):
        figure = draw.forest_figure(forest)
        assert figure.get_figwidth() * 25.4 == pytest.approx(183)
        assert_readable(figure, name)
        pooled = [row for row in forest.rows if row.kind == "study" and row.share is not None]
        if pooled:
            assert sum(row.share for row in pooled) == pytest.approx(100)
        assert_areas_follow_weights(figure, forest)
        assert_diamonds_are_intervals(figure, forest)


def axis_of(forest):
    """The axis of a plot, None without studies."""
    columns = place_columns(forest.rows, draw.preset_of(forest), float(forest.settings.width))
    sized = any(row.kind == "study" for row in forest.rows)
    return place_axis(forest.rows, columns, forest.scale) if sized else None


def assert_areas_follow_weights(figure, forest):
    """Every pooled study whose estimate is on the axis has a square, in proportion."""
    axis, rows = axis_of(forest), forest.rows
    filled = [p for p in squares(figure) if p.get_facecolor()[:3] != (1, 1, 1)]
    pooled = [row for row in rows if row.kind == "study" and row.share is not None]
    areas = sorted(p.get_width() * p.get_height() for p in filled)
    shares = sorted(row.share for row in pooled if axis.low <= row.estimate <= axis.high)
    assert len(areas) == len(shares)
    if shares:
        heaviest = max(row.share for row in pooled)
        assert [a / LARGEST_SQUARE**2 for a in areas] == pytest.approx(
            [s / heaviest for s in shares]
        )


def assert_diamonds_are_intervals(figure, forest):
    """A diamond reaches from end to end of its interval; an arrow ends it where the axis does."""
    shapes = [p.get_xy() for p in diamonds(figure)]
    expected = [row for row in forest.rows if row.kind == "diamond"]
    assert len(shapes) == len(expected)
    axis = axis_of(forest)
    tips = [p.get_xy() for p in figure.axes[0].patches if p.get_gid() == "tip"]
    beyond = 0
    for points, row in zip(shapes, expected, strict=True):
        beyond += (row.low < axis.low) + (row.high > axis.high)
        heights = {y for _, y in points}
        middle = (min(heights) + max(heights)) / 2
        own = [t for t in tips if t[0][1] == pytest.approx(middle)]
        xs = [x for shape in [points, *own] for x, _ in shape]
        assert min(xs) == pytest.approx(axis.x(row.low))
        assert max(xs) == pytest.approx(axis.x(row.high))
    assert len(tips) == beyond


@pytest.mark.parametrize("review", EACH_REVIEW)
def test_direction_plots_are_readable(review):
    derived, config = derived_of(REVIEWS[review]), checked(REVIEWS[review]).config
    rows = direction_plot.direction_rows(derived.reported, derived.entries, config)
    sets = direction_sets(derived.entries, config)
    pages, figures = direction_plot.direction_pages(rows, sets, config)
    assert len(figures) == len(pages)
    for number, figure in enumerate(figures, start=1):
        assert figure.get_figheight() * 25.4 <= 297
        assert_readable(figure, f"{review}, page {number}")
    shown = sum(len(line) for page in pages for block in page for line in block[1])
    assert shown == len(rows)


LETTERS = {"a": Flag("PCT"), "b": Flag("TMD"), "c": Flag("FIG")}
LEGEND = [f"{letter}: {flag.words}" for letter, flag in LETTERS.items()]


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")  # `put` names the text
@pytest.mark.parametrize("case", HARD)
@pytest.mark.slow
def test_hard_cases_are_readable(case):
    rows = HARD[case]
    for width in (183, 89):
        forest = made_forest(rows, LETTERS, width=width)
        figure = draw.forest_figure(forest)
        assert_readable(figure, f"{case}, {width} mm")
        assert_areas_follow_weights(figure, forest)
        assert_diamonds_are_intervals(figure, forest)


def test_one_unit_of_all_means_stands_in_the_heads():
    """But not where a cell is in percent: there the unit has a column."""
    rows = HARD["means in one unit"]
    heads = {"Exercise, g/cm²", "Control, g/cm²"}
    texts = {text.get_text() for text, _ in texts_of(drawn_forest(rows[:1]))}
    assert heads <= texts and not {"Unit", "g/cm²"} & texts
    texts = {text.get_text() for text, _ in texts_of(drawn_forest(rows))}
    assert {"Unit", "g/cm²"} <= texts and not heads & texts


@pytest.mark.parametrize("style", PRESETS)
@pytest.mark.parametrize("width", [183, 140, 120, 110, 100, 89])
@pytest.mark.slow
def test_several_units_have_a_column_as_long_as_there_are_means(style, width):
    page = drawn_forest(HARD["means in several units"], style=style, width=width)
    assert_readable(page, f"{style} {width}")
    texts = [text.get_text() for text, _ in texts_of(page)]
    assert {"Mean (SD)" in texts} == {unit in texts for unit in ("Unit", "ng/mL", "pmol/L")}
    if width == 183 and "exercise_mean" in PRESETS[style].columns:
        assert texts.count("Mean (SD)") == 2


def test_an_interval_that_leaves_the_plot_ends_in_an_arrow():
    rows = HARD["an interval 100 times wider"]
    figure = drawn_forest(rows)
    tips = [p for p in figure.axes[0].patches if isinstance(p, Polygon) and not p.get_gid()]
    assert len(tips) == 2
    axis = axis_of(made_forest(rows))
    narrow = rows[:3]
    taken = axis.x(max(r.high for r in narrow)) - axis.x(min(r.low for r in narrow))
    assert taken >= (axis.right - axis.left) / 3
    assert len(squares(figure)) == 3, "the estimate of the wide one lies beyond the axis"
    assert len([p for p in drawn_forest(rows[:3]).axes[0].patches if isinstance(p, Polygon)]) == 0


def test_a_precise_study_far_from_the_others_stays_on_the_axis():
    """Heterogeneity is shown, not cut off: only wide intervals and what is not pooled leave."""
    near = [forest_study(f"Near {n}", 0.01, 0.01, 20) for n in range(4)]
    far = forest_study("Far", 0.5, 0.01, 20)
    assert axis_of(made_forest([*near, far])).high > 0.5
    assert axis_of(made_forest([*near, replace(far, share=None)])).high < 0.1
    assert axis_of(made_forest([*near, replace(far, low=0.0, high=1.0)])).high < 0.1
    apart = [replace(row, share=None) for row in [*near, far]]
    assert axis_of(made_forest(apart)).high > 0.5, "nothing is pooled: all are alike"


def test_a_square_too_small_to_be_seen_has_an_upright_stroke():
    page = drawn_forest(HARD["all weight in one"])
    (tick,) = [line for line in page.axes[0].lines if line.get_gid() == "tick"]
    least = min(squares(page), key=lambda square: square.get_width())
    assert least.get_width() == pytest.approx(LARGEST_SQUARE * (0.01 / 99.99) ** 0.5)
    assert list(tick.get_xdata()) == pytest.approx([least.get_x() + least.get_width() / 2] * 2)
    assert tick.get_linewidth() == 0.6
    assert not [line for line in drawn_forest(HARD["two studies"]).axes[0].lines
                if line.get_gid() == "tick"]  # fmt: skip


def test_a_diamond_that_leaves_the_axis_ends_in_an_arrow_within_it():
    rows = HARD["two studies and their pool"]
    axis = axis_of(made_forest(rows))
    page = drawn_forest(rows)
    (body,) = diamonds(page)
    tips = [p for p in page.axes[0].patches if p.get_gid() == "tip"]
    ends = sorted(x for tip in tips for x, _ in tip.get_xy())
    assert (ends[0], ends[-1]) == pytest.approx((axis.left, axis.right))
    assert axis.left < min(body.get_xy()[:, 0]) < max(body.get_xy()[:, 0]) < axis.right


JUDGED = [
    forest_study(LONG_LABEL, 0.01, 0.01, 100 / 60, risk_of_bias="low", marks=letter)
    for letter in ["a"] * 30 + ["b"] * 30
]


@pytest.mark.slow
@pytest.mark.parametrize("style", PRESETS)
@pytest.mark.parametrize("width", [183, 89])
def test_every_page_fits_a_printed_one(style, width):
    cases = {**HARD, "sixty long labels": [ForestRow(kind="heading", label="Aerobic"), *JUDGED]}
    for case, rows in cases.items():
        found = pages(rows, LETTERS, style=style, width=width)
        for page in found:
            assert page.get_figheight() * 25.4 <= 240, case
        shown = [t.get_text() for page in found for t in page.findobj(Text)]
        assert sum(text == "20" for text in shown) in (
            0,
            2 * len([r for r in rows if r.exercise_n]),
        )


@pytest.mark.parametrize("width", [183, 89])
@pytest.mark.parametrize("review", EACH_REVIEW)
def test_every_page_of_a_review_fits_a_printed_one(review, width):
    for name, forest in forests_of(REVIEWS[review], width=width):
        found = draw.forest_figures(forest)
        for page in found:
            assert page.get_figheight() * 25.4 <= 240, name
            if width == 89 or len(found) > 1:
                assert_readable(page, f"{name}, {width} mm")


def test_a_page_explains_the_letters_that_stand_on_it():
    rows = [ForestRow(kind="heading", label="Aerobic"), *JUDGED]
    found = pages(rows, LETTERS)
    assert len(found) > 2
    texts = [" ".join(t.get_text() for t in page.findobj(Text)) for page in found]
    assert [(LEGEND[0] in t, LEGEND[1] in t) for t in (texts[0], texts[-1])] == [
        (True, False), (False, True),
    ]  # fmt: skip
    assert not any(LEGEND[2] in text for text in texts)
    assert [text.count("Aerobic (continued)") for text in texts] == [0] + [1] * (len(found) - 1)


def test_no_page_holds_more_than_sixty_rows():
    rows = [ForestRow(kind="heading", label="Aerobic"), *HARD["sixty studies"]]
    columns = place_columns(rows, PRESETS["standard"], 183.0)
    found = pages_of(rows, columns, 1000.0, 183.0)
    assert sum(map(len, found)) == 67 and max(map(len, found)) <= 60
    ends = [place_rows(page, columns, 0.0, 183.0)[-1] for page in found]
    assert abs(ends[0].top + ends[0].height - ends[1].top - ends[1].height) < 2 * ROW
    assert found[1][0].label == "Aerobic (continued)"
    assert [row for page in found for row in page if "continued" not in row.label] == rows


@pytest.mark.slow
def test_a_pool_and_its_notes_share_a_page():
    for k in range(30, 60):
        rows = [*HARD["sixty studies"][:k], *HARD["sixty studies"][60:]]
        last = [t.get_text() for t in pages(rows)[-1].findobj(Text)]
        assert "All studies" in last and any(t.startswith("Overall effect") for t in last)


@pytest.mark.parametrize("style", PRESETS)
@pytest.mark.parametrize("width", [183, 89])
@pytest.mark.slow
def test_judgements_are_the_last_column_to_go(style, width):
    judged = [replace(row, risk_of_bias="some") for row in HARD["all effects equal"]]
    page = drawn_forest([*judged, *pooled_marks(4, 0.01, 0.005, 0.02)], style=style, width=width)
    assert_readable(page, f"{style} {width}")
    assert len([p for p in page.axes[0].patches if p.get_gid() == "light"]) == 4
    texts = {text.get_text() for text, _ in texts_of(page)}
    assert {"Risk", "of bias"} <= texts if width == 183 else {"RoB"} <= texts
    assert any("risk of bias (RoB): \N{MINUS SIGN} some concerns" in text for text in texts)


def test_sizes_and_weights_are_those_of_the_preset():
    rows = HARD["two studies"]
    nature = {
        t.get_text(): t.get_fontsize() for t, _ in texts_of(drawn_forest(rows, style="nature"))
    }
    assert set(nature.values()) == {SMALL}
    jama = {t.get_text(): t for t, _ in texts_of(drawn_forest(rows, style="jama"))}
    favours = jama["Favours exercise →"]
    assert (favours.get_fontweight(), favours.get_fontsize()) == ("bold", 8.0)
    assert favours.get_color() == "#000000"


@pytest.mark.parametrize(
    ("measure", "ratio_as", "head"),
    [("SMD", "ratio", "SMD"), ("MD", "percent", "MD"), ("ROM", "percent", "Difference, %"),
     ("ROM", "ratio", "Ratio")],
)  # fmt: skip
def test_the_head_of_the_effects_names_the_measure(measure, ratio_as, head):
    page = drawn_forest(HARD["two studies"], measure=measure, ratio_as=ratio_as)
    texts = {text.get_text() for text, _ in texts_of(page)}
    assert head in texts and "Effect" not in texts


def test_labels_are_whole_where_there_is_room():
    label = "Papadimitriou-Wieczorek 2019 (LIFTMOR-M), resistance"
    rows = [forest_study(label, 0.01, 0.01), forest_study("Baker 2002", 0.02, 0.01)]
    assert label in {t.get_text() for t, _ in texts_of(drawn_forest(rows, style="metafor"))}
    for width in (89, 183):
        columns = place_columns(rows, PRESETS["metafor"], float(width))
        assert columns.plot_right - columns.plot_left >= (24 if width == 89 else 70)


def test_no_line_ends_within_a_p_or_a_percentage():
    rows = [*HARD["two studies"], *pooled_marks(2, 0.015, 0.01)]
    for width in range(60, 184):
        columns = place_columns(rows, PRESETS["metafor"], 183.0)
        for item in place_rows(rows, replace(columns, plot_left=0.0), 0.0, float(width)):
            assert not [line for line in item.lines[:-1] if re.search(r"([=<]|\b(p|df|Q))$", line)]
            assert not [line for line in item.lines[1:] if re.match(r"[=<%]|df", line)]


def test_two_studies_give_a_hollow_diamond_and_three_a_full_one():
    pooled = Diamond(label="All studies", shape="hollow", estimate=0.01, low=0.0, high=0.02)
    (hollow,) = diamonds(drawn_forest([*HARD["two studies"], pooled]))
    (full,) = diamonds(drawn_forest([*HARD["all effects equal"], replace(pooled, shape="full")]))
    assert hollow.get_facecolor()[:3] == (1, 1, 1)
    assert full.get_facecolor()[:3] == (0, 0, 0)


@pytest.mark.parametrize(
    ("measure", "ratio_as", "low", "high", "expected"),
    [
        ("MD", "percent", -0.0011, 0.0043, {"0", "0.002", "0.004"}),
        ("SMD", "ratio", -1.3, 0.9, {"−1", "0"}),
        ("ROM", "percent", -0.021, 0.062, {"−2", "0", "2", "4", "6"}),
        ("ROM", "ratio", -0.9, 0.9, {"0.5", "1", "2"}),
        ("ROM", "ratio", -0.05, 0.39, {"1", "1.2", "1.4"}),
        ("ROM", "ratio", -0.21, 0.03, {"0.85", "0.9", "0.95", "1"}),
        ("ROM", "ratio", -2.4, 2.4, {"0.1", "1", "10"}),
    ],
)
def test_ticks_are_round_on_the_scale_that_is_shown(measure, ratio_as, low, high, expected):
    ticks = ticks_of(low, high, MeasureFormat(measure, "", "[a, b]", ratio_as))
    assert expected <= {text for _, text in ticks}
    assert all(low <= place <= high for place, _ in ticks)


@pytest.fixture
def east_asian(request, tmp_path):
    """Whether a font with Chinese letters is installed: a made one, or none at all."""
    caches = (fonts.east_asian, fonts.family_of, fonts._rules, style.missing_letters,
              style._advance, style.text_width, style._face)  # fmt: skip
    before = list(fontManager.ttflist)
    fontManager.ttflist[:] = [e for e in before if e.name not in fonts.EAST_ASIAN]
    if request.param:
        fontManager.addfont(made_font(tmp_path / "made.ttf", "王明"))
    for cache in caches:
        cache.cache_clear()
    yield request.param
    fontManager.ttflist[:] = before
    for cache in caches:
        cache.cache_clear()


def made_font(path, letters):
    """A font whose letters are all the same box, 0.9 em wide."""
    names = [".notdef", *(f"letter{n}" for n in range(len(letters)))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): names[n + 1] for n, letter in enumerate(letters)})
    pen = TTGlyphPen(None)
    for step, point in enumerate([(50, 0), (50, 800), (850, 800), (850, 0)]):
        (pen.lineTo if step else pen.moveTo)(point)
    pen.closePath()
    box = pen.glyph()
    builder.setupGlyf(dict.fromkeys(names, box))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    name = fonts.EAST_ASIAN[0]
    builder.setupNameTable({"familyName": name, "styleName": "Regular", "fullName": name,
                            "psName": "Made", "uniqueFontIdentifier": "made"})  # fmt: skip
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.setupMaxp()
    builder.save(path)
    return path


@pytest.mark.parametrize("east_asian", [False], indirect=True)
def test_letters_without_a_font_are_named(east_asian, capsys, tmp_path):
    assert missing_letters("骨 bone") == "骨"
    assert missing_letters("Θήτα, כהן, العلي, Łódź") == ""
    assert style.text_width("骨", 10.0) == pytest.approx(10 * 25.4 / 72)
    files = files_of(tmp_path, HARD["Chinese letters"])
    assert "no TrueType font here has the letters '明王' of '王明 2015'" in capsys.readouterr().err
    assert "王明 2015" in files[".svg"].decode("utf-8")


@pytest.mark.parametrize("east_asian", [True], indirect=True)
def test_chinese_letters_are_drawn_where_a_font_has_them(east_asian, capsys, tmp_path):
    files = files_of(tmp_path / "out", HARD["Chinese letters"])
    assert "warning" not in capsys.readouterr().err
    assert style.text_width("王", 10.0) == pytest.approx(0.9 * 10 * 25.4 / 72, rel=1e-4)
    svg = files[".svg"].decode("utf-8")
    assert faces_of(svg) == {("Source Sans Pro", "bold"), ("Source Sans Pro", "normal"),
                             (fonts.EAST_ASIAN[0], "normal")}  # fmt: skip
    assert "王明 2015" in pypdf.PdfReader(io.BytesIO(files[".pdf"])).pages[0].extract_text()


def faces_of(svg):
    return set(re.findall(r"@font-face\{font-family:'([^']*)';font-weight:(\w+)", svg))


@pytest.mark.parametrize(
    ("case", "families"),
    [("letters", ["Source Sans Pro", "DejaVu Sans"]), ("one study", ["Source Sans Pro"])],
)
def test_an_svg_holds_all_its_fonts(case, families, tmp_path):
    svg = files_of(tmp_path, HARD[case])[".svg"].decode("utf-8")
    expected = {(family, "normal") for family in families} | {("Source Sans Pro", "bold")}
    assert faces_of(svg) == expected
    # The common letters in both weights, and what this figure has beyond them.
    assert svg.count("@font-face") == svg.count("unicode-range") + 2
    fonts = re.findall(r"font-family: ([^;]*);", svg)
    assert len(fonts) == svg.count("<text")
    assert all(f.startswith("'Source Sans Pro', ") and f.endswith(", sans-serif") for f in fonts)


def test_an_svg_alone_says_what_it_shows(tmp_path):
    write_figure([drawn_forest(HARD["one study"])], tmp_path / "a", {".svg": "svg"},
                 title="Forest plot", alt="Effects < 1 & more.")  # fmt: skip
    root = ElementTree.fromstring((tmp_path / "a.svg").read_bytes())
    first, second = list(root)[:2]
    assert (first.tag.rpartition("}")[2], first.text) == ("title", "Forest plot")
    assert (second.tag.rpartition("}")[2], second.text) == ("desc", "Effects < 1 & more.")


def files_of(folder, rows):
    folder.mkdir(exist_ok=True)
    kinds = {".pdf": "pdf", ".svg": "svg", ".png": "png"}
    write_figure([drawn_forest(rows)], folder / "forest", kinds, title="Forest plot", alt="")
    return {path.suffix: path.read_bytes() for path in sorted(folder.iterdir())}


def test_files_are_the_same_on_every_run_and_hold_their_font(tmp_path):
    one, two = (files_of(tmp_path / name, HARD["letters"]) for name in ("one", "two"))
    assert set(one) == {".pdf", ".svg", ".png"}
    for kind, data in one.items():
        assert hashlib.sha256(data).digest() == hashlib.sha256(two[kind]).digest(), kind
    assert not re.search(rb"CreationDate|ModDate", one[".pdf"])
    svg = one[".svg"].decode("utf-8")
    assert "Ångström" in svg and "@font-face" in svg
    assert "<dc:date>" not in svg
    assert abs(int.from_bytes(one[".png"][16:20]) - 183 / 25.4 * 300) < 1.5


def test_what_is_drawn_stands_in_the_csv(tmp_path):
    """Each study of a forest's CSV is a square or a mark, with the numbers that are drawn."""
    for name, forest in forests_of(REVIEWS["small"]):
        figure = draw.forest_figure(forest)
        texts = {text.get_text() for text, _ in texts_of(figure)}
        for row in forest.rows:
            for cell in (
                row.exercise_n,
                row.exercise_mean,
                row.control_mean,
                row.effect,
                row.weight,
            ):
                assert not cell or cell in texts, (name, row.label, cell)


def test_a_note_of_one_study_does_not_interrupt_the_null_line():
    for name in ("Evans" + "s" * n for n in range(0, 30, 3)):  # the drawing starts further right
        alone = forest_study(name, 0.27, 0.1, 100, exercise_mean="")
        page = drawn_forest([replace(alone, control_n="", control_mean=""), HARD["one study"][1]])
        assert len([line for line in page.axes[0].lines if line.get_gid() == "null"]) == 1, name


def test_a_forest_plot_of_no_effect_does_not_apply(tmp_path):
    for name, record in (
        ("effects", WeightedEffect), ("directions", StudyDirection), ("pooled", PooledRow),
        ("subgroup_test", SubgroupTest),
    ):  # fmt: skip
        write_records(tmp_path / f"{name}.csv", record, [])
    with pytest.raises(ReasonError, match=r"^no study reports enough to calculate an MD: .* both"):
        figure_named(Results(tmp_path, SETTINGS), "forest")
