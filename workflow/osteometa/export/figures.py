"""The figures of a review, numbered as a journal numbers them, as files of a folder."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from osteometa.figures.catalogue import CAPTIONS
from osteometa.figures.files import RESOLUTION, files_of
from osteometa.io.csv_records import read_rows, write_rows, write_whole
from osteometa.records.figures import FigureRow
from osteometa.report.findings import Findings, Review
from osteometa.report.inline_figures import OWN_PARTS
from osteometa.report.sentences import heading

MAIN = ("prisma", "summary_forest")
"""Figures of the whole review that belong into a paper; so do forest plots of pooled results."""
LIST = "figures.csv"


class Numbered(NamedTuple):
    """A figure of a finished run with its number."""

    number: str
    """1, 2, ... in the paper, S1, S2, ... in the supplement."""
    synthesis: str
    """Empty for a figure of the whole review."""
    row: FigureRow
    about: str
    """The analysis in words; empty for a figure of the whole review."""
    folder: Path

    @property
    def title(self) -> str:
        """Return the title with what it is about."""
        return f"{self.row.title}. {self.about}" if self.about else self.row.title

    @property
    def caption(self) -> str:
        """Return what the figure shows."""
        return CAPTIONS[self.row.figure]

    def pages(self) -> list[Element]:
        """Return its pages as drawings without fonts and words about them."""
        names = [self.row.figure]
        names += [f"{self.row.figure}_{page}" for page in range(2, self.row.pages + 1)]
        return [_drawing(self.folder / f"{name}.svg") for name in names]


def _drawing(path: Path) -> Element:
    root = ElementTree.parse(path).getroot()
    for element in [one for one in root if one.tag in OWN_PARTS]:
        root.remove(element)
    return root


def numbered_figures(review: Review) -> list[Numbered]:
    """Return all figures that a run drew: those of the paper, then those of the supplement."""
    drawn = [(_in_paper(found, row), found, row) for found, row in _rows(review) if row.pages]
    figures = []
    for chosen, before in ((True, ""), (False, "S")):
        part = [(found, row) for in_paper, found, row in drawn if in_paper == chosen]
        for number, (found, row) in enumerate(part, start=1):
            name = found.row.synthesis if found else ""
            folder = review.root / "results" / name / "figures"
            about = heading(found) if found else ""
            figures.append(Numbered(f"{before}{number}", name, row, about, folder))
    return figures


def _rows(review: Review) -> Iterator[tuple[Findings | None, FigureRow]]:
    order = {name: place for place, name in enumerate(MAIN)}
    for row in sorted(review.figures, key=lambda row: order.get(row.figure, len(order))):
        yield None, row
    for found in review.findings:
        for row in found.figures:
            yield found, row


def _in_paper(found: Findings | None, row: FigureRow) -> bool:
    if found is None:
        return row.figure in MAIN
    return row.figure == "forest" and len(found.pool) > 1


def write_figures(
    figures: Sequence[Numbered], folder: Path, *, pattern: str, formats: Sequence[str]
) -> None:
    """Write figures under the names of a pattern such as `Figure_{n}`, and their list.

    A PDF has all pages of a figure; of other formats a further page is a file `Figure_1_2.png`.
    Figures of an earlier export, named in its list, are removed.
    """
    if (folder / LIST).is_file():
        for name, *_ in list(read_rows(folder / LIST))[1:]:
            (folder / Path(name).name).unlink(missing_ok=True)
    rows = []
    for figure in figures:
        stem = pattern.replace("{n}", figure.number)
        for kind in formats:
            for page, data in enumerate(_files(figure, kind), start=1):
                name = f"{stem}{f'_{page}' if page > 1 else ''}.{kind}"
                write_whole(folder / name, data)
                rows.append((name, figure.number, figure.row.figure, figure.synthesis,
                             figure.title, figure.caption))  # fmt: skip
    columns = ("file", "number", "figure", "synthesis", "title", "caption")
    write_rows(folder / LIST, columns, rows)


def _files(figure: Numbered, kind: str) -> list[bytes]:
    """Return a figure in a format: PDF and SVG as the run wrote them, images from the PDF."""
    made = figure.folder / f"{figure.row.figure}.pdf"
    if kind == "svg":
        numbers = ["", *(f"_{page}" for page in range(2, figure.row.pages + 1))]
        return [made.with_name(f"{made.stem}{n}.svg").read_bytes() for n in numbers]
    if kind == "pdf" and made.is_file():
        return [made.read_bytes()]
    if made.is_file():
        return list(_images(made.read_bytes(), kind))
    # A review whose `figures.formats` leaves PDF out.
    return files_of(figure.pages(), kind, title=figure.row.title, alt=figure.row.alt)


def _images(pdf: bytes, kind: str) -> Iterator[bytes]:
    from pypdfium2 import PdfDocument

    dots = RESOLUTION[kind]
    settings = {"compression": "tiff_lzw"} if kind == "tiff" else {}
    for page in PdfDocument(pdf):
        buffer = io.BytesIO()
        image = page.render(scale=dots / 72).to_pil().convert("RGB")  # pyright: ignore[reportArgumentType]
        image.save(buffer, kind, dpi=(dots, dots), **settings)
        yield buffer.getvalue()
