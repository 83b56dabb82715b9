"""Single studies and subsets of studies in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from osteometa.records.sensitivity import GoshRow, InfluenceRow, StepRow
from osteometa.report.findings import Average, Findings
from osteometa.report.sensitivity_choices import Account, not_done, null_words, share_words
from osteometa.wording.numbers import counted, joined, sentence, signed, small, studies

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
    return Account(f"{text}.", [])


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
        return Account(sentence(f"{studies(len(strong))} {verb} {BOUNDS}: {named}"), [])
    text = f"No study exceeds {BOUNDS}"
    known = [(abs(row.rstudent), row) for row in done if row.rstudent is not None]
    if known:
        _, far = max(known, key=lambda item: item[0])
        text += f"; the most outlying is {_influence_words(far, tau2)}"
    return Account(f"{text}.", [])


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
    return Account(" ".join(parts), [])


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
        f"{share_words(same)} of them have the sign of the average of all studies.",
        [],
    )
