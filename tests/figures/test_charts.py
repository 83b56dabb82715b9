"""Every kind of figure from made records, hard cases among them: measured, apart, inside, the same.

The numbers are made for these tests and stand in no review.
"""

import itertools
import math
import random
import re
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from io import BytesIO

import pytest
from builders import CONFIG, direction_entry, reported_result
from drawing import (
    HARD,
    assert_apart,
    drawn_forest,
    encoded,
    made_forest,
    made_funnel,
    made_judgements,
    pooled_row,
    texts_of,
)
from matplotlib.colors import to_hex
from osteometa.extraction.tables import RiskOfBias
from osteometa.figures import (
    albatross,
    evidence_map,
    flow,
    funnel,
    gosh,
    harvest,
    influence,
    labels,
    risk_of_bias,
    scatter,
    specification,
    strips,
    summary_forest,
)
from osteometa.figures.chart import (
    Fit,
    Frame,
    Interval,
    Point,
    axis_range,
    diamond_points,
)
from osteometa.figures.forest.draw import forest_figures
from osteometa.figures.settings import PRESETS
from osteometa.figures.synthesis_figures import ReasonError, marked, write_figures
from osteometa.io.csv_records import read_records
from osteometa.records.figures import FigureRow
from osteometa.records.pools import TypeContrast
from osteometa.records.sensitivity import (
    FunnelPoint,
    GoshRow,
    InfluenceRow,
    MetaRegressionRow,
    MultiverseRow,
    MultiverseShare,
    RegressionLine,
    RegressionPoint,
    SensitivityRow,
    StepRow,
)
from osteometa.wording.measure_format import MeasureFormat
from osteometa.wording.vocabulary import DesignClass, Direction, ExerciseType, Phase
from PIL import Image

PERCENT = MeasureFormat("ROM", "", "[a, b]", "percent", 3)
SMD = MeasureFormat("SMD")
FAVOURS = ("Lower with exercise", "Higher with exercise")
TITLE = "Made for tests: Bone mineral density (BMD); lumbar spine; training, controlled"
LONG = "Anastasopoulou-Papadimitriou and Wieczorek-Baranowska for the collaboration 2019"


def names(k):
    return [f"Author {chr(65 + n % 26)}{n} {1990 + n}" for n in range(k - 1)] + [LONG]


def influence_rows(k, rng):
    return [
        InfluenceRow(
            effect_id=f"e{n}", study_id=f"s{n}", label=label, yi=rng.gauss(0.02, 0.01), vi=1e-4,
            weight=100 / k, hat=1 / k, rstudent=rng.gauss(0, 1.2), dffits=rng.gauss(0, 0.5),
            cook_d=rng.random() * 0.3, cov_ratio=1.0, tau2_without=1e-4 * rng.random(),
            q_without=40 + rng.random(), baujat_x=rng.random() * 8, baujat_y=rng.random(),
            influential=n == 1, status="ok", reason="",
        )
        for n, label in enumerate(names(k))
    ]  # fmt: skip


@pytest.mark.parametrize("k", [3, 12, 40])
def test_influence_and_baujat(k):
    rows = influence_rows(k, random.Random(k))
    assert_apart(influence.influence_figure(influence.influence_marks(rows), TITLE), f"panel {k}")
    marks = scatter.baujat_marks(rows)
    assert len(marks) == k
    assert_apart(scatter.baujat_figure(marks, TITLE), f"baujat {k}")


def test_influence_marks_say_what_is_beyond_its_bound():
    """A triangle for each value beyond its own bound, bold names for studies that are flagged."""
    rows = influence_rows(12, random.Random(1))
    rows = [replace(row, rstudent=0.5, dffits=0.1, cook_d=0.1) for row in rows]
    rows[1] = replace(rows[1], cook_d=0.46)
    rows[4] = replace(rows[4], rstudent=-2.63)
    marks = influence.influence_marks(rows)
    beyond = [(m.group, m.label) for m in marks if m.shape == "beyond"]
    assert beyond == [("rstudent", rows[4].label), ("cook_d", rows[1].label)]
    figure = influence.influence_figure(marks, TITLE)
    drawn = [p for p in figure.axes[0].patches if len(p.get_xy()) == 4]
    assert [to_hex(p.get_facecolor()) for p in drawn] == ["#d55e00"] * 2
    bold = {t.get_text() for t, _ in texts_of(figure) if t.get_fontweight() == "bold"}
    assert {row.label for row in rows} & bold == {rows[1].label}
    alt = influence.influence_alt(marks, TITLE)
    assert f"beyond its bound: {rows[1].label}; " in alt
    assert f"residual beyond 1.96: {rows[4].label}." in alt
    bounds = [(m.group, m.x) for m in marks if m.kind == "line" and m.label == "Usual bound"]
    assert ("hat", 0.25) in bounds and len(bounds) == 6


def test_two_effects_of_one_study_have_lines_and_names_of_their_own():
    rows = influence_rows(5, random.Random(2))
    rows[0], rows[1] = (
        replace(row, label="A 2001", effect_id=f"a.{arm}.bmd")
        for row, arm in zip(rows, ("high_impact", "yoga"), strict=False)
    )
    marks = influence.influence_marks(rows)
    found = [m.label for m in marks if m.group == "hat" and m.kind == "point"]
    assert found[:2] == ["A 2001, high impact", "A 2001, yoga"]
    assert [m.x for m in marks if m.group == "hat" and m.kind == "line"] == [0.6]


def crosses(box, x0, y0, x1, y1):
    return any(
        box[0] < x0 + t * (x1 - x0) < box[2] and box[1] < y0 + t * (y1 - y0) < box[3]
        for t in [n / 400 for n in range(401)]
    )


