"""The look of every figure: one font, one palette, and files that are the same on every machine."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ft2font import FT2Font

from osteometa.figures.fonts import FAMILY, face, font_files

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
def text_width(text: str, size: float = BODY, weight: str = "normal") -> float:
    """Return the width of a text in mm."""
    width = 0.0
    for font, part in _runs(text, weight):
        font.set_text(part, 0.0)
        width += font.get_width_height()[0] / 64
    return width * size / 100 * POINT


def _runs(text: str, weight: str) -> list[tuple[FT2Font, str]]:
    covered = _covered(weight)
    runs: list[tuple[FT2Font, str]] = []
    for letter in text:
        font = _font(weight) if ord(letter) in covered else _fallback()
        if runs and runs[-1][0] is font:
            runs[-1] = (font, runs[-1][1] + letter)
        else:
            runs.append((font, letter))
    return runs


def missing_letters(text: str) -> str:
    """Return the letters of a text that no font here can draw."""
    known = _covered("normal") | frozenset(_fallback().get_charmap())
    return "".join(sorted({letter for letter in text if ord(letter) not in known}))


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
    axes.text(
        x, y, text, fontsize=size, fontweight=weight, ha=align,
        va="center_baseline", color=color, zorder=6 if over else 3, parse_math=False,
        bbox={"facecolor": "white", "lw": 0, "pad": 0.4, "alpha": 0.85} if over else None,
    )  # fmt: skip


def save(figure: Figure, stem: str | Path, more: Sequence[Figure] = ()) -> None:
    """Write stem.pdf, stem.svg and stem.png, each whole or not at all, the same on every run.

    Further pages (`more`) go into the PDF; SVG and PNG hold one page.
    """
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    for kind, metadata in (
        ("pdf", {"CreationDate": None, "Producer": None, "Creator": None}),
        ("png", {"Software": None}),
        ("svg", {"Date": None, "Creator": None}),
    ):
        buffer = io.BytesIO()
        if kind == "pdf" and more:
            with PdfPages(buffer, metadata=metadata) as pages:
                for page in (figure, *more):
                    pages.savefig(page)
        else:
            figure.savefig(buffer, format=kind, dpi=300, metadata=metadata)
        data = buffer.getvalue()
        if kind == "svg":
            data = _with_fonts(_rounded(data.decode("utf-8")), _letters(figure)).encode("utf-8")
        target = stem.with_name(f"{stem.name}.{kind}")
        part = target.with_name(f".{target.name}.part")
        part.write_bytes(data)
        part.replace(target)


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
