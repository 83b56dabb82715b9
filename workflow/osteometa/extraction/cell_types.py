"""Types of cells, and the row that every raw table is made of.

Where the paper reports nothing, a text is empty and a number None. A number keeps its text as
reported, because rounding matters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)

from osteometa.io.cell_text import date_words, is_date, plain_number

IDENTIFIER, LONGEST = r"^[a-z0-9_]+$", 100
"""Form of a name that files and folders are called by, and its largest number of characters."""
MOST_DIGITS = 20
"""More digits than any paper reports, and than a program's output of double precision has."""


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
    number = ReportedNumber(plain_number(str(value)))
    if not math.isfinite(number):
        raise ValueError("This number is too large. Enter it as reported")
    digits = sum(map(str.isdigit, number.text))
    if digits > MOST_DIGITS:
        raise ValueError(f"This number has {digits} digits; at most {MOST_DIGITS} can be entered")
    return number


def _whole(value: Any) -> int | None:
    number = _number(value)
    if number is None:
        return None
    if not number.is_integer():
        raise ValueError("This must be a whole number. Correct it")
    return int(number)


def _needed(value: Any) -> ReportedNumber:
    number = _number(value)
    if number is None:
        raise ValueError("This number is needed. Enter it, or delete the row")
    return number


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _no_date(text: str) -> str:
    if is_date(text):
        raise ValueError(date_words(text))
    return text


Number = Annotated[
    ReportedNumber | None, PlainValidator(_number), WithJsonSchema({"type": ["number", "null"]})
]
NeededNumber = Annotated[
    ReportedNumber, PlainValidator(_needed), WithJsonSchema({"type": "number"})
]
Whole = Annotated[
    int | None, BeforeValidator(_whole), WithJsonSchema({"type": ["integer", "null"]})
]
NeededWhole = Annotated[
    int, BeforeValidator(_whole), BeforeValidator(_needed), WithJsonSchema({"type": "integer"})
]
Remark = Annotated[str, BeforeValidator(_text)]
"""A remark, which may be a date."""
Text = Annotated[str, BeforeValidator(_text), AfterValidator(_no_date)]
Identifier = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_no_date),
    Field(pattern=IDENTIFIER, max_length=LONGEST),
]
Name = Annotated[str, BeforeValidator(_text), AfterValidator(_no_date), Field(min_length=1)]


def cell(
    description: str, default: Any = "", *, least: float | None = None, most: float | None = None,
    above: float | None = None,
) -> Any:  # fmt: skip
    """Return a column with its description in the codebook, and the range of its numbers."""
    limits = {"minimum": least, "exclusiveMinimum": above, "maximum": most}
    extra: Any = {name: limit for name, limit in limits.items() if limit is not None}
    return Field(default, description=description, json_schema_extra=extra)


def range_words(limits: Mapping[str, float]) -> str:
    """Return the range of a column in words; '' where it has none."""
    least, above = limits.get("minimum"), limits.get("exclusiveMinimum")
    if least is not None:
        return f"from {least:.10g} to {limits['maximum']:.10g}"
    return "" if above is None else f"above {above:.10g}, at most {limits['maximum']:.10g}"


def in_range(value: float, limits: Mapping[str, float]) -> bool:
    """Return whether a number is in the range of its column."""
    least, above = limits.get("minimum", -math.inf), limits.get("exclusiveMinimum", -math.inf)
    return least <= value <= limits["maximum"] and value > above


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
    @cache
    def model_json_schema(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls, *arguments: Any, **named: Any
    ) -> dict[str, Any]:
        """Return the JSON schema of a row, made once: not to be changed."""
        return super().model_json_schema(*arguments, **named)

    @classmethod
    def is_number(cls, column: str) -> bool:
        """Return whether a column holds numbers."""
        kinds = (cls.model_fields[column].annotation,)
        return bool({ReportedNumber, int} & {*kinds, *get_args(kinds[0])})

    @classmethod
    def ranges(cls) -> dict[str, dict[str, float]]:
        """Return the limits of each column that has some, by their names in a JSON schema."""
        fields: dict[str, Any] = cls.model_fields
        return {name: f.json_schema_extra for name, f in fields.items() if f.json_schema_extra}

    def text_of(self, column: str) -> str:
        """Return the text of a cell as it is reported, numbers with a decimal point."""
        value = getattr(self, column)
        return "" if value is None else str(getattr(value, "text", value))

    @cached_property
    def key_text(self) -> str:
        """The key by which `inputs` and messages name the row: its parts joined by '/'."""
        return "/".join(str(getattr(self, name)) for name in self.key)
