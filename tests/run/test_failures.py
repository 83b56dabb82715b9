import errno
import os
import tempfile
from pathlib import Path

import pytest
from osteometa.run.failures import REMEDIES, details_file, in_a_sentence, remedy_for


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "number",
    [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM,
     errno.EISDIR],
)  # fmt: skip
def test_a_failure_of_the_file_system_is_one_line_with_its_remedy(folder, number):
    with pytest.raises(SystemExit) as stop, in_a_sentence("pool", "osteometa pool: "):
        raise OSError(number, os.strerror(number), "results/x.csv")
    sentence = str(stop.value)
    assert sentence.startswith("osteometa pool: results/x.csv: ")
    assert sentence.endswith(remedy_for(os.strerror(number))) and sentence.count("\n") == 0
    assert remedy_for(os.strerror(number)) in REMEDIES.values()
    assert not list(folder.iterdir())


def test_a_library_that_is_not_installed_is_named(folder):
    with pytest.raises(SystemExit) as stop, in_a_sentence("import", "osteometa import: "):
        raise ModuleNotFoundError("No module named 'openpyxl'", name="openpyxl")
    assert str(stop.value).startswith("osteometa import: openpyxl is not installed. Run: pip")
    assert not list(folder.iterdir())
    with pytest.raises(SystemExit) as stop, in_a_sentence("import"):
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")
    assert "exchange" not in str(stop.value)


@pytest.mark.parametrize(
    ("giver", "remedy"), [("osteometa pool: ", "Check the path."), ("", "A file was removed")]
)
def test_a_missing_file_of_a_command_and_of_a_step(folder, giver, remedy):
    with pytest.raises(SystemExit) as stop, in_a_sentence("pool", giver):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "results/x.csv")
    assert remedy in str(stop.value)


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), KeyError("x"), ZeroDivisionError("x"), OverflowError("x"), MemoryError("x"),
     RecursionError("x"), AssertionError("x"), AttributeError("x"), OSError(errno.EIO, "x"),
     UnicodeEncodeError("ascii", "ü", 0, 1, "x"), FloatingPointError("x"), StopIteration("x")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_was_unforeseen_is_one_line_and_a_file(folder, error):
    with pytest.raises(SystemExit) as stop, in_a_sentence("pool.opg"):
        raise error
    assert type(error).__name__ in str(stop.value) and str(stop.value).count("\n") == 0
    assert "osteometa_failure_pool.opg.txt" in str(stop.value)
    (file,) = folder.iterdir()
    text = file.read_text(encoding="utf-8")
    for word in ("Traceback", type(error).__name__, "osteometa 0", "Python 3"):
        assert word in text


def test_details_go_elsewhere_where_the_folder_cannot_be_written_to(folder, monkeypatch):
    other = folder / "elsewhere"
    other.mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(other))
    details_file("pool").mkdir()
    with pytest.raises(SystemExit, match="elsewhere/osteometa_failure_pool"), in_a_sentence("pool"):
        raise KeyError("x")
    assert "KeyError" in (other / details_file("pool")).read_text()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(folder / "nowhere"))
    with pytest.raises(SystemExit, match="could not be written") as stop, in_a_sentence("pool"):
        raise KeyError("x")
    assert "Traceback" in str(stop.value)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), BrokenPipeError()])
def test_an_end_that_is_wanted_is_none_of_them(error):
    with pytest.raises(type(error)), in_a_sentence("pool"):
        raise error
    assert not list(Path().iterdir())
