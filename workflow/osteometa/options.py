"""The words that config.yaml, the commands and the model choose between, each set once."""

from __future__ import annotations

ESTIMATORS = {
    "REML": "restricted maximum likelihood", "ML": "maximum likelihood",
    "DL": "DerSimonian-Laird", "HE": "Hedges", "HS": "Hunter-Schmidt", "SJ": "Sidik-Jonkman",
    "EB": "empirical Bayes", "PM": "Paule-Mandel", "EE": "common effect",
}  # fmt: skip
"""Estimators of tau2 by metafor's short names; EE takes it for 0."""
METHODS = tuple(ESTIMATORS)
CI_METHODS = ("wald", "hksj", "hksj-floor")
"""Intervals: normal or t quantiles as metafor has them, Hartung-Knapp, the same never narrower."""
EXERCISE_TYPES = ("resistance", "aerobic", "high_intensity", "combined", "other")
MEASURES = ("SMD", "ROM", "MD")
SMD_VARIANCES = ("LS", "LS2", "UB", "AV")
SMD_POST = ("pooled", "separate")
SMD_PRE_POST = ("ppc", "becker")
TRAINING_TIMES = ("end", "earliest", "latest")
STYLES = ("standard", "revman", "jama", "bmj", "metafor", "nature")
"""Presets of forest plots."""
WIDTHS = (89, 183)
"""One and two columns of a journal, mm."""


def studies_words(k: int) -> str:
    """Return a number of studies as the reasons of the tables have it."""
    return {0: "no study", 1: "1 study"}.get(k, f"{k} studies")
