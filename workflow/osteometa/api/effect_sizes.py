"""Effect sizes of two independent groups from their means, SDs and numbers of participants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from osteometa.api.inputs import numbers_of
from osteometa.effects import formulas
from osteometa.numerics.arrays import Array
from osteometa.numerics.range import refuse_unknown
from osteometa.wording.choices import SMD_VARIANCES, SmdVariance

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("m1", "sd1", "n1", "m2", "sd2", "n2")


def md(m1: Any, sd1: Any, n1: Any, m2: Any, sd2: Any, n2: Any) -> pd.DataFrame:
    """Return mean differences, group 1 minus group 2.

    The variance is sd1^2 / n1 + sd2^2 / n2.

    Parameters
    ----------
    m1, sd1, n1, m2, sd2, n2 : float, or sequences of one length
        Mean, standard deviation and participants of each group.

    Returns
    -------
    pandas.DataFrame
        Columns `yi` and `vi`, with the index of the first series that is given.

    Raises
    ------
    ValueError
        Naming the parameter, the value, and what is allowed.

    Examples
    --------
    >>> import osteometa
    >>> osteometa.md(10, 2, 20, 9, 2, 20).round(3).values.tolist()
    [[1.0, 0.4]]
    """
    return _frame(formulas.md, (m1, sd1, n1, m2, sd2, n2), least=1)


def smd(
    m1: Any, sd1: Any, n1: Any, m2: Any, sd2: Any, n2: Any, *, variance: SmdVariance = "LS"
) -> pd.DataFrame:
    """Return standardised mean differences (Hedges' g), group 1 minus group 2.

    The pooled SD is the unit, and J = Gamma(m/2) / (sqrt(m/2) Gamma((m-1)/2)) with m = n1 + n2 - 2
    the exact correction for small samples (Hedges 1981).

    Parameters
    ----------
    m1, sd1, n1, m2, sd2, n2 : float, or sequences of one length
        Mean, standard deviation and participants of each group.
    variance : {"LS", "LS2", "UB"}
        1/n1 + 1/n2 + g^2 / (2 (n1 + n2)) (Hedges 1982); Borenstein (2009); unbiased (Hedges 1983).

    Returns
    -------
    pandas.DataFrame
        Columns `yi` and `vi`, with the index of the first series that is given.

    Raises
    ------
    ValueError
        Naming the parameter, the value, and what is allowed.

    Examples
    --------
    >>> import osteometa
    >>> osteometa.smd([10, 11], [2, 2], [20, 25], [9, 9], [2, 3], [20, 25]).round(3).values.tolist()
    [[0.49, 0.103], [0.772, 0.086]]
    """
    refuse_unknown("variance", variance, [form for form in SMD_VARIANCES if form != "AV"])
    return _frame(
        lambda *numbers: formulas.smd(*numbers, form=variance), (m1, sd1, n1, m2, sd2, n2), least=2
    )


def rom(
    m1: Any, sd1: Any, n1: Any, m2: Any, sd2: Any, n2: Any, *, corrected: bool = False
) -> pd.DataFrame:
    """Return logarithms of ratios of means, group 1 over group 2.

    The variance is sd1^2 / (n1 m1^2) + sd2^2 / (n2 m2^2) (Hedges, Gurevitch and Curtis 1999).

    Parameters
    ----------
    m1, sd1, n1, m2, sd2, n2 : float, or sequences of one length
        Mean (above 0), standard deviation and participants of each group.
    corrected : bool
        Whether to correct for small samples (Lajeunesse 2015).

    Returns
    -------
    pandas.DataFrame
        Columns `yi` and `vi`, with the index of the first series that is given.

    Raises
    ------
    ValueError
        Naming the parameter, the value, and what is allowed.

    Examples
    --------
    >>> import osteometa
    >>> osteometa.rom(10, 2, 20, 9, 2, 20).round(4).values.tolist()
    [[0.1054, 0.0045]]
    """
    return _frame(
        lambda *numbers: formulas.rom(*numbers, corrected=corrected),
        (m1, sd1, n1, m2, sd2, n2), least=1, positive=("m1", "m2"),
    )  # fmt: skip


def _frame(
    formula: Callable[..., tuple[float, float]], given: tuple[Any, ...], *, least: int,
    positive: tuple[str, ...] = (),
) -> pd.DataFrame:  # fmt: skip
    """Return the effects of each row of numbers as a data frame."""
    import pandas as pd

    columns = [numbers_of(values) for values in given]
    try:
        rows = np.atleast_2d(np.stack(np.broadcast_arrays(*columns), axis=-1))
    except ValueError:
        shapes = ", ".join(f"{n} {c.shape}" for n, c in zip(NAMES, columns, strict=True))
        raise ValueError(
            f"means, SDs and numbers must be single numbers or of one length (found {shapes})"
        ) from None
    for name, column in zip(NAMES, rows.T, strict=True):
        _refuse(name, column, least=least, positive=name in positive)
    index = next((values.index for values in given if isinstance(values, pd.Series)), None)
    effects = [formula(*row) for row in rows.tolist()]
    return pd.DataFrame(effects, columns=pd.Index(["yi", "vi"]), index=index)


def _refuse(name: str, column: Array, *, least: int, positive: bool) -> None:
    """Raise where a number is impossible."""
    allowed, fine = "a finite number", np.isfinite(column)
    if name.startswith("sd") or positive:
        allowed, fine = "above 0", fine & (column > 0)
    if name.startswith("n"):
        allowed, fine = f"at least {least}", fine & (column >= least)
    if not np.all(fine):
        place = int(np.flatnonzero(~fine)[0])
        raise ValueError(f"{name} must be {allowed} (found {column[place]:g}, value {place + 1})")
