"""Figures inside the report: SVG that shares one font, and squares that lead to their study."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from osteometa.figures.files import KEPT_ID, SVG, letters_of, references
from osteometa.figures.fonts import further_rules

OWN_PARTS = {f"{{{SVG}}}{name}" for name in ("style", "metadata", "title", "desc")}
"""What a file has for itself and a page once: fonts, words about the figure (here `aria-label`)."""
WIDEST = 1.25 * 96 / 72
"""A figure is shown at most 1.25 times as wide as in print, in CSS pixels per point."""


class InlineFigure(NamedTuple):
    """A page of a figure as part of an HTML page."""

    svg: str
    letters: Mapping[str, set[str]]
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
    squares = [element for element in root.iter() if element.get("id", "").startswith(KEPT_ID)]
    for element in squares:
        _link(element)
    width = float(root.attrib.pop("width").removesuffix("pt"))
    root.attrib.pop("height")
    # An image has no parts to reach: a figure with links is a group of them.
    first = {"role": "group" if squares else "img", "aria-label": alt,
             "style": f"max-width:{width * WIDEST:.0f}px;stroke-linejoin:round"}  # fmt: skip
    root.attrib = first | root.attrib
    return InlineFigure(ElementTree.tostring(root, encoding="unicode"), letters_of(root))


def _name_apart(root: Element, name: str) -> None:
    """Put the name of the figure before all ids that are referred to."""
    for element in root.iter():
        own = element.get("id", "")
        if own and not own.startswith(KEPT_ID):
            element.set("id", f"{name}-{own}")
        for key, value in element.items():
            for used in references(element, key):
                element.set(key, value.replace(f"#{used}", f"#{name}-{used}"))


def _link(square: Element) -> None:
    """Make a square a link to the row of its effect."""
    effect = square.attrib.pop("id").removeprefix(KEPT_ID)
    shape = Element(f"{{{SVG}}}g")
    shape.text, square.text = square.text, None
    for child in list(square):
        square.remove(child)
        shape.append(child)
    square.append(shape)
    square.tag = f"{{{SVG}}}a"
    square.attrib = {"href": f"#effect-{effect}", "aria-label": f"effect {effect}"}


def further_fonts(figures: Iterable[InlineFigure]) -> str:
    """Return the @font-face rules of all letters of some figures that are not common."""
    letters: dict[str, set[str]] = {}
    for figure in figures:
        for weight, used in figure.letters.items():
            letters.setdefault(weight, set()).update(used)
    return further_rules(letters)
