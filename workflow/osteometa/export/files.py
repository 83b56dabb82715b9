"""All files of an export, each written whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from osteometa.exchange.references import references_text
from osteometa.export.figures import LIST, numbered_figures, write_figures
from osteometa.export.finished import config_of, manifest_of
from osteometa.export.manuscript import manuscript_of
from osteometa.export.supplement import supplement_of
from osteometa.export.workbook import sheets_of, workbook_of
from osteometa.io.csv_records import write_whole
from osteometa.report.findings import read_review


def write_export(root: Path, out: Path, *, pattern: str, formats: Sequence[str]) -> Iterator[Path]:
    """Write what authors hand in to `out` and yield each file; of the figures their list.

    `pattern` gives the names of figures, such as `Figure_{n}`. NotFinishedError if there is no
    finished run that is current.
    """
    manifest_of(root)
    config = config_of(root)
    review = read_review(root, config)
    figures = numbered_figures(review)
    names = [found.row.synthesis for found in review.findings]
    included = [study for study in review.tables.studies if study.include == "yes"]
    documents = {
        "manuscript.docx": lambda: manuscript_of(review, figures),
        "supplement.pdf": lambda: supplement_of(review, figures),
        "tables.xlsx": lambda: workbook_of(sheets_of(root, names), config.title),
        "references.ris": lambda: references_text(included, ".ris").encode(),
        "references.bib": lambda: references_text(included, ".bib").encode(),
    }
    for name, make in documents.items():
        write_whole(out / name, make())
        yield out / name
    write_figures(figures, out / "figures", pattern=pattern, formats=formats)
    yield out / "figures" / LIST
