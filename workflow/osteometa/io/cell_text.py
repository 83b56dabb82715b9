"""The grammar of a cell, one for raw tables, `osteometa pool` and the public functions."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Literal

Mark = Literal[".", ","]
"""What separates the decimals of a number."""
MISSING = frozenset({
    "na", "n/a", "n.a.", "n.a", "nr", "n.r.", "nd", "n.d.", "nan", "null", "none reported",
    "not reported", "?", ".", "-", "--", "\N{EN DASH}", "\N{EM DASH}",
    "#n/a", "#value!", "#ref!", "#div/0!", "#name?", "#num!", "#null!",
})  # fmt: skip
"""Words for a missing value, in small letters."""

MINUS = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2013\ufe63\uff0d", "-"))
"""Typographic minus signs, and the hyphens and dashes that are typed and copied for them."""
_NUMBER = {
    mark: re.compile(
        rf"[+-]?(?:(?:[0-9]+|[1-9][0-9]{{0,2}}(?P<group>[ '\u2019{other}])[0-9]{{3}}"
        rf"(?:(?P=group)[0-9]{{3}})*)(?:[{mark}][0-9]*)?|[{mark}][0-9]+)(?:e[+-]?[0-9]{{1,6}})?",
        re.IGNORECASE,
    )
    for mark, other in ((".", ","), (",", "."))
}
_AMBIGUOUS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}(?:e[+-]?[0-9]+)?", re.IGNORECASE)
_MONTH = (
    "jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ckt]t|nov|de[cz]|"  # English, German
    "janv|f[eé]vr|mars|avr|juin|juil|ao[uû]t|d[eé]c|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|"
    "fev|out|january|february|march|april|june|july|august|september|october|november|december"
)
_DATE = re.compile(
    rf"[0-9]{{1,2}}[-./ ]{{1,2}}(?:{_MONTH})\.?(?:[-./ ]{{1,2}}[0-9]{{2,4}})?"
    rf"|(?:{_MONTH})\.?[-./ ]{{1,2}}[0-9]{{2}}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9:.]+)?"
    r"|[0-9]{1,2}(?P<between>[-./])[0-9]{1,2}(?P=between)[0-9]{4}",
    re.IGNORECASE,
)
_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""With the wide forms that spreadsheets of East Asia take for the same signs."""
_ALLOWED = "\t\n\r\x85\u200c\u200d"
"""Control characters and the like that a text may have: spaces, line ends, joiners of letters."""


class NumberError(ValueError):
    """A text that is no number; the message says what is wrong with it and what to type.

    A second argument is the place: the column, or the text itself.
    """

    def __str__(self) -> str:
        return str(self.args[0])


def is_missing(text: str) -> bool:
    """Return whether a cell is empty or holds a word for a missing value."""
    return not text or text.strip().lower() in MISSING


def plain_number(text: str, mark: Mark = ".") -> str:
    """Return a number with a decimal point, a plain minus sign and no separators of thousands.

    Thousands may be separated by spaces, apostrophes or the other mark. `1,234` could be 1234 or
    1.234 and is read only where the file has decimal commas; `1.234` only where it has points.
    NumberError if the text is not a number, or could be two.
    """
    plain = " ".join(text.split()).translate(MINUS)
    other: Mark = "," if mark == "." else "."
    if other in plain and _AMBIGUOUS.fullmatch(plain):
        whole, thousands = plain.replace(other, "."), plain.replace(other, "")
        raise NumberError(
            f"'{text}' could be {whole} or {thousands}. Enter it without separators of thousands "
            f"and with a decimal {_NAMES[mark]}"
        )
    found = _NUMBER[mark].fullmatch(plain)
    if found is None:
        if is_date(text):
            raise NumberError(date_words(text))
        if _NUMBER[other].fullmatch(plain):
            raise NumberError(
                f"'{text}' has a decimal {_NAMES[other]}, but other numbers have decimal "
                f"{_NAMES[mark]}s. Write all numbers of the file in one way"
            )
        raise NumberError(f"'{text}' is not a number. Enter digits with a decimal point")
    if re.match("[+-]?0[0-9]", plain):
        raise NumberError(
            f"'{text}' has a zero too many in front: a decimal point or a digit may be missing"
        )
    if group := found["group"]:
        plain = plain.replace(group, "")
    return plain.replace(mark, ".")


_NAMES = {".": "point", ",": "comma"}


def decimal_mark(texts: Iterable[str]) -> Mark:
    """Return the decimal mark of most numbers of a file; a point where none has one.

    NumberError if they separate thousands in two ways; its second argument is the second such text.
    """
    plain = [(text, " ".join(text.split()).translate(MINUS)) for text in texts]
    count = Counter(_mark_of(number) for _, number in plain)
    mark: Mark = "," if count[","] > count["."] else "."
    first: dict[str, str] = {}
    for text, number in plain:
        found = None if _AMBIGUOUS.fullmatch(number) else _NUMBER[mark].fullmatch(number)
        if found and found["group"]:
            first.setdefault(found["group"].replace("\u2019", "'"), text)
    if len(first) > 1:
        one, other, *_ = first.values()
        raise NumberError(
            f"'{one}' and '{other}' separate thousands in two ways. Write all numbers of the file "
            "in one way",
            other,
        )
    return mark


def _mark_of(text: str) -> str:
    """Return the decimal mark that a number shows; '' where it shows none."""
    if _AMBIGUOUS.fullmatch(text):
        return ""
    marks = [mark for mark, number in _NUMBER.items() if number.fullmatch(text)]
    return marks[0] if len(marks) == 1 and ("." in text or "," in text) else ""


def is_date(text: str) -> bool:
    """Return whether a cell is a date, into which spreadsheets turn such texts as 1-2."""
    return _DATE.fullmatch(text.strip()) is not None


def date_words(text: str) -> str:
    """Return what is wrong with a date in a cell of another kind."""
    return (
        f"'{text}' is a date, which a spreadsheet may have made of another text, such as 1-2. "
        "Format the column as text and enter what the paper reports"
    )


def unseen(text: str) -> str:
    """Return the first character that cannot be seen, by its code point; '' if there is none.

    Control, bidirectional and format characters and those that are none. Line ends and tabs, and
    the joiners of Persian and Indic scripts, are allowed.
    """
    character = next(filter(_is_unseen, text), "")
    if not character:
        return ""
    other = "control character" if unicodedata.category(character) == "Cc" else "no character"
    return f"U+{ord(character):04X} ({unicodedata.name(character, other).lower()})"


def _is_unseen(character: str) -> bool:
    code = ord(character)
    if 0x20 <= code < 0x7F or character in _ALLOWED:
        return False
    kind = unicodedata.category(character)
    no_character = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return no_character or kind in ("Cc", "Cf", "Cs")


def visible(text: str) -> str:
    """Return a text with the code point in place of each character that cannot be seen."""
    return "".join(f"<U+{ord(c):04X}>" if _is_unseen(c) else c for c in text)


def guarded(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula: after an apostrophe where it would.

    Such a text starts with =, +, -, @, a tab or a line end (OWASP, CSV injection). Numbers stay as
    they are, and so do single signs such as the operator of a p.
    """
    if len(text) > 1 and text.lstrip("'")[:1] in _FORMULA and not _NUMBER["."].fullmatch(text):
        return f"'{text}"
    return text


def unguarded(text: str) -> str:
    """Return the text behind the apostrophe that `guarded` or a spreadsheet puts before it."""
    if text[:1] == "'" and text.lstrip("'")[:1] in _FORMULA:
        return text[1:]
    return text
