"""Planned analyses: which effects and directions belong to each, and its status."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from osteometa.directions.per_study import study_directions
from osteometa.protocol.config import Config, Outcome, Synthesis
from osteometa.records.directions import DirectionEntry, StudyDirection, set_key
from osteometa.records.effects import Covariance, Effect
from osteometa.records.pools import PooledRow, SynthesisRow
from osteometa.wording.choices import EXERCISE_TYPES
from osteometa.wording.syntheses import bout_cautions
from osteometa.wording.vocabulary import Block, DesignClass, Phase, PlasmaVolume, SynthesisStatus


def includes(synthesis: Synthesis, record: Effect | DirectionEntry) -> bool:
    """Return whether a synthesis includes an effect or a direction."""
    return set_key(record) == set_key(synthesis)


def effect_order(effect: Effect) -> tuple[int, int, str, str]:
    """Return the sort key of effects in tables and figures: type, year, label."""
    return (
        EXERCISE_TYPES.index(effect.exercise_type), effect.year or 0, effect.label,
        effect.effect_id,
    )  # fmt: skip


def split(
    effects: Iterable[Effect], entries: Iterable[DirectionEntry], config: Config
) -> dict[str, tuple[list[Effect], list[StudyDirection]]]:
    """Return effects and directions of studies of each synthesis, by id."""
    effects, entries = list(effects), list(entries)
    sets = {}
    for synthesis in config.syntheses:
        chosen = [e for e in effects if e.block != Block.REDUCED and includes(synthesis, e)]
        planned = [entry for entry in entries if includes(synthesis, entry)]
        with_effect = {effect.study_id for effect in chosen}
        studies = [
            replace(study, has_effect=study.study_id in with_effect)
            for study in study_directions(planned, config.directions.agreement_share)
        ]
        sets[synthesis.id] = (sorted(chosen, key=effect_order), studies)
    return sets


def covariances_in(
    effects: Iterable[Effect], covariances: Iterable[Covariance]
) -> list[Covariance]:
    """Return the covariances between effects of one set."""
    ids = {effect.effect_id for effect in effects}
    return [row for row in covariances if {row.effect_id_1, row.effect_id_2} <= ids]


def synthesis_row(
    synthesis: Synthesis, outcome: Outcome, pooled: Sequence[PooledRow],
    effects: Sequence[Effect], studies: Sequence[StudyDirection],
) -> SynthesisRow:  # fmt: skip
    """Return the status of one planned analysis."""
    measure = outcome.measures[0]
    main = next((row for row in pooled if row.primary and row.group == "overall"
                 and row.measure == measure), None)  # fmt: skip
    k = main.k if main else 0
    if main is not None and k >= 2 and main.status == "ok":
        status, reason = SynthesisStatus.POOLED, ""
    elif effects:
        status = SynthesisStatus.LISTED
        reason = main.note if main and k and main.note else _why_listed(effects, k, measure)
    elif studies:
        status = SynthesisStatus.DIRECTION_ONLY
        reason = "no study reports the data needed for an effect estimate"
    else:
        status, reason = SynthesisStatus.EMPTY, "no study addresses this question"
    return SynthesisRow(
        synthesis=synthesis.id, outcome=synthesis.outcome, analyte=synthesis.analyte,
        site=synthesis.site, phase=Phase(synthesis.phase), window=synthesis.window,
        design_class=DesignClass(synthesis.design_class), measure=measure, k=k,
        k_directions=len(studies), status=status, reason=reason,
        note=_note(synthesis, outcome, studies),
    )  # fmt: skip


def _note(synthesis: Synthesis, outcome: Outcome, studies: Sequence[StudyDirection]) -> str:
    """Return what changes an outcome after a bout without any effect of exercise on bone."""
    if synthesis.phase != Phase.ACUTE or not studies:
        return ""
    within = synthesis.design_class == DesignClass.WITHIN_ARM
    uncorrected = [one for one in studies if set(one.plasma_volume) - {PlasmaVolume.CORRECTED}]
    return "; ".join(bout_cautions(
        synthesis.outcome, diurnal=outcome.diurnal if within else "", studies=len(studies),
        uncorrected=len(uncorrected) if outcome.haemoconcentration else 0,
    ))  # fmt: skip


def _why_listed(effects: Sequence[Effect], k: int, measure: str) -> str:
    if k == 1:
        return "a single study is listed, not pooled"
    blocks = sorted({e.reason for e in effects if not e.pooled})
    if not blocks:
        return f"no study gives an effect as {measure}"
    return f"no effect is eligible for the pool ({'; '.join(blocks)})"


def summary_rows(
    config: Config, pooled: Mapping[str, Sequence[PooledRow]],
    sets: Mapping[str, tuple[Sequence[Effect], Sequence[StudyDirection]]],
) -> list[SynthesisRow]:  # fmt: skip
    """Return the table of all syntheses, in the order in which they are declared.

    `pooled` is by synthesis, without those that have no effect; `sets` has all of them.
    """
    return [
        synthesis_row(one, config.outcomes[one.outcome], pooled.get(one.id, ()), *sets[one.id])
        for one in config.syntheses
    ]
