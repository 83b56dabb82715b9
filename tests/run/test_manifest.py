import csv
import os
import re
import shutil
import time

import pytest
from osteometa.run import manifest


@pytest.fixture
def made(tmp_path):
    (tmp_path / "results/pages").mkdir(parents=True)
    (tmp_path / "results/a.csv").write_text("a\n")
    (tmp_path / "results/pages/two.svg").write_text("two\n")
    (tmp_path / "results/pages/.stamp").write_text("")
    manifest.record("draw", ["results/a.csv", "results/pages"], {"data/raw/x.csv": ""}, tmp_path)
    return tmp_path


def test_what_was_made_is_not_accused(made):
    assert manifest.set_edited_aside(made) == {}


def test_an_edited_file_is_kept_beside(made):
    (made / "results/a.csv").write_text("b\n")
    assert manifest.set_edited_aside(made) == {"results/a.csv": "results/a.csv.edited"}
    assert (made / "results/a.csv.edited").read_text() == "b\n"
    assert not (made / "results/a.csv").exists()
    assert manifest.set_edited_aside(made) == {}


def test_an_edited_page_is_kept_and_its_folder_made_again(made):
    (made / "results/pages/two.svg").write_text("mine\n")
    kept = {"results/pages/two.svg": "results/two.svg.edited"}
    assert manifest.set_edited_aside(made) == kept
    assert (made / "results/two.svg.edited").read_text() == "mine\n"
    assert not (made / "results/pages").exists()


def test_an_edited_set_between_tables_and_results_is_kept_too(made):
    file = made / "data/processed/sets/opg/effects.csv"
    file.parent.mkdir(parents=True)
    file.write_text("0.1\n")
    manifest.record("extract", ["data/processed/sets"], {}, made)
    file.write_text("0.9\n")
    kept = "data/processed/opg.effects.csv.edited"
    assert manifest.set_edited_aside(made) == {"data/processed/sets/opg/effects.csv": kept}
    assert (made / kept).read_text() == "0.9\n"
    assert not (made / "data/processed/sets").exists()


def test_results_are_still_known_when_the_derived_tables_are_deleted(made):
    (made / "data/processed").mkdir(parents=True)
    (made / "data/processed/effects.csv").write_text("0.1\n")
    manifest.record("extract", ["data/processed/effects.csv"], {}, made)
    shutil.rmtree(made / "data/processed")
    manifest.write_manifest(made / "results/manifest.csv", made)
    assert "results/a.csv" in (made / "results/manifest.csv").read_text()
    (made / "results/a.csv").write_text("b\n")
    assert list(manifest.set_edited_aside(made)) == ["results/a.csv"]


def test_a_folder_that_lost_a_page_is_made_again(made):
    (made / "results/pages/two.svg").unlink()
    assert manifest.set_edited_aside(made) == {}
    assert not (made / "results/pages").exists()


def test_a_job_at_work_accuses_nobody(made):
    manifest.forget("draw", made)
    (made / "results").mkdir(exist_ok=True)
    (made / "results/a.csv").write_text("half wri")
    assert manifest.set_edited_aside(made) == {}
    assert (made / "results/a.csv").read_text() == "half wri"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"made": {}}'])
def test_a_broken_record_is_dropped(made, text):
    record = made / manifest.RESULTS / "draw.json"
    record.write_text(text)
    (made / "results/a.csv").write_text("b\n")
    assert manifest.set_edited_aside(made) == {}
    assert not record.exists()


