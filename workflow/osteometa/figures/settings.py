"""What the figures of one synthesis depend on beside its results: settings and journal presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from osteometa.figures.palette import BLACK, BLUE, BODY, SKY, SMALL
from osteometa.wording.measure_format import MeasureFormat
from osteometa.wording.syntheses import title_of, window_words

if TYPE_CHECKING:
    from osteometa.protocol.config import Config

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


WITHIN_ARM = ("Lower after exercise", "Higher after exercise")
"""What the sides of an axis mean for changes within one arm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSettings:
    """The words, the measures and the style of the figures of one synthesis."""

    title: str
    """Outcome, site, phase, design and window in words."""
    label: str
    """Of the outcome."""
    design_class: str
    measure: str
    """The measure that is drawn."""
    measures: tuple[str, ...]
    """Those of the outcome, the primary one first."""
    favours: tuple[str, str]
    """What effects below and above none mean."""
    ratio_as: str
    decimals: int
    """Of means and mean differences."""
    pi_df: str
    pi_least: int
    """Studies from which a prediction interval is shown."""
    style: str
    """Name of the preset of forest plots."""
    width: int
    """Of forest plots, mm."""
    interval: str
    """Form of an interval, [a, b] or (a to b)."""
    formats: tuple[str, ...]
    """Endings of the files of a figure."""

    @classmethod
    def of(
        cls, config: Config, synthesis_id: str, *, style: str = "", width: int = 0
    ) -> FigureSettings:
        """Take the choices of config.yaml; `style` and `width` take their place if given."""
        synthesis = next(s for s in config.syntheses if s.id == synthesis_id)
        outcome = config.outcomes[synthesis.outcome]
        style = style or config.figures.style
        interval = config.figures.interval
        return cls(
            title=title_of(
                outcome.label, outcome.analytes[synthesis.analyte].label, site=synthesis.site,
                phase=synthesis.phase, design_class=synthesis.design_class,
                when=", ".join(window_words(synthesis.window, config.windows)),
            ),
            label=outcome.label, design_class=synthesis.design_class,
            measure=outcome.measures[0], measures=tuple(outcome.measures),
            favours=outcome.axis if synthesis.design_class == "controlled" else WITHIN_ARM,
            ratio_as=outcome.ratio_as, decimals=outcome.decimals, pi_df=config.pooling.pi_df,
            pi_least=config.small_k.prediction_interval, style=style,
            width=width or config.figures.width,
            interval=PRESETS[style].interval if interval == "preset" else interval,
            formats=tuple(config.figures.formats),
        )  # fmt: skip

    @property
    def preset(self) -> Preset:
        """The preset that the style names."""
        return PRESETS[self.style]

    @property
    def within_arm(self) -> bool:
        """Return whether effects are changes within one arm."""
        return self.design_class == "within_arm"

    def scale(self, unit: str = "") -> MeasureFormat:
        """Return how effects of the measure are written; `unit` is that of mean differences."""
        return MeasureFormat(self.measure, unit, self.interval, self.ratio_as, self.decimals)
