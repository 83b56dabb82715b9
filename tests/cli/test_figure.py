"""The command osteometa figure, and what a forest plot of a small review must show."""

import re
import shutil
from dataclasses import replace

import pytest
from builders import ROOT, output_of
from drawing import HARD, drawn_forest, drawn_of, forest_study, texts_of, write_results
from osteometa.figures.forest import draw
from osteometa.figures.forest.layout import place_columns
from osteometa.figures.forest.rows import Diamond, ForestRow
from osteometa.figures.settings import PRESETS, FigureSettings
from osteometa.figures.style import text_width
from osteometa.figures.synthesis_figures import Results, figure_named
from osteometa.protocol.config import load_config
from osteometa.wording.numbers import p_number
from osteometa.wording.vocabulary import Block
from PIL import Image

pytestmark = pytest.mark.slow

SPINE = "bmd_lumbar_spine_training_controlled"
CTX = "ctx_serum_training_controlled"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The small review with made judgements, and the results its figures are drawn from."""
    folder = tmp_path_factory.mktemp("made") / "review"
    shutil.copytree(ROOT / "tests/reviews/small", folder)
    judged = folder / "data/raw/risk_of_bias.csv"
    studies = (folder / "data/raw/studies.csv").read_text("utf-8").splitlines()[1:]
    header = judged.read_text("utf-8").splitlines()[0].split(",")
    rows = []
    for number, line in enumerate(studies):
        cells = {"study_id": line.split(",")[0], "tool": "rob2", "domain": "overall",
                 "judgement": ("low", "some", "high")[number % 3], "support": "made"}  # fmt: skip
        rows.append(",".join(cells.get(name, "") for name in header))
    judged.write_text("\n".join([",".join(header), *rows]) + "\n", "utf-8")
    return folder, write_results(folder, folder)


@pytest.mark.parametrize("ending", ["pdf", "svg", "png", "tiff"])
def test_a_figure_is_drawn_again_without_a_run(made, tmp_path, capsys, ending):
    folder, _ = made
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    outs = [tmp_path / f"{name}.{ending}" for name in ("one", "two")]
    for out in outs:
        words = ("--directory", folder, "--style", "bmj", "--width", 89, "--out", out)
        assert output_of(capsys, "figure", SPINE, *words) == (0, f"{out}\n", "")
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    if ending in ("png", "tiff"):
        with Image.open(outs[0]) as image:
            dots = {"png": 300, "tiff": 600}[ending]
            assert abs(image.size[0] - 89 / 25.4 * dots) < 1.5
            assert round(float(image.info["dpi"][0])) == dots
    if ending == "svg":
        assert " to " in outs[0].read_text("utf-8")  # the interval as the BMJ has it


def test_what_does_not_apply_is_said(made, tmp_path, capsys):
    folder, _ = made
    out = tmp_path / "gosh.pdf"
    words = (CTX, "--kind", "gosh_plot", "--directory", folder, "--out", out)
    status, _, err = output_of(capsys, "figure", *words)
    assert (status, out.exists()) == (1, False)
    assert "this figure does not apply" in err and "needed" in err


def test_a_folder_of_the_name_is_stated(made, tmp_path, capsys):
    out = tmp_path / "a.svg"
    out.mkdir()
    status, out_text, _ = output_of(capsys, "figure", CTX, "--directory", made[0], "--out", out)
    assert status.startswith(f"osteometa figure: {out}: Is a directory. ") and out_text == ""
    assert list(tmp_path.iterdir()) == [out] and not list(out.iterdir())


def test_wrong_words_are_answered_in_sentences(made, tmp_path, capsys):
    folder, _ = made
    out = tmp_path / "a.pdf"
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(folder / "config.yaml", empty)
    cases = [
        ((f"{SPINE}x", "--directory", folder, "--out", out), 2, f"Did you mean '{SPINE}'?"),
        (("bmd_", "--directory", folder, "--out", out), 2, f"There are: {SPINE}"),
        ((SPINE, "--kind", "funel", "--directory", folder, "--out", out), 2, "'funnel'"),
        ((SPINE, "--directory", folder, "--out", tmp_path / "a.jpg"), 2, "must end in .pdf"),
        ((SPINE, "--directory", folder, "--out", tmp_path / "no/a.pdf"), 2, "there is no folder"),
        ((SPINE, "--directory", tmp_path, "--out", out), 2, "contains no config.yaml"),
        (
            (SPINE, "--directory", empty, "--out", out),
            1,
            "has no effects.csv yet. Run osteometa run",
        ),
    ]
    for words, status, piece in cases:
        found, out_text, err = output_of(capsys, "figure", *words)
        assert (found, out_text) == (status, ""), words
        assert piece in err and "Traceback" not in err, (words, err)
    assert not out.exists()
    (empty / "results" / SPINE).mkdir(parents=True)
    (empty / "results" / SPINE / "effects.csv").write_text("other,columns\n", "utf-8")
    status, _, err = output_of(capsys, "figure", SPINE, "--directory", empty, "--out", out)
    assert status == 1 and "to update the results" in err


def test_judgements_stand_in_a_column_of_their_own(made):
    folder, config = made
    forest = Results(folder / "results" / SPINE, FigureSettings.of(config, SPINE)).forest
    judged = [row.risk_of_bias for row in forest.rows if row.kind == "study"]
    assert set(judged) <= {"low", "some", "high"} and all(judged)
    page = draw.forest_figures(forest)[0]
    lights = [p for p in page.axes[0].patches if p.get_gid() == "light"]
    assert len(lights) == len(judged)
    assert {"Risk", "of bias"} <= {text.get_text() for text, _ in texts_of(page)}


@pytest.mark.parametrize(("style", "piece"), [("standard", "[95 % CI]"), ("bmj", "(95 % CI)")])
def test_the_style_reaches_the_summary_forest(made, style, piece):
    folder, config = made
    figures = config.figures.model_copy(update={"style": style})
    drawn = dict(drawn_of(folder, config.model_copy(update={"figures": figures})))
    texts = [
        text.get_text() for page in drawn["summary_forest"].pages for text, _ in texts_of(page)
    ]
    assert f"Effect {piece}" in texts
    assert any(re.search(r"\d \(.* to .*\)", text) for text in texts) == (style == "bmj")
    assert any(re.search(r"\d \[.*, .*\]", text) for text in texts) == (style == "standard")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ctx_serum_training_controlled", "training, against a comparator"),
        ("ctx_serum_acute_immediate_controlled",
         "single bout, against a comparator; up to 0.5 h after the bout"),
        ("ctx_serum_acute_late_within_arm",
         "single bout, within one arm; later than 36 h after the bout"),
        ("opg_acute_during_within_arm", "single bout, within one arm; during the bout"),
    ],
)  # fmt: skip
def test_titles_name_phase_comparison_and_window(name, words):
    config = load_config(ROOT / "config.yaml")
    settings = FigureSettings.of(config, name)
    assert settings.title.endswith(f"; {words}")
    assert settings.title.startswith(settings.label), "the first letter is the label's own"


def test_p_has_three_decimals():
    assert [p_number(p) for p in (0.125, 0.0625, 1.0, 0.00024)] == [
        "0.125", "0.063", "1.000", "< 0.001",
    ]  # fmt: skip


POOL = Diamond(
    group="overall", label="All studies", shape="full", estimate=0.011, low=0.008, high=0.014,
    effect="0.011 [0.008, 0.014]", weight="100",
)  # fmt: skip


def lines(figure, gid):
    return [line for line in figure.axes[0].lines if line.get_gid() == gid]


def test_the_null_line_is_whole_but_for_texts():
    heading = ForestRow(kind="heading", label="Resistance")
    rows = [heading, *HARD["two studies"], heading, *HARD["two studies"], POOL]
    (null,) = lines(drawn_forest(rows), "null")
    axis_of = [line for line in drawn_forest(rows).axes[0].lines if line.get_gid() is None]
    assert max(null.get_ydata()) == pytest.approx(max(min(a.get_ydata()) for a in axis_of[1:2]))
    long = ForestRow(kind="note", label="A note that is far wider than the column of studies. " * 3)
    crossed = drawn_forest([*rows, long, *rows], style="metafor")
    assert len(lines(crossed, "null")) == 2


def test_the_pooled_line_stands_only_beside_what_it_is_pooled_of():
    heading = ForestRow(kind="heading", group="active", label=Block.ACTIVE.apart)
    rows = [*HARD["two studies"], POOL, heading, forest_study("Other 2003", 0.01, 0.01)]
    page = drawn_forest(rows)
    (pooled,) = lines(page, "pooled")
    (diamond,) = [p for p in page.axes[0].patches if p.get_gid() == "diamond"]
    middle = diamond.get_xy()[1]
    assert list(pooled.get_xdata()) == pytest.approx([middle[0]] * 2)
    assert max(pooled.get_ydata()) == pytest.approx(diamond.get_xy()[0][1])
    assert not lines(drawn_forest(HARD["two studies"]), "pooled")
    other = [replace(row, group="unit") if row.kind == "heading" else row for row in rows]
    assert not lines(drawn_forest(other), "pooled")


def test_an_interval_shorter_than_its_square_is_seen():
    page = drawn_forest(
        [forest_study("Sharp", 0.01, 0.0005, 90), forest_study("Wide", 0.02, 0.03, 10)]
    )
    (over,) = lines(page, "over")
    squares = [p for p in page.axes[0].patches if str(p.get_gid()).startswith("square")]
    widest = max(squares, key=lambda square: square.get_width())
    assert over.get_zorder() > widest.get_zorder()
    assert over.get_color() == "white"
    assert max(over.get_xdata()) - min(over.get_xdata()) < widest.get_width()


def test_the_drawing_takes_what_the_columns_leave():
    rows = [forest_study("Able 2001", 0.01, 0.01, 50), forest_study("Baker 2002", 0.02, 0.01, 50)]
    columns = place_columns(rows, PRESETS["standard"], 183.0)
    used = columns.label_width + sum(
        max(text_width(getattr(row, name), weight="bold") for row in rows) for name in columns.right
    )
    assert columns.plot_right - columns.plot_left > 183 - used - 45
    assert columns.plot_right - columns.plot_left > 60


def test_a_plot_of_one_arm_has_no_columns_of_a_control():
    arm = replace(HARD["one study"][0], control_n="", control_mean="")
    told_only = ForestRow(
        kind="direction", label="Other, N 11", shape="up", effect="up", participants=11
    )
    page = drawn_forest([arm, told_only])
    texts = {text.get_text(): box for text, box in texts_of(page)}
    assert "Control" not in texts
    assert "Other, N 11" in texts
    empty = replace(HARD["one study"][0], exercise_mean="", control_mean="", weight="")
    texts = {text.get_text() for text, _ in texts_of(drawn_forest([empty]))}
    assert {"Exercise", "Control"} <= texts and not {"Mean (SD)", "Weight"} & texts


def test_no_number_of_a_style_is_lost_between_formats(made):
    folder, config = made
    for style in PRESETS:
        settings = FigureSettings.of(config, SPINE, style=style)
        page = figure_named(Results(folder / "results" / SPINE, settings), "forest").pages[0]
        texts = " ".join(text.get_text() for text, _ in texts_of(page))
        assert re.search(
            r"\d \(.* to .*\)" if style in ("jama", "bmj") else r"\d \[.*, .*\]", texts
        )
