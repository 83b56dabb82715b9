"""The command `osteometa explain`: why a study, an effect or an analysis is as it is."""

from __future__ import annotations

import argparse
import csv
import json
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
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation."""
    from osteometa.inspection.explain import Explainer

    outcome = checked_review(arguments.directory)
    explainer = Explainer(outcome.tables, outcome.config)
    if arguments.figure is None:
        return _explain(arguments.what, explainer, whole=arguments.all, as_json=arguments.json)
    if arguments.json:
        raise RefusedError("--json takes a study, an effect or a synthesis, no row of a figure.")
    return _figure_row(arguments, explainer)


def _explain(name: str, explainer: Explainer, *, whole: bool = True, as_json: bool = False) -> int:
    from osteometa.inspection.explain_record import study_record, synthesis_record
    from osteometa.inspection.explain_words import study_text, synthesis_text
    from osteometa.io.problems import suggestion

    studies = [study.study_id for study in explainer.tables.studies]
    syntheses = [synthesis.id for synthesis in explainer.config.syntheses]
    if name in syntheses:
        if as_json:
            return _print_json(synthesis_record(name, explainer))
        print(synthesis_text(name, explainer), end="")
        return 0
    found = explainer.study(name) if name in studies else explainer.of_effect(name)
    if found is not None:
        if as_json:
            return _print_json(study_record(found, explainer))
        print(study_text(found, explainer, whole=whole), end="")
        return 0
    effects = [effect.effect_id for effect in explainer.derived.effects]
    near = suggestion(name, [*studies, *syntheses, *effects])
    raise RefusedError(f"no study, effect or synthesis '{name}'. {near}")


def _figure_row(arguments: argparse.Namespace, explainer: Explainer) -> int:
    from osteometa.io.problems import suggestion

    folder = Path(arguments.directory) / "results" / arguments.what / "figures"
    path = folder / f"{arguments.figure}.csv"
    if not path.is_file():
        drawn = [one.stem for one in sorted(folder.glob("*.csv")) if one.stem != "figures"]
        known = (
            f"There are: {', '.join(drawn)}."
            if drawn
            else (f"Run osteometa run {arguments.directory} first.")
        )
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
    if behind:
        # Several rows of one study are explained together.
        found = list(behind if len(behind) == 1 else dict.fromkeys(behind.values()))
        return max(_explain(name, explainer) for name in found)
    near = suggestion(arguments.row, [*(row["label"] for row in rows), *ids.values()])
    raise RefusedError(f"no row '{arguments.row}' in figure '{arguments.figure}'. {near}")


def _print_json(record: dict[str, object]) -> int:
    print(json.dumps(record, indent=1, ensure_ascii=False, default=sorted))
    return 0
