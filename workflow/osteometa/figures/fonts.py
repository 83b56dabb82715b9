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

FAMILY = "Source Sans Pro"
TEXT = re.compile(r'<text style="([^"]*)"[^>]*>(.*?)</text>', re.DOTALL)


@cache
def font_files() -> dict[str, Path]:
    """Return the static files of the figures' font, by weight.

    Found by path, so that what is installed on a machine changes nothing. Copies without the
    tables of advanced layout: matplotlib does not use them, and cutting them to the letters of a
    figure took most of the time of drawing it.
    """
    from fontTools.ttLib import TTFont

    source = Path(find_spec("font_source_sans_pro").submodule_search_locations[0]) / "files"
    folder = Path(_font_folder().name)
    files = {"normal": "SourceSansPro-Regular.ttf", "bold": "SourceSansPro-Bold.ttf"}
    for name in files.values():
        with TTFont(source / name, recalcTimestamp=False) as font:
            for table in ("GPOS", "GSUB", "GDEF", "FFTM", "DSIG"):
                if table in font:
                    del font[table]
            font.save(folder / name)
    return {weight: folder / name for weight, name in files.items()}


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
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(hinting=False, notdef_outline=True, recalc_timestamp=False)
    font = TTFont(font_files()[weight], recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(text=letters)
    cutter.subset(font)
    buffer = io.BytesIO()
    font.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
