"""The direction plot: what each mark shows, what is counted beside it, and its key."""

import re

import pytest
from builders import CONFIG, ROOT, checked, derived_of, direction_entry, reported_result
from drawing import assert_apart, texts_of
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon
from osteometa.directions.p_values import direction_sets
from osteometa.extraction.tables import RiskOfBias
from osteometa.figures import direction_plot
from osteometa.figures.direction_plot import MARGIN
from osteometa.figures.forest.marks import direction_mark
from osteometa.figures.palette import BLACK, BLUE, ORANGE
from osteometa.figures.risk_of_bias import LEVELS
from osteometa.figures.style import new_figure
from osteometa.synthesis.words import set_words
from osteometa.wording.vocabulary import DesignClass, Direction, ExerciseType, Phase


def mark_of(shape, face=""):
    figure, axes = new_figure(20, 20)
    direction_mark(axes, 10, 10, shape, 1.3, face)
    return figure, axes


@pytest.mark.parametrize(("shape", "color", "tip"), [("up", BLUE, -1), ("down", ORANGE, 1)])
def test_triangles_are_filled_between_arms_and_open_otherwise(shape, color, tip):
    (filled,) = (p for p in mark_of(shape)[1].patches if isinstance(p, Polygon))
    (hollow,) = (p for p in mark_of(shape, "white")[1].patches if isinstance(p, Polygon))
    assert to_hex(filled.get_facecolor()) == color.lower()
    assert to_hex(hollow.get_facecolor()) == "#ffffff"
    assert [to_hex(p.get_edgecolor()) for p in (filled, hollow)] == [BLACK.lower(), color.lower()]
    first, *others = (y for _, y in filled.get_xy()[:3])
    assert all((first - y) * tip > 0 for y in others)  # y grows downwards


@pytest.mark.parametrize(
    ("shape", "lines", "words"),
    [("unchanged", 3, []), ("mixed", 0, []), ("zero", 2, []), ("not_told", 0, ["?"])],
)
def test_marks_without_a_sign_are_an_arrow_a_diamond_bars_or_a_question(shape, lines, words):
    figure, axes = mark_of(shape)
    assert (len(axes.lines), [t.get_text() for t, _ in texts_of(figure)]) == (lines, words)
    assert len([p for p in axes.patches if isinstance(p, Polygon)]) == (shape == "mixed")
    if shape == "unchanged":  # a shaft with a head at each end
        shaft, *heads = (line.get_xdata() for line in axes.lines)
        assert [head[1] for head in heads] == pytest.approx([shaft[0], shaft[-1]])
        assert heads[0][0] > heads[0][1] and heads[1][0] < heads[1][1]


def rows_of(results, entries=(), judged=()):
    return direction_plot.direction_rows(results, entries, CONFIG, judged)


def entry(direction, **more):
    fields = {"study_id": "s", "label": "S 2001", "outcome": "OPG", "phase": Phase.TRAINING,
              "design": "rct", "design_class": DesignClass.CONTROLLED,
              "exercise_type": ExerciseType.RESISTANCE, "direction": direction}  # fmt: skip
    return direction_entry(**{**fields, **more})


def test_what_counts_stands_beside_what_is_reported():
    """The arm's own change is drawn open; that of the study in the sign test is grey beside it."""
    (row,) = rows_of([reported_result(direction="down", basis="within_arm")],
                     [entry(Direction.NOT_TOLD)])  # fmt: skip
    assert (row.direction, row.basis, row.counted_as) == ("down", "within_arm", "not_told")
    figure = figure_of([row])
    (triangle,) = triangles(figure)
    assert to_hex(triangle.get_facecolor()) == "#ffffff"
    assert "?" in words_of(figure)
    # Against a comparator first; a study that is not counted has nothing beside its mark.
    within = entry(Direction.DOWN, design_class=DesignClass.WITHIN_ARM)
    (row,) = rows_of([reported_result()], [within, entry(Direction.UP)])
    assert row.counted_as == "up" and "↑" in words_of(figure_of([row]))
    (row,) = rows_of([reported_result()], [entry(Direction.UP, counted=False)])
    assert row.counted_as is None and not {"↑", "?"} & set(words_of(figure_of([row])))


def figure_of(rows):
    """The only page, without its key."""
    (figure,) = direction_plot.direction_pages(rows, [], CONFIG)[1]
    return figure


def rule_of(figure):
    """The lower rule, below which the key begins."""
    lines = figure.axes[0].lines
    return max(line.get_ydata()[0] for line in lines if line.get_xdata()[0] == MARGIN)


