"""How numbers are written wherever a reader meets them: figures, report and commands."""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

MINUS = "\N{MINUS SIGN}"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def signed(value: float, decimals: int) -> str:
    """Return a number with a true minus sign, and without a sign on zero."""
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def small(value: float | None) -> str:
    """Return a variance as text of three digits, without an exponent."""
    if value is None:
        return "?"
    decimals = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def p_number(p: float | None) -> str:
    """Return p alone as text with three decimals; empty where there is none."""
    if p is None:
        return ""
    # Sign tests are exact binary fractions: 0.0625 is 0.063, not the even 0.062.
    rounded = Decimal(p).quantize(Decimal("0.001"), ROUND_HALF_UP)
    return "< 0.001" if p < 0.001 else str(rounded)


def p_text(p: float | None, leading_zero: bool = True) -> str:
    """Return p with its name."""
    if p is None:
        return "p not defined"
    number = p_number(p)
    text = f"p {number}" if number.startswith("<") else f"p = {number}"
    return text if leading_zero else text.replace(" 0.", " .")


def number_words(number: int) -> str:
    """Return a number, in words to ten."""
    return NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"


def counted(number: int, word: str, plural: str = "") -> str:
    """Return a number with its noun: 'no studies', 'one study', '12 studies'."""
    return f"{number_words(number)} {word if number == 1 else plural or word + 's'}"


def studies(number: int) -> str:
    """Return a number of studies."""
    return counted(number, "study", "studies")


def participants(number: int) -> str:
    """Return a number of participants."""
    return counted(number, "participant")


def joined(words: Sequence[str], last: str = "and") -> str:
    """Return words with commas and an 'and' before the last."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def capital(text: str) -> str:
    """Return text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Return text that begins with a capital letter and ends with a full stop."""
    return f"{capital(text)}."


def unbroken(text: str) -> str:
    """Return text in which no line ends within a percentage or a p."""
    for loose in (" %", "p = ", "p < "):
        text = text.replace(loose, loose.replace(" ", "\N{NO-BREAK SPACE}"))
    return text
