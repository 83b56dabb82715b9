"""All reviews of a folder in one run: the bytes of each alone, and no word of the others."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from builders import copied
from osteometa.run.manifest import sha256

pytestmark = pytest.mark.slow
RUN = [sys.executable, "-m", "osteometa.cli", "run"]


def run(*words):
    done = subprocess.run(
        [*RUN, *map(str, words)], capture_output=True, text=True, check=False
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def bytes_of(review):
    return {
        path.relative_to(review): sha256(path)
        for path in review.joinpath("results").rglob("*")
        if path.is_file() and path.name != ".snakemake_timestamp"
    }


def times_of(review):
    return {path: path.stat().st_mtime_ns for path in review.joinpath("results").rglob("*")}


def pools_of(folder):
    with (folder / "pools.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_reviews_of_a_folder(tmp_path):
    folder = tmp_path / "the reviews"
    whole, other = copied("shared_control", folder / "whole"), copied("seed", folder / "of seed")
    broken = copied("seed", folder / "broken")
    arms = broken / "data/raw/arms.csv"
    right = arms.read_bytes()
    arms.write_bytes(right.replace(b",resistance,", b",resistence,", 1))

    # A broken review is named with its problems; the others are finished.
    status, out, error = run("--all", folder)
    assert status == 1
    assert "2 of 3 reviews are up to date" in out
    assert "broken: data/raw/arms.csv, E105" in error
    page = (folder / "reviews.html").read_text(encoding="utf-8")
    assert "resistence" in page
    assert 'href="of%20seed/results/report.html"' in page
    assert not (broken / "results/report.html").exists()
    rows = pools_of(folder)
    assert {row["review"] for row in rows} == {"whole"}
    with next(whole.glob("results/*/pooled.csv")).open(newline="", encoding="utf-8") as lines:
        first = next(csv.DictReader(lines))
    assert {"review": "whole", **first} in rows

    # Alone it has the same bytes.
    alone = copied("shared_control", tmp_path / "alone")
    assert run(alone)[0] == 0
    assert bytes_of(alone) == bytes_of(whole)

    # A correction touches its review only; its bytes are those of the same review beside it.
    before = times_of(whole), times_of(other)
    arms.write_bytes(right)
    assert run("--all", folder)[0] == 0
    assert (times_of(whole), times_of(other)) == before
    assert bytes_of(broken) == bytes_of(other)

    # Nothing changed: nothing is run, and the overview has the same bytes, also made from nothing.
    written = [(folder / name).read_bytes() for name in ("reviews.html", "pools.csv")]
    status, out, error = run("--all", folder)
    assert (status, "Run the reviews" in error) == (0, False)
    shutil.rmtree(folder / ".snakemake")
    assert run("--all", folder)[0] == 0
    assert [(folder / name).read_bytes() for name in ("reviews.html", "pools.csv")] == written


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_running_reviews_finish(tmp_path, number):
    folder = tmp_path / "reviews"
    copied("seed", folder / "one"), copied("seed", folder / "two")
    process = subprocess.Popen(
        [*RUN, "--all", str(folder), "--cores", "1"], stderr=subprocess.PIPE, text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    next(line for line in process.stderr if "Run the reviews" in line)
    while not any(path.exists() for path in folder.glob("*/.snakemake/osteometa.lock")):
        time.sleep(0.1)
    # A terminal sends Ctrl-C to all processes, and who stops a program SIGTERM to it alone.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    error = process.communicate()[1]
    assert process.returncode == 1 and "Traceback" not in error
    assert [path.parent.parent.name for path in folder.glob("*/results/report.html")] == ["one"]
    assert (folder / "reviews.html").is_file()


def test_a_folder_without_reviews_is_refused(tmp_path):
    status, _, error = run("--all", tmp_path)
    assert status == 2
    assert "contains no folder with a config.yaml" in error
