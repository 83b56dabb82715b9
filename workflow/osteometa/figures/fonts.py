"""The font of all figures, and those that stand in for letters it lacks, cut to what is used."""

from __future__ import annotations

import base64
import io
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import matplotlib

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

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

# Latin, combining marks, Greek and Cyrillic, further Latin and Greek, punctuation to mathematics.
KEPT = ((0x20, 0x250), (0x2B0, 0x530), (0x1E00, 0x2400), (0x25A0, 0x2700), (0xFB00, 0xFB07))


@cache
def font_files() -> dict[str, Path]:
    """Return the static files of the figures' font, by weight.

    Found by path, so that what is installed on a machine changes nothing. Copies with the letters
    of KEPT and without tables that nothing here reads: cutting the whole font anew to the letters
    of each figure took most of the time of drawing a small one.
    """
    from fontTools.ttLib import TTFont

    source = Path(str(files("font_source_sans_pro"))) / "files"
    folder = Path(_font_folder().name)
    names = {"normal": "SourceSansPro-Regular.ttf", "bold": "SourceSansPro-Bold.ttf"}
    for name in names.values():
        with TTFont(source / name, recalcTimestamp=False) as font:
            letters = [code for code in (font.getBestCmap() or {}) if _kept(code)]
            _cut(font, unicodes=letters)
            font.save(folder / name)
    return {weight: folder / name for weight, name in names.items()}


def _kept(code: int) -> bool:
    return any(low <= code < high for low, high in KEPT)


@cache
def _font_folder() -> TemporaryDirectory:
    return TemporaryDirectory(prefix="osteometa-font-")


@cache
def font_file(family: str, weight: str) -> Path:
    """Return the file of a family in a weight, normal or bold."""
    if family == FAMILY:
        return font_files()[weight]
    if family == FALLBACK:
        fonts = Path(matplotlib.get_data_path()) / "fonts/ttf"
        return fonts / {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}[weight]
    from matplotlib.font_manager import FontProperties, fontManager

    return Path(fontManager.findfont(FontProperties(family=family, weight=weight)))


@cache
def east_asian() -> str:
    """Return the installed family with Chinese letters, empty without one.

    Fonts with PostScript outlines (Noto Sans CJK among them) are passed over: a PDF cannot hold
    them as TrueType, and a preflight refuses what it would hold instead.
    """
    from matplotlib.font_manager import fontManager

    installed = {entry.name: entry.fname for entry in reversed(fontManager.ttflist)}
    return next((n for n in EAST_ASIAN if n in installed and _truetype(installed[n])), "")


def _truetype(path: str) -> bool:
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        return "glyf" in font


@cache
def charmap(path: Path) -> frozenset[int]:
    """Return the letters that a font has, as numbers."""
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        return frozenset(font.getBestCmap() or ())


@cache
def family_of(letter: str, weight: str) -> str:
    """Return the first family that has a letter, empty if none has."""
    for family in (FAMILY, FALLBACK):
        if ord(letter) in charmap(font_file(family, weight)):
            return family
    family = east_asian()  # sought only now: reading what is installed takes time
    return family if family and ord(letter) in charmap(font_file(family, weight)) else ""


def face(weight: str, letters: str) -> str:
    """Return the @font-face rules of a weight: one for each family that these letters need."""
    used: dict[str, str] = {}
    for letter in letters:
        family = family_of(letter, weight)
        if family:
            used[family] = used.get(family, "") + letter
    return "".join(
        f"@font-face{{font-family:'{family}';font-weight:{weight};"
        f"src:url(data:font/ttf;base64,{_subset(family, weight, found)}) format('truetype')}}"
        for family, found in sorted(used.items(), reverse=True)
    )


@cache
def _subset(family: str, weight: str, letters: str) -> str:
    from fontTools.ttLib import TTFont

    font = TTFont(font_file(family, weight), fontNumber=0, recalcTimestamp=False)
    # Arabic letters join by tables of layout; the letters of FAMILY stand alone.
    _cut(font, layout=family != FAMILY, text=letters)
    buffer = io.BytesIO()
    font.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _cut(font: TTFont, *, layout: bool = False, **what: Any) -> None:
    """Cut a font to letters (`text` or `unicodes`), without hints; layout tables on request."""
    from fontTools import subset

    tables = ["FFTM", "DSIG", "BASE", *(() if layout else ("GPOS", "GSUB", "GDEF"))]
    options = subset.Options(
        hinting=False, notdef_outline=True, recalc_timestamp=False, glyph_names=False,
        layout_features=["*"] if layout else [], drop_tables=tables,
    )  # fmt: skip
    cutter = subset.Subsetter(options)
    cutter.populate(**what)
    cutter.subset(font)
