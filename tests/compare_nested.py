"""Several effects per study, beside metafor, clubSandwich and robumeta."""

from __future__ import annotations

from collections.abc import Iterator

from compare import CLOSED_LIMIT, ITERATED_LIMIT, METAFOR, TIGHT, Comparison, compared
from osteometa.sensitivity.multilevel import multilevel, robust_variance

NESTED = METAFOR["multilevel_and_rve"]


def three_levels() -> Iterator[Comparison]:
    """Three-level models with CR2 standard errors and Satterthwaite df."""
    for name, data in NESTED.items():
        theirs = data["three_level_REML"]
        ours = multilevel(data["yi"], data["vi"], data["cluster"])
        robust = theirs["robust_CR2_satterthwaite"]
        rows = [("tau2", ours.tau2, theirs["sigma2"][0], 0.0),
                ("omega2", ours.omega2, theirs["sigma2"][1], 0.0),
                ("estimate", ours.estimate, theirs["beta"][0], 0.0),
                ("CR2 se", ours.se, robust["se"][0], 0.0),
                ("df", ours.df, robust["df"][0], 0.0),
                ("p", ours.p, robust["pval"][0], 0.0)]  # fmt: skip
        yield from compared("three levels", "REML", name, rows, ITERATED_LIMIT)


def correlated() -> Iterator[Comparison]:
    """Correlated effects with a variance within studies."""
    for theirs in TIGHT["che"]:
        data = NESTED[theirs["set"]]
        ours = multilevel(data["yi"], data["vi"], data["cluster"], rho=theirs["rho"])
        rows = [("estimate", ours.estimate, theirs["estimate"], 0.0),
                ("CR2 se", ours.se, theirs["se"], 0.0),
                ("df", ours.df, theirs["df"], 0.0),
                ("p", ours.p, theirs["p"], 0.0),
                ("tau2", ours.tau2, theirs["sigma2"][0], 0.0),
                ("omega2", ours.omega2, theirs["sigma2"][1], 0.0)]  # fmt: skip
        where = f"{theirs['set']} {theirs['rho']}"
        yield from compared("correlated effects", "CHE", where, rows, ITERATED_LIMIT)


def robust() -> Iterator[Comparison]:
    """Robust variance estimation as robumeta has it, corrected for small samples."""
    for name, data in NESTED.items():
        for rho in (0.8, 0.5):
            theirs = data["robumeta"][f"CORR_rho{rho}_small"]
            ours = robust_variance(data["yi"], data["vi"], data["cluster"], rho=rho)
            rows = [("tau2", ours.tau2, theirs["tau2"], 0.0),
                    ("estimate", ours.estimate, theirs["estimate"][0], 0.0),
                    ("CR2 se", ours.se, theirs["se"][0], 0.0),
                    ("df", ours.df, theirs["df"][0], 0.0),
                    ("p", ours.p, theirs["pval"][0], 0.0)]  # fmt: skip
            where = f"{name} {rho}"
            yield from compared("robust variances", "correlated", where, rows, CLOSED_LIMIT)


PARTS = (three_levels, correlated, robust)
