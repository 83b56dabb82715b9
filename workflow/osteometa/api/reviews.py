"""A review on disk as data frames: the effects derived from it, and the problems of its tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteometa.io.csv_records import columns_of, text_of

if TYPE_CHECKING:
    import pandas as pd


def derive(folder: str | Path) -> pd.DataFrame:
    """Derive the effects of a review: one row per comparison and measure, as in `effects.csv`.

    Parameters
    ----------
    folder : path
        The review's folder, with `config.yaml` and `data/raw/`.

    Returns
    -------
    pandas.DataFrame
        With the columns `yi`, `vi`, `measure`, `study_id`, `label`, `pooled` and all others of
        `effects.csv`; those with `pooled` can be given to `osteometa.pool`.

    Raises
    ------
    ValueError
        If the tables have errors, with the message of each.

    Examples
    --------
    >>> import osteometa
    >>> effects = osteometa.derive("tests/reviews/small")
    >>> bool((effects["vi"] > 0).all())
    True
    """
    from osteometa.derivation.derive import derive as derived
    from osteometa.io.problems import ProblemsFound, errors_of
    from osteometa.records.effects import Effect
    from osteometa.validation.review import check_review as checked

    outcome = checked(folder)
    if outcome.tables is None or outcome.config is None:
        raise ProblemsFound(errors_of(outcome.problems))
    return _frame(derived(outcome.tables, outcome.config).effects, columns_of(Effect))


def check_review(folder: str | Path) -> pd.DataFrame:
    """Check config.yaml and the raw tables of a review; return every problem.

    Parameters
    ----------
    folder : path
        The review's folder, with `config.yaml` and `data/raw/`.

    Returns
    -------
    pandas.DataFrame
        A row per problem: `severity` (error, warning or note), `file`, `row`, `study`, `column`,
        `code`, `found` and `message`. Without an error the review can be run.

    Examples
    --------
    >>> import osteometa
    >>> problems = osteometa.check_review("tests/reviews/small")
    >>> int((problems["severity"] == "error").sum())
    0
    """
    from osteometa.validation.review import check_review as checked

    columns = ("severity", "file", "row", "study", "column", "code", "found", "message")
    return _frame(checked(folder).problems, columns)


def _frame(records: Iterable[object], columns: Iterable[str]) -> pd.DataFrame:
    import pandas as pd

    names = list(columns)
    cells = [[_cell(getattr(record, name)) for name in names] for record in records]
    return pd.DataFrame(cells, columns=pd.Index(names))


def _cell(value: Any) -> Any:
    """Return a number as it is, and what is no single number or word as the tables write it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return text_of(value)
