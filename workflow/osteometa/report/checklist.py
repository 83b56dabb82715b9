"""PRISMA 2020 items and where this report answers them; what only authors can write says so."""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """One item of the checklist, with the place in the page; no place: the authors write it."""

    number: str
    topic: str
    anchor: str
    where: str


AUTHOR = "author"
ITEMS = (
    Item("1-4", "title, abstract, rationale, objectives", "", AUTHOR),
    Item("5", "eligibility criteria", "methods", "designs and comparators in the methods"),
    Item("6-8", "sources, search, selection", "", AUTHOR),
    Item("9, 10", "data collection, data items", "ledger", "typed rows, ledger; docs/codebook.md"),
    Item("11", "risk of bias assessment", "methods", "tool by design, judged by people"),
    Item("12", "effect measures", "methods", "methods, first sentence"),
    Item("13a", "which studies go into which synthesis", "glance", "planned analyses"),
    Item("13b", "preparing data", "methods", "methods; provenance and flags of every effect"),
    Item("13c", "tables and figures", "results", "results by analysis"),
    Item("13d", "synthesis methods", "methods", "methods"),
    Item("13e", "heterogeneity, subgroups", "results", "types of exercise, meta-regression"),
    Item("13f", "sensitivity analyses", "results", "what if, under each analysis"),
    Item("14", "reporting bias", "results", "small-study effects, under each analysis"),
    Item("15", "certainty", "summary", "summary of findings"),
    Item("16a, b", "study selection, exclusions", "studies", "flow in the methods, excluded"),
    Item("17", "study characteristics", "studies", "table of studies"),
    Item("18", "risk of bias in studies", "methods", "judgements, where entered"),
    Item("19", "results of studies", "results", "effects of the studies, with their cells"),
    Item("20a-d", "results of syntheses", "results", "pooled numbers and what if"),
    Item("21", "reporting biases", "results", "small-study effects"),
    Item("22", "certainty of evidence", "summary", "summary of findings"),
    Item("23-26", "discussion, registration, support, interests", "", AUTHOR),
    Item("27", "data and code", "provenance", "hashes, versions, manifest"),
)
