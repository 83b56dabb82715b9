"""Missing data: the smallest sets of cells with which a study could be pooled.

Found by trial: cells that a paper does not report are filled with placeholders, and the derivation
methods are tried; the cells with which one succeeds are missing. A placeholder is never a result;
only the names of the cells leave this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import combinations
from typing import Any, Literal

from osteometa.comparisons.build import Comparison
from osteometa.comparisons.classification import listed_only, set_of, time_distance
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.derive import Derived
from osteometa.effects.hierarchy import attempts_at
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Contrast, Measurement
from osteometa.protocol.config import Config, Synthesis
from osteometa.records.ledger import WantedRow
from osteometa.records.sets import set_key
from osteometa.synthesis.sets import includes

MOST_ATOMS = 4
"""Kinds of cells asked for at once; more is too much for one request."""
ALTERNATIVES = 3
"""Sets of cells that are named for one study."""
Kind = Literal["level", "change", "pct_change"]
PAIRS: dict[str, tuple[Kind, str]] = {
    "levels": ("level", "at follow-up"),
    "baselines": ("level", "at baseline"),
    "changes": ("change", "of the change"),
    "percents": ("pct_change", "of the % change"),
}
# Any positive numbers will do: only whether a derivation method succeeds is looked at.
PLACEHOLDERS = {
    "baselines": ("1", "1"), "levels": ("1.2", "1.1"), "changes": ("0.2", "0.1"),
    "percents": ("2", "1"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Atom:
    """One kind of cell, in every arm that lacks it."""

    name: str
    pair: str = ""
    """Which measurements: levels, baselines, changes or percents; empty for a contrast."""
    columns: tuple[str, ...] = ()


MEASURED = tuple(
    Atom(f"{word} {PAIRS[pair][1]}", pair, (column,))
    for pair in ("baselines", "levels", "changes", "percents")
    for column, word in (("mean", "mean"), ("sd", "SD"))
)
LABEL = Atom("whether the reported ± is an SD or an SE", "", ("spread_kind",))
SIZE = Atom("n analysed", "", ("n",))
TEST = Atom("exact p of the test, with its direction", "", ("p",))
DIFFERENCE = Atom("difference with its SE", "", ("value", "se"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A comparison that is not pooled, and the sets of cells with which it could be."""

    comparison: Comparison
    synthesis: Synthesis
    sets: tuple[tuple[Atom, ...], ...]
    """Smallest first."""


def wanted_of(
    candidates: Iterable[tuple[Synthesis, Comparison]], correlations: Correlations, config: Config
) -> list[Wanted]:
    """Return what each comparison lacks for the primary measure of its outcome.

    The candidates belong to a synthesis but are not pooled, because numbers are missing.
    """
    found = []
    for synthesis, comparison in candidates:
        measure = config.outcomes[comparison.outcome].measures[0]
        sets = _smallest(comparison, measure, correlations, config)
        if sets:
            found.append(Wanted(comparison, synthesis, tuple(sets)))
    return found


def wanted_in(derived: Derived, config: Config) -> list[Wanted]:
    """Return the missing cells of a whole review.

    For each synthesis, each arm that it includes and of which no effect on the primary measure is
    in its pool, at the time that represents the arm; comparisons that no number would bring into a
    pool (an active comparator, a design that is shown separately) are left out.
    """
    correlations = Correlations((item.comparison for item in derived.estimated), config)
    candidates = []
    for synthesis in config.syntheses:
        measure = config.outcomes[synthesis.outcome].measures[0]
        pooled = {
            effect.study_id
            for effect in derived.effects
            if effect.pooled and effect.measure == measure and includes(synthesis, effect)
        }
        by_arm: dict[tuple[str, ...], list[Comparison]] = {}
        for item in derived.estimated:
            comparison = item.comparison
            out = comparison.study.study_id not in pooled and may_be_pooled(comparison, config)
            if out and set_of(comparison, config) == set_key(synthesis):
                by_arm.setdefault(comparison.key[:2], []).append(comparison)
        candidates += [
            (synthesis, min(found, key=lambda one: time_distance(one, config)))
            for found in by_arm.values()
        ]
    return wanted_of(candidates, correlations, config)


def may_be_pooled(comparison: Comparison, config: Config) -> bool:
    """Tell whether numbers alone would bring a comparison into a pool."""
    if listed_only(comparison, config) is not None:
        return False
    return not comparison.controlled or comparison.study.design in config.designs


def asked_rows(found: Sequence[Wanted], config: Config) -> list[Measurement]:
    """Return rows of measurements.csv to be filled in: levels before and after of every arm.

    They hold what is reported; the authors are their source, and they are a report of their own.
    """
    rows: dict[tuple[str, ...], Measurement] = {}
    for item in found:
        comparison = item.comparison
        for pair in ("baselines", "levels"):
            for side in comparison.sides:
                reported = getattr(comparison, pair)[side]
                row = new_row(comparison, pair, side, config)
                same = (
                    {}
                    if reported is None
                    else {
                        name: getattr(reported, name)
                        for name in ("assay", "n", "mean", "sd", "se", "unit")
                    }
                )
                if reported is not None and reported.disputed:
                    same = {"assay": reported.assay, "unit": reported.unit}
                unit = {"unit": unit_of(comparison, config)}
                origin = {"report": "authors", "source": "authors", "origin": "author"}
                row = row.model_copy(update={**unit, **same, **origin})
                rows.setdefault((row.key_text,), row)
    return list(rows.values())


