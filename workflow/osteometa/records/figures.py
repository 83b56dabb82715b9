"""The record of one figure: a row of `figures.csv`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One figure of a folder: a row of `figures.csv`."""

    figure: str
    """Name of its files without their endings."""
    title: str
    pages: int
    """0 where it does not apply; a further page is the file `<figure>_2`, in a PDF a page."""
    alt: str
    """What it shows, for readers who do not see it."""
    reason: str
    """Why it does not apply; empty where it is drawn."""
