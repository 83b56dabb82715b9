"""The figures by the names of their files, with their titles; the workflow expands over them."""

from __future__ import annotations

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
}
"""Kinds of figures of a synthesis."""
NAMES = (*KINDS, *(f"forest_{measure.lower()}" for measure in MEASURES))
"""All figures of a synthesis: those of its primary measure, and a forest plot of each measure."""
HEADS = {
    **KINDS,
    **{f"forest_{measure.lower()}": f"Forest plot, {measure}" for measure in MEASURES},
}
"""Their titles in a list."""
TOOLS = {"rob2": "RoB 2", "robins_i": "ROBINS-I", "nhlbi_prepost": "NHLBI before-after tool"}
"""Tools of risk of bias."""
TITLES = {
    "summary_forest": "Pooled effects by outcome and exercise type",
    "evidence_map": "Evidence map",
    "directions": "Direction of effects",
    "harvest": "Harvest plot",
    "albatross_plot": "Albatross plot",
    "prisma": "Flow of studies (PRISMA 2020)",
    **{f"risk_of_bias_{tool}": f"Risk of bias: {name}" for tool, name in TOOLS.items()},
}
"""All figures of the whole review."""
