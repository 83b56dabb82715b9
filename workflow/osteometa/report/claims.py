"""The table of claims: each with its answers, one per part of the evidence."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from osteometa.directions.per_study import arms_alike
from osteometa.protocol.config import Config
from osteometa.records.claims import ClaimRow
from osteometa.records.directions import ReportedResult
from osteometa.records.groups import grouped
from osteometa.report.included_studies import sign
from osteometa.report.sentences import place_words
from osteometa.synthesis.claims import scale_of
from osteometa.wording.choices import studies_words
from osteometa.wording.measure_format import estimate_of
from osteometa.wording.numbers import unbroken
from osteometa.wording.syntheses import window_words
from osteometa.wording.vocabulary import Verdict


class Reply(NamedTuple):
    """What one part of the evidence says of a claim."""

    verdict: Verdict
    words: str
    """The verdict in words."""
    place: str
    """Site or analyte, and window; of all directions together `directions`."""
    evidence: str
    counts: str
    """Directions beside an estimate."""
    reported: str
    """What the studies report, sign by sign, where directions answer."""
    synthesis: str
    """Empty for directions."""


class AnsweredClaim(NamedTuple):
    """A claim with its answers."""

    claim: str
    source: str
    named_arms: bool
    """Whether it is about single studies."""
    replies: list[Reply]


def answered_claims(
    rows: Sequence[ClaimRow], reported: Iterable[ReportedResult], config: Config
) -> list[AnsweredClaim]:
    """Return the claims in the order of claims.csv."""
    by_outcome = grouped(reported, lambda result: result.outcome)
    claims: dict[str, AnsweredClaim] = {}
    for row in rows:
        new = AnsweredClaim(row.claim, row.source, bool(row.arms), [])
        reply = _reply(row, by_outcome.get(row.outcome, []), config)
        claims.setdefault(row.claim_id, new).replies.append(reply)
    return list(claims.values())


def _reply(row: ClaimRow, reported: Sequence[ReportedResult], config: Config) -> Reply:
    verdict = row.verdict.words
    if row.than is not None and row.verdict == Verdict.ONE_STUDY:
        verdict = "not settled (one study of a type)"
    nothing = row.verdict == Verdict.NO_EVIDENCE or row.than is not None
    signs = "" if nothing else _signs(row, reported)
    if row.verdict == Verdict.NO_EVIDENCE:
        return Reply(row.verdict, verdict, "", "no study reports it", "", "", "")
    if not row.synthesis:
        place = "" if nothing else "directions"
        return Reply(row.verdict, verdict, place, _counts(row), "", signs, "")
    kind = place_words(config.outcomes[row.outcome], row.analyte, row.site)
    place = ", ".join([kind, *window_words(row.window, config.windows)])
    estimate = unbroken(_estimate(row, config))
    return Reply(row.verdict, verdict, place, estimate, _counts(row), "", row.synthesis)


def _estimate(row: ClaimRow, config: Config) -> str:
    estimate, scale = estimate_of(row), scale_of(row, config)
    if estimate is None or scale is None:
        return ""
    measure = "" if scale.percent else f"{row.measure} "
    return f"{measure}{scale.in_text(estimate, '')}, {studies_words(row.k or 0)}"


def _counts(row: ClaimRow) -> str:
    counts = {
        "up": row.n_up, "down": row.n_down, "mixed": row.n_mixed, "no difference": row.n_zero,
        "unchanged": row.n_unchanged, "not known": row.n_not_told,
    }  # fmt: skip
    named = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    total = sum(n or 0 for n in counts.values())
    return f"of {studies_words(total)} {named}" if named else ""


def _signs(row: ClaimRow, reported: Sequence[ReportedResult]) -> str:
    """Return how many studies report what of the cell of a claim, before any rule."""
    by_study: dict[str, list[ReportedResult]] = {}
    for r in reported:
        named = not row.arms or f"{r.study_id}/{r.arm_id}" in row.arms
        of_type = row.exercise_type in (None, r.exercise_type) and r.role == "exercise"
        cell = (("analyte", r.analyte), ("site", r.site), ("window", r.window))
        here = all(getattr(row, name) in ("", value) for name, value in cell)
        if r.phase == row.phase and r.study_id in row.studies and named and of_type and here:
            by_study.setdefault(r.study_id, []).append(r)
    signs = Counter(
        sign(mark.direction, mark.basis) for own in by_study.values() for mark in arms_alike(own)
    )
    return ", ".join(f"{n} {one}" for one, n in signs.most_common())
