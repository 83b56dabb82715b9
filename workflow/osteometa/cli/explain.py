"""The command `osteometa explain`: why a study, an effect or an analysis is as it is."""

from __future__ import annotations

import argparse
import csv
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from osteometa.cli.review import RefusedError, checked_review

if TYPE_CHECKING:
    from osteometa.inspection.explain import Explainer


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "explain",
        help="show why a study, an effect or an analysis is as it is, back to the cells",
        description="Of a study or effect: in one sentence where it is pooled, and of everything "
        "else all reasons why not. Then, of a study with several comparisons, a line for each "
        "effect; otherwise, and with --all, of each comparison and measure the derivation methods "
        "in their order, what each lacks, the formula of the one that is used with its numbers, "
        "the cells with file, row and page, the weight, and the pool without the study. Of a "
        "synthesis: its estimate, what is in and what is out, and why. Of a row of one of its "
        "figures: the effect behind it. The tables as they are now are derived; nothing is "
        "written, and only figures need a finished run.",
        epilog="Examples: osteometa explain rief_2016; osteometa explain "
        "bmd_lumbar_spine_training_controlled forest 'Nelson 1994'. Exit status: 0 shown, 1 the "
        "tables have problems, 2 no such study, effect, synthesis, figure or row, --json of a row.",
    )
    parser.add_argument(
        "what", metavar="STUDY | EFFECT | SYNTHESIS",
        help="study_id, effect_id of effects.csv, or id of a synthesis of config.yaml",
    )  # fmt: skip
    parser.add_argument(
        "figure", nargs="?", metavar="FIGURE", help="a figure of the synthesis, such as forest"
    )
    parser.add_argument(
        "row", nargs="?", metavar="ROW", help="label, study_id or effect_id of a row of the figure"
    )
    parser.add_argument(
        "--all", action="store_true", help="every comparison of a study with several, in full"
    )
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")
    parser.add_argument("--directory", default=".", help="the review's folder (default: this one)")


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation."""
    from osteometa.inspection.explain import Explainer

    outcome = checked_review(arguments.directory)
    explainer = Explainer(outcome.tables, outcome.config)
    if arguments.figure is None:
        _explain(arguments.what, explainer, whole=arguments.all, as_json=arguments.json)
    elif arguments.json:
        raise RefusedError("--json takes a study, an effect or a synthesis, no row of a figure.")
    else:
        _figure_row(arguments, explainer)
    return 0


def _explain(name: str, explainer: Explainer, *, whole: bool = True, as_json: bool = False) -> None:
    from osteometa.inspection.explain_record import study_record, synthesis_record
    from osteometa.inspection.explain_words import study_text, synthesis_text
    from osteometa.io.problems import suggestion

    studies = [study.study_id for study in explainer.tables.studies]
    syntheses = [synthesis.id for synthesis in explainer.config.syntheses]
    found = explainer.study(name) if name in studies else explainer.of_effect(name)
    if name in syntheses:
        record, text = partial(synthesis_record, name), partial(synthesis_text, name)
    elif found is not None:
        record, text = partial(study_record, found), partial(study_text, found, whole=whole)
    else:
        effects = [effect.effect_id for effect in explainer.derived.effects]
        near = suggestion(name, [*studies, *syntheses, *effects])
        raise RefusedError(f"no study, effect or synthesis '{name}'. {near}")
    if as_json:
        print(json.dumps(record(explainer), indent=1, ensure_ascii=False, default=sorted))
    else:
        print(text(explainer), end="")


def _figure_row(arguments: argparse.Namespace, explainer: Explainer) -> None:
    from osteometa.io.problems import suggestion

    folder = Path(arguments.directory) / "results" / arguments.what / "figures"
    path = folder / f"{arguments.figure}.csv"
    if not path.is_file():
        drawn = [one.stem for one in sorted(folder.glob("*.csv")) if one.stem != "figures"]
        first = f"Run osteometa run {arguments.directory} first."
        known = f"There are: {', '.join(drawn)}." if drawn else first
        raise RefusedError(f"no figure '{arguments.figure}' of '{arguments.what}'. {known}")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["label"]]
    ids = {study.label: study.study_id for study in explainer.tables.studies}
    of_effect = {effect.effect_id: effect.study_id for effect in explainer.derived.effects}
    if arguments.row is None:
        named = (row["label"] for row in rows if row["effect_id"] or row["label"] in ids)
        known = "; ".join(dict.fromkeys(named)) or "none of a study"
        raise RefusedError(f"which row of '{arguments.figure}'? There are: {known}.")
    behind: dict[str, str] = {}
    for row in rows:
        label = row["label"].partition(", N ")[0]
        study = ids.get(label) or of_effect.get(row["effect_id"], "")
        names = (row["label"], label, study, row["effect_id"])
        if arguments.row not in (*names, *(text for text, name in ids.items() if name == study)):
            continue
        shown = ", ".join(f"{name} {text}" for name, text in row.items() if text)
        print(f"{arguments.figure} of {arguments.what}, in the last run: {shown}\n")
        behind[row["effect_id"] or study or arguments.what] = study or arguments.what
    if not behind:
        near = suggestion(arguments.row, [*(row["label"] for row in rows), *ids.values()])
        raise RefusedError(f"no row '{arguments.row}' in figure '{arguments.figure}'. {near}")
    # Several rows of one study are explained together.
    for name in behind if len(behind) == 1 else dict.fromkeys(behind.values()):
        _explain(name, explainer)
