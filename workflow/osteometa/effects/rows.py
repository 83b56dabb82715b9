"""From an estimate of a comparison to its row of `effects.csv`."""

from osteometa.comparisons.classification import shared_columns, type_by_paper
from osteometa.comparisons.comparison import Comparison
from osteometa.comparisons.summaries import Flags, row_flags
from osteometa.effects.basis import Estimate
from osteometa.extraction.units import NOT_STATED
from osteometa.protocol.config import Config
from osteometa.records.effects import Effect
from osteometa.wording.vocabulary import Block, Flag, MeansKind


def effect_row(
    comparison: Comparison, measure: str, estimate: Estimate, block: Block, reason: str, *,
    name_population: bool, risk_of_bias: str, config: Config,
) -> Effect:  # fmt: skip
    """Return the row of an estimate; `reason` says why it is not pooled.

    The id names the population where several are reported.
    """
    study, arm = comparison.study, comparison.arm
    means, correlation = estimate.means, estimate.correlation
    exercise, control = means.exercise, means.control
    n_exercise, n_control = estimate.n
    has_unit = means.kind in (MeansKind.AFTER, MeansKind.CHANGE) and comparison.unit != NOT_STATED
    sources = (getattr(cell.row, "source", "") for cell in estimate.cells)
    return Effect(
        **shared_columns(comparison, config),
        effect_id=effect_id(comparison, measure, name_population=name_population),
        comparator=arm.comparator, cointervention=arm.cointervention, risk_of_bias=risk_of_bias,
        type_by_paper=(type_by_paper(arm, config),),
        unit=comparison.unit if measure == "MD" else "", weeks=_number(arm.weeks),
        sessions=_number(arm.sessions_per_week), age=_number(study.age_mean),
        measure=measure, yi=estimate.yi, vi=estimate.vi, z=estimate.yi / estimate.vi**0.5,
        n_exercise=n_exercise, n_control=n_control, n_total=estimate.total,
        derivation_method=estimate.method,
        provenance=tuple(dict.fromkeys((estimate.method, *estimate.codes))),
        r=correlation.r if correlation else None,
        r_source=correlation.sources if correlation else (),
        flags=flags_of(comparison, estimate),
        means_kind=means.kind, means_unit=comparison.unit if has_unit else "",
        mean_exercise=exercise.mean if exercise else None,
        sd_exercise=exercise.sd if exercise else None,
        mean_control=control.mean if control else None,
        sd_control=control.sd if control else None,
        pooled=block == Block.POOLED, block=block, reason=reason,
        inputs=tuple(sorted({cell.name for cell in estimate.cells}, key=str)),
        source=tuple(dict.fromkeys(filter(None, sources))),
    )  # fmt: skip


def _number(reported: float | None) -> float | None:
    return None if reported is None else float(reported)


def effect_id(comparison: Comparison, measure: str, *, name_population: bool) -> str:
    """Return the name of an effect; it is independent of all other studies."""
    parts = [
        comparison.study.study_id, comparison.arm.arm_id, comparison.outcome, comparison.analyte,
        comparison.site, comparison.timepoint, comparison.report,
        comparison.population if name_population else "", measure,
    ]  # fmt: skip
    return ".".join(part for part in parts if part).lower().replace(" ", "_")


def disputed_because(estimate: Estimate) -> str:
    """Return why values an estimate is derived from are inconsistent; '' if none are."""
    return next((cell.disputed for cell in estimate.cells if cell.disputed), "")


def flags_of(comparison: Comparison, estimate: Estimate) -> Flags:
    """Return the flags of an estimate, its cells, its population and its analysis."""
    flags = estimate.flags.union(*(row_flags(cell.row) for cell in estimate.cells))
    flags |= {Flag.PER_PROTOCOL} if comparison.population == "per_protocol" else set()
    flags |= {Flag.INDIRECT} if comparison.study.indirect else set()
    return flags | ({Flag.DISPUTED} if disputed_because(estimate) else set())
