"""The one font of all figures, found by path and cut to the letters that are used."""

from __future__ import annotations

import base64
import html
import io
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

FAMILY = "Source Sans Pro"
TEXT = re.compile(r'<text style="([^"]*)"[^>]*>(.*?)</text>', re.DOTALL)


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

    source = Path(find_spec("font_source_sans_pro").submodule_search_locations[0]) / "files"
    folder = Path(_font_folder().name)
    files = {"normal": "SourceSansPro-Regular.ttf", "bold": "SourceSansPro-Bold.ttf"}
    for name in files.values():
        with TTFont(source / name, recalcTimestamp=False) as font:
            letters = [code for code in font.getBestCmap() if _kept(code)]
            _cut(font, unicodes=letters)
            font.save(folder / name)
    return {weight: folder / name for weight, name in files.items()}


def _kept(code: int) -> bool:
    return any(low <= code < high for low, high in KEPT)


@cache
def _font_folder() -> TemporaryDirectory:
    return TemporaryDirectory(prefix="osteometa-font-")


def face(weight: str, letters: str) -> str:
    """Return the @font-face rule of a weight, holding only some letters."""
    return (
        f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};"
        f"src:url(data:font/ttf;base64,{_subset(weight, letters)}) format('truetype')}}"
    )


def letters_of(svg: str) -> dict[str, set[str]]:
    """Return the letters of an SVG's texts by weight, normal and bold."""
    found: dict[str, set[str]] = {}
    for style, text in TEXT.findall(svg):
        weight = "bold" if re.search(r"font(-weight)?: *(bold|700)", style) else "normal"
        plain = html.unescape(re.sub(r"<[^>]+>", "", text))
        found.setdefault(weight, set()).update(plain)
    return found


@cache
def _subset(weight: str, letters: str) -> str:
    from fontTools.ttLib import TTFont

    font = TTFont(font_files()[weight], recalcTimestamp=False)
    _cut(font, text=letters)
    buffer = io.BytesIO()
    font.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _cut(font: TTFont, **what: Any) -> None:
    """Cut a font to letters (`text` or `unicodes`), without hints and tables of layout."""
    from fontTools import subset

    options = subset.Options(
        hinting=False, notdef_outline=True, recalc_timestamp=False, layout_features=[],
        glyph_names=False, drop_tables=["GPOS", "GSUB", "GDEF", "FFTM", "DSIG", "BASE"],
    )  # fmt: skip
    cutter = subset.Subsetter(options)
    cutter.populate(**what)
    cutter.subset(font)
