"""The command `osteometa pool`: pool any table of effects."""

from __future__ import annotations

import argparse
import json
from typing import Any

from osteometa.cli.review import RefusedError
from osteometa.wording.choices import CI_METHODS, METHODS


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "pool",
        help="pool effects of any CSV file with study, yi, vi",
        description="Pool the effects of a CSV file with the columns study, yi (effect) and vi "
        "(its sampling variance), and group if there are groups. Ratios are pooled as logarithms: "
        "type log ratios.",
        epilog="Examples: osteometa pool effects.csv --method DL --ci wald --json; "
        "osteometa pool effects.csv --mods weeks age; osteometa pool effects.csv --cov pairs.csv. "
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
    parser.add_argument(
        "--pi-df", choices=("k-1", "k-2"), default="k-1",
        help="degrees of freedom of the prediction interval (default: k-1)",
    )  # fmt: skip
    parser.add_argument(
        "--tau2-ci", choices=("qp", "pl"), default="qp",
        help="interval of tau2, I2 and H2: Q-profile, or profile likelihood, which only REML and "
        "ML have (default: qp)",
    )  # fmt: skip
    parser.add_argument(
        "--mods", nargs="+", metavar="COLUMN", default=[],
        help="meta-regression on these columns; words are compared with the first in the alphabet",
    )  # fmt: skip
    parser.add_argument(
        "--group", metavar="COLUMN",
        help="pool each value of this column as well and test whether they differ "
        "(default: the column group, if there is one, without a test)",
    )  # fmt: skip
    parser.add_argument(
        "--cov", metavar="FILE",
        help="CSV file with two names of effects and their covariance in each row (the results' "
        "covariance.csv has this form); names are those of the column effect_id, or of study; "
        "pairs that are not listed have covariance 0. Degrees of freedom of t count groups of "
        "effects that share neither a study nor a covariance",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON at full precision")


def run(arguments: argparse.Namespace) -> int:
    """Pool a file and print the result."""
    from osteometa.cli.pool_models import results_of

    try:
        results = results_of(arguments)
    except ValueError as error:
        raise RefusedError(f"{error}") from None
    print(json.dumps(results, indent=2, allow_nan=False) if arguments.json else _table(results))
    return 0


def _table(results: dict[str, Any]) -> str:
    rows = {"overall": results["overall"], **results["groups"]}
    width = max(len(name) for name in rows)
    lines = [f"{name:<{width}}  {_sentence(row)}" for name, row in rows.items()]
    test = results.get("group_test")
    if test and not test["tested"]:
        lines.append(f"no test of groups: {test['note']}")
    elif test:
        lines.append(f"groups differ: {_test(test['common_tau2'])} (one tau2 for all)")
        if test["separate_tau2"]:
            lines.append(f"groups differ: {_test(test['separate_tau2'])} (a tau2 for each)")
        lines += [f"  ({test['note']})"] if test["note"] else []
    regression = results.get("regression")
    if regression:
        lines.append(f"meta-regression, k = {regression['k']}, {_left(regression)}")
        width = max(len(c["name"]) for c in regression["coefficients"])
        for row in regression["coefficients"]:
            lines.append(f"  {row['name']:<{width}}  {_interval(row)}")
        lines.append(f"  all moderators: {_test(regression['test'])}")
        lines += [f"  ({regression['note']})"] if regression["note"] else []
    first = results["overall"]
    return "\n".join([*lines, f"{first['method']}, {first['ci_method']}"])


def _left(regression: dict[str, Any]) -> str:
    """Return the variance that the moderators leave, with its intervals."""
    parts = []
    for name, words, unit in (("tau2", "tau2", ""), ("i2", "I2", " %"), ("h2", "H2", "")):
        low, high = regression[f"{name}_ci_low"], regression[f"{name}_ci_high"]
        limits = "" if low is None or high is None else f" [{low:.4g}, {high:.4g}]"
        parts.append(f"{words} = {regression[name]:.4g}{unit}{limits}")
    return ", ".join(parts)


def _interval(row: dict[str, Any]) -> str:
    text = f"{row['estimate']:.4g} [{row['ci_low']:.4g}, {row['ci_high']:.4g}]"
    return text if row["p"] is None else f"{text}  p = {row['p']:.3g}"


def _test(test: dict[str, Any]) -> str:
    if test["statistic"] is None:
        return "no statistic, the standard errors are 0"
    if test["df2"] is None:
        return f"chi2({test['df1']}) = {test['statistic']:.4g}, p = {test['p']:.3g}"
    return f"F({test['df1']}, {test['df2']:g}) = {test['statistic']:.4g}, p = {test['p']:.3g}"


def _sentence(row: dict[str, Any]) -> str:
    text = f"k = {row['k']}"
    if row["estimate"] is not None:
        text += f"  {_interval(row)}"
    if row["tau2"] is not None:
        text += f"  tau2 = {row['tau2']:.4g}  I2 = {row['i2']:.1f} %"
    # With tau2 = 0 it would only repeat the confidence interval; two studies give none.
    if row["pi_low"] is not None and row["tau2"] and row["k"] > 2:
        text += f"  prediction [{row['pi_low']:.4g}, {row['pi_high']:.4g}]"
    return text + (f"  ({row['note']})" if row["note"] else "")
