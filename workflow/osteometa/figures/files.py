"""Figures as files that are the same on every machine: drawn once as SVG, the rest made from it.

matplotlib draws the SVG. typst makes the PDF of it, tagged, with text and embedded fonts: one
wheel, faster than matplotlib's own PDF, and it shapes Greek, Hebrew and Arabic. pdfium makes images
of the PDF: typst's own images cut letters where its tiles meet.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from matplotlib.figure import Figure

from osteometa.figures.fonts import FILES, common_rules, further_rules, machine_fonts
from osteometa.io.csv_records import write_whole

if TYPE_CHECKING:
    from PIL.Image import Image
    from typst import Compiler

ENDINGS = {".pdf": "pdf", ".svg": "svg", ".png": "png", ".tiff": "tiff", ".tif": "tiff"}
"""Endings of files with the kinds that they name."""
RESOLUTION = {"png": 300, "tiff": 600}
"""Dots per inch."""
FASTOCTREE, NEAR = 2, 3
"""Pillow's fastest palette, which misses black and white by a level or two."""
RASTER = 300
"""Dots per inch of what stands as an image in a figure, dense points among it."""
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
HREF = f"{{{XLINK}}}href"
PLACES = ("d", "x", "y", "width", "height", "viewBox")
"""Attributes of an SVG that hold places."""
KEPT_ID = "square:"
"""Begins the id of the square of an effect; other ids are numbered."""
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


def write_figure(
    pages: Sequence[Figure], stem: Path, endings: Mapping[str, str], *, title: str, alt: str,
    fonts: str = "",
) -> list[Path]:  # fmt: skip
    """Write a figure: `stem.pdf` and so on; other kinds have a file per page, `stem_2.svg`.

    `endings` are those of the files with their kinds; see `files_of`, also for the rest. Returned
    are the files, each written whole.
    """
    drawn, written = drawings(pages), []
    for ending, kind in endings.items():
        for n, data in enumerate(files_of(drawn, kind, title=title, alt=alt, fonts=fonts), 1):
            written.append(stem.with_name(f"{stem.name}{f'_{n}' if n > 1 else ''}{ending}"))
            write_whole(written[-1], data)
    return written


def drawings(pages: Sequence[Figure]) -> list[Element]:
    """Return the pages of a figure as SVG without fonts, ids and places made short."""
    with warnings.catch_warnings():
        # `put` names the text; this would name each letter.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        return [_drawing(page) for page in pages]


def files_of(
    drawn: Sequence[Element], kind: str, *, title: str = "", alt: str = "", fonts: str = ""
) -> list[bytes]:
    """Return what `drawings` returned as files of a kind: one pdf of all pages, else one for each.

    `title` and `alt` are for readers who do not see the figure; `fonts` is what `common_rules`
    returned, where it is at hand.
    """
    if kind == "svg":
        many = len(drawn) > 1
        return [
            _svg(page, f"{title}, page {n} of {len(drawn)}" if many and n > 1 else title, alt,
                 fonts or common_rules())
            for n, page in enumerate(drawn, start=1)
        ]  # fmt: skip
    pdf = _typeset(tuple(drawn), title, alt)
    if kind == "pdf":
        return [pdf]
    made, dots = [], RESOLUTION[kind]
    for image in images_of(pdf, dots):
        buffer = io.BytesIO()
        if kind == "png":
            in_palette(image).save(buffer, kind, dpi=(dots, dots), compress_level=4)
        else:
            in_full(image).save(buffer, kind, dpi=(dots, dots), compression="tiff_lzw")
        made.append(buffer.getvalue())
    return made


def in_palette(image: np.ndarray) -> Image:
    """Return what `images_of` gave in 256 colours, the background among them: a third of the file.

    Only what is drawn, often a tenth of the pixels, takes part in the choice of the colours.
    """
    from PIL.Image import frombytes

    height, width = image.shape
    pixels = image.ravel()
    background = pixels[0]
    drawn = np.flatnonzero(pixels != background)
    chosen = pixels[drawn if drawn.size else [0]]
    small = frombytes("RGB", (chosen.size, 1), chosen.tobytes(), "raw", "RGBX")
    small = small.quantize(255, FASTOCTREE)
    levels = [0 if x < NEAR else 255 if x > 255 - NEAR else x for x in small.getpalette() or []]
    places = np.full(pixels.size, len(levels) // 3, np.uint8)
    places[drawn] = np.frombuffer(small.tobytes(), np.uint8)[: drawn.size]
    result = frombytes("P", (width, height), places.tobytes())
    result.putpalette([*levels, *background.tobytes()[:3]])
    return result


def in_full(image: np.ndarray) -> Image:
    """Return what `images_of` gave with all its colours."""
    from PIL.Image import frombytes

    height, width = image.shape
    return frombytes("RGB", (width, height), image.tobytes(), "raw", "RGBX")


def images_of(pdf: bytes, dots: int) -> Iterator[np.ndarray]:
    """Yield the pages of a PDF in so many dots per inch: an RGBX number per pixel, line by line."""
    from pypdfium2 import PdfDocument

    for page in PdfDocument(pdf):
        scale = cast(int, dots / 72)
        bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=True)
        yield bitmap.to_numpy().view(np.uint32)[:, :, 0]


