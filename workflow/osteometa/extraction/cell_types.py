"""Types of cells, and the row that every raw table is made of.

Where the paper reports nothing, a text is empty and a number None. A number keeps its text as
reported, because rounding matters.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from osteometa.io.sheet import plain_number


class ReportedNumber(float):
    """A number with the text that the paper reports."""

    text: str

    def __new__(cls, text: str) -> ReportedNumber:
        """Read a number typed with a decimal point."""
        number = super().__new__(cls, text)
        number.text = text.strip()
        return number

    @property
    def half_unit(self) -> float:
        """Return half a unit of the last reported digit: the largest error of rounding."""
        mantissa, _, exponent = self.text.lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        return 0.5 * 10.0 ** (int(exponent or 0) - decimals)

    def __reduce__(self) -> tuple[type[ReportedNumber], tuple[str]]:
        return ReportedNumber, (self.text,)


def _number(value: Any) -> ReportedNumber | None:
    if value is None or value == "":
        return None
    if isinstance(value, ReportedNumber):
        return value
    text = plain_number(str(value))
    if text is None:
        raise ValueError("This is not a number. Enter digits with a decimal point")
    number = ReportedNumber(text)
    if not math.isfinite(number):
        raise ValueError("This number is too large. Enter it as reported")
    return number


def _whole(value: Any) -> int | None:
    number = _number(value)
    if number is None:
        return None
    if not number.is_integer():
        raise ValueError("This must be a whole number")
    return int(number)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


Number = Annotated[
    ReportedNumber | None,
    PlainValidator(_number),
    WithJsonSchema({"type": ["number", "null"]}),
]
Whole = Annotated[
    int | None, BeforeValidator(_whole), WithJsonSchema({"type": ["integer", "null"]})
]
Text = Annotated[str, BeforeValidator(_text)]
Identifier = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[a-z0-9_]+$")]
Name = Annotated[str, BeforeValidator(_text), Field(min_length=1)]


def cell(description: str, default: Any = "", **more: Any) -> Any:
    """Return a column with its description in the codebook."""
    return Field(default, description=description, **more)


class Row(BaseModel):
    """A row of a raw table."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))
    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    purpose: ClassVar[str]
    optional: ClassVar[tuple[str, ...]] = ()
    """Columns that the header of a raw table may lack."""
    may_be_absent: ClassVar[bool] = False
    """Whether a review may lack the whole table."""
    subgroups: ClassVar[tuple[str, ...]] = ()
    """Columns that may form subgroups of effects."""
    row: int = Field(default=0, description="Row of the spreadsheet; not a column.", exclude=True)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the columns of the table in order."""
        return tuple(name for name in cls.model_fields if name != "row")

    @classmethod
    def is_number(cls, column: str) -> bool:
        """Tell whether a column holds numbers: an empty cell is None, not an empty text."""
        return cls.model_fields[column].default is None

    @cached_property
    def key_text(self) -> str:
        """The key by which `inputs` and messages name the row: its parts joined by '/'."""
        return "/".join(str(getattr(self, name)) for name in self.key)
