"""Each answer of docs/howto/questions.md, done as it says."""

import csv
import io
import re
from dataclasses import dataclass

import pytest
from builders import (
    ROOT,
    N,
    change,
    contrast,
    copied,
    direction,
    level,
    output_of,
    parallel,
    run_review,
    text,
)
from osteometa.derivation.derive import derive
from osteometa.protocol.config import load_config
from osteometa.validation.review import check_review

PAGE = (ROOT / "docs/howto/questions.md").read_text(encoding="utf-8")
ANSWERS = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", PAGE, flags=re.MULTILINE)[1:])
answered = set()


def answers(question, *words):
    """Mark a test with the question whose answer it does; the answer has the words."""
    answered.add(question)
    assert all(word in ANSWERS[question] for word in words), ANSWERS[question]
    return lambda test: test


def test_every_answer_is_done():
    assert answered == set(ANSWERS)


@dataclass
class Review:
    """A copy of the small review, whose rows and settings are changed."""

    folder: object

    def rows(self, table):
        path = self.folder / f"data/raw/{table}.csv"
        return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))

    def write(self, table, rows):
        with (self.folder / f"data/raw/{table}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def edit(self, table, where, **cells):
        rows = self.rows(table)
        for row in rows:
            if where(row):
                row |= cells
        self.write(table, rows)

    def configure(self, old, new):
        path = self.folder / "config.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def problems(self):
        found = check_review(str(self.folder)).problems
        return [f"{p.code} {p.file} {p.column}: {p.message}" for p in found]

    def effects(self):
        outcome = check_review(str(self.folder))
        assert outcome.passed, outcome.problems
        config = load_config(self.folder / "config.yaml")
        return [text(effect) for effect in derive(outcome.tables, config).effects]


@pytest.fixture
def review(small):
    return Review(small)


def first(row):
    return row["study_id"] == "test_a_2001"


def exercise(row):
    return first(row) and row["arm_id"] == "exercise"


def pooled_of_first(review):
    return [e for e in review.effects() if e.study_id == "test_a_2001" and e.pooled == "yes"]


INTERACTION = {"score": "change", "adjusted": "no", **N}


@answers("How is a p of time x group entered?", "`p_operator`", "`score` change", "directions.csv")
@pytest.mark.parametrize(
    "row",
    [
        contrast("p", p="0.03", p_operator="=", **INTERACTION),
        contrast("f", value="5.1", df1="1", df2="26", p="0.03", p_operator="=", **INTERACTION),
    ],
)
def test_p_of_time_by_group(row):
    assert "SMD" not in parallel([row])
    rises = parallel([row, direction("up")])["SMD"]
    falls = parallel([row, direction("down")])["SMD"]
    assert rises.yi == -falls.yi > 0
    # With means the sign is theirs.
    means = [change("e", mean=-4), change("c", mean=1)]
    assert parallel([row, *means])["SMD"].yi < 0


@answers("Do per-protocol rows need the control again?", "another population", "names none")
@pytest.mark.parametrize(
    ("population", "pooled"), [("", True), ("itt", False), ("per_protocol", True)]
)
def test_per_protocol(review, population, pooled):
    review.edit("measurements", first, population_analysed=population)
    review.edit("measurements", exercise, population_analysed="per_protocol")
    found = pooled_of_first(review)
    assert bool(found) == pooled
    assert all("PP" in effect.flags for effect in found)


@answers("Which arm carries a cointervention?", "`cointervention`", "listed and not pooled")
def test_cointervention(review):
    review.edit("arms", exercise, cointervention="calcium 1 g per day")
    (one, *_) = [e for e in review.effects() if e.study_id == "test_a_2001"]
    assert one.pooled == "no" and "calcium 1 g per day" in one.reason
    review.edit("arms", first, cointervention="calcium 1 g per day")
    assert pooled_of_first(review)


@answers('The paper says "control group" and no more', "not_stated", "`comparator_kinds`")
def test_control_group_of_no_stated_kind(review):
    review.edit("arms", exercise, comparator_kind="not_stated")
    assert not review.problems() and not pooled_of_first(review)
    path = review.folder / "config.yaml"
    kinds = "comparator_kinds: [usual, attention, low_dose"
    settings = path.read_text(encoding="utf-8")
    path.write_text(settings.replace(f"{kinds}]", f"{kinds}, not_stated]"), encoding="utf-8")
    assert pooled_of_first(review)


@answers("The covariate of an ANCOVA is not named", "md", "`test` ancova", "not_stated", "adj_md")
def test_ancova_of_no_named_covariate():
    cells = {"value": 0.4, "se": 0.1, "test": "ancova", "score": "change", **N}
    found = [parallel([contrast(statistic, adjusted=adjusted, **cells)])["MD"]
             for statistic, adjusted in (("md", "not_stated"), ("adj_md", "yes"))]  # fmt: skip
    assert [text(effect).derivation_method for effect in found] == ["DIF", "ADJ"]
    assert found[0].yi == found[1].yi == 0.4


@answers("Samples are taken during a bout", "during", "`window: during`")
def test_samples_during_a_bout(review):
    path = review.folder / "config.yaml"
    planned = "  - {id: during, outcome: CTX, analyte: ctx_serum, phase: acute, window: during, "
    planned += "design_class: within_arm}\n"
    settings = path.read_text(encoding="utf-8")
    path.write_text(settings.rstrip() + f"\n{planned}", encoding="utf-8")
    config = load_config(path)
    assert config.syntheses[-1].window == config.window_of(None, "during") == "during"
    assert not review.problems()


@answers("What is the comparator of a control row?", "neither `comparator` nor `modality`")
@pytest.mark.parametrize(
    ("cells", "said"),
    [({"comparator": "exercise"}, "has no comparator"), ({"modality": "resistance"}, "exchanged")],
)
def test_control_row(review, cells, said):
    review.edit("arms", lambda row: first(row) and row["arm_id"] == "control", **cells)
    assert any(said in found for found in review.problems())


@answers("How must timepoints match?", "same `timepoint`", "almost match")
def test_timepoints(review):
    review.edit("measurements", exercise, timepoint="12-months")
    assert any("12-months" in found and "12_months" in found for found in review.problems())


@answers("How are serum and plasma pooled together?", "declare one analyte")
def test_serum_and_plasma(review):
    old = "      opg_serum: {label: serum, quantity: concentration}\n"
    review.configure(old, f"{old}      opg_blood: {{label: blood, quantity: concentration}}\n")
    config = load_config(review.folder / "config.yaml")
    assert "opg_blood" in config.outcomes["OPG"].analytes


@answers("Serum or plasma is not stated", "`ctx_not_stated`", "serum,plasma,not_stated`")
def test_serum_or_plasma_not_stated(tmp_path, capsys):
    folder = str(tmp_path / "new")
    words = re.search(r"`osteometa (new) (.+?)`", ANSWERS["Serum or plasma is not stated"])
    assert words is not None
    output_of(capsys, "new", folder, "--title", "CTX", *words[2].split())
    config = load_config(tmp_path / "new/config.yaml")
    assert list(config.outcomes["CTX"].analytes) == ["ctx_serum", "ctx_plasma", "ctx_not_stated"]


@answers("The list has no modality for the exercise", "`not_stated`", "`type_reason`")
def test_modality_of_no_list(review):
    review.edit("arms", exercise, modality="swimming")
    assert any("swimming" in found for found in review.problems())
    review.edit("arms", exercise, modality="not_stated", exercise_type="aerobic",
                type_reason="swimming")  # fmt: skip
    types = {e.exercise_type for e in review.effects() if e.study_id == "test_a_2001"}
    assert types == {"aerobic"}


@answers("A unit is not known", "`not_stated`")
def test_unit_not_stated():
    cells = {"sd": 9, "n": 12, "unit": "not_stated"}
    found = parallel([level("end", mean=55, **cells), level("end", arm="c", mean=52, **cells)])
    assert found["SMD"].yi > 0 and "MD" not in found


@answers("A new exercise type", "`modalities`", "`type_reason`")
def test_exercise_type(review):
    review.edit("arms", exercise, exercise_type="aerobic")
    assert any("type_reason" in found for found in review.problems())
    review.edit("arms", exercise, type_reason="circuit at 60 % of VO2max")
    types = {e.exercise_type for e in review.effects() if e.study_id == "test_a_2001"}
    assert types == {"aerobic"}


@answers("Two reports of one trial", "One `study_id`", "`report`")
def test_two_reports(review):
    rows = review.rows("measurements")
    again = [row | {"report": "second"} for row in rows if first(row)]
    before = pooled_of_first(review)
    review.write("measurements", rows + again)
    assert len(pooled_of_first(review)) == len(before) > 0


@answers("Medians", "`median`, `q1`, `q3`, `min`, `max`")
def test_medians():
    one, other = ({"q1": q - 4, "q3": q + 4, "median": q, "n": 20} for q in (55, 52))
    found = parallel([level("end", **one), level("end", arm="c", **other)])["SMD"]
    assert found.yi > 0 and text(found).provenance


@answers("How many weeks are 9 months?", "4.345", "39.1")
def test_weeks_of_months():
    assert round(365.2425 / 12 / 7, 2) == 4.35 and f"{9 * 4.345:.1f}" == "39.1"


@answers("Only the number randomised is reported", "`n_start`", "`NRAND`")
def test_n_as_randomised(review):
    review.edit("measurements", first, n="")
    found = pooled_of_first(review)
    assert found and all("NRAND" in effect.flags for effect in found)


@answers("A percent change is reported without its sign", "leave `mean` empty", "directions.csv")
def test_percent_change_without_sign():
    unsigned = [change("e", "pct_change", n=12), change("c", "pct_change", mean=-1, sd=3, n=16)]
    assert parallel([*unsigned, direction("up")]) == {}


@answers(
    "High-impact exercise, jumping, dance", "`jumping`", "`resistance_impact`", "`type_reason`"
)
def test_high_impact(review):
    for modality, kind in (("jumping", "high_intensity"), ("resistance_impact", "resistance")):
        review.edit("arms", exercise, modality=modality)
        assert {e.exercise_type for e in pooled_of_first(review)} == {kind}
    review.edit("arms", exercise, modality="aerobic_dance")
    assert any("type_reason" in found for found in review.problems())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of the small review, which has `sex` as a further subgroup."""
    folder = copied("small", tmp_path_factory.mktemp("questions") / "review")
    run_review(folder)
    return folder


def table(folder, name, synthesis="bmd_lumbar_spine_training_controlled"):
    with (folder / "results" / synthesis / f"{name}.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@answers("Another subgroup", "`subgroups.by`")
@pytest.mark.slow
def test_another_subgroup(finished):
    assert "sex" in {row["by"] for row in table(finished, "subgroups")}


@answers("Figures for a journal", "--style nature --width 183 --out FILE")
@pytest.mark.slow
def test_journal_figure(finished, capsys):
    out = finished / "fig1.pdf"
    words = ["figure", "bmd_lumbar_spine_training_controlled", "--style", "nature", "--width",
             "183", "--out", out, "--directory", finished]  # fmt: skip
    status, *_ = output_of(capsys, *words)
    assert status == 0 and out.read_bytes().startswith(b"%PDF")


@answers("A referee wants DL", "`sensitivity.csv`", "`pooling.method: DL`")
@pytest.mark.slow
def test_another_estimator(finished, tmp_path):
    assert any("DL" in row["row"] for row in table(finished, "sensitivity"))
    review = Review(copied("small", tmp_path / "review"))
    review.configure("  method: REML ", "  method: DL ")
    assert load_config(review.folder / "config.yaml").pooling.method == "DL"


@answers(
    "One study is unlike the others",
    "`leave_one_out.csv`",
    "`influence.csv`",
    "explain STUDY --all",
)
@pytest.mark.slow
def test_one_study_unlike_the_others(finished, capsys):
    left_out = table(finished, "leave_one_out")
    assert len(left_out) == len(table(finished, "influence")) > 1
    status, out, _ = output_of(capsys, "explain", "test_a_2001", "--all", "--directory", finished)
    assert status == 0 and "without" in out


@answers("Reproduce it elsewhere", "`osteometa archive`")
@pytest.mark.slow
def test_elsewhere(finished, capsys):
    out = finished.parent / "review.zip"
    status, *_ = output_of(capsys, "archive", finished, "--out", out)
    assert status == 0 and out.is_file()
