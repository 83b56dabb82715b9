"""The command `osteometa pool`: pool any table of effects."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from osteometa.cli.pool_input import Row, UsageError, moderators, read_covariance, read_effects
from osteometa.wording.choices import CI_METHODS, METHODS, studies_words

TEST = ("statistic", "df1", "df2", "p")
LIMITS = tuple(f"{name}_ci_{end}" for name in ("tau2", "i2", "h2") for end in ("low", "high"))


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
        "pairs that are not listed share nothing. Degrees of freedom of t count what shares "
        "nothing and has its own study",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON at full precision")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Pool a file and print the result."""
    try:
        results = _results(arguments)
    except (UsageError, ValueError) as error:
        print(f"osteometa pool: {error}", file=sys.stderr)
        return 2
    print(json.dumps(results, indent=2, allow_nan=False) if arguments.json else _table(results))
    return 0


def _results(arguments: argparse.Namespace) -> dict[str, object]:
    columns = [*arguments.mods, *([arguments.group] if arguments.group else [])]
    rows, delimiter = read_effects(Path(arguments.file), columns)
    if not arguments.cov:
        _warn_of_repeats(rows)
    V = _covariance(Path(arguments.cov), rows) if arguments.cov else None
    choices = {"method": arguments.method, "ci": arguments.ci}
    wanted = {**choices, "pi_df": arguments.pi_df, "tau2_ci": arguments.tau2_ci}
    groups: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault(row.cells.get(arguments.group or "group", ""), []).append(i)
    results: dict[str, object] = {
        "overall": _pooled(rows, V, range(len(rows)), wanted),
        "groups": {
            name: _pooled(rows, V, chosen, wanted)
            for name, chosen in sorted(groups.items())
            if name
        },
    }
    if arguments.group:
        results["group_test"] = _group_test(rows, V, groups, choices, arguments.group)
    if arguments.mods:
        results["regression"] = _regression(
            rows, V, arguments.mods, delimiter, choices, arguments.tau2_ci
        )
    return results


def _covariance(path: Path, rows: Sequence[Row]) -> list[list[float]]:
    """Return the covariance of the effects, or refuse an impossible one by their names."""
    import numpy as np

    from osteometa.pooling.covariance import impossible_words, not_possible

    V = read_covariance(path, rows)
    impossible = not_possible(np.array(V))
    if impossible:
        raise UsageError(f"{path}: {impossible_words([rows[i].effect for i in impossible])}.")
    return V


def _warn_of_repeats(rows: Sequence[Row]) -> None:
    times = Counter(row.study for row in rows if row.study)
    again = [name for name, count in times.items() if count > 1]
    if again:
        print(
            f"osteometa pool: {', '.join(again)} stands in more than one row. The rows are pooled "
            "as if they were independent studies; --cov tells what they share.",
            file=sys.stderr,
        )


def _parts(rows: Sequence[Row], V: list | None, chosen: Sequence[int]) -> dict[str, object]:
    """Return effects, variances, covariance and number of studies of some rows."""
    import numpy as np

    found = {"yi": [rows[i].yi for i in chosen], "vi": [rows[i].vi for i in chosen]}
    if V is None:
        return found
    part = np.array(V)[np.ix_(chosen, chosen)]
    return {**found, "V": part, "studies": _studies([rows[i].study for i in chosen], part)}


def _studies(names: Sequence[str], V: object) -> int:
    """Return how many sets of effects share neither a study nor a covariance."""
    import numpy as np

    from osteometa.pooling.covariance import blocks

    same = np.array([[a == b for b in names] for a in names])
    return len(blocks(same | (np.asarray(V) != 0)))


def _pooled(
    rows: Sequence[Row], V: list | None, chosen: Sequence[int], choices: dict[str, str]
) -> dict[str, object]:
    from osteometa.pooling.model import pool

    return _record(asdict(pool(**_parts(rows, V, list(chosen)), **choices)))


def _record(record: dict[str, object]) -> dict[str, object]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in record.items()
    }


