"""The hierarchy of derivation methods: each is tried in order until one gives an effect."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from osteometa.comparisons.comparison import Comparison
from osteometa.comparisons.correlations import Correlations
from osteometa.comparisons.summaries import Cell, row_flags
from osteometa.effects import differences, paired, smd, within
from osteometa.effects.basis import Basis, Derive, Estimate, Methods
from osteometa.effects.inputs import NotDerivableError
from osteometa.extraction.units import NOT_STATED
from osteometa.protocol.config import Config
from osteometa.wording.vocabulary import DerivationMethod, Flag, Provenance

HIERARCHIES: dict[str, dict[str, Methods]] = {
    "two arms": {"SMD": smd.METHODS, "MD": differences.MD_METHODS, "ROM": differences.ROM_METHODS},
    "same participants": paired.METHODS,
    "one arm": within.METHODS,
}
"""Each measure's methods in order, by what is compared."""
FROM_LEVELS: dict[str, dict[str, tuple[Derive, ...]]] = {
    "two arms": {
        "SMD": (smd.pre_post_control, smd.post_scores),
        "MD": (differences.md_pre_post, differences.md_post),
        "ROM": (differences.rom_pre_post, differences.rom_post),
    },
    "same participants": paired.FROM_LEVELS,
    "one arm": within.FROM_LEVELS,
}
"""Methods that use levels alone, for which an SD may be borrowed."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One derivation method: the estimate it gave, or why it gave none."""

    measure: str
    method: DerivationMethod
    estimate: Estimate | None
    reason: str


def attempts_at(
    comparison: Comparison, measure: str, correlations: Correlations, config: Config, *,
    borrow: bool = False, only: DerivationMethod | None = None,
) -> list[Attempt]:  # fmt: skip
    """Try the derivation methods of a measure in order and stop at the first that can be used.

    The last attempt holds the estimate if there is one. With `borrow` an SD of other studies is the
    last method; its estimate is flagged BOR, for sensitivity analyses only. With `only` one method
    of the measure is tried, as if it were the first.
    """
    basis = Basis(comparison, correlations, config)
    compared = what_is_compared(comparison)
    methods = [m for m in HIERARCHIES[compared][measure] if only in (None, m[0])]
    if borrow:
        borrowed = _with_borrowed_sd(FROM_LEVELS[compared][measure])
        methods.append((DerivationMethod.BOR, borrowed))
    if measure == "MD" and comparison.unit == NOT_STATED:
        reason = "the unit is not stated, in which a mean difference would be"
        return [Attempt(measure, method, None, reason) for method, _ in methods]
    attempts: list[Attempt] = []
    for method, derive in methods:
        try:
            estimate = with_design_effect(derive(basis), comparison)
        except NotDerivableError as error:
            attempts.append(Attempt(measure, method, None, str(error)))
        else:
            attempts.append(Attempt(measure, method, estimate, ""))
            break
    return attempts


def what_is_compared(comparison: Comparison) -> str:
    """Return which hierarchy applies to a comparison, a key of HIERARCHIES."""
    if not comparison.controlled:
        return "one arm"
    return "same participants" if comparison.paired else "two arms"


def _with_borrowed_sd(methods: Sequence[Derive]) -> Derive:
    """BOR: the methods that use levels, with an SD of other studies by the same assay."""

    def derive(basis: Basis) -> Estimate:
        other = basis.with_borrowed_sds()
        reason = ""
        for method in methods:
            try:
                return method(other)
            except NotDerivableError as error:
                reason = reason or str(error)
        raise NotDerivableError(f"BOR: {reason}")

    return derive


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
    arms = [part.arm for part in comparison.parts] or [comparison.arm]
    arms += [comparison.control] if comparison.control else []
    if not any(arm.clusters for arm in arms) or Flag.CLUSTER_ADJUSTED in estimate.flags:
        return estimate
    rows = (row for row in comparison.contrasts if row.statistic == "icc" and row.usable)
    row = next((row for row in rows if row.value is not None), None)
    if row is None or row.value is None:
        raise NotDerivableError(
            "clusters were allocated: neither their intracluster correlation nor a test that "
            "accounts for them is reported"
        )
    clusters, n = [arm.clusters for arm in arms if arm.clusters], estimate.total
    if n is None or len(clusters) < len(arms):
        raise NotDerivableError("clusters were allocated: n and clusters of each arm are needed")
    cells = [Cell(row, "value"), *(Cell(arm, "clusters") for arm in arms)]
    factor = design_effect(n, sum(clusters), float(row.value))
    return replace(
        estimate, vi=estimate.vi * factor, own_effect_term=False,
        codes=(*estimate.codes, Provenance.DESIGN_EFFECT),
        flags=estimate.flags | row_flags(row), cells=(*estimate.cells, *cells),
        worked=estimate.worked.converted("yi = D", "vi = V * DE", DE=factor),
    )  # fmt: skip
