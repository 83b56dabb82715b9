"""The states of a review that can be compared: now, the last finished run, a revision, a folder."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

from osteometa.derivation.derive import derive
from osteometa.derivation.extract import subgroup_values
from osteometa.derivation.ledger import ledger_of
from osteometa.directions.entries import secondary_entries
from osteometa.directions.p_values import direction_sets
from osteometa.extraction.tables import Tables
from osteometa.io.csv_records import read_records, write_records
from osteometa.io.problems import errors_of, render
from osteometa.protocol.config import Config, from_part
from osteometa.protocol.dependencies import pool_settings
from osteometa.records.directions import set_key
from osteometa.records.effects import Covariance, Effect, SubgroupValue, WeightedEffect
from osteometa.records.pools import PooledRow, SubgroupTest, TypeContrast
from osteometa.report.findings import Findings, Review
from osteometa.report.snapshot import snapshot_of
from osteometa.run.changes import Snapshot
from osteometa.run.remembered import FINISHED, recalled
from osteometa.synthesis.claims import Results, claim_rows
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import covariances_in, split, summary_rows
from osteometa.synthesis.subgroup_tests import subgroup_tests, type_contrasts
from osteometa.validation.review import check_review

Record = TypeVar("Record")


class _Pooled(NamedTuple):
    effects: tuple[WeightedEffect, ...] = ()
    pooled: tuple[PooledRow, ...] = ()
    contrasts: tuple[TypeContrast, ...] = ()
    tests: tuple[SubgroupTest, ...] = ()


def snapshot_in_memory(tables: Tables, config: Config) -> Snapshot:
    """Return the state that a run on these tables and settings would reach."""
    derived = derive(tables, config)
    sets = split(derived.effects, derived.entries, config)
    pooled = {
        name: _pool(name, effects, _written(covariances_in(effects, derived.covariances),
                    Covariance), tables, config)
        for name, (effects, _) in sets.items() if effects
    }  # fmt: skip
    pools = {name: found.pooled for name, found in pooled.items()}
    chosen = {name: (pooled.get(name, _Pooled()).effects, sets[name][1]) for name in sets}
    results = Results(
        entries=[*derived.entries, *secondary_entries(tables, config)], pooled=pools,
        contrasts={name: found.contrasts for name, found in pooled.items()},
        effects={name: effects for name, (effects, _) in chosen.items()},
    )  # fmt: skip
    rows = summary_rows(config, pools, chosen)
    review = Review(
        root=Path(), config=config, tables=tables,
        findings=tuple(
            Findings.of(row, config, directions=tuple(chosen[row.synthesis][1]),
                        **pooled.get(row.synthesis, _Pooled())._asdict())
            for row in rows
        ),
        claims=tuple(claim_rows(tables.claims, results, config)), reported=derived.reported,
        direction_sets=tuple(direction_sets(derived.entries, config)),
        ledger=tuple(ledger_of(tables, derived, config)), figures=(), p_combinations=(),
        missing=(), agreement=(), warnings=(),
    )  # fmt: skip
    return snapshot_of(review, derived.effects)


def _pool(
    name: str, effects: Sequence[Effect], links: Sequence[Covariance], tables: Tables,
    config: Config,
) -> _Pooled:  # fmt: skip
    """Return the pools of one analysis, as the job of the workflow makes them."""
    own = from_part(pool_settings(config, name))
    values = _written(subgroup_values(effects, tables), SubgroupValue)
    read = _written(effects, Effect)
    return _Pooled(
        _written(weighted(read, own, links), WeightedEffect),
        _written(pooled_rows(name, read, own, links), PooledRow),
        _written(type_contrasts(read, own, links, values), TypeContrast),
        tuple(subgroup_tests(name, read, own, links)),
    )


def _written(rows: Iterable[Record], record: type[Record]) -> tuple[Record, ...]:
    """Return records as they are read after they were written: with twelve digits."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.csv")
        write_records(path, record, rows)
        return tuple(read_records(path, record))


LAST_RUN = "the last finished run"


class NoStateError(ValueError):
    """What was named cannot be compared; the text says why, and what to do."""


def state_of(folder: str | Path) -> Snapshot:
    """Return the state of tables and settings in a folder; NoStateError if they have problems."""
    outcome = check_review(folder)
    if outcome.checked is None:
        raise NoStateError(render(errors_of(outcome.problems)).rstrip())
    return snapshot_in_memory(outcome.checked.tables, outcome.checked.config)


def effects_outside(folder: str | Path) -> set[str]:
    """Return the effects of a review without problems that belong to no planned analysis."""
    checked = check_review(folder).checked
    if checked is None:
        return set()
    planned = {set_key(synthesis) for synthesis in checked.config.syntheses}
    effects = derive(checked.tables, checked.config).effects
    return {effect.effect_id for effect in effects if set_key(effect) not in planned}


def other_state(name: str, folder: str | Path) -> tuple[str, Snapshot]:
    """Return what a name means beside the review in a folder, and its state (else NoStateError).

    Nothing is the last finished run; a folder is a review or the results of one; anything else is a
    revision of git.
    """
    if not name:
        return LAST_RUN, _of_run(Path(folder))
    other = Path(name)
    if (other / "config.yaml").is_file() and (other / "data/raw").is_dir():
        return f"the review in {name}", _without_problems(other, f"the review in {name}")
    if other.is_dir():
        home = other.parent if (other / FINISHED.relative_to("results")).is_file() else other
        return f"the results in {name}", _of_run(home)
    return f"revision {name}", _of_revision(name, Path(folder))


def _of_run(folder: Path) -> Snapshot:
    found = recalled(folder / FINISHED)
    if found is None:
        raise NoStateError(f"{folder} has no finished run. Run osteometa run {folder} first.")
    return found


def _of_revision(name: str, folder: Path) -> Snapshot:
    command = ["git", "-C", str(folder), "archive", "--format=tar", name, "config.yaml", "data/raw"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise NoStateError("git is not installed, which reads earlier revisions.") from None
    if done.returncode:
        why = "".join(done.stderr.decode(errors="replace").strip().splitlines()[-1:])
        raise NoStateError(
            f"'{name}' is neither a folder of a review nor a revision with one: {why}"
        )
    with TemporaryDirectory() as copy:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(copy, filter="data")
        return _without_problems(copy, f"revision {name}")


def _without_problems(folder: str | Path, name: str) -> Snapshot:
    try:
        return state_of(folder)
    except NoStateError as error:
        raise NoStateError(f"The tables of {name} have problems.\n{error}") from None
