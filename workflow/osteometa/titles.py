"""What a synthesis is about, in the words of readers: the same in figures and in the report."""

from __future__ import annotations

import math
from collections.abc import Mapping


def title_words(
    label: str, *, analyte: str, site: str, phase: str, design_class: str, window: str,
    windows: Mapping[str, float],
) -> str:  # fmt: skip
    """Return what a synthesis is about, as the title of a figure or a heading.

    Parameters
    ----------
    label : str
        The outcome's label of config.yaml.
    analyte, site, phase, design_class, window : str
        As a synthesis of config.yaml names them.
    windows : mapping of str to float
        Name of each window and the hour at which it ends, ascending.
    """
    parts = [subject_words(label, analyte), site.replace("_", " ")]
    parts += [room_words(phase, design_class).lower(), *window_words(window, windows)]
    return "; ".join(part for part in parts if part)


def subject_words(label: str, analyte: str) -> str:
    """Return an outcome and which of its analytes, such as 'Osteoprotegerin (OPG), serum'."""
    kind = analyte.partition("_")[2].replace("_", " ")
    if kind == "not stated":
        kind = "kind not stated" if analyte.startswith("srankl") else "specimen not stated"
    return f"{label}, {kind}" if kind else label


PHASES = {"training": "Training", "acute": "Single bout"}
CLASSES = {"controlled": "against a comparator", "within_arm": "within one arm"}


def room_words(phase: str, design_class: str) -> str:
    """Return phase and design class, which never share a synthesis."""
    return f"{PHASES[phase]}, {CLASSES[design_class]}"


def window_words(window: str, windows: Mapping[str, float]) -> list[str]:
    """Return when after a bout samples were taken, as a list of one or none."""
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