def _group_test(
    rows: Sequence[Row], V: list | None, groups: dict[str, list[int]], choices: dict[str, str],
    column: str,
) -> dict[str, object]:  # fmt: skip
    """Test whether the groups differ: with one tau2 for all, and with a tau2 for each."""
    import numpy as np

    from osteometa.pooling.groups import differences
    from osteometa.pooling.model import regress

    absent = ", ".join(rows[i].effect for i in groups.get("", ()))
    notes = [f"left out, because {column} is empty: {absent}"] if absent else []
    names = sorted(name for name in groups if name)
    chosen = sorted(i for name in names for i in groups[name])
    if len(names) < 2 or len(chosen) <= len(names):
        reason = "a test needs two groups and more effects than groups"
        return {"tested": False, "note": "; ".join([reason, *notes])}
    X = np.array([[float(i in groups[name]) for name in names] for i in chosen])
    fit = regress(X=X, **_parts(rows, V, chosen), **choices)
    separate, reason = _separate(rows, V, [groups[name] for name in names], choices["method"])
    return {
        "tested": True,
        "common_tau2": _record({"tau2": fit.tau2, **_joint(fit, differences(len(names)))}),
        "separate_tau2": separate, "note": "; ".join([*reason, *notes]),
    }  # fmt: skip


def _separate(
    rows: Sequence[Row], V: list | None, groups: Sequence[Sequence[int]], method: str
) -> tuple[dict[str, object] | None, list[str]]:
    """Return the test with a tau2 for each group, or why there is none."""
    from osteometa.pooling.groups import separate_test

    pairs = itertools.combinations(groups, 2) if V is not None else ()
    shared = [
        f"{rows[i].effect} and {rows[j].effect}"
        for one, other in pairs
        for i, j in itertools.product(one, other)
        if V[i][j] != 0
    ]
    if shared:
        more = " and others" if len(shared) > 1 else ""
        return None, [
            "no test with a tau2 for each group, which would take groups for independent: "
            f"{shared[0]}{more} share a covariance"
        ]
    try:
        values = separate_test([_parts(rows, V, list(group)) for group in groups], method)
    except ValueError as error:
        return None, [f"no test with a tau2 for each group: {error}"]
    return _record(dict(zip(TEST, values, strict=True))), []


def _regression(
    rows: Sequence[Row], V: list | None, columns: Sequence[str], delimiter: str,
    choices: dict[str, str], tau2_ci: str,
) -> dict[str, object]:  # fmt: skip
    import numpy as np

    from osteometa.numerics.range import refuse_design
    from osteometa.pooling.model import regress, tau2_limits

    kept, names, design = moderators(rows, columns, delimiter)
    k, p = len(kept), len(names)
    if k <= p:
        raise UsageError(f"{k} effects have all of {', '.join(columns)}; {p + 1} are needed.")
    X, parts = np.array(design), _parts(rows, V, kept)
    refuse_design(X, parts["vi"], names)
    _refuse_dependent(X, names)
    fit = regress(X=X, **parts, **choices)
    limits = dict.fromkeys(LIMITS)
    if choices["method"] != "EE":
        limits = tau2_limits(
            parts["yi"], parts["vi"], X, V=parts.get("V"), method=choices["method"],
            tau2_ci=tau2_ci,
        )  # fmt: skip
    notes = []
    absent = [row.study for i, row in enumerate(rows) if i not in kept]
    if absent:
        notes.append(f"left out, because a moderator is empty: {', '.join(absent)}")
    if fit.studies < 10 * (p - 1):
        coefficients = "1 coefficient" if p == 2 else f"{p - 1} coefficients"
        notes.append(f"{studies_words(fit.studies)} for {coefficients}: ten for each are advised")
    return {
        "coefficients": [_coefficient(fit, i, name) for i, name in enumerate(names)],
        "test": _record(_joint(fit, np.eye(p)[1:])), "k": fit.studies, "tau2": fit.tau2,
        "i2": fit.i2, "h2": fit.h2, **_record(limits), "q": fit.q, "q_df": fit.q_df,
        "q_p": fit.q_p, "method": choices["method"], "ci_method": choices["ci"],
        "note": "; ".join(notes),
    }  # fmt: skip


