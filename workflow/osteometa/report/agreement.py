"""Agreement with independent implementations as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from osteometa.records.pools import AgreementRow


class Agreement(NamedTuple):
    """How many results of one model and library agree."""

    library: str
    method: str
    ci_method: str
    agrees: int
    differs: int
    not_comparable: int
    largest: float
    causes: list[str]


def agreement_rows(rows: Sequence[AgreementRow]) -> list[Agreement]:
    """Return the counts of each library and model."""
    groups: dict[tuple[str, str, str], list[AgreementRow]] = {}
    for row in rows:
        groups.setdefault((row.library, row.method, row.ci_method), []).append(row)
    return [_counts(groups[key]) for key in sorted(groups)]


def _counts(rows: Sequence[AgreementRow]) -> Agreement:
    verdicts = Counter(row.verdict for row in rows)
    causes = Counter(row.cause for row in rows if row.cause)
    return Agreement(
        library=rows[0].library,
        method=rows[0].method,
        ci_method=rows[0].ci_method,
        agrees=verdicts["agrees"],
        differs=verdicts["differs"],
        not_comparable=verdicts["not_comparable"],
        largest=max(abs(row.difference or 0) for row in rows),
        causes=[f"{cause} ({number})" for cause, number in sorted(causes.items())],
    )
