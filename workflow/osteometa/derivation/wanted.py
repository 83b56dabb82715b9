"""What is wanted: missing data of a whole review, and the analyses that they would open."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from osteometa.comparisons.classification import listed_only, set_of, time_distance
from osteometa.comparisons.comparison import Comparison
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.assess import why_not_by_design
from osteometa.derivation.derive import Derived
from osteometa.derivation.missing_data import (
    ICC,
    Atom,
    cells_of,
    new_row,
    participants_of,
    smallest,
    unit_of,
    words_of,
)
from osteometa.extraction.tables import Measurement
from osteometa.protocol.config import Config
from osteometa.records.directions import SetKey, set_key
from osteometa.records.ledger import WantedRow
from osteometa.wording.choices import PART
from osteometa.wording.vocabulary import Phase

Opens = Literal["alone", "with_another", ""]
"""Whether cells open a further analysis: a pool needs two studies."""
OPENS: tuple[Opens, ...] = get_args(Opens)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A comparison that is not pooled, and the sets of cells with which it could be."""

    comparison: Comparison
    key: SetKey
    """The analysis it would join, planned or not."""
    sets: tuple[tuple[Atom, ...], ...]
    """Smallest first."""
    k: int = 0
    """Studies that are pooled in the analysis now, on the primary measure."""
    opens: Opens = ""


def wanted_of(
    candidates: Iterable[tuple[SetKey, Comparison]], correlations: Correlations, config: Config
) -> list[Wanted]:
    """Return what each comparison lacks for the primary measure of its outcome.

    The candidates belong to an analysis but are not pooled, because numbers are missing.
    """
    found = []
    for key, comparison in candidates:
        measure = config.outcomes[comparison.outcome].measures[0]
        sets = smallest(comparison, measure, correlations, config)
        if sets:
            found.append(Wanted(comparison, key, tuple(sets)))
    return found


def wanted_in(derived: Derived, config: Config) -> list[Wanted]:
    """Return the missing cells of a whole review.

    For each analysis, each arm that it includes and of which no effect on the primary measure is
    in its pool, at the time that represents the arm; comparisons that no number would bring into a
    pool (an active comparator, a design that is shown separately) are left out. Of analyses that
    are not planned those that the cells would open; where site or hour is not stated there is none.
    """
    planned = [set_key(synthesis) for synthesis in config.syntheses]
    pooled: dict[SetKey, set[str]] = defaultdict(set)
    for effect in derived.effects:
        if effect.pooled and effect.measure == config.outcomes[effect.outcome].measures[0]:
            pooled[set_key(effect)].add(effect.study_id)
    by_arm: dict[tuple, list[Comparison]] = defaultdict(list)
    for item in derived.estimated:
        comparison = item.comparison
        key = set_of(comparison, config)
        out = comparison.study.study_id not in pooled[key] and may_be_pooled(comparison, config)
        if out and (key in planned or _may_be_planned(key)):
            by_arm[(key, *comparison.key[:2])].append(comparison)
    candidates = [
        (key, min(found, key=lambda one: (one.population == PART, time_distance(one, config))))
        for (key, *_), found in by_arm.items()
    ]
    correlations = Correlations((item.comparison for item in derived.estimated), config)
    found = _with_openings(wanted_of(candidates, correlations, config), pooled)
    order = {key: number for number, key in enumerate(planned)}
    found = [item for item in found if item.key in order or item.opens]
    return sorted(found, key=lambda item: order.get(item.key, len(order)))


def _may_be_planned(key: SetKey) -> bool:
    """Return whether the studies of a set answer one question: site and window are stated."""
    return key.site != "not_stated" and (key.phase != Phase.ACUTE or key.window != "")


def _with_openings(
    found: Sequence[Wanted], pooled: Mapping[SetKey, Collection[str]]
) -> list[Wanted]:
    """Return what is wanted with whether it makes two studies of an analysis with fewer."""
    asked: dict[SetKey, set[str]] = defaultdict(set)
    for item in found:
        asked[item.key].add(item.comparison.study.study_id)
    result = []
    for item in found:
        k = len(pooled[item.key])
        with_another: Opens = "with_another" if k == 0 and len(asked[item.key]) > 1 else ""
        result.append(replace(item, k=k, opens="alone" if k == 1 else with_another))
    return result


def may_be_pooled(comparison: Comparison, config: Config) -> bool:
    """Return whether numbers alone would bring a comparison into a pool."""
    return not listed_only(comparison, config) and not any(why_not_by_design(comparison, config))


def asked_rows(found: Sequence[Wanted], config: Config) -> list[Measurement]:
    """Return rows of measurements.csv to be filled in: levels before and after of every arm.

    None of an arm that lacks only an intracluster correlation, which is a row of contrasts.csv.
    They hold what is reported; the authors are their source, and they are a report of their own.
    """
    rows: dict[tuple[str, ...], Measurement] = {}
    for item in found:
        comparison = item.comparison
        if {atom for chosen in item.sets for atom in chosen} == {ICC}:
            continue
        for pair in ("baselines", "levels"):
            for side in comparison.sides:
                reported = getattr(comparison, pair)[side]
                row = new_row(comparison, pair, side, config)
                cells = {"unit": unit_of(comparison, config)}
                if reported is not None:
                    numbers = () if reported.disputed else ("n", "mean", "sd", "se")
                    cells |= {c: getattr(reported, c) for c in ("assay", "unit", *numbers)}
                origin = {"report": "authors", "source": "authors", "origin": "author"}
                row = row.model_copy(update=cells | origin)
                rows.setdefault((row.key_text,), row)
    return list(rows.values())


def wanted_rows(found: Sequence[Wanted], config: Config) -> list[WantedRow]:
    """Return the rows of `wanted.csv` in the order of `_order`."""
    rows = []
    ids = {set_key(synthesis): synthesis.id for synthesis in config.syntheses}
    for item in sorted(found, key=_order(found)):
        comparison = item.comparison
        n, how = participants_of(comparison)
        for rank, chosen in enumerate(item.sets, start=1):
            rows.append(WantedRow(
                synthesis=ids.get(item.key, ""), study_id=comparison.study.study_id,
                label=comparison.study.label, arm_id=comparison.arm.arm_id,
                comparator=comparison.arm.comparator, **item.key._asdict(),
                timepoint=comparison.timepoint, k=item.k, opens=item.opens, alternative=rank,
                missing=words_of(comparison, chosen), unit=unit_of(comparison, config),
                cells=cells_of(comparison, chosen), participants=n, participants_source=how,
            ))  # fmt: skip
    return rows


def _order(found: Sequence[Wanted]) -> Callable[[Wanted], tuple]:
    """Return the order of what is wanted: what opens an analysis first.

    Of these the comparisons of two arms, the studies that open most analyses, those that lack
    fewest cells, then those with most participants.
    """
    opened: dict[str, set[SetKey]] = defaultdict(set)
    for item in found:
        if item.opens == "alone":
            opened[item.comparison.study.study_id].add(item.key)

    def order(item: Wanted) -> tuple:
        comparison = item.comparison
        study = comparison.study.study_id
        few = (not comparison.controlled, -len(opened[study]), cells_of(comparison, item.sets[0]))
        return (
            OPENS.index(item.opens), *(few if item.opens else ()),
            -(participants_of(comparison)[0] or 0), study, item.key, comparison.arm.arm_id,
        )  # fmt: skip

    return order
