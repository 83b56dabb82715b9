"""The supplement: tables and all figures with captions, typeset as one tagged PDF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from osteometa.export.figures import Numbered
from osteometa.export.manuscript import numbered, paper_tables
from osteometa.figures.files import letters_of, quoted, typeset
from osteometa.report.findings import Review
from osteometa.report.table_files import MARGIN, TYPST_TEXT, typst_of

POINT = 72 / 25.4
"""Points of a millimetre."""
WIDTH, HEIGHT = (210 - 2 * MARGIN) * POINT, 240 * POINT
"""Room of a drawing on an upright page below its title and caption, points."""
PAGE = f'#set page("a4", flipped: {{}}, margin: {MARGIN}mm, numbering: "1")'
STYLE = (
    "#show heading: set block(above: 1.2em, below: 0.6em)\n"
    "#show heading.where(level: 1): set text(size: 13pt)\n"
    "#show heading.where(level: 2): set text(size: 9pt)\n"
    "#show title: set text(size: 17pt)"
)


def supplement_of(review: Review, figures: Sequence[Numbered]) -> bytes:
    """Return the PDF with a list of contents and page numbers, the same bytes each time."""
    title = f"{review.config.title}: supplement"
    paper = [figure for figure in figures if not figure.number.startswith("S")]
    parts = [
        f"#set document(title: {quoted(title)}, date: none)", PAGE.format("false"), TYPST_TEXT,
        STYLE, '#title()\n#outline(title: "Contents", depth: 2)', PAGE.format("true"),
        _heading(1, "Tables"), *_tables(review), PAGE.format("false"),
    ]  # fmt: skip
    inputs: dict[str, str] = {}
    letters: set[str] = set()
    rest = [figure for figure in figures if figure not in paper]
    for head, chosen in (("Figures", paper), ("Supplementary figures", rest)):
        if chosen:
            parts += ["#pagebreak(weak: true)", _heading(1, head)]
        for figure in chosen:
            pages = figure.pages()
            names = [f"f{figure.number}p{page}" for page in range(1, len(pages) + 1)]
            for name, page in zip(names, pages, strict=True):
                inputs[name] = ElementTree.tostring(page, "unicode")
                letters.update(*letters_of(page).values())
            parts.append(_figure(figure, dict(zip(names, pages, strict=True))))
    source = "\n".join(parts)
    return typeset(source, letters | set(source), inputs)


def _heading(level: int, text: str) -> str:
    return f"#heading(level: {level}, {quoted(text)})"


def _tables(review: Review) -> Iterator[str]:
    for number, table in enumerate(paper_tables(review), start=1):
        if table.rows:
            yield _heading(2, numbered(str(number), table))
            yield typst_of(table)


def _figure(figure: Numbered, pages: dict[str, Element]) -> str:
    """Return a figure: title and caption, which stay with its first page, then the others."""
    drawn = [_image(name, page, figure.row.alt) for name, page in pages.items()]
    head = _heading(2, f"Figure {figure.number}. {figure.title}")
    first = f"#block(breakable: false)[{head}\n#par({quoted(figure.caption)})\n{drawn[0]}]"
    return "\n".join([first, *drawn[1:]])


def _image(name: str, page: Element, alt: str) -> str:
    width, height = (float(page.attrib[side].removesuffix("pt")) for side in ("width", "height"))
    share = min(1, WIDTH / width, HEIGHT / height)
    return (
        f'#image(bytes(sys.inputs.{name}), format: "svg", width: {width * share:.2f}pt, '
        f"alt: {quoted(alt)})"
    )
