"""Comparisons of a review with a revision, a folder and a remembered run."""

import json
import shutil
import subprocess

import pytest
from builders import copied, output_of
from osteometa.inspection.states import state_of
from osteometa.run.remembered import remember

pytestmark = pytest.mark.slow

TABLE = "data/raw/measurements.csv"


def edit(review, old, new):
    path = review / TABLE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def edited(review):
    """Change the mean of one row; return the row."""
    lines = (review / TABLE).read_text(encoding="utf-8").splitlines()
    head = lines[0].split(",")
    number, line = next(
        (number, line.split(",")) for number, line in enumerate(lines[1:], start=2)
        if line.split(",")[head.index("kind")] == "pct_change"
    )  # fmt: skip
    line[head.index("mean")] = "7.7"
    lines[number - 1] = ",".join(line)
    (review / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return number


def git(folder, *words):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


def test_a_cell_is_followed_to_pools_and_sentences(small, tmp_path, capsys):
    other = copied("small", tmp_path / "other")
    assert output_of(capsys, "diff", other, "--directory", small)[1].startswith("Nothing differs")
    row = edited(small)
    status, out, _ = output_of(capsys, "diff", other, "--directory", small, "--json")
    data = json.loads(out)
    assert status == 0 and data["counts"]["cells"] == 1 and data["counts"]["settings"] == 0
    assert data["counts"]["effects"] and data["counts"]["pools"] and data["counts"]["sentences"]
    cell, effect = data["changes"][0], data["changes"][1]
    assert cell["place"] == f"measurements.csv row {row}"
    assert cell["fields"][0][2] == "7.7"
    assert effect["because"] == [cell["name"]]
    text = output_of(capsys, "diff", other, "--directory", small)[1]
    assert f"measurements.csv row {row}" in text and "\n    was: " in text


def test_a_revision_is_compared(small, capsys):
    git(small, "init", "-q")
    git(small, "add", "config.yaml", "data/raw")
    git(small, "commit", "-qm", "First")
    assert "Nothing differs" in output_of(capsys, "diff", "HEAD", "--directory", small)[1]
    edited(small)
    assert "Rows of raw tables: 1" in output_of(capsys, "diff", "HEAD", "--directory", small)[1]
    status, _, err = output_of(capsys, "diff", "HEAD~5", "--directory", small)
    assert status == 2 and "nor a revision with one: fatal: " in err


def test_a_setting_is_followed_to_the_pools(small, tmp_path, capsys):
    other = copied("small", tmp_path / "other")
    config = small / "config.yaml"
    config.write_text(config.read_text().replace("method: REML", "method: DL"))
    out = output_of(capsys, "diff", other, "--directory", small)[1]
    assert "pooling.method: value REML -> DL" in out and "Rows of raw tables: none" in out


def test_the_last_run_is_the_default_and_its_results_are_a_folder(small, capsys):
    status, _, err = output_of(capsys, "diff", "--directory", small)
    assert status == 2 and "no finished run" in err
    remember(small, {}, state_of(small))
    assert "the last finished run" in output_of(capsys, "diff", "--directory", small)[1]
    edited(small)
    for words in ((), (small / "results",)):
        out = output_of(capsys, "diff", *words, "--directory", small)[1]
        assert "Rows of raw tables: 1" in out


@pytest.mark.parametrize("other", ["nothing_here", "HEAD"])
def test_what_cannot_be_compared_is_said(small, capsys, other):
    status, _, err = output_of(capsys, "diff", other, "--directory", small)
    assert status == 2 and other in err and "Traceback" not in err


def test_problems_of_the_other_tables_name_their_folder(small, tmp_path, capsys):
    other = copied("small", tmp_path / "other")
    edit(other, "\n", "\nx,\n")
    status, _, err = output_of(capsys, "diff", other, "--directory", small)
    assert status == 2 and f"The tables of the review in {other} have problems.\n" in err


def test_problems_of_the_tables_are_printed(small, capsys):
    edit(small, "\n", "\nx,\n")
    assert output_of(capsys, "diff", "--directory", small)[0] == 1


def test_an_effect_of_no_planned_analysis_is_not_said_to_be_pooled(small, tmp_path, capsys):
    config = small / "config.yaml"
    lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
    config.write_text("".join(line for line in lines if "{id: ctx_serum" not in line))
    other = copied("small", tmp_path / "other")
    shutil.copy(config, other / "config.yaml")
    table = other / TABLE
    table.write_text(table.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    out = output_of(capsys, "diff", other, "--directory", small)[1]
    effects = [line for line in out.splitlines() if ": added: yi" in line]
    outside = [line for line in effects if ".ctx." in line]
    assert outside and len(outside) < len(effects)
    for line in effects:
        assert ("belongs to no planned analysis, else block pooled" in line) == (line in outside)
        assert ("; pooled " in line) != (line in outside)
