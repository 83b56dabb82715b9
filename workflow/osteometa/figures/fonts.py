"""The font of all figures, those that stand in for letters it lacks, and their rules in an SVG."""

import base64
import io
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import matplotlib
from matplotlib.ft2font import FT2Font

from osteometa.records.groups import grouped

FAMILY = "Source Sans Pro"
FALLBACK = "DejaVu Sans"
"""Comes with matplotlib: Hebrew, Arabic, signs."""
EAST_ASIAN = (
    "Noto Sans SC", "Noto Sans TC", "Noto Sans JP", "Noto Sans KR", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "AR PL UMing CN", "Arial Unicode MS",
    "Microsoft YaHei", "SimHei", "SimSun", "PingFang SC", "Hiragino Sans GB", "STHeiti",
    "MS Gothic", "Malgun Gothic",
)  # fmt: skip
"""Families with Chinese letters, the first that is installed is taken; none comes with Python."""
SOURCE = Path(str(files("font_source_sans_pro"))) / "files"
DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FILES = {
    (FAMILY, "normal"): SOURCE / "SourceSansPro-Regular.ttf",
    (FAMILY, "bold"): SOURCE / "SourceSansPro-Bold.ttf",
    (FALLBACK, "normal"): DEJAVU / "DejaVuSans.ttf",
    (FALLBACK, "bold"): DEJAVU / "DejaVuSans-Bold.ttf",
}
"""Found by path, so that what is installed on a machine changes nothing."""
WEIGHTS = ("normal", "bold")
COMMON = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "\xa0±²³·×βτχΔ–—‘’“”…−∞≈≠≤≥←↑→↓†‡◆"
    + "ÄÖÜßáäåæçèéêíñóöøúü"
)
"""Letters that every SVG has; their fonts are cut once for all figures."""


@cache
def font_file(family: str, weight: str) -> Path:
    """Return the file of a family in a weight, normal or bold."""
    if (family, weight) in FILES:
        return FILES[family, weight]
    from matplotlib.font_manager import FontProperties, fontManager

    return Path(fontManager.findfont(FontProperties(family=family, weight=weight)))


@cache
def east_asian() -> str:
    """Return the installed family with Chinese letters, empty without one.

    Fonts with PostScript outlines (Noto Sans CJK among them) are passed over: what matplotlib
    measures and what stands in the files could differ.
    """
    from matplotlib.font_manager import fontManager

    installed = {entry.name: entry.fname for entry in reversed(fontManager.ttflist)}
    return next((n for n in EAST_ASIAN if n in installed and _truetype(installed[n])), "")


def _truetype(path: str) -> bool:
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        return "glyf" in font


@cache
def font(path: Path) -> FT2Font:
    """Return a font to measure with, of 100 points."""
    opened = FT2Font(str(path))
    opened.set_size(100, 72)
    return opened


@cache
def _letters_of(path: Path) -> frozenset[int]:
    return frozenset(font(path).get_charmap())


@cache
def family_of(letter: str, weight: str) -> str:
    """Return the first family that has a letter, empty if none has."""
    for family in (FAMILY, FALLBACK):
        if ord(letter) in _letters_of(font_file(family, weight)):
            return family
    family = east_asian()  # sought only now: reading what is installed takes time
    return family if family and ord(letter) in _letters_of(font_file(family, weight)) else ""


def machine_fonts(letters: Iterable[str]) -> list[Path]:
    """Return the files of the fonts of this machine that some letters need."""
    more = {family_of(letter, "normal") for letter in letters} - {"", FAMILY, FALLBACK}
    return [font_file(family, "normal") for family in sorted(more)]


def common_rules() -> str:
    """Return the @font-face rules of the common letters."""
    return "".join(_rules(weight, COMMON) for weight in WEIGHTS)


def further_rules(letters: Mapping[str, Iterable[str]]) -> str:
    """Return the @font-face rules of the letters that are not common, by their weight."""
    return "".join(
        _rules(weight, "".join(sorted(set(letters[weight]) - set(COMMON))), ranges=True)
        for weight in sorted(letters)
    )


@cache
def _rules(weight: str, letters: str, *, ranges: bool = False) -> str:
    used = grouped(letters, lambda letter: family_of(letter, weight))
    return "".join(
        f"@font-face{{font-family:'{family}';font-weight:{weight};"
        f"src:url(data:font/ttf;base64,{_cut(family, weight, ''.join(found))}) format('truetype')"
        + (f";unicode-range:{','.join(f'U+{ord(letter):X}' for letter in found)}}}" if ranges
           else "}")
        for family, found in sorted(used.items(), reverse=True) if family
    )  # fmt: skip


def _cut(family: str, weight: str, letters: str) -> str:
    """Return a font with these letters only and without hints, in base 64."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    joined = family != FAMILY  # Arabic letters join by tables of layout
    options = subset.Options(
        hinting=False, notdef_outline=True, recalc_timestamp=False, glyph_names=False,
        layout_features=["*"] if joined else [],
        drop_tables=["FFTM", "DSIG", "BASE", *(() if joined else ("GPOS", "GSUB", "GDEF"))],
    )  # fmt: skip
    opened = TTFont(font_file(family, weight), fontNumber=0, recalcTimestamp=False, lazy=True)
    cutter = subset.Subsetter(options)
    cutter.populate(text=letters)
    cutter.subset(opened)
    buffer = io.BytesIO()
    opened.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