@pytest.mark.parametrize("seed", range(12))
def test_names_have_places_of_their_own(seed):
    """Random points and lines: names stand inside, apart, off lines, and nearest to their point."""
    rng = random.Random(seed)
    frame = Frame(10.0, 90.0, 10.0, 70.0, 0.0, 1.0, 0.0, 1.0)
    points = [
        (rng.uniform(12, 88), rng.uniform(12, 68), 1.8, f"Author {n} {1990 + n}" if n < 12 else "")
        for n in range(16)
    ]
    lines = [
        ([rng.uniform(10, 90), rng.uniform(10, 90)], [rng.uniform(10, 70), rng.uniform(10, 70)])
        for _ in range(3)
    ]
    places = labels.place_labels(points, frame, lines)
    assert len(places) == 16 and sum(place is not None for place in places) >= 8
    boxes = [place.box for place in places if place]
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for (x, y, _, label), place in zip(points, places, strict=True):
        if place is None:
            continue
        assert place.label == label
        left, top, right, bottom = place.box
        assert left >= 10 and right <= 90 and top >= 10 and bottom <= 70
        for (x0, x1), (y0, y1) in lines:
            assert not crosses(place.box, x0, y0, x1, y1)
        away = [
            math.hypot(max(left - px, 0, px - right), max(top - py, 0, py - bottom))
            for px, py, *_ in points
            if (px, py) != (x, y)
        ]
        if place.leader is None:
            own = math.hypot(max(left - x, 0, x - right), max(top - y, 0, y - bottom))
            assert own < 2.5 and min(away) >= own + labels.NEAR - 1e-9
            continue
        assert min(away) >= labels.CLEAR - 1e-9
        x0, y0, x1, y1 = place.leader
        assert math.hypot(x0 - x, y0 - y) == pytest.approx(1.1)
        assert 0 <= max(left - x1, 0, x1 - right) <= 0.6 and top - 0.8 <= y1 <= bottom + 0.8
        for px, py, side, _ in points:
            half = side / 2
            mark = (px - half, py - half, px + half, py + half)
            assert (px, py) == (x, y) or not crosses(mark, x0, y0, x1, y1)


def test_a_name_without_room_is_a_number_or_none():
    frame = Frame(10.0, 30.0, 10.0, 30.0, 0.0, 1.0, 0.0, 1.0)
    points = [(20.0, 20.0, 1.8, LONG), (14.0, 14.0, 1.8, ""), (26.0, 14.0, 1.8, "B")]
    assert [p and p.label for p in labels.place_labels(points, frame)] == [None, None, "B"]
    found = labels.place_labels(points, frame, numbers=True)
    assert [p and p.label for p in found] == ["1", None, "B"]


def test_the_funnel_says_which_number_is_whom():
    """Two studies beyond the bounds, of which one name has room for no line to it."""
    points = [
        FunnelPoint(
            effect_id=f"e{n}", label=label, yi=yi, se=se, filled=False, outside=yi > 1.96 * se
        )
        for n, (label, yi, se) in enumerate(
            [("A 1999", 0.0, 0.03), ("B 2001", 0.01, 0.02), (LONG, 0.2, 0.03)]
        )
    ]
    marks = funnel.funnel_marks(points, 0.0)
    figure = funnel.funnel_figure(marks, TITLE, PERCENT)
    assert_apart(figure, "numbers")
    words = [text.get_text() for text, _ in texts_of(figure)]
    assert "1" in words and LONG not in words
    assert f"Named: studies outside these limits. 1: {LONG}." in " ".join(words)


def test_baujat_of_equal_effects():
    marks = [Point(label=f"S {n}", x=0.0, y=0.0) for n in range(5)]
    assert_apart(scatter.baujat_figure(marks, TITLE), "equal effects")


@pytest.mark.parametrize("spread", [0.002, 0.02, 2.0])
@pytest.mark.parametrize("filled", [0, 3])
def test_funnel(spread, filled):
    marks = made_funnel(spread, filled)
    figure = funnel.funnel_figure(
        marks, TITLE, MeasureFormat("MD", "g/cm2", "[a, b]", "percent", 3)
    )
    assert_apart(figure, f"funnel {spread}")
    drawn = [p for p in figure.axes[0].patches if p.get_gid() == "point"]
    assert len(drawn) == 14
    assert f"{filled} studies imputed" in funnel.funnel_alt(marks, TITLE, SMD) or not filled


@pytest.mark.parametrize("scale", [PERCENT, SMD])
@pytest.mark.parametrize("k", [3, 20])
def test_strips(scale, k):
    rng = random.Random(k)
    rows = [
        StepRow(
            sequence=sequence, step=n, study_id=f"s{n}", label=label, k=k - 1,
            estimate=0.02 + rng.gauss(0, 0.004), se=0.005, ci_low=-0.01, ci_high=0.05, p=0.01,
            tau2=1e-4, i2=70.0, q=40.0, q_p=0.001, sign_changed=False, null_crossed=n == 1,
            status="ok", reason="",
        )
        for sequence in ("year", "precision")
        for n, label in enumerate(names(k))
    ]  # fmt: skip
    marks = strips.step_marks(rows, pooled_row())
    assert sum(mark.kind == "interval" for mark in marks) == 2 * k
    figure = strips.strip_figure(marks, TITLE, scale, "Studies so far", FAVOURS)
    assert_apart(figure, f"cumulative {k}")
    assert [t for t, _ in texts_of(figure) if t.get_text() == f"\N{LEFTWARDS ARROW} {FAVOURS[0]}"]


