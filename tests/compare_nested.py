"""Several effects per study, beside metafor, clubSandwich and robumeta."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from compare import CLOSED_LIMIT, ITERATED_LIMIT, METAFOR, TIGHT, Comparison, compared
from osteometa.sensitivity.multilevel import multilevel, robust_variance

NESTED = METAFOR["multilevel_and_rve"]


def design(key: str) -> np.ndarray | None:
    """Return the moderators of a three-level model, by its name in the oracle."""
    moderators = NESTED["assink2016"]["moderators"]
    if key.endswith("deltype"):
        kinds = sorted(set(moderators["deltype"]))
        columns = [[float(k == kind) for k in moderators["deltype"]] for kind in kinds[1:]]
    elif key.endswith("year"):
        columns = [moderators["year"]]
    else:
        return None
    return np.column_stack([np.ones(len(columns[0])), *columns])


def three_levels() -> Iterator[Comparison]:
    """Three-level models with CR2 standard errors and Satterthwaite df."""
    for name, data in NESTED.items():
        for key in (key for key in data if key.startswith("three_level")):
            theirs, method = data[key], key.split("_")[2]
            X = design(key)
            ours = multilevel(data["yi"], data["vi"], data["cluster"], method=method, X=X)
            robust = theirs["robust_CR2_satterthwaite"]
            rows = [("tau2", ours.tau2, theirs["sigma2"][0], 0.0),
                    ("omega2", ours.omega2, theirs["sigma2"][1], 0.0),
                    ("log-likelihood", ours.log_likelihood, theirs["logLik"], 1.0)]  # fmt: skip
            for j, one in enumerate(ours.coefficients):
                rows += [("coefficients", one.estimate, theirs["beta"][j], 0.0),
                         ("se by the model", one.model_se, theirs["se"][j], 0.0),
                         ("CR2 se", one.se, robust["se"][j], 0.0),
                         ("df", one.df, robust["df"][j], 0.0),
                         ("p", one.p, robust["pval"][j], 0.0)]  # fmt: skip
            if theirs.get("I2_by_level"):
                found = (ours.i2_between, ours.i2_within)
                rows += [("I2 by level", a, b, 0.0)
                         for a, b in zip(found, theirs["I2_by_level"], strict=True)]  # fmt: skip
            where = name if X is None else f"{name} {key[len('three_level_REML_mods_') :]}"
            yield from compared("three levels", method, where, rows, ITERATED_LIMIT)


def correlated() -> Iterator[Comparison]:
    """Correlated effects, without and with a variance within studies."""
    blocks = [(name, 0.6, False, data["ce_vcalc_rho0.6"]) for name, data in NESTED.items()]
    blocks += [(theirs["set"], theirs["rho"], True, theirs) for theirs in TIGHT["che"]]
    names = {
        "estimate": "beta", "model_se": "se_model", "se": "se_CR2", "df": "df", "p": "pval",
    }  # fmt: skip
    for name, rho, within, theirs in blocks:
        data = NESTED[name]
        ours = multilevel(data["yi"], data["vi"], data["cluster"], rho=rho, within=within)
        found = {"estimate": ours.estimate, "model_se": ours.coefficients[0].model_se,
                 "se": ours.se, "df": ours.df, "p": ours.p}  # fmt: skip
        words = {"model_se": "se by the model", "se": "CR2 se"}
        rows = [(words.get(key, key), value, theirs[key if within else names[key]], 0.0)
                for key, value in found.items()]  # fmt: skip
        rows.append(("tau2", ours.tau2, theirs["sigma2"][0], 0.0))
        if within:
            rows.append(("omega2", ours.omega2, theirs["sigma2"][1], 0.0))
        method = "CHE" if within else "CE"
        yield from compared("correlated effects", method, f"{name} {rho}", rows, ITERATED_LIMIT)


def robust() -> Iterator[Comparison]:
    """Robust variance estimation as robumeta has it, corrected for small samples."""
    for name, data in NESTED.items():
        for key in ("CORR_rho0.8_small", "CORR_rho0.5_small", "HIER_small"):
            theirs, correlated = data["robumeta"][key], key.startswith("CORR")
            how = {"rho": float(key[8:11])} if correlated else {"structure": "hierarchical"}
            ours = robust_variance(data["yi"], data["vi"], data["cluster"], **how)
            rows = [("tau2", ours.tau2, theirs["tau2"], 0.0),
                    ("omega2", ours.omega2, theirs["omega2"], 0.0),
                    ("estimate", ours.estimate, theirs["estimate"][0], 0.0),
                    ("CR2 se", ours.se, theirs["se"][0], 0.0),
                    ("df", ours.df, theirs["df"][0], 0.0),
                    ("p", ours.p, theirs["pval"][0], 0.0)]  # fmt: skip
            where = f"{name} {how['rho']}" if correlated else name
            method = "correlated" if correlated else "hierarchical"
            yield from compared("robust variances", method, where, rows, CLOSED_LIMIT)


PARTS = (three_levels, correlated, robust)
