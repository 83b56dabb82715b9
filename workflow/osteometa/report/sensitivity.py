"""The sensitivity analyses of one synthesis: a line per table, and what does not apply."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from osteometa.records.sensitivity import GoshRow, InfluenceRow, StepRow
from osteometa.report import sensitivity_choices, sensitivity_models
from osteometa.report.findings import Average, Findings
from osteometa.report.sensitivity_choices import Account, not_done, null_words, share_words
from osteometa.wording.numbers import counted, joined, sentence, signed, small, studies, unbroken

BOUNDS = "the usual thresholds of influence (DFFITS, Cook's distance, weight)"
Row = TypeVar("Row", StepRow, GoshRow)


def _done(rows: Sequence[Row]) -> list[tuple[Row, float]]:
    return [(row, row.estimate) for row in rows if row.estimate is not None]


def _reason(rows: Sequence[StepRow | InfluenceRow | GoshRow]) -> str:
    return next((row.reason for row in rows if row.reason), "no study is pooled")


def leave_one_out(found: Findings, main: Average, rows: Sequence[StepRow]) -> Account:
    """Return how far the average moves, and whether sign and interval change with it."""
    done = _done(rows)
    if not done:
        return not_done(_reason(rows))
    scale = found.scale()
    low, high = (pick(done, key=lambda item: item[1]) for pick in (min, max))
    sign = [row.label for row, _ in done if row.sign_changed]
    null = [row.label for row, _ in done if row.null_crossed]
    text = (
        f"Leaving out each of {studies(len(rows))} in turn, the average ranges from "
        f"{scale.value(low[1])} (without {low[0].label}) to {scale.value(high[1])} (without "
        f"{high[0].label}); the sign "
    )
    text += f"changes without {joined(sign, 'or')}" if sign else "never changes"
    verb = null_words(main.estimate, crossed=bool(null))
    without = f"without {joined(null, 'or')}" if null else "throughout"
    text += f", and the interval {verb} the null value {without}"
    failed = len(rows) - len(done)
    if failed:
        text += f"; {counted(failed, 'model')} without a study did not converge"
    return Account(f"{text}.")


def influence(main: Average, rows: Sequence[InfluenceRow]) -> Account:
    """Return which studies exceed the usual thresholds of influence, or which comes nearest."""
    done = [row for row in rows if row.status == "ok"]
    if not done:
        return not_done(_reason(rows))
    tau2 = main.row.tau2
    strong = [row for row in done if row.influential]
    if strong:
        named = "; ".join(_influence_words(row, tau2) for row in strong)
        verb = "exceeds" if len(strong) == 1 else "exceed"
        return Account(sentence(f"{studies(len(strong))} {verb} {BOUNDS}: {named}"))
    text = f"No study exceeds {BOUNDS}"
    known = [(abs(row.rstudent), row) for row in done if row.rstudent is not None]
    if known:
        _, far = max(known, key=lambda item: item[0])
        text += f"; the most outlying is {_influence_words(far, tau2)}"
    return Account(f"{text}.")


def _influence_words(row: InfluenceRow, tau2: float | None) -> str:
    parts = []
    if row.rstudent is not None:
        parts.append(f"studentised deleted residual {signed(row.rstudent, 1)}")
    if row.tau2_without is not None and tau2 is not None:
        parts.append(f"τ² {small(tau2)} with and {small(row.tau2_without)} without it")
    return f"{row.label} ({'; '.join(parts)})" if parts else row.label


def cumulative(main: Average, rows: Sequence[StepRow]) -> Account:
    """Return since which study sign and interval have been as with all studies."""
    parts: list[str] = []
    reasons: list[str] = []
    for sequence, words in (("year", "by year"), ("precision", "by decreasing precision")):
        own = [row for row in rows if row.sequence == sequence]
        done = [row for row, _ in _done(own)]
        if done:
            parts.append(sentence(f"added {words}, {_settled(main, done)}"))
        elif own:
            reasons.append(_reason(own))
    if not parts:
        return not_done(reasons[0] if reasons else "no study is pooled")
    return Account(" ".join(parts))


def _settled(main: Average, rows: Sequence[StepRow]) -> str:
    side = "above" if main.estimate.value > 0 else "below"
    sign = _since([row.sign_changed for row in rows], rows)
    null = _since([row.null_crossed for row in rows], rows)
    return (
        f"the average is {side} the null value {sign}, and its interval "
        f"{null_words(main.estimate)} the null value {null}"
    )


def _since(changed: Sequence[bool | None], rows: Sequence[StepRow]) -> str:
    """Return from which step on something is as in the pool of all studies."""
    first = max((place + 1 for place, other in enumerate(changed) if other), default=0)
    if first == 0:
        return "from the first study onwards"
    if first >= len(rows) - 1:
        return f"only with all {len(rows)} studies"
    return f"from {rows[first].label} (study {first + 1} of {len(rows)}) onwards"


def gosh(found: Findings, main: Average, rows: Sequence[GoshRow]) -> Account:
    """Return how the averages of the subsets are distributed."""
    done = _done(rows)
    if not done:
        return not_done(_reason(rows))
    scale, number = found.scale(), len(done)
    values = sorted(value for _, value in done)
    k = len(done[0][0].subset)
    kind = "all" if number == 2**k - 1 - k else "a random sample of"
    middle = scale.limits(values[number // 4], values[(3 * number) // 4])
    same = 100 * sum(value * main.estimate.value > 0 for value in values) / number
    return Account(
        f"Over {kind} {number:,} subsets of at least two studies, the average ranges from "
        f"{scale.value(values[0])} to {scale.value(values[-1])} (interquartile range {middle}); "
        f"{share_words(same)} of them have the sign of the average of all studies."
    )


class Line(NamedTuple):
    """One table in words."""

    name: str
    file: str
    """Name of the table with the rows behind the words."""
    text: str


def sensitivity_lines(found: Findings) -> tuple[list[Line], str]:
    """Return what the tables show, a line each, and why the others do not apply."""
    main = found.average()
    if main is None:
        return [], "not applicable, because no effect estimate is in the pool."
    lines: list[Line] = []
    missing: dict[str, list[str]] = {}
    for name, file, account in _accounts(found, main):
        if account.text:
            lines.append(Line(name, file, unbroken(account.text)))
        for what, reason in account.not_done:
            missing.setdefault(reason, []).append(what or name[0].lower() + name[1:])
    parts = [f"{', '.join(names)} ({reason})" for reason, names in missing.items()]
    return lines, unbroken(f"Not done: {'; '.join(parts)}." if parts else "")


def _accounts(found: Findings, main: Average) -> list[tuple[str, str, Account]]:
    """Return heading, name and words of each table, in the order of the report."""
    rows = found.tables
    choices, models = sensitivity_choices, sensitivity_models
    return [
        ("One choice changed", "sensitivity", choices.one_at_a_time(found, main, rows.sensitivity)),
        ("One study left out", "leave_one_out",
         leave_one_out(found, main, rows.leave_one_out)),
        ("Influential studies", "influence", influence(main, rows.influence)),
        ("Cumulative meta-analysis", "cumulative", cumulative(main, rows.cumulative)),
        ("All subsets of studies", "gosh", gosh(found, main, rows.gosh)),
        ("All choices combined", "multiverse_shares",
         choices.multiverse(found, rows.multiverse_shares)),
        ("Small-study effects", "small_study", models.small_study(found, rows.small_study)),
        ("Meta-regression", "meta_regression", models.meta_regression(found, rows.meta_regression)),
        ("Permutation test", "permutation", models.permutation(main, rows.permutation)),
        ("Alternative models", "alternative_models",
         models.alternative_models(found, rows.alternative_models)),
    ]  # fmt: skip
