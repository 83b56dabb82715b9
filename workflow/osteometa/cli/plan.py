"""The command `osteometa plan`: what a run would make anew, and why."""

from __future__ import annotations

import argparse

from osteometa.cli.review import RefusedError, folder_argument, require_config


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "plan",
        help="show what a run would make anew, and why",
        description="List what a run of the review would make anew, by analysis, each with the "
        "reason: a table, setting or result that changed or is missing, or another new result "
        "that it is made from. The steps are counted on a copy of the review, where effects are "
        "derived if they would be, so the list is exact for a run with config.yaml alone; nothing "
        "of the review is changed.",
        epilog="Exit status: 0 shown, 1 the run would end with problems, 2 wrong usage.",
    )
    folder_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the steps."""
    from osteometa.inspection.plan import PlanError, planned_steps
    from osteometa.io.problems import counted

    require_config(arguments.directory)
    try:
        steps = planned_steps(arguments.directory)
    except PlanError as error:
        raise RefusedError(f"a run would end here:\n{error}", 1) from None
    if not steps:
        print("Nothing would run: all results are up to date.")
        return 0
    print(f"{counted(len(steps), 'step')} would run, to make:")
    for step in steps:
        print(step.makes)
        for reason in step.because:
            print(f"  because {reason}")
    return 0
