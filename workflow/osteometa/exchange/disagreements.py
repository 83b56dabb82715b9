"""Where the tables of two reviewers differ, and what each difference does to the pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from osteometa.derivation.primary_pools import Move, PrimaryPool, moves, primary_only, primary_pools
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import ROWS, Tables
from osteometa.io.problems import counted
from osteometa.protocol.config import Config
from osteometa.records.groups import grouped

Key = tuple[str, ...]
"""Cells of a row's key, and how many rows before it have the same."""
Rows = dict[Key, Row]
NOT_POOLED = ("prisma", "grade", "published_pools", "claims", "accepted_warnings")
"""Tables from which no effect is derived."""
UNKNOWN = "unknown: with this difference alone the tables cannot be computed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A cell in which two sets of tables differ, or a row that only one of them has."""

    table: str
    row_key: str
    column: str
    """Empty for a whole row."""
    a: str
    b: str
    only_in: str = ""
    """A or B, where only one has the row."""
    rows: tuple[Row, ...] = ()
    """What only one has: the row, and for a study or arm all rows that belong to it."""
    changed: tuple[Row, Row] | None = None
    """The rows of A and B, where a cell differs."""
    moves: tuple[Move, ...] = ()
    """What the cell or rows of B do to the estimates of A."""
    unknown: str = ""
    """Why that cannot be computed."""

    @property
    def weight(self) -> tuple[int, float]:
        """Effects that enter or leave pools, then the largest shift; what is unknown first."""
        shift = max((move.weight[1] for move in self.moves), default=0.0)
        return sum(move.weight[0] for move in self.moves), float("inf") if self.unknown else shift

    @property
    def consequence(self) -> str:
        """The moves in words; empty where no estimate moves."""
        return self.unknown or "; ".join(map(_move_words, self.moves))


def _move_words(move: Move) -> str:
    numbers = ((move.enter, "enter"), (move.leave, "leave"))
    comes = [f"{counted(n, 'effect')} {verb}{'' if n > 1 else 's'}" for n, verb in numbers if n]
    comes += [f"the estimate moves by {move.shift:+.2g} of its interval's width"] * bool(move.shift)
    return f"{move.synthesis}: {', '.join(comes) or 'weights and interval change'}"


def keyed(model: type[Row], tables: Tables) -> Rows:
    """Return the rows of a table by their keys."""
    rows: Rows = {}
    seen: Counter[Key] = Counter()
    for row in getattr(tables, model.table):
        key = tuple(row.text_of(name) for name in model.key)
        rows[(*key, str(seen[key]))] = row
        seen[key] += 1
    return rows


def key_words(key: Key) -> str:
    """Return a key as text; of rows with the same, the second one ends in #2."""
    return "/".join(key[:-1]) + (f" #{int(key[-1]) + 1}" if key[-1] != "0" else "")


def disagreements(a: Tables, b: Tables) -> Iterator[Disagreement]:
    """Yield where two sets of tables differ, without consequences, in the order of the tables.

    A study that only one has stands for all its rows, and an arm likewise. Numbers are compared by
    their values: 0.10 is 0.1.
    """
    apart: set[Key] = set()
    """Studies and arms that only one has."""
    for model in ROWS:
        left, right = keyed(model, a), keyed(model, b)
        for key in [key for key in left if key in right]:
            yield from _cells(model, key, left[key], right[key])
        for side, own, other, tables in (("A", left, right, a), ("B", right, left, b)):
            for key in [key for key in own if key not in other]:
                if {key[:1], key[:2]} & apart and model.key[0] == "study_id":
                    continue
                rows = (own[key],)
                if model.table in ("studies", "arms"):
                    apart.add(key[:-1])
                    rows = tuple(_belonging(key[:-1], tables))
                yield Disagreement(
                    table=model.table, row_key=key_words(key), column="", only_in=side, rows=rows,
                    a=_has(side == "A", len(rows)), b=_has(side == "B", len(rows)),
                )  # fmt: skip


def _has(there: bool, number: int) -> str:
    return "no such row" if not there else "the row" if number == 1 else f"{number} rows"


