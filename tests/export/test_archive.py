"""The archive of a finished run: a valid RO-Crate that reruns to the same bytes elsewhere."""

import io
import json
import shutil
from importlib.resources import files
from pathlib import Path
from zipfile import ZipFile

import pytest
import requests
import requests_cache
import urllib3
from builders import output_of, run_review
from osteometa.export.archive import archive_of
from osteometa.export.finished import manifest_of
from rocrate_validator import services

pytestmark = pytest.mark.slow
CONTEXT = "https://w3id.org/ro/crate/1.2/context"


@pytest.fixture(scope="module")
def unpacked(finished, tmp_path_factory):
    """What the archive holds, as files."""
    folder = tmp_path_factory.mktemp("elsewhere") / "another folder"
    with ZipFile(io.BytesIO(archive_of(finished, "2026-11-30"))) as archive:
        archive.extractall(folder)
    return folder


def graph_of(folder):
    metadata = json.loads((folder / "ro-crate-metadata.json").read_text("utf-8"))
    return {entity["@id"]: entity for entity in metadata["@graph"]}


def offline(cache):
    """Put the context into a cache of the validator: that of 1.3, which comes with rocrate."""
    answer = requests.Response()
    answer.status_code, answer.url = 200, CONTEXT
    answer._content = (files("rocrate") / "data/ro-crate.jsonld").read_bytes()
    answer.headers["Content-Type"] = "application/ld+json"
    answer.request = requests.Request("GET", CONTEXT).prepare()
    answer.raw = urllib3.HTTPResponse(answer.content, status=200, request_url=CONTEXT)
    requests_cache.CachedSession(str(cache)).cache.save_response(answer)


def test_it_is_a_valid_ro_crate(unpacked, tmp_path):
    offline(tmp_path / "cache")
    settings = services.ValidationSettings(
        rocrate_uri=str(unpacked), profile_identifier="ro-crate-1.2", offline=True,
        cache_path=tmp_path / "cache",
    )  # fmt: skip
    found = services.validate(settings)
    assert [f"{issue.message} {issue.violatingEntity}" for issue in found.get_issues()] == []
    descriptor = graph_of(unpacked)["ro-crate-metadata.json"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}


def test_an_invalid_crate_is_found(unpacked, tmp_path):
    folder = shutil.copytree(unpacked, tmp_path / "crate")
    path = folder / "ro-crate-metadata.json"
    path.write_text(path.read_text("utf-8").replace('"datePublished"', '"datum"'), "utf-8")
    offline(tmp_path / "cache")
    settings = services.ValidationSettings(
        rocrate_uri=str(folder), profile_identifier="ro-crate-1.2", offline=True,
        cache_path=tmp_path / "cache", abort_on_first=True,
    )  # fmt: skip
    assert not services.validate(settings).passed()


def test_it_says_what_was_made_from_what(finished, unpacked):
    graph = graph_of(unpacked)
    actions = [entity for entity in graph.values() if entity["@type"] == "CreateAction"]
    made_by = {
        one["@id"]: action
        for action in actions
        for one in (action["result"] if isinstance(action["result"], list) else [action["result"]])
    }
    for row in manifest_of(finished):
        assert graph[row.file]["sha256"] == row.sha256
        assert (row.file in made_by) == bool(row.made_from)
        if row.made_from:
            objects = {one["@id"] for one in made_by[row.file]["object"]}
            assert "config.yaml" in objects
            assert {name for name in row.made_from.split() if name in graph} <= objects
            assert made_by[row.file]["instrument"] == {"@id": "#osteometa"}
    # Beside a folder osteometa, Python could take it for the package.
    assert "software/requirements.txt" in graph and not (unpacked / "osteometa").exists()


def test_the_same_run_gives_the_same_bytes_without_paths(finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "copy")
    assert archive_of(copy, "2026-11-30") == archive_of(finished, "2026-11-30")
    with ZipFile(io.BytesIO(archive_of(finished))) as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        words = (str(finished), f"{Path.home()}/")
        for name in archive.namelist():
            data = archive.read(name)
            assert not [word for word in words if word.encode() in data], name


def test_it_reruns_in_another_folder_to_the_same_bytes(finished, unpacked, tmp_path):
    folder = shutil.copytree(unpacked, tmp_path / "again")
    shutil.rmtree(folder / "results")
    shutil.rmtree(folder / "data/processed")
    run_review(folder)
    listed = [row.file for row in manifest_of(finished)]
    assert [name for name in [*listed, "results/manifest.csv"]
            if (folder / name).read_bytes() != (finished / name).read_bytes()] == []  # fmt: skip


def test_the_command_says_where_no_licence_is(finished, tmp_path, capsys):
    status, out, _ = output_of(capsys, "archive", finished, "--out", tmp_path / "a.zip")
    assert status == 0 and out.startswith(f"{tmp_path / 'a.zip'}\n") and "no file LICENSE" in out
    (finished / "README.md").write_text("Our review.\n", "utf-8")
    with ZipFile(io.BytesIO(archive_of(finished))) as archive:
        assert archive.read("README.md") == b"Our review.\n"
    (finished / "README.md").unlink()
    status, _, error = output_of(capsys, "archive", finished, "--date", "30.11.2026")
    assert status == 2 and "is no date" in error
