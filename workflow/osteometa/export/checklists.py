"""PRISMA 2020 (Page 2021) and SWiM (Campbell 2020), filled from the record as far as it goes.

The items are in words of our own; those of the statements are longer and count. What only authors
can say is left to the authors.
"""

from collections.abc import Mapping, Sequence

from osteometa.export.figures import Numbered
from osteometa.extraction.judgements import counts_of
from osteometa.figures.catalogue import TOOLS
from osteometa.figures.flow import OTHER, WORDS
from osteometa.records.groups import grouped
from osteometa.report.answers import question
from osteometa.report.findings import Findings, Review
from osteometa.report.methods import (
    contribution_words,
    correlation_words,
    direction_words,
    model_words,
    scope_words,
    small_k_words,
    software_versions,
    type_words,
)
from osteometa.report.table_files import Table
from osteometa.wording.numbers import capital, counted, joined, studies, unbroken
from osteometa.wording.vocabulary import Measure, SynthesisStatus

AUTHORS = "for the authors"
PRISMA = {
    "Title": {"1": "Named as a systematic review"},
    "Abstract": {"2": "Checklist for abstracts"},
    "Introduction": {"3": "Rationale", "4": "Objectives or questions"},
    "Methods": {
        "5": "Eligibility criteria, and how studies were grouped",
        "6": "Information sources, with dates",
        "7": "Full search strategies, with limits",
        "8": "Selection: who screened, how, with which tools",
        "9": "Data collection: who, how, with which tools",
        "10a": "Outcomes, and which results were sought",
        "10b": "Other variables, and assumptions about missing information",
        "11": "Assessment of risk of bias",
        "12": "Effect measure of each outcome",
        "13a": "Which studies were eligible for each synthesis",
        "13b": "Preparation of the data, conversions, missing statistics",
        "13c": "How results are tabulated and displayed",
        "13d": "Methods of synthesis: model, heterogeneity, software",
        "13e": "Exploration of causes of heterogeneity",
        "13f": "Sensitivity analyses",
        "14": "Assessment of bias due to missing results",
        "15": "Assessment of certainty",
    },
    "Results": {
        "16a": "Flow of studies",
        "16b": "Studies that seem to be eligible but were excluded, and why",
        "17": "Characteristics of each study",
        "18": "Risk of bias of each study",
        "19": "Results of each study, with precision",
        "20a": "Characteristics and risk of bias behind each synthesis",
        "20b": "Results of all syntheses, with precision and heterogeneity",
        "20c": "Results on causes of heterogeneity",
        "20d": "Results of sensitivity analyses",
        "21": "Bias due to missing results, of each synthesis",
        "22": "Certainty of each outcome",
    },
    "Discussion": {
        "23a": "Interpretation beside other evidence",
        "23b": "Limitations of the evidence",
        "23c": "Limitations of the review process",
        "23d": "Implications for practice, policy, research",
    },
    "Other information": {
        "24a": "Registration", "24b": "Protocol", "24c": "Amendments", "25": "Support",
        "26": "Competing interests", "27": "Availability of data, code and materials",
    },
}  # fmt: skip
"""Items by section."""
SWIM = {
    "Methods": {
        "1": "How studies are grouped, and why",
        "2": "Standardised metric, and transformations",
        "3": "Methods of synthesis",
        "4": "Criteria by which results are prioritised",
        "5": "How heterogeneity is investigated where no meta-analysis is possible",
        "6": "Certainty of evidence",
        "7": "Methods of data presentation",
    },
    "Results": {"8": "Results of each synthesis, with the studies behind it"},
    "Discussion": {"9": "Limitations of the synthesis"},
}
"""The same."""
Filled = Mapping[str, tuple[str, str]]
"""What the record says of an item, and where that stands, by the number of the item."""


def prisma_table(review: Review, figures: Sequence[Numbered]) -> Table:
    """Return the PRISMA 2020 checklist."""
    filled = {**_methods(review), **_results(review, figures)}
    return _table(
        "PRISMA 2020 checklist", PRISMA, filled,
        "27 items in short; their full wording: Page MJ, McKenzie JE, Bossuyt PM, et al. BMJ 2021; "
        "372: n71 (CC BY 4.0).",
    )  # fmt: skip