def _refuse_dependent(X: object, names: Sequence[str]) -> None:
    """Raise where a column of the design (k x p, intercept first) follows from those before it."""
    import numpy as np

    size = np.max(np.abs(X), axis=0)
    scaled = X / np.where(size > 0, size, 1.0)
    for j in range(1, len(names)):
        if np.linalg.matrix_rank(scaled[:, : j + 1]) > j:
            continue
        parts = np.linalg.lstsq(scaled[:, :j], scaled[:, j], rcond=None)[0]
        others = [names[i] for i in range(1, j) if abs(parts[i]) > 1e-8]
        source = f"follows from {', '.join(others)}" if others else "is the same for all effects"
        raise UsageError(
            f"'{names[j]}' {source}, so that their coefficients cannot be told apart. "
            "Leave one of them out of --mods."
        )


def _joint(fit: object, contrasts: object) -> dict[str, object]:
    """Return the test of some contrasts; empty where plain Hartung-Knapp has standard error 0."""
    import numpy as np

    from osteometa.pooling.model import joint_test

    try:
        values = joint_test(fit, contrasts)
    except np.linalg.LinAlgError:
        values = (None, len(contrasts), fit.df, None)
    return dict(zip(TEST, values, strict=True))


def _coefficient(fit: object, i: int, name: str) -> dict[str, object]:
    import numpy as np

    from osteometa.numerics.distributions import t_quantile

    estimate, se = float(fit.coefficients[i]), float(fit.covariance[i, i]) ** 0.5
    half = t_quantile(0.975, fit.df) * se
    one = np.eye(len(fit.coefficients))[[i]]
    return _record(
        {
            "name": name, "estimate": estimate, "se": se, "ci_low": estimate - half,
            "ci_high": estimate + half, "statistic": estimate / se if se > 0 else None,
            "df": fit.df, "p": _joint(fit, one)["p"],
        }
    )  # fmt: skip


def _table(results: dict) -> str:
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


def _left(regression: dict) -> str:
    """Return the variance that the moderators leave, with its intervals."""
    parts = []
    for name, words, unit in (("tau2", "tau2", ""), ("i2", "I2", " %"), ("h2", "H2", "")):
        low, high = regression[f"{name}_ci_low"], regression[f"{name}_ci_high"]
        limits = "" if low is None or high is None else f" [{low:.4g}, {high:.4g}]"
        parts.append(f"{words} = {regression[name]:.4g}{unit}{limits}")
    return ", ".join(parts)


def _interval(row: dict) -> str:
    text = f"{row['estimate']:.4g} [{row['ci_low']:.4g}, {row['ci_high']:.4g}]"
    return text if row["p"] is None else f"{text}  p = {row['p']:.3g}"


def _test(test: dict) -> str:
    if test["statistic"] is None:
        return "no statistic, the standard errors are 0"
    if test["df2"] is None:
        return f"chi2({test['df1']}) = {test['statistic']:.4g}, p = {test['p']:.3g}"
    return f"F({test['df1']}, {test['df2']:g}) = {test['statistic']:.4g}, p = {test['p']:.3g}"


def _sentence(row: dict) -> str:
    text = f"k = {row['k']}"
    if row["estimate"] is not None:
        text += f"  {_interval(row)}"
    if row["tau2"] is not None:
        text += f"  tau2 = {row['tau2']:.4g}  I2 = {row['i2']:.1f} %"
    # With tau2 = 0 it would only repeat the confidence interval; two studies tell none.
    if row["pi_low"] is not None and row["tau2"] and row["k"] > 2:
        text += f"  prediction [{row['pi_low']:.4g}, {row['pi_high']:.4g}]"
    return text + (f"  ({row['note']})" if row["note"] else "")
