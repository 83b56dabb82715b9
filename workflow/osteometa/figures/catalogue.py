"""The figures by the names of their files, with their titles; the workflow expands over them."""

from osteometa.wording.choices import MEASURES

KINDS = {
    "forest": "Forest plot",
    "funnel": "Funnel plot",
    "baujat": "Baujat plot",
    "influence_plot": "Influence diagnostics",
    "leave_one_out_plot": "Leave-one-out analysis",
    "cumulative_plot": "Cumulative meta-analysis",
    "gosh_plot": "GOSH plot of all subsets",
    "specification_curve": "Specification curve",
    "bubble": "Meta-regression",
    "sensitivity_plot": "Sensitivity analyses",
    "type_contrasts": "Differences between exercise types",
}
"""Kinds of figures of a synthesis."""
HEADS = {**KINDS, **{f"forest_{m.lower()}": f"Forest plot, {m}" for m in MEASURES}}
"""All figures of a synthesis, with their titles in a list: those of its primary measure, and a
forest plot of each measure."""
NAMES = tuple(HEADS)
TOOLS = {"rob2": "RoB 2", "robins_i": "ROBINS-I", "nhlbi_prepost": "NHLBI before-after tool"}
"""Tools of risk of bias."""
TITLES = {
    "summary_forest": "Pooled effects by outcome and exercise type",
    "evidence_map": "Evidence map",
    "directions": "Reported directions",
    "harvest": "Harvest plot",
    "albatross_plot": "Albatross plot",
    "prisma": "Flow of studies (PRISMA 2020)",
    **{f"risk_of_bias_{tool}": f"Risk of bias: {name}" for tool, name in TOOLS.items()},
}
"""All figures of the whole review."""
CAPTIONS = {
    "forest": (
        "A square per study (area: weight) with its 95 % interval; an arrow where the "
        "interval leaves the axis. Diamonds: pooled effects, hollow for two studies. Orange "
        "bar: 95 % prediction interval. Dashed line: overall pooled effect. Hollow squares: "
        "shown, not pooled. Triangles: studies with a direction only."
    ),
    "funnel": (
        "Effects against their standard errors, precise studies at the top, with contours of "
        "statistical significance. Missing studies on one side may indicate publication bias."
    ),
    "baujat": (
        "Horizontal: contribution of each study to heterogeneity; vertical: its influence on "
        "the pooled effect."
    ),
    "influence_plot": (
        "Influence diagnostics of each study; triangles where a value exceeds its bound, "
        "names in bold where DFFITS, Cook's distance or the hat value does."
    ),
    "leave_one_out_plot": "Pooled effect without the study named.",
    "cumulative_plot": (
        "Pooled effect of all studies up to and including the one named; triangles where its "
        "sign, or whether its interval includes the null, differs from the primary result."
    ),
    "gosh_plot": (
        "Pooled effect and heterogeneity of every subset of the studies. Two clusters, or two "
        "peaks in a margin, indicate an outlying study."
    ),
    "specification_curve": (
        "Estimates of all combinations of defensible choices, in ascending order; the panel "
        "below shows the choices of each."
    ),
    "bubble": (
        "Effects against a covariate, area by weight, with the fitted line and its 95 % "
        "confidence band."
    ),
    "sensitivity_plot": "Pooled effect after one choice is changed.",
    "type_contrasts": (
        "First type minus second, with p adjusted for the number of pairs; hollow where one of "
        "the types has a single study."
    ),
    "forest_smd": "The same comparisons as standardised mean differences.",
    "forest_rom": "The same comparisons as ratios of means.",
    "forest_md": "The same comparisons as mean differences in the unit of measurement.",
    "summary_forest": (
        "Pooled effects of the review, one diamond per outcome and exercise type. Results of "
        "single studies are on a page of their own."
    ),
    "evidence_map": (
        "Number of studies by outcome and exercise type, with an effect estimate and with a "
        "direction only; area by participants."
    ),
    "directions": (
        "What each study reports of each outcome, whatever its significance, and the direction "
        "with which it counts in a sign test."
    ),
    "harvest": (
        "One bar per study by direction of effect, higher for stronger designs, with the "
        "number of the study."
    ),
    "albatross_plot": (
        "Number of participants against exact p values, with contours of equal effect size: "
        "for two arms, or for changes in one group."
    ),
    "prisma": "Flow of studies, from counts entered by the reviewers.",
    "risk_of_bias_rob2": (
        "Judgements of each randomised study and domain, entered by the reviewers."
    ),
    "risk_of_bias_robins_i": (
        "Judgements of each non-randomised study and domain, entered by the reviewers."
    ),
    "risk_of_bias_nhlbi_prepost": (
        "Judgements of each before-after study and question, entered by the reviewers."
    ),
}
"""What each figure shows, in the report of Snakemake and in the gallery."""


def page_of(stem: str) -> tuple[str, str]:
    """Return the name of a figure and its page from the name of a file without the ending."""
    name, _, page = stem.rpartition("_")
    return (name, page) if page.isdigit() else (stem, "1")
