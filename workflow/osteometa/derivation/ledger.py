"""The ledger: for every raw row, what it was used for, or why it was not used."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from osteometa.comparisons.classification import listed_only
from osteometa.comparisons.comparison import Finding
from osteometa.comparisons.summaries import Cell
from osteometa.derivation.derive import Derived
from osteometa.derivation.estimate import Estimated
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Arm, Contrast, Direction, Measurement, Study, Tables
from osteometa.protocol.config import Config, Synthesis
from osteometa.records.directions import DirectionEntry
from osteometa.records.effects import Effect
from osteometa.records.ledger import LedgerLine
from osteometa.synthesis.sets import includes
from osteometa.wording.vocabulary import Block, DerivationMethod, RowStatus

Record = TypeVar("Record", Effect, DirectionEntry)
RowKey = tuple[str, str]
"""Table and key of a raw row."""


def ledger_of(tables: Tables, derived: Derived, config: Config) -> list[LedgerLine]:
    """Return one line for every raw row and use, in the order of the tables."""
    writer = _Writer(derived, config, tables)
    lines: list[LedgerLine] = []
    by_arm: dict[tuple[str, str], list[LedgerLine]] = defaultdict(list)
    for row in tables.findings:
        own = writer.lines_of(row)
        lines += own
        by_arm[(row.study_id, row.arm_id)] += own
        by_arm[(row.study_id, "")] += own
    summary = []
    for study in tables.studies:
        summary += _carrier(study, by_arm[(study.study_id, "")], study.exclude_reason)
    for arm in tables.arms:
        own = by_arm[(arm.study_id, arm.arm_id)]
        lines_of_arm = own or [
            replace(line, reason=f"the comparator: {line.reason}")
            for other in tables.arms
            if (other.study_id, other.comparator) == (arm.study_id, arm.arm_id)
            for line in by_arm[(other.study_id, other.arm_id)]
        ]
        summary += _carrier(arm, lines_of_arm, writer.excluded.get(arm.study_id, ""))
    judged = [
        _line(row, RowStatus.NOT_PLANNED, reason)
        for table, reason in NOT_COMPUTED_WITH.items()
        for row in getattr(tables, table)
    ]
    return [*summary, *lines, *judged]


JUDGED = "entered by the reviewers: shown in the report, not computed with"
NOT_COMPUTED_WITH = {
    "risk_of_bias": JUDGED,
    "prisma": JUDGED,
    "assays": "mass and molar units are not converted into each other",
    "grade": JUDGED,
    "published_pools": "pooled by another review: shown for comparison, never pooled",
    "claims": "a claim of another review: answered by the results, never data",
}
"""Tables of which no row is computed with, and why."""


def _carrier(row: Study | Arm, lines: Sequence[LedgerLine], excluded: str) -> Iterator[LedgerLine]:
    """Yield the status of a study or an arm, the best of those of its findings."""
    order = (RowStatus.USED, RowStatus.DIRECTION_ONLY, RowStatus.NOT_PLANNED, RowStatus.NOT_USED)
    best: dict[str, LedgerLine] = {}
    for line in lines:
        held = best.get(line.synthesis)
        if held is None or order.index(line.status) < order.index(held.status):
            best[line.synthesis] = line
    named = [line for name, line in sorted(best.items()) if name] or list(best.values())[:1]
    if not named:
        reason = excluded or "no measurement, contrast or direction is entered for it"
        yield _line(row, RowStatus.NOT_USED, reason)
    for line in named:
        yield _line(row, line.status, line.reason, line.synthesis)


class _Writer:
    """Writes the lines of a row: from the effects and directions that are derived from it."""

    def __init__(self, derived: Derived, config: Config, tables: Tables):
        self.config = config
        self.excluded = {s.study_id: s.exclude_reason for s in tables.studies if s.include == "no"}
        self._partners = {(arm.study_id, arm.comparator) for arm in tables.arms if arm.comparator}
        self._effects = _by_row(derived.effects)
        self._entries = _by_row(derived.entries)
        self._gathered: dict[RowKey, list[tuple[Estimated, DirectionEntry]]] = defaultdict(list)
        for item, entry in zip(derived.estimated, derived.entries, strict=True):
            for row in item.comparison.rows:
                self._gathered[_key(row)].append((item, entry))

    def lines_of(self, row: Finding) -> list[LedgerLine]:
        """Return the lines of one measurement, contrast or direction."""
        entries = [entry for _, entry in self._gathered[_key(row)]]
        if not entries:
            return [_line(row, *self._outside(row))]
        lines = [
            _line(row, *self._within(row, synthesis), synthesis.id)
            for synthesis in self.config.syntheses
            if any(includes(synthesis, entry) for entry in entries)
        ]
        if lines:
            return lines
        sets = sorted(
            {f"directions {e.outcome} {e.phase} {e.design_class}" for e in entries if e.counted}
        )
        place = " ".join(part for part in (row.outcome, row.analyte, row.site) if part)
        reason = f"no planned analysis of config.yaml includes this comparison of {place}"
        if sets:
            return [_line(row, RowStatus.DIRECTION_ONLY, reason, "; ".join(sets))]
        reason += f"; {entries[0].reason}" if entries[0].reason else ""
        return [_line(row, RowStatus.NOT_PLANNED, reason)]

    def _outside(self, row: Finding) -> tuple[RowStatus, str]:
        """Return the status of a row that is in no comparison."""
        status, reason = RowStatus.NOT_USED, "baseline without anything after it"
        if row.study_id in self.excluded:
            reason = f"the study is not included: {self.excluded[row.study_id]}"
        elif row.outcome in self.config.secondary_outcomes:
            status = RowStatus.NOT_PLANNED
            reason = "secondary outcome: kept in the tables, in no planned analysis"
        elif row.timepoint != "baseline" and (row.study_id, row.arm_id) in self._partners:
            reason = "the comparison is made once, for the other arm of the pair"
        elif row.timepoint != "baseline":
            reason = "a row of a comparator arm without a comparison at this time"
        return status, reason

    def _within(self, row: Finding, synthesis: Synthesis) -> tuple[RowStatus, str]:
        """Return the status of a row in a synthesis."""
        effects = [e for e in self._effects[_key(row)] if includes(synthesis, e)]
        effects.sort(key=lambda effect: (not effect.pooled, effect.block == Block.REDUCED))
        if effects:
            first = effects[0]
            if first.pooled:
                codes = "+".join(first.provenance)
                return RowStatus.USED, f"in the effect {first.effect_id} by {codes}"
            if first.block == Block.REDUCED:
                return RowStatus.NOT_USED, first.reason
            return RowStatus.USED, f"in the effect {first.effect_id}, not pooled: {first.reason}"
        items = [item for item, entry in self._gathered[_key(row)] if includes(synthesis, entry)]
        reason = why_not(row, items, self.config)
        by_row = any(includes(synthesis, entry) for entry in self._entries[_key(row)])
        direction = isinstance(row, Direction) or by_row
        return (RowStatus.DIRECTION_ONLY if direction else RowStatus.NOT_USED), reason


NEAREST_METHODS = {
    "level": ("PPC", "POST", "SMCR", "MC", "ROMC"),
    "log_level": ("LOG", "ROMC"),
    "geometric": ("LOG", "ROMC"),
    "change": ("CHG", "BASE", "SMCR", "MC"),
    "pct_change": ("CHG", "SMCR", "ROMC"),
    "contrast": ("ADJ", "DIF", "TST", "SMDP", "SMCR", "MC"),
}
"""The derivation methods that a row would most likely serve."""


def _why_not_derivable(row: Finding, items: Sequence[Estimated]) -> str:
    """Return why the methods nearest to a row cannot be used, on the primary measure first."""
    kind = row.kind if isinstance(row, Measurement) else "contrast"
    near = set(map(DerivationMethod, NEAREST_METHODS[kind]))
    by_measure = [list(item.attempts.values()) for item in items]
    for tried in ([attempts[:1] for attempts in by_measure], by_measure):
        reasons = dict.fromkeys(
            attempt.reason for measures in tried for attempts in measures for attempt in attempts
            if attempt.method in near and attempt.reason
        )  # fmt: skip
        if reasons:
            return "; ".join(reasons)
    return "no derivation method can be used"


def why_not(row: Finding, items: Sequence[Estimated], config: Config) -> str:
    """Return why the numbers of a row are in no effect."""
    if not row.usable:
        return f"accepted as reported, not usable: {row.accept_reason}"
    found = [(measure, one) for item in items for measure, one in item.estimates().items()]
    if isinstance(row, Measurement) and (spread := _without_known_spread(row, bool(found))):
        return spread
    listed = [why[1] for item in items if (why := listed_only(item.comparison, config))]
    reasons = [item.not_tried for item in items if item.not_tried] or listed
    if reasons:
        return reasons[0]
    if isinstance(row, Contrast):
        two_arms = any(item.comparison.controlled for item in items)
        if row.compares == "within" and two_arms:
            return "a test within one arm is not one of the difference between arms"
        if row.test == "rank":
            return "the p of a rank test gives no SD"
        if row.p is not None and row.p_operator not in ("", "=") and row.value is None:
            return f"p {row.p_operator} {row.p.text} is a limit, not a value"
    if isinstance(row, Direction):
        known = "the sign of the effect is used instead of the reported direction"
        return known if found else "direction only"
    if found:
        return f"another value of the comparison takes precedence ({found[0][1].method})"
    if row.disputed:
        return f"inconsistently reported data: {row.disputed}"
    return _why_not_derivable(row, items)


def _without_known_spread(row: Measurement, has_effect: bool) -> str:
    """Return why a measurement has no SD that can be used; '' if that is not the reason."""
    no_pair = None in (row.q1, row.q3) and None in (row.min, row.max)
    if no_pair and row.mean is None and row.median is not None:
        return "a median without its quartiles or range gives no mean and SD"
    if row.spread is None or row.spread_kind != "unknown":
        return ""
    more = "; another value of the comparison gives the effect" if has_effect else ""
    return f"spread of unspecified type: SD or SE is not reported{more}"


def _by_row(records: Iterable[Record]) -> dict[RowKey, list[Record]]:
    """Return records by the raw rows from which they are derived."""
    found: dict[RowKey, list[Record]] = defaultdict(list)
    for record in records:
        for key in {(cell.table, cell.key) for cell in record.inputs}:
            found[key].append(record)
    return found


def _key(row: Row) -> RowKey:
    name = Cell(row, "").name
    return name.table, name.key


def _line(row: Row, status: RowStatus, reason: str, synthesis: str = "") -> LedgerLine:
    return LedgerLine(
        table=row.table, row=row.row, study_id=getattr(row, "study_id", ""), status=status,
        synthesis=synthesis, reason=reason,
    )  # fmt: skip
