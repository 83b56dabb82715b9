"""Figures inside the report: SVG that shares one font, and squares that lead to their study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from osteometa.figures.fonts import face

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
OWN_PARTS = {f"{{{SVG}}}{name}" for name in ("style", "metadata", "title", "desc")}
"""What a file has for itself and a page once: fonts, words about the figure (here `aria-label`)."""
HREF = f"{{{XLINK}}}href"
FONT = {"font", "font-weight"}
SQUARE = "square:"
"""Begins the id of the square of an effect."""
WIDEST = 1.25 * 96 / 72
"""A figure is shown at most 1.25 times as wide as in print, in CSS pixels per point."""
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


class InlineFigure(NamedTuple):
    """A page of a figure as part of an HTML page."""

    svg: str
    letters: Mapping[str, frozenset[str]]
    """Letters of its texts by weight, normal and bold."""


def inline_figure(path: Path, name: str, alt: str) -> InlineFigure:
    """Return a figure as SVG that can be part of a page with others.

    Its fonts are left to the page, its ids get the name of the figure in front, a square becomes a
    link to the row of its effect, and the alternative text is its label.
    """
    root = ElementTree.parse(path).getroot()
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in OWN_PARTS]:
            parent.remove(child)
    _name_apart(root, name)
    squares = [element for element in root.iter() if element.get("id", "").startswith(SQUARE)]
    for element in squares:
        _link(element)
    width = float(root.attrib.pop("width").removesuffix("pt"))
    root.attrib.pop("height")
    # An image has no parts to reach: a figure with links is a group of them.
    first = {"role": "group" if squares else "img", "aria-label": alt,
             "style": f"max-width:{width * WIDEST:.0f}px;stroke-linejoin:round"}  # fmt: skip
    root.attrib = first | root.attrib
    return InlineFigure(ElementTree.tostring(root, encoding="unicode"), _letters(root))


def _name_apart(root: Element, name: str) -> None:
    """Put the name of the figure before all ids that are referred to, and drop the others."""
    used = {reference for element in root.iter() for reference in _references(element)}
    for element in root.iter():
        own = element.get("id", "")
        if own in used:
            element.set("id", f"{name}-{own}")
        elif own and not own.startswith(SQUARE):
            del element.attrib["id"]
        for key, value in element.items():
            if key == HREF:
                element.set(key, value.replace("#", f"#{name}-", 1))
            elif "url(#" in value:
                element.set(key, value.replace("url(#", f"url(#{name}-"))


def _references(element: Element) -> Iterator[str]:
    for key, value in element.items():
        if key == HREF:
            yield value.removeprefix("#")
        for part in value.split("url(#")[1:]:
            yield part.partition(")")[0]


def _link(square: Element) -> None:
    """Make a square a link to the row of its effect."""
    effect = square.attrib.pop("id").removeprefix(SQUARE)
    shape = Element(f"{{{SVG}}}g")
    shape.text, square.text = square.text, None
    for child in list(square):
        square.remove(child)
        shape.append(child)
    square.append(shape)
    square.tag = f"{{{SVG}}}a"
    square.attrib = {"href": f"#effect-{effect}", "aria-label": f"effect {effect}"}


def _letters(root: Element) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for text in root.iter(f"{{{SVG}}}text"):
        found.setdefault(_weight(text.get("style", "")), set()).update("".join(text.itertext()))
    return {weight: frozenset(letters) for weight, letters in found.items()}


def _weight(style: str) -> str:
    """Return the weight of a text, normal or bold."""
    parts = [part.partition(":") for part in style.split(";")]
    words = [word for key, _, value in parts if key.strip() in FONT for word in value.split()]
    return "bold" if {"bold", "700"} & set(words) else "normal"


def page_fonts(figures: Iterable[InlineFigure]) -> str:
    """Return @font-face rules with all letters of some figures, for the page that holds them."""
    letters: dict[str, set[str]] = {}
    for figure in figures:
        for weight, used in figure.letters.items():
            letters.setdefault(weight, set()).update(used)
    return "".join(face(weight, "".join(sorted(used))) for weight, used in sorted(letters.items()))
