"""The look of every figure: one font, one palette, and files that are the same on every machine."""

from __future__ import annotations

import html
import io
import re
import sys
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from PIL import Image

from osteometa.figures.fonts import FALLBACK, FAMILY, face, family_of, font_file, font_files
from osteometa.io.csv_records import write_whole

# Okabe and Ito's palette, told apart by people who see colours differently.
BLUE, ORANGE, GREEN, VERMILION, BLACK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#000000"
GREY = "#666666"
BODY, SMALL = 8.0, 7.0
"""Sizes of text in points; nothing is smaller than SMALL."""
MM = 1 / 25.4
Pixels = NDArray[np.uint8]
POINT = 25.4 / 72


@cache
def set_up() -> None:
    """Tell matplotlib of the font and of everything that must not depend on the machine."""
    mpl.rcdefaults()
    for path in font_files().values():
        fontManager.addfont(path)
    mpl.rcParams.update(
        {
            "font.family": [FAMILY, FALLBACK],
            "font.size": BODY,
            "pdf.fonttype": 42,
            "svg.fonttype": "none",
            "svg.hashsalt": "osteometa",
            "axes.unicode_minus": True,
            "text.hinting": "none",  # texts are as wide in an image as in print
        }
    )


@cache
def _font(path: Path) -> FT2Font:
    font = FT2Font(str(path))
    font.set_size(100, 72)
    return font


@cache
def _advance(letter: str, weight: str) -> float:
    """Return how far a letter moves the pen, in hundredths of the size of the text."""
    family = family_of(letter, weight)
    if not family:
        return 100.0  # about as wide as what stands in its place
    font = _font(font_file(family, weight))
    return font.load_char(ord(letter), LoadFlags.NO_HINTING).linearHoriAdvance / 65536


@cache
def text_width(text: str, size: float = BODY, weight: str = "normal") -> float:
    """Return the width of a text in mm."""
    return sum(_advance(letter, weight) for letter in text) * size / 100 * POINT


@cache
def missing_letters(text: str) -> str:
    """Return the letters of a text that no font here can draw."""
    return "".join(sorted({letter for letter in text if not family_of(letter, "normal")}))


def wrapped(text: str, width: float, size: float = BODY, weight: str = "normal") -> list[str]:
    """Return a text in lines no wider than `width` mm, broken between words, else within one.

    A no-break space is no place to break.
    """
    lines: list[str] = []
    line = ""
    for word in re.split(r"[ \t\n]+", text.strip()):
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
        words = "no TrueType font here has the letters"
        print(f"warning: {words} '{lost}' of '{text}'", file=sys.stderr)
    families = _families_of(text, weight)
    if families == [FAMILY] and not lost and not over:
        axes.add_artist(
            Label(x, y, text, fontproperties=_face(size, weight), ha=align, color=color, zorder=3,
                  va="center_baseline", parse_math=False)
        )  # fmt: skip
        return
    axes.text(
        x, y, text, fontsize=size, fontweight=weight, ha=align,
        fontfamily=families,
        va="center_baseline", color=color, zorder=6 if over else 3, parse_math=False,
        bbox={"facecolor": "white", "lw": 0, "pad": 0.4, "alpha": 0.85} if over else None,
    )  # fmt: skip


@cache
def _families_of(text: str, weight: str) -> list[str]:
    """Return the families of a text: no more than it needs, so that others change no bytes."""
    used = {family_of(letter, weight) for letter in text} - {"", FAMILY}
    if not used:
        return [FAMILY]
    return [FAMILY, FALLBACK, *sorted(used - {FALLBACK})]


@cache
def _face(size: float, weight: str) -> FontProperties:
    return FontProperties(family=FAMILY, weight=weight, size=size)


ASCENT, DESCENT = 0.75, 0.25
"""Of a line of the figures' font, in parts of its size."""


