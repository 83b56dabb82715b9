"""References (RIS, BibTeX, PubMed's NBIB) as rows of studies.csv, and studies as references."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from osteometa.exchange.differences import Cells
from osteometa.exchange.rows import identifier
from osteometa.extraction.tables import Study
from osteometa.io.problems import Problem, ProblemsFound
from osteometa.io.sheet import Sheet, SheetError
from osteometa.validation.same_studies import plain_doi

KINDS = (".ris", ".bib", ".nbib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A publication as a file of references has it; empty where the file is silent."""

    number: int
    """Place in the file, from 1."""
    author: str
    """Family name of the first author."""
    year: str
    title: str
    journal: str
    """With volume and pages."""
    doi: str
    pmid: str


def read_references(path: Path) -> list[Reference]:
    """Return the references of a file.

    SheetError if the file cannot be read, is of another kind, or holds no reference.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise SheetError(f"The name must end in {', '.join(KINDS)}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        raise SheetError("The file cannot be opened. Check its name.") from None
    except UnicodeDecodeError:
        raise SheetError("The file is not UTF-8. Export it as UTF-8.") from None
    entries = {".ris": _of_ris, ".bib": _of_bibtex, ".nbib": _of_nbib}[kind](text)
    found = [_reference(number, cells) for number, cells in enumerate(entries, start=1)]
    if not found:
        raise SheetError("The file holds no reference.")
    return found


def ris_records(text: str) -> list[dict[str, Any]]:
    """Return the records of a RIS file, by the names of rispy; raises SheetError."""
    import rispy

    try:
        return rispy.loads(text)
    except (ValueError, OSError) as error:
        raise SheetError(f"The file cannot be read as RIS ({error}).") from None


def _of_ris(text: str) -> list[Cells]:
    def first(record: Mapping[str, Any], *names: str) -> str:
        found = next((record[name] for name in names if record.get(name)), "")
        return str(found[0] if isinstance(found, list) else found)

    return [
        {
            "author": first(item, "authors", "first_authors").partition(",")[0],
            "year": first(item, "year", "publication_year", "date"),
            "title": first(item, "title", "primary_title"),
            "journal": first(item, "alternate_title3", "journal_name", "secondary_title",
                             "alternate_title1", "alternate_title2"),
            "volume": first(item, "volume"),
            "pages": "-".join(filter(None, (first(item, "start_page"), first(item, "end_page")))),
            "doi": first(item, "doi"),
            "pmid": first(item, "accession_number") if _of_pubmed(item) else "",
        }
        for item in ris_records(text)
    ]  # fmt: skip


def _of_pubmed(record: Mapping[str, Any]) -> bool:
    """Return whether the accession number is PubMed's; other databases have their own."""
    names = f"{record.get('name_of_database', '')} {record.get('database_provider', '')}".lower()
    number = str(record.get("accession_number", ""))
    return number.isdigit() and ("pubmed" in names or "medline" in names)


def _of_bibtex(text: str) -> list[Cells]:
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.middlewares import LatexDecodingMiddleware, SeparateCoAuthors, SplitNameParts

    library = parse_string(
        text,
        append_middleware=[
            LatexDecodingMiddleware(keep_braced_groups=True),
            SeparateCoAuthors(),
            SplitNameParts(),
        ],
    )
    if library.failed_blocks:
        lines = ", ".join(str((block.start_line or 0) + 1) for block in library.failed_blocks)
        raise SheetError(f"The file cannot be read as BibTeX: see the entries at line {lines}.")
    found = []
    for entry in library.entries:
        fields = {name.lower(): field.value for name, field in entry.fields_dict.items()}
        names = fields.get("author") or []
        family = " ".join((*names[0].von, *names[0].last)) if names else ""
        date = str(fields.get("date", ""))
        journal = fields.get("journal") or fields.get("journaltitle", "")
        rest = {name: str(fields.get(name, "")) for name in ("title", "volume", "pages", "doi")}
        found.append(rest | {
            "author": family, "year": str(fields.get("year", date)), "journal": str(journal),
            "pmid": str(fields.get("pmid", "")),
        })  # fmt: skip
    return found


def _of_nbib(text: str) -> list[Cells]:
    import nbib
    from nbib.exceptions import MalformedLine, UnknownTagFormat

    try:
        items = nbib.read(text)
    except (MalformedLine, UnknownTagFormat, ValueError) as error:
        raise SheetError(f"The file cannot be read as NBIB ({error}).") from None
    return [
        {
            "author": (item.get("authors") or [{}])[0].get("last_name", ""),
            "year": str(item.get("publication_date", "")),
            "title": item.get("title", ""),
            "journal": item.get("journal", "") or item.get("journal_abbreviated", ""),
            "volume": str(item.get("journal_volume", "")), "pages": item.get("pages", ""),
            "doi": item.get("doi", ""), "pmid": str(item.get("pubmed_id", "")),
        }
        for item in items
    ]  # fmt: skip


