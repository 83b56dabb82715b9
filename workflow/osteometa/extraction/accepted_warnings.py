"""The raw table of warnings that reviewers have looked at and accepted."""

from __future__ import annotations

from typing import ClassVar

from osteometa.extraction.cell_types import Name, Row, Text, cell


class AcceptedWarning(Row):
    """A warning of `osteometa check` about a value that is right, or as the paper reports it."""

    table: ClassVar[str] = "accepted_warnings"
    key: ClassVar[tuple[str, ...]] = ("in_table", "row_key", "column", "code", "found")
    purpose: ClassVar[str] = (
        "One row per accepted warning of `osteometa check`, its cells as `osteometa check --csv` "
        "shows them. It holds while the same is found. A review may lack this table."
    )
    may_be_absent: ClassVar[bool] = True
    in_table: Name = cell("Raw table, without `.csv`.", ...)
    row_key: Name = cell("Key of the row: its parts joined by `/`.", ...)
    column: Name = cell("Column of the warning.", ...)
    code: Name = cell("Code of the warning.", ...)
    found: Text = cell("The value found, as the warning gives it.")
    reason: Name = cell("Why the value stays as it is.", ...)
