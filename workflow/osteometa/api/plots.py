"""Forest plots of effects that a caller has, for notebooks and scripts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteometa.api.models import PooledEffect, pool
from osteometa.figures.files import ENDINGS, drawings, files_of, write_figure
from osteometa.figures.forest.draw import forest_figure
from osteometa.figures.forest.rows import Forest, ForestRow, Study, pool_rows
from osteometa.figures.settings import PRESETS, FigureSettings
from osteometa.numerics.distributions import t_quantile
from osteometa.numerics.range import refuse_unknown
from osteometa.synthesis.pools import pooled_row
from osteometa.wording.choices import MEASURES, WIDTHS
from osteometa.wording.measure_format import MeasureFormat

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PI_LEAST = 3
"""Fewest studies for a prediction interval: two cannot show how much studies differ."""


@dataclass(frozen=True, slots=True)
class ForestPlot:
    """A forest plot that a notebook displays as SVG."""

    figure: Figure
    """The figure of matplotlib."""
    title: str

    def save(self, path: str | Path) -> None:
        """Write the plot as a file; the ending names the format (svg, pdf, png, tiff).

        Raises
        ------
        ValueError
            For another ending.
        """
        path = Path(path)
        refuse_unknown("ending", path.suffix.lower(), tuple(ENDINGS))
        endings = {path.suffix: ENDINGS[path.suffix.lower()]}
        write_figure([self.figure], path.with_suffix(""), endings, title=self.title, alt="")

    def _repr_svg_(self) -> str:
        (svg,) = files_of(drawings([self.figure]), "svg", title=self.title)
        return svg.decode("utf-8")


def forest(
    yi: Any, vi: Any = None, *, title: str = "", measure: str = "SMD", style: str = "standard",
    width: int = 183, favours: tuple[str, str] = ("Lower", "Higher"), **choices: Any,
) -> ForestPlot:  # fmt: skip
    """Pool effects and draw their forest plot.

    Parameters
    ----------
    yi, vi
        As for `osteometa.pool`.
    title : str
        Stands above the plot.
    measure : {"SMD", "MD", "ROM"}
        What the effects are; the axis of ROM, whose effects are log ratios, shows ratios.
    style : {"standard", "revman", "jama", "bmj", "metafor", "nature"}
    width : {89, 183}
        One or two columns of a journal, mm.
    favours : tuple of two str
        What effects below and above no difference mean.
    **choices
        Further choices of `osteometa.pool`, such as `method`, `ci` and `labels`.

    Returns
    -------
    ForestPlot
        Displayed by a notebook; `figure` is the figure of matplotlib, `save(path)` writes a file.

    Raises
    ------
    ValueError
        As for `osteometa.pool`, and for an unknown measure, style or width.

    Examples
    --------
    >>> import osteometa
    >>> plot = osteometa.forest([0.1, 0.3, 0.35, 0.65], [0.03, 0.03, 0.05, 0.01], title="Exercise")
    >>> plot._repr_svg_().rstrip().endswith("</svg>")
    True
    """
    return forest_of(
        pool(yi, vi, **choices), title=title, measure=measure, style=style, width=width,
        favours=favours,
    )  # fmt: skip


def forest_of(
    found: PooledEffect, *, title: str, measure: str, style: str, width: int,
    favours: tuple[str, str],
) -> ForestPlot:  # fmt: skip
    """Return the forest plot of a pool; parameters as of `forest`."""
    refuse_unknown("measure", measure, MEASURES)
    refuse_unknown("style", style, tuple(PRESETS))
    refuse_unknown("width", str(width), [str(allowed) for allowed in WIDTHS])
    settings = FigureSettings(
        title=title, label=title, design_class="controlled", measure=measure, measures=(measure,),
        favours=favours, ratio_as="ratio", decimals=2, pi_df="k-1", pi_least=PI_LEAST,
        style=style, width=width, interval=PRESETS[style].interval, formats=(),
    )  # fmt: skip
    scale = settings.scale()
    several = found.status == "ok"
    row = pooled_row(
        ("", measure, "overall"), "common" if found.method == "EE" else "random", found,
        k_effects=len(found.yi), primary=True, note=found.note,
        diamond="none" if not several else "hollow" if found.k == 2 else "full",
        pi_shown=found.k >= PI_LEAST and bool(found.tau2) and found.pi_low is not None,
    )  # fmt: skip
    rows: list[ForestRow] = [*_studies(found, scale), *pool_rows(row, None, scale, settings)]
    return ForestPlot(forest_figure(Forest(rows, {}, scale, settings)), title)


def _studies(found: PooledEffect, scale: MeasureFormat) -> list[ForestRow]:
    """Return a row per effect, with its normal 95 % interval."""
    rows: list[ForestRow] = []
    shares = found.weights if found.status == "ok" else (None,) * len(found.yi)
    for label, y, v, share in zip(found.labels, found.yi, found.vi, shares, strict=True):
        half = t_quantile(0.975, None) * v**0.5
        low, high = y - half, y + half
        effect, weight = scale.with_interval(y, low, high), "" if share is None else f"{share:.1f}"
        rows.append(Study(label=label, estimate=y, low=low, high=high, share=share,
                          effect=effect, weight=weight))  # fmt: skip
    return rows