def test_leave_one_out_says_without_once():
    row = StepRow(
        sequence="leave_one_out", step=1, study_id="s", label="A 1999", k=2, estimate=0.02, se=0.1,
        ci_low=-0.1, ci_high=0.1, p=0.5, tau2=0.0, i2=0.0, q=0.0, q_p=1.0, sign_changed=False,
        null_crossed=False, status="ok", reason="",
    )  # fmt: skip
    marks = strips.step_marks([row], pooled_row())
    assert [mark.kind for mark in marks] == ["interval", "diamond"]
    figure = strips.strip_figure(marks, TITLE, PERCENT, "Without", FAVOURS)
    assert [t.get_text() for t, _ in texts_of(figure)].count("Without") == 1


def test_differences_of_types_are_hollow_for_one_study_and_have_no_diamond():
    row = TypeContrast(
        by="exercise_type", measure="SMD", type_a="resistance", type_b="aerobic", k_a=12, k_b=2,
        estimate=0.3, se=0.1, ci_low=0.1, ci_high=0.5, df=10, statistic=3.0, p=0.01, p_holm=0.03,
        tau2_model="common", method="REML", ci_method="hksj-floor", status="ok", note="",
    )  # fmt: skip
    one = replace(row, type_b="other", k_b=1, ci_low=-4.0, status="single_study")
    none = replace(row, estimate=None, status="not_estimated", note="no more studies than types")
    marks = strips.contrast_marks([row, one, none])
    figure = strips.strip_figure(marks, TITLE, SMD, "Types compared", ("Lower", "Higher"))
    assert_apart(figure, "contrasts")
    texts = [text.get_text() for text, _ in texts_of(figure)]
    assert texts.count("no more studies than types") == texts.count("Difference (95 % CI)") == 1
    assert "k = 12 and 2; p = 0.030" in texts
    assert "Hollow: one of the types has a single study." in " ".join(texts)
    squares = [p for p in figure.axes[0].patches if p.get_gid() == "point"]
    assert [p.get_facecolor()[:3] for p in squares] == [(0, 0, 0), (1, 1, 1)]
    assert not [p for p in figure.axes[0].patches if p.get_gid() == "diamond"]
    assert not [line for line in figure.axes[0].lines if line.is_dashed()]
    assert strips.contrast_alt(marks[:1], TITLE, SMD) == (
        f"{TITLE}: Resistance against aerobic 0.30 (95 % CI 0.10 to 0.50)."
    )


def changes(intervals):
    return [
        SensitivityRow(
            row=f"r{n}", group="overall", measure="ROM", change=f"{LONG}, change {n}", k=5,
            estimate=x, ci_low=low, ci_high=high, delta=0.0, sign_changed=False,
            null_crossed=False, status="ok", reason="",
        )
        for n, (x, low, high) in enumerate(intervals)
    ]  # fmt: skip


@pytest.mark.parametrize("odd", [(0.02, -0.98, 1.02), (2.0, 1.5, 2.5), (-3.0, -3.01, -2.99)])
@pytest.mark.parametrize("diamond", ["full", "hollow"])
def test_an_interval_100_times_wider_or_far_away_is_an_arrow(odd, diamond):
    """The others keep their room, and the diamond is as wide as its interval."""
    overall = pooled_row(diamond=diamond)
    like = (overall.estimate, overall.ci_low, overall.ci_high)
    marks = strips.sensitivity_marks(changes([like] * 8 + [odd]), overall)
    figure = strips.strip_figure(marks, TITLE, PERCENT, "Change", FAVOURS)
    assert_apart(figure, "sensitivity")
    (drawn,) = (p for p in figure.axes[0].patches if p.get_gid() == "diamond")
    assert drawn.get_facecolor()[:3] == ((1, 1, 1) if diamond == "hollow" else (0, 0, 0))
    across = drawn.get_xy()[:, 0]
    lines = [line.get_xdata() for line in figure.axes[0].lines if line.get_gid() == "interval"]
    assert len(lines) == 9
    assert (min(across), max(across)) == pytest.approx(tuple(lines[0]))
    assert lines[0][1] - lines[0][0] > 15, "the others are flattened"
    tips = [p for p in figure.axes[0].patches if p.get_gid() == "tip"]
    assert len(tips) == (2 if odd[1] < 0 < odd[2] else 1)
    assert "Arrows: the interval continues." in " ".join(t.get_text() for t, _ in texts_of(figure))


def test_tips_of_a_wide_diamond_touch_no_number():
    overall = pooled_row(ci_low=-0.4, ci_high=0.5, diamond="hollow")
    marks = strips.sensitivity_marks(changes([(0.02, 0.012, 0.028)] * 5), overall)
    figure = strips.strip_figure(marks, TITLE, SMD, "Change", FAVOURS)
    assert_apart(figure, "wide diamond")
    tips = [p.get_window_extent() for p in figure.axes[0].patches if p.get_gid() == "tip"]
    (number,) = (box for text, box in texts_of(figure) if "0.40" in text.get_text())
    assert len(tips) == 2
    assert number.x0 - max(tip.x1 for tip in tips) > figure.dpi / 25.4  # 1 mm


def test_a_diamond_wider_than_its_axis_is_cut_off_where_its_sides_cross_the_edge():
    frame = Frame(0.0, 100.0, 0.0, 10.0, -1.0, 1.0, 0.0, 1.0)
    corners = diamond_points(frame, 0.0, -0.5, 2.0, 5.0, 1.5)
    expected = [(25, 5), (50, 3.5), (100, 4.25), (100, 5.75), (50, 6.5)]
    for one, other in zip(corners, expected, strict=True):
        assert one == pytest.approx(other)


