"""Which steps a run would take, and why.

Found by trial: the review is copied with its results, and Snakemake is asked on the copy. What
follows the derivation of effects is known only when that is done, so where it would run it is run
there. The plan is therefore exact, and nothing of the review itself is changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from osteometa.protocol.config import load_config
from osteometa.report.snapshot import settings_of
from osteometa.run.code import workflow_home
from osteometa.run.manifest import PROCESSED, RESULTS, hashes
from osteometa.run.progress import PLAN
from osteometa.run.remembered import FINISHED, recalled

COPIED = ("config.yaml", "data", "results", ".snakemake/metadata", ".snakemake/incomplete")
DERIVING = "extract"
"""The step after which the others are known."""
SNAKEFILE = workflow_home() / "Snakefile"
PARAMETERS = "Params have changed"
"""In Snakemake's reasons."""
HASH = re.compile(r"'[0-9a-f]{64}'")
FEW = 3
"""What a step is made from is counted, not named, beyond this number."""
MADE = {
    "extract": "effects and directions, from the checked tables",
    "wanted": "list of missing values that would add a study",
    "pool": "pools and sensitivity analyses of {}",
    "summary": "summary of all analyses, sign tests and claims",
    "agreement": "comparison with PyMARE and statsmodels",
    "fonts": "fonts of the figures",
    "figures": "figures of {}",
    "overview": "figures of the whole review",
    "included": "table of included studies",
    "report": "report",
    "manifest": "list of files with their inputs",
}
"""What each step makes, {} of one analysis."""


class PlanError(RuntimeError):
    """A run would not begin, or would end before its results; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that a run would take."""

    makes: str
    because: tuple[str, ...]


def planned_steps(folder: str | Path) -> list[Step]:
    """Return the steps that a run of the review in a folder would take, in their order.

    PlanError if the settings or tables have problems, with which a run ends.
    """
    folder = Path(folder).absolute()
    with TemporaryDirectory() as place:
        copy = Path(place, "review")
        _copy(folder, copy)
        found = _listed(copy, "--dry-run")
        if DERIVING in {step["rule_name"] for step in found}:
            done = _listed(copy, "--until", DERIVING)
            rest = [step for step in _listed(copy, "--dry-run") if step["rule_name"] != DERIVING]
            first = [step for step in found if step["rule_name"] == DERIVING]
            # Steps that do not wait for the effects may have run with them.
            others = [step for step in done if step["rule_name"] != DERIVING]
            found = [*first, *others, *rest]
        return _explained(found, folder, copy)


def _copy(folder: Path, copy: Path) -> None:
    """Copy what a run looks at, with its times."""
    for name in COPIED:
        source, target = folder / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.is_file():
            shutil.copy2(source, target)


def _listed(copy: Path, *options: str) -> list[dict[str, Any]]:
    """Run Snakemake on a copy and return the steps that it names."""
    profile = SNAKEFILE.parent / "profiles/default"
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--directory", str(copy),
        "--profile", str(profile), *options,
    ]  # fmt: skip
    # The package of this process, wherever it is imported from.
    path = os.pathsep.join(filter(None, [str(SNAKEFILE.parent / "workflow"),
                                         os.environ.get("PYTHONPATH", "")]))  # fmt: skip
    environment = {**os.environ, PLAN: "1", "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("Using profile")]
        raise PlanError("\n".join(lines).replace(f"{copy}/", "").strip())
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _explained(found: Sequence[Mapping[str, Any]], folder: Path, copy: Path) -> list[Step]:
    makers = {_inside(name, copy): _makes(step) for step in found for name in step["output"]}
    settings = changed_settings(folder, copy)
    return [
        Step(makes=_makes(step), because=tuple(_because(step, makers, settings, folder, copy)))
        for step in found
    ]


def _makes(step: Mapping[str, Any]) -> str:
    return MADE[step["rule_name"]].format(*step["wildcards"])


def _because(
    step: Mapping[str, Any], makers: Mapping[str, str], settings: Sequence[str], folder: Path,
    copy: Path,
) -> Iterable[str]:  # fmt: skip
    """Yield why a step runs: what it read or wrote that is other now, and what it follows."""
    name = ".".join([step["rule_name"], *step["wildcards"]])
    record = _record(folder, name)
    if record is None:
        yield "there is none yet"
    else:
        for path in record["made"]:
            if not (folder / path).is_file():
                yield f"{path} is missing"
        edited = hashes(record["made"], folder)
        yield from (f"{p} was edited by hand" for p in edited if edited[p] != record["made"][p])
        later = {path for path in record["from"] if makers.get(path)}
        now = hashes((p for p in record["from"] if p not in later or _is_derived(p)), copy)
        yield from (
            f"{path} {'changes' if _is_derived(path) else 'changed'}"
            for path in now if record["from"][path] not in ("", now[path])
        )  # fmt: skip
    if PARAMETERS in step["reason"]:
        yield from _parameters(step["reason"], settings)
    own = _makes(step)
    before = dict.fromkeys(
        makers[path] for path in (_inside(p, copy) for p in step["input"])
        if path in makers and makers[path] != own and not _is_derived(path)
    )  # fmt: skip
    if len(before) > FEW:
        yield f"{len(before)} of these results, which it is made from, would be new"
    else:
        yield from (f"what it is made from would be new: {makes}" for makes in before)


def _parameters(reason: str, settings: Sequence[str]) -> Iterable[str]:
    """Yield whether settings or the program changed, of which a step has the hash."""
    others = HASH.sub("", reason.partition("output:")[2])
    if settings and re.search(r"\w", re.sub(r"\b(before|now):", "", others)):
        yield f"config.yaml changed: {', '.join(settings)}"
    if HASH.search(reason):
        yield "the program changed"


def _is_derived(path: str) -> bool:
    """Return whether a file is one of the derived tables, which the copy has as they will be."""
    return path.startswith("data/processed/")


def _inside(path: str, copy: Path) -> str:
    return Path(path).relative_to(copy).as_posix() if Path(path).is_absolute() else path


def _record(folder: Path, name: str) -> dict[str, Any] | None:
    """Return the record of a step, None if it left none."""
    for place in (RESULTS, PROCESSED):
        try:
            data = json.loads((folder / place / f"{name}.json").read_text(encoding="utf-8"))
            return {"made": data["made"], "from": dict(data["from"])}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def changed_settings(folder: Path, copy: Path) -> list[str]:
    """Return the settings that differ from those of the last finished run; none without one."""
    last = recalled(folder / FINISHED)
    if last is None:
        return []
    now = settings_of(load_config(copy / "config.yaml"))
    names = dict.fromkeys((*last.settings, *now))
    return [name for name in names if last.settings.get(name) != now.get(name)]
