"""Other choices in words: one at a time, and all combined."""

from __future__ import annotations

import math
from collections.abc import Sequence

from osteometa.records.pools import PooledRow
from osteometa.records.sensitivity import MultiverseShare, SensitivityRow
from osteometa.report.findings import Findings
from osteometa.wording.numbers import counted, joined, number_words
from osteometa.wording.vocabulary import ExerciseType

Told = tuple[str, list[tuple[str, str]]]
"""Words, and what does not apply with the reason; an empty name stands for the whole table."""
ONE_OUT = "leave one out"
CHOICES = {
    "r": "the assumed before-after correlation",
    "rho": "the correlation assumed between effects of the same people",
    "baseline_mean": "the assumed baseline mean",
    "training_time": "the time of training that is taken",
    "shared_control": "how a control in common is counted",
    "smd_variance": "the form of the variance of SMD",
    "smd_post": "the SD of levels after",
    "smd_pre_post": "the SD by which changes are standardised",
    "rom_correction": "the small-sample correction of log ratios",
    "inclusion": "which effects are excluded",
    "designs": "whether trials without randomisation come in",
    "inconsistent_data": "how inconsistently reported data are resolved",
    "tau2": "the estimator of τ²",
    "ci": "the kind of interval",
}


def share_words(percent: float | None) -> str:
    """Return a share that is called all or none only where it is."""
    if percent is None:
        return "an unknown share"
    if percent in (0, 100):
        return "all" if percent else "none"
    if percent > 99:
        return "more than 99 %"
    return "less than 1 %" if percent < 1 else f"{percent:.0f} %"


def side_words(main: PooledRow) -> str:
    """Return where the interval of the primary result lies."""
    if main.ci_low <= 0 <= main.ci_high:
        return "reaches across"
    return "lies clear of"


def other_side(main: PooledRow) -> str:
    """Return where the interval lies once it has moved across the null."""
    across = side_words(main) == "reaches across"
    return "lies clear of" if across else "reaches across"


def sensitivity(found: Findings, rows: Sequence[SensitivityRow]) -> Told:
    """Return which choices change the sign, and which move the interval across the null.

    Rows that repeat the primary result and the study that moves it most (which stands among those
    left out) are no other choices.
    """
    primary = next((r for r in rows if r.row == "primary" and r.status == "ok"), None)
    main = found.model()
    if primary is None or main is None:
        return "", [("", "there is no primary pool")]
    tried = [r for r in rows if r.status == "ok" and r.row not in ("primary", ONE_OUT)
             and not _same(r, primary)]  # fmt: skip
    whole = [r for r in tried if r.group == "overall"]
    gone = [r for r in rows if r.status == "not_estimable" and r.group == "overall"]
    parts = [_whole(found, main, primary, whole)] if whole else []
    parts += _types(found, [r for r in tried if r.group != "overall"])
    if gone:
        parts.append(f"No study would be left {joined([_change(r) for r in gone])}.")
    none = [] if parts else [("", "no other choice changes this pool")]
    return " ".join(parts), none


def _whole(
    found: Findings, main: PooledRow, primary: SensitivityRow, rows: Sequence[SensitivityRow]
) -> str:
    scale, one = found.scale(), main.k == 1
    turned = [_named(r, main.k, main.measure) for r in rows if r.sign_changed]
    crossed = [_named(r, main.k, main.measure) for r in rows if r.null_crossed]
    what = "estimate" if one else "average"
    sign = f"{_number(len(turned))} the sign of the {what}" + _list(turned)
    now, then = side_words(main), other_side(main)
    moved = (
        f"with {counted(len(crossed), 'choice')} the interval, which {now} no difference, {then} "
        f"it{_list(crossed)}"
        if crossed
        else f"the interval always {now} no difference"
    )
    like = [r.estimate for r in rows if r.measure == primary.measure]
    spread = ""
    if like:
        limits = scale.limits(min(like), max(like))
        spread = f"; the {what}s run from {limits} (primary {scale.number(primary.estimate)}" + (
            " %)" if scale.percent else ")"
        )
    tried = (
        "The one other choice that applies was tried:"
        if len(rows) == 1
        else f"Of {counted(len(rows), 'other choice')}, tried one at a time,"
    )
    return f"{tried} {sign}; {moved}{spread}."