def test_the_range_of_an_axis_holds_no_effect_and_is_not_widened_by_the_odd_one():
    usual = [(1.0, 0.5, 1.5), (2.0, 1.5, 2.5), (3.0, 2.5, 3.5)]
    for odd in ([], [(2.0, -97.0, 101.0)], [(50.0, 49.5, 50.5)], [(-9.0, -9.5, -8.5)]):
        assert axis_range([*usual, *odd]) == pytest.approx((-0.14, 3.64))
    halves = [(0.0, -0.5, 0.5), (100.0, 99.5, 100.5)]
    assert axis_range(halves) == pytest.approx((-0.5 - 0.04 * 101, 100.5 + 0.04 * 101))


@pytest.mark.parametrize("sign", [1, -1])
def test_an_axis_leaves_room_on_both_sides_of_no_effect(sign):
    rows = [(sign * x, sign * x - 0.5, sign * x + 0.5) for x in (1.0, 2.0, 3.0)]
    low, high = axis_range(rows, 0.15)
    assert min(-low, high) / (high - low) == pytest.approx(0.15)
    assert max(-low, high) == pytest.approx(3.64)  # the side of the effects stays as it is
    wide = [(0.0, -1.0, 1.0)]
    assert axis_range(wide, 0.15) == axis_range(wide)


def test_short_names_leave_their_room_to_the_drawing():
    def width(name):
        marks = [
            Interval(label=name, x=0.02, low=0.01, high=0.03, text="k = 3"),
            Interval(kind="diamond", shape="full", label="Primary result", x=0.02, low=0.01,
                     high=0.03, group="primary", text="k = 4"),
        ]  # fmt: skip
        figure = strips.strip_figure(marks, TITLE, PERCENT, "Without", FAVOURS)
        assert_apart(figure, name)
        # Of the horizontal lines only the axis does not begin at the margin.
        (axis,) = (
            line.get_xdata() for line in figure.axes[0].lines
            if len(set(line.get_ydata())) == 1 and line.get_gid() is None
            and line.get_xdata()[0] > 2.0 and line.get_color() == "#000000"
        )  # fmt: skip
        return axis[1] - axis[0]

    assert width("A 1999") > 90
    assert width(LONG) == pytest.approx(strips.PLOT)


def test_the_axis_of_a_diagnostic_has_ticks_up_to_its_ends():
    """A residual of 1.97 and a bound of 1.96: the axis, padded, holds 2 and says so."""
    rows = [replace(row, rstudent=1.97 if n else -1.97) for n, row in
            enumerate(influence_rows(5, random.Random(3)))]  # fmt: skip
    marks = [m for m in influence.influence_marks(rows) if m.group == "rstudent"]
    words = {t.get_text() for t, _ in texts_of(influence.influence_figure(marks, TITLE))}
    assert {"\N{MINUS SIGN}2", "0", "2"} <= words


def test_gosh_is_one_image_of_many_points():
    rng = random.Random(5)
    rows = [
        GoshRow(subset="".join(rng.choice("01") for _ in range(9)), k=5,
                estimate=rng.gauss(0.02, 0.005), tau2=1e-4, i2=rng.random() * 100)
        for _ in range(9000)
    ]  # fmt: skip
    marks = gosh.gosh_marks(rows, names(9), 8)
    assert sum(mark.kind == "point" for mark in marks) == 4000
    figure = gosh.gosh_figure(marks, TITLE, PERCENT, len(rows))
    assert_apart(figure, "gosh")
    clouds = [line for line in figure.axes[0].lines if line.get_marker() in ("o", "^")]
    assert [line.get_rasterized() for line in clouds] == [True, True]
    assert sum(len(line.get_xdata()) for line in clouds) == 4000


def test_gosh_histograms_count_every_subset_once():
    rows = [
        GoshRow(subset=subset, k=2, estimate=estimate, tau2=1e-4, i2=i2)
        for subset, estimate, i2 in (
            ("110", 0.0, 0.0), ("101", 0.01, 0.0), ("011", 0.04, 100.0), ("111", 0.039, 99.0),
        )
    ]  # fmt: skip
    marks = gosh.gosh_marks(rows, ["A", "B", "C"], 0)
    bars = [m for m in marks if m.kind == "bar"]
    assert len(bars) == 4 * gosh.BINS
    found = [(m.label, m.group, m.low, m.high, m.size) for m in bars if m.size]
    step = 0.04 / gosh.BINS
    expected = [
        ("estimate", "with", 0.0, step, 1), ("estimate", "with", 0.01, 0.01 + step, 1),
        ("estimate", "with", 0.039, 0.04, 1), ("estimate", "without", 0.039, 0.04, 1),
        ("i2", "with", 0.0, 2.5, 2), ("i2", "with", 97.5, 100.0, 1),
        ("i2", "without", 97.5, 100.0, 1),
    ]  # fmt: skip
    for one, other in zip(found, expected, strict=True):
        assert one[:2] == other[:2] and one[2:] == pytest.approx(other[2:])
    figure = gosh.gosh_figure(marks, TITLE, PERCENT, 4)
    assert_apart(figure, "gosh of four")
    filled = [p for p in figure.axes[0].patches if p.get_gid() == "histogram"]
    lines = [line for line in figure.axes[0].lines if line.get_gid() == "histogram"]
    assert (len(filled), len(lines)) == (2, 2)
    # The highest bar of each is as high as stated: two subsets with I2 = 0.
    assert filled[1].get_xy()[:, 0].max() - filled[1].get_xy()[:, 0].min() == pytest.approx(
        gosh.HEIGHT
    )
    assert [line.get_color() for line in lines] == ["#E69F00"] * 2


def test_gosh_of_equal_pools_has_a_width():
    rows = [GoshRow(subset=s, k=2, estimate=0.02, tau2=0.0, i2=0.0) for s in ("110", "011", "101")]
    assert_apart(gosh.gosh_figure(gosh.gosh_marks(rows, names(3), 2), TITLE, PERCENT, 3), "equal")


