"""Records as CSV: typed fields become text and come back as they were."""

import resource
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Literal

import pytest
from osteometa.io.csv_records import Joined, read_records, write_records, write_text
from osteometa.records.effects import CellName, Choice


class Code(StrEnum):
    FIRST = "a"
    SECOND = "b"


class Other(StrEnum):
    THIRD = "c"


@dataclass(frozen=True)
class Row:
    name: str
    number: float | None
    count: int
    yes: bool
    code: Code | None
    kind: Literal["x", "y"]
    codes: Annotated[tuple[Code | Other, ...], Joined("+")]
    flags: Annotated[frozenset[Code], Joined(" ")]
    cells: Annotated[tuple[CellName, ...], Joined(" ")]
    choice: Choice


FULL = Row("n", 0.5, 3, True, Code.FIRST, "x", (Other.THIRD, Code.FIRST),
           frozenset({Code.SECOND, Code.FIRST}),
           (CellName("arms", "a/b", "n"), CellName("contrasts", "a/1:2//", "p")),
           Choice("r", "0.9"))  # fmt: skip
EMPTY = Row("", None, 0, False, None, "y", (), frozenset(), (), Choice("rho", "0.3"))


def test_typed_fields_come_back_as_they_were(tmp_path):
    write_records(tmp_path / "rows.csv", Row, [FULL, EMPTY])
    header, full, empty = (tmp_path / "rows.csv").read_text().splitlines()
    assert header == "name,number,count,yes,code,kind,codes,flags,cells,choice"
    assert full == "n,0.5,3,yes,a,x,c+a,a b,arms:a/b:n contrasts:a/1:2//:p,r=0.9"
    assert empty == ",,0,no,,y,,,,rho=0.3"
    found = read_records(tmp_path / "rows.csv", Row)
    assert found == [FULL, EMPTY]
    assert [type(code) for code in found[0].codes] == [Other, Code]


@pytest.mark.parametrize(
    ("old", "new"), [("c+a", "c+z"), (",x,", ",z,"), ("yes,a,", "yes,z,"), ("a b", "a z")]
)
def test_a_code_that_is_not_known_is_an_error(tmp_path, old, new):
    path = tmp_path / "rows.csv"
    write_records(path, Row, [FULL])
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match="z"):
        read_records(path, Row)


def test_a_formula_leaves_as_text_and_comes_back(tmp_path):
    path, row = tmp_path / "rows.csv", replace(FULL, name="=1+1", number=-0.5)
    write_records(path, Row, [row])
    assert path.read_text().splitlines()[1].startswith("'=1+1,-0.5,")
    assert read_records(path, Row) == [row]


@pytest.mark.parametrize("room", [0, 1, 10, 100, 1000, 4095, 4096, 5000, 8191, 8192, 9000, 9999])
def test_a_file_that_does_not_fit_leaves_the_old_one_whole(tmp_path, room):
    path = tmp_path / "a.csv"
    path.write_text("old\n")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_text(path, "x" * 10000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old\n" and list(tmp_path.iterdir()) == [path]


def test_a_folder_of_the_name_leaves_no_part(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path / "a.csv", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