def _cells(model: type[Row], key: Key, a: Row, b: Row) -> Iterator[Disagreement]:
    for column in model.columns():
        if getattr(a, column) != getattr(b, column):
            yield Disagreement(
                table=model.table, row_key=key_words(key), column=column, changed=(a, b),
                a=a.text_of(column), b=b.text_of(column),
            )  # fmt: skip


def _belonging(key: Key, tables: Tables) -> Iterator[Row]:
    """Yield the rows of a study, or of an arm of it, in all tables."""
    names = ("study_id", "arm_id")[: len(key)]
    for model in ROWS:
        if set(names) <= set(model.columns()):
            for row in getattr(tables, model.table):
                if all(getattr(row, name) == cell for name, cell in zip(names, key, strict=True)):
                    yield row


def likely_same(found: Iterable[Disagreement]) -> tuple[tuple[Disagreement, Disagreement], ...]:
    """Return pairs of rows, one in A only and one in B only, that differ in one name alone.

    Studies and arms are also paired by the same label, studies by the same DOI or PubMed number.
    """
    single = [item for item in found if item.only_in and item.rows]
    return tuple(
        (one, other)
        for one in single if one.only_in == "A"
        for other in single if other.only_in == "B" and other.table == one.table
        and _same(one.rows[0], other.rows[0])
    )  # fmt: skip


def _same(a: Row, b: Row) -> bool:
    keys = [name for name in a.key if getattr(a, name) != getattr(b, name)]
    rest = [name for name in a.columns() if name not in a.key]
    filled = [name for name in rest if getattr(a, name) not in (None, "")]
    if len(keys) == 1 and filled and all(getattr(a, n) == getattr(b, n) for n in rest):
        return True
    if a.table not in ("studies", "arms") or len(keys) > 1:
        return False
    texts = ((getattr(row, name, "") for row in (a, b)) for name in ("label", "doi", "pmid"))
    return any(one and one.casefold() == other.casefold() for one, other in texts)


def with_consequences(
    found: Iterable[Disagreement], a: Tables, config: Config,
    show: Callable[[int], None] = lambda number: None,
) -> list[Disagreement]:  # fmt: skip
    """Return disagreements with what each alone does to the pools of A, the weightiest first.

    Each cell of B is put into A alone, each row that only one has is added or taken out, and the
    primary estimates of the outcomes concerned are derived and pooled again. `show` is called with
    the number of those that are done.
    """
    config = primary_only(config)
    before = primary_pools(a, config, {}, config.outcomes)
    items = []
    for number, item in enumerate(found, start=1):
        items.append(item if item.table in NOT_POOLED else _weighed(item, a, config, before))
        show(number)
    return sorted(items, key=lambda item: item.weight, reverse=True)


def _weighed(
    item: Disagreement, a: Tables, config: Config, before: dict[str, PrimaryPool]
) -> Disagreement:
    changed = with_b(item, a)
    outcomes = _outcomes(item, a, config) | _outcomes(item, changed, config)
    try:
        after = primary_pools(changed, config, before, outcomes)
    except (ArithmeticError, LookupError, ValueError):
        return replace(item, unknown=UNKNOWN)
    return replace(item, moves=moves(before, after, config, outcomes))


def with_b(item: Disagreement, a: Tables) -> Tables:
    """Return the tables of A with what B has in one place."""
    if item.changed is not None:
        old, new = item.changed
        row = old.model_copy(update={item.column: getattr(new, item.column)})
        rows = tuple(row if own.row == old.row else own for own in getattr(a, item.table))
        return replace(a, **{item.table: rows})
    changed = {}
    for table, own in grouped(item.rows, lambda row: row.table).items():
        known = {row.row for row in own}
        kept = tuple(row for row in getattr(a, table) if row.row not in known)
        changed[table] = kept if item.only_in == "A" else (*getattr(a, table), *own)
    return replace(a, **changed)


def _outcomes(item: Disagreement, tables: Tables, config: Config) -> set[str]:
    """Return the main outcomes that a difference may concern."""
    row = item.changed[0] if item.changed else item.rows[0]
    study = getattr(row, "study_id", None)
    known = {row.outcome for row in tables.findings if study in (None, row.study_id)}
    return {name for name in config.outcomes if name in known}
