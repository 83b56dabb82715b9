"""The command `osteometa pool`: pool any table of effects."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

METHODS = ("REML", "DL", "EE")
CI_METHODS = ("wald", "hksj", "hksj-floor")


class UsageError(ValueError):
    """The file cannot be pooled; the text says why and what to do."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "pool",
        help="pool effects of any CSV file with study, yi, vi",
        description="Pool the effects of a CSV file with the columns study, yi (effect) and vi "
        "(its sampling variance), and group if there are groups. Ratios are pooled as logarithms: "
        "type log ratios.",
        epilog="Example: osteometa pool effects.csv --method DL --ci wald --json. "
        "Exit status: 0 pooled, 2 the file or the call cannot be used.",
    )
    parser.add_argument("file", help="CSV file; comma or semicolon, decimal point or comma")
    parser.add_argument(
        "--method", choices=METHODS, default="REML",
        help="estimator of tau2 by metafor's short name; EE is the common-effect model "
        "(default: REML)",
    )  # fmt: skip
    parser.add_argument(
        "--ci", choices=CI_METHODS, default="hksj-floor",
        help="interval: normal quantiles, Hartung-Knapp, or Hartung-Knapp never narrower than "
        "the conventional one (default: hksj-floor)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON at full precision")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Pool a file and print the result."""
    from osteometa.pooling.model import pool

    try:
        groups = read_effects(Path(arguments.file))
    except UsageError as error:
        print(f"osteometa pool: {error}", file=sys.stderr)
        return 2
    choices = {"method": arguments.method, "ci": arguments.ci}
    everyone = [effect for effects in groups.values() for effect in effects]
    results = {
        "overall": _record(pool(*zip(*everyone, strict=True), **choices)),
        "groups": {
            name: _record(pool(*zip(*effects, strict=True), **choices))
            for name, effects in sorted(groups.items())
            if name
        },
    }
    print(json.dumps(results, indent=2, allow_nan=False) if arguments.json else _table(results))
    return 0


def _record(pooled: object) -> dict[str, object]:
    record = asdict(pooled)
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in record.items()
    }


def _table(results: dict) -> str:
    rows = {"overall": results["overall"], **results["groups"]}
    width = max(len(name) for name in rows)
    lines = []
    for name, row in rows.items():
        text = f"{name:<{width}}  k = {row['k']}"
        if row["estimate"] is not None:
            text += f"  {row['estimate']:.4g} [{row['ci_low']:.4g}, {row['ci_high']:.4g}]"
        if row["p"] is not None:
            text += f"  p = {row['p']:.3g}"
        if row["tau2"] is not None:
            text += f"  tau2 = {row['tau2']:.4g}  I2 = {row['i2']:.1f} %"
        # With tau2 = 0 it would only repeat the confidence interval; two studies tell none.
        if row["pi_low"] is not None and row["tau2"] and row["k"] > 2:
            text += f"  prediction [{row['pi_low']:.4g}, {row['pi_high']:.4g}]"
        lines.append(text + (f"  ({row['note']})" if row["note"] else ""))
    first = results["overall"]
    return "\n".join([*lines, f"{first['method']}, {first['ci_method']}"])


def read_effects(path: Path) -> dict[str, list[tuple[float, float]]]:
    """Read effects by group ('' where no group is named).

    Raises
    ------
    UsageError
        For a file that is missing, empty, without the columns, or with a cell that cannot be used.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist. Name a CSV file with study, yi, vi.") from None
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{path} cannot be read as UTF-8 text. Save it as CSV UTF-8.") from None
    first = text.partition("\n")[0]
    if not text.strip():
        raise UsageError(f"{path} is empty. It needs the columns study, yi, vi.")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        lines = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UsageError(
            f"{path} cannot be read as CSV ({error}). Look for a stray quote."
        ) from None
    header = [name.strip() for name in lines[0]]
    missing = [name for name in ("study", "yi", "vi") if name not in header]
    if missing:
        raise UsageError(
            f"{path} has no column {', '.join(missing)}. It has: {', '.join(header)}. "
            "Needed are study, yi, vi."
        )
    twice = [name for name in ("study", "yi", "vi", "group") if header.count(name) > 1]
    if twice:
        raise UsageError(f"{path} has two columns {twice[0]}. Keep one of them.")
    return _groups(path, header, lines[1:], delimiter)


def _groups(
    path: Path, header: list[str], lines: list[list[str]], delimiter: str
) -> dict[str, list[tuple[float, float]]]:
    groups: dict[str, list[tuple[float, float]]] = {}
    problems: list[str] = []
    studies: Counter[str] = Counter()
    for number, line in enumerate(lines, start=2):
        if not any(text.strip() for text in line):
            continue
        if len(line) != len(header):
            problems.append(
                f"row {number} has {len(line)} cells, the header {len(header)}. Decimal commas "
                "need semicolons between the cells."
            )
            continue
        cells = dict(zip(header, (text.strip() for text in line), strict=True))
        studies[cells["study"]] += 1
        effect = tuple(_number(cells, name, number, delimiter, problems) for name in ("yi", "vi"))
        groups.setdefault(cells.get("group", ""), []).append(effect)
    if problems:
        raise UsageError(f"{path}:\n" + "\n".join(f"  {problem}" for problem in problems))
    if not groups:
        raise UsageError(f"{path} has a header and no study: there is nothing to pool (k = 0).")
    again = [name for name, times in studies.items() if name and times > 1]
    if again:
        print(
            f"osteometa pool: {', '.join(again)} stands in more than one row. The rows are pooled "
            "as if they were independent studies.",
            file=sys.stderr,
        )
    return groups


def _number(
    cells: dict[str, str], name: str, row: int, delimiter: str, problems: list[str]
) -> float:
    text = cells.get(name, "")
    where = f"row {row}, study {cells.get('study') or '(no name)'}, column {name}"
    try:
        value = float(text.replace(",", ".") if delimiter == ";" else text)
    except ValueError:
        problems.append(f"{where}: '{text}' is no number. Type one, or delete the row.")
        return 0.0
    if not math.isfinite(value) or (name == "vi" and value <= 0):
        need = "must be above 0" if name == "vi" else "must be finite"
        problems.append(f"{where}: {text} {need}.")
    return value
