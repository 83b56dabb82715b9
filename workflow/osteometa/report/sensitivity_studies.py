"""Single studies and subsets of studies in words."""

from __future__ import annotations

from collections.abc import Sequence

from osteometa.records.sensitivity import GoshRow, InfluenceRow, StepRow
from osteometa.report.findings import Findings
from osteometa.report.sensitivity_choices import Told, other_side, share_words, side_words
from osteometa.wording.numbers import counted, joined, number_words, signed, small
from osteometa.wording.scale import Scale


def leave_one_out(found: Findings, rows: Sequence[StepRow]) -> Told:
    """Return how far the average moves, and what it takes with it."""
    done = [row for row in rows if row.status == "ok"]
    if not done:
        return "", _reasons(rows)
    scale = found.scale()
    low, high = (pick(done, key=lambda r: r.estimate) for pick in (min, max))
    text = (
        f"Without any one of {counted(len(rows), 'study', 'studies')} the average stays between "
        f"{_value(low.estimate, scale)} (without {low.label}) and {_value(high.estimate, scale)} "
        f"(without {high.label})"
    )
    turned = [row.label for row in done if row.sign_changed]
    crossed = [row.label for row in done if row.null_crossed]
    sign = f"the sign changes without {_any(turned)}" if turned else "the sign never changes"
    main = found.model()
    null = (
        f"the interval {other_side(main)} no difference without {_any(crossed)}"
        if crossed
        else f"the interval always {side_words(main)} no difference"
    )
    failed = len(rows) - len(done)
    lost = f"; {counted(failed, 'model')} without a study had no solution" if failed else ""
    return f"{text}; {sign}, and {null}{lost}.", []


def _any(labels: Sequence[str]) -> str:
    return joined(labels).replace(" and ", " or ") if len(labels) > 1 else labels[0]


def influence(found: Findings, rows: Sequence[InfluenceRow]) -> Told:
    """Return which studies pass the usual bounds of influence, or which comes nearest."""
    done = [row for row in rows if row.status == "ok"]
    if not done:
        return "", _reasons(rows)
    tau2 = found.model().tau2
    strong = [row for row in done if row.influential]
    if strong:
        verb = "study passes" if len(strong) == 1 else "studies pass"
        named = [_influence_words(row, tau2) for row in strong]
        number = number_words(len(strong)).capitalize()
        return (
            f"{number} {verb} the usual bounds of influence (DFFITS, Cook's distance, weight): "
            f"{'; '.join(named)}."
        ), []
    known = [row for row in done if row.rstudent is not None]
    text = "No study passes the usual bounds of influence (DFFITS, Cook's distance, weight)"
    if not known:
        return f"{text}.", []
    far = max(known, key=lambda row: abs(row.rstudent))
    return f"{text}; farthest from the others lies {_influence_words(far, tau2)}.", []


def _influence_words(row: InfluenceRow, tau2: float | None) -> str:
    parts = []
    if row.rstudent is not None:
        parts.append(f"studentised deleted residual {signed(row.rstudent, 1)}")
    if row.tau2_without is not None and tau2 is not None:
        parts.append(f"τ² {small(tau2)} with it, {small(row.tau2_without)} without it")
    return f"{row.label} ({'; '.join(parts)})" if parts else row.label


def cumulative(found: Findings, rows: Sequence[StepRow]) -> Told:
    """Return since which study sign and verdict have been those of all studies."""
    parts, missing = [], []
    for sequence, words in (("year", "added by year"), ("precision", "from the most precise on")):
        own = [row for row in rows if row.sequence == sequence]
        done = [row for row in own if row.status == "ok"]
        if done:
            parts.append(f"{words}, {_settled(found, done)}")
        elif own:
            missing += _reasons(own)
    if not parts:
        return "", list(dict.fromkeys(missing)) or [("", "no study is pooled")]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}.", []


def _settled(found: Findings, rows: Sequence[StepRow]) -> str:
    main = found.model()
    side = "above" if main.estimate > 0 else "below"
    return (
        f"the average lies {side} no difference {_since(rows, 'sign_changed')}, and its interval "
        f"{side_words(main)} no difference {_since(rows, 'null_crossed')}"
    )


def _since(rows: Sequence[StepRow], name: str) -> str:
    """Return from which step on something is as in the pool of all studies."""
    other = [place for place, row in enumerate(rows) if getattr(row, name)]
    first = other[-1] + 1 if other else 0
    if first == 0:
        return "from the first study on"
    if first >= len(rows) - 1:
        return f"only with all {len(rows)} studies"
    return f"from {rows[first].label} on (study {first + 1} of {len(rows)})"


def gosh(found: Findings, rows: Sequence[GoshRow]) -> Told:
    """Return how the averages of the subsets are spread."""
    main, done = found.model(), [row for row in rows if row.status == "ok"]
    if not done:
        return "", _reasons(rows)
    scale, number = found.scale(), len(done)
    values = sorted(row.estimate for row in done)
    k = len(done[0].subset)
    kind = "all" if number == 2**k - 1 - k else "a random sample of"
    middle = scale.limits(values[number // 4], values[(3 * number) // 4])
    same = 100 * sum(value * main.estimate > 0 for value in values) / number
    return (
        f"Over {kind} {number:,} subsets of two studies or more the average lies between "
        f"{_value(values[0], scale)} and {_value(values[-1], scale)}, half of them from "
        f"{middle}; {share_words(same)} of the subsets have the sign of all studies together."
    ), []


def _value(value: float, scale: Scale) -> str:
    return scale.number(value) + (" %" if scale.percent else "")


def _reasons(rows: Sequence[StepRow | InfluenceRow | GoshRow]) -> list[tuple[str, str]]:
    return [("", next((row.reason for row in rows if row.reason), "no study is pooled"))]
