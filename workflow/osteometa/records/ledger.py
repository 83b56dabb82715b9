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
    wanted: str
    """The cells in words."""
    unit: str
    """Unit to ask for; empty where no print names one."""
    cells: int
    """How many cells somebody would have to type."""
    people: int | None
    """People that the study would add to the synthesis."""
    people_known: str
    """arms, test, total, enrolled (as randomised, where nothing else is printed) or empty."""