@pytest.mark.parametrize("n", [12, 500])
def test_specification_curve(n):
    rng = random.Random(n)
    rows = [
        MultiverseRow(
            specification=i, measure="ROM", derivation=rng.choice(["primary", "r=0.85", "r=0.98"]),
            inclusion=rng.choice(["all", "without INDIRECT", "without PP 2ND"]),
            designs="randomised", inconsistent_data="excluded",
            tau2=rng.choice(["REML", "DL", "PM", "EE"]),
            ci=rng.choice(["hksj-floor", "hksj", "wald"]), merged=1, k=12,
            estimate=(y := rng.gauss(0.02, 0.004)), ci_low=y - 0.02, ci_high=y + 0.02, z=2.0,
            excludes_null=y > 0.02, primary=i == 0,
        )
        for i in range(n)
    ]  # fmt: skip
    shares = [
        MultiverseShare(
            measure="ROM", choice=choice, levels=3, share=share, specifications=n, same_sign=None,
            excludes_null=None, median=None, lowest=None, highest=None, status="ok", reason="",
        )
        for choice, share in (("r", 50.0), ("rho", 10.0), ("inclusion", 30.0), ("tau2", 0.2),
                              ("ci", 0.0), ("remainder", 9.8), ("all", None))
    ]  # fmt: skip
    marks = specification.specification_marks(rows, shares, "ROM")
    shown = {mark.group: mark.x for mark in marks if mark.kind == "bar"}
    assert shown == {"derivation": 60.0, "inclusion": 30.0, "tau2": 0.2, "ci": 0.0}
    figure = specification.specification_figure(marks, TITLE, PERCENT)
    assert_apart(figure, f"{n} specifications")
    strokes = figure.axes[0].collections
    assert len(strokes) == 3 + len({(m.group, m.label) for m in marks if m.kind == "cell"})
    for lines in strokes:
        assert lines.get_rasterized() == (n > 400)
        assert n > 400 or all(0.5 <= width <= 1 for width in lines.get_linewidths())
    bars = {p.get_width() for p in figure.axes[0].patches if p.get_gid() == "bar"}
    assert max(bars) == pytest.approx(2 * sorted(bars)[-2])


def test_intervals_that_leave_the_specification_curve_have_tips():
    """One tip each where they stand apart; the others keep their room; estimates stay inside."""
    intervals = [(0.01, -0.01, 0.03)] * 20 + [(0.02, -5.0, 0.03), (0.02, -5.0, 5.0)]
    intervals += [(3.0, 2.9, 3.1)]
    marks = [
        Fit(kind="interval", label=str(x), x=x, y=y, low=low, high=high, group="holds")
        for x, (y, low, high) in enumerate(intervals, start=1)
    ]
    figure = specification.specification_figure(marks, TITLE, PERCENT)
    assert_apart(figure, "tips")
    tips = {line.get_marker(): line for line in figure.axes[0].lines if line.get_gid() == "tip"}
    assert {m: len(line.get_xdata()) for m, line in tips.items()} == {"^": 2, "v": 2}
    top, bottom = (tips[m].get_ydata()[0] for m in "^v")
    (strokes,) = figure.axes[0].collections
    heights = [abs(end - start) for (_, start), (_, end) in strokes.get_segments()]
    assert len(heights) == 22 and heights[0] > 0.25 * (bottom - top)
    (dots,) = (line for line in figure.axes[0].lines if line.get_marker() == "o")
    assert len(dots.get_ydata()) == 22 and top < min(dots.get_ydata()) < bottom
    assert "Arrow tips" in " ".join(text.get_text() for text, _ in texts_of(figure))


def test_bubbles_have_areas_of_their_weights():
    points = [
        RegressionPoint(covariate="weeks", effect_id=f"e{n}", label=f"S {n}", exercise_type=kind,
                        x=10.0 * n, yi=0.01 * n, vi=1e-4, weight=float(n))
        for n, kind in enumerate(["resistance", "aerobic", "resistance", "combined", "other"], 1)
    ]  # fmt: skip
    fit = MetaRegressionRow(
        covariate="weeks", k=5, intercept=0.02, slope=0.0002, se=0.0003, ci_low=-0.0004,
        ci_high=0.0008, statistic=0.7, df=3.0, p=0.5, tau2=1e-4, r2=3.0, centre=30.0,
        p_permutation=0.4, status="ok", reason="",
    )  # fmt: skip
    line = [
        RegressionLine(covariate=name, x=x, fitted=0.01 + 0.0002 * x, ci_low=-0.01 - 0.0001 * x,
                       ci_high=0.03 + 0.0005 * x)
        for name in ("age", "weeks")
        for x in (10.0, 30.0, 50.0)
    ]  # fmt: skip
    marks = scatter.bubble_marks(fit, points, line)
    assert [(m.x, m.low, m.high) for m in marks if m.kind == "line"] == [
        (at.x, at.ci_low, at.ci_high) for at in line[3:]
    ]
    figure = scatter.bubble_figure(marks, TITLE, PERCENT, scatter.slope_words(fit, PERCENT))
    assert_apart(figure, "bubble")
    words = " ".join(text.get_text() for text, _ in texts_of(figure))
    assert f"{TITLE}; by weeks of training" in words
    assert "0.020\N{NO-BREAK SPACE}% (" in words and " %)" not in words
    (band,) = (p for p in figure.axes[0].patches if p.get_gid() == "band")
    tops, ground = band.get_xy()[:, 1], figure.axes[0]
    assert len(tops) == 7 and ground.get_ylim()[0] > max(tops) and min(tops) > 0
    circles = [p for p in figure.axes[0].patches if len(p.get_xy()) > 10]
    areas = sorted(area_of(p.get_xy()) for p in circles)
    assert areas[1] / areas[0] == pytest.approx(3.0, rel=1e-6)


