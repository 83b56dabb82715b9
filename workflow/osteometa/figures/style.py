"""The look of every figure: one font, one palette, and files that are the same on every machine."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ft2font import FT2Font, LoadFlags
from PIL import Image

from osteometa.figures.fonts import FAMILY, face, font_files
from osteometa.files import write_whole

# Okabe and Ito's palette, told apart by people who see colours differently.
BLUE, ORANGE, GREEN, VERMILION, BLACK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#000000"
GREY = "#666666"
BODY, SMALL = 8.0, 7.0
"""Sizes of text in points; nothing is smaller than SMALL."""
MM = 1 / 25.4
POINT = 25.4 / 72


@cache
def set_up() -> None:
    """Tell matplotlib of the font and of everything that must not depend on the machine."""
    mpl.rcdefaults()
    for path in font_files().values():
        fontManager.addfont(path)
    mpl.rcParams.update(
        {
            "font.family": [FAMILY, "DejaVu Sans"],
            "font.size": BODY,
            "pdf.fonttype": 42,
            "svg.fonttype": "none",
            "svg.hashsalt": "osteometa",
            "axes.unicode_minus": True,
            "text.hinting": "none",  # texts are as wide in an image as in print
        }
    )


@cache
def _font(weight: str) -> FT2Font:
    font = FT2Font(str(font_files()[weight]))
    font.set_size(100, 72)
    return font


@cache
def _covered(weight: str) -> frozenset[int]:
    return frozenset(_font(weight).get_charmap())


@cache
def _fallback() -> FT2Font:
    font = FT2Font(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"))
    font.set_size(100, 72)
    return font


@cache
def _advance(letter: str, weight: str) -> float:
    """Return how far a letter moves the pen, in hundredths of the size of the text."""
    font = _font(weight) if ord(letter) in _covered(weight) else _fallback()
    return font.load_char(ord(letter), LoadFlags.NO_HINTING).linearHoriAdvance / 65536


@cache
def text_width(text: str, size: float = BODY, weight: str = "normal") -> float:
    """Return the width of a text in mm."""
    return sum(_advance(letter, weight) for letter in text) * size / 100 * POINT


@cache
def _known() -> frozenset[int]:
    return _covered("normal") | frozenset(_fallback().get_charmap())


def missing_letters(text: str) -> str:
    """Return the letters of a text that no font here can draw."""
    return "".join(sorted({letter for letter in text if ord(letter) not in _known()}))


def wrapped(text: str, width: float, size: float = BODY, weight: str = "normal") -> list[str]:
    """Return a text in lines no wider than `width` mm, broken between words, else within one."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        trial = f"{line} {word}".strip()
        if text_width(trial, size, weight) <= width:
            line = trial
            continue
        if line:
            lines.append(line)
        while text_width(word, size, weight) > width:
            cut = next(
                n for n in range(len(word), 0, -1) if n == 1
                or text_width(word[:n], size, weight) <= width
            )  # fmt: skip
            cut = word.rfind("-", 0, cut) + 1 or cut
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    return [*lines, line] if line or not lines else lines


def new_figure(width: float, height: float) -> tuple[Figure, mpl.axes.Axes]:
    """Return a figure of a size in mm, and one drawing area in mm from its upper left corner."""
    set_up()
    figure = Figure(figsize=(width * MM, height * MM), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    return figure, axes


def put(
    axes: mpl.axes.Axes, x: float, y: float, text: str, *, size: float = BODY,
    weight: str = "normal", align: str = "left", color: str = BLACK, over: bool = False,
) -> None:  # fmt: skip
    """Write a text whose middle height is at y; `over` lines, on a white ground of its own."""
    lost = missing_letters(text)
    if lost:
        print(f"warning: no font here has the letters '{lost}' of '{text}'", file=sys.stderr)
    plain = all(ord(letter) in _covered(weight) for letter in text)
    axes.text(
        x, y, text, fontsize=size, fontweight=weight, ha=align,
        fontfamily=FAMILY if plain else None,
        va="center_baseline", color=color, zorder=6 if over else 3, parse_math=False,
        bbox={"facecolor": "white", "lw": 0, "pad": 0.4, "alpha": 0.85} if over else None,
    )  # fmt: skip


FORMATS = ("pdf", "svg", "png", "tiff")
RESOLUTION = {"png": 300, "tiff": 600}
"""Dots per inch of images."""


def save(figure: Figure, stem: str | Path, more: Sequence[Figure] = ()) -> None:
    """Write stem.pdf, stem.svg and stem.png, each whole or not at all, the same on every run.

    Further pages (`more`) go into the PDF; SVG and PNG hold one page.
    """
    stem = Path(stem)
    write_whole(stem.with_name(f"{stem.name}.pdf"), encoded((figure, *more), "pdf"))
    for kind in ("png", "svg"):
        write_whole(stem.with_name(f"{stem.name}.{kind}"), encoded([figure], kind))


def copy(stem: Path, new: Path) -> None:
    """Write again under another name what `save` wrote."""
    for kind in ("pdf", "png", "svg"):
        write_whole(new.with_name(f"{new.name}.{kind}"), Path(f"{stem}.{kind}").read_bytes())


def encoded(pages: Sequence[Figure], kind: str) -> bytes:
    """Return a figure as a file of one of FORMATS; SVG and images hold the first page only."""
    buffer = io.BytesIO()
    if kind == "pdf":
        metadata = {"CreationDate": None, "Producer": None, "Creator": None}
        with PdfPages(buffer, metadata=metadata) as file:
            for page in pages:
                file.savefig(page)
    elif kind == "svg":
        pages[0].savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        svg = _rounded(buffer.getvalue().decode("utf-8"))
        return _with_fonts(svg, _letters(pages[0])).encode("utf-8")
    else:
        pixels(pages[0], RESOLUTION[kind]).save(buffer, kind, **_image_options(kind))
    return buffer.getvalue()


def pixels(figure: Figure, dpi: int) -> Image.Image:
    """Return a figure as pixels without the layer of opacity: the ground is white."""
    before, figure.dpi = figure.dpi, dpi
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    figure.dpi = before
    return image


def _image_options(kind: str) -> dict[str, Any]:
    dots = (RESOLUTION[kind], RESOLUTION[kind])
    # More compression takes twice the time for a tenth of the size.
    extra = {"compress_level": 4} if kind == "png" else {"compression": "tiff_lzw"}
    return {"dpi": dots, **extra}


def _rounded(svg: str) -> str:
    """Return an SVG with places to a hundredth of a point: half the size, the same picture.

    Places stand in attributes; what a text says, and names of shapes, are left as they are.
    """
    place = re.compile(r"(?<![\w.:])-?\d+\.\d{3,}")
    short = re.sub(
        r"<[^>]*>", lambda tag: place.sub(lambda m: _hundredth(m.group()), tag.group()), svg
    )
    return re.sub(r" \n(?=[LMCQz])", " ", short)


def _hundredth(number: str) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".")


def _letters(figure: Figure) -> dict[str, str]:
    letters: dict[str, set[str]] = {"normal": set(), "bold": set()}
    for text in figure.findobj(mpl.text.Text):
        weight = "bold" if text.get_fontweight() == "bold" else "normal"
        letters[weight] |= set(text.get_text())
    return {weight: "".join(sorted(found)) for weight, found in letters.items() if found}


def _with_fonts(svg: str, letters: dict[str, str]) -> str:
    """Put the font into the SVG, cut to its letters, so that it looks the same everywhere."""
    faces = "".join(face(weight, used) for weight, used in sorted(letters.items()))
    return svg.replace("<defs>", f"<defs><style>{faces}</style>", 1)
