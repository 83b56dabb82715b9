"""The command `osteometa diff`: what changed, from cells to the answers to claims."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from osteometa.cli.review import RefusedError, require_config

if TYPE_CHECKING:
    from osteometa.run.changes import Change

BETWEEN = "\n    was: ", "\n    is:  "
"""Before what a sentence was and what it is."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "diff",
        help="show what changed: settings, cells, effects, pools, claims, sentences",
        description="Compare the tables and settings as they are now with another state of the "
        "review: by default the last finished run. Listed are the settings and rows of raw tables "
        "that differ, then the effects, pooled results, answers to claims and sentences that "
        "differ because of them. Nothing is run or written.",
        epilog="Examples: osteometa diff; osteometa diff HEAD~1; osteometa diff ../copy. Exit "
        "status: 0 compared, 1 the tables have problems, 2 there is nothing to compare with.",
    )
    parser.add_argument(
        "other", nargs="?", default="", metavar="OTHER",
        help="a git revision, the folder of a review, or a folder of results (default: the last "
        "finished run)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the differences as JSON")
    parser.add_argument("--directory", default=".", help="the review's folder (default: this one)")


def run(arguments: argparse.Namespace) -> int:
    """Print the differences."""
    from osteometa.inspection.states import NoStateError, effects_outside, other_state, state_of
    from osteometa.run.changes import PARTS, changes, counts, words

    require_config(arguments.directory)
    try:
        now = state_of(arguments.directory)
    except NoStateError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        name, before = other_state(arguments.other, arguments.directory)
    except NoStateError as error:
        raise RefusedError(f"{error}") from None
    found = changes(before, now)
    if arguments.json:
        data = {"before": name, "counts": counts(found), "changes": [asdict(c) for c in found]}
        print(json.dumps(data, indent=1, ensure_ascii=False))
        return 0
    if not found:
        print(f"Nothing differs from {name}.")
        return 0
    outside = effects_outside(arguments.directory)
    print(f"Since {name}:")
    for part, title in PARTS.items():
        own = [change for change in found if change.part == part]
        print(f"\n{title}: {len(own) or 'none'}")
        for change in own:
            shown = in_no_analysis(change) if change.name in outside else change
            print(f"  {words(shown, between=BETWEEN)}")
    return 0


def in_no_analysis(change: Change) -> Change:
    """Return a change of an effect of no planned analysis, with a block but no pool."""
    names = {"block": "belongs to no planned analysis, else block"}
    fields = tuple((names.get(c, c), a, b) for c, a, b in change.fields if c != "pooled")
    return replace(change, fields=fields) if fields else change
