"""How far the code agrees with metafor: `docs/agreement.md`, made from every comparison.

usage: python tests/agreement.py     (writes docs/agreement.md)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence

import compare_effects
import compare_nested
import compare_pools
import compare_small_study
import compare_studies
import numpy as np
from compare import HERE, ORACLE, POOLED, Comparison
from osteometa.pooling.model import pool

PAGE = HERE.parent / "docs" / "agreement.md"
PARTS: tuple[Callable[[], Iterator[Comparison]], ...] = (
    *compare_effects.PARTS, *compare_pools.PARTS, *compare_studies.PARTS,
    *compare_small_study.PARTS, *compare_nested.PARTS,
)  # fmt: skip
"""Every comparison there is, in the order of the page."""


def everything() -> list[Comparison]:
    """All comparisons, in the order of the page."""
    return [comparison for part in PARTS for comparison in part()]


def loose_defaults() -> list[tuple[str, int, int, float, str]]:
    """Per method: sets, those that metafor's default control misses by 1e-6, the worst of them."""
    rows = []
    for method in ("REML", "ML", "EB", "PM"):
        found = []
        for name in POOLED:
            data = ORACLE[name]
            theirs = (data.get("metafor_default_control_tau2") or {}).get(method)
            if isinstance(theirs, (int, float)):
                ours = pool(data["yi"], data["vi"], method=method).tau2
                scale = max(ours, float(np.mean(data["vi"])) / 1000)
                found.append((abs(theirs - ours) / scale, name))
        worst = max(found)
        off = sum(difference > 1e-6 for difference, _ in found)
        rows.append((method, len(found), off, *worst))
    return rows


def decade(difference: float) -> str:
    """The next power of ten above a difference; rounding makes no finer statement portable."""
    if difference <= 1e-12:
        return "1e-12"
    return f"1e{math.ceil(math.log10(difference)):+03d}"


def page(comparisons: Sequence[Comparison]) -> str:
    """The text of docs/agreement.md."""
    parts: dict[str, list[Comparison]] = {}
    for c in comparisons:
        parts.setdefault(c.part, []).append(c)
    lines = [INTRODUCTION.format(n=len(comparisons), sets=len({c.data for c in comparisons}))]
    for part, found in parts.items():
        lines += [f"### {part[0].upper()}{part[1:]}", "", *_table(found), ""]
    lines += ["## What does not agree, and why", ""]
    lines += list(_off(comparisons)) or ["With metafor at tight convergence: nothing."]
    lines += [LOOSE, "| method | sets | off by more than 1e-6 | largest | set |",
              "|---|---:|---:|---:|---|"]  # fmt: skip
    lines += [
        f"| {m} | {n} | {o} | {decade(d)} | {name} |" for m, n, o, d, name in loose_defaults()
    ]
    return "\n".join([*lines, CONVENTIONS, NOT_DONE])


