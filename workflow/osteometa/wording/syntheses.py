"""What a synthesis is, in a reader's words: the same in figures, tables and the report."""

from __future__ import annotations

import math
from collections.abc import Mapping

PHASES = {"training": "Training", "acute": "Single bout"}


def room_words(phase: str, design_class: str) -> str:
    """Return phase and design class, which never share a synthesis."""
    kind = "against a comparator" if design_class == "controlled" else "within one arm"
    return f"{PHASES[phase]}, {kind}"


def window_words(window: str, windows: Mapping[str, float]) -> list[str]:
    """Return when after a bout samples were taken, as a list of one or none.

    Parameters
    ----------
    window : str
        Name of a window of `config.yaml`, `during`, or empty where there is none (training).
    windows : mapping
        Upper bounds of the windows, hours after the end of the bout, ascending.
    """
    if not window:
        return []
    if window not in windows:
        return [f"{window} the bout"]
    return [f"{hours_words(window, windows)} after the bout"]


def hours_words(window: str, windows: Mapping[str, float]) -> str:
    """Return the hours of a window; it begins where the one before ends."""
    bounds = [0.0, *windows.values()]
    index = list(windows).index(window)
    start, end = bounds[index], bounds[index + 1]
    if math.isinf(end):
        return f"later than {start:g} h"
    return f"{start:g} to {end:g} h" if start else f"up to {end:g} h"


def not_stated(analyte: str) -> str:
    """Return what is not stated of an analyte: of RANKL whether it is free, else the specimen."""
    return "kind not stated" if analyte.startswith("srankl") else "specimen not stated"