def area_of(points):
    return 0.5 * abs(
        sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in itertools.pairwise(points))
    )  # fmt: skip


def test_albatross():
    rng = random.Random(8)
    marks = [
        Point(label=label, x=rng.choice([-1, 1]) * rng.random() * 6,
             y=float(rng.choice([9, 20, 60, 240])),
             group=rng.choice(["effect", "reported"]))
        for label in names(30)
    ]  # fmt: skip
    figure = albatross.albatross_figure(marks, TITLE)
    assert_apart(figure, "albatross")
    drawn = [p for p in figure.axes[0].patches if p.get_gid() == "point"]
    hollow = [p for p in drawn if to_hex(p.get_facecolor()) == "#ffffff"]
    assert len(hollow) == sum(mark.group == "reported" for mark in marks) > 0


@pytest.mark.parametrize(
    ("design_class", "size", "n", "p"),
    [
        # By hand: d = 0.5 of two arms of 32 has z = 0.5 sqrt(64) / 2 = 2; 0.5 SD of change in one
        # group of 16 has z = 0.5 sqrt(16) = 2; two-sided p of z = 2 is 0.0455.
        ("controlled", 0.5, 64, 0.0455003), ("within_arm", 0.5, 16, 0.0455003),
        ("controlled", 1.0, 16, 0.0455003), ("within_arm", 1.0, 9, 0.0026998),
    ],
)  # fmt: skip
def test_curves_of_the_albatross_are_those_of_the_design(design_class, size, n, p):
    assert albatross.curve_p(size, n, design_class) == pytest.approx(p, rel=1e-5)
    marks = [Point(label=f"S{i}", x=2.0 * i, y=float(n), group="effect")
             for i in (-1, 1, 2)]  # fmt: skip
    figure = albatross.albatross_figure(marks, TITLE, design_class)
    curves = [line for line in figure.axes[0].lines if line.get_gid() == "curve"]
    assert len(curves) == 6
    words = " ".join(text.get_text() for text, _ in texts_of(figure))
    assert ("in one group" in words) == (design_class == "within_arm")
    assert ("two equal arms" in words) == (design_class == "controlled")


@pytest.mark.parametrize(
    ("widest", "right"),
    [
        (3.2, ["0.1", "0.01", "0.001"]), (6.5, ["0.01", "10⁻⁴", "10⁻⁶"]),
        (17.0, ["10⁻⁵", "10⁻¹⁰", "10⁻¹⁵"]),
    ],
)  # fmt: skip
def test_ticks_of_p_are_powers_of_ten_up_to_the_last_points(widest, right):
    ticks = albatross.p_ticks(widest)
    assert [text for place, text in ticks if place > 0] == right
    assert [-place for place, _ in ticks[::-1]] == [place for place, _ in ticks]
    assert max(place for place, _ in ticks) > 0.7 * widest


def test_the_evidence_map_counts_each_study_by_the_most_it_has():
    """An estimate, a direction, unchanged, or not reported; participants of the largest."""
    stated = {"estimate": {"effect_id": "e"}, "direction": {"direction": Direction.MIXED},
            "unchanged": {"direction": Direction.UNCHANGED},
            "not reported": {"direction": Direction.NOT_TOLD}}  # fmt: skip
    kinds = list(stated)
    results = [
        reported_result(
            study_id=f"{kind} {n}", outcome=outcome, exercise_type=of, n=n, **stated[less]
        )
        for outcome, of, n in itertools.product(("OPG", "BMD"), ExerciseType, (None, 8, 400))
        for place, kind in enumerate(kinds)
        for less in kinds[place:]  # a study has its own kind and every lesser one
    ]
    marks = evidence_map.map_marks(results, ["OPG", "BMD"])
    assert len(marks) == 2 * len(ExerciseType) * 4
    assert {(mark.x, mark.size) for mark in marks} == {(3.0, 408.0)}
    assert Counter(mark.shape for mark in marks) == dict.fromkeys(kinds, 2 * len(ExerciseType))
    control = reported_result(role="control", exercise_type=None)
    assert evidence_map.map_marks([control], ["OPG"]) == []
    figure = evidence_map.map_figure(marks, "Evidence map")
    assert_apart(figure, "map")
    texts = Counter(text.get_text() for text, _ in texts_of(figure))
    lines = ("3 estimates", "3 directions", "3 unchanged", "3 not reported", "n = 1,632")
    for words in lines:
        assert texts[words] == 2 * len(ExerciseType), words
    wedges = [a for a in figure.axes[0].get_children() if a.get_gid() == "participants"]
    assert {to_hex(wedge.get_facecolor()) for wedge in wedges} == {
        to_hex(color) for color in evidence_map.FACES.values()
    }
    alt = evidence_map.map_alt(marks, "Evidence map")
    assert "BMD, training: 15 estimate, 15 direction, 15 unchanged, 15 not reported" in alt


