"""Counts of the PRISMA flow from the screening exports of Rayyan, ASReview and Covidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from osteometa.exchange.differences import Cells
from osteometa.exchange.foreign import read_foreign
from osteometa.exchange.references import ris_records
from osteometa.extraction.judgements import Prisma
from osteometa.io.sheet import Sheet, SheetError

Stage = Literal["titles", "reports"]
Decided = Literal["included", "excluded", "unseen", "open"]
BOXES: dict[Stage, tuple[str, str]] = {
    "titles": ("screened", "excluded"), "reports": ("assessed", "excluded_reports"),
}  # fmt: skip
"""Boxes of all records of a stage, and of those that are excluded."""
LABELS = ("asreview_label", "included", "label_included")
"""Columns of ASReview's exports, from the newest version on: 1, 0, or none yet (empty, -1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """What was decided on one record."""

    title: str
    decision: Decided
    """open: undecided, maybe, or the reviewers disagree; unseen: ASReview was stopped before."""
    reason: str = ""
    listed: bool = False
    """Whether the file lists excluded reports alone (Covidence)."""


def read_screening(path: Path, encoding: str | None, separator: str | None) -> list[Screened]:
    """Return the decisions of an export (CSV, Excel or RIS).

    SheetError if the file cannot be read, or holds no decisions in a known form.
    """
    if path.suffix.lower() == ".ris":
        try:
            records = ris_records(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError):
            raise SheetError("The file cannot be opened as UTF-8.") from None
        rows = [
            {"title": str(item.get("title") or item.get("primary_title", "")),
             "notes": " | ".join(item.get("notes", ()))}
            for item in records
        ]  # fmt: skip
    else:
        table = read_foreign(path, encoding, separator)
        heads = [head.casefold() for head in table.header]
        rows = [dict(zip(heads, line, strict=False)) for _, line in table.rows]
    label = next((name for name in LABELS if rows and name in rows[0]), "")
    found = [_screened(cells, label) for cells in rows]
    if all(one.decision == "open" for one in found):
        raise SheetError(
            "No decision was found: RAYYAN-INCLUSION in notes, asreview_label or included, or "
            "'Exclusion reason:' in Notes."
        )
    return found


def _screened(cells: Cells, label: str) -> Screened:
    title, notes = cells.get("title", ""), cells.get("notes", "")
    reason = ""
    decision: Decided = "open"
    if "RAYYAN-INCLUSION" in notes:
        decisions = re.search(r"RAYYAN-INCLUSION:\s*\{(.*?)\}", notes)
        words = set(re.findall(r'=>\s*"(\w+)"', decisions[1] if decisions else ""))
        excluded = re.search(r"RAYYAN-EXCLUSION-REASONS:\s*([^|]*)", notes)
        reason = ", ".join(excluded[1].strip().split(",")) if excluded else ""
        decision = RAYYAN.get(words.pop(), "open") if len(words) == 1 else "open"
    elif label:
        decision = ASREVIEW.get(cells[label].removesuffix(".0"), "open")
    elif found := re.search(r"ASReview_(relevant|irrelevant|not_seen)\b", notes):
        decision = ASREVIEW[found[1]]
    elif found := re.search(r"Exclusion reason:\s*([^;|]*)", notes):
        return Screened(title=title, decision="excluded", reason=found[1].strip(), listed=True)
    return Screened(title=title, decision=decision, reason=reason if decision == "excluded" else "")


RAYYAN: dict[str, Literal["included", "excluded"]] = {
    "Included": "included", "Excluded": "excluded",
}  # fmt: skip
ASREVIEW: dict[str, Literal["included", "excluded", "unseen"]] = {
    "1": "included", "0": "excluded", "": "unseen", "-1": "unseen",
    "relevant": "included", "irrelevant": "excluded", "not_seen": "unseen",
}  # fmt: skip


def counts(found: Iterable[Screened], stage: Stage) -> list[Cells]:
    """Return rows of prisma.csv: the records of a stage, those excluded, and their reasons.

    Records that ASReview never showed are removed by automation tools, as PRISMA 2020 calls them. A
    list of excluded reports alone gives no number of all. Several reasons of one record are one.
    Titles and abstracts have no reasons in the flow. SheetError names records that are undecided.
    """
    found = list(found)
    undecided = [one.title for one in found if one.decision == "open"]
    if undecided:
        more = f" and {len(undecided) - 5} more" if len(undecided) > 5 else ""
        raise SheetError(
            f"{len(undecided)} of {len(found)} records are undecided or in conflict: "
            f"{'; '.join(undecided[:5])}{more}. Resolve them, then export again."
        )
    number = Counter(one.decision for one in found)
    every, excluded = BOXES[stage]
    rows = []
    if number["unseen"] and stage == "reports":
        raise SheetError(f"{number['unseen']} reports have no decision. Decide, then export.")
    if number["unseen"]:
        rows.append({"box": "removed_automation", "n": str(number["unseen"])})
    if not any(one.listed for one in found):
        rows.append({"box": every, "n": str(number["included"] + number["excluded"])})
    rows.append({"box": excluded, "n": str(number["excluded"])})
    reasons = Counter(one.reason for one in found if one.reason and stage == "reports")
    counted = reasons.most_common()
    return rows + [{"box": excluded, "reason": reason, "n": str(n)} for reason, n in counted]


def with_counts(prisma: Sheet, rows: list[Cells]) -> Sheet:
    """Return prisma.csv with rows in place of those of the same boxes."""
    boxes = {row["box"] for row in rows}
    header = tuple(dict.fromkeys((*prisma.header, *Prisma.columns())))
    place = header.index("box")
    kept = [(n, (*line, *[""] * (len(header) - len(line)))) for n, line in prisma.rows
            if line[place] not in boxes]  # fmt: skip
    last = max((number for number, _ in prisma.rows), default=1)
    lines = [tuple(row.get(name, "") for name in header) for row in rows]
    return Sheet(header, (*kept, *enumerate(lines, start=last + 1)))
