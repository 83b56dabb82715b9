"""What the cells of a column may hold, as far as a drop-down list can offer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import ENTERED_FLAGS, ROWS
from osteometa.extraction.units import NOT_STATED, UNITS
from osteometa.protocol.config import Config
from osteometa.validation.keys import NHLBI_OVERALL, ROB_DOMAINS, ROB_LEVELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a drop-down list offers."""

    words: tuple[str, ...] = ()
    rows_of: str = ""
    """Table whose rows are offered in place of words; of arms.csv those of the row's study."""
    only: bool = False
    """Whether nothing else may be entered."""


def choice_of(model: type[Row], column: str, config: Config | None) -> Choice | None:
    """Return what a column offers; None where it takes any text or number."""
    schema = model.model_json_schema()["properties"][column]
    if "enum" in schema:
        return Choice(words=tuple(word for word in schema["enum"] if word), only=True)
    if column == "study_id" and model.table != "studies":
        return Choice(rows_of="studies")
    if column == "comparator" or (column == "arm_id" and model.table != "arms"):
        return Choice(rows_of="arms")
    if column == "assay" and model.table != "assays":
        return Choice(rows_of="assays")
    words = _names(config).get(column, ())
    return Choice(words=tuple(dict.fromkeys(words))) if words else None


def _names(config: Config | None) -> Mapping[str, tuple[str, ...]]:
    """Return the names that columns of any table may hold, of the config and of the tools."""
    names = {
        "unit": ("%", *UNITS, NOT_STATED),
        "timepoint": ("baseline", "during"),
        "flag": ENTERED_FLAGS,
        "in_table": tuple(model.table for model in ROWS),
        "domain": tuple(chain.from_iterable(ROB_DOMAINS.values())),
        "judgement": (*chain.from_iterable(ROB_LEVELS.values()), *NHLBI_OVERALL),
    }
    if config is None:
        return names
    main = config.outcomes.values()
    return names | {
        "outcome": (*config.outcomes, *config.secondary_outcomes),
        "analyte": tuple(chain.from_iterable(outcome.analytes for outcome in main)),
        "site": tuple(chain.from_iterable(outcome.sites for outcome in main)),
        "modality": tuple(config.modalities),
        "synthesis": tuple(item.id for item in config.syntheses),
        "window": ("during", *config.windows),
    }
