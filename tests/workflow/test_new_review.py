"""A review of one's own: from an empty folder to the first report, run from anywhere."""

import csv
import html
import re
import subprocess
import sys
from pathlib import Path

from builders import P1NP_REVIEW, enter_a_trial

COMMAND = Path(sys.executable).parent / "osteometa"


def osteometa(*words, cwd):
    return subprocess.run(
        [COMMAND, *words], cwd=cwd, capture_output=True, text=True, check=False
    )  # fmt: skip


def words_of(report):
    text = re.sub(r"<(script|style)[\s\S]*?</\1>", "", report.read_text(encoding="utf-8"))
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_the_first_report_has_one_study(tmp_path):
    assert osteometa("new", "a review", *P1NP_REVIEW, cwd=tmp_path).returncode == 0
    review = tmp_path / "a review"

    done = osteometa("run", "a review", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "studies.csv has no study yet" in done.stderr and "Traceback" not in done.stderr
    assert "No study is entered yet; one planned analysis." in words_of(
        review / "results/report.html"
    )

    enter_a_trial(review)
    done = osteometa("run", "a review", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Pool p1np_serum_training_controlled" in done.stderr
    words = words_of(review / "results/report.html")
    # Change over the pooled SD before (Morris 2008): 4.5 / 10.7643 x J, J about 1 - 3 / 175.
    assert "SMD 0.41, 95 % CI" in words and "A single study is not pooled." in words
    assert "none of them pooled. 1 study gives an effect estimate" in words
    folder = review / "results/p1np_serum_training_controlled"
    with (folder / "pooled.csv").open(encoding="utf-8", newline="") as lines:
        assert {row["status"] for row in csv.DictReader(lines)} == {"listed"}
    assert (folder / "figures/forest.svg").is_file()

    done = osteometa("run", cwd=review)
    assert "All results are up to date." in done.stderr
    # Of the folder from which it was started nothing is used, and nothing is left in it.
    assert [path.name for path in tmp_path.iterdir()] == ["a review"]


def test_a_folder_of_the_name_of_the_package_is_not_taken_for_it(tmp_path):
    """A checkout beside the review, for instance; the other is inside it."""
    assert osteometa("new", "review", *P1NP_REVIEW, cwd=tmp_path).returncode == 0
    enter_a_trial(tmp_path / "review")
    (tmp_path / "osteometa").mkdir()
    (tmp_path / "review/osteometa").mkdir()
    target = "results/p1np_serum_training_controlled/pooled.csv"
    for folder, where in (("review", tmp_path), (".", tmp_path / "review")):
        done = osteometa("run", folder, "--", "--forceall", target, cwd=where)
        assert done.returncode == 0, done.stderr


def test_arguments_after_two_dashes_are_snakemakes(tmp_path):
    assert osteometa("new", ".", *P1NP_REVIEW, cwd=tmp_path).returncode == 0
    enter_a_trial(tmp_path)
    target = "results/p1np_serum_training_controlled/pooled.csv"
    done = osteometa(
        "run", ".", "--cores", "1", "--", target, "--config", "pooling={method: metod}",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1 and "pooling.method" in done.stderr
    done = osteometa("run", ".", "--", target, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / target).is_file() and not (tmp_path / "results/report.html").exists()


def test_a_folder_without_a_review_is_named(tmp_path):
    for words in (["run"], ["run", "nowhere"], ["run", ".", "--", "--forceall"]):
        done = osteometa(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert "contains no config.yaml" in done.stderr and "osteometa new" in done.stderr
    assert list(tmp_path.iterdir()) == []