def swim_table(review: Review, figures: Sequence[Numbered]) -> Table:
    """Return the SWiM checklist."""
    return _table(
        "SWiM checklist (synthesis without meta-analysis)", SWIM, _swim(review, figures),
        "9 items in short; their full wording: Campbell M, McKenzie JE, Sowden A, et al. BMJ 2020; "
        "368: l6890 (CC BY 4.0).",
    )  # fmt: skip


def _table(title: str, items: Mapping[str, Mapping[str, str]], filled: Filled, note: str) -> Table:
    rows = []
    for section, members in items.items():
        for number, topic in members.items():
            words, where = filled.get(number, ("", ""))
            rows.append((section, (number, topic, unbroken(words), where or AUTHORS)))
    return Table(
        title=title, heads=("Item", "Topic", "What the record says", "Where"),
        widths=(1.5, 5, 12, 5.5), rows=tuple(rows),
        note=f"{note} “{capital(AUTHORS)}”: the record does not say it, or only "
        "a part.",
    )  # fmt: skip


def _methods(review: Review) -> Filled:
    config, tables = review.config, review.tables
    here = "Methods"
    tools = sorted({TOOLS[row.tool] for row in tables.risk_of_bias})
    return {
        "1": (config.title, f"Title; {AUTHORS}"),
        "4": (question(config), f"{AUTHORS}; report.html, Summary"),
        "5": (f"{scope_words(config)} {type_words(config)}", f"{here}; population, dates and "
              f"languages {AUTHORS}"),
        "9": ("Numbers are entered as reported, each with its source; what is derived names its "
              "method and its cells.", f"Sheets effects and ledger; who and how {AUTHORS}"),
        "10a": (joined([outcome.label for outcome in config.outcomes.values()]),
                f"Sheet reported; {AUTHORS}"),
        "10b": (correlation_words(config, review.effects)[0], here),
        "11": (f"Tools: {joined(tools)}" if tools else "No judgement is entered "
               "(risk_of_bias.csv).", AUTHORS),
        "12": (measure_words(review), here),
        "13a": (f"Planned analyses: {len(review.findings)}. "
                f"{small_k_words(config)}", f"{here}; sheet syntheses"),
        "13b": (" ".join(correlation_words(config, review.effects)),
                f"{here}; sheet effects (method, inputs)"),
        "13c": ("Forest plots of pooled results; directions of all studies; tables.", "Figures"),
        "13d": (model_words(config, software_versions()), here),
        "13e": (type_words(config), f"{here}; sheets subgroups, type_contrasts, meta_regression"),
        "13f": (sensitivity_words(review.findings), "Sheets sensitivity to alternative_models"),
        "14": (small_study_words(review.findings), "Sheet small_study"),
        "15": (certainty_words(review), f"Table 2; {AUTHORS}"),
    }  # fmt: skip


def _results(review: Review, figures: Sequence[Numbered]) -> Filled:
    tables, found = review.tables, review.findings
    included = sum(study.include == "yes" for study in tables.studies)
    excluded = sum(study.include == "no" for study in tables.studies)
    pooled = sum(one.row.status == SynthesisStatus.POOLED for one in found)
    shown = sum(one.shown() is not None for one in found)
    risk = places(figures, *(f"risk_of_bias_{tool}" for tool in TOOLS))
    missing = len({row.study_id for row in review.missing})
    return {
        "16a": (flow_words(review), places(figures, "prisma")),
        "16b": (f"Excluded studies recorded, each with its reason: {excluded}.",
                "report.html, Excluded studies" if excluded else ""),
        "17": (f"Included studies: {included}.", "Table 3"),
        "18": ("" if risk else "No judgement is entered (risk_of_bias.csv).", risk),
        "19": ("Each effect with its interval, weight, method and cells.",
               _joined(places(figures, "forest"), "sheets effects, reported")),
        "20a": (contribution_words(review), "Table 3; report.html, each analysis"),
        "20b": (f"Analyses with an effect estimate: {shown}, of several studies: {pooled}.",
                _joined("Table 1", places(figures, "summary_forest", "forest"), "sheet pooled")),
        "20c": ("", _joined(places(figures, "type_contrasts", "bubble"),
                            "sheets subgroups, subgroup_test, type_contrasts, meta_regression")),
        "20d": (sensitivity_words(found), _joined(
            places(figures, "sensitivity_plot", "leave_one_out_plot", "specification_curve"),
            "sheets sensitivity to alternative_models")),
        "21": (f"Studies with missing cells that would add to an analysis or open one: {missing}.",
               _joined(places(figures, "funnel"), "sheets small_study, wanted")),
        "22": (certainty_words(review), f"Table 2; {AUTHORS}"),
        "23b": (contribution_words(review), AUTHORS),
        "27": ("Tables, settings, results and software versions are one archive (osteometa "
               "archive).", f"Archive; its address {AUTHORS}"),
    }  # fmt: skip


