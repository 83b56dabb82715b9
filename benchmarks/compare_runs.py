"""Compare every table of two finished runs, cell by cell.

usage: python benchmarks/compare_runs.py OLD NEW [--renamed FILE:OLD=NEW ...]

OLD and NEW are folders with `results/` and `data/processed/`. FILE:OLD=NEW says that a column of
tables of that name (`*` for all) is now called NEW; FILE:=NEW that the table is. Lists each table,
column and word that differs; the exit status is 1 where a number differs.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

TOLERANCE = 1e-11
"""Relative: tables hold twelve digits."""
LEFT_OUT = {"manifest.csv"}  # hashes


def read(path: Path) -> pd.DataFrame:
    """Return a table as text, so that a number that became a word is seen."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def tables_of(root: Path) -> list[Path]:
    """Return the paths of all tables of a run, below its folder."""
    found = [*root.glob("results/**/*.csv"), *root.glob("data/processed/**/*.csv")]
    return sorted(path.relative_to(root) for path in found if path.name not in LEFT_OUT)


def column_differences(old: pd.Series, new: pd.Series) -> tuple[int, pd.Series, pd.Series]:
    """Return how many numbers a column holds, and where a number or a word differs."""
    numbers = [pd.to_numeric(side, errors="coerce") for side in (old, new)]
    numeric = numbers[0].notna() | numbers[1].notna()
    near = np.isclose(*numbers, rtol=TOLERANCE, atol=0.0)
    return int(numeric.sum()), numeric & ~near, ~numeric & (old != new)


def compare(old: Path, new: Path, renamed: dict[tuple[str, str], str]) -> bool:
    """Print how two runs differ; return whether all numbers are the same."""
    listed: dict[str, list[str]] = defaultdict(list)
    count = wrong = words = 0
    for path in tables_of(old):
        other = path.with_name(renamed.get((path.name, ""), path.name))
        if not (new / other).exists():
            listed[f"no table {other.name}"].append(str(path.parent))
            continue
        before, after = read(old / path), read(new / other)
        names = {c: renamed.get((path.name, c), renamed.get(("*", c), c)) for c in before}
        names = {c: n if n in after else c for c, n in names.items()}
        for column in set(after) - set(names.values()):
            listed[f"new column {other.name}: {column}"].append("")
        if len(before) != len(after):
            listed[f"rows of {path}"].append(f"{len(before)} -> {len(after)}")
            wrong += 1
            continue
        for column, name in names.items():
            if name not in after:
                listed[f"no column {path.name}: {column}"].append(str(path.parent))
                continue
            if name != column:
                listed[f"renamed {path.name}: {column} -> {name}"].append("")
            numbers, off, worded = column_differences(before[column], after[name])
            count, wrong, words = count + numbers, wrong + int(off.sum()), words + int(worded.sum())
            for kind, where in (("NUMBER", off), ("word", worded)):
                listed[f"{kind} {other.name}: {name}"] += [
                    f"{a!r} -> {b!r}"
                    for a, b in zip(before[column][where], after[name][where], strict=True)
                ]
    for what, examples in sorted(listed.items()):
        if examples:
            print(f"{what} [{len(examples)}] {'; '.join(sorted(set(examples))[:2])[:300]}")
    print(f"{count} numbers compared, {wrong} differ; {words} words differ")
    return wrong == 0


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Compare every table of two finished runs.")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--renamed", nargs="*", default=[], metavar="FILE:OLD=NEW")
    options = parser.parse_args()
    renamed = {}
    for word in options.renamed:
        place, _, name = word.partition("=")
        file, _, column = place.partition(":")
        renamed[file, column] = name
    return 0 if compare(options.old, options.new, renamed) else 1


if __name__ == "__main__":
    sys.exit(main())
