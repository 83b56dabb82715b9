"""One way to read the cells of CSV files."""

import pytest
from osteometa.io.sheet import SheetError, read_sheet


def sheet_of(folder, data):
    path = folder / "a.csv"
    path.write_bytes(data)
    return read_sheet(path)


@pytest.mark.parametrize(
    "data",
    [b"a,b\n1, 2 \n", b"\xef\xbb\xbfa,b\r\n1,2\r\n", b"a;b\n1;2\n", b"a\tb\n1\t2\n", b"a,b\r1,2\r",
     b"sep=;\na;b\n1;2\n", b"\xef\xbb\xbfsep=\t\r\na\tb\r\n1\t2\r\n", b'"sep=,"\na,b\n1,2\n'],
)  # fmt: skip
def test_separators_marks_and_line_ends_do_not_matter(tmp_path, data):
    sheet = sheet_of(tmp_path, data)
    assert (sheet.header, sheet.rows) == (("a", "b"), ((2, ("1", "2")),))


def test_rows_keep_their_number_and_columns_without_name_and_content_are_left_out(tmp_path):
    sheet = sheet_of(tmp_path, b"a,b,,\n,,,\n1,2,,\n")
    assert sheet.rows == ((3, ("1", "2")),)


def test_a_row_of_another_length_is_a_misfit(tmp_path):
    sheet = sheet_of(tmp_path, b"a,b\n1,2,3\n")
    assert "3 cells, the header 2" in sheet.misfit(sheet.rows[0][1])


@pytest.mark.parametrize(
    ("data", "words", "row"),
    [(b"a\n\xff", "UTF-8", 2), (b'a\n"b', "CSV", None)],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_remedy(tmp_path, data, words, row):
    with pytest.raises(SheetError, match=words) as found:
        sheet_of(tmp_path, data)
    assert found.value.row == row


def test_another_separator_is_named_in_one_sentence(tmp_path):
    with pytest.raises(SheetError, match=r"between '\|'\. Save the file with commas"):
        sheet_of(tmp_path, b"a|b\n1|2\n")
    assert sheet_of(tmp_path, b"a,b|c\n1,2\n").header == ("a", "b|c")


def test_an_empty_file_has_no_header(tmp_path):
    assert sheet_of(tmp_path, b"").header == sheet_of(tmp_path, b"\n").header == ()


def test_spaces_tabs_and_line_ends_inside_a_cell_are_one_space(tmp_path):
    sheet = sheet_of(tmp_path, 'a,b\n"12\r\n months", 1\N{NO-BREAK SPACE} 2\n'.encode())
    assert sheet.rows == ((2, ("12 months", "1 2")),)


def test_a_file_has_the_decimal_mark_of_most_of_its_numbers(tmp_path):
    sheet = sheet_of(tmp_path, b"a;b;c\n1,5;2.5;x\n0,25;3;1.5\n2.5;1.5;2.5\n")
    assert sheet.decimal_mark(("a", "absent")) == ","
    assert sheet.decimal_mark(("b",)) == sheet.decimal_mark(("a", "b", "c")) == "."
