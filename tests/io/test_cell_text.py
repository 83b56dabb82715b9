"""One grammar of cells: numbers, missing values, dates, characters that cannot be seen."""

import pytest
from osteometa.io.cell_text import (
    NumberError,
    decimal_mark,
    guarded,
    is_date,
    is_missing,
    plain_number,
    unguarded,
    unseen,
    visible,
)


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1", "1", "1"), (" 1.50 ", "1.50", None), ("0,934", None, "0.934"), (".5", ".5", None),
        ("1e-3", "1e-3", "1e-3"), ("+2,5E3", None, "+2.5E3"), ("5.", "5.", None),
        ("\N{MINUS SIGN}0.3", "-0.3", None), ("\N{MINUS SIGN}0,3", None, "-0.3"),
        ("\N{EN DASH}7", "-7", "-7"), ("1e\N{MINUS SIGN}3", "1e-3", "1e-3"),
        ("1,234,567", "1234567", None), ("1.234.567", None, "1234567"),
        ("1,234.5", "1234.5", None), ("1.234,5", None, "1234.5"), ("12 345", "12345", "12345"),
        ("1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567,8", None, "1234567.8"),
        ("1'234.5", "1234.5", None), ("1.234", "1.234", None), ("1,234", None, "1.234"),
        *((text, None, None) for text in (
            "1_0", "inf", "nan", "", "-", "e5", "1.5e", "--2", "- 2", "1,23,456", "12345,678.9",
            "0 100", "007", "-05", "00.5", "1 2345", "1 234,567 890", "0x10",
            "\N{ARABIC-INDIC DIGIT ONE}",
            "\N{SUPERSCRIPT TWO}", "1.2.3", "1,2,3", "12 %",
        )),
    ],
)  # fmt: skip
def test_numbers_have_one_grammar(text, point, comma):
    for mark, number in ((".", point), (",", comma)):
        if number is None:
            with pytest.raises(NumberError):
                plain_number(text, mark)
        else:
            assert plain_number(text, mark) == number


@pytest.mark.parametrize(
    ("text", "mark", "words"),
    [
        ("1,234", ".", "'1,234' could be 1.234 or 1234"),
        ("-1.234", ",", "'-1.234' could be -1.234 or -1234"),
        ("1,5", ".", "has a decimal comma, but other numbers have decimal points"),
        ("1.5", ",", "has a decimal point, but other numbers have decimal commas"),
        ("2-Jan", ".", "'2-Jan' is a date"),
        ("abc", ".", "'abc' is not a number"),
    ],
)
def test_a_text_that_is_no_number_is_stated_why(text, mark, words):
    with pytest.raises(NumberError, match=words):
        plain_number(text, mark)


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1", "20"], "."), (["1.234", "1.105"], "."), (["1,234"], "."), (["0,5", "1,234"], ","),
        (["0,5", "1.5"], "."), (["1.234,5"], ","), (["1,234.5", "1,5", "2.5"], "."),
        (["\N{MINUS SIGN}0,5"], ","), (["1,2,3", "2-Jan", "a,5", ""], "."),
    ],
)  # fmt: skip
def test_the_decimal_mark_is_that_of_most_numbers_that_show_one(texts, mark):
    assert decimal_mark(texts) == mark


@pytest.mark.parametrize("text", ["", "NA", "n/a", " NaN ", "NR", "--", "\N{EN DASH}", "#N/A", "."])
def test_words_for_a_missing_value(text):
    assert is_missing(text)


@pytest.mark.parametrize("text", ["none", "unknown", "0", "Na 2010", "not_stated", "mixed", "<"])
def test_words_that_say_something_are_not_missing(text):
    assert not is_missing(text)


@pytest.mark.parametrize(
    "text",
    ["2-Jan", "02-Jan", "Jan-02", "2024-02-01", "2024-02-01 00:00:00", "1/2/2024", "01.02.2024",
     "01. Feb", "2. M\N{LATIN SMALL LETTER A WITH DIAERESIS}r", "01-ene", "2-f\xe9vr",
     "2-Feb-2024"],
)  # fmt: skip
def test_dates_of_spreadsheets_are_known(text):
    assert is_date(text)


@pytest.mark.parametrize(
    "text",
    ["1-2", "12_months", "Mar 2010", "March 2001", "8-10-12", "2024", "week 2",
     "2024-02-01 by mail", "1.2.3", "Table 2", "10.1001/jama.2024.1"],
)  # fmt: skip
def test_other_texts_are_no_dates(text):
    assert not is_date(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a\x00b", "U+0000"), ("\x1b[2J", "U+001B"), ("a\x0bb", "U+000B"), ("a\x0cb", "U+000C"),
        ("a\x7f", "U+007F"), ("\u202eabc", "right-to-left override"),
        ("a\u2066", "U+2066"), ("a\u200f", "U+200F"), ("\ufeffa", "U+FEFF"), ("a\u200bb", "U+200B"),
        ("so\u00adft", "soft hyphen"), ("a\ufffe", "U+FFFE"), ("\U0001ffff", "U+1FFFF"),
    ],
)  # fmt: skip
def test_characters_that_cannot_be_seen_are_named(text, named):
    assert named in unseen(text)
    assert not unseen(visible(text)) and "<U+" in visible(text)


@pytest.mark.parametrize(
    "text",
    ["", "a b\tc\r\nd\x85e\u2028f", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
     "\xb1 \u2212 \xb5", "\u05d0\u05d1", "\U0001f3cb\U0001f3fd\u200d\u2640\ufe0f"],
)  # fmt: skip
def test_honest_text_of_any_script_is_seen(text):
    assert unseen(text) == "" and visible(text) == text


FORMULAS = ["=1+1", '=HYPERLINK("http://a","b")', "+-not labelled", "-2+3 by hand", "@SUM(1)",
            "\t=1", "\r=1", "\n=1", "\N{FULLWIDTH EQUALS SIGN}1", "'=1", "''=1",
            "-0.5 to 0.3"]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_leaves_as_a_formula_and_each_comes_back(text):
    assert guarded(text)[0] == "'" and unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "-0.5", "-1e-05", "+3", "=", "<", "-", "a=1", "'tis", "3-5"])
def test_numbers_signs_and_other_texts_are_not_touched(text):
    assert guarded(text) == unguarded(text) == text


def test_thousands_are_separated_in_one_way():
    with pytest.raises(NumberError, match="separate thousands in two ways"):
        decimal_mark(["1", "1 500.5", "3'100.5"])
    apostrophes = ["1'500.5", "3\N{RIGHT SINGLE QUOTATION MARK}100.5"]
    assert decimal_mark(apostrophes) == "."
    assert decimal_mark(["1\N{NO-BREAK SPACE}500,5", "2 000"]) == ","
