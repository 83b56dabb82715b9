"""What happens without a study, or study by study, beside metafor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from compare import ITERATED_LIMIT, ORACLE, TIGHT, Comparison, arrays, compared
from osteometa.sensitivity.influence import PooledEffects, cumulative, influence
from osteometa.sensitivity.permutation import permute_moderator, sign_flip

DIAGNOSTICS = {
    "rstudent": "rstudent", "dffits": "dffits", "cook_d": "cook_d", "cov_ratio": "cov_r",
    "tau2_without": "tau2_del", "q_without": "QE_del", "hat": "hat",
}  # fmt: skip


def set_of(data: dict, method: str = "REML", ci: str = "hksj-floor") -> PooledEffects:
    """Return a set of the oracle as effects of studies s000, s001 and so on."""
    y, v = np.array(data["yi"], float), np.array(data["vi"], float)
    names = tuple(f"s{i:03d}" for i in range(len(y)))
    years = tuple(data.get("year") or [None] * len(y))
    return PooledEffects(names, names, names, y, v, None, years, method, ci)


def _column(
    quantity: str, ours: Sequence[float | None], theirs: Sequence[float | None], least: float = 1e-5
) -> list[tuple]:
    """Pair two columns; the scale is the largest of metafor's, and `least` where it has only 0."""
    scale = max([least, *(abs(t) for t in theirs if t is not None)])
    return [(quantity, a, b, scale) for a, b in zip(ours, theirs, strict=True)]


def diagnostics() -> Iterator[Comparison]:
    """Deletion diagnostics, of models with normal tests: see the conventions; Baujat's points."""
    for name, data in ORACLE.items():
        for method in ("REML", "DL"):
            theirs = data.get(f"influence_{method}") or {}
            if "rstudent" not in theirs:
                continue
            rows, pairs = influence(set_of(data, method)), []
            for ours, key in DIAGNOSTICS.items():
                least = float(np.mean(data["vi"])) if ours == "tau2_without" else 1e-5
                pairs += _column(ours, [getattr(row, ours) for row in rows], theirs[key], least)
            yield from compared("influence", method, name, pairs, ITERATED_LIMIT)
            baujat = data.get(f"baujat_{method}") or {}
            if "x" in baujat:
                pairs = _column("x", [row.baujat_x for row in rows], baujat["x"])
                pairs += _column("y", [row.baujat_y for row in rows], baujat["y"])
                yield from compared("Baujat's plot", method, name, pairs, ITERATED_LIMIT)


def cumulated() -> Iterator[Comparison]:
    """Cumulative pools. metafor was given a vector to sort by: it stands in for the years."""
    for name, data in ORACLE.items():
        for method in ("REML", "DL"):
            theirs = (data.get("cumulative") or {}).get(method) or {}
            if "estimate" not in theirs:
                continue
            ranked = {**data, "year": theirs["order_1based"]}
            rows = [row for row in cumulative(set_of(ranked, method, "wald"))
                    if row.sequence == "year"]  # fmt: skip
            pairs = []
            for ours, key in (("estimate", "estimate"), ("se", "se"), ("ci_low", "ci_lb"),
                              ("ci_high", "ci_ub"), ("tau2", "tau2")):  # fmt: skip
                least = float(np.mean(data["vi"])) ** (1.0 if ours == "tau2" else 0.5)
                mine = [getattr(row, ours) for row in rows]
                quantity = "interval" if ours.startswith("ci") else ours
                # One study alone has no tau2 here, metafor's is 0.
                start = 1 if ours == "tau2" else 0
                pairs += _column(quantity, mine[start:], theirs[key][start:], least)
            yield from compared("cumulative", method, name, pairs, ITERATED_LIMIT)


def permutations() -> Iterator[Comparison]:
    """Exact tests: all flips of signs, all orders of a moderator."""
    for name, data in ORACLE.items():
        for method in ("DL", "REML"):
            theirs = data.get(f"permutest_exact_{method}")
            if theirs:
                p = sign_flip(data["yi"], data["vi"], method=method).p
                rows = [("p of sign flips", p, theirs["pval"], 1e-9)]
                yield from compared("permutation", method, name, rows)
    hine, first = TIGHT["hine"], TIGHT["bcg"]["first_six_ablat"]
    rows = [("p of sign flips", sign_flip(hine["yi"], hine["vi"]).p, hine["p"], 1e-9)]
    yield from compared("permutation", "REML", "hine1989", rows)
    y, v = arrays("bcg_RR")
    # Two trials share a latitude: 360 different orders of 720.
    p = permute_moderator(y[:6], v[:6], first["ablat"], ci="wald").p
    rows = [("p of a moderator", p, first["p"], 1e-9)]
    yield from compared("permutation", "REML", "bcg_RR", rows)


PARTS = (diagnostics, cumulated, permutations)
