"""From an estimate of a comparison to its row of `effects.csv`."""

from __future__ import annotations

from osteometa.comparisons.build import Comparison, type_by_paper
from osteometa.comparisons.summaries import row_flags
from osteometa.directions.entries import common_columns
from osteometa.effects.basis import Estimate
from osteometa.protocol.config import Config
from osteometa.records.effects import Effect


def disputes(cell) -> bool:
    """Tell whether a cell stands in a disputed row."""
    return bool(getattr(cell.row, "disputed", ""))


def effect_row(
    comparison: Comparison, measure: str, estimate: Estimate, placed: tuple[str, str], *,
    name_population: bool, risk_of_bias: str, config: Config,
) -> Effect:  # fmt: skip
    """Return the row of an estimate.

    Parameters
    ----------
    comparison : Comparison
    measure : {"SMD", "ROM", "MD"}
    estimate : Estimate
    placed : tuple of two str
        Block, and the reason why it is not pooled.
    name_population : bool
        Whether the id names the population, because several are printed.
    risk_of_bias : str
    config : Config
    """
    study, arm = comparison.study, comparison.arm
    block, reason = placed
    sides = [side or None for side in estimate.sides]
    cells = sorted({cell.row.cell_name(cell.column) for cell in estimate.cells})
    sources = dict.fromkeys(c.row.source for c in estimate.cells if getattr(c.row, "source", ""))
    codes = "+".join((estimate.method, *estimate.codes)).split("+")
    return Effect(
        **common_columns(comparison, config),
        effect_id=effect_id(comparison, measure, name_population=name_population),
        comparator=arm.comparator,
        cointervention=arm.cointervention,
        risk_of_bias=risk_of_bias,
        type_by_paper=type_by_paper(arm, config),
        unit=comparison.unit if measure == "MD" else "",
        weeks=_number(arm.weeks),
        sessions=_number(arm.sessions_per_week),
        age=_number(study.age_mean),
        measure=measure,
        yi=estimate.yi,
        vi=estimate.vi,
        n_exercise=estimate.n[0],
        n_control=estimate.n[1],
        n_total=estimate.n_total if None in estimate.n else sum(estimate.n),
        derivation_method=estimate.method,
        provenance="+".join(dict.fromkeys(codes)),
        r=estimate.r,
        r_source=estimate.r_source,
        z=estimate.yi / estimate.vi**0.5,
        flags=" ".join(sorted(flags_of(comparison, estimate))),
        means_kind=estimate.means_kind,
        means_unit=comparison.unit if estimate.means_kind in ("after", "change") else "",
        mean_exercise=sides[0].mean if sides[0] else None,
        sd_exercise=sides[0].sd if sides[0] else None,
        mean_control=sides[1].mean if sides[1] else None,
        sd_control=sides[1].sd if sides[1] else None,
        pooled=block == "pooled",
        block=block,
        reason=reason,
        inputs=" ".join(cells),
        source="; ".join(sources),
    )


def _number(printed: float | None) -> float | None:
    return None if printed is None else float(printed)


def effect_id(comparison: Comparison, measure: str, *, name_population: bool) -> str:
    """Return the name of an effect; other studies change nothing of it."""
    parts = [
        comparison.study.study_id, comparison.arm.arm_id, comparison.outcome, comparison.analyte,
        comparison.site, comparison.timepoint, comparison.report,
        comparison.population if name_population else "", measure,
    ]  # fmt: skip
    return ".".join(part for part in parts if part).lower().replace(" ", "_")


def flags_of(comparison: Comparison, estimate: Estimate) -> frozenset[str]:
    """Return the flags of an estimate, its cells, its population and its analysis."""
    flags = estimate.flags.union(*(row_flags(cell.row) for cell in estimate.cells))
    flags |= {"PP"} if comparison.population == "per_protocol" else set()
    flags |= {"INDIRECT"} if comparison.study.indirect else set()
    flags |= {"DISPUTED"} if any(disputes(cell) for cell in estimate.cells) else set()
    return flags
