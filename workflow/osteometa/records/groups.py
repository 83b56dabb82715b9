"""Records in groups."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Record = TypeVar("Record")
Key = TypeVar("Key", bound=Hashable)


def grouped(records: Iterable[Record], key: Callable[[Record], Key]) -> dict[Key, list[Record]]:
    """Return records by a key; groups and their members stand in the order of the records."""
    groups: dict[Key, list[Record]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups
