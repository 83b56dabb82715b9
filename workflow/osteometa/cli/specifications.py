"""The command `osteometa specifications`: all registered choices of a synthesis in product."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from osteometa.cli.review import RefusedError, checked_review

if TYPE_CHECKING:
    from osteometa.protocol.config import Synthesis
    from osteometa.specifications.summary import Summaries
    from osteometa.specifications.work import Work
    from osteometa.validation.review import CheckedReview


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "specifications",
        help="fit all registered choices of a synthesis in product, however many",
        description="Fit every combination of the choices that config.yaml registers: derivations "
        "in product, each rule of inclusion applied or not, designs, inconsistent data, estimators "
        "and intervals. The fits are written in parts, as Parquet files; a call that was stopped "
        "goes on where it was. Then shares, quantiles, extremes, the spread that each choice "
        "explains and the curve are computed from the files, in bounded memory.",
        epilog="Example: osteometa specifications bmd_lumbar_spine_training_controlled --out "
        "specifications. On a cluster, task I of N runs the same with --shard I/N, and a last call "
        "without --shard summarises. Exit status: 0 done, 1 problems in the tables, 2 wrong usage.",
    )
    parser.add_argument("synthesis", metavar="SYNTHESIS", help="id of a synthesis of config.yaml")
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="folder of the parts and summaries"
    )
    parser.add_argument(
        "--limit", type=_positive, metavar="N",
        help="fit a sample of N specifications, drawn with the seed of config.yaml",
    )  # fmt: skip
    parser.add_argument(
        "--shard", type=_shard, metavar="I/N", help="make only every N-th part, from the I-th"
    )
    parser.add_argument(
        "--subsets", action="store_true",
        help="in place of the choices take each study in or out: all subsets, up to 24 studies",
    )  # fmt: skip
    parser.add_argument(
        "--cores", type=_positive, default=1, metavar="N", help="use N cores (default: 1)"
    )
    parser.add_argument("--directory", default=".", help="the review's folder (default: this one)")


def _positive(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if not found or int(found[1]) > int(found[2]):
        raise argparse.ArgumentTypeError(f"{text} is not I/N with I from 1 to N, as 1/8")
    return int(found[1]), int(found[2])


def run(arguments: argparse.Namespace) -> int:
    """Fit what is not on disk, and summarise."""
    from importlib import import_module

    from osteometa.io.problems import suggestion
    from osteometa.specifications.work import MOST_STUDIES

    import_module("pyarrow")  # if it is missing, that is reported before the tables are read
    outcome = checked_review(arguments.directory)
    known = {synthesis.id: synthesis for synthesis in outcome.config.syntheses}
    if arguments.synthesis not in known:
        near = suggestion(arguments.synthesis, list(known))
        raise RefusedError(f"no synthesis '{arguments.synthesis}' in config.yaml. {near}")
    work = _work(arguments, outcome, known[arguments.synthesis])
    k = work.effects.k
    if work.subsets and not 2 <= k <= MOST_STUDIES:
        raise RefusedError(f"{k} studies are pooled; --subsets takes 2 to {MOST_STUDIES}.")
    number = min(work.size, work.limit or work.size)
    print(f"{work.size:,} combinations of the registered choices; {number:,} are fitted.")
    first, step = arguments.shard or (1, 1)
    own = work.parts[first - 1 :: step]
    _make(work, own, arguments.cores)
    if arguments.shard:
        print(f"Shard {first} of {step} is done. When all are, the same command without --shard "
              "summarises.")  # fmt: skip
        return 0
    return _summarise(work)


def _work(arguments: argparse.Namespace, outcome: CheckedReview, synthesis: Synthesis) -> Work:
    """Return the work, with a hash of all that its numbers depend on."""
    import hashlib
    import json

    from osteometa.run.code import code_of
    from osteometa.run.manifest import hashes
    from osteometa.specifications.work import Work

    root = Path(arguments.directory)
    raw = [str(path.relative_to(root)) for path in sorted((root / "data/raw").glob("*.csv"))]
    facts = {
        "tables": hashes(raw, root), "config": outcome.config.model_dump(mode="json"),
        "code": code_of(__file__), "synthesis": synthesis.id, "limit": arguments.limit,
        "subsets": arguments.subsets,
    }  # fmt: skip
    made_from = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return Work(
        outcome.tables, outcome.config, synthesis, Path(arguments.out), made_from, arguments.limit,
        arguments.subsets,
    )  # fmt: skip


def _make(work: Work, own: list, cores: int) -> None:
    from osteometa.run.progress import Parts

    missing = work.missing(own)
    if len(missing) < len(own):
        print(f"{len(own) - len(missing)} of {len(own)} parts are on disk already.")
    sys.stdout.flush()
    progress = Parts(len(missing))
    for _ in work.make_all(missing, cores):
        progress.one_more()
    progress.close()


def _summarise(work: Work) -> int:
    from typing import get_args, get_type_hints

    from osteometa.io.csv_records import write_records
    from osteometa.specifications.summary import Summaries

    try:
        found = work.summarised()
    except ValueError as error:
        raise RefusedError(f"{error}.") from None
    for name, hint in get_type_hints(Summaries).items():
        write_records(work.folder / f"{name}.csv", get_args(hint)[0], getattr(found, name))
    _show(work, found)
    print(f"Page, summaries and curve: {work.folder}")
    return 0


def _show(work: Work, found: Summaries) -> None:
    """Draw the curve of the first measure, and write the page, from the numbers of the tables."""
    from osteometa.figures.files import drawings, files_of, write_figure
    from osteometa.figures.settings import FigureSettings
    from osteometa.figures.specification import density_figure, density_note
    from osteometa.io.csv_records import write_text
    from osteometa.report.specifications import PAGE, specification_page

    settings = FigureSettings.of(work.config, work.synthesis.id)
    whole = found.summary[0]
    curve = [row for row in found.curve if row.measure == whole.measure]
    levels = [row for row in found.levels if row.measure == whole.measure]
    title = f"Specification curve: {settings.title}"
    figure = density_figure(curve, levels, whole, title, settings.scale())
    endings = {f".{kind}": kind for kind in settings.formats}
    note = density_note(whole)
    write_figure([figure], work.folder / "specification_curve", endings, title=title, alt=note)
    (svg,) = files_of(drawings([figure]), "svg", title=title, alt=note)
    svg = svg.decode().partition("?>")[2]
    write_text(work.folder / PAGE, specification_page(settings.title, svg, found, settings))
