"""The command `osteometa run`: the whole review, by the workflow in the package."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from osteometa.cli.review import RefusedError, folder_argument, require_config, require_module
from osteometa.run.interrupt import SIGNALS


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        help="run a review: tables to results and report",
        description="Check the tables of a review and make all its results and the report. Only "
        "what a change affects is made anew.",
        epilog="Arguments after -- are passed to Snakemake: osteometa run -- --forceall",
    )
    folder_argument(parser)
    parser.add_argument(
        "--all", action="store_true",
        help="run each review in a folder of FOLDER, and write an overview of all",
    )  # fmt: skip
    parser.add_argument("--cores", type=int, metavar="N", help="use N cores (default: all)")
    parser.add_argument(
        "--profile", default="default", metavar="PROFILE",
        help="where jobs run: default (this machine), slurm, or a folder with a profile of yours",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Replace this process by the run; its status is that of the command."""
    require_module("snakemake", "workflow")
    if arguments.profile == "slurm":
        require_module("snakemake_executor_plugin_slurm", "cluster")
    if arguments.all:
        return run_all(arguments)
    require_config(arguments.directory)
    sys.stdout.flush()
    # Signals wait until the new program has set how they end.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    os.execv(sys.executable, _command("Snakefile", arguments))


def run_all(arguments: argparse.Namespace) -> int:
    """Run the reviews of a folder, and write the overview of them."""
    folder = Path(arguments.directory)
    from osteometa.run.lock import hold_lock
    from osteometa.run.reviews import reviews_in

    if not reviews_in(folder):
        raise RefusedError(
            f"{folder} contains no folder with a config.yaml. Give the folder of "
            "the reviews, or make one: osteometa new FOLDER/REVIEW."
        )
    command = _command("workflow/reviews/Snakefile", arguments)
    os.chdir(folder)
    hold_lock()
    # Ctrl-C goes to the run, which first finishes the running reviews.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run = subprocess.Popen(command, preexec_fn=_take_signals)
    signal.signal(signal.SIGTERM, lambda *_: _interrupt(run.pid))
    status = run.wait()
    from osteometa.report.reviews import PAGE, POOLS, write_overview

    lines = write_overview(".")
    broken = [line for line in lines if line.problems]
    for line in broken:
        first, *others = line.problems
        more = f" (and {len(others)} more)" if others else ""
        print(f"{line.name}: {first}{more}", file=sys.stderr)
    print(f"{len(lines) - len(broken)} of {len(lines)} reviews are up to date: {PAGE}, {POOLS}")
    return int(bool(status or broken))


def _take_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def _interrupt(process: int) -> None:
    """Send a run and all that it started what a terminal sends for Ctrl-C."""
    from psutil import NoSuchProcess, Process  # a requirement of Snakemake

    run = Process(process)
    for one in (*run.children(recursive=True), run):
        with suppress(NoSuchProcess):
            one.send_signal(signal.SIGINT)


def _command(snakefile: str, arguments: argparse.Namespace) -> list[str]:
    """Return the command of a run."""
    from osteometa.run.code import workflow_home

    # A folder osteometa where it is called, such as a checkout, is not taken for the package.
    os.environ["PYTHONSAFEPATH"] = "1"
    home = workflow_home()
    profile = home / "profiles" / arguments.profile
    cores = ["--cores", str(arguments.cores)] if arguments.cores else []
    return [
        sys.executable, "-m", "osteometa.run",
        "--snakefile", str(home / snakefile),
        "--workflow-profile", str(profile if profile.is_dir() else Path(arguments.profile)),
        "--directory", str(Path(arguments.directory).absolute()), *cores, *arguments.passed,
    ]  # fmt: skip
