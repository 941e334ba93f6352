"""Refusals on the wire: RFC 9457 problem details that say where, and never what, was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import orjson
from fastapi import HTTPException
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.responses import Response

from shared.fields import Invalid
from shared.refusal import Refusal

T = TypeVar("T")

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:complaint-loop:problem:"
#: how many mistakes one answer lists
MOST_ERRORS = 20

_PLAIN = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)


def _plain_json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(type(value).__name__)


def to_json(value: Any) -> bytes:
    """JSON for answers: UTF-8, times in UTC with `Z`, decimals as strings, pydantic models as they serialize."""
    return orjson.dumps(value, default=_plain_json, option=orjson.OPT_UTC_Z)


class Answer(Response):
    """A JSON answer from ready bytes or from a value; skips FastAPI's slower way through `jsonable_encoder`."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        if headers is not None:
            super().__init__(content, status_code, headers)
            return
        self.status_code, self.background = status_code, None
        self.body = self.render(content)
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", b"application/json")]

    def render(self, content: Any) -> bytes:
        return content if isinstance(content, bytes) else to_json(content)


class Problem(HTTPException):
    """A refusal to be raised anywhere below a route.

    `slug` names the kind (`urn:complaint-loop:problem:<slug>`), `title` says it in general, `detail` in particular,
    `errors` lists `{"pointer", "message"}` per mistake; further members such as `state` go into the answer. None of
    them may hold what the caller sent.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(status_code=status, detail=detail, headers=dict(headers) if headers else None)
        self.slug, self.title, self.errors, self.members = slug, title, errors, members

    def body(self, instance: str | None = None) -> dict[str, Any]:
        """The problem as an object; `instance` is the id of the request."""
        body: dict[str, Any] = {**self.members, "type": TYPE_PREFIX + self.slug, "title": self.title}
        body["status"] = self.status_code
        body["detail"] = self.detail or f"{self.title}."
        if instance:
            body["instance"] = instance
        if self.errors:
            body["errors"] = [dict(error) for error in self.errors[:MOST_ERRORS]]
        return body

    def response(self, instance: str | None = None) -> Response:
        """The problem as an HTTP answer."""
        content = to_json(self.body(instance))
        return Response(content, self.status_code, headers=self.headers, media_type=MEDIA_TYPE)


def unreadable(detail: str, pointer: str | None = None) -> Problem:
    """400: what was sent is not JSON as RFC 8259 and this API understand it."""
    errors = None if pointer is None else [{"pointer": pointer, "message": detail}]
    return Problem(400, "unreadable", "The request cannot be read", detail, errors=errors)


def invalid(*errors: tuple[str, str], detail: str = "") -> Problem:
    """422 from (pointer, message) pairs."""
    return not_valid([{"pointer": pointer, "message": message} for pointer, message in errors], detail)


def not_valid(errors: Sequence[Mapping[str, str]], detail: str = "") -> Problem:
    """422 from what `described` gave."""
    return Problem(422, "invalid", "The request is not valid", detail or _summary(errors), errors=errors)


def refused(refusal: Refusal) -> Problem:
    """A refusal of the domain as a problem; its slug, with spaces for dashes, is the title."""
    title = refusal.slug.replace("-", " ").capitalize()
    problem = Problem(refusal.status, refusal.slug, title, refusal.detail)
    problem.members = dict(refusal.members)
    return problem


def _summary(errors: Sequence[Mapping[str, str]]) -> str:
    if not errors:
        return ""
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{first['pointer'] or 'The body'}: {first['message']}{more}"


def pointer_to(path: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901) to `path`, ending before the first name that is not short and plain."""
    pointer = ""
    for step in path:
        name = str(step)
        if not _PLAIN.fullmatch(name):
            break
        pointer += "/" + name
    return pointer


_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "must be a string",
    "string_unicode": "must be Unicode text",
    "string_pattern_mismatch": "has characters or a form that is not allowed",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_parsing_size": "must be a smaller integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be finite",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dataclass_type": "must be an object",
    "none_required": "must be null",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "datetime_type": "must be a time",
    "datetime_parsing": "must be a time",
    "datetime_from_date_parsing": "must be a time",
    "timezone_aware": "must have an offset from UTC",
    "date_type": "must be a day",
    "date_parsing": "must be a day",
    "date_from_datetime_parsing": "must be a day",
    "decimal_type": "must be a decimal number",
    "decimal_parsing": "must be a decimal number",
    "url_type": "must be a URL",
    "url_parsing": "must be a URL",
    "union_tag_invalid": "is not one of the known kinds",
    "union_tag_not_found": "lacks what tells its kind",
}
# what a type's context may be quoted from: limits and choices of ours, nothing that came in
_LIMITS = {
    "string_too_short": ("must have at least {} characters", "min_length"),
    "string_too_long": ("must have at most {} characters", "max_length"),
    "too_short": ("must have at least {} items", "min_length"),
    "too_long": ("must have at most {} items", "max_length"),
    "greater_than": ("must be greater than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
    "multiple_of": ("must be a multiple of {}", "multiple_of"),
    "literal_error": ("must be {}", "expected"),
    "enum": ("must be {}", "expected"),
}


def _message(kind: str, context: Mapping[str, Any]) -> str:
    if kind in _LIMITS:
        form, name = _LIMITS[kind]
        if context.get("min_length") == 1:
            return "must not be empty"
        return form.format(context.get(name, "different"))
    if kind in ("value_error", "assertion_error") and isinstance(reason := context.get("error"), Invalid):
        return str(reason)
    return _MESSAGES.get(kind, "is not valid")


def described(errors: Iterable[Any], within: Sequence[str | int] = ()) -> list[dict[str, str]]:
    """Pydantic's errors as `{"pointer", "message"}`, worded from their types and limits and never from the input.

    What is wrong in the query, the path or a header says so (`"in"`).
    """
    listed = []
    for error in errors:
        path, place = list(error["loc"]), "body"
        if path and path[0] in ("body", "query", "path", "header", "cookie"):
            place = str(path.pop(0))
        entry = {"pointer": pointer_to([*within, *path]), "message": _message(error["type"], error.get("ctx") or {})}
        if place != "body":
            entry["in"] = place
        if entry not in listed:
            listed.append(entry)
        if len(listed) == MOST_ERRORS:
            break
    return listed


def checked(adapter: TypeAdapter[T], value: Any, within: Sequence[str | int] = ()) -> T:
    """Validates what `strict_loads` gave; raises the 422, whose pointers begin at `within`."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise not_valid(described(error.errors(include_url=False, include_input=False), within)) from None
