"""What a synthesis is, in a reader's words: the same in figures, tables and the report."""

import math
from collections.abc import Mapping

from osteometa.wording.vocabulary import DesignClass, Phase


def setting_words(phase: str, design_class: str) -> str:
    """Return phase and design class, which never share a synthesis."""
    return f"{Phase(phase).words}, {DesignClass(design_class).words}"


def window_words(window: str, windows: Mapping[str, float]) -> list[str]:
    """Return when after a bout samples were taken, as a list of one or none (training).

    `windows` are the upper bounds of config.yaml, hours after the end of the bout, ascending.
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


def site_words(site: str) -> str:
    """Return a site of the body."""
    return site.replace("_", " ")


def title_of(
    label: str, analyte: str, *, site: str, phase: str, design_class: str, when: str
) -> str:
    """Return the title of a synthesis from its labels, place and window in words."""
    parts = [f"{label}, {analyte}", site_words(site), setting_words(phase, design_class), when]
    return "; ".join(filter(None, parts))


def bout_cautions(outcome: str, *, diurnal: str, uncorrected: int, studies: int) -> list[str]:
    """Return what changes an outcome after a bout without any effect of exercise on bone.

    `diurnal` says how the outcome changes over the day, where no resting control shows it;
    `uncorrected` of the studies are not known to correct for plasma volume.
    """
    cautions = []
    if diurnal:
        cautions.append(
            f"{outcome} {diurnal}, and without a resting control this cannot be distinguished "
            "from a change after the bout"
        )
    if uncorrected:
        which = f"{uncorrected} of {studies} studies are not"
        cautions.append(
            f"{'no study is' if uncorrected == studies else which} known to correct for the loss "
            "of plasma volume during the bout, and haemoconcentration may explain a rise of a few "
            "per cent"
        )
    return cautions
