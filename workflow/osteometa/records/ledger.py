"""Records of the status of raw rows and of the cells that are missing, field by column."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """What became of one raw row for one use."""

    table: str
    row: int
    """As the spreadsheet counts it: the header is row 1."""
    study_id: str
    status: str
    """used, direction_only, not_used or not_asked."""
    synthesis: str
    """Id of the synthesis or direction set, empty if none asks for the row."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRow:
    """Cells that would make a study poolable: a row of `wanted.csv`."""

    synthesis: str
    study_id: str
    label: str
    arm_id: str
    comparator: str
    outcome: str
    analyte: str
    site: str
    timepoint: str
    alternative: int
    """1 is the smallest set; any one of the alternatives would do."""
    missing: str
    """The missing values in words."""
    unit: str
    """Unit to ask for; empty where none is reported."""
    cells: int
    """Number of cells to enter."""
    participants: int | None
    """Participants that the study would add to the synthesis."""
    participants_source: str
    """arms, test, total, enrolled (as randomised, where nothing else is reported) or empty."""
