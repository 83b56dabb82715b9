"""What a run of many reviews costs, in batches and as modules of one Snakefile.

usage: .venv/bin/python benchmarks/many.py [--write] [--modules] [NUMBER ...]

Each made review has 30 of the studies that report numbers in the shipped tables, drawn with a seed
of its own, and two planned analyses; no number is changed. N of them (10, 30 and 100) are run by
``osteometa run --all`` on two cores; then again with nothing changed, and with one review changed;
and one of them alone, whose results must be the same bytes. With ``--modules`` one Snakefile takes
N reviews (2, 5, 10; planning only: 2, 10, 50 and 200) as modules. The exponent is the slope of log
time on log number between the smallest and the largest. ``--write`` puts the table into
docs/scale.md.
"""

import contextlib
import ctypes
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from growth import PROJECT, table_of, tables_of, write
from osteometa.run.manifest import sha256
from ruamel.yaml import YAML

PAGE = PROJECT / "docs" / "scale.md"
STUDIES = 30
SYNTHESES = ("bmd_lumbar_spine_training_controlled", "bmd_femoral_neck_training_controlled")
RUN = [sys.executable, "-m", "osteometa.cli", "run"]
MODULE = """
module m{n}:
    snakefile: "{home}/Snakefile"
    config: settings["r{n:04}"]
    prefix: "r{n:04}"

use rule * from m{n} as m{n}_*
"""


def make_reviews(folder: Path, number: int, syntheses: tuple[str, ...] = SYNTHESES) -> None:
    """Make reviews of different studies in a folder, r0001 and so on."""
    yaml = YAML()
    tables = {path.name: table for path, table in tables_of(PROJECT).items()}
    reporting = sorted({row["study_id"] for row in tables["measurements.csv"][1]})
    for n in range(1, number + 1):
        review = folder / f"r{n:04}"
        (review / "data/raw").mkdir(parents=True)
        kept = random.Random(n).sample(reporting, STUDIES)
        for name, (header, rows) in tables.items():
            if "study_id" in header:
                rows = [row for row in rows if row["study_id"] in kept]
            rows = [] if name == "claims.csv" else rows
            write(review / "data/raw" / name, header, rows)
        config = yaml.load(PROJECT / "config.yaml")
        config["title"] = f"Thirty studies, draw {n}"
        config["syntheses"] = [one for one in config["syntheses"] if one["id"] in syntheses]
        yaml.dump(config, review / "config.yaml")


def bytes_of(review: Path) -> dict[str, str]:
    """Return the hash of each file of results, but for the records of times."""
    return {
        path.relative_to(review).as_posix(): sha256(path)
        for path in sorted((review / "results").rglob("*"))
        if path.is_file() and path.name != ".snakemake_timestamp"
    }


def timed(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Run a command; return its seconds, those of the processors, and MB of its largest process."""
    start = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-3000:])
    with contextlib.suppress(ChildProcessError):
        while True:  # what the run started ends soon after it, and comes to this process
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, processor, used.ru_maxrss / 1024


def own_seconds(process: int) -> float:
    """Return the processor time of a process without that of its children."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def batches(number: int) -> dict[str, float]:
    """Run made reviews in batches; return what it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_reviews(folder, number)
        command = [*RUN, "--all", name, "--cores", "2"]
        first, processor, memory = timed(command, folder)
        files = sum(path.is_file() for path in folder.rglob("*"))
        _, again, _ = timed(command, folder)
        pools = sha256(folder / "pools.csv")
        edited = folder / "r0001/config.yaml"
        edited.write_text(edited.read_text().replace("seed: ", "seed: 1", 1))
        _, one, _ = timed(command, folder)
        edited.write_text(edited.read_text().replace("seed: 1", "seed: ", 1))
        timed(command, folder)
        if sha256(folder / "pools.csv") != pools:
            sys.exit("The pools of the same reviews differ.")
        alone = folder / "alone/r0002"
        alone.parent.mkdir()
        for part in ("data/raw", "config.yaml"):
            source = folder / "r0002" / part
            target = alone / part
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        timed([*RUN, str(alone), "--cores", "2"], folder)
        if bytes_of(alone) != bytes_of(folder / "r0002"):
            sys.exit("A review that is run alone has other bytes.")
        return {
            "number": number, "whole run": first, "processors": processor,
            "processors, each": processor / number, "processors, nothing changed": again,
            "processors, one changed": one, "largest process, MB": memory,
            "files": files,
        }  # fmt: skip


def modules(number: int, *, planned: bool) -> dict[str, float]:
    """Run made reviews, or only plan their run, as modules of one Snakefile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_reviews(folder, number)
        numbers = range(1, number + 1)
        text = 'from ruamel.yaml import YAML\nsettings = {f"r{n:04}": YAML(typ="safe").load('
        text += f'open(f"r{{n:04}}/config.yaml")) for n in range(1, {number + 1})}}\n'
        text += "".join(MODULE.format(n=n, home=PROJECT) for n in numbers)
        wanted = ", ".join(f"rules.m{n}_all.input" for n in numbers)
        text += f"\nrule all:\n    default_target: True\n    input: {wanted}\n"
        (folder / "Snakefile").write_text(text)
        start, own = time.perf_counter(), 0.0
        command = [
            sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all", "--scheduler",
            "greedy", *(["--dry-run"] if planned else []),
        ]  # fmt: skip
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
            peak = 0.0
            while process.poll() is None:
                try:
                    own = own_seconds(process.pid)
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    peak = float(status.split("VmHWM:")[1].split()[0]) / 1024
                except (OSError, IndexError):
                    pass
                time.sleep(0.2)
        if process.returncode:
            sys.exit((folder / "log").read_text()[-3000:])
        return {
            "number": number, "whole run": time.perf_counter() - start,
            "main process, processor": own, "main process, MB": peak,
        }  # fmt: skip


def main() -> None:
    """Measure, print, and write if asked to."""
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    by_modules = "--modules" in sys.argv
    tables = []
    if by_modules:
        for planned, usual in ((True, [2, 10, 50, 200]), (False, [2, 5, 10])):
            columns = []
            for number in numbers or usual:
                columns.append(modules(number, planned=planned))
                print(planned, columns[-1], flush=True)
            title = "Only planned:" if planned else "Run:"
            tables += [title, "", *table_of(columns, "reviews"), ""]
    else:
        columns = []
        for number in numbers or [10, 30, 100]:
            columns.append(batches(number))
            print(columns[-1], flush=True)
        tables = [*table_of(columns, "reviews"), ""]
    print("\n".join(tables))
    if "--write" in sys.argv:
        section = "modules" if by_modules else "many reviews"
        start, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
        before, rest = PAGE.read_text(encoding="utf-8").split(start)
        PAGE.write_text(
            before + "\n".join([start, "", *tables, end]) + rest.split(end)[1], encoding="utf-8"
        )


if __name__ == "__main__":
    main()
