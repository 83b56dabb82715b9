"""The formula of an effect as equations, with the numbers that it took."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from osteometa.comparisons.summaries import Summary
from osteometa.wording.choices import SmdVariance

FUNCTIONS = {"ln": math.log, "sqrt": math.sqrt}
POOLED_SD = "sqrt(((n{0}T - 1) * s{0}T**2 + (n{0}C - 1) * s{0}C**2) / (n{0}T + n{0}C - 2))"
LOG_RATIO = (
    "c{0} = ln(1 + (s{0} / 100)**2 / (1 + p{0} / 100)**2)",
    "y{0} = ln(1 + p{0} / 100) - c{0} / 2", "v{0} = c{0} / n{0}",
)  # fmt: skip
"""From a percent change with its SD."""
NAME = re.compile(r"\b[A-Za-z]\w*\b(?!\()")


@dataclass(frozen=True, slots=True)
class Worked:
    """Equations, each of which takes numbers of a paper and results of the ones before.

    m, s, n are mean, SD and participants; T exercise, C control; 0 before, 1 after, d change, p
    percent change. The last ones are `yi` and `vi`.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    equations: tuple[str, ...] = ()
    """As `yi = m1T - m1C`, in the notation of Python."""

    def __add__(self, other: Worked) -> Worked:
        """Return the equations of both, one after the other."""
        return Worked({**self.numbers, **other.numbers}, (*self.equations, *other.equations))

    def then(self, *equations: str, **numbers: float) -> Worked:
        """Return the equations with further ones, and the numbers that these take."""
        return self + Worked(numbers, equations)

    def converted(self, *equations: str, **numbers: float) -> Worked:
        """Return the same with the effect called D, its variance V, and an effect made of these."""
        as_difference = tuple(
            re.sub(r"\bvi\b", "V", re.sub(r"\byi\b", "D", line))
            for line in self.equations
            if line != "yi = D"
        )
        return Worked(self.numbers, as_difference).then(*equations, **numbers)

    def lines(self) -> Iterator[tuple[str, str, float]]:
        """Yield each equation, the same with numbers, and its result."""
        known = dict(self.numbers)
        for equation in self.equations:
            name, _, formula = equation.partition(" = ")
            value = eval(formula, {"__builtins__": {}}, {**FUNCTIONS, **known})
            yield equation, NAME.sub(lambda n: _text(known[n[0]]), formula), value
            known[name] = value

    def texts(self) -> Iterator[str]:
        """Yield each equation with its numbers and its result."""
        for equation, numbers, value in self.lines():
            result = f"{value:.6g}"
            yield " = ".join(dict.fromkeys((equation, numbers, result)))


def _text(number: float) -> str:
    text = f"{number:.6g}"
    return f"({text})" if number < 0 else text


def numbers_of(name: str, summary: Summary | None) -> dict[str, float]:
    """Return mean, SD and n of a summary as m, s and n with a name."""
    if summary is None:
        return {}
    found = {"m": summary.mean, "s": summary.sd, "n": summary.n}
    return {f"{key}{name}": value for key, value in found.items() if value is not None}


def arms_of(kind: str, exercise: Summary | None, control: Summary | None) -> dict[str, float]:
    """Return the numbers of both arms; `kind` is 0, 1, d or p."""
    return numbers_of(f"{kind}T", exercise) | numbers_of(f"{kind}C", control)


def change_of(
    side: str, before: Summary, after: Summary | None, change: Summary | None, r: float
) -> Worked:
    """Return the mean change d of an arm (T or C) and its variance v.

    As `inputs.mean_change` and `inputs.change_variance`.
    """
    numbers = numbers_of(f"0{side}", before) | numbers_of(f"1{side}", after)
    reported = numbers_of(f"d{side}", change) if change is not None and change.sd else {}
    lines = []
    if f"md{side}" in reported:
        numbers[f"d{side}"] = reported[f"md{side}"]
    else:
        lines.append(f"d{side} = m1{side} - m0{side}")
    if f"nd{side}" in reported:
        numbers |= reported
        lines.append(f"v{side} = sd{side}**2 / nd{side}")
    else:
        numbers[f"r{side}"] = r
        lines.append(variance_of_change(side, numbers))
    return Worked(numbers, tuple(lines))


def variance_of_change(side: str, numbers: Mapping[str, float]) -> str:
    """Return the equation of the variance of a mean change, as `formulas.change_variance`."""
    larger = max((f"n0{side}", f"n1{side}"), key=lambda name: numbers.get(name, 0.0))
    return (
        f"v{side} = s1{side}**2 / n1{side} + s0{side}**2 / n0{side} "
        f"- 2 * r{side} * s0{side} * s1{side} / {larger}"
    )


def log_ratio_of(
    side: str, before: Summary, after: Summary, r: float, *, corrected: bool
) -> Worked:
    """Return the log ratio y of after to before of an arm and its variance v."""
    numbers = numbers_of(f"0{side}", before) | numbers_of(f"1{side}", after) | {f"r{side}": r}
    larger = max((f"n0{side}", f"n1{side}"), key=lambda name: numbers[name])
    upper = f"s1{side}**2 / (n1{side} * m1{side}**2)"
    lower = f"s0{side}**2 / (n0{side} * m0{side}**2)"
    more = (f" + ({upper} - {lower}) / 2", f" + (({upper})**2 + ({lower})**2) / 2")
    y, v = more if corrected else ("", "")
    twice = f"2 * r{side} * s0{side} * s1{side} / ({larger} * m0{side} * m1{side})"
    return Worked(numbers, (
        f"y{side} = ln(m1{side} / m0{side}){y}", f"v{side} = {upper} + {lower} - {twice}{v}",
    ))  # fmt: skip


def percents_of(exercise: Summary, control: Summary) -> Worked:
    """Return the log ratio y and its variance v of both arms from percent changes."""
    numbers = {}
    for side, summary in (("T", exercise), ("C", control)):
        found = numbers_of(side, summary)
        found[f"p{side}"] = found.pop(f"m{side}")
        numbers |= found
    lines = (line.format(side) for side in ("T", "C") for line in LOG_RATIO)
    return Worked(numbers, (*lines, "yi = yT - yC", "vi = vT + vC"))


def variance_line(form: SmdVariance, *, scaled: bool = False) -> str:
    """Return the equation of the variance of a standardised effect, as `formulas.g_variance`."""
    if form == "UB":
        return "vi = u + (1 - (m - 2) / (m * J**2)) * yi**2"
    return f"vi = {'J**2 * ' if form == 'LS2' and not scaled else ''}u + yi**2 / (2 * N)"