def _number(number: int) -> str:
    if number == 0:
        return "none changes"
    return f"{number_words(number)} change{'s' if number == 1 else ''}"


def _list(names: Sequence[str]) -> str:
    return f" ({'; '.join(names)})" if names else ""


def _types(found: Findings, rows: Sequence[SensitivityRow]) -> list[str]:
    """Return what choices do to single types of exercise, by type."""
    if not rows:
        return []
    parts = []
    for kind in ExerciseType:
        own = [r for r in rows if r.group == kind and (r.sign_changed or r.null_crossed)]
        names = [
            _named(r, -1, found.row.measure) + (", sign too" if r.sign_changed else "") for r in own
        ]
        if names:
            parts.append(f"{kind.words}: {'; '.join(names)}")
    if not parts:
        number = counted(len(rows), "look")
        return [
            f"Of {number} at single types of exercise none changes a sign or moves an interval "
            "onto or off no difference."
        ]
    return [
        "For single types of exercise, these change the sign or move the interval onto or off no "
        "difference: "
        f"{'. '.join(p[0].upper() + p[1:] for p in parts)}."
    ]


def _named(row: SensitivityRow, k: int, measure: str) -> str:
    """Return a change with what else differs: the measure of a disputed print, the studies left."""
    named = _change(row)
    if row.measure != measure and not row.row.startswith("measure="):
        named += f", as {row.measure}"
    return named + ("" if row.k == k else f", {counted(row.k, 'study', 'studies')}")


def _change(row: SensitivityRow) -> str:
    return row.change.partition(": ")[0]


def _same(row: SensitivityRow, primary: SensitivityRow) -> bool:
    if (row.group, row.measure, row.k) != (primary.group, primary.measure, primary.k):
        return False
    width = abs(primary.ci_high - primary.ci_low)
    return all(
        math.isclose(getattr(row, name), getattr(primary, name), abs_tol=1e-9 * width)
        for name in ("estimate", "ci_low", "ci_high")
    )


def multiverse(found: Findings, rows: Sequence[MultiverseShare]) -> Told:
    """Return how many specifications there are, how many agree, and which choice explains most."""
    own = [row for row in rows if row.measure == found.row.measure]
    all_of = next((row for row in own if row.choice == "all"), None)
    if all_of is None or all_of.status != "ok":
        reason = all_of.reason if all_of else "no specification has two studies"
        return "", [("", reason)]
    scale = found.scale()
    spread = scale.limits(all_of.lowest, all_of.highest)
    text = (
        f"Combining the registered choices gives {all_of.specifications:,} different "
        f"specifications: {share_words(all_of.same_sign)} of them have the sign of the primary "
        f"result, {share_words(all_of.excludes_null)} an interval clear of no difference; the "
        f"estimates run from {spread} (median {scale.number(all_of.median)}"
        f"{' %' if scale.percent else ''})"
    )
    every = next((r for r in rows if r.measure == "all" and r.choice == "all"), None)
    beside = (
        ""
        if every is None or every.specifications == all_of.specifications
        else f" On all measures together there are {every.specifications:,}, "
        f"{share_words(every.same_sign)} with the same sign and {share_words(every.excludes_null)} "
        "with an interval clear of no difference."
    )
    return f"{text}; {_explained(own)}.{beside}", []


def _explained(rows: Sequence[MultiverseShare]) -> str:
    shares = {row.choice: row.share for row in rows if row.share is not None and row.levels > 1}
    single = {choice: share for choice, share in shares.items() if choice in CHOICES}
    if not single or max(single.values()) <= 0:
        return "no choice makes a difference to them"
    most = max(single, key=lambda choice: single[choice])
    part = "most" if single[most] > 50 else "the largest part"
    share = share_words(single[most])
    return f"{CHOICES[most]} explains {part} of their spread ({share} of the variance)"
