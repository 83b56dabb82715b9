"""The command `osteometa escalc`: how the effects of a study are derived."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osteometa.comparisons.build import Comparison
    from osteometa.derivation.estimate import Estimated
    from osteometa.effects.hierarchy import Attempt
    from osteometa.records.effects import Effect


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "escalc",
        help="show how the effects of a study are derived, method by method",
        description="For each comparison of a study and each measure: the derivation methods in "
        "their order, why the first ones cannot be used, the one that is used, its effect and "
        "variance, and the raw cells behind them. Nothing is written.",
        epilog="Example: osteometa escalc rief_2016. Exit status: 0 shown, 1 the tables have "
        "problems, 2 no such study.",
    )
    parser.add_argument("study", nargs="+", metavar="STUDY", help="study_id of studies.csv")
    parser.add_argument("--directory", default=".", help="the review's folder (default: this one)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print how the effects of the studies are derived."""
    from osteometa.cli.review import review_with
    from osteometa.derivation.derive import derive

    outcome, status = review_with(arguments.study, arguments.directory, "escalc")
    if outcome is None:
        return status
    derived = derive(outcome.tables, outcome.config)
    for name in arguments.study:
        everything = (*derived.estimated, *derived.merged)
        items = [item for item in everything if item.comparison.study.study_id == name]
        print(_study(name, items, derived.effects))
    return 0


def _study(name: str, items: Sequence[Estimated], effects: Sequence[Effect]) -> str:
    if not items:
        return f"{name}: no comparison on an outcome that is pooled"
    lines = [f"{items[0].comparison.study.label} ({name})"]
    for item in items:
        comparison = item.comparison
        control = comparison.control.label if comparison.control else "its own baseline"
        place = " ".join(p for p in (comparison.outcome, comparison.analyte, comparison.site) if p)
        more = " ".join(p for p in (comparison.report, comparison.population) if p)
        lines.append(f"\n{place}, {comparison.timepoint}{f' ({more})' if more else ''}")
        lines.append(f"  {comparison.arm.label} compared with {control}")
        if item.not_tried:
            lines.append(f"  {item.not_tried}")
        for measure, attempts in item.attempts.items():
            lines.append(f"  {measure}")
            lines += [_attempt(attempt) for attempt in attempts]
            lines += _status(comparison, measure, effects)
    return "\n".join(lines) + "\n"


def _attempt(attempt: Attempt) -> str:
    if attempt.estimate is None:
        return f"    {attempt.method:<5} not used: {attempt.reason}"
    estimate, used = attempt.estimate, attempt.estimate.correlation
    notes = "+".join(dict.fromkeys((estimate.method, *estimate.codes)))
    r = f", r = {used.r:.3g} ({'+'.join(used.sources)})" if used is not None else ""
    flags = f", flags {' '.join(sorted(estimate.flags))}" if estimate.flags else ""
    return (
        f"    {attempt.method:<5} used: yi = {estimate.yi:.6g}, vi = {estimate.vi:.6g} "
        f"by {notes}{r}{flags}"
    )


def _status(comparison: Comparison, measure: str, effects: Iterable[Effect]) -> list[str]:
    for effect in effects:
        here = (
            effect.study_id, effect.arm_id, effect.outcome, effect.analyte, effect.site,
            effect.timepoint, effect.report, effect.population_analysed,
        ) == comparison.key  # fmt: skip
        if here and effect.measure == measure:
            use = "pooled" if effect.pooled else f"not pooled: {effect.reason}"
            cells = " ".join(map(str, effect.inputs))
            return [f"          {use}", f"          from {cells}"]
    return []
