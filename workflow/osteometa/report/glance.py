"""The first screen: what is known and unknown, by outcome, phase and type of exercise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from osteometa.protocol.config import Config
from osteometa.report.findings import Findings
from osteometa.report.sentences import DIRECTIONS, counts_of, room_words, what_words
from osteometa.wording.syntheses import window_words
from osteometa.wording.vocabulary import ExerciseType

COLUMNS = ("All types", *(kind.heading for kind in ExerciseType))
SIGNS = {"up": "▲", "down": "▼", "mixed": "◆", "zero": "=", "unknown": "?"}
UNITS = {"SMD": "standard deviations", "ROM": "ratio of means"}


def glance(findings: Sequence[Findings], config: Config) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the first table, grouped by phase and design class."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    for found in findings:
        row = {
            "id": found.row.synthesis,
            "what": ", ".join([found.row.outcome, what_words(found.synthesis)]),
            "when": ", ".join(window_words(found.synthesis.window, config.windows)),
            "unit": _unit(found),
            "cells": [_cell(found, group) for group in ("overall", *ExerciseType)],
        }
        rooms.setdefault(room_words(found.synthesis), []).append(row)
    return rooms


def _unit(found: Findings) -> str:
    if not found.pool:
        return ""
    scale = found.scale()
    return "%" if scale.percent else UNITS.get(scale.measure, scale.unit)


def _cell(found: Findings, group: str) -> dict[str, Any]:
    """Return size and directions of one type of exercise, and which of them is known."""
    overall = group == "overall"
    cast = [vote for vote in found.votes if overall or vote.exercise_type == group]
    k = sum(overall or effect.exercise_type == group for effect in found.pool)
    row, scale = found.shown(group), found.scale()
    size, _, limits = (
        ("", "", "")
        if row is None
        else scale.with_interval(row.estimate, row.ci_low, row.ci_high).partition(" (")
    )
    votes = [
        {"sign": SIGNS[name], "number": number, "words": DIRECTIONS[name]}
        for name, number in counts_of(cast).items()
    ]
    people = f"{k} {'study' if k == 1 else 'studies'}"
    return {
        "size": size,
        "limits": f"({limits}" if limits else "",
        "k": people if size else (f"{people}, no average" if k else ""),
        "votes": votes,
        "state": _state(size, k, votes),
    }


def _state(size: str, k: int, votes: Sequence[dict]) -> str:
    if k:
        return "pooled" if size and k > 1 else "single"
    known = any(vote["sign"] != "?" for vote in votes)
    return "direction" if known else "unknown" if votes else "nothing"


def counts(findings: Sequence[Findings]) -> dict[str, int]:
    """Return how many planned analyses know how much."""
    states = [
        # Effects that are all outside the pool are shown, but none is the size of the analysis.
        "direction_only" if found.row.status == "listed" and not found.pool else found.row.status
        for found in findings
    ]
    return {name: states.count(name) for name in ("pooled", "listed", "direction_only", "empty")}
