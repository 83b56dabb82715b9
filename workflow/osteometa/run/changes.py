"""What differs between two states of a review: settings, cells, effects, pools, claims, words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Fields = Mapping[str, str]
"""Texts by column, numbers as tables write them."""
Items = Mapping[str, Fields]
"""What is known of each thing, by its name."""
TOLERANCE = 1e-11
"""Relative: tables hold twelve digits."""
PARTS = {
    "settings": "Settings of config.yaml", "cells": "Rows of raw tables", "effects": "Effects",
    "pools": "Pooled results", "claims": "Answers to claims", "sentences": "Sentences",
}  # fmt: skip
SHOWN, INPUTS, PLACE = "_shown", "_inputs", "_place"
"""Fields that are not compared: how an item is shown, the rows it is made from, where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One state of a review, each part of it by name."""

    settings: Items = field(default_factory=dict)
    cells: Items = field(default_factory=dict)
    effects: Items = field(default_factory=dict)
    pools: Items = field(default_factory=dict)
    claims: Items = field(default_factory=dict)
    sentences: Items = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs."""

    part: str
    name: str
    kind: str
    """added, removed or changed."""
    place: str
    """File and row, for a row of a raw table."""
    fields: tuple[tuple[str, str, str], ...]
    """Each field that differs, before and after."""
    shown: tuple[str, str]
    """How it was and is shown to readers; empty where it has no such form."""
    because: tuple[str, ...]
    """Of an effect: the changed rows of raw tables that it is made from."""


def changes(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """Return everything that differs, from settings to sentences.

    Two numbers are the same if they agree to the digits that tables hold.
    """
    found: list[Change] = []
    rows: set[str] = set()
    for part in PARTS:
        own = list(_of_part(part, getattr(before, part), getattr(after, part), rows))
        rows |= {change.name for change in own if part == "cells"}
        found += own
    return tuple(found)


def _of_part(part: str, before: Items, after: Items, rows: set[str]) -> Iterable[Change]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        kind = "added" if old is None else "removed" if new is None else "changed"
        old, new = old or {}, new or {}
        names = [column for column in dict.fromkeys((*new, *old)) if not column.startswith("_")]
        pairs = [(column, old.get(column, ""), new.get(column, "")) for column in names]
        differing = tuple(pair for pair in pairs if not _same(*pair[1:]))
        if kind == "changed" and not differing:
            continue
        inputs = {*old.get(INPUTS, "").split(), *new.get(INPUTS, "").split()}
        yield Change(
            part=part, name=name, kind=kind, fields=differing,
            place=new.get(PLACE) or old.get(PLACE, ""),
            shown=(old.get(SHOWN, ""), new.get(SHOWN, "")), because=tuple(sorted(inputs & rows)),
        )  # fmt: skip


def _same(old: str, new: str) -> bool:
    if old == new:
        return True
    try:
        return math.isclose(float(old), float(new), rel_tol=TOLERANCE)
    except ValueError:
        return False


def counts(found: Sequence[Change]) -> dict[str, int]:
    """Return how many things of each part differ."""
    return {part: sum(change.part == part for change in found) for part in PARTS}


def words(change: Change, between: tuple[str, str] = (" ", " -> ")) -> str:
    """Return one change in a line; `between` stands before what was shown and what is."""
    name = f"{change.place}, {change.name}" if change.place else change.name
    old, new = change.shown
    if change.kind != "changed":
        more = new or old or "; ".join(
            f"{column} {after or before}" for column, before, after in change.fields
        )  # fmt: skip
        return f"{name}: {change.kind}{f': {more}' if more else ''}"
    if old != new:
        first, second = between
        return f"{name}:{first}{old or 'nothing'}{second}{new or 'nothing'}"
    fields = "; ".join(f"{c} {a or '(empty)'} -> {b or '(empty)'}" for c, a, b in change.fields)
    because = f" (from {', '.join(change.because)})" if change.because else ""
    return f"{name}: {fields}{because}"