def _reference(number: int, cells: Cells) -> Reference:
    plain = {name: " ".join(re.sub("[{}]", "", text).split()) for name, text in cells.items()}
    year = re.search(r"\b(?:19|20)\d\d\b", plain["year"])
    pages = re.sub("--|\N{EN DASH}", "-", plain["pages"])
    issue = ": ".join(filter(None, (plain["volume"], pages)))
    return Reference(
        number=number, author=plain["author"], year=year[0] if year else "", title=plain["title"],
        journal=f"{plain['journal']} {issue}".strip() if plain["journal"] else "",
        doi=plain_doi(plain["doi"]), pmid=plain["pmid"],
    )  # fmt: skip


def plain_title(text: str) -> str:
    """Return letters and digits of a title, small and without accents."""
    kept = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in kept if sign.isalnum())


def _names(doi: str, pmid: str, title: str) -> dict[str, str]:
    """Return by what two records are known to be the same publication."""
    known = {"DOI": plain_doi(doi), "PubMed number": pmid.strip(), "title": plain_title(title)}
    return {what: text for what, text in known.items() if text}


def new_studies(
    references: Iterable[Reference], studies: Sheet, stated: Cells, file: str
) -> tuple[Sheet, list[str]]:
    """Return studies.csv with a row for each new reference, and the duplicates in words.

    A reference with the DOI, PubMed number or title of a study that is there, or of a reference
    before it, is left out. `stated` are cells that hold for all new rows. ProblemsFound if a
    reference lacks its first author or its title.
    """
    known: dict[tuple[str, str], str] = {}
    ids = set()
    for _, line in studies.rows:
        row = dict(zip(studies.header, line, strict=False))
        cells = (row.get(name, "") for name in ("doi", "pmid", "title"))
        known |= dict.fromkeys(_names(*cells).items(), row["study_id"])
        ids.add(row["study_id"])
    added: list[Cells] = []
    duplicates, problems = [], []
    for item in references:
        if not item.author or not item.title:
            what = "first author" if not item.author else "title"
            found = item.title or item.author
            message = f"Reference {item.number} has no {what}. Enter it in the file."
            problems.append(Problem(file=file, code="E105", found=found, message=message))
            continue
        names = _names(item.doi, item.pmid, item.title)
        if same := next((name for name in names.items() if name in known), None):
            words = f"Reference {item.number} ({item.author} {item.year}): same {same[0]} as"
            duplicates.append(f"{words} {known[same]}. Left out.")
            continue
        own = f"{item.author} {item.year}".strip()
        labels = (own + sign for sign in ("", *ascii_lowercase[1:], *map(str, range(27, 1000))))
        label = next(label for label in labels if identifier(label) not in ids)
        study = identifier(label)
        ids.add(study)
        known |= dict.fromkeys(names.items(), study)
        added.append(stated | {
            "study_id": study, "label": label, "year": item.year, "title": item.title,
            "journal": item.journal, "doi": item.doi, "pmid": item.pmid,
        })  # fmt: skip
    if problems:
        raise ProblemsFound(problems)
    last = max((number for number, _ in studies.rows), default=1)
    lines = [tuple(row.get(name, "") for name in studies.header) for row in added]
    return Sheet(studies.header, (*studies.rows, *enumerate(lines, start=last + 1))), duplicates


def references_text(studies: Iterable[Study], kind: str) -> str:
    """Return studies as a file of references of a kind, '.ris' or '.bib'.

    The author is the name before the year in the label; a label of another form gives none.
    """
    if kind == ".ris":
        import rispy

        class Unnumbered(rispy.RisWriter):
            def set_header(self, count: int) -> str:
                return ""  # a line "1." before each reference is no RIS

        return rispy.dumps([_ris(study) for study in studies], implementation=Unnumbered)
    from bibtexparser.entrypoint import write_string
    from bibtexparser.library import Library
    from bibtexparser.middlewares import LatexEncodingMiddleware
    from bibtexparser.model import Block, Entry, Field

    entries: list[Block] = [
        Entry("article", study.study_id, [Field(name, text) for name, text in cells])
        for study in studies
        if (cells := [(name, text) for name, text in _bib(study).items() if text])
    ]
    return write_string(Library(entries), prepend_middleware=[LatexEncodingMiddleware()])


def _author(study: Study) -> str:
    found = re.fullmatch(r"(.+?)(?: et al\.?)? (?:19|20)\d\d[a-z]?", study.label)
    return found[1] if found else ""


def _ris(study: Study) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "type_of_reference": "JOUR", "id": study.study_id, "title": study.title,
        "year": str(study.year or ""), "alternate_title3": study.journal, "doi": study.doi,
        "label": study.label, "notes": [study.exclude_reason] if study.exclude_reason else [],
        "authors": [_author(study)] if _author(study) else [],
    }  # fmt: skip
    if study.pmid.isdigit():
        cells |= {"accession_number": study.pmid, "name_of_database": "PubMed"}
    return {name: value for name, value in cells.items() if value}


def _bib(study: Study) -> Cells:
    return {
        "author": _author(study), "title": study.title, "year": str(study.year or ""),
        "journal": study.journal, "doi": study.doi,
        "pmcid" if study.pmid.startswith("PMC") else "pmid": study.pmid,
        "note": study.exclude_reason,
    }  # fmt: skip
