"""The ledger: for every raw row, what it was used for, or why it was not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from osteometa.derivation.derive import Climbed, Derived
from osteometa.directions.entries import why_listed
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Contrast, Direction, Measurement, Tables
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry
from osteometa.records.effects import Effect
from osteometa.records.ledger import LedgerLine
from osteometa.synthesis.sets import REDUCED, asks_for

Finding = Measurement | Contrast | Direction


def ledger_of(tables: Tables, derived: Derived, config: Config) -> list[LedgerLine]:
    """Return one line for every raw row and use, in the order of the tables."""
    writer = _Writer(derived, config, tables)
    lines: list[LedgerLine] = []
    for rows in (tables.measurements, tables.contrasts, tables.directions):
        for row in rows:
            lines += writer.finding(row)
    by_arm: dict[tuple[str, str], list[LedgerLine]] = defaultdict(list)
    for row, line in zip(writer.rows, lines, strict=True):
        by_arm[(row.study_id, row.arm_id)].append(line)
        by_arm[(row.study_id, "")].append(line)
    summary = []
    for study in tables.studies:
        summary += _carrier(study, by_arm[(study.study_id, "")], study.exclude_reason)
    excluded = _excluded(tables)
    for arm in tables.arms:
        own = by_arm[(arm.study_id, arm.arm_id)]
        lines_of_arm = own or [
            replace(line, reason=f"the comparator: {line.reason}")
            for other in tables.arms
            if (other.study_id, other.comparator) == (arm.study_id, arm.arm_id)
            for line in by_arm[(other.study_id, other.arm_id)]
        ]
        summary += _carrier(arm, lines_of_arm, excluded.get(arm.study_id, ""))
    judged = [
        LedgerLine(
            table=row.table, row=row.row, study_id=getattr(row, "study_id", ""), status="not_asked",
            synthesis="", reason=_people_say(row),
        )
        for rows in (
            tables.risk_of_bias, tables.prisma, tables.assays, tables.grade,
            tables.published_pools,
        )
        for row in rows
    ]  # fmt: skip
    return [*summary, *lines, *judged]


def _excluded(tables: Tables) -> dict[str, str]:
    return {s.study_id: s.exclude_reason for s in tables.studies if s.include == "no"}


def _people_say(row: Row) -> str:
    if row.table == "assays":
        return "no conversion between mass and molar units is made yet"
    if row.table == "published_pools":
        return "what another review pooled: shown beside ours, never pooled"
    return "entered by people: shown in the report, not computed with"


def _carrier(row: Row, lines: Sequence[LedgerLine], excluded: str) -> Iterator[LedgerLine]:
    """Tell of a study or an arm by what became of its findings."""
    order = ("used", "direction_only", "not_asked", "not_used")
    best: dict[str, LedgerLine] = {}
    for line in lines:
        held = best.get(line.synthesis)
        if held is None or order.index(line.status) < order.index(held.status):
            best[line.synthesis] = line
    named = [line for name, line in sorted(best.items()) if name] or list(best.values())[:1]
    if not named:
        reason = excluded or "no measurement, contrast or direction is entered for it"
        yield LedgerLine(table=row.table, row=row.row, study_id=row.study_id, status="not_used",
                         synthesis="", reason=reason)  # fmt: skip
    for line in named:
        yield LedgerLine(table=row.table, row=row.row, study_id=row.study_id, status=line.status,
                         synthesis=line.synthesis, reason=line.reason)  # fmt: skip


class _Writer:
    """Knows which effects and directions rest on which raw row."""

    def __init__(self, derived: Derived, config: Config, tables: Tables):
        self.config = config
        self.rows: list[Finding] = []
        self._excluded = _excluded(tables)
        self._partners = {(arm.study_id, arm.comparator) for arm in tables.arms if arm.comparator}
        self._effects = _by_row(derived.effects)
        self._entries = _by_row(derived.entries)
        self._climbed: dict[tuple[str, int], list[Climbed]] = defaultdict(list)
        self._told: dict[tuple[str, int], list[DirectionEntry]] = defaultdict(list)
        for item, entry in zip(derived.climbed, derived.entries, strict=True):
            for row in item.comparison.rows:
                self._climbed[(row.table, row.row)].append(item)
                self._told[(row.table, row.row)].append(entry)

    def finding(self, row: Finding) -> list[LedgerLine]:
        """Return the lines of one measurement, contrast or direction."""
        lines = self._lines(row)
        self.rows += [row] * len(lines)
        return lines

    def _lines(self, row: Finding) -> list[LedgerLine]:
        told = self._told[(row.table, row.row)]
        if not told:
            return [_line(row, *self._outside(row))]
        lines = []
        for synthesis in self.config.syntheses:
            if any(asks_for(synthesis, entry) for entry in told):
                lines.append(_line(row, *self._within(row, synthesis), synthesis.id))
        sets = {
            f"directions {entry.outcome} {entry.phase} {entry.design_class}"
            for entry in told
            if entry.counted
        }
        if not lines:
            place = " ".join(part for part in (row.outcome, row.analyte, row.site) if part)
            status = "direction_only" if sets else "not_asked"
            reason = f"no synthesis of config.yaml asks for {place} here"
            if not sets:
                reason += f"; {told[0].reason}" if told[0].reason else ""
            return [_line(row, status, reason, "; ".join(sorted(sets)))]
        return lines

    def _outside(self, row: Finding) -> tuple[str, str]:
        if row.study_id in self._excluded:
            return "not_used", f"the study is not included: {self._excluded[row.study_id]}"
        if row.outcome in self.config.secondary_outcomes:
            return "not_asked", "secondary outcome: kept in the tables, asked for by no synthesis"
        if row.timepoint == "baseline":
            return "not_used", "baseline without anything after it"
        if (row.study_id, row.arm_id) in self._partners:
            return "not_used", "the comparison is made once, for the other arm of the pair"
        return "not_used", "the row of a comparator arm, of which no comparison speaks here"

    def _within(self, row: Finding, synthesis) -> tuple[str, str]:
        effects = [e for e in self._effects[row.cell_name("")] if asks_for(synthesis, e)]
        for effect in effects:
            if effect.pooled:
                return "used", f"in the effect {effect.effect_id} by {effect.provenance}"
        for effect in effects:
            if effect.block != REDUCED:
                return "used", f"in the effect {effect.effect_id}, not pooled: {effect.reason}"
        if effects:
            return "not_used", effects[0].reason
        items = [
            item
            for item, entry in zip(self._climbed[(row.table, row.row)],
                                   self._told[(row.table, row.row)], strict=True)
            if asks_for(synthesis, entry)
        ]  # fmt: skip
        reason = why_not(row, items, self.config)
        entries = [e for e in self._entries[row.cell_name("")] if asks_for(synthesis, e)]
        if isinstance(row, Direction) or entries:
            return "direction_only", reason
        return "not_used", reason


NEAR_RUNGS = {
    "level": ("PPC", "POST", "SMCR", "MC", "ROMC"),
    "log_level": ("LOG", "ROMC"),
    "change": ("CHG", "BASE", "SMCR", "MC"),
    "pct_change": ("CHG", "SMCR", "ROMC"),
    "contrast": ("ADJ", "DIF", "TST", "SMDP", "SMCR", "MC"),
}
"""The rungs of the ladder that a row is nearest to."""


def _refusals(row: Finding, items: Sequence[Climbed]) -> str:
    """Return why the rungs nearest to a row could not be taken, on the primary measure."""
    near = NEAR_RUNGS[row.kind if isinstance(row, Measurement) else "contrast"]
    reasons: dict[str, None] = {}
    for item in items:
        for tries in list(item.attempts.values())[:1]:
            reasons |= dict.fromkeys(t.reason for t in tries if t.method in near and t.reason)
    if not reasons:
        reasons = dict.fromkeys(
            t.reason for item in items for tries in item.attempts.values() for t in tries
            if t.method in near and t.reason
        )  # fmt: skip
    return "; ".join(reasons) or "no rung of the ladder can be taken"


def why_not(row: Finding, items: Sequence[Climbed], config: Config) -> str:
    """Return why a row's numbers stand in no effect."""
    if not row.usable:
        return f"accepted as printed, not usable: {row.accept_reason}"
    no_pair = (
        isinstance(row, Measurement) and None in (row.q1, row.q3) and None in (row.min, row.max)
    )
    if no_pair and row.mean is None and row.median is not None:
        return "a median without its quartiles or range gives no mean and SD"
    if isinstance(row, Measurement) and row.spread is not None and row.spread_kind == "unknown":
        unknown = "the printed +- does not say whether it is SD or SE"
        if any(item.estimate(m) for item in items for m in item.attempts):
            return f"{unknown}; another print of the comparison gives the effect"
        return unknown
    barred = [item.barred for item in items if item.barred]
    listed = [why for item in items if (why := why_listed(item.comparison, config))]
    if barred or listed:
        return (barred or listed)[0]
    two_arms = any(item.comparison.controlled for item in items)
    if isinstance(row, Contrast) and row.compares == "within" and two_arms:
        return "a test within one arm says nothing of the difference between arms"
    if isinstance(row, Contrast) and row.test == "rank":
        return "the p of a rank test gives no SD"
    if isinstance(row, Contrast) and row.p_operator not in ("", "=") and row.value is None:
        return f"p {row.p_operator} {row.p.text} is a bound, not a value"
    found = [(m, item.estimate(m)) for item in items for m in item.attempts if item.estimate(m)]
    if isinstance(row, Direction):
        if found:
            return "the sign of the effect goes before a typed direction"
        return "only a direction"
    if found:
        return f"another print of the comparison goes first ({found[0][1].method})"
    if row.disputed:
        return f"contradictory prints: {row.disputed}"
    return _refusals(row, items)


def _by_row(records: Iterable[Effect | DirectionEntry]) -> dict[str, list]:
    """Return records by the raw rows that they rest on, named `table:key:`."""
    found: dict[str, list] = defaultdict(list)
    for record in records:
        for row in {cell.rpartition(":")[0] + ":" for cell in record.inputs.split()}:
            found[row].append(record)
    return found


def _line(row: Finding, status: str, reason: str, synthesis: str = "") -> LedgerLine:
    return LedgerLine(
        table=row.table,
        row=row.row,
        study_id=row.study_id,
        status=status,
        synthesis=synthesis,
        reason=reason,
    )
