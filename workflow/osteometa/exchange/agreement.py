"""How far two reviewers agree: by column, and as a sentence for the methods paragraph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from osteometa.exchange.choices import choice_of
from osteometa.exchange.disagreements import Disagreement, keyed
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import ROWS, Tables
from osteometa.io.problems import counted
from osteometa.protocol.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnAgreement:
    """Agreement in one column, over the rows that both sets of tables have."""

    table: str
    column: str
    kind: Literal["number", "category", "text"]
    rows: int
    cells: int
    """Cells that one reviewer or both filled in."""
    identical: int
    """Of these."""
    kappa: float | None
    """Of categories, over all rows; an empty cell is a category. None where it is not defined."""
    relative_difference: float | None
    """Of numbers that differ: median of the differences, relative to the mean of the two."""


def agreement(a: Tables, b: Tables, config: Config) -> tuple[ColumnAgreement, ...]:
    """Return the agreement of each column that names no row and that one of two filled in."""
    return tuple(
        column
        for model in ROWS
        for column in _columns(model, keyed(model, a), keyed(model, b), config)
        if column.cells
    )


def _columns(
    model: type[Row], a: dict[tuple[str, ...], Row], b: dict[tuple[str, ...], Row], config: Config
) -> Iterator[ColumnAgreement]:
    shared = [(a[key], b[key]) for key in a if key in b]
    for name in model.columns():
        if name in model.key:
            continue
        pairs = [(getattr(one, name), getattr(other, name)) for one, other in shared]
        filled = [pair for pair in pairs if any(cell not in (None, "") for cell in pair)]
        number = model.is_number(name)
        category = not number and choice_of(model, name, config) is not None
        both = [(x, y) for x, y in filled if number and None not in (x, y) and x != y]
        relative = [abs(x - y) / ((abs(x) + abs(y)) / 2) for x, y in both]
        yield ColumnAgreement(
            table=model.table, column=name, rows=len(pairs), cells=len(filled),
            kind="number" if number else "category" if category else "text",
            identical=sum(x == y for x, y in filled),
            kappa=cohens_kappa(pairs) if category else None,
            relative_difference=median(relative) if relative else None,
        )  # fmt: skip


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa of two raters, without weights (Cohen 1960).

    (p_o - p_e) / (1 - p_e) with the observed agreement p_o and the one expected of the margins p_e;
    `pairs` are the categories that the two gave to each subject. None if there are no pairs, or
    both gave one category throughout. Educational and Psychological Measurement 20: 37-46.
    """
    number = len(pairs)
    first, second = Counter(x for x, _ in pairs), Counter(y for _, y in pairs)
    by_chance = sum(first[category] * second[category] for category in first)
    if by_chance == number * number:
        return None
    agreed = sum(x == y for x, y in pairs)
    return (agreed * number - by_chance) / (number * number - by_chance)


def agreement_text(columns: Iterable[ColumnAgreement]) -> str:
    """Return the agreement by column as lines for reviewers."""
    lines = [f"  {'column':<34}{'cells':>7}{'same':>7}{'%':>7}{'kappa':>7}  relative difference"]
    for one in columns:
        kappa = "" if one.kappa is None else f"{one.kappa:.2f}"
        relative = "" if one.relative_difference is None else f"{one.relative_difference:.2g}"
        name = f"{one.table}: {one.column}"
        share = 100 * one.identical / one.cells
        line = f"  {name:<34}{one.cells:>7}{one.identical:>7}{share:>7.1f}{kappa:>7}  {relative}"
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def methods_sentence(columns: Iterable[ColumnAgreement], found: Iterable[Disagreement]) -> str:
    """Return the agreement in numbers and categories as one sentence; free text is left out."""
    counted_columns = [one for one in columns if one.kind != "text"]
    cells = sum(one.cells for one in counted_columns)
    if not cells:
        return "The two sets of tables have no row in common."
    same = sum(one.identical for one in counted_columns)
    kappas = [one.kappa for one in counted_columns if one.kappa is not None]
    words = f", median Cohen's kappa of {counted(len(kappas), 'categorical column')} "
    words = words + f"{median(kappas):.2f}" if kappas else ""
    alone = [len(item.rows) for item in found if item.only_in]
    single = f"; {counted(sum(alone), 'row')} {'was' if sum(alone) == 1 else 'were'} in the tables "
    return (
        f"Two reviewers extracted the data and agreed on {same} of {cells} cells "
        f"({100 * same / cells:.1f} %{words}) of the rows that both had"
        f"{single + 'of one reviewer only' if alone else ''}."
    )