def test_harvest():
    words = [*Direction, *[Direction.UP] * 14]
    both = (Direction.UP, Direction.DOWN)  # the directions of a study that is mixed
    entries = [
        direction_entry(phase=phase, exercise_type=ExerciseType.RESISTANCE, study_id=f"s{i}",
                        label="S", outcome=outcome, design=design,
                        design_class=DesignClass.CONTROLLED, direction=direction)
        for i, (phase, outcome, design, word) in enumerate(
            itertools.product(Phase, ("OPG", "BMD"), ("rct", "nrct", "uncontrolled"), words)
        )
        for direction in (both if word == Direction.MIXED else (word,))
    ]  # fmt: skip
    marks = harvest.harvest_marks([*entries, direction_entry(counted=False)], CONFIG)
    assert len(marks) == len({entry.study_id for entry in entries})
    assert Counter(m.shape for m in marks) == {
        "up": 15 * 12, "down": 12, "unchanged": 12, "not_told": 12, "mixed": 24,  # and none
    }  # fmt: skip
    figures = harvest.harvest_figures(marks, "Harvest plot")
    for figure in figures:
        assert_apart(figure, "harvest")
        assert figure.get_figheight() * 25.4 < 260
    bars = [a for f in figures for a in f.axes[0].get_children() if a.get_gid() == "bar"]
    assert len(bars) == len(marks)
    assert all(bar.get_linewidth() >= 0.5 for bar in bars)
    texts = [text.get_text() for figure in figures for text, _ in texts_of(figure)]
    assert {"Lower", "Unchanged", "Not reported", "Mixed or none", "Higher"} <= set(texts)
    assert "OPG, single bout: 3 lower, 3 unchanged, 3 not reported, 6 mixed or none, 45 higher" in (
        harvest.harvest_alt(marks, "Harvest plot")
    )
    assert Counter(t for t in texts if t.isdigit()) == Counter(f"{m.size:.0f}" for m in marks)
    studies = {(m.size, m.label) for m in marks}
    assert len({number for number, _ in studies}) == len(studies)
    assert {f"{number:.0f} {label}" for number, label in studies} <= set(texts)


def test_summary_forest():
    panels = [
        summary_forest.Panel(
            heading=f"Outcome {n}", scale=PERCENT if n % 2 else SMD,
            axis=("Favours control", "Favours exercise"),
            rows=(
                pooled_row(ci_low=-0.5 * n, ci_high=0.6 * n),
                pooled_row(group="resistance", k=2, diamond="hollow", ci_low=-9.0, ci_high=9.0),
                pooled_row(group="aerobic", k=1, diamond="none"),
            ),
        )
        for n in range(1, 13)
    ]  # fmt: skip
    marks = summary_forest.summary_marks(panels)
    pages = summary_forest.summary_figures(marks, panels, "Pooled effects")
    assert len(pages) > 1
    for page in pages:
        assert_apart(page, "summary")
        assert page.get_figheight() * 25.4 < summary_forest.HIGHEST + 40
    shown = [text.get_text() for page in pages for text, _ in texts_of(page)]
    assert sorted(t for t in shown if t.startswith("Outcome")) == sorted(p.heading for p in panels)


def test_a_pool_of_one_type_has_one_row():
    rows = (pooled_row(k=2, diamond="hollow"), pooled_row(group="resistance", k=2, diamond="none"))
    axis = ("Favours control", "Favours exercise")
    panel = summary_forest.Panel(heading="Neck", scale=PERCENT, axis=axis, rows=rows)
    assert [mark.label for mark in summary_forest.summary_marks([panel])] == ["All studies"]


def test_the_summary_forest_has_pools_first_on_shared_axes_and_single_studies_apart():
    kinds = (("Single A", 1, "none"), ("Wide", 2, "hollow"), ("Single B", 1, "none"),
             ("Pool", 5, "full"), ("Not shown", 3, "none"))  # fmt: skip
    panels = [
        summary_forest.Panel(
            heading=heading, scale=SMD, axis=("Lower with exercise", "Higher with exercise"),
            rows=(
                pooled_row(k=k, diamond=diamond, ci_low=-50.0 if k == 2 else -0.5, ci_high=0.6),
                pooled_row(group="aerobic", k=1, diamond="none", estimate=0.3),
                pooled_row(group="combined", k=2, diamond="none"),
            ),
        )
        for heading, k, diamond in kinds
    ]  # fmt: skip
    marks = summary_forest.summary_marks(panels)
    first, second = summary_forest.summary_figures(marks, panels, "Pooled effects", "bmj")
    words = [[text.get_text() for text, _ in texts_of(page)] for page in (first, second)]
    assert [w for w in words[0] if w in ("Wide", "Pool")] == ["Wide", "Pool"]
    assert [w for w in words[1] if w.startswith("Single")] == ["Single A", "Single B"]
    assert words[1][0] == summary_forest.SINGLES
    nulls = [line.get_xdata()[0] for line in first.axes[0].lines if line.get_gid() == "null"]
    assert len(nulls) == 2 and nulls[0] == nulls[1]  # one axis for both
    pools = [p.get_xy() for p in first.axes[0].patches if p.get_gid() == "diamond"]
    assert len(pools) == 2 and len(pools[0]) > len(pools[1]) == 5  # the wide one is cut off
    assert any("Arrows: the interval continues." in " ".join(w) for w in words[:1])


@pytest.mark.parametrize("tool", list(risk_of_bias.TOOLS))
def test_risk_of_bias(tool):
    judged = made_judgements(tool)
    labels = {f"s{i}": name for i, name in enumerate(names(9))}
    marks = risk_of_bias.light_marks(judged, tool, labels)
    (page,) = risk_of_bias.light_figures(marks, tool)
    assert_apart(page, tool)
    rules = [line.get_xdata() for line in page.axes[0].lines]
    assert max(max(xs) for xs in rules) == pytest.approx(risk_of_bias.RIGHT)
    bars = [p for p in page.axes[0].get_children() if p.get_gid() == "bar"]
    assert max(b.get_x() + b.get_width() for b in bars) == pytest.approx(risk_of_bias.RIGHT)
    shares = Counter()  # of the nine studies judged, by domain and level
    for bar in bars:
        width = bar.get_width() / (risk_of_bias.RIGHT - risk_of_bias.LABELS)
        shares[(round(bar.get_y(), 3), to_hex(bar.get_facecolor()))] += width
    colour = {level: to_hex(color) for level, (_, color) in risk_of_bias.LEVELS.items()}
    judged_as = Counter((row.domain, colour[row.judgement]) for row in judged)
    assert sorted(shares.values()) == pytest.approx(sorted(n / 9 for n in judged_as.values()))