def _smallest(
    comparison: Comparison, measure: str, correlations: Correlations, config: Config
) -> list[tuple[Atom, ...]]:
    """Return the smallest sets of atoms with which a derivation method succeeds."""
    atoms = [a for a in (LABEL, SIZE, TEST, DIFFERENCE, *MEASURED) if _lacks(comparison, a)]
    row = cache(partial(filled_row, comparison, config))
    found: list[tuple[Atom, ...]] = []
    for size in range(1, MOST_ATOMS + 1):
        for chosen in combinations(atoms, size):
            if any(set(smaller) <= set(chosen) for smaller in found):
                continue
            filled = fill(comparison, chosen, config, row)
            if attempts_at(filled, measure, correlations, config)[-1].estimate is not None:
                found.append(chosen)
        if len(found) >= ALTERNATIVES:
            break
    found.sort(key=lambda chosen: (len(chosen), _cells(comparison, chosen)))
    return found[:ALTERNATIVES]


def _cells(comparison: Comparison, chosen: Sequence[Atom]) -> int:
    """Count the cells that would have to be entered."""
    return sum(len(asked_of(comparison, atom)) * len(atom.columns) for atom in chosen)


def asked_of(comparison: Comparison, atom: Atom) -> tuple[int, ...]:
    """Return the sides of a comparison that lack an atom; (0,) for a test between arms."""
    sides = comparison.sides
    if atom is LABEL:
        return tuple(side for side in sides if _unlabelled(comparison, side))
    if atom is SIZE:
        return tuple(side for side in sides if not comparison.size(side, None).n)
    if not atom.pair:
        return (0,)
    return tuple(s for s in sides if not _has(getattr(comparison, atom.pair)[s], atom.columns[0]))


def _unlabelled(comparison: Comparison, side: int) -> bool:
    rows = (getattr(comparison, pair)[side] for pair in PAIRS)
    return any(row is not None and row.spread_kind == "unknown" for row in rows)


def _has(row: Measurement | None, column: str) -> bool:
    if row is None or not row.usable or row.disputed:
        return False
    if column == "mean":
        return row.mean is not None
    known = row.spread is not None and row.spread_kind in ("sd", "se")
    limits = row.ci_low is not None and row.ci_high is not None
    return row.sd is not None or row.se is not None or known or limits


def _lacks(comparison: Comparison, atom: Atom) -> bool:
    return bool(asked_of(comparison, atom))


FilledRow = Callable[[str, int, frozenset[Atom], bool], Measurement | None]


def fill(
    comparison: Comparison, chosen: Sequence[Atom], config: Config, row: FilledRow | None = None
) -> Comparison:
    """Return the comparison with placeholders in the cells of the atoms.

    Parameters
    ----------
    comparison : Comparison
    chosen : sequence of Atom
    config : Config
    row : callable, optional
        `filled_row` of the comparison, cached where many sets of atoms are tried.
    """
    row = row or partial(filled_row, comparison, config)
    changed: dict[str, Any] = {}
    for pair in PAIRS:
        atoms = frozenset(atom for atom in chosen if atom.pair == pair)
        rows = list(getattr(comparison, pair))
        for side in comparison.sides:
            rows[side] = row(pair, side, atoms, LABEL in chosen)
        changed[pair] = tuple(rows)
    contrasts = list(comparison.contrasts)
    if TEST in chosen:
        contrasts.append(
            _contrast(comparison, statistic="t", value=ReportedNumber("2.1"), config=config)
        )
    if DIFFERENCE in chosen:
        more = {"value": ReportedNumber("0.1"), "se": ReportedNumber("0.05")}
        contrasts.append(_contrast(comparison, statistic="md", config=config, **more))
    if SIZE in chosen:
        changed["arm"] = comparison.arm.model_copy(update={"n_end": comparison.arm.n_end or 20})
        if comparison.control is not None:
            n = comparison.control.n_end or 20
            changed["control"] = comparison.control.model_copy(update={"n_end": n})
    return replace(comparison, contrasts=tuple(contrasts), **changed)


def filled_row(
    comparison: Comparison, config: Config, pair: str, side: int, atoms: frozenset[Atom],
    labelled: bool,
) -> Measurement | None:  # fmt: skip
    """Return the measurement of one side with placeholders in the cells of its own atoms."""
    row = getattr(comparison, pair)[side]
    updates: dict[str, Any] = {}
    if labelled and row is not None and row.spread_kind == "unknown":
        updates["spread_kind"] = "sd"
    asked = [atom.columns[0] for atom in atoms if side in asked_of(comparison, atom)]
    if asked:
        row = row or new_row(comparison, pair, side, config)
        scale = float(row.mean) if row.mean else 1.0
        placeholders = {
            "mean": ReportedNumber(PLACEHOLDERS[pair][side]),
            "sd": ReportedNumber(repr(abs(scale) / 20)),
        }
        updates |= {name: placeholders[name] for name in asked}
        updates |= {"disputed": "", "accept": ""}
    return row if row is None or not updates else row.model_copy(update=updates)


