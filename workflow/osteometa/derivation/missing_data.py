"""What is missing: the smallest sets of cells that would make a study poolable.

Found by trying: cells that a paper does not print are filled with stand-ins, the ladder is climbed,
and what lets it succeed is what is wanted. A stand-in is never a result; only the names of the
cells leave this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from osteometa.comparisons.build import Comparison
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.derive import Derived, off_the_end
from osteometa.directions.entries import why_listed, window_of
from osteometa.effects.hierarchy import climb
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Contrast, Measurement
from osteometa.protocol.config import Config, Synthesis
from osteometa.records.ledger import WantedRow
from osteometa.synthesis.sets import asks_for

MOST_ATOMS = 4
"""Kinds of cells asked for at once; more is no small request."""
ALTERNATIVES = 3
"""Sets of cells that are told for one study."""
PAIRS = {
    "levels": ("level", "at follow-up"),
    "baselines": ("level", "at baseline"),
    "changes": ("change", "of the change"),
    "percents": ("pct_change", "of the % change"),
}
# Any positive numbers do: only whether a rung can be taken is looked at.
STAND_INS = {
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
LABEL = Atom("what the printed ± is (SD or SE)", "", ("spread_kind",))
PEOPLE = Atom("n analysed", "", ("n",))
TEST = Atom("exact p of the test, with its direction", "", ("p",))
DIFFERENCE = Atom("difference with its SE", "", ("value", "se"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A comparison that is not pooled, and the sets of cells that would change that."""

    comparison: Comparison
    synthesis: Synthesis
    sets: tuple[tuple[Atom, ...], ...]
    """Smallest first."""


def wanted_of(
    candidates: Iterable[tuple[Synthesis, Comparison]], correlations: Correlations, config: Config
) -> list[Wanted]:
    """Return what each comparison lacks for the primary measure of its outcome.

    Parameters
    ----------
    candidates : iterable of (Synthesis, Comparison)
        Comparisons that a synthesis asks for and that are in no pool for want of numbers.
    correlations : Correlations
    config : Config
    """
    found = []
    for synthesis, comparison in candidates:
        measure = config.outcomes[comparison.outcome].measures[0]
        sets = _smallest(comparison, measure, correlations, config)
        if sets:
            found.append(Wanted(comparison, synthesis, tuple(sets)))
    return found


def wanted_in(derived: Derived, config: Config) -> list[Wanted]:
    """Return what is wanted in a whole review.

    For each synthesis, each arm that it asks for and of which no effect on the primary measure is
    in its pool, at the time that stands for the arm; comparisons that no number would bring into a
    pool (an active comparator, a design that is drawn apart) are left out.
    """
    correlations = Correlations((item.comparison for item in derived.climbed), config)
    candidates = []
    for synthesis in config.syntheses:
        measure = config.outcomes[synthesis.outcome].measures[0]
        pooled = {
            effect.study_id
            for effect in derived.effects
            if effect.pooled and effect.measure == measure and asks_for(synthesis, effect)
        }
        by_arm: dict[tuple[str, str], list[Comparison]] = {}
        for item in derived.climbed:
            comparison = item.comparison
            out = comparison.study.study_id not in pooled and may_be_pooled(comparison, config)
            if out and is_in(synthesis, comparison, config):
                by_arm.setdefault(comparison.key[:2], []).append(comparison)
        candidates += [
            (synthesis, min(found, key=lambda one: off_the_end(one, config)))
            for found in by_arm.values()
        ]
    return wanted_of(candidates, correlations, config)


def may_be_pooled(comparison: Comparison, config: Config) -> bool:
    """Tell whether numbers alone would bring a comparison into a pool."""
    if why_listed(comparison, config):
        return False
    return not comparison.controlled or comparison.study.design in config.designs


def asked_rows(found: Sequence[Wanted], config: Config) -> list[Measurement]:
    """Return rows of measurements.csv to be filled in: levels before and after of every arm.

    What is printed stands in them; they come from the authors and are a report of their own.
    """
    rows: dict[tuple[str, ...], Measurement] = {}
    for item in found:
        comparison = item.comparison
        for pair in ("baselines", "levels"):
            for side in _sides(comparison):
                printed = getattr(comparison, pair)[side]
                row = new_row(comparison, pair, side, config)
                same = (
                    {}
                    if printed is None
                    else {
                        name: getattr(printed, name)
                        for name in ("assay", "n", "mean", "sd", "se", "unit")
                    }
                )
                if printed is not None and printed.disputed:
                    same = {"assay": printed.assay, "unit": printed.unit}
                unit = {"unit": unit_of(comparison, config)}
                told = {"report": "authors", "source": "authors", "origin": "author"}
                row = row.model_copy(update={**unit, **same, **told})
                rows.setdefault((row.key_text,), row)
    return list(rows.values())


def _smallest(
    comparison: Comparison, measure: str, correlations: Correlations, config: Config
) -> list[tuple[Atom, ...]]:
    """Return the smallest sets of atoms with which a rung can be taken."""
    atoms = [a for a in (LABEL, PEOPLE, TEST, DIFFERENCE, *MEASURED) if _lacks(comparison, a)]
    found: list[tuple[Atom, ...]] = []
    for size in range(1, MOST_ATOMS + 1):
        for chosen in combinations(atoms, size):
            if any(set(smaller) <= set(chosen) for smaller in found):
                continue
            filled = fill(comparison, chosen, config)
            if climb(filled, measure, correlations, config)[-1].estimate is not None:
                found.append(chosen)
        if len(found) >= ALTERNATIVES:
            break
    found.sort(key=lambda chosen: (len(chosen), _cells(comparison, chosen)))
    return found[:ALTERNATIVES]