def _off(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield a line for each model whose numbers do not agree, with the reason."""
    models: dict[tuple[str, str, str, str], list[Comparison]] = {}
    for c in comparisons:
        if not c.agrees:
            models.setdefault((c.data, c.part, c.method, reason(c)), []).append(c)
    for (data, part, method, why), found in models.items():
        numbers = "; ".join(
            f"{c.quantity} {c.ours:.4g}, metafor {c.theirs:.4g}" for c in found
        )  # fmt: skip
        yield f"- **{data}, {part}, {method}**: {numbers}. {why}"


def _table(found: Sequence[Comparison]) -> list[str]:
    """Rows of quantities, columns of methods: the largest difference and the number of sets."""
    methods = list(dict.fromkeys(c.method for c in found))
    lines = [f"| | {' | '.join(methods)} |", "|---|" + "---|" * len(methods)]
    for quantity in dict.fromkeys(c.quantity for c in found):
        cells = []
        for method in methods:
            here = [c for c in found if (c.quantity, c.method) == (quantity, method)]
            worst = decade(max((c.difference for c in here), default=0.0))
            cells.append(f"{worst} ({len({c.data for c in here})})" if here else "")
        lines.append(f"| {quantity} | {' | '.join(cells)} |")
    return lines


def reason(c: Comparison) -> str:
    """Why metafor's number is another; empty if it is not known."""
    if c.part.startswith("covariance") and c.ours == 0.0 and 0 < c.theirs < 1e-6 * c.scale:
        return "rma.mv searches over the logarithm of tau2 and cannot reach 0."
    if (c.part, c.data) == ("selection model", "gibson2002_MD"):
        # That ours is higher is tested: test_explore_small_study.py.
        return "metafor stops at a local maximum, whose log-likelihood is lower by more than 3."
    return ""


INTRODUCTION = """\
# Agreement with metafor

Made by `python tests/agreement.py` from `tests/oracle/` and the code; `make test` fails where they
differ. {n} numbers of {sets} data sets and models are compared with metafor 3.8-1, R, clubSandwich
and robumeta, at tight convergence. What these packages offer and is not compared is listed at the
end.

A difference is relative to metafor's number, or to a thousandth of its scale where that is larger
(the scale is the mean sampling variance for tau2, the width of the interval for estimates and
limits). The tolerance is 1e-8 for closed formulas and 1e-6 for results of an iterated tau2. A cell
gives the next power of ten above the largest difference (1e-12 is rounding) and, in brackets, the
number of data sets.

## Largest differences
"""

LOOSE = """
### Default convergence of metafor

By default metafor stops its search for tau2 at an absolute step of 1e-5 and its root searches at
1.2e-4, whatever the unit. For effects in g/cm2, whose tau2 is about 1e-5, that is not accurate; all
other numbers on this page are metafor's with tight convergence. The published t = 1.3593 of the 19
effects of Raudenbush (1985) under REML with Knapp-Hartung is of this kind: at tight control it is
1.35924.
"""

CONVENTIONS = """
### Conventions

- **Boundary.** metafor gives 1e-14 to 1e-17 where tau2 is 0; osteometa gives 0. This counts as
  agreement.
- **Two maxima.** The restricted likelihood of gibson2002_MD has a maximum at 0 and a higher one at
  9.68. metafor finds it from its starting value; osteometa finds every maximum of any set, because
  the terms of the score decrease in tau2 and so bound it between two points. A search that relies
  on the score at 0 returns 0.
- **Degrees of freedom of 0.** With k = 1, or k = 2 under the t(k-2) convention, metafor computes
  a prediction interval on t with 1 degree of freedom. osteometa gives none.
- **Standard error of 0.** If all effects are equal, plain Knapp-Hartung has standard error 0;
  metafor gives an infinite statistic. Here it is empty, p is 0 (empty if the effect is 0), and a
  note gives the reason.
- **One study.** metafor reports tau2 = 0 and I2 = 0 for k = 1. osteometa lists the study with its
  normal interval and leaves them empty.
- **EB and PM** solve the same equation, and so are one number here; metafor's two searches differ
  at its default control.
- **Profile likelihood with two maxima.** The interval spans all values that are not rejected, as
  metafor's does for gibson2002_MD, where some in between are.
- **Covariance.** t has the number of independent studies minus p degrees of freedom;
  rma.mv has normal or, with `test="t"`, rows minus p. The interval of tau2 is the generalised
  Q-profile; rma.mv's `confint` is a profile likelihood, which `tau2_ci="pl"` gives.
- **Prediction interval of a model with normal tests.** metafor 3.8 uses the normal
  distribution: for dat.molloy2014 by REML from -0.0371 to 0.3369; osteometa uses t(k-1) for each
  interval method: from -0.0535 to 0.3533. The tables above compare t with t.
- **Prediction interval of a common effect.** It would equal the confidence interval and is not
  given.
- **Influence** is measured in standard errors of the model with normal tests, whatever interval is
  reported. In a Knapp-Hartung model metafor scales each standard error by its own factor: its
  studentised residuals and DFFITS then differ by up to 3 % in dat.bcg and 9 % in dat.molloy2014,
  Cook's distances by up to 1 % and 7 %.
- **Selection model.** The likelihood can have several maxima; osteometa takes the highest of those
  that a search from several points finds. For dat.li2007 metafor stops at tau2 = 0.055 with
  log-likelihood -23.753; osteometa has tau2 = 0 with -23.200.
- **Pretest, posttest and control.** The variances published for the five trials of Morris (2008)
  take 2 (1 - r) / n for each arm, which holds if no SD changes and both arms have one SD. PPC
  takes the SDs as reported: .1069 instead of .1134 in the first trial, .2856 instead of .1634
  in the fifth (tests/effects/test_worked_checks.py, checks 17 and 18).
- **SMDH and ROM.** Variance and bias correction are those of metafor 3.8; later releases have
  others.
"""

NOT_DONE = """\
## Not done, and why

- **Fail-safe N** (`fsn`) counts how many null results would undo a p value. It gives no effect size
  and has no model.
- **Test of excess significance** (`tes`): it counts significant results, and takes the pooled
  effect for the true effect of every study.
- **Henmi and Copas** (`hc`): an interval about the common-effect mean, with DerSimonian and Laird's
  tau2. The common-effect row of `sensitivity.csv` and the selection model address the same
  question.
- **Trim and fill by R0 and Q0**: L0 is used.
- **Rank test by the normal approximation**: the p here is exact for any k without ties, and R's
  with them.
- **Standardised residuals and DFBETAS**: with an intercept only they carry the same information as
  the deleted residuals and DFFITS.
- **Baujat's plot of the common-effect model**: osteometa draws that of the reported method.
- **SMCC**: its unit is the SD of changes, and it may not be pooled with effects over the SD of
  levels; different r give different effects for one change.
- **SMCRH, SMD1, CVR, VR**: not used in reviews of this kind. **MD and ROM with one variance for
  both arms** (HO) or averaged over studies (AV): a trained and a control arm need not have one SD.
- **Sampled permutations** are compared within their sampling error only: R has other random
  numbers.
- **robumeta without its small-sample correction**: osteometa always applies it.
- **Zero, negative and missing variances** are rejected, naming the study; metafor continues with a
  warning.
"""


def same_page(a: str, b: str) -> bool:
    """Whether two pages say the same: powers of ten may differ by one, as processors round."""
    power = re.compile(r"1e[+-]\d+")
    if power.sub("", a) != power.sub("", b):
        return False
    pairs = zip(power.findall(a), power.findall(b), strict=True)
    return all(abs(int(x[2:]) - int(y[2:])) <= 1 for x, y in pairs)


if __name__ == "__main__":
    PAGE.write_text(page(everything()), encoding="utf-8")
