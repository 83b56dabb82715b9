"""What `osteometa pool` computes of a file: pools, tests of groups, a meta-regression."""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osteometa.cli.pool_input import Row, UsageError, moderators, read_covariance, read_effects
from osteometa.numerics.arrays import Array
from osteometa.pooling.correlated import blocks, impossible_words, not_possible
from osteometa.pooling.design import regress_on, tested
from osteometa.pooling.groups import differences, separate_test
from osteometa.pooling.model import JointTest, pool, regress
from osteometa.pooling.results import EffectData
from osteometa.records.groups import grouped


@dataclass(frozen=True, slots=True)
class _Table:
    """The effects of a file, and their covariance where one is given."""

    rows: Sequence[Row]
    V: Array | None

    def data(self, chosen: Sequence[int]) -> EffectData:
        """Return some of the effects, and how many of them are independent studies."""
        yi, vi = (tuple(getattr(self.rows[i], name) for i in chosen) for name in ("yi", "vi"))
        if self.V is None:
            return EffectData(yi, vi)
        part = self.V[np.ix_(chosen, chosen)]
        names = np.array([self.rows[i].study for i in chosen])
        linked = (names[:, None] == names[None, :]) | (part != 0)
        return EffectData(yi, vi, part, len(blocks(linked)))


def results_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the models that a call requests, as JSON has them."""
    columns = [*arguments.mods, *([arguments.group] if arguments.group else [])]
    rows, mark = read_effects(Path(arguments.file), columns)
    if not arguments.cov:
        _warn_of_repeats(rows)
    table = _Table(rows, _covariance(Path(arguments.cov), rows) if arguments.cov else None)
    choices = {"method": arguments.method, "ci": arguments.ci}
    name = arguments.group or "group"
    groups = grouped(range(len(rows)), lambda i: rows[i].cells.get(name, ""))

    def pooled(chosen: Sequence[int]) -> dict[str, Any]:
        data = table.data(chosen)
        intervals = {"pi_df": arguments.pi_df, "tau2_ci": arguments.tau2_ci}
        return _record(
            pool(data.yi, data.vi, V=data.V, studies=data.studies, **choices, **intervals)
        )

    results: dict[str, Any] = {
        "overall": pooled(range(len(rows))),
        "groups": {name: pooled(chosen) for name, chosen in sorted(groups.items()) if name},
    }
    if arguments.group:
        results["group_test"] = _group_test(table, groups, choices, arguments.group)
    if arguments.mods:
        kept, values = moderators(rows, arguments.mods, mark)
        found = regress_on(table.data(kept), values, **choices, tau2_ci=arguments.tau2_ci)
        absent = ", ".join(row.study for i, row in enumerate(rows) if i not in kept)
        left_out = f"left out, because a moderator is missing: {absent}" if absent else ""
        results["regression"] = {
            **_record(found),
            "coefficients": [_record(row) for row in found.coefficients],
            "test": found.test._asdict(),
            "note": "; ".join(filter(None, (left_out, found.note))),
        }
    return results


def _record(record: Any) -> dict[str, Any]:
    """Return a record as JSON has it: null for what is not a finite number."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(record).items()
    }


def _covariance(path: Path, rows: Sequence[Row]) -> Array:
    """Return the covariance of the effects, or refuse an impossible one by their names."""
    V = np.array(read_covariance(path, rows))
    impossible = not_possible(V)
    if impossible:
        raise UsageError(f"{path}: {impossible_words([rows[i].effect for i in impossible])}.")
    return V


def _warn_of_repeats(rows: Sequence[Row]) -> None:
    times = Counter(row.study for row in rows if row.study)
    again = [name for name, count in times.items() if count > 1]
    if again:
        print(
            f"osteometa pool: more than one row of {', '.join(again)}. The rows are pooled as if "
            "they were independent studies; give their covariances with --cov.",
            file=sys.stderr,
        )


def _group_test(
    table: _Table, groups: dict[str, list[int]], choices: dict[str, str], column: str
) -> dict[str, Any]:
    """Test whether the groups differ: with one tau2 for all, and with a tau2 for each."""
    absent = ", ".join(table.rows[i].effect for i in groups.get("", ()))
    notes = [f"left out, because {column} is missing: {absent}"] if absent else []
    names = sorted(name for name in groups if name)
    chosen = sorted(i for name in names for i in groups[name])
    if len(names) < 2 or len(chosen) <= len(names):
        reason = "a test needs two groups and more effects than groups"
        return {"tested": False, "note": "; ".join([reason, *notes])}
    X = np.array([[float(i in groups[name]) for name in names] for i in chosen])
    data = table.data(chosen)
    fit = regress(data.yi, data.vi, X, V=data.V, studies=data.studies, **choices)
    common = tested(fit, differences(len(names)))
    separate, reason = _separate(table, [groups[name] for name in names], choices["method"])
    return {
        "tested": True, "common_tau2": {"tau2": fit.tau2, **common._asdict()},
        "separate_tau2": None if separate is None else separate._asdict(),
        "note": "; ".join([*reason, *notes]),
    }  # fmt: skip


def _separate(
    table: _Table, groups: Sequence[Sequence[int]], method: str
) -> tuple[JointTest | None, list[str]]:
    """Return the test with a tau2 for each group, or why there is none."""
    V, rows, none = table.V, table.rows, "no test with a tau2 for each group"
    shared = [
        f"{rows[i].effect} and {rows[j].effect}"
        for one, other in itertools.combinations(groups, 2)
        for i, j in itertools.product(one, other)
        if V is not None and V[i, j] != 0
    ]
    if shared:
        named = f"{shared[0]}{' and others' if len(shared) > 1 else ''}"
        return None, [f"{none}, which requires independent groups: {named} have a covariance"]
    try:
        return separate_test([table.data(group) for group in groups], method), []
    except ValueError as error:
        return None, [f"{none}: {error}"]
