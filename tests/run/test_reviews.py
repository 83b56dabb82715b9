"""Which reviews of a folder wait for a run, and how they are shared among jobs."""

import os
from pathlib import Path

import pytest
from osteometa.run import reviews
from osteometa.run.reviews import (
    BATCHES,
    STAMP,
    is_current,
    make_batches,
    reviews_in,
    run_reviews,
    stamp_of,
)

pytestmark = pytest.mark.slow


def made(folder, *names):
    for name in names:
        raw = folder / name / "data/raw"
        raw.mkdir(parents=True)
        (folder / name / ".snakemake").mkdir()
        (folder / name / "results").mkdir()
        (folder / name / "config.yaml").write_text("title: T\n")
        (raw / "studies.csv").write_text("study_id\n")
        (folder / name / "results/report.html").write_text("r")


def finished(folder, *names):
    for name in names:
        (folder / name / STAMP).write_text(stamp_of(folder / name))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made(tmp_path, "b", "a", "c d")
    (tmp_path / "no_review").mkdir()
    return tmp_path


def test_a_review_is_a_folder_with_a_config(folder):
    assert reviews_in(folder) == ["a", "b", "c d"]


@pytest.mark.parametrize(
    "path", ["config.yaml", "data/raw/studies.csv", "data/raw/arms.csv", "results/report.html"]
)
def test_a_review_is_current_until_a_file_of_it_changes(folder, path):
    finished(folder, "a", "b")
    assert is_current("a")
    (folder / "a" / path).write_text("other")
    assert not is_current("a")
    assert is_current("b")
    assert not is_current("c d")


def test_a_review_is_not_current_without_one_of_its_results(folder):
    finished(folder, "a")
    (folder / "a/results/report.html").unlink()
    assert not is_current("a")


def test_a_review_is_not_current_after_a_change_of_code(folder, monkeypatch):
    finished(folder, "a")
    monkeypatch.setattr(reviews, "PACKAGE", folder / "no_review")
    assert not is_current("a")


@pytest.mark.parametrize(
    ("number", "batches"), [(1, [["b", "c d"]]), (2, [["b"], ["c d"]]), (9, [["b"], ["c d"]])]
)
def test_only_what_is_not_current_is_in_a_batch(folder, number, batches):
    finished(folder, "a")
    make_batches(5)  # of an earlier run
    make_batches(number)
    found = sorted(Path(BATCHES).iterdir())
    assert [path.read_text().splitlines() for path in found] == batches


def test_a_review_whose_process_is_killed_holds_no_other_back(folder, monkeypatch):
    def started(name, cores):
        process = os.fork()
        if not process:
            if name == "b":
                os.kill(os.getpid(), 9)
            os._exit(0)
        return process

    monkeypatch.setattr(reviews, "_started", started)
    monkeypatch.setattr(reviews, "address_of_process", lambda: "")
    assert run_reviews(reviews_in(), 2) == ["b"]
    assert [is_current(name) for name in reviews_in()] == [True, False, True]


def test_a_review_that_is_edited_while_it_runs_is_not_current(folder, monkeypatch):
    def started(name, cores):
        process = os.fork()
        if not process:
            Path(name, "results/report.html").write_text("new")
            Path("a/data/raw/studies.csv").write_text("edited")
            os._exit(0)
        return process

    monkeypatch.setattr(reviews, "_started", started)
    monkeypatch.setattr(reviews, "address_of_process", lambda: "")
    assert run_reviews(["a", "b"], 1) == []
    assert [is_current(name) for name in ("a", "b")] == [False, True]
