"""The name of one raw cell, as derived tables cite it."""

from __future__ import annotations

from typing import NamedTuple


class CellName(NamedTuple):
    """One cell of a raw table, written `table:key:column`."""

    table: str
    key: str
    """The row's key columns joined by '/', spaces as '_'."""
    column: str

    def __str__(self) -> str:
        return ":".join(self)

    @classmethod
    def read(cls, text: str) -> CellName:
        """Return the cell of a name; a key may contain ':' itself."""
        table, _, rest = text.partition(":")
        key, _, column = rest.rpartition(":")
        return cls(table, key, column)
