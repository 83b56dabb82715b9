"""Every figure of every review, measured: what is drawn is right, apart, inside and the same."""

import hashlib
import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text
from osteometa.check import check_review
from osteometa.config import forest_settings
from osteometa.directions import direction_sets
from osteometa.evidence import derive
from osteometa.figures import direction_plot, forest
from osteometa.figures.forest_layout import place_axis, place_columns, ticks_of
from osteometa.figures.forest_rows import ForestRow, Scale, forest_rows
from osteometa.figures.presets import PRESETS, resolved
from osteometa.figures.style import SMALL, in_palette, missing_letters, new_figure, put, save
from osteometa.pooling import pooled_rows, subgroup_tests, weighted
from osteometa.syntheses import split

ROOT = Path(__file__).parents[1]
REVIEWS = {
    "shipped": ROOT,
    **{folder.name: folder for folder in sorted((ROOT / "tests/reviews").iterdir())},
}
SETTINGS = {
    "synthesis": {
        "id": "x", "outcome": "BMD", "site": "lumbar_spine", "phase": "training",
        "design_class": "controlled", "window": "",
    },
    "label": "Bone mineral density", "measure": "MD", "interval": "[a, b]",
    "axis": ["Favours control", "Favours exercise"], "pi_df": "k-1", "style": "standard",
    "width": 183, "leading_zero": True, "measures": ["MD"],
}  # fmt: skip
PER_MM = 72 / 25.4


def derived_of(folder):
    outcome = check_review(folder)
    assert outcome.passed
    return derive(outcome.tables, outcome.config), outcome.config


def forests_of(folder):
    """All forest plots of a review: name, rows and figure."""
    derived, config = derived_of(folder)
    for name, (effects, votes) in split(derived.effects, derived.entries, config).items():
        settings = resolved(forest_settings(config, name))
        chosen = weighted(effects, config)
        tests = subgroup_tests(name, effects, config)
        rows, legend = forest_rows(
            chosen, votes, pooled_rows(name, effects, config), tests, settings
        )
        unit = next((e.unit for e in chosen if e.measure == settings["measure"] and e.unit), "")
        outcome = settings["synthesis"]["outcome"]
        scale = Scale(settings["measure"], outcome, unit, settings["interval"])
        yield name, rows, forest.forest_figure(rows, legend, scale, settings)


