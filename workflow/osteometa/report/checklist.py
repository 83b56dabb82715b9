"""PRISMA 2020 items and where this report answers them; the rest is written by the authors."""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """One item of the checklist, with the place in the page; no place: the authors write it."""

    number: str
    topic: str
    anchor: str
    where: str


AUTHORS = "to be written by the authors"
ITEMS = (
    Item("1-4", "title, abstract, rationale, objectives", "", AUTHORS),
    Item("5", "eligibility criteria", "methods", "Methods: designs and comparators"),
    Item("6-8", "information sources, search strategy, selection process", "", AUTHORS),
    Item("9, 10", "data collection, data items", "ledger", "Ledger: raw rows; docs/codebook.md"),
    Item("11", "risk of bias assessment", "methods", "Methods: tool by design"),
    Item("12", "effect measures", "methods", "Methods: first sentence"),
    Item("13a", "studies eligible for each synthesis", "glance", "Overview: planned analyses"),
    Item("13b", "data preparation", "methods", "Methods; provenance and flags of each effect"),
    Item("13c", "tabulation and graphical methods", "results", "Results by analysis"),
    Item("13d", "synthesis methods", "methods", "Methods"),
    Item("13e", "exploration of heterogeneity", "results", "Exercise types, meta-regression"),
    Item("13f", "sensitivity analyses", "results", "Sensitivity analyses of each analysis"),
    Item("14", "reporting bias assessment", "results", "Small-study effects of each analysis"),
    Item("15", "certainty assessment", "summary", "Summary of findings"),
    Item("16a, b", "study selection, exclusions", "studies", "Flow diagram; excluded studies"),
    Item("17", "study characteristics", "studies", "Study characteristics"),
    Item("18", "risk of bias in studies", "methods", "Judgements, where entered"),
    Item("19", "results of individual studies", "results", "Effects of the studies"),
    Item("20a-d", "results of syntheses", "results", "Pooled results, sensitivity analyses"),
    Item("21", "reporting biases", "results", "Small-study effects of each analysis"),
    Item("22", "certainty of evidence", "summary", "Summary of findings"),
    Item("23-26", "discussion, registration, support, competing interests", "", AUTHORS),
    Item("27", "availability of data and code", "provenance", "Provenance: hashes, versions"),
)
