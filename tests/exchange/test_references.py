"""Files of references and screening exports, brought in and written."""

import csv
import re

import bibtexparser
import pytest
import rispy
from builders import output_of
from osteometa.exchange.references import read_references
from osteometa.exchange.screening import counts, read_screening
from osteometa.io.sheet import SheetError

RIS = """TY  - JOUR
AU  - Müller, Anna
AU  - Smith, Jo
TI  - Bone density after walking
PY  - 2010/05//
JO  - Bone
VL  - 3
SP  - 1
EP  - 9
DO  - https://doi.org/10.1/ABC
AN  - 123
DB  - PubMed
ER  -

"""
BIB = r"""@article{key, author = {Anna M{\"u}ller and Jo Smith}, year = 2010, volume = 3,
  title = {{Bone} density after walking}, journal = {Bone}, pages = {1--9}, doi = {10.1/abc},
  pmid = {123}}
"""
NBIB = """PMID- 123
TI  - Bone density after
      walking
DP  - 2010 May
AU  - Müller A
FAU - Müller, Anna
JT  - Bone
VI  - 3
PG  - 1-9
LID - 10.1/abc [doi]
AID - 10.1/abc [doi]

"""
FILES = {"a.ris": RIS, "a.bib": BIB, "a.nbib": NBIB}


