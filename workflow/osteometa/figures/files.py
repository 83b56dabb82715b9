"""Figures as files: PDF, SVG and images that are the same on every machine."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image

from osteometa.figures.fonts import face
from osteometa.io.csv_records import write_whole

RESOLUTION = {"png": 300, "tiff": 600, "pdf": 300, "svg": 200}
"""Dots per inch of images, and of what stands as an image in a PDF or SVG, the report's small."""
NAMESPACE = "http://www.w3.org/2000/svg"
PLACES = ("d", "x", "y", "width", "height", "viewBox")
"""Attributes of an SVG that hold places."""
ElementTree.register_namespace("", NAMESPACE)
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def save(
    figure: Figure, stem: str | Path, more: Sequence[Figure] = (), *, title: str = "",
    alt: str = "",
) -> None:  # fmt: skip
    """Write stem.pdf, stem.svg and stem.png, each whole or not at all, the same on every run.

    Further pages (`more`) go into the PDF; SVG and PNG hold one page. `title` and `alt` go into
    the SVG, for readers who do not see it.
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
    """Return a figure as pdf, svg, png or tiff; only a PDF holds more than the first page."""
    with warnings.catch_warnings():
        # `put` names the text; this would name each letter, once per format.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        if kind == "pdf":
            return _pdf(pages)
        if kind == "svg":
            return _svg(pages[0], title, alt)
        return _image(pages[0], kind)


def _pdf(pages: Sequence[Figure]) -> bytes:
    buffer = io.BytesIO()
    metadata = {"CreationDate": None, "Producer": None, "Creator": None}
    with PdfPages(buffer, metadata=metadata) as file:
        for page in pages:
            file.savefig(page, dpi=RESOLUTION["pdf"])
    return buffer.getvalue()


def _image(page: Figure, kind: str) -> bytes:
    buffer, dots = io.BytesIO(), RESOLUTION[kind]
    image, extra = pixels(page, dots), {"compression": "tiff_lzw"}
    if kind == "png":  # a palette makes the file a third as large
        image, extra = image.quantize(256, Image.Quantize.MAXCOVERAGE), {"compress_level": 4}
    image.save(buffer, kind, dpi=(dots, dots), **extra)
    return buffer.getvalue()


def pixels(page: Figure, dots: int) -> Image.Image:
    """Return a figure as pixels without the layer of opacity: the ground is white."""
    before, page.dpi = page.dpi, dots
    canvas = FigureCanvasAgg(page)
    canvas.draw()
    page.dpi = before
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _svg(page: Figure, title: str, alt: str) -> bytes:
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": None}
    page.savefig(buffer, format="svg", dpi=RESOLUTION["svg"], metadata=metadata)
    root = ElementTree.fromstring(buffer.getvalue())
    for element in root.iter():
        _shorten(element)
    fonts = Element(f"{{{NAMESPACE}}}style")
    fonts.text = "".join(face(weight, letters) for weight, letters in _letters(page).items())
    words = [_worded(name, text) for name, text in (("title", title), ("desc", alt)) if text]
    # First, where screen readers look for them.
    root[:0] = [*words, fonts]
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _worded(name: str, text: str) -> Element:
    element = Element(f"{{{NAMESPACE}}}{name}")
    element.text, element.tail = text, "\n"
    return element


def _shorten(element: Element) -> None:
    """Round places to a hundredth of a point, half the size, and drop turns by no angle."""
    for name in PLACES:
        if name in element.attrib:
            element.set(name, " ".join(map(_hundredth, element.attrib[name].split())))
    if element.get("transform", "").startswith(("rotate(-0 ", "rotate(0 ")):
        del element.attrib["transform"]


def _hundredth(word: str) -> str:
    number = word.removesuffix("pt")
    try:
        short = f"{float(number):.2f}".rstrip("0").rstrip(".")
    except ValueError:  # the letter of a path
        return word
    return short + word[len(number) :]


def _letters(page: Figure) -> dict[str, str]:
    """Return the letters of a figure by weight, normal and bold."""
    letters: dict[str, set[str]] = {}
    for text in page.axes[0].texts:
        weight = "bold" if text.get_fontweight() == "bold" else "normal"
        letters.setdefault(weight, set()).update(text.get_text())
    return {weight: "".join(sorted(letters[weight])) for weight in sorted(letters)}
