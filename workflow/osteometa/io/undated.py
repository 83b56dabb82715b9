"""Zipped documents (Word, Excel) without the time at which they were made."""

import io
from collections.abc import Callable
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


def undated(save: Callable[[io.BytesIO], None]) -> bytes:
    """Return the bytes of a zipped document without the time at which it was made."""
    made, kept = io.BytesIO(), io.BytesIO()
    save(made)
    with ZipFile(made) as old, ZipFile(kept, "w", ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(ZipInfo(item.filename), old.read(item), ZIP_DEFLATED)
    return kept.getvalue()
