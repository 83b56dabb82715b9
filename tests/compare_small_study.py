"""Small-study analyses beside metafor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from compare import CLOSED_LIMIT, ITERATED_LIMIT, ORACLE, TIGHT, Comparison, arrays, compared
from osteometa.sensitivity.selection_model import selection_model
from osteometa.sensitivity.small_study import egger, pet_peese, rank_test
from osteometa.sensitivity.trim_fill import trim_fill

SETS = [name for name, data in ORACLE.items() if data.get("egger_regression_tests")]
# Nothing differs between equal effects: metafor gives what rounding left.
EQUAL = [name for name in SETS if name.startswith(("hard_identical", "hard_all_zero"))]
DIFFER = [name for name in SETS if name not in EQUAL]
EGGER = {
    "lm_sei": (None, "sei"), "lm_vi": (None, "vi"), "lm_ni": (None, "ni"),
    "lm_ninv": (None, "ninv"), "lm_sqrtninv": (None, "sqrtninv"), "rma_REML_sei": ("REML", "sei"),
    "rma_DL_sei": ("DL", "sei"), "rma_REML_vi": ("REML", "vi"),
}  # fmt: skip
SIDES = ("auto", "left", "right")


def predictor(name: str, kind: str) -> np.ndarray:
    """Return what Egger's test regresses on."""
    v = arrays(name)[1]
    if kind in ("sei", "vi"):
        return np.sqrt(v) if kind == "sei" else v
    n = np.array(ORACLE[name]["ni"], dtype=float)
    return {"ni": n, "ninv": 1 / n, "sqrtninv": 1 / np.sqrt(n)}[kind]


def egger_tests() -> Iterator[Comparison]:
    """Egger's test by a linear and by a mixed model, on several predictors."""
    for name in DIFFER:
        for key, (method, kind) in EGGER.items():
            theirs = ORACLE[name]["egger_regression_tests"].get(key)
            if theirs is None or "error" in theirs:
                continue
            ours = egger(*arrays(name), predictor=predictor(name, kind), method=method)
            rows = [("statistic", ours.statistic, theirs["stat"], 1.0),
                    ("p", ours.p, theirs["pval"], 1.0),
                    ("slope", ours.slope, theirs["slope"], ours.slope_se)]  # fmt: skip
            if theirs["intercept_limit_estimate"] is not None:
                wide = ours.ci_high - ours.ci_low
                rows += [
                    ("limit", ours.estimate, theirs["intercept_limit_estimate"], wide),
                    ("interval of the limit", ours.ci_low, theirs["limit_ci"][0], wide),
                    ("interval of the limit", ours.ci_high, theirs["limit_ci"][1], wide),
                ]
            yield from compared("Egger's test", method or "linear", name, rows)
    for name, theirs in TIGHT["sets"].items():
        for kind in ("ninv", "sqrtninv"):
            block = theirs[f"egger_REML_{kind}"]
            if block:
                ours = egger(*arrays(name), predictor=predictor(name, kind), method="REML")
                rows = [("statistic", ours.statistic, block["z"], 1.0),
                        ("p", ours.p, block["p"], 1.0),
                        ("limit", ours.estimate, block["limit"], block["se"]),
                        ("se of the limit", ours.se, block["se"], block["se"])]  # fmt: skip
                yield from compared("Egger's test", "REML", name, rows)


def rank_tests() -> Iterator[Comparison]:
    """Begg's rank test, ties as R has them."""
    for name in DIFFER:
        ours, theirs = rank_test(*arrays(name)), ORACLE[name]["rank_test"]
        rows = [("Kendall's tau", ours.statistic, theirs["kendall_tau"], 1.0),
                ("p", ours.p, theirs["pval"], 1e-3)]  # fmt: skip
        yield from compared("rank test", "exact or ties", name, rows, CLOSED_LIMIT)
    # R's cor.test alone would go over to the normal p at 50 studies, metafor does not.
    held = TIGHT["rank_of_52"]
    ours = rank_test(held["yi"], held["vi"])
    rows = [("Kendall's tau", ours.statistic, held["kendall_tau"], 1.0),
            ("p", ours.p, held["pval"], 1e-3)]  # fmt: skip
    yield from compared("rank test", "exact or ties", "rank_of_52", rows, CLOSED_LIMIT)