def test_the_manifest_lists_each_file_with_hash_and_origin(made):
    manifest.write_manifest(made / "results/manifest.csv", made)
    with (made / "results/manifest.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row["file"] for row in rows] == ["results/a.csv", "results/pages/two.svg"]
    assert rows[0]["sha256"] == manifest.sha256(made / "results/a.csv")
    assert {row["made_from"] for row in rows} == {"data/raw/x.csv"}


def test_files_of_former_jobs_do_not_count_as_edited(made):
    job = "what_if.a"
    manifest.record(job, ["results/a.csv"], {}, made)
    (made / "results/a.csv").write_text("made again by another job\n")
    manifest.record("pool.a", ["results/a.csv"], {}, made)
    for written in (made / manifest.RESULTS).glob("*.json"):
        if "a.csv" in written.read_text() and written.stem not in (job, "pool.a"):
            written.unlink()
    assert manifest.set_edited_aside(made) == {}
    assert not (made / manifest.RESULTS / f"{job}.json").exists()
    assert (made / "results/a.csv").exists()


def test_what_a_job_wrote_before_goes_but_for_edits(made):
    (made / "results/pages/two.svg").write_text("mine\n")
    manifest.forget("draw", made)
    assert not (made / "results/a.csv").exists()
    assert (made / "results/pages/two.svg").read_text() == "mine\n"


def test_outputs_without_a_record_go_and_no_other_file(made):
    for name in ("killed.csv", "notes.txt", "pages/mine.txt", "opg/killed.csv", "opg/mine.txt"):
        path = made / "results" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x\n")
    (made / "results/empty_pages").mkdir()
    outputs = re.compile("results/(a.csv|.*killed.csv|pages|empty_pages)")
    manifest.remove_unrecorded(outputs.fullmatch, made)
    results = sorted((made / "results").rglob("*"))
    left = [path.relative_to(made / "results").as_posix() for path in results if path.is_file()]
    kept = ["a.csv", "notes.txt", "opg/mine.txt", "pages/.stamp", "pages/mine.txt", "pages/two.svg"]
    assert left == [".records/draw.json", *kept]
    assert not (made / "results/empty_pages").exists()


def test_an_output_folder_without_an_edited_file_goes_too(made):
    manifest.forget("draw", made)
    assert not (made / "results/pages").exists()


def test_the_stamp_of_a_checkpoint_goes_with_any_of_its_files(made):
    for name in ("inputs.sha256", "effects.csv"):
        (made / "data/processed").mkdir(parents=True, exist_ok=True)
        (made / "data/processed" / name).write_text("x\n")
    files = ["data/processed/effects.csv", "data/processed/inputs.sha256"]
    manifest.record("extract", files, {}, made)
    assert manifest.set_edited_aside(made) == {} and (made / files[1]).exists()
    (made / files[0]).unlink()
    assert manifest.set_edited_aside(made) == {} and not (made / files[1]).exists()


def test_results_of_a_synthesis_that_left_go(made):
    for name in ("kept", "left", "gone"):
        (made / "results" / name).mkdir()
        (made / "results" / name / "pooled.csv").write_text("x\n")
        for job in ("pool", "figures"):
            manifest.record(f"{job}.{name}", [f"results/{name}/pooled.csv"], {}, made)
    mine = made / "results/left/forest.svg.edited"
    mine.write_text("mine\n")
    shutil.copytree(made / "results/kept", made / "results/copy")
    manifest.forget_syntheses(["kept"], made)
    assert mine.read_text() == "mine\n" and [*mine.parent.iterdir()] == [mine]
    assert not (made / "results/gone").exists()
    for name in ("kept", "copy"):
        assert (made / "results" / name / "pooled.csv").exists()
    of_syntheses = {path.stem for path in (made / manifest.RESULTS).glob("*.*.json")}
    assert of_syntheses == {"pool.kept", "figures.kept"}
    assert (made / "results/pages").exists()


def test_files_that_no_job_wrote_leave_an_output_folder(made):
    for name in ("notes.txt", "deep/notes.txt", "report.html"):
        path = made / "results/pages" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (made / "results/pages.notes.txt").write_text("there already")
    moved = {
        "results/pages/notes.txt": "results/pages.notes_2.txt",
        "results/pages/deep/notes.txt": "results/pages.deep.notes.txt",
        "results/pages/report.html": "results/pages.report.html",
    }
    assert manifest.move_user_files(made) == moved
    for old, new in moved.items():
        assert (made / new).read_text() == old.removeprefix("results/pages/")
    assert (made / "results/pages/two.svg").exists() and manifest.move_user_files(made) == {}


def chain_of(made):
    """Three jobs in a row, and one beside them; the first one's file is gone."""
    for name, source in (("b", "a"), ("c", "b"), ("x", "a")):
        (made / f"results/{name}.csv").write_text(f"{name}\n")
        hashed = manifest.hashes([f"results/{source}.csv"], made)
        manifest.record(f"{name}.of", [f"results/{name}.csv"], hashed, made)
    (made / "results/a.csv").unlink()


@pytest.mark.parametrize(("targets", "left"), [
    ((), {"b", "c", "x"}), (["results/c.csv"], {"x"}), (["c"], {"x"}),
    (["results/b.csv"], {"c", "x"}), (["results/new.csv"], set()),
])  # fmt: skip
def test_what_targets_are_made_from_goes_with_its_missing_inputs(made, targets, left):
    chain_of(made)
    manifest.set_edited_aside(made, targets)
    assert {path.stem for path in (made / "results").glob("*.csv")} == left


def test_folders_that_are_links_are_neither_removed_nor_followed(made):
    (made / "elsewhere").mkdir()
    (made / "results/linked").symlink_to(made / "elsewhere")
    (made / "results/loop").symlink_to(made / "results")
    (made / "results/linked/p.csv").write_text("p\n")
    manifest.record("pool.linked", ["results/linked/p.csv"], {}, made)
    manifest.remove_unrecorded(re.compile(".*/none").fullmatch, made)
    manifest.forget_syntheses([], made)
    assert [*(made / "elsewhere").iterdir()] == [] and (made / "results/linked").is_symlink()


@pytest.mark.parametrize(
    ("words", "real"),
    [
        ([], True),
        (["--cores", "1", "--directory", "somewhere"], True),
        (["-c1", "-d", "somewhere"], True),
        (["-n"], False),
        (["-pn"], False),
        (["--dry-run"], False),
        (["--report", "x.html"], False),
        (["--lint"], False),
        (["--mode", "subprocess"], False),
    ],
)
def test_only_a_real_run_sets_files_aside(words, real):
    assert manifest.is_real_run(words) is real


@pytest.fixture
def read(tmp_path):
    """A job that read a raw table and wrote one file."""
    raw = tmp_path / "data/raw/x.csv"
    raw.parent.mkdir(parents=True)
    raw.write_text("1\n")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/a.csv").write_text("a\n")
    hashes = manifest.hashes(["data/raw/x.csv"], tmp_path)
    manifest.record("pool.a", ["results/a.csv"], hashes, tmp_path)
    assert manifest.not_current(tmp_path) == []
    return tmp_path


def test_a_result_whose_input_is_another_by_now_is_made_again(read):
    raw = read / "data/raw/x.csv"
    raw.write_text("2\n")
    os.utime(raw, (0, 0))  # older than the result
    assert manifest.not_current(read) == ["data/raw/x.csv"]
    assert manifest.set_edited_aside(read) == {}
    assert not (read / "results/a.csv").exists()
    assert manifest.not_current(read) == []


def test_an_input_touched_but_the_same_keeps_its_result(read):
    os.utime(read / "data/raw/x.csv", (2e9, 2e9))
    assert manifest.set_edited_aside(read) == {}
    assert (read / "results/a.csv").exists()


def test_times_in_the_future_are_set_to_now(read):
    raw, old = read / "data/raw/x.csv", read / "results/a.csv"
    os.utime(raw, (4e9, 4e9))
    os.utime(old, (1e9, 1e9))
    manifest.reset_future_times(read)
    assert 1.7e9 < raw.stat().st_mtime <= time.time()
    assert old.stat().st_mtime == 1e9


def test_a_result_that_is_gone_is_named(read):
    (read / "results/a.csv").unlink()
    assert manifest.not_current(read) == ["results/a.csv"]


def test_inputs_that_are_gone_leave_results_as_they_are(read):
    shutil.rmtree(read / "data")
    assert manifest.not_current(read) == [] == list(manifest.set_edited_aside(read))
    assert (read / "results/a.csv").exists()


def test_hashes_of_raw_tables_are_those_that_were_checked(read):
    checked = manifest.hashes(["data/raw/x.csv"], read)
    manifest.stamp(read / "data/processed/inputs.sha256", checked, {"seed": 1})
    (read / "data/raw/x.csv").write_text("2\n")
    assert manifest.checked_tables(read) == checked
    manifest.write_manifest(read / "results/manifest.csv", read)
    assert (
        f"data/raw/x.csv,{checked['data/raw/x.csv']},\n"
        in (read / "results/manifest.csv").read_text()
    )
