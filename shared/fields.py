"""Types that requests are made of: texts, ids, instants and money, checked strictly and free of surprises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_SECOND = timedelta(seconds=1)
_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,4})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*", re.ASCII
)
#: no control, format (zero width, direction overrides) or separator characters, no space at the edges
#: as published: not every reader of a schema knows \p{…}; format characters beyond U+FFFF are left out
_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_FORMAT = (
    r"\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    r"\ufeff\ufff9-\ufffb"
)
_ID_SHOWN = rf"^[^\s{_CONTROL}{_FORMAT}]([^{_CONTROL}{_FORMAT}]*[^\s{_CONTROL}{_FORMAT}])?$"
_LINE_SHOWN = rf"^[^{_CONTROL}]*$"
_ID = r"^[^\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]([^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*[^\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}])?$"


def is_email(text: str) -> bool:
    """Whether a mail can be addressed to `text`: one plain address (RFC 5321), nothing that could be a header."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None and ".." not in text


class Invalid(ValueError):
    """What a validator of ours raises. Its message goes to the caller as it is, so it never holds the value.

    Messages of any other ValueError stay inside: libraries put what they were given into them.
    """


class Body(BaseModel):
    """A request: unknown fields are refused and nothing is coerced (`1` is no boolean, `"1"` is no number)."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Text:
    """`Annotated[str, Text(500)]`: trimmed, without NUL, at most `most` code points, and not empty unless `blank`.

    A `line` (name, subject, address) has no control characters, so that nothing can break out of a header or a log.
    """

    most: int
    blank: bool = False
    line: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(
            strict=True,
            strip_whitespace=True,
            min_length=0 if self.blank else 1,
            max_length=self.most,
            pattern=r"^[^\p{Cc}\p{Zl}\p{Zp}]*$" if self.line else r"^[^\x00]*$",
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"pattern": _LINE_SHOWN if self.line else r"^[^\u0000]*$"}


@dataclass(frozen=True, slots=True)
class Ident:
    """`Annotated[str, Ident(80)]`: an identifier of somebody else's, visible characters, no space at its edges."""

    most: int = 200

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(strict=True, min_length=1, max_length=self.most, pattern=_ID)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"pattern": _ID_SHOWN}


Id = Annotated[str, Ident(200)]
#: a position or a count: fits PostgreSQL's bigint
Whole = Annotated[int, Field(ge=0, le=2**63 - 1)]


def instant(value: Any) -> datetime:
    """Reads RFC 3339 with an offset (years 1970 to 9998) as UTC; raises Invalid."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Invalid("must have an offset from UTC")
        at = value
    elif not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise Invalid("must be an RFC 3339 time with an offset, such as 2026-03-02T09:00:00+08:00")
    else:
        try:
            text = value.upper()
            # a leap second, which datetime does not know, is the moment that comes after it
            leaps = text[14:19] == "59:60"
            at = (
                datetime.fromisoformat(f"{text[:17]}59{text[19:]}") + _SECOND if leaps else datetime.fromisoformat(text)
            )
        except (OverflowError, ValueError):
            raise Invalid("is not a time that exists") from None
    try:
        at = at.astimezone(UTC)
    except (OverflowError, ValueError):
        raise Invalid("must lie in the years 1970 to 9998") from None
    if not 1970 <= at.year <= 9998:
        raise Invalid("must lie in the years 1970 to 9998")
    return at


Instant = Annotated[
    datetime,
    BeforeValidator(instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise Invalid("is not a day that exists") from None
        if 1970 <= day.year <= 9998:
            return day
    raise Invalid("must be a day such as 2026-03-02, in the years 1970 to 9998")


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise Invalid("must be a decimal number")
    if isinstance(value, Decimal):
        value = format(value, "f")
    elif isinstance(value, (int, float)):
        value = format(Decimal(str(value)), "f")
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise Invalid("must be a decimal number with at most 15 digits and 4 decimals")
    return Decimal(value)


Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": f"^{_AMOUNT.pattern}$"}, {"type": "number"}]}),
]


@dataclass(frozen=True, slots=True)
class _Currency:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(strict=True, pattern=r"^[A-Z]{3}$")


Currency = Annotated[str, _Currency()]


class Money(Body):
    """An amount in an ISO 4217 currency; read as a decimal string or number, answered as a string."""

    amount: Amount
    currency: Currency
