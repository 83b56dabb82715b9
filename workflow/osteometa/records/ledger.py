"""Records of the status of raw rows and of the cells that are missing, field by column."""

from dataclasses import dataclass
from typing import Literal

from osteometa.wording.vocabulary import DesignClass, Phase, RowStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """The status of one raw row for one use."""

    table: str
    row: int
    """As the spreadsheet counts it: the header is row 1."""
    study_id: str
    status: RowStatus
    synthesis: str
    """Id of the synthesis or direction set, empty if none includes the row."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRow:
    """Missing cells with which a study could be pooled: a row of `wanted.csv`."""

    synthesis: str
    """Id of the planned analysis; empty if none is planned."""
    study_id: str
    label: str
    arm_id: str
    comparator: str
    outcome: str
    analyte: str
    site: str
    phase: Phase
    window: str
    design_class: DesignClass
    timepoint: str
    k: int
    """Studies pooled in the analysis now, on the primary measure."""
    opens: Literal["alone", "with_another", ""]
    """Whether the cells open a further analysis: with one study in the pool alone, with none
    together with those of another study. Empty: the analysis has two, or no other candidate."""
    alternative: int
    """1 is the smallest set; any one of the alternatives is sufficient."""
    missing: str
    """The cells in words."""
    unit: str
    """Unit to request; empty where none is reported."""
    cells: int
    """How many cells would have to be entered."""
    participants: int | None
    """Participants that the study would add to the synthesis."""
    participants_source: Literal["arms", "test", "total", "enrolled", ""]
    """Where their number is reported; enrolled (as randomised) where nothing else is."""
