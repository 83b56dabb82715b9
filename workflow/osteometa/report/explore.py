"""What the page needs to pool a set again by a reader's choices."""

from collections.abc import Mapping
from dataclasses import dataclass

from osteometa.numerics.arrays import Array
from osteometa.protocol.config import Config
from osteometa.records.pools import PooledRow
from osteometa.report.findings import Findings
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.wording.choices import ESTIMATORS, INTERVALS
from osteometa.wording.vocabulary import OVERALL, ExerciseType

CHOICES = {"estimators": ESTIMATORS, "intervals": INTERVALS}
SHOWN = (
    "k", "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "i2", "method", "ci_method",
)  # fmt: skip
"""Columns of pooled.csv that stand beside the reader's result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorableSet:
    """A pooled set with the model that gave its published result; effects in table order."""

    measure: str
    title: str
    form: str
    """How an effect is shown: percent or ratio of a log ratio, or plain."""
    decimals: int
    studies: list[str]
    """Label of each study."""
    of: list[int]
    """The study of each effect."""
    types: list[str]
    yi: list[float]
    vi: list[float]
    covariances: list[tuple[int, int, float]]
    """Pairs of effects that share participants."""
    published: Mapping[str, float | str | None]
    """By column of pooled.csv."""
    pi_df: str
    pi_from: int
    """Fewest studies for a prediction interval in figures."""
    diamond_from: int
    """Fewest studies for a diamond."""


def explorable_sets(found: Findings, config: Config) -> list[ExplorableSet]:
    """Return the sets of an analysis whose pool over all types is published, primary first."""
    rows = [
        row for row in found.pooled
        if row.primary and row.group == OVERALL and row.status == "ok" and row.diamond != "none"
    ]  # fmt: skip
    rows.sort(key=lambda row: found.outcome.measures.index(row.measure))
    return [_set(found, row, config) for row in rows]


def _set(found: Findings, row: PooledRow, config: Config) -> ExplorableSet:
    pooled = EffectSet.of(found.effects, row.measure, found.covariances)
    scale, data = found.scale(row.measure), pooled.data
    place = {study: i for i, study in enumerate(dict.fromkeys(pooled.studies))}
    labels = {effect.study_id: effect.label for effect in pooled.effects}
    return ExplorableSet(
        measure=row.measure, title=scale.title, decimals=scale.places,
        form="percent" if scale.percent else "ratio" if row.measure == "ROM" else "plain",
        studies=[labels[study] for study in place],
        of=[place[study] for study in pooled.studies],
        types=[ExerciseType(effect.exercise_type).words for effect in pooled.effects],
        yi=list(data.yi), vi=list(data.vi), covariances=_links(data.V),
        published={name: getattr(row, name) for name in SHOWN}, pi_df=config.pooling.pi_df,
        pi_from=config.small_k.prediction_interval, diamond_from=config.small_k.diamond,
    )  # fmt: skip


def _links(covariances: Array | None) -> list[tuple[int, int, float]]:
    if covariances is None:
        return []
    pairs = ((i, j) for i in range(len(covariances)) for j in range(i))
    return [(i, j, float(covariances[i, j])) for i, j in pairs if covariances[i, j]]
