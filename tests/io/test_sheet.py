"""One way to read the cells of CSV files."""

import pytest
from osteometa.io.sheet import SheetError, plain_number, read_sheet


def sheet_of(folder, data):
    path = folder / "a.csv"
    path.write_bytes(data)
    return read_sheet(path)


@pytest.mark.parametrize("data", [b"a,b\n1, 2 \n", b"\xef\xbb\xbfa,b\r\n1,2\r\n", b"a;b\n1;2\n"])
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


def test_an_empty_file_has_no_header(tmp_path):
    assert sheet_of(tmp_path, b"").header == sheet_of(tmp_path, b"\n").header == ()


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", "1"), (" 1.50 ", "1.50"), ("\N{MINUS SIGN}0.3", "-0.3"), (".5", ".5"), ("1e-3", "1e-3"),
     ("1,5", None), ("1_0", None), ("inf", None), ("nan", None), ("", None),
     ("\N{ARABIC-INDIC DIGIT ONE}", None)],
)  # fmt: skip
def test_numbers_have_one_grammar(text, number):
    assert plain_number(text) == number


def test_decimal_commas_are_read_where_they_may_stand():
    assert plain_number("1,5", decimal_comma=True) == "1.5"
    assert plain_number("1,234,5", decimal_comma=True) is None