def _drawing(page: Figure) -> Element:
    buffer = io.BytesIO()
    page.savefig(buffer, format="svg", dpi=RASTER, metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(buffer.getvalue())
    _number_ids(root)
    for element in root.iter():
        _shorten(element)
    return root


def _number_ids(root: Element) -> None:
    """Number the ids that are referred to, and drop the others.

    matplotlib takes them from a hash of places, so that a last digit would change them.
    """
    used = {name for element in root.iter() for name in references(element)}
    new: dict[str, str] = {}
    for element in root.iter():
        own = element.get("id", "")
        if own in used:
            element.set("id", new.setdefault(own, f"p{len(new) + 1}"))
        elif own and not own.startswith(KEPT_ID):
            del element.attrib["id"]
    for element in root.iter():
        for key, value in element.items():
            for name in references(element, key):
                element.set(key, value.replace(f"#{name}", f"#{new[name]}"))


def references(element: Element, key: str = "") -> Iterator[str]:
    """Yield the ids that an element refers to, in one attribute or in all."""
    for name, value in element.items():
        if key in ("", name):
            if name == HREF and value.startswith("#"):
                yield value.removeprefix("#")
            for part in value.split("url(#")[1:]:
                yield part.partition(")")[0]


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


def _svg(page: Element, title: str, alt: str, fonts: str) -> bytes:
    style = Element(f"{{{SVG}}}style")
    style.text = fonts + further_rules(letters_of(page))
    words = [_worded(name, text) for name, text in (("title", title), ("desc", alt)) if text]
    root = Element(page.tag, page.attrib)
    # Words first, where screen readers look for them.
    root.extend([*words, style, *page])
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _worded(name: str, text: str) -> Element:
    element = Element(f"{{{SVG}}}{name}")
    element.text, element.tail = text, "\n"
    return element


def letters_of(root: Element) -> dict[str, set[str]]:
    """Return the letters of a drawing by their weight, normal or bold."""
    found: dict[str, set[str]] = {}
    for text in root.iter(f"{{{SVG}}}text"):
        found.setdefault(_weight(text.get("style", "")), set()).update("".join(text.itertext()))
    return found


def _weight(style: str) -> str:
    parts = [part.partition(":") for part in style.split(";")]
    words = [w for key, _, value in parts if key.strip() in ("font", "font-weight")
             for w in value.split()]  # fmt: skip
    return "bold" if {"bold", "700"} & set(words) else "normal"


@cache
def _compiler(*folders: str) -> Compiler:
    from typst import Compiler, Fonts

    fonts = Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=list(folders)
    )  # fmt: skip
    return Compiler(font_paths=fonts)


@lru_cache(maxsize=1)
def _typeset(drawn: tuple[Element, ...], title: str, alt: str) -> bytes:
    """Return a PDF with a page for each drawing; the last one is kept, for the images of it."""
    letters = {x for page in drawn for used in letters_of(page).values() for x in used}
    pages = {f"page{n}": ElementTree.tostring(page, "unicode") for n, page in enumerate(drawn)}
    lines = [f"#set document(title: {quoted(title or 'Figure')}, date: none)"]
    for name, page in zip(pages, drawn, strict=True):
        size = f"width: {page.attrib['width']}, height: {page.attrib['height']}"
        lines.append(
            f'#page({size}, margin: 0pt, image(bytes(sys.inputs.{name}), format: "svg", '
            f"width: 100%, alt: {quoted(alt or title or 'Figure')}))"
        )
    return typeset("\n".join(lines), letters, pages)


def typeset(source: str, letters: Iterable[str], inputs: Mapping[str, str] | None = None) -> bytes:
    """Return the PDF of a typst source in the form for screen readers (PDF/UA-1).

    For `letters` that it holds further fonts of the machine may be needed; `inputs` are texts by
    the names under which the source reads them.
    """
    fonts = sorted({str(file.parent) for file in [*FILES.values(), *machine_fonts(letters)]})
    return cast(
        bytes,
        _compiler(*fonts).compile(
            source.encode(), sys_inputs=dict(inputs or {}), format="pdf", pdf_standards=["ua-1"]
        ),
    )


def quoted(text: str) -> str:
    """Return a text as a string of typst, whose escapes are those of JSON."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)
