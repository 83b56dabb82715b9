"""Draw the gallery: every kind of figure and every preset, from results/ and from made-up records.

usage: .venv/bin/python docs/gallery.py [--root REVIEW]     after a run: make

Writes docs/gallery.md, docs/gallery/*.png and the figures that the README shows (docs/figures/),
which must be those of the run.
"""

import argparse
import contextlib
import io
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.figure import Figure
from osteometa.figures import flow, funnel, risk_of_bias
from osteometa.figures.catalogue import CAPTIONS, NAMES
from osteometa.figures.files import drawings, files_of, images_of, in_palette
from osteometa.figures.forest import draw
from osteometa.figures.forest.rows import ForestRow
from osteometa.figures.settings import PRESETS, FigureSettings
from osteometa.figures.synthesis_figures import ReasonError, Results, figure_named
from osteometa.protocol.config import load_config
from osteometa.wording.measure_format import MeasureFormat
from osteometa.wording.vocabulary import Flag

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "tests"))

from drawing import HARD, drawn_of, made_forest, made_funnel, made_judgements, pooled_marks

DOTS = 110
"""Per inch, for a screen; the figures of a run have 300."""
LARGE = "bmd_lumbar_spine_training_controlled"
SHORT = "ctx_serum_training_controlled"
README = {"bmd_lumbar_spine.svg": f"{LARGE}/figures/forest.svg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One image of the gallery."""

    part: str
    name: str
    words: str
    figure: Figure
    alt: str = ""


PARTS = {
    "preset": "Presets of forest plots",
    "synthesis": "Figures of one synthesis",
    "review": "Figures of the whole review",
    "made": "Records made for tests",
}
INTRO = """# Gallery

<!-- Made by `python docs/gallery.py` from the results of a run; edits here are lost. -->

Every kind of figure and every preset. The first parts show the shipped review as drawn by a run.
The last part shows **records made for tests: none of their studies and numbers is real**, for
figures without data in the shipped review and for difficult cases. Of figures with several pages
the first is shown. Images here are small; a run writes PDF, SVG and PNG (300 dpi), and
`osteometa figure SYNTHESIS --style bmj --width 89 --out FILE` draws any figure in any style, also
as TIFF (600 dpi).

Where a forest plot is too narrow for all columns, columns are left out in this order until the plot
area is 30 mm wide (24 mm at 89 mm): weight; means with their unit; n of the arms; risk of bias,
only where the plot area would be narrower than 18 mm. No page is higher than 240 mm or has more
than 60 rows; blocks that continue on a further page repeat their heading.
"""


def main() -> None:
    """Draw everything."""
    parser = argparse.ArgumentParser(description="Draw the gallery from the results of a run.")
    parser.add_argument("--root", default=str(DOCS.parent), help="the review's folder")
    root = Path(parser.parse_args().root)
    images = DOCS / "gallery"
    shutil.rmtree(images, ignore_errors=True)
    images.mkdir()
    lines, part = [INTRO], ""
    for shown in [*real(root), *made()]:
        if shown.part != part:
            part = shown.part
            lines += [f"## {PARTS[part]}", ""]
        file = f"{part}_{shown.name}.png"
        write_image(shown.figure, images / file)
        alt = (shown.alt or shown.words).replace("[", "(").replace("]", ")")
        lines += [f"### {shown.words}", ""]
        lines += [CAPTIONS[shown.name], ""] if part in ("synthesis", "review") else []
        lines += [f"![{alt}](gallery/{file})", ""]
    (DOCS / "gallery.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    for name, source in README.items():
        shutil.copyfile(root / "results" / source, DOCS / "figures" / name)


def write_image(figure: Figure, path: Path) -> None:
    """Write a small image."""
    buffer = io.BytesIO()
    (pdf,) = files_of(drawings([figure]), "pdf")
    (image,) = images_of(pdf, DOTS)
    in_palette(image).save(buffer, "png", optimize=True)
    path.write_bytes(buffer.getvalue())


def real(root: Path) -> Iterator[Shown]:
    """Yield the figures of the shipped review."""
    config = load_config(root / "config.yaml")
    for style in PRESETS:
        for width in (183, 89):
            settings = FigureSettings.of(config, SHORT, style=style, width=width)
            drawn = figure_named(Results(root / "results" / SHORT, settings), "forest")
            yield Shown(part="preset", name=f"{style}_{width}", figure=drawn.pages[0],
                        words=f"`{style}`, {width} mm", alt=drawn.alt)  # fmt: skip
    results = Results(root / "results" / LARGE, FigureSettings.of(config, LARGE))
    for name in NAMES:
        with contextlib.suppress(ReasonError):
            drawn = figure_named(results, name)
            yield Shown(part="synthesis", name=name, words=f"`{name}`", figure=drawn.pages[0],
                        alt=drawn.alt)  # fmt: skip
    for name, drawn in drawn_of(root, config):
        yield Shown(part="review", name=name, words=f"`{name}`", figure=drawn.pages[0],
                    alt=drawn.alt)  # fmt: skip


def made() -> Iterator[Shown]:
    """Yield figures of records made for tests."""
    for tool in risk_of_bias.TOOLS:
        labels = {f"s{i}": f"Made study {i}" for i in range(9)}
        marks = risk_of_bias.light_marks(made_judgements(tool), tool, labels)
        yield Shown(part="made", name=f"risk_of_bias_{tool}", words=f"Risk of bias, {tool}",
                    figure=risk_of_bias.light_figures(marks, tool)[0],
                    alt=risk_of_bias.light_alt(marks, tool))  # fmt: skip
    databases = dict(zip([name for name in flow.WORDS if name not in flow.OTHER],
                         (980, 20, 210, 0, 5, 785, 600, 185, 9, 176, 140, 34, 36),
                         strict=True))  # fmt: skip
    other = {"identified_citations": 12, "sought_other": 12, "not_retrieved_other": 2,
             "assessed_other": 10, "excluded_reports_other": 7, "included_reports": 39}  # fmt: skip
    reasons = [("excluded_reports", "No comparator", 90), ("excluded_reports", "No outcome", 50),
               ("excluded_reports_other", "No comparator", 7)]  # fmt: skip
    for name, counts, why in (
        ("prisma", databases, ()), ("prisma_other_methods", {**databases, **other}, reasons)
    ):  # fmt: skip
        marks = flow.flow_marks(counts, why)
        yield Shown(part="made", name=name, words="PRISMA 2020 flow", alt=flow.flow_alt(marks),
                    figure=flow.flow_figure(marks, "Flow of studies (made counts)"))  # fmt: skip
    marks, scale = made_funnel(), MeasureFormat("MD", "g/cm2", "[a, b]", decimals=3)
    title = "Funnel plot of made studies, three filled in"
    yield Shown(part="made", name="funnel_filled", words="Funnel with trim and fill",
                figure=funnel.funnel_figure(marks, title, scale),
                alt=funnel.funnel_alt(marks, title, scale))  # fmt: skip
    for name, rows in (("risk_column", judged()), *HARD.items()):
        forest = made_forest(rows, {"a": Flag.PERCENT}, measure="SMD" if "means" in name else "MD")
        words = "forest with a column of judgements" if name == "risk_column" else f"forest, {name}"
        yield Shown(part="made", name=f"forest_{name.replace(' ', '_')}", words=words,
                    figure=draw.forest_figures(forest)[0])  # fmt: skip
    rows = [*judged(), *pooled_marks(4, 0.011, 0.006, 0.02)]
    for style, preset in PRESETS.items():
        forest = made_forest(rows, style=style, width=89, interval=preset.interval)
        yield Shown(part="made", name=f"risk_column_{style}_89", words=f"`{style}`, 89 mm, judged",
                    figure=draw.forest_figures(forest)[0])  # fmt: skip


def judged() -> list[ForestRow]:
    """Return made studies with judgements of RoB 2."""
    rows = HARD["an interval 100 times wider"]
    levels = ("low", "some", "high", "low")
    return [replace(row, risk_of_bias=level) for row, level in zip(rows, levels, strict=True)]


if __name__ == "__main__":
    main()