def trims() -> Iterator[Comparison]:
    """Trim and fill (L0) on each side; by REML at tight control where the oracle has it."""
    for name in SETS:
        for method in ("EE", "DL", "REML"):
            for side in SIDES:
                theirs = ORACLE[name]["trimfill"][f"{method}_L0_{side}"]
                if "error" in theirs:
                    continue
                ours = trim_fill(*arrays(name), method=method, ci="wald", side=side)
                wide = theirs["ci"][1] - theirs["ci"][0]
                rows = [*_filled(ours, theirs["k0"], theirs["side"]),
                        ("se of the number", ours.filled_se, theirs["se_k0"], 1.0)]  # fmt: skip
                yield from compared("trim and fill", method, name, rows)
                rows = [("estimate", ours.estimate, theirs["estimate"], wide),
                        ("se", ours.se, theirs["se"], wide)]  # fmt: skip
                fills = zip(ours.filled_yi, theirs["filled_yi"], strict=True)
                rows += [("filled effects", a, b, wide) for a, b in fills]
                fills = zip(ours.filled_vi, theirs["filled_vi"], strict=True)
                rows += [("filled variances", a, b, 1e-9 * b) for a, b in fills]
                # metafor refits by REML with its loose defaults whatever control is given.
                if method == "REML":
                    part, limit = "trim and fill, metafor's loose refit", 1e-3
                else:
                    part, limit = "trim and fill", CLOSED_LIMIT
                yield from compared(part, method, name, rows, limit)
    for name, theirs in ((n, t["trim_fill_REML"]) for n, t in TIGHT["sets"].items()):
        if theirs:
            y, v = arrays(name)
            ours = trim_fill(y, v, ci="wald")
            rows = [*_filled(ours, theirs["k0"], theirs["side"]),
                    ("estimate", ours.estimate, theirs["estimate"], theirs["se"]),
                    ("se", ours.se, theirs["se"], theirs["se"]),
                    ("tau2", ours.tau2, theirs["tau2"], float(np.mean(v)))]  # fmt: skip
            yield from compared("trim and fill", "REML", name, rows)


def _filled(ours: object, k0: int, side: str) -> list[tuple]:
    """Return the number of studies filled in and their side, right being 1."""
    return [("number filled", ours.filled, k0, 1.0),
            ("side", float(ours.side == "right"), float(side == "right"), 1.0)]  # fmt: skip


def pet_peeses() -> Iterator[Comparison]:
    """PET and PEESE by weighted least squares and by a mixed model."""
    for name in DIFFER:
        for method, kind in ((None, "wls"), ("REML", "rma_REML")):
            *both, _ = pet_peese(*arrays(name), method=method)
            for ours, key in zip(both, ("PET", "PEESE"), strict=True):
                theirs = ORACLE[name]["pet_peese"][f"{key}_{kind}"]
                if "error" not in theirs:
                    rows = [("estimate", ours.estimate, theirs["estimate"], theirs["se"]),
                            ("se", ours.se, theirs["se"], theirs["se"]),
                            ("p", ours.estimate_p, theirs["pval"], 1.0),
                            ("slope", ours.slope, theirs["slope"], theirs["slope_se"]),
                            ("p of the slope", ours.p, theirs["slope_p"], 1.0)]  # fmt: skip
                    yield from compared(key, method or "linear", name, rows)


def selections() -> Iterator[Comparison]:
    """The selection model with one step at one-sided p = .025, by maximum likelihood."""
    for name, theirs in ((n, t["selection"]) for n, t in TIGHT["sets"].items()):
        if not theirs:
            continue
        y, v = arrays(name)
        ours = selection_model(y, v)
        wide = ours.ci_high - ours.ci_low
        rows = [("estimate", ours.estimate, theirs["estimate"], wide),
                ("se", ours.se, theirs["se"], wide),
                ("tau2", ours.tau2, theirs["tau2"], float(np.mean(v)))]  # fmt: skip
        rows += [("relative chance", ours.slope, theirs["relative_chance"], 1.0),
                 ("relative chance se", ours.slope_se, theirs["relative_chance_se"], 1.0),
                 ("lrt", ours.statistic, theirs["lrt"], 1.0)]  # fmt: skip
        yield from compared("selection model", "ML", name, rows, ITERATED_LIMIT)


PARTS = (egger_tests, rank_tests, trims, pet_peeses, selections)
