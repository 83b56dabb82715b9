"""Journal presets of forest plots: which columns in which order, colours, words, sizes."""

from __future__ import annotations

from dataclasses import dataclass

from osteometa.figures.palette import BLACK, BLUE, BODY, SKY, SMALL

DROPPED = (
    ("weight",), ("exercise_mean", "control_mean"), ("exercise_n", "control_n"), ("risk_of_bias",),
)  # fmt: skip
"""The order in which columns go where a figure is too narrow for all; units go with the means.

The area of a square shows the weight, and the interval most of what means and n do; no mark shows
the risk of bias.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The style of forest plots of a journal."""

    columns: tuple[str, ...]
    """From left to right; `plot` is the drawing."""
    head: str = "Study"
    effect_head: str = "Effect"
    interval: str = "[a, b]"
    size: float = BODY
    """Size of the text in points."""
    square: str = BLUE
    diamond: str = BLACK
    leading_zero: bool = True
    """Whether p is written with a 0 before the point."""
    favours_on_top: bool = False


_ARMS = ("exercise_n", "exercise_mean", "control_n", "control_mean", "unit")
_RIGHT = ("label", "plot", "weight", "effect", "risk_of_bias")
PRESETS = {
    "standard": Preset(columns=("label", *_ARMS, "plot", "effect", "weight", "risk_of_bias")),
    "revman": Preset(
        columns=("label", *_ARMS, "weight", "effect", "plot", "risk_of_bias"),
        head="Study or subgroup",
    ),
    "jama": Preset(
        columns=("label", "exercise_n", "control_n", "effect", "plot", "weight", "risk_of_bias"),
        head="Source", interval="(a to b)", diamond=SKY, leading_zero=False, favours_on_top=True,
    ),
    "bmj": Preset(
        columns=("label", *_ARMS, "plot", "weight", "effect", "risk_of_bias"),
        interval="(a to b)", square=BLACK,
    ),
    "metafor": Preset(columns=_RIGHT, square=BLACK),
    "nature": Preset(columns=_RIGHT, square=BLACK, size=SMALL),
}  # fmt: skip
