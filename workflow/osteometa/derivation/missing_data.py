"""Missing data: the smallest sets of cells with which a study could be pooled.

Found by trial: cells that a paper does not report are filled with placeholders, and the derivation
methods are tried; the cells with which one succeeds are missing. A placeholder is never a result;
only the names of the cells leave this module.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import combinations
from typing import Any, Literal

from osteometa.comparisons.comparison import Comparison
from osteometa.comparisons.correlations import Correlations
from osteometa.effects.hierarchy import attempts_at
from osteometa.effects.rows import disputed_because
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Contrast, Direction, Measurement
from osteometa.extraction.units import NOT_STATED
from osteometa.protocol.config import Config
from osteometa.records.groups import grouped
from osteometa.wording.vocabulary import DerivationMethod

MOST_ATOMS = 4
"""Kinds of cells asked for at once; more is too much for one request."""
ALTERNATIVES = 3
"""Sets of cells that are named for one study."""
Kind = Literal["level", "change", "pct_change"]
PAIRS: dict[str, tuple[Kind, str]] = {
    "levels": ("level", "at follow-up"), "baselines": ("level", "at baseline"),
    "changes": ("change", "of the change"), "percents": ("pct_change", "of the % change"),
}  # fmt: skip
ANY_UNIT = "ng/mL"
# Any positive numbers will do: only whether a derivation method succeeds is looked at.
PLACEHOLDERS = {
    "baselines": ("1", "1"), "levels": ("1.2", "1.1"), "changes": ("0.2", "0.1"),
    "percents": ("2", "1"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)  # the constants below are compared by the million
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
ICC = Atom("intracluster correlation", "", ("value",))
"""Asked for where clusters were allocated."""
TEST = Atom("exact p of the test, with its direction", "", ("p",))
DIRECTION = Atom("direction of the reported test", "", ("direction",))
"""Asked for where an exact p is reported."""
DIFFERENCE = Atom("difference with its SE", "", ("value", "se"))
ADJUSTED = Atom("baseline-adjusted difference with its SE", "", ("value", "se"))
"""Named only as what a method lacks, never requested."""


def smallest(
    comparison: Comparison, measure: str, correlations: Correlations, config: Config
) -> list[tuple[Atom, ...]]:
    """Return the smallest sets of atoms with which a derivation method succeeds."""
    named = (ICC, LABEL, SIZE, DIRECTION, TEST, DIFFERENCE, *MEASURED)
    atoms = [atom for atom in named if asked_of(comparison, atom)]
    row = cache(partial(filled_row, comparison, config))
    found: list[tuple[Atom, ...]] = []
    for size in range(1, MOST_ATOMS + 1):
        for chosen in combinations(atoms, size):
            if any(set(smaller) <= set(chosen) for smaller in found):
                continue
            filled = fill(comparison, chosen, config, row)
            estimate = attempts_at(filled, measure, correlations, config)[-1].estimate
            if estimate is not None and not disputed_because(estimate):
                found.append(chosen)
        if len(found) >= ALTERNATIVES:
            break
    found.sort(key=lambda chosen: (len(chosen), cells_of(comparison, chosen)))
    return found[:ALTERNATIVES]


def lacking(
    comparison: Comparison, measure: str, method: DerivationMethod, correlations: Correlations,
    config: Config,
) -> tuple[Atom, ...]:  # fmt: skip
    """Return what one derivation method lacks: a set of atoms of which none can be left out.

    Found by leaving out one atom after another, the most cells first; empty where the reported
    numbers and these atoms give no effect by the method.
    """
    if comparison.parts:
        return ()  # of merged arms each is a comparison of its own
    tests = (ADJUSTED,) if method == DerivationMethod.ADJ else (TEST, DIRECTION, DIFFERENCE)
    atoms = [a for a in (ICC, LABEL, SIZE, *tests, *MEASURED) if asked_of(comparison, a)]
    row = cache(partial(filled_row, comparison, config))

    def suffices(chosen: Sequence[Atom]) -> bool:
        filled = fill(comparison, chosen, config, row)
        tried = attempts_at(filled, measure, correlations, config, only=method)
        return bool(tried) and tried[-1].estimate is not None

    if not suffices(atoms):
        return ()
    order = sorted(atoms, key=lambda one: -cells_of(comparison, [one]))
    # Twice: n can be needed beside a mean that is left out later.
    for atom in (*order, *order):
        rest = [other for other in atoms if other is not atom]
        atoms = rest if len(rest) < len(atoms) and suffices(rest) else atoms
    return tuple(atoms)


def cells_of(comparison: Comparison, chosen: Sequence[Atom]) -> int:
    """Count the cells that would have to be entered."""
    return sum(len(asked_of(comparison, atom)) * len(atom.columns) for atom in chosen)


def asked_of(comparison: Comparison, atom: Atom) -> tuple[int, ...]:
    """Return the sides of a comparison that lack an atom; (0,) for a test between arms."""
    sides = comparison.sides
    if atom is LABEL:
        return tuple(side for side in sides if _unlabelled(comparison, side))
    if atom is SIZE:
        return tuple(side for side in sides if not comparison.size(side, None).n)
    if atom is ICC:
        arms = filter(None, (comparison.arm, comparison.control))
        rows = (row for row in comparison.contrasts if row.statistic == "icc" and row.usable)
        reported = any(row.value is not None for row in rows)
        return (0,) if any(arm.clusters for arm in arms) and not reported else ()
    if atom is DIRECTION:
        exact = any(row.p is not None and row.p_operator == "=" for row in comparison.contrasts)
        return (0,) if exact else ()
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


FilledRow = Callable[[str, int, frozenset[Atom], bool], Measurement | None]


def fill(
    comparison: Comparison, chosen: Sequence[Atom], config: Config, row: FilledRow | None = None
) -> Comparison:
    """Return the comparison with placeholders in the cells of the atoms.

    `row` is `filled_row` of the comparison, cached where many sets of atoms are tried.
    """
    row = row or partial(filled_row, comparison, config)
    changed: dict[str, Any] = {}
    for pair in PAIRS:
        atoms = frozenset(atom for atom in chosen if atom.pair == pair)
        rows = list(getattr(comparison, pair))
        for side in comparison.sides:
            rows[side] = row(pair, side, atoms, LABEL in chosen)
        changed[pair] = tuple(rows)
    if DIRECTION in chosen:
        changed["directions"] = (*comparison.directions, _direction(comparison))
    values = {ICC: ("icc", "0.02", None), TEST: ("t", "2.1", None),
              DIFFERENCE: ("md", "0.1", "0.05"), ADJUSTED: ("adj_md", "0.1", "0.05")}  # fmt: skip
    new = (_contrast(comparison, config, *values[atom]) for atom in values if atom in chosen)
    if SIZE in chosen:
        for name, arm in (("arm", comparison.arm), ("control", comparison.control)):
            changed[name] = arm and arm.model_copy(update={"n_end": arm.n_end or 20})
    return replace(comparison, contrasts=(*comparison.contrasts, *new), **changed)


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
    if comparison.unit not in ("", NOT_STATED):
        return comparison.unit
    return config.outcomes[comparison.outcome].unit_of(comparison.analyte)


def new_row(comparison: Comparison, pair: str, side: int, config: Config) -> Measurement:
    """Return a measurement without numbers for one side of a comparison."""
    arm = (comparison.arm, comparison.control or comparison.arm)[side]
    kind = PAIRS[pair][0]
    base = pair == "baselines"
    cells: dict[str, Any] = _place(comparison) | {"arm_id": arm.arm_id}
    if base:
        cells["timepoint"] = "baseline"
    elif comparison.time is not None:
        column = "time_h" if arm.phase == "acute" else "time_wk"
        cells[column] = ReportedNumber(f"{comparison.time:g}")
    unit = "%" if kind == "pct_change" else unit_of(comparison, config) or ANY_UNIT
    return Measurement(**cells, kind=kind, unit=unit)


def _place(comparison: Comparison) -> dict[str, Any]:
    """Return the cells that say where a row of a comparison belongs."""
    return {
        "study_id": comparison.study.study_id, "arm_id": comparison.arm.arm_id,
        "outcome": comparison.outcome, "analyte": comparison.analyte, "site": comparison.site,
        "timepoint": comparison.timepoint,
    }  # fmt: skip


def _contrast(
    comparison: Comparison, config: Config, statistic: Any, value: str, se: str | None
) -> Contrast:
    return Contrast(
        **_place(comparison), statistic=statistic, value=ReportedNumber(value), score="change",
        se=se if se is None else ReportedNumber(se),
        adjusted="yes" if statistic == "adj_md" else "no",
        compares="between" if comparison.controlled else "within",
        test="t_pooled" if comparison.controlled else "paired_t",
        unit="" if statistic in ("t", "icc") else unit_of(comparison, config) or ANY_UNIT,
    )  # fmt: skip


def _direction(comparison: Comparison) -> Direction:
    basis = "between_arm" if comparison.controlled else "within_arm"
    return Direction(**_place(comparison), direction="up", basis=basis)


def words_of(comparison: Comparison, chosen: Sequence[Atom]) -> str:
    """Return a set of cells in words: 'SD at baseline and SD at follow-up in both arms'."""
    return "; ".join(
        " and ".join(_name(comparison, atom) for atom in atoms) + where
        for where, atoms in grouped(chosen, lambda atom: _where(comparison, atom)).items()
    )


def _name(comparison: Comparison, atom: Atom) -> str:
    if atom is TEST:
        kind = "between-group test" if comparison.controlled else "paired test"
        tests = (row for row in comparison.contrasts if row.compares == "between")
        if any(row.p is not None and row.p_operator == "=" for row in tests):
            kind = f"unadjusted {kind} of the changes"
        return f"exact p of the {kind}, with its direction"
    if atom is DIFFERENCE and comparison.controlled:
        return "difference of the changes between the arms, with its SE"
    return atom.name


def _where(comparison: Comparison, atom: Atom) -> str:
    if atom in (ICC, TEST, DIRECTION, DIFFERENCE, ADJUSTED) or not comparison.controlled:
        return ""
    sides = asked_of(comparison, atom)
    if len(sides) == 2:
        return " in both arms"
    return " in the exercise arm" if sides == (0,) else " in the control arm"


def participants_of(
    comparison: Comparison,
) -> tuple[int | None, Literal["arms", "test", "total", "enrolled", ""]]:
    """Return how many participants a comparison would add, and where that is reported."""
    sizes = []
    for side in comparison.sides:
        rows = (getattr(comparison, pair)[side] for pair in PAIRS)
        sizes.append(comparison.size(side, next(filter(None, rows), None)).n or 0)
    if all(sizes):
        return sum(sizes), "arms"
    for row in comparison.contrasts:
        if row.n_exercise and row.n_control:
            return row.n_exercise + row.n_control, "test"
    totals = [row.n_total for row in comparison.contrasts if row.n_total]
    if totals:
        return totals[0], "total"
    if comparison.study.n_enrolled:
        return comparison.study.n_enrolled, "enrolled"
    return None, ""