def unit_of(comparison: Comparison, config: Config) -> str:
    """Return the unit of a comparison's levels, '' where none is reported."""
    if comparison.unit:
        return comparison.unit
    return config.outcomes[comparison.outcome].unit_of(comparison.analyte)


def new_row(comparison: Comparison, pair: str, side: int, config: Config) -> Measurement:
    """Return a measurement without numbers for one side of a comparison."""
    arm = (comparison.arm, comparison.control or comparison.arm)[side]
    kind = PAIRS[pair][0]
    base = pair == "baselines"
    row = Measurement(
        study_id=comparison.study.study_id, arm_id=arm.arm_id, outcome=comparison.outcome,
        analyte=comparison.analyte, site=comparison.site,
        timepoint="baseline" if base else comparison.timepoint, kind=kind,
        unit="%" if kind == "pct_change" else _any_unit(comparison, config),
    )  # fmt: skip
    if base or comparison.time is None:
        return row
    column = "time_h" if arm.phase == "acute" else "time_wk"
    return row.model_copy(update={column: ReportedNumber(f"{comparison.time:g}")})


def _any_unit(comparison: Comparison, config: Config) -> str:
    unit = unit_of(comparison, config)
    return unit or "ng/mL"


def _contrast(comparison: Comparison, *, config: Config, **cells: Any) -> Contrast:
    return Contrast(
        study_id=comparison.study.study_id, arm_id=comparison.arm.arm_id,
        outcome=comparison.outcome, analyte=comparison.analyte, site=comparison.site,
        timepoint=comparison.timepoint, score="change", adjusted="no",
        compares="between" if comparison.controlled else "within",
        test="t_pooled" if comparison.controlled else "paired_t",
        unit=_any_unit(comparison, config) if cells["statistic"] == "md" else "", **cells,
    )  # fmt: skip


def words_of(comparison: Comparison, chosen: Sequence[Atom]) -> str:
    """Return a set of cells in words: 'SD at baseline and SD at follow-up in both arms'."""
    groups: dict[str, list[str]] = {}
    for atom in chosen:
        groups.setdefault(_where(comparison, atom), []).append(_name(comparison, atom))
    return "; ".join(f"{' and '.join(names)}{where}" for where, names in groups.items())


def _name(comparison: Comparison, atom: Atom) -> str:
    if atom is TEST:
        kind = "between-group test" if comparison.controlled else "paired test"
        return f"exact p of the {kind}, with its direction"
    if atom is DIFFERENCE and comparison.controlled:
        return "difference of the changes between the arms, with its SE"
    return atom.name


def _where(comparison: Comparison, atom: Atom) -> str:
    if atom in (TEST, DIFFERENCE) or not comparison.controlled:
        return ""
    sides = asked_of(comparison, atom)
    if len(sides) == 2:
        return " in both arms"
    return " in the exercise arm" if sides == (0,) else " in the control arm"


def wanted_rows(found: Sequence[Wanted], config: Config) -> list[WantedRow]:
    """Return the rows of `wanted.csv`, most participants first."""
    rows = []
    for item in found:
        comparison = item.comparison
        n, how = participants_of(comparison)
        for rank, chosen in enumerate(item.sets, start=1):
            rows.append(
                WantedRow(
                    synthesis=item.synthesis.id,
                    study_id=comparison.study.study_id,
                    label=comparison.study.label,
                    arm_id=comparison.arm.arm_id,
                    comparator=comparison.arm.comparator,
                    outcome=comparison.outcome,
                    analyte=comparison.analyte,
                    site=comparison.site,
                    timepoint=comparison.timepoint,
                    alternative=rank,
                    missing=words_of(comparison, chosen),
                    unit=unit_of(comparison, config),
                    cells=_cells(comparison, chosen),
                    participants=n,
                    participants_source=how,
                )
            )
    rows.sort(
        key=lambda r: (-(r.participants or 0), r.synthesis, r.study_id, r.arm_id, r.alternative)
    )
    return rows


def participants_of(
    comparison: Comparison,
) -> tuple[int | None, Literal["arms", "test", "total", "enrolled", ""]]:
    """Return how many participants a comparison would add, and where that is reported."""
    sides = comparison.sides
    rows = [
        next(
            (r for r in (getattr(comparison, pair)[side] for pair in PAIRS) if r is not None), None
        )
        for side in sides
    ]
    sizes = [comparison.size(side, row).n for side, row in zip(sides, rows, strict=True)]
    known = [n for n in sizes if n]
    if len(known) == len(sizes):
        return sum(known), "arms"
    for row in comparison.contrasts:
        if row.n_exercise and row.n_control:
            return row.n_exercise + row.n_control, "test"
    totals = [row.n_total for row in comparison.contrasts if row.n_total]
    if totals:
        return totals[0], "total"
    if comparison.study.n_enrolled:
        return comparison.study.n_enrolled, "enrolled"
    return None, ""
