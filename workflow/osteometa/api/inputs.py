"""How effects reach the public functions: arrays, lists, series, or a data frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osteometa.io.cell_text import decimal_mark, is_missing, plain_number
from osteometa.numerics.arrays import Array
from osteometa.pooling.design import Moderators
from osteometa.pooling.model import checked

if TYPE_CHECKING:
    import pandas as pd


def numbers_of(values: Any) -> Array:
    """Return numbers as an array, texts read as in the tables, missing as NaN; else NumberError."""
    cells = np.asarray(values)
    if cells.dtype.kind not in "OUST":
        return cells.astype(float)
    texts = ["" if cell is None or cell != cell else str(cell) for cell in cells.ravel().tolist()]
    mark = decimal_mark(texts)
    found = [math.nan if is_missing(text) else float(plain_number(text, mark)) for text in texts]
    return np.array(found).reshape(cells.shape)


LABEL_COLUMNS = ("label", "study", "study_id")
"""Columns of a data frame that name its effects, the first that there is."""


def effects_of(
    yi: Any, vi: Any, V: Array | None = None
) -> tuple[tuple[float, ...], tuple[float, ...], pd.DataFrame | None]:
    """Return effects, variances, and the data frame that they come from, if they do.

    A ValueError names the parameter, what was found, and what is allowed.
    """
    frame = yi if vi is None and hasattr(yi, "columns") else None
    if frame is not None:
        missing = [name for name in ("yi", "vi") if name not in frame.columns]
        if missing:
            raise ValueError(
                f"yi: a data frame needs the columns yi and vi; {', '.join(missing)} is missing "
                f"(found {', '.join(map(str, frame.columns))})"
            )
        yi, vi = frame["yi"], frame["vi"]
    elif vi is None and V is not None:
        vi = np.diagonal(numbers_of(V))
    elif vi is None:
        raise ValueError("vi must hold a sampling variance for each effect (found None)")
    y, v = checked(numbers_of(yi), numbers_of(vi))
    if len(y) == 0:
        raise ValueError("yi must hold at least one effect (found none)")
    return tuple(y.tolist()), tuple(v.tolist()), frame


def labels_of(labels: Sequence[str] | None, frame: pd.DataFrame | None, k: int) -> tuple[str, ...]:
    """Return a name for each effect: as given, from the data frame, or its number."""
    if labels is None and frame is not None:
        column = next((name for name in LABEL_COLUMNS if name in frame.columns), None)
        labels = None if column is None else [str(label) for label in frame[column]]
    if labels is None:
        return tuple(f"study {number}" for number in range(1, k + 1))
    if len(labels) != k:
        raise ValueError(f"labels must name each of the {k} effects (found {len(labels)} names)")
    return tuple(map(str, labels))


def moderators_of(mods: Any, frame: pd.DataFrame | None, k: int) -> tuple[Moderators, Array]:
    """Return the values of each moderator by its name, and where all of them are known (k).

    ValueError for a column that the data frame has not, and for another number of values than
    effects.
    """
    known = np.ones(k, dtype=bool)
    values: dict[str, Any] = {}
    for name, column in _columns(mods, frame).items():
        cells = np.asarray(column)
        if cells.shape != (k,):
            raise ValueError(
                f"mods: '{name}' must have one value for each of the {k} effects "
                f"(found shape {cells.shape})"
            )
        factor = cells.dtype.kind not in "biuf"
        values[name] = cells if factor else cells.astype(float)
        known &= np.array([_is_known(cell) for cell in cells])
    return {name: _values(cells[known]) for name, cells in values.items()}, known


def _columns(mods: Any, frame: pd.DataFrame | None) -> dict[str, Any]:
    if isinstance(mods, str):
        mods = [mods]
    if isinstance(mods, Mapping):
        return {str(name): values for name, values in mods.items()}
    if hasattr(mods, "columns"):
        return {str(name): mods[name] for name in mods.columns}
    if frame is not None and not isinstance(mods, np.ndarray) and not hasattr(mods, "name"):
        unknown = [name for name in mods if name not in frame.columns]
        if unknown:
            raise ValueError(
                f"mods: no column {', '.join(map(repr, unknown))} in the data frame "
                f"(found {', '.join(map(str, frame.columns))})"
            )
        return {str(name): frame[name] for name in mods}
    name = getattr(mods, "name", None)
    table = np.asarray(mods)
    if table.ndim == 1:
        return {str(name or "x1"): table}
    if table.ndim != 2:
        raise ValueError(f"mods must have one or two dimensions (found {table.ndim})")
    return {f"x{number}": column for number, column in enumerate(table.T, start=1)}


def _is_known(cell: Any) -> bool:
    # NaN is not itself.
    return cell is not None and cell == cell and not (isinstance(cell, str) and is_missing(cell))


def _values(cells: np.ndarray) -> list[Any]:
    if cells.dtype.kind in "biuf":
        return cells.astype(float).tolist()
    return list(map(str if any(isinstance(cell, str) for cell in cells) else float, cells))
