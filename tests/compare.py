"""One number of ours beside metafor's: what every comparison with the oracle yields."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
METAFOR = json.loads((HERE / "oracle" / "metafor.json").read_text())
ORACLE = METAFOR["datasets"]
SHARED = json.loads((HERE / "oracle" / "covariance.json").read_text())
# Differences between each two groups (contrasts.R).
CONTRASTS = json.loads((HERE / "oracle" / "contrasts.json").read_text())
# What metafor.json holds only with metafor's loose defaults, run tight (explore.R), and more.
TIGHT = json.loads((HERE / "oracle" / "explore.json").read_text())
POOLED = [name for name, data in ORACLE.items() if data["k"] > 1]
CI = {"z": "wald", "knha": "hksj", "adhoc": "hksj-floor"}
ITERATED = {"REML", "ML", "PM", "EB"}
CLOSED_LIMIT, ITERATED_LIMIT = 1e-8, 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One number of ours beside metafor's."""

    part: str
    quantity: str
    method: str
    data: str
    ours: float | None
    theirs: float
    scale: float
    limit: float

    @property
    def difference(self) -> float:
        """Relative to metafor's number, or to a thousandth of its scale if that is larger."""
        if self.ours is None or math.isnan(self.ours):
            return math.inf
        if self.ours == self.theirs:
            return 0.0
        return abs(self.ours - self.theirs) / max(abs(self.theirs), self.scale / 1000)

    @property
    def agrees(self) -> bool:
        return self.difference <= self.limit


def limit_of(method: str) -> float:
    return ITERATED_LIMIT if method in ITERATED else CLOSED_LIMIT


def compared(
    part: str, method: str, data: str, rows: Sequence[tuple[str, float | None, object, float]],
    limit: float | None = None,
) -> Iterator[Comparison]:  # fmt: skip
    """Yield a comparison for each (quantity, ours, theirs, scale); what metafor lacks is none."""
    for quantity, ours, theirs, scale in rows:
        if theirs is not None:
            yield Comparison(
                part=part, quantity=quantity, method=method, data=data,
                ours=None if ours is None else float(ours), theirs=float(theirs), scale=scale,
                limit=limit or limit_of(method),
            )  # fmt: skip


def width_of(data: dict, low: float | None, high: float | None) -> float:
    """The width of an interval; where it has none, that of the effects."""
    if None not in (low, high) and high > low:
        return high - low
    return float(np.max(np.abs(data["yi"]))) or 1.0


def arrays(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return effects and variances of a set."""
    return np.array(ORACLE[name]["yi"], dtype=float), np.array(ORACLE[name]["vi"], dtype=float)