def file(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def studies(review):
    with (review / "data/raw/studies.csv").open(encoding="utf-8", newline="") as lines:
        return {row["study_id"]: row for row in csv.DictReader(lines)}


@pytest.mark.parametrize("name", FILES)
def test_the_three_kinds_tell_the_same(name, tmp_path):
    (found,) = read_references(file(tmp_path, name, FILES[name]))
    assert (found.author, found.year, found.title) == (
        "Müller", "2010", "Bone density after walking",
    )  # fmt: skip
    assert (found.journal, found.doi, found.pmid) == ("Bone 3: 1-9", "10.1/abc", "123")


def test_a_number_of_another_database_is_none_of_pubmed(tmp_path):
    (found,) = read_references(file(tmp_path, "a.ris", RIS.replace("PubMed", "Embase")))
    assert found.pmid == ""


def test_a_corporate_author_stays_whole(tmp_path):
    text = BIB.replace(r"Anna M{\"u}ller", "{{World Health Organization}}")
    assert "World" in text
    (found,) = read_references(file(tmp_path, "a.bib", text))
    assert found.author == "World Health Organization"


@pytest.mark.parametrize(
    ("name", "text"), [("a.ris", "no"), ("a.bib", "@article{a, title = {x"), ("a.nbib", "no"),
                       ("a.txt", RIS)],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(name, text, tmp_path):
    with pytest.raises(SheetError):
        read_references(file(tmp_path, name, text))


def test_references_become_studies_and_duplicates_are_named(small, capsys):
    other = RIS.replace("Bone density after walking", "A trial of walking.").replace("/ABC", "/x")
    text = (
        RIS
        + RIS.replace("/ABC", "/other").replace("Bone d", "BONE: D")
        + other.replace("AN  - 123\n", "")
    )
    path = file(small, "search.ris", text)
    before = studies(small)
    assert output_of(capsys, "references", path, small)[0] == 2
    assert studies(small) == before
    words = ("references", path, small, "--design", "rct", "--include", "yes", "--yes")
    status, out, _ = output_of(capsys, *words)
    assert status == 0 and "Reference 2 (Müller 2010): same PubMed number as muller_2010." in out
    assert "muller_2010b: A trial of walking. Bone 3: 1-9 doi 10.1/x, pmid -" in out
    new = {key: row for key, row in studies(small).items() if key not in before}
    assert set(new) == {"muller_2010", "muller_2010b"} and len(before) + 2 == len(studies(small))
    row = new["muller_2010"]
    assert (row["label"], row["year"], row["doi"], row["pmid"], row["population"]) == (
        "Müller 2010", "2010", "10.1/abc", "123", "",
    )  # fmt: skip
    status, out, _ = output_of(capsys, *words)
    assert status == 0 and out.count("Left out.") == 3 and "No cell differs." in out


def test_a_reference_without_author_stops_all(small, capsys):
    path = file(small, "search.ris", RIS + re.sub("AU .*\n", "", RIS))
    before = studies(small)
    status, out, _ = output_of(
        capsys, "references", path, small, "--design", "rct", "--include", "yes", "--yes"
    )
    assert status == 1 and "Reference 2 has no first author." in out and studies(small) == before


@pytest.mark.parametrize("kind", ["ris", "bib"])
def test_what_is_written_is_read_back(kind, small, capsys):
    path = file(small, "search.bib", BIB.replace("walking", r"100 \% walking \& rest_1"))
    assert output_of(capsys, "references", path, small, "--design", "rct", "--include", "no",
                     "--reason", "no control", "--yes")[0] == 0  # fmt: skip
    out = small / f"out.{kind}"
    for which, number in (("included", 10), ("excluded", 1), ("all", 11)):
        assert output_of(capsys, "references", small, "--out", out, "--which", which)[0] == 0
        text = out.read_text(encoding="utf-8")
        read = rispy.loads(text) if kind == "ris" else bibtexparser.parse_string(text).entries
        assert len(read) == number
    (one,) = [item for item in read_references(out) if item.doi]
    assert (one.author, one.year, one.title) == (
        "Müller",
        "2010",
        "Bone density after 100 % walking & rest_1",
    )
    assert (one.journal, one.doi, one.pmid) == ("Bone 3: 1-9", "10.1/abc", "123")


def rayyan(*records):
    """An export of Rayyan: for each record the decisions, and the reasons where there are some."""
    lines = ["key,title,year,notes"]
    for number, (decisions, reasons) in enumerate(records):
        named = ", ".join(f'""r{i}""=>""{word}""' for i, word in enumerate(decisions))
        more = f" | RAYYAN-EXCLUSION-REASONS: {reasons}" if reasons else ""
        lines.append(f'{number},Title {number},2010,"RAYYAN-INCLUSION: {{{named}}}{more}"')
    return "\n".join(lines) + "\n"


def test_rayyan_counts_reports_with_their_reasons(tmp_path):
    text = rayyan(
        (("Included", "Included"), ""), (("Excluded", "Excluded"), "wrong population"),
        (("Excluded",), "wrong population"), (("Excluded",), "foreign language,no control"),
        (("Excluded",), ""),
    )  # fmt: skip
    found = read_screening(file(tmp_path, "articles.csv", text), None, None)
    assert counts(found, "reports") == [
        {"box": "assessed", "n": "5"}, {"box": "excluded_reports", "n": "4"},
        {"box": "excluded_reports", "reason": "wrong population", "n": "2"},
        {"box": "excluded_reports", "reason": "foreign language, no control", "n": "1"},
    ]  # fmt: skip
    assert [row["box"] for row in counts(found, "titles")] == ["screened", "excluded"]


@pytest.mark.parametrize("words", [("Included", "Excluded"), ("Maybe",), ()])
def test_records_without_one_decision_are_named(words, tmp_path):
    text = rayyan((("Included",), ""), (words, ""))
    found = read_screening(file(tmp_path, "articles.csv", text), None, None)
    with pytest.raises(SheetError, match=r"1 of 2 records .*: Title 1"):
        counts(found, "titles")


@pytest.mark.parametrize("column", ["asreview_label", "included"])
def test_asreview_counts_seen_and_unseen_records(column, tmp_path):
    path = file(tmp_path, "a.csv", f"title,{column},year\na,1,1\nb,0,1\nc,0,1\nd,,1\n")
    assert counts(read_screening(path, None, None), "titles") == [
        {"box": "removed_automation", "n": "1"}, {"box": "screened", "n": "3"},
        {"box": "excluded", "n": "2"},
    ]  # fmt: skip
    note = "N1  - ASReview_{}\nER  -"
    ris = "".join(RIS.replace("ER  -", note.format(word)) for word in ("relevant", "irrelevant"))
    found = read_screening(file(tmp_path, "a.ris", ris), None, None)
    assert [row["n"] for row in counts(found, "titles")] == ["2", "1"]


def test_covidence_lists_excluded_reports_and_counts_are_written(small, capsys):
    text = (
        "Title,Authors,Covidence #,Notes\nA,x,#1,Exclusion reason: Wrong outcomes; \n"
        "B,y,#2,Exclusion reason: Wrong outcomes; \nC,z,#3,Exclusion reason: No control; \n"
    )
    path = file(small, "excluded.csv", text)
    status, out, _ = output_of(capsys, "references", path, small, "--screening", "reports", "--yes")
    assert status == 0 and "The tables are written." in out
    assert (small / "data/raw/prisma.csv").read_text(encoding="utf-8").splitlines()[-3:] == [
        line.format("excluded_reports")
        for line in ("{},3,", "{},2,Wrong outcomes", "{},1,No control")
    ]
    assert output_of(capsys, "references", path, small, "--screening", "titles")[0] == 1