def texts_of(figure):
    figure.draw_without_rendering()
    renderer = figure._get_renderer() if hasattr(figure, "_get_renderer") else None
    return [
        (text, text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip()
    ]


def overlap(a, b, slack=0.15):
    """Overlap of two boxes by more than a hair (in pixels at the figure's resolution)."""
    return min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack


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


def study(label, estimate, half, share=10.0, **more):
    scale = more.pop("scale", Scale("MD", "BMD", "g/cm2", "[a, b]"))
    low, high = estimate - half, estimate + half
    mean = more.pop("exercise_mean", "0.010 (0.020)")
    return ForestRow(
        kind="study", label=label, exercise_n="20", exercise_mean=mean, control_n="20",
        control_mean="0.005 (0.020)", effect=scale.with_interval(estimate, low, high),
        weight=f"{share:.1f}", estimate=estimate, low=low, high=high, share=share, **more,
    )  # fmt: skip


def drawn(rows, legend=(), **settings):
    chosen = {**SETTINGS, **settings}
    scale = Scale(chosen["measure"], chosen["synthesis"]["outcome"], "g/cm2", chosen["interval"])
    return forest.forest_figure(rows, legend, scale, chosen)


def squares(figure):
    return [
        p
        for p in figure.axes[0].patches
        if isinstance(p, Rectangle) and str(p.get_gid()).startswith("square")
    ]


def diamonds(figure):
    return [p for p in figure.axes[0].patches if p.get_gid() == "diamond"]


@pytest.mark.parametrize("review", REVIEWS)
def test_every_forest_plot_is_readable_and_true(review):
    for name, rows, figure in forests_of(REVIEWS[review]):
        assert figure.get_figwidth() * 25.4 == pytest.approx(183)
        assert_readable(figure, name)
        pooled = [row for row in rows if row.kind == "study" and row.share is not None]
        if pooled:
            assert sum(row.share for row in pooled) == pytest.approx(100)
        assert_areas_follow_weights(figure, pooled)
        assert_diamonds_are_intervals(figure, rows)


def assert_areas_follow_weights(figure, pooled):
    filled = [p for p in squares(figure) if p.get_facecolor()[:3] != (1, 1, 1)]
    areas = sorted(p.get_width() * p.get_height() for p in filled)
    shares = sorted(row.share for row in pooled)
    if len(areas) == len(shares) > 1:
        assert [a / areas[-1] for a in areas] == pytest.approx([s / shares[-1] for s in shares])


def assert_diamonds_are_intervals(figure, rows):
    """Widths of diamonds relative to the prediction interval's or each other's data widths."""
    shapes = [p.get_xy() for p in diamonds(figure)]
    expected = [row for row in rows if row.kind == "diamond"]
    assert len(shapes) == len(expected)
    placed = place_columns(rows, PRESETS["standard"], 183.0)
    if not expected:
        return
    scale = Scale("SMD", "", "", "[a, b]")
    axis = place_axis(rows, placed, scale)
    for points, row in zip(shapes, expected, strict=True):
        xs = [x for x, _ in points]
        assert min(xs) == pytest.approx(axis.x(row.low))
        assert max(xs) == pytest.approx(axis.x(row.high))


@pytest.mark.parametrize("review", REVIEWS)
def test_direction_plots_are_readable(review):
    derived, config = derived_of(REVIEWS[review])
    rows = direction_plot.direction_rows(derived.entries, config)
    footer = [direction_plot.set_words(row) for row in direction_sets(derived.entries, config)]
    pages = direction_plot.paginate(rows, footer)
    figures = direction_plot.page_figures(pages, list(config.outcomes), footer)
    assert len(figures) == len(pages)
    for number, figure in enumerate(figures, start=1):
        assert figure.get_figheight() * 25.4 <= 297
        assert_readable(figure, f"{review}, page {number}")
    shown = sum(len(line) for page in pages for block in page for line in block[1])
    assert shown == len(rows)


SMD = Scale("SMD", "CTX", "", "[a, b]")
LONG = "Anastasopoulou-Papadimitriou and Wieczorek-Baranowska for the collaboration 2019"
HARD = {
    "one study": [study("Able 2001", 0.01, 0.01, 100)],
    "two studies": [study("Able 2001", 0.01, 0.01, 50), study("Baker 2002", 0.02, 0.01, 50)],
    "sixty studies": [study(f"Author {n}", 0.001 * n, 0.02, 100 / 60) for n in range(60)],
    "a label of 80 characters": [study(LONG, 0.01, 0.01, marks="a b c"), study("Short", 0.0, 0.01)],
    "one word of 80 letters": [study("Y" * 80, 0.01, 0.01)],
    "letters": [
        study("Þórðardóttir Ångström Çelik", 0.01, 0.01), study("Παπαδοπούλου 2010", 0.0, 0.01),
        study("כהן 2011", 0.01, 0.01), study("العلي 2012", 0.02, 0.01),
    ],
    "an interval 100 times wider": [
        study("Narrow 2001", 0.01, 0.01), study("Narrow 2002", 0.012, 0.01),
        study("Narrow 2003", 0.012, 0.012), study("Wide 2003", 0.5, 1.0, 0.01),
    ],
    "all effects equal": [study(f"Same {n}", 0.01, 0.01, 25) for n in range(4)],
    "all effects nought": [study(f"Nought {n}", 0.0, 0.01, 25) for n in range(4)],
    "all weight in one": [study("Heavy", 0.01, 0.001, 99.99), study("Light", 0.02, 0.1, 0.01)],
    "tiny differences": [study("A", 0.002, 0.001, 50), study("B", 0.0019, 0.0012, 50)],
    "negative": [study("A", -30.0, 4.0, 50), study("B", -28.0, 5.0, 50)],
    "means in one unit": [
        study("Able 2001", 0.3, 0.2, 50, scale=SMD, unit="g/cm²"),
        study("Percent 2002", 0.2, 0.3, 50, scale=SMD, exercise_mean="1.0 % (2.0)"),
    ],
    "means in several units": [
        study("Able 2001", 0.3, 0.2, 40, scale=SMD, unit="ng/mL"),
        study("Baker 2002", 0.2, 0.3, 40, scale=SMD, unit="pmol/L"),
        study("Percent 2003", 0.2, 0.3, 20, scale=SMD, exercise_mean="1.0 % (2.0)"),
    ],
    "nothing": [ForestRow(kind="message", label="No study of the tables falls here.")],
    "directions only": [
        ForestRow(kind="direction", label=f"Study {n}", shape=shape, effect=f"direction {shape}",
                  n_total="N 1200")
        for n, shape in enumerate(("up", "down", "zero", "mixed", "unknown"))
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", HARD)
def test_hard_cases_are_readable(case):
    rows = HARD[case]
    figure = drawn(rows, legend=["a from percent changes", "b SD from the test between arms"] * 4)
    assert_readable(figure, case)
    assert_areas_follow_weights(figure, [row for row in rows if row.share])


def test_one_unit_of_all_means_stands_in_the_heads():
    texts = [text.get_text() for text, _ in texts_of(drawn(HARD["means in one unit"]))]
    assert {"Exercise, g/cm²", "Control, g/cm²"} <= set(texts)
    assert "Unit" not in texts and "g/cm²" not in texts


@pytest.mark.parametrize("style", PRESETS)
@pytest.mark.parametrize("width", [183, 140, 120, 110, 100, 89])
def test_several_units_have_a_column_as_long_as_there_are_means(style, width):
    page = drawn(HARD["means in several units"], style=style, width=width)
    assert_readable(page, f"{style} {width}")
    texts = [text.get_text() for text, _ in texts_of(page)]
    assert {"Mean (SD)" in texts} == {unit in texts for unit in ("Unit", "ng/mL", "pmol/L")}
    if width == 183 and "exercise_mean" in PRESETS[style].columns:
        assert texts.count("Mean (SD)") == 2


def test_an_interval_that_leaves_the_plot_ends_in_an_arrow():
    rows = HARD["an interval 100 times wider"]
    figure = drawn(rows)
    tips = [p for p in figure.axes[0].patches if isinstance(p, Polygon) and not p.get_gid()]
    assert len(tips) == 2
    assert len([p for p in drawn(rows[:3]).axes[0].patches if isinstance(p, Polygon)]) == 0


def test_two_studies_give_a_hollow_diamond_and_three_a_full_one():
    pooled = ForestRow(
        kind="diamond", label="All studies", shape="hollow", estimate=0.01, low=0.0, high=0.02
    )
    (hollow,) = diamonds(drawn([*HARD["two studies"], pooled]))
    (full,) = diamonds(drawn([*HARD["all effects equal"], replace(pooled, shape="full")]))
    assert hollow.get_facecolor()[:3] == (1, 1, 1)
    assert full.get_facecolor()[:3] == (0, 0, 0)


@pytest.mark.parametrize(
    ("measure", "outcome", "low", "high", "expected"),
    [
        ("MD", "BMD", -0.0011, 0.0043, {"0", "0.002", "0.004"}),
        ("SMD", "CTX", -1.3, 0.9, {"−1", "0"}),
        ("ROM", "BMD", -0.021, 0.062, {"−2", "0", "2", "4", "6"}),
        ("ROM", "CTX", -0.9, 0.9, {"0.5", "1", "2"}),
    ],
)
def test_ticks_are_round_on_the_scale_that_is_shown(measure, outcome, low, high, expected):
    ticks = ticks_of(low, high, Scale(measure, outcome, "", "[a, b]"))
    assert expected <= {text for _, text in ticks}
    assert all(low <= place <= high for place, _ in ticks)


@pytest.mark.parametrize("text", ["n", "up", "−0.019 (0.035)", "Mean (SD), g/cm²", "Çelik 2001"])
@pytest.mark.parametrize("weight", ["normal", "bold"])
@pytest.mark.parametrize("align", ["left", "center", "right"])
def test_a_label_stands_where_matplotlib_would_lay_it_out(text, weight, align):
    figure, axes = new_figure(89, 20)
    put(axes, 40, 10, text, weight=weight, align=align, size=SMALL)
    (label,) = axes.texts
    theirs = axes.text(40, 10, text, fontproperties=label.get_fontproperties(), ha=align,
                       va="center_baseline")  # fmt: skip
    assert type(label) is not type(theirs)
    figure.draw_without_rendering()
    ours, other = label.get_window_extent(), theirs.get_window_extent()
    point = figure.dpi / 72
    for end in ("x0", "x1"):
        assert getattr(ours, end) == pytest.approx(getattr(other, end), abs=0.1 * point)
    # Raised letters push their line down by a hair; ours stays on the line of its neighbours.
    assert ours.y0 == pytest.approx(other.y0, abs=0.3 * point)


def test_an_image_in_a_palette_is_the_same_image():
    rng = np.random.default_rng(7)
    image = np.full((60, 50, 4), 255, dtype=np.uint8)
    image[5:40, 5:30, :3] = [0, 114, 178]
    image[20:25, 10:45, :3] = rng.integers(0, 200, 5 * 35)[:, None].reshape(5, 35, 1)
    coded = in_palette(image)
    assert coded.mode == "P" and coded.size == (50, 60)
    assert np.array_equal(np.asarray(coded.convert("RGB")), image[..., :3])


def test_beyond_256_colours_the_rare_ones_take_the_nearest():
    image = np.full((40, 20, 4), 255, dtype=np.uint8)
    image[:20, :, 0] = np.arange(400).reshape(20, 20) % 256  # 256 shades, 144 of them twice
    image[:20, :, 1] = 10
    image[20:30, :, :3] = [213, 94, 0]
    shown = np.asarray(in_palette(image).convert("RGB")).astype(int)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 256
    assert np.array_equal(shown[20:], image[20:, :, :3])
    assert np.abs(shown - image[..., :3]).max() <= 2


def test_letters_without_a_font_are_named():
    assert missing_letters("骨 bone") == "骨"
    assert missing_letters("Θήτα, כהן, العلي, Łódź") == ""


def files_of(folder, rows):
    save(drawn(rows), folder / "forest")
    return {path.suffix: path.read_bytes() for path in sorted(folder.iterdir())}


def test_files_are_the_same_on_every_run_and_hold_their_font(tmp_path):
    one, two = (files_of(tmp_path / name, HARD["letters"]) for name in ("one", "two"))
    assert set(one) == {".pdf", ".svg", ".png"}
    for kind, data in one.items():
        assert hashlib.sha256(data).digest() == hashlib.sha256(two[kind]).digest(), kind
    assert b"/Type3" not in one[".pdf"] and b"/FontFile2" in one[".pdf"]
    assert not re.search(rb"CreationDate|Producer", one[".pdf"])
    svg = one[".svg"].decode("utf-8")
    assert "Ångström" in svg and "@font-face" in svg
    assert "<dc:date>" not in svg
    assert int.from_bytes(one[".png"][16:20]) == round(183 / 25.4 * 300)


def test_what_is_drawn_stands_in_the_csv(tmp_path):
    """Each study of a forest's CSV is a square or a mark, with the numbers that are drawn."""
    for name, rows, figure in forests_of(REVIEWS["small"]):
        texts = {text.get_text() for text, _ in texts_of(figure)}
        for row in rows:
            for cell in (
                row.exercise_n,
                row.exercise_mean,
                row.control_mean,
                row.effect,
                row.weight,
            ):
                assert not cell or cell in texts, (name, row.label, cell)
