"""Effects and their variances, and sign tests, beside metafor and R."""

from __future__ import annotations

from collections.abc import Iterator

from builders import effects, level
from compare import CLOSED_LIMIT, METAFOR, Comparison, compared
from osteometa.directions.p_values import share_interval, sign_test
from osteometa.effects import formulas as f
from osteometa.numerics.distributions import hedges_j

GRID, MORRIS = METAFOR["escalc_grid"], METAFOR["pre_post"]
RAW = list(
    zip(*(GRID["raw"][k] for k in ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")), strict=True)
)
FORMULAS = {
    "MD_LS": f.md, "ROM_LS": f.rom, "SMDH_LS": f.smdh,
    **{f"SMD_{form}": lambda *raw, form=form: f.smd(*raw, form=form)
       for form in ("LS", "LS2", "UB")},
}  # fmt: skip


def escalc_grid() -> Iterator[Comparison]:
    """Two arms: every measure and form of variance, over means, SDs and n from mild to absurd."""
    for case, formula in FORMULAS.items():
        rows = []
        for raw, yi, vi in _grid(case):
            ours = formula(*raw)
            rows += [("effect", ours[0], yi, 1e-4), ("variance", ours[1], vi, 1e-9)]
        yield from compared("two arms", case, "escalc_grid", rows, CLOSED_LIMIT)
    raw, g, v = zip(*_grid("SMD_AV"), strict=True)
    n = [r[2] + r[5] for r in raw]
    mean = sum(a * b for a, b in zip(g, n, strict=True)) / sum(n)
    ours = [1 / r[2] + 1 / r[5] + f.g_term(mean, m) for r, m in zip(raw, n, strict=True)]
    rows = [("variance", mine, theirs, 1e-9) for mine, theirs in zip(ours, v, strict=True)]
    yield from compared("two arms", "SMD_AV", "escalc_grid", rows, CLOSED_LIMIT)
    exact = GRID["hedges_J_exact"]
    rows = [("factor J", hedges_j(m), j, 1e-9)
            for m, j in zip(exact["df"], exact["J"], strict=True) if j is not None]  # fmt: skip
    yield from compared("two arms", "SMD_LS", "escalc_grid", rows, CLOSED_LIMIT)


def _grid(case: str) -> Iterator[tuple]:
    """Yield the raw numbers with what metafor makes of them, rows it cannot do left out."""
    theirs = GRID["cases"][case]
    for raw, yi, vi in zip(RAW, theirs["yi"], theirs["vi"], strict=True):
        if vi is not None:
            yield raw, yi, vi


def pre_post() -> Iterator[Comparison]:
    """One arm before and after: by the methods, from levels and a reported r; SMCC by formula."""
    keys = ("m_pre", "sd_pre", "m_post", "sd_post", "ni", "ri")
    for arm in ("treatment", "control"):
        for trial, raw in enumerate(zip(*(MORRIS[arm][key] for key in keys), strict=True)):
            m0, s0, m1, s1, n, r = raw
            rows = [level("baseline", mean=m0, sd=s0, n=n), level("end", mean=m1, sd=s1, n=n),
                    ("contrasts", "e", "end", "r", {"value": r, "compares": "within"})]  # fmt: skip
            found = effects(rows)
            ours = {
                name: (found[measure].yi, found[measure].vi)
                for measure, name in {"MD": "MC", "SMD": "SMCR", "ROM": "ROMC"}.items()
            }
            for measure, (yi, vi) in {**ours, "SMCC": f.smcc(*raw)}.items():
                theirs = MORRIS["by_measure"][f"{measure}_{arm}"]
                both = [("effect", yi, theirs["yi"][trial], 1e-4),
                        ("variance", vi, theirs["vi"][trial], 1e-9)]  # fmt: skip
                where = f"morris2008 {arm} {trial + 1}"
                yield from compared("before and after", measure, where, both, CLOSED_LIMIT)


def vote_counting() -> Iterator[Comparison]:
    """Exact sign tests and Clopper-Pearson intervals, beside R's binom.test."""
    for name, theirs in METAFOR["vote_counting"].items():
        x, n = (int(part) for part in name.split("_of_"))
        limits = zip(share_interval(x, n), theirs["clopper_pearson_95"], strict=True)
        rows = [("p", sign_test(x, n), theirs["p_two_sided"], 1.0)]
        rows += [("interval of the share", ours, limit, 1.0) for ours, limit in limits]
        yield from compared("sign test", "exact", name, rows, CLOSED_LIMIT)


PARTS = (escalc_grid, pre_post, vote_counting)
"""In the order of the page."""
