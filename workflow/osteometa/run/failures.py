"""What is said where something fails: a sentence with the remedy, or a file with the details."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osteometa import __version__

GONE = "A file was removed while it was needed. Run again: what is missing is made again."
REMEDIES = {
    "LockException": "The folder is locked: another run is active in it, or an interrupted run "
    "left its lock. If no run is active: snakemake --unlock, then run again.",
    "No space left on device": "The disk is full. Free some space, then run again: what is "
    "finished is kept.",
    "Disk quota exceeded": "Your share of the disk is full. Free some space, then run again.",
    "File too large": "The file is larger than the system allows. Raise the limit, then run again.",
    "Read-only file system": "The folder cannot be written to. Run a copy of it.",
    "Write-protected output": "The folder cannot be written to. Run a copy of it.",
    "Operation not permitted": "A file or folder is protected. Run a copy of the folder.",
    "Permission denied": "A file or folder cannot be read or written. Change its "
    "permissions, or run a copy of the folder.",
    "Not a directory": "A file has the name of a folder that is needed. Rename it, then run again.",
    "File exists": "A file has the name of a folder that is needed. Rename it, then run again.",
    "Is a directory": "A folder has the name of the file. Give another name.",
    "No such file or directory": GONE,
    "missing locally": GONE,
    "older modification time": "The clock was set during the run. Run again.",
}
"""What to do, by words of a failure."""
EXTRAS = {
    **dict.fromkeys(
        ("bibtexparser", "charset_normalizer", "nbib", "openpyxl", "rispy", "rocrate"), "exchange"
    ),
    "pyarrow": "specifications",
}
"""Extras of modules that only some commands need."""


def remedy_for(failure: str) -> str:
    """Return what to do about a failure, empty where nothing is known of it."""
    return next((remedy for words, remedy in REMEDIES.items() if words in failure), "")


def details_file(name: str) -> Path:
    """Return the file in the working folder for the details of a failure."""
    return Path(f"osteometa_failure_{name}.txt")


@contextmanager
def in_a_sentence(name: str, giver: str = "") -> Iterator[None]:
    """End the process with one sentence where something fails, and write the details to a file.

    `name` of the step or command goes into the name of the file; `giver` begins the sentence.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except Exception as error:
        sys.exit(giver + (_known(error, giver) or _unforeseen(name, error)))


def _known(error: Exception, giver: str) -> str:
    if isinstance(error, ModuleNotFoundError):
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra:
            return f"{error.name} is not installed. Run: pip install 'osteometa[{extra}]'."
    remedy = remedy_for(str(error)) if isinstance(error, OSError) else ""
    if not remedy:
        return ""
    if giver and remedy == GONE:
        remedy = "Check the path."  # of a command, whose files are named by its user
    file = getattr(error, "filename2", None) or getattr(error, "filename", None)
    return f"{f'{file}: ' if file else ''}{getattr(error, 'strerror', error)}. {remedy}"


def _unforeseen(name: str, error: Exception) -> str:
    versions = f"osteometa {__version__}, Python {sys.version}, {platform.platform()}"
    details = f"{versions}\n{' '.join(sys.argv)}\n\n{''.join(traceback.format_exception(error))}"
    words = f"An unforeseen failure ({type(error).__name__}: {str(error)[:200]})."
    for place in (details_file(name), Path(tempfile.gettempdir()) / details_file(name)):
        try:
            place.write_text(details, encoding="utf-8")
        except OSError:
            continue
        return f"{words} The details are in {place}: please report it with this file."
    return f"{words} The details could not be written to a file:\n{details}"
