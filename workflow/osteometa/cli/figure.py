"""The command `osteometa figure`: redraw one figure of a synthesis from its results."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from osteometa.cli.review import RefusedError, config_in, require_config
from osteometa.wording.choices import STYLES, WIDTHS

if TYPE_CHECKING:
    from osteometa.protocol.config import Config


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "figure",
        help="redraw one figure of a synthesis in another style, width or format",
        description="Draw a figure from the files in results/ without a run: nothing is computed, "
        "and results/ does not change. Options that are not given are taken from config.yaml.",
        epilog="Example: osteometa figure bmd_lumbar_spine_training_controlled --style bmj "
        "--width 89 --out figure_2.tiff. Exit status: 0 drawn, 1 no usable results, 2 wrong usage.",
    )
    parser.add_argument("synthesis", metavar="SYNTHESIS", help="id of a synthesis of config.yaml")
    parser.add_argument(
        "--kind", default="forest", help="kind of figure: forest (default), funnel, ..."
    )
    parser.add_argument("--style", choices=STYLES, help="style of forest plots")
    parser.add_argument("--width", type=int, choices=WIDTHS, help="width of forest plots in mm")
    parser.add_argument(
        "--out", required=True, metavar="FILE",
        help="file to write, ending in .pdf, .svg, .png (300 dpi) or .tiff (600 dpi)",
    )  # fmt: skip
    parser.add_argument("--directory", default=".", help="the review's folder (default: this one)")


def run(arguments: argparse.Namespace) -> int:
    """Draw the figure and print the files written."""
    from osteometa.figures.files import ENDINGS

    root, out = Path(arguments.directory), Path(arguments.out)
    require_config(root)
    if out.suffix.lower() not in ENDINGS:
        wrong = f"{out.name} must end in {', '.join(ENDINGS)}, which determines the format."
        raise RefusedError(wrong)
    if not out.parent.is_dir():
        raise RefusedError(f"there is no folder {out.parent} to write {out.name} to.")
    return _draw(config_in(root), root, out, arguments)


def _draw(config: Config, root: Path, out: Path, arguments: argparse.Namespace) -> int:
    from osteometa.figures.catalogue import HEADS, NAMES
    from osteometa.figures.files import ENDINGS, write_figure
    from osteometa.figures.settings import FigureSettings
    from osteometa.figures.synthesis_figures import ReasonError, Results, figure_named
    from osteometa.io.problems import suggestion

    ids = [synthesis.id for synthesis in config.syntheses]
    for what, name, known in (
        ("synthesis", arguments.synthesis, ids), ("kind of figure", arguments.kind, NAMES),
    ):  # fmt: skip
        if name not in known:
            alike = [one for one in known if name in one] or known
            near = suggestion(name, known) or f"There are: {', '.join(alike)}."
            raise RefusedError(f"no {what} '{name}'. {near.strip()}")
    folder = root / "results" / arguments.synthesis
    settings = FigureSettings.of(
        config, arguments.synthesis, style=arguments.style or "", width=arguments.width or 0
    )
    try:
        drawn = figure_named(Results(folder, settings), arguments.kind)
    except ReasonError as error:
        raise RefusedError(f"this figure does not apply: {error}.", 1) from None
    except FileNotFoundError as error:
        lacking = Path(error.filename).name
        raise RefusedError(
            f"{folder} has no {lacking} yet. Run osteometa run {root} first.", 1
        ) from None
    except ValueError as error:
        raise RefusedError(f"{error}. Run osteometa run {root} to update the results.", 1) from None
    kind, title = ENDINGS[out.suffix.lower()], HEADS[arguments.kind]
    for path in write_figure(drawn.pages, out.with_suffix(""), {out.suffix: kind}, title=title,
                             alt=drawn.alt):  # fmt: skip
        print(path)
    return 0
