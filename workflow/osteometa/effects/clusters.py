"""Trials that allocate clusters of participants: the design effect."""

from __future__ import annotations

from dataclasses import replace

from osteometa.comparisons.build import Comparison
from osteometa.comparisons.summaries import Cell, row_flags
from osteometa.effects.basis import Estimate
from osteometa.effects.inputs import NotDerivableError
from osteometa.wording.vocabulary import Flag, Provenance


def design_effect(n: float, clusters: int, icc: float) -> float:
    """Return by how much the variance of n participants in clusters exceeds that of n others.

    1 + (m - 1) ICC, m = n / clusters being the mean size of a cluster (Cochrane Handbook 5.1,
    16.3.4). The effective number of participants is n over it, and need not be whole.
    """
    return max(1.0, 1 + (n / clusters - 1) * icc)


def with_design_effect(estimate: Estimate, comparison: Comparison) -> Estimate:
    """Return the estimate with its variance times the design effect of a cluster trial.

    That is its SE times the root (Cochrane Handbook 5.1, 16.3.6). A test that accounts for the
    clusters (flag CLADJ) needs none. NotDerivableError if the intracluster correlation, or n or
    clusters of an arm, are not reported.
    """
    exercise = [part.arm for part in comparison.parts] or [comparison.arm]
    arms = [*exercise, *([comparison.control] if comparison.control else [])]
    if not any(arm.clusters for arm in arms) or Flag.CLUSTER_ADJUSTED in estimate.flags:
        return estimate
    row = next((r for r in comparison.contrasts if r.statistic == "icc" and r.usable), None)
    if row is None or row.value is None:
        raise NotDerivableError(
            "clusters were allocated: neither their intracluster correlation nor a test that "
            "accounts for them is reported"
        )
    sizes = [n for n in estimate.n if n is not None]
    clusters = [arm.clusters for arm in arms if arm.clusters]
    n = sum(sizes) if len(sizes) == len(comparison.sides) else estimate.n_total
    if n is None or len(clusters) < len(arms):
        raise NotDerivableError("clusters were allocated: n and clusters of each arm are needed")
    cells = [Cell(row, "value"), *(Cell(arm, "clusters") for arm in arms)]
    return replace(
        estimate,
        vi=estimate.vi * design_effect(n, sum(clusters), float(row.value)),
        codes=(*estimate.codes, Provenance.DESIGN_EFFECT),
        flags=estimate.flags | row_flags(row),
        cells=(*estimate.cells, *cells),
        own_effect_term=False,
        worked=estimate.worked.converted(
            "yi = D", "vi = V * DE", DE=design_effect(n, sum(clusters), float(row.value))
        ),
    )