def _sides(comparison: Comparison) -> tuple[int, ...]:
    return (0, 1) if comparison.controlled else (0,)


def _cells(comparison: Comparison, chosen: Sequence[Atom]) -> int:
    """Count the cells that somebody would have to type."""
    return sum(len(asked_of(comparison, atom)) * len(atom.columns) for atom in chosen)


def asked_of(comparison: Comparison, atom: Atom) -> tuple[int, ...]:
    """Return the sides of a comparison that lack an atom; (0,) for a test between arms."""
    sides = _sides(comparison)
    if atom is LABEL:
        return tuple(side for side in sides if _unlabelled(comparison, side))
    if atom is PEOPLE:
        return tuple(side for side in sides if not comparison.people(side, None).n)
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


def fill(comparison: Comparison, chosen: Sequence[Atom], config: Config) -> Comparison:
    """Return the comparison with stand-ins in the cells of the atoms, to try the ladder on."""
    changed: dict[str, Any] = {}
    for pair in PAIRS:
        columns = {atom.columns[0]: atom for atom in chosen if atom.pair == pair}
        rows = list(getattr(comparison, pair))
        for side in _sides(comparison):
            rows[side] = _filled(comparison, pair, side, columns, chosen, config)
        changed[pair] = tuple(rows)
    contrasts = list(comparison.contrasts)
    if TEST in chosen:
        contrasts.append(
            _contrast(comparison, statistic="t", value=ReportedNumber("2.1"), config=config)
        )
    if DIFFERENCE in chosen:
        more = {"value": ReportedNumber("0.1"), "se": ReportedNumber("0.05")}
        contrasts.append(_contrast(comparison, statistic="md", config=config, **more))
    if PEOPLE in chosen:
        changed["arm"] = comparison.arm.model_copy(update={"n_end": comparison.arm.n_end or 20})
        if comparison.control is not None:
            n = comparison.control.n_end or 20
            changed["control"] = comparison.control.model_copy(update={"n_end": n})
    return replace(comparison, contrasts=tuple(contrasts), **changed)


def _filled(
    comparison: Comparison, pair: str, side: int, columns: dict[str, Atom],
    chosen: Sequence[Atom], config: Config,
) -> Measurement | None:  # fmt: skip
    row = getattr(comparison, pair)[side]
    updates: dict[str, Any] = {}
    if LABEL in chosen and row is not None and row.spread_kind == "unknown":
        updates["spread_kind"] = "sd"
    asked = [name for name, atom in columns.items() if side in asked_of(comparison, atom)]
    if asked:
        row = row or new_row(comparison, pair, side, config)
        scale = float(row.mean) if row.mean else 1.0
        stand_ins = {
            "mean": ReportedNumber(STAND_INS[pair][side]),
            "sd": ReportedNumber(repr(abs(scale) / 20)),
        }
        updates |= {name: stand_ins[name] for name in asked}
        updates |= {"disputed": "", "accept": ""}
    return row if row is None or not updates else row.model_copy(update=updates)


def unit_of(comparison: Comparison, config: Config) -> str:
    """Return the unit of a comparison's levels, '' where no print names one."""
    if comparison.unit:
        return comparison.unit
    return config.outcomes[comparison.outcome].unit_of(comparison.analyte)


def new_row(comparison: Comparison, pair: str, side: int, config: Config) -> Measurement:
    """Return a measurement without numbers for one side of a comparison."""
    arm = (comparison.arm, comparison.control)[side]
    kind = PAIRS[pair][0]
    base = pair == "baselines"
    column = "time_h" if arm.phase == "acute" else "time_wk"
    times = (
        {} if base or comparison.time is None else {column: ReportedNumber(f"{comparison.time:g}")}
    )
    return Measurement(
        study_id=comparison.study.study_id, arm_id=arm.arm_id, outcome=comparison.outcome,
        analyte=comparison.analyte, site=comparison.site,
        timepoint="baseline" if base else comparison.timepoint, kind=kind, **times,
        unit="%" if kind == "pct_change" else _any_unit(comparison, config),
    )  # fmt: skip


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
    """Return the rows of `wanted.csv`: most participants first."""
    rows = []
    for item in found:
        comparison = item.comparison
        n, how = people_of(comparison)
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


def people_of(comparison: Comparison) -> tuple[int | None, str]:
    """Return how many participants a comparison would add, and the source of that number."""
    sides = _sides(comparison)
    rows = [
        next(
            (r for r in (getattr(comparison, pair)[side] for pair in PAIRS) if r is not None), None
        )
        for side in sides
    ]
    counts = [comparison.people(side, row).n for side, row in zip(sides, rows, strict=True)]
    if all(counts):
        return sum(counts), "arms"
    tests = [row for row in comparison.contrasts if row.n_exercise and row.n_control]
    if tests:
        return tests[0].n_exercise + tests[0].n_control, "test"
    totals = [row.n_total for row in comparison.contrasts if row.n_total]
    if totals:
        return totals[0], "total"
    if comparison.study.n_enrolled:
        return comparison.study.n_enrolled, "enrolled"
    return None, ""


def is_in(synthesis: Synthesis, comparison: Comparison, config: Config) -> bool:
    """Tell whether a synthesis asks for a comparison."""
    design_class = "controlled" if comparison.controlled else "within_arm"
    return (
        comparison.outcome, comparison.analyte, comparison.site, comparison.arm.phase,
        design_class, window_of(comparison, config),
    ) == (
        synthesis.outcome, synthesis.analyte, synthesis.site, synthesis.phase,
        synthesis.design_class, synthesis.window,
    )  # fmt: skip
