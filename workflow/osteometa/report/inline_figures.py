"""Figures inside the report: SVG that shares one font, and squares that lead to their study."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path

from osteometa.figures.fonts import face, letters_of

FONT = re.compile(r"<style>(@font-face.*?)</style>", re.DOTALL)
PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
SQUARE = re.compile(r'<g id="square:([^"]+)">(.*?)</g>', re.DOTALL)
SIZE = re.compile(r'(<svg[^>]*?) width="([\d.]+)pt"', re.DOTALL)
HEIGHT = re.compile(r'(<svg[^>]*?) height="[\d.]+pt"', re.DOTALL)


def inline_svg(path: Path, name: str, alt: str) -> str:
    """Return a figure as SVG that can stand in a page beside others.

    Its font is left to the page, its ids get the name of the figure in front, a square becomes a
    link to the row of its effect, and the alternative text is its title.
    """
    svg = PROLOGUE.sub("", path.read_text(encoding="utf-8"))
    svg = FONT.sub("", svg)
    svg = re.sub(r"<style type=.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<(title|desc)>.*?</\1>", "", svg, flags=re.DOTALL)  # in aria-label below
    # Shapes of a drawing need no name in a page but for squares and what is referred to.
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = re.sub(
        r' id="([^"]+)"',
        lambda m: m.group(0) if m.group(1) in used or m.group(1).startswith("square:") else "",
        svg,
    )
    svg = re.sub(r' id="(?!square:)([^"]+)"', rf' id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = SQUARE.sub(_linked, svg)
    width = SIZE.search(svg)
    points = float(width.group(2)) if width else 0.0
    svg = SIZE.sub(r"\1", HEIGHT.sub(r"\1", svg, count=1), count=1)
    label = html.escape(alt, quote=True)
    style = f' style="max-width:{points * 96 / 72 * 1.25:.0f}px;stroke-linejoin:round"'
    # An image has no parts to reach: a figure with links is a group of them.
    role = "group" if '<a href="#effect-' in svg else "img"
    return svg.replace("<svg ", f'<svg role="{role}" aria-label="{label}"{style} ', 1)


def _linked(match: re.Match[str]) -> str:
    effect, shape = match.group(1), match.group(2)
    label = html.escape(f"effect {effect}", quote=True)
    return f'<a href="#effect-{effect}" aria-label="{label}"><g>{shape}</g></a>'


def page_fonts(svgs: Iterable[str]) -> str:
    """Return @font-face rules with all letters of some figures, for the page that holds them."""
    letters: dict[str, set[str]] = {}
    for svg in svgs:
        for weight, used in letters_of(svg).items():
            letters.setdefault(weight, set()).update(used)
    return "".join(face(weight, "".join(sorted(used))) for weight, used in sorted(letters.items()))
