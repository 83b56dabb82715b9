"""The commands of osteometa."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from osteometa import __version__
from osteometa.cli.review import RefusedError
from osteometa.run.failures import in_a_sentence

COMMANDS = (
    "new", "check", "workbook", "import_tables", "compare", "references", "plan", "run", "explain",
    "diff", "figure", "export", "archive", "pool", "wanted", "specifications",
)  # fmt: skip
"""Modules of the commands, in the order of the help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 for success, 1 for problems found, 2 for wrong usage.

    A failure ends the process with one sentence and status 1.
    """
    parser = argparse.ArgumentParser(
        prog="osteometa",
        description="Reproducible meta-analysis: check tables, derive and pool effects.",
        epilog="A review begins with `osteometa new FOLDER`; `osteometa run FOLDER` runs it.",
    )
    parser.add_argument("--version", action="version", version=f"osteometa {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    words = list(sys.argv[1:] if argv is None else argv)
    passed: list[str] = []
    if words[:1] == ["run"] and "--" in words:  # argparse would lose them between its own options
        at = words.index("--")
        words, passed = words[:at], words[at + 1 :]
    try:
        # Imported here, where Ctrl-C ends in a word.
        modules = [import_module(f"osteometa.cli.{name}") for name in COMMANDS]
        for module in modules:
            module.add_parser(commands)
        arguments = parser.parse_args(words, argparse.Namespace(passed=passed))
        chosen = dict(zip(commands.choices, modules, strict=True))[arguments.command]
        with in_a_sentence(arguments.command, f"osteometa {arguments.command}: "):
            try:
                status = chosen.run(arguments)
            except RefusedError as refusal:
                status = refusal.status
                if str(refusal):
                    print(f"osteometa {arguments.command}: {refusal}".strip(), file=sys.stderr)
            sys.stdout.flush()
            return status
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130
    finally:
        _give_up_output()


def _give_up_output() -> None:
    """Leave nothing to write that would fail once more when Python ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
