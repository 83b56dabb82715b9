"""Pages and their texts: one font, measured before it is drawn."""

import math
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.ft2font import LoadFlags
from matplotlib.patches import Polygon, Rectangle

from osteometa.figures.fonts import FALLBACK, FAMILY, WEIGHTS, family_of, font, font_file
from osteometa.figures.palette import BLACK, BODY, POINT

BREAKS = str.maketrans("\t\n", "  ")
"""Where a line may end beside a space; a no-break space is no such place."""
LINE = 3.3
"""From one line of text to the next, mm."""
RISE = 0.375
"""Half the height of a line above its baseline, in parts of the size of the text."""


@cache
def set_up() -> None:
    """Set matplotlib's font and everything that must not depend on the machine."""
    mpl.rcdefaults()
    for weight in WEIGHTS:
        fontManager.addfont(font_file(FAMILY, weight))
    mpl.rcParams.update(
        {
            "font.family": [FAMILY, "sans-serif"],
            "font.sans-serif": [FALLBACK],
            "font.size": BODY,
            "svg.fonttype": "none",
            "svg.hashsalt": "osteometa",
            "axes.unicode_minus": True,
            "text.hinting": "none",  # texts are as wide in an image as in print
        }
    )


@cache
def _advance(letter: str, weight: str) -> float:
    """Return how far a letter moves the pen, in hundredths of the size of the text."""
    family = family_of(letter, weight)
    if not family:
        return 100.0  # about as wide as what stands in its place
    measured = font(font_file(family, weight))
    return measured.load_char(ord(letter), LoadFlags.NO_HINTING).linearHoriAdvance / 65536


@cache
def text_width(text: str, size: float = BODY, weight: str = "normal") -> float:
    """Return the width of a text in mm."""
    return math.fsum(_advance(letter, weight) for letter in text) * size / 100 * POINT


@cache
def missing_letters(text: str) -> str:
    """Return the letters of a text that no font here can draw."""
    return "".join(sorted({letter for letter in text if not family_of(letter, "normal")}))


def wrapped(text: str, width: float, size: float = BODY, weight: str = "normal") -> list[str]:
    """Return a text in lines no wider than `width` mm, broken between words, else within one."""
    lines: list[str] = []
    line = ""
    for word in filter(None, text.translate(BREAKS).split(" ")):
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


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of a size in mm, and one drawing area in mm from its upper left corner."""
    set_up()
    figure = Figure(figsize=(width / 25.4, height / 25.4), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set(xticks=[], yticks=[])
    axes.axis("off")
    return figure, axes


def put(
    axes: Axes, x: float, y: float, text: str, *, size: float = BODY, weight: str = "normal",
    align: str = "left", color: str = BLACK,
) -> None:  # fmt: skip
    """Write a text whose middle height is at y."""
    lost = missing_letters(text)
    if lost:
        words = "no TrueType font here has the letters"
        print(f"warning: {words} '{lost}' of '{text}'", file=sys.stderr)
    axes.text(
        x, y + RISE * size * POINT, text, fontproperties=_face(text, size, weight), ha=align,
        va="baseline", color=color, zorder=3, parse_math=False,
    )  # fmt: skip


@cache
def _face(text: str, size: float, weight: str) -> FontProperties:
    """Return the font of a text; a further family only where it needs one."""
    more = {family_of(letter, weight) for letter in text} - {"", FAMILY, FALLBACK}
    return FontProperties(family=[FAMILY, *sorted(more), "sans-serif"], weight=weight, size=size)


def put_lines(
    axes: Axes, x: float, y: float, lines: Iterable[str], step: float = LINE, **how: Any
) -> None:
    """Write lines of text below each other, the first at y; `how` is what `put` takes."""
    for index, line in enumerate(lines):
        put(axes, x, y + step * index, line, **how)


def polygon(axes: Axes, corners: Sequence[tuple[float, float]], face: str, **how: Any) -> None:
    """Draw a filled polygon; `how` is what matplotlib's takes."""
    axes.add_artist(Polygon(corners, facecolor=face, **how))


def rectangle(
    axes: Axes, x: float, y: float, width: float, height: float, face: str, **how: Any
) -> None:
    """Draw a filled rectangle from its upper left corner; `how` is what matplotlib's takes."""
    axes.add_artist(Rectangle((x, y), width, height, facecolor=face, **how))
