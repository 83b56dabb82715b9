"""Fourth pass: the row of each estimate, with its block and what it shares with other effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from osteometa.comparisons.classification import why_listed
from osteometa.comparisons.comparison import Comparison
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.control_share import Compared, control_share
from osteometa.derivation.estimate import Estimated
from osteometa.derivation.select import Selected, why_represented
from osteometa.effects.basis import Basis, Estimate
from osteometa.effects.rows import disputed_because, effect_row
from osteometa.extraction.judgements import risk_of_bias_of
from osteometa.extraction.tables import Tables
from osteometa.protocol.config import Config
from osteometa.records.effects import Effect
from osteometa.wording.vocabulary import Block, Design, Flag

IN_POOLS = (Block.POOLED, Block.NON_RANDOMISED)
"""Blocks within which one study has one effect per exercise type."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """An effect, and the share of its variance that its control arm contributes."""

    effect: Effect
    control_share: float | None
    """Without g's own term; None where nothing reported gives it."""
    compared: Compared | Literal["composite"]
    own_effect_term: bool
    """Whether the variance has the form u + g^2/(2N)."""
    enrolled: int | None = None
    """Participants enrolled in the study, where reported."""
    parts: tuple[Assessed, ...] = ()
    """The effects that are combined here."""


def assess(
    selected: Sequence[Selected], merged: Sequence[Selected], tables: Tables,
    correlations: Correlations, config: Config,
) -> list[Assessed]:  # fmt: skip
    """Return the effects of all comparisons and merged arms, each with its block.

    `selected` are of single arms, `merged` of arms that are merged; the tables hold the judgements
    of risk of bias.
    """
    row = row_maker([item.estimated for item in selected], tables, config)
    found = []
    for item in (*selected, *merged):
        comparison = item.comparison
        basis = Basis(comparison, correlations, config)
        for measure, estimate in item.estimated.estimates().items():
            causes = why_not_pooled(item, measure, estimate, config)
            block, reason = next(causes, (Block.POOLED, ""))
            if block in IN_POOLS:
                block, reason = _unless_merged(comparison, measure, merged, block, reason)
            effect = row(comparison, measure, estimate, block, reason)
            share, compared = None, "test"
            if block != Block.REDUCED and comparison.controlled:
                share, compared = control_share(basis, measure, estimate)
            own, enrolled = estimate.own_effect_term, comparison.study.n_enrolled
            found.append(Assessed(effect, share, compared, own, enrolled))
    return found


RowMaker = Callable[[Comparison, str, Estimate, Block, str], Effect]


def row_maker(estimated: Sequence[Estimated], tables: Tables, config: Config) -> RowMaker:
    """Return what makes the row of an estimate from comparison, measure, block and reason."""
    reported = Counter(item.comparison.key[:-1] for item in estimated)

    def row(
        comparison: Comparison, measure: str, estimate: Estimate, block: Block, reason: str
    ) -> Effect:
        own = comparison.parts[0] if comparison.parts else comparison
        study_id = comparison.study.study_id
        return effect_row(
            comparison, measure, estimate, block, reason,
            name_population=reported[own.key[:-1]] > 1,
            risk_of_bias=risk_of_bias_of(tables.risk_of_bias, study_id, comparison.outcome),
            config=config,
        )  # fmt: skip

    return row


def why_not_pooled(
    item: Selected, measure: str, estimate: Estimate, config: Config
) -> Iterator[tuple[Block, str]]:
    """Yield block and reason of everything for which an estimate is not pooled.

    The first is that of the effect; nothing of one that is pooled.
    """
    comparison = item.comparison
    part = item.part_of_unknown(measure)
    if not item.chosen and not part:
        yield Block.REDUCED, why_represented(item, config)
    yield from why_listed(comparison, config)
    disputed = disputed_because(estimate)
    if disputed:
        yield Block.DISPUTED, f"inconsistently reported data: {disputed}"
    if Flag.BORROWED in estimate.flags:
        yield Block.BORROWED, "an SD is borrowed from other studies: for sensitivity analyses only"
    if part:
        reason = "an interim report or a stratum, and the whole trial reports no usable number"
        yield Block.PART, reason
    yield from why_not_by_design(comparison, config)


def why_not_by_design(comparison: Comparison, config: Config) -> Iterator[tuple[Block, str]]:
    """Yield block and reason where the design keeps a comparison from every pool."""
    design = comparison.study.design
    if not comparison.controlled and design in ("rct", "nrct"):
        yield (
            Block.LISTED,
            "change within one arm of a controlled trial: not pooled with before-after studies",
        )
    if comparison.controlled and design not in config.designs:
        yield Block.NON_RANDOMISED, f"{Design(design).words}: shown separately"


def _unless_merged(
    comparison: Comparison, measure: str, merged: Sequence[Selected], block: Block, reason: str
) -> tuple[Block, str]:
    """Return the block of a single arm, which is reduced where it is merged with others."""
    for other in merged:
        parts = other.comparison.parts
        if comparison in parts and other.estimated.estimate(measure) is not None:
            arms = " and ".join(part.arm.arm_id for part in parts)
            return Block.REDUCED, f"merged: {arms} share one control and are one arm in the pool"
    return block, reason