def test_names_in_risk_of_bias_are_whole_and_many_studies_paginate():
    long = "Incremental aerobic training for older women of a village (authors not seen), thesis"
    judged = [RiskOfBias(study_id=f"s{i}", tool="rob2", domain="overall", judgement="low")
              for i in range(70)]  # fmt: skip
    labels = {f"s{i}": f"{long} {i}" if i % 7 == 0 else f"Able {i}" for i in range(70)}
    marks = risk_of_bias.light_marks(judged, "rob2", labels)
    pages = risk_of_bias.light_figures(marks, "rob2")
    assert len(pages) == 2
    shown = []
    for page in pages:
        assert_apart(page, "lights")
        assert page.get_figheight() * 25.4 <= 260
        shown += [text.get_text() for text, _ in texts_of(page)]
    assert " ".join(shown).count("(authors not seen), thesis") == 10
    assert sum("%" in text for text in shown) == 5  # the bars stand once


def flow_texts(figure):
    return [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text, _ in texts_of(figure)]


@pytest.mark.parametrize("boxes", [{}, {"identified_databases": 12345, "screened": 9000}])
def test_flow(boxes):
    figure = flow.flow_figure(flow.flow_marks(boxes), "Flow of studies")
    assert_apart(figure, "flow")
    texts = " ".join(flow_texts(figure))
    assert ("n = 12,345" in texts) == bool(boxes)
    assert "not entered" in texts


def test_the_flow_has_the_lines_of_the_template_and_the_reasons_entered():
    counts = {"excluded_reports": 9, "assessed": 14}
    box = "excluded_reports"
    reasons = [(box, "no control", 2), (box, "other outcome", 3), (box, "an animal study", 1)]
    marks = flow.flow_marks(counts, reasons)
    figure = flow.flow_figure(marks, "Flow of studies")
    assert_apart(figure, "flow")
    texts = flow_texts(figure)
    assert flow.ROUTES[0] in texts and flow.ROUTES[1] not in texts
    assert {"Records identified from:", "Records removed before screening:"} <= set(texts)
    at = texts.index("Reports excluded (n = 9)")
    assert texts[at + 1 : at + 5] == [
        "– other outcome (n = 3)", "– no control (n = 2)", "– an animal study (n = 1)",
        "– Reason not entered (n = 3)",
    ]  # fmt: skip
    for more in ({}, {"excluded_reports": 6}):
        assert not [m for m in flow.flow_marks(more, reasons) if m.label == flow.REST]
    assert not [m for m in flow.flow_marks(counts) if m.shape == flow.REASON]


def test_the_flow_with_other_methods_stands_beside_that_of_the_databases():
    counts = {"screened": 900, "identified_citations": 12, "sought_other": 12, "assessed_other": 9}
    figure = flow.flow_figure(flow.flow_marks(counts), "Flow of studies")
    assert_apart(figure, "flow")
    texts = flow_texts(figure)
    assert set(flow.ROUTES) <= set(texts)
    assert "Citation searching (n = 12)" in texts


def test_only_figures_that_apply_are_written_and_the_index_has_the_reason_of_the_others(tmp_path):
    def absent():
        raise ReasonError("one study only, 2 are needed")

    pages = [drawn_forest(HARD["one study"]), drawn_forest(HARD["two studies"])]
    figures = [
        ("forest", "Forest plot", lambda: marked(pages, [], "Two pages.")),
        ("funnel", "Funnel plot", absent),
    ]
    write_figures(tmp_path, figures, ["svg", "pdf"], "")
    assert {path.name for path in tmp_path.iterdir()} == {
        "forest.svg", "forest_2.svg", "forest.pdf", "forest.csv", "figures.csv",
    }  # fmt: skip
    index = read_records(tmp_path / "figures.csv", FigureRow)
    assert [(row.figure, row.pages, row.reason) for row in index] == [
        ("forest", 2, ""), ("funnel", 0, "one study only, 2 are needed"),
    ]  # fmt: skip
    assert "<title>Forest plot, page 2 of 2</title>" in (tmp_path / "forest_2.svg").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("style", PRESETS)
@pytest.mark.parametrize("width", [183, 89])
@pytest.mark.parametrize("case", ["sixty studies", "letters", "an interval 100 times wider"])
def test_presets_at_both_widths(style, width, case):
    rows = HARD[case] * (2 if case == "sixty studies" else 1)
    pages = forest_figures(made_forest(rows, style=style, width=width))
    assert len(pages) == math.ceil(len(rows) / 60)
    for page in pages:
        assert page.get_figwidth() * 25.4 == pytest.approx(width)
        assert_apart(page, f"{style} {width} {case}")


def test_what_is_drawn_as_an_image_is_sharp_in_print():
    """A rasterised curve has 300 dots per inch in a PDF, 200 in an SVG."""
    marks = [
        Fit(kind="interval", label=str(x), x=x, y=0.02, low=0.01, high=0.03, group="excludes")
        for x in range(1, 500)
    ]
    figure = specification.specification_figure(marks, TITLE, PERCENT)
    null = figure.axes[0].lines[0].get_xdata()  # as wide as the curve
    inches = (null[1] - null[0]) / 25.4
    svg = encoded([figure], "svg").decode()
    images = re.findall(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)", svg)
    sizes = [Image.open(BytesIO(b64decode(image))).size for image in images]
    assert max(width for width, _ in sizes) == pytest.approx(300 * inches, abs=8)