class Label(Text):
    """A line of text in the figures' font, whose place follows from the widths of its letters.

    matplotlib lays a text out anew in each format, by asking the font: half of the time of drawing.
    """

    def _box(self) -> tuple[float, float, float, float]:
        """Return left end, baseline, width and size of the line, pixels."""
        size = self.get_fontsize() * self.get_figure(root=True).dpi / 72
        weight, text = self.get_fontweight(), self.get_text()
        width = text_width(text, 1.0, weight) / POINT * size
        x, y = self.get_transform().transform(self.get_unitless_position())
        left = x - width * {"left": 0.0, "center": 0.5, "right": 1.0}[self.get_ha()]
        return float(left), float(y) - ASCENT / 2 * size, width, size

    def get_window_extent(self, renderer: RendererBase | None = None, dpi: Any = None) -> Bbox:
        """Return the box of the line, pixels."""
        left, baseline, width, size = self._box()
        return Bbox.from_bounds(
            left, baseline - DESCENT * size, width, (ASCENT + DESCENT) * size
        )  # fmt: skip

    def set_clip_path(self, path: Any, transform: Any = None) -> None:
        """Do nothing: labels lie on the page, and making a path for each takes time."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw the line where it stands."""
        if not self.get_text():
            return
        left, baseline, *_ = self._box()
        if renderer.flipy():
            baseline = renderer.get_canvas_width_height()[1] - baseline
        renderer.open_group("text", self.get_gid())
        gc = renderer.new_gc()
        gc.set_foreground(to_rgba(self.get_color()), isRGBA=True)
        renderer.draw_text(
            gc, left, baseline, self.get_text(), self.get_fontproperties(), 0, mtext=self
        )
        gc.restore()
        renderer.close_group("text")


FORMATS = ("pdf", "svg", "png", "tiff")
RESOLUTION = {"png": 300, "tiff": 600, "pdf": 300, "svg": 200}
"""Dots per inch of images, and of what stands as an image in a PDF or SVG, the report's small."""


def save(
    figure: Figure, stem: str | Path, more: Sequence[Figure] = (), *, title: str = "",
    alt: str = "",
) -> None:  # fmt: skip
    """Write stem.pdf, stem.svg and stem.png, each whole or not at all, the same on every run.

    Further pages (`more`) go into the PDF; SVG and PNG hold one page. `title` and `alt` go into
    the SVG, for people who do not see it.
    """
    stem = Path(stem)
    for kind, pages in (("pdf", (figure, *more)), ("png", [figure]), ("svg", [figure])):
        data = encoded(pages, kind, title=title, alt=alt)
        write_whole(stem.with_name(f"{stem.name}.{kind}"), data)


def copy(stem: Path, new: Path) -> None:
    """Write again under another name what `save` wrote."""
    for kind in ("pdf", "png", "svg"):
        write_whole(new.with_name(f"{new.name}.{kind}"), Path(f"{stem}.{kind}").read_bytes())


def encoded(pages: Sequence[Figure], kind: str, *, title: str = "", alt: str = "") -> bytes:
    """Return a figure as a file of one of FORMATS; SVG and images hold the first page only."""
    with warnings.catch_warnings():
        # `put` names the text; this would name each letter, once per format.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        if kind == "pdf":
            return _pdf(pages)
        if kind == "svg":
            return _with_words(_svg(pages[0]), title, alt).encode("utf-8")
        return _image(pages[0], kind)


def _pdf(pages: Sequence[Figure]) -> bytes:
    buffer = io.BytesIO()
    metadata = {"CreationDate": None, "Producer": None, "Creator": None}
    with PdfPages(buffer, metadata=metadata) as file:
        for page in pages:
            file.savefig(page, dpi=RESOLUTION["pdf"])
    return buffer.getvalue()


def _svg(page: Figure) -> str:
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": None}
    page.savefig(buffer, format="svg", dpi=RESOLUTION["svg"], metadata=metadata)
    return _with_fonts(_rounded(buffer.getvalue().decode("utf-8")), _letters(page))


def _image(page: Figure, kind: str) -> bytes:
    buffer, dots = io.BytesIO(), RESOLUTION[kind]
    if kind == "png":
        image, extra = in_palette(_drawn(page, dots)), {"compress_level": 4}
    else:
        image, extra = pixels(page, dots), {"compression": "tiff_lzw"}
    image.save(buffer, kind, dpi=(dots, dots), **extra)
    return buffer.getvalue()