def _swim(review: Review, figures: Sequence[Numbered]) -> Filled:
    config = review.config
    return {
        "1": (f"By outcome, what was measured, site, design and time. {type_words(config)}",
              f"Methods; the reason {AUTHORS}"),
        "2": (f"{measure_words(review)} Where no estimate can be derived, the direction.",
              "Methods"),
        "3": (" ".join([model_words(config, software_versions()), *direction_words(config)]),
              "Methods"),
        "4": (f"{scope_words(config)} {small_k_words(config)}", "Methods"),
        "5": (type_words(config), _joined(places(figures, "directions"), AUTHORS)),
        "6": (certainty_words(review), f"Table 2; {AUTHORS}"),
        "7": ("Direction plot, harvest plot, albatross plot, evidence map; tables.",
              places(figures, "directions", "harvest", "albatross_plot", "evidence_map")),
        "8": (f"Sets of directions with sign tests: {len(review.direction_sets)}.",
              _joined(places(figures, "directions", "harvest"),
                      "sheets direction_sets, p_combination, reported")),
        "9": (contribution_words(review), AUTHORS),
    }  # fmt: skip


def places(figures: Sequence[Numbered], *names: str) -> str:
    """Return the figures of some kinds by their numbers; empty where none is drawn."""
    numbers = [figure.number for figure in figures if figure.row.figure in names]
    if not numbers:
        return ""
    return f"{'Figures' if len(numbers) > 1 else 'Figure'} {', '.join(numbers)}"


def _joined(*parts: str) -> str:
    return capital("; ".join(filter(None, parts)))


def measure_words(review: Review) -> str:
    """Return the primary measure of each outcome."""
    outcomes = review.config.outcomes
    names = grouped(outcomes, lambda name: outcomes[name].measures[0])
    return "; ".join(f"{joined(of)}: {Measure(m).plural}" for m, of in names.items()) + "."


def sensitivity_words(findings: Sequence[Findings]) -> str:
    """Return what was done beside the primary analyses, and for how many analyses."""
    kinds = {
        "sensitivity": "one choice at a time", "leave_one_out": "leave-one-out",
        "influence": "influence diagnostics", "gosh": "all subsets of studies",
        "multiverse_shares": "all combinations of choices",
        "alternative_models": "further models",
    }  # fmt: skip
    numbers = {
        words: sum(any(r.status == "ok" for r in getattr(one.tables, name)) for one in findings)
        for name, words in kinds.items()
    }
    done = [f"{words} ({counted(n, 'analysis', 'analyses')})" for words, n in numbers.items() if n]
    return f"{', '.join(done).capitalize()}." if done else "None was possible."


def small_study_words(findings: Sequence[Findings]) -> str:
    """Return for how many analyses small-study effects were tested."""
    number = sum(any(r.status == "ok" for r in one.tables.small_study) for one in findings)
    if not number:
        return "No analysis has enough studies for tests of small-study effects."
    return f"Tests of small-study effects in {counted(number, 'analysis', 'analyses')}."


def certainty_words(review: Review) -> str:
    """Return of how many analyses reviewers entered the certainty."""
    entered = {row.synthesis for row in review.tables.grade}
    shown = [found.row.synthesis for found in review.findings if found.shown() is not None]
    return (
        f"GRADE: certainty entered for {len(entered.intersection(shown))} of "
        f"{counted(len(shown), 'analysis', 'analyses')} with an effect estimate (grade.csv)."
    )


def flow_words(review: Review) -> str:
    """Return the counts of the PRISMA flow that are entered."""
    counts = counts_of(review.tables.prisma)
    if not counts:
        number = sum(study.include == "yes" for study in review.tables.studies)
        return f"Counts of the flow are not entered (prisma.csv). Included: {studies(number)}."
    return "; ".join(
        f"{'other methods, ' if box in OTHER else ''}{words[0].lower()}{words[1:]}: {counts[box]}"
        for box, words in WORDS.items() if box in counts
    ) + "."  # fmt: skip