def triangles(figure):
    patches = figure.axes[0].patches
    return [p for p in patches if p.get_xy()[:, 1].max() < rule_of(figure)]


def words_of(figure):
    """What stands above the key."""
    texts = [text for text, _ in texts_of(figure) if text.get_position()[1] < rule_of(figure)]
    return [text.get_text() for text in texts]


def test_arms_that_differ_stand_side_by_side():
    one = reported_result(direction="up", arm_id="a", arm_label="15 km")
    two = reported_result(direction="down", arm_id="b", arm_label="42 km")
    rows = rows_of([one, two])
    assert [(row.arms, row.direction) for row in rows] == [("15 km", "up"), ("42 km", "down")]
    left, right = (triangle.get_xy()[0] for triangle in triangles(figure_of(rows)))
    assert left[0] + direction_plot.SLOT == pytest.approx(right[0])
    assert len(rows_of([one, reported_result(arm_id="b", arm_label="42 km")])) == 1


def test_types_phases_and_outcomes_have_places_of_their_own():
    others = [
        {"exercise_type": ExerciseType.AEROBIC}, {"phase": Phase.ACUTE}, {"outcome": "BMD"},
    ]  # fmt: skip
    found = rows_of([reported_result(), *(reported_result(**more) for more in others)])
    assert len(found) == 4
    control = reported_result(role="control", exercise_type=None)
    assert rows_of([control, reported_result(outcome="osteocalcin")]) == []


@pytest.mark.parametrize(("n", "size"), [(None, 0.9), (19, 0.9), (20, 1.25), (50, 1.6)])
def test_marks_grow_with_participants(n, size):
    (triangle,) = triangles(figure_of(rows_of([reported_result(n=n)])))
    xs = triangle.get_xy()[:, 0]
    assert (max(xs) - min(xs)) / 2 == pytest.approx(size)


def test_the_sign_of_the_risk_of_bias_stands_behind_the_marks():
    judged = [RiskOfBias(study_id="s", tool="rob2", domain="overall", judgement="high")]
    (row,) = rows_of([reported_result()], [entry(Direction.UP)], judged)
    assert row.risk_of_bias == "high"
    assert f"↑ {LEVELS['high'][0]}" in words_of(figure_of([row]))
    assert "× high; none: not judged" in direction_plot.legend_words([row])
    assert "has not been assessed" in direction_plot.legend_words(rows_of([reported_result()]))


def test_the_key_explains_every_mark_that_is_drawn():
    shapes = {(shape, face) for shape, face, _ in direction_plot.KEY}
    assert {shape for shape, _ in shapes} == set(Direction)
    assert {face for shape, face in shapes if shape in ("up", "down")} == {"", "white"}
    assert set(direction_plot.COUNTED) == set(Direction)


@pytest.mark.slow
def test_the_plot_of_the_shipped_review_has_each_study_and_type_once():
    derived, config = derived_of(ROOT), checked(ROOT).config
    rows = direction_plot.direction_rows(derived.reported, derived.entries, config)
    pages, figures = direction_plot.direction_pages(
        rows, direction_sets(derived.entries, config), config
    )
    lines = [
        (block[0].removesuffix(" (continued)"), line[0].study_id)
        for page in pages for block in page for line in block[1]
    ]  # fmt: skip
    assert len(lines) == len(set(lines)) > 100
    assert len(direction_plot.drawn_rows(pages)) == len(rows)
    for number, figure in enumerate(figures, start=1):
        assert_apart(figure, f"page {number}")


def test_sign_tests_name_unchanged_apart_from_not_stated():
    entries = [
        entry(word, study_id=str(n))
        for n, word in enumerate(["up"] * 3 + ["unchanged"] * 2 + ["not_told"])
    ]
    (row,) = direction_sets(entries, CONFIG)
    words = set_words(row)
    assert words.startswith("OPG, training, against a comparator: 3 up, 0 down, 2 unchanged, 1 not")
    assert words.endswith("over all directions that the others may have "
                         "(0.250 for the known ones alone)")  # fmt: skip
    low, high = re.search(r"sign test p from (\S+) to (\S+) over", words).groups()
    assert (float(low), float(high)) == (0.031, 1.0)
    (one,) = direction_sets([entry(Direction.UNCHANGED)], CONFIG)
    assert set_words(one).endswith("1 unchanged")  # a test of one study says nothing
    known = direction_sets([entry(Direction.UP, study_id=str(n)) for n in range(4)], CONFIG)
    assert set_words(known[0]).endswith("4 up, 0 down; sign test p = 0.125")
