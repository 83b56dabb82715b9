"""Other choices in words: one at a time, and all combined."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from osteometa.records.sensitivity import MultiverseShare, SensitivityRow
from osteometa.report.findings import Average, Findings
from osteometa.wording.measure_format import Estimate, estimate_of
from osteometa.wording.numbers import counted, number_words, sentence, studies
from osteometa.wording.vocabulary import OVERALL, ExerciseType

PRIMARY, ONE_OUT = "primary", "leave one out"
CHOICES = {
    "r": "the assumed pre-post correlation",
    "rho": "the assumed correlation between effects of the same participants",
    "baseline_mean": "the assumed baseline mean",
    "training_time": "the choice of the time point",
    "shared_control": "the treatment of shared controls",
    "smd_variance": "the variance formula of the SMD",
    "smd_post": "the SD that standardises final values",
    "smd_pre_post": "the SD that standardises changes",
    "rom_correction": "the small-sample correction of log ratios",
    "inclusion": "the choice of effects left out",
    "designs": "the inclusion of non-randomised trials",
    "inconsistent_data": "the resolution of inconsistently reported data",
    "tau2": "the estimator of τ²",
    "ci": "the type of confidence interval",
}


class Account(NamedTuple):
    """A table in words."""

    text: str
    not_done: Sequence[tuple[str, str]] = ()
    """What does not apply, with the reason; an empty name means the whole table."""


def not_done(reason: str) -> Account:
    """Return that a whole table does not apply."""
    return Account("", [("", reason)])


def share_words(percent: float | None) -> str:
    """Return a share; all or none only where it is."""
    if percent is None:
        return "an unknown share"
    if percent in (0, 100):
        return "all" if percent else "none"
    if percent > 99:
        return "more than 99 %"
    return "less than 1 %" if percent < 1 else f"{percent:.0f} %"


def null_words(estimate: Estimate, crossed: bool = False) -> str:
    """Return where the interval lies, or would lie once it has crossed the null."""
    return "includes" if estimate.holds_null != crossed else "excludes"


def one_at_a_time(found: Findings, main: Average, rows: Sequence[SensitivityRow]) -> Account:
    """Return which choices change the sign, and which move the interval across the null.

    Rows that repeat the primary result, and the study that moves it most (which stands among those
    left out), are no other choices.
    """
    done = [(row, estimate) for row in rows if (estimate := estimate_of(row)) is not None]
    primary = next((item for item in done if item[0].row == PRIMARY), None)
    if primary is None:
        return not_done("there is no primary pool")
    tried = [item for item in done
             if item[0].row not in (PRIMARY, ONE_OUT) and not _same(item, primary)]  # fmt: skip
    whole = [item for item in tried if item[0].group == OVERALL]
    gone = [row for row in rows if row.status == "not_estimable" and row.group == OVERALL]
    parts = [_whole(found, main, whole)] if whole else []
    parts += _types(found, [row for row, _ in tried if row.group != OVERALL])
    if gone:
        parts.append(f"No study remains in the analyses {'; '.join(row.change for row in gone)}.")
    return Account(" ".join(parts)) if parts else not_done("no other choice changes this pool")


def _whole(found: Findings, main: Average, rows: Sequence[tuple[SensitivityRow, Estimate]]) -> str:
    scale = found.scale()
    sign = [_named(r, main.row.k, main.row.measure) for r, _ in rows if r.sign_changed]
    null = [_named(r, main.row.k, main.row.measure) for r, _ in rows if r.null_crossed]
    text = (
        f"{counted(len(rows), 'other choice')} tried{', one at a time' if len(rows) > 1 else ''}: "
        f"{_number(len(sign))} the sign of the estimate{_list(sign)}; the primary interval "
        f"{null_words(main.estimate)} the null value"
    )
    if null:
        verb = null_words(main.estimate, crossed=True)
        text += f", but {verb} it with {counted(len(null), 'choice')}{_list(null)}"
    else:
        text += ", and so do all others"
    values = [estimate.value for row, estimate in rows if row.measure == main.row.measure]
    if values:
        limits = scale.limits(min(values), max(values))
        text += f"; estimates range from {limits} (primary {scale.value(main.estimate.value)})"
    return sentence(text)


def _number(number: int) -> str:
    if number == 0:
        return "none changes"
    return f"{number_words(number)} change{'s' if number == 1 else ''}"


def _list(names: Sequence[str]) -> str:
    return f" ({'; '.join(names)})" if names else ""


def _types(found: Findings, rows: Sequence[SensitivityRow]) -> list[str]:
    """Return what choices change within single types of exercise, by type."""
    if not rows:
        return []
    parts = []
    for kind in ExerciseType:
        own = [r for r in rows if r.group == kind and (r.sign_changed or r.null_crossed)]
        names = [
            _named(r, None, found.row.measure) + (", sign too" if r.sign_changed else "")
            for r in own
        ]
        if names:
            parts.append(f"{kind.words}: {'; '.join(names)}")
    if not parts:
        return [
            f"Within single types of exercise, none of {counted(len(rows), 'analysis', 'analyses')}"
            " changes the sign or whether the interval includes the null value."
        ]
    return [
        "Within single types of exercise, these choices change the sign or whether the interval "
        f"includes the null value: {' '.join(map(sentence, parts))}"
    ]


def _named(row: SensitivityRow, k: int | None, measure: str) -> str:
    """Return a change, with another measure where it has one and the studies that are left."""
    other = row.measure != measure and row.row != f"measure={row.measure}"
    named = row.change + (f", as {row.measure}" if other else "")
    return named if row.k == k or row.k is None else f"{named}, {studies(row.k)}"


def _same(item: tuple[SensitivityRow, Estimate], primary: tuple[SensitivityRow, Estimate]) -> bool:
    row, other = item[0], primary[0]
    if (row.group, row.measure, row.k) != (other.group, other.measure, other.k):
        return False
    width = abs(primary[1].high - primary[1].low)
    pairs = zip(item[1], primary[1], strict=True)
    return all(math.isclose(a, b, abs_tol=1e-9 * width) for a, b in pairs)


def multiverse(found: Findings, rows: Sequence[MultiverseShare]) -> Account:
    """Return how many specifications there are, how many agree, and which choice explains most."""
    own = [row for row in rows if row.measure == found.row.measure]
    whole = next((row for row in own if row.choice == "all"), None)
    if whole is None or whole.lowest is None or whole.highest is None or whole.median is None:
        reason = whole.reason if whole else ""
        return not_done(reason or "no specification has two studies")
    scale = found.scale()
    text = (
        f"The registered choices combine to {whole.specifications:,} distinct specifications: "
        f"{share_words(whole.same_sign)} have the sign of the primary result, and the interval "
        f"excludes the null value in {share_words(whole.excludes_null)}; estimates range from "
        f"{scale.limits(whole.lowest, whole.highest)} (median {scale.value(whole.median)}); "
        f"{_explained(own)}."
    )
    every = next((r for r in rows if r.measure == "all" and r.choice == "all"), None)
    if every is not None and every.specifications != whole.specifications:
        text += (
            f" On all measures together, {every.specifications:,} specifications: "
            f"{share_words(every.same_sign)} with the same sign, and an interval that excludes the "
            f"null value in {share_words(every.excludes_null)}."
        )
    return Account(text)


def _explained(rows: Sequence[MultiverseShare]) -> str:
    shares = {
        row.choice: row.share
        for row in rows
        if row.share is not None and row.levels > 1 and row.choice in CHOICES
    }
    if not shares or max(shares.values()) <= 0:
        return "no choice makes a difference"
    most = max(shares, key=lambda choice: shares[choice])
    part = "most" if shares[most] > 50 else "the largest part"
    share = share_words(shares[most])
    return f"{CHOICES[most]} explains {part} of the variance between them ({share})"