def _drawn(figure: Figure, dpi: int) -> Pixels:
    before, figure.dpi = figure.dpi, dpi
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.dpi = before
    return np.asarray(canvas.buffer_rgba())


def pixels(figure: Figure, dpi: int) -> Image.Image:
    """Return a figure as pixels without the layer of opacity: the ground is white."""
    return Image.fromarray(_drawn(figure, dpi)).convert("RGB")


def in_palette(rgba: Pixels) -> Image.Image:
    """Return an image of 256 colours: a third of the size, in half of the time.

    White and the 255 most frequent colours are kept as they are. What is beyond them, pixels at
    the edges of coloured marks, takes the nearest of these.

    Parameters
    ----------
    rgba : array of shape (height, width, 4), 8 bits
        All of it opaque.
    """
    height, width, _ = rgba.shape
    colours = np.ascontiguousarray(rgba).view("<u4").ravel()
    inked = np.flatnonzero(colours != 0xFFFFFFFF)
    there = colours[inked] & 0xFFFFFF
    seen = np.zeros(1 << 24, dtype=bool)
    seen[there] = True
    found = np.flatnonzero(seen)
    place = np.empty(len(seen), dtype=np.int32)  # read only where it is written
    place[found] = np.arange(len(found))
    number = place[there]
    order = np.argsort(-np.bincount(number, minlength=len(found)), kind="stable")
    kept = np.concatenate([[0xFFFFFF], found[order[:255]]]).astype("<u4")
    palette = kept.view(np.uint8).reshape(-1, 4)[:, :3].astype(np.int32)
    nearest = np.empty(len(found), dtype=np.uint8)
    nearest[order[:255]] = np.arange(1, len(kept))
    for rare in order[255:]:
        here = np.array([found[rare]], dtype="<u4").view(np.uint8)[:3].astype(np.int32)
        nearest[rare] = np.argmin(((palette - here) ** 2).sum(axis=1))
    image = np.zeros(height * width, dtype=np.uint8)
    image[inked] = nearest[number]
    coded = Image.fromarray(image.reshape(height, width)).convert("P")
    coded.putpalette(palette.astype(np.uint8).tobytes())
    return coded


def _rounded(svg: str) -> str:
    """Return an SVG with places to a hundredth of a point: half the size, the same picture.

    Places stand in attributes; what a text says, and names of shapes, are left as they are.
    """
    place = re.compile(r"(?<![\w.:])-?\d+\.\d{3,}")
    short = re.sub(
        r"<[^>]*>", lambda tag: place.sub(lambda m: _hundredth(m.group()), tag.group()), svg
    )
    level = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", short)
    return re.sub(r" \n(?=[LMCQz])", " ", level)


def _hundredth(number: str) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".")


def _letters(figure: Figure) -> dict[str, str]:
    letters: dict[str, set[str]] = {"normal": set(), "bold": set()}
    for text in figure.axes[0].texts:
        weight = "bold" if text.get_fontweight() == "bold" else "normal"
        letters[weight] |= set(text.get_text())
    return {weight: "".join(sorted(found)) for weight, found in letters.items() if found}


def _with_fonts(svg: str, letters: dict[str, str]) -> str:
    """Put the fonts into the SVG, cut to its letters, so that it looks the same everywhere.

    Letters that no font here has are left to whatever the reader's machine has.
    """
    faces = "".join(face(weight, used) for weight, used in sorted(letters.items()))
    svg = re.sub(r"(<text style=\"[^\"]*font-family: [^;\"]+)", r"\1, sans-serif", svg)
    return svg.replace("<defs>", f"<defs><style>{faces}</style>", 1)


def _with_words(svg: str, title: str, alt: str) -> str:
    """Put a title and a description first, where readers of the screen look for them."""
    words = {"title": title, "desc": alt}
    told = "".join(
        f"\n <{name}>{html.escape(text)}</{name}>" for name, text in words.items() if text
    )
    return re.sub(r"<svg [^>]*>", lambda opening: opening.group() + told, svg, count=1)
