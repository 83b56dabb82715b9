"""The table of claims: each with its answers, one per part of the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from osteometa.protocol.config import Config
from osteometa.records.claims import ClaimRow
from osteometa.synthesis.claims import scale_of
from osteometa.wording.measure_format import estimate_of
from osteometa.wording.numbers import studies, unbroken
from osteometa.wording.syntheses import site_words, window_words
from osteometa.wording.vocabulary import DesignClass, Verdict


class Reply(NamedTuple):
    """What one part of the evidence says of a claim."""

    verdict: Verdict
    place: str
    """Site or analyte, and window; of all directions together `all directions`."""
    evidence: str
    synthesis: str
    """Empty for directions."""


class AnsweredClaim(NamedTuple):
    """A claim with its answers."""

    claim: str
    source: str
    named_arms: bool
    """Whether it is about single studies."""
    replies: list[Reply]


def answered_claims(rows: Sequence[ClaimRow], config: Config) -> list[AnsweredClaim]:
    """Return the claims in the order of claims.csv."""
    claims: dict[str, AnsweredClaim] = {}
    for row in rows:
        new = AnsweredClaim(row.claim, row.source, bool(row.arms), [])
        claims.setdefault(row.claim_id, new).replies.append(_reply(row, config))
    return list(claims.values())


def _reply(row: ClaimRow, config: Config) -> Reply:
    if not row.synthesis:
        place = "" if row.verdict == Verdict.NO_EVIDENCE or row.than else "directions"
    else:
        analyte = config.analyte(row.outcome, row.analyte)
        kind = site_words(row.site) or ("" if analyte is None else analyte.label)
        place = ", ".join([kind, *window_words(row.window, config.windows)])
    return Reply(row.verdict, place, unbroken(_evidence(row, config)), row.synthesis)


def _evidence(row: ClaimRow, config: Config) -> str:
    """Return the estimate, or the directions where there is none, in few words."""
    estimate, scale = estimate_of(row), scale_of(row, config)
    if estimate is not None and scale is not None:
        measure = "" if scale.percent else f"{row.measure} "
        return f"{measure}{scale.in_text(estimate, '')}, {studies(row.k or 0)}"
    counts = {
        "up": row.n_up, "down": row.n_down, "mixed": row.n_mixed, "no difference": row.n_zero,
        "unchanged": row.n_unchanged, "not told": row.n_not_told,
    }  # fmt: skip
    named = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    within = row.design_class == DesignClass.WITHIN_ARM and named
    return f"{named}, within one arm" if within else named
