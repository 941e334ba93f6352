"""Contacts that come as CloudEvents: one in binary or structured mode, many in batched mode."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import AfterValidator, TypeAdapter

from services.intake.domain import NewContact
from services.intake.listening import Ears
from services.intake.store import Book
from shared.fields import Ident, Invalid
from shared.http import Answer, Problem, StrictRoute, checked, invalid, strict_loads
from shared.http.cloudevents import BATCHED, STRUCTURED, CloudEvent, from_binary, from_json, mode_of
from shared.http.problem import not_valid, pointer_to, unreadable
from shared.http.route import header_of, refuse_encoded
from shared.idempotency import Ticket, Ticketed
from shared.work import Input

from .batch import array_of, show_contact, take_each
from .bodies import MOST_ITEMS, ContactBody
from .contacts import Tool
from .desk import Desk, input_of
from .reception import read_contact

REPORTED: Final = "complaintloop.contact.reported.v1"
#: what the envelope says where the data leaves it out: field -> attribute
_FILLED: Final = {"source": "source", "source_event_id": "id", "occurred_at": "time"}


#: bytes of a source: it is looked up beside ids of up to 200 characters, and an index has room for 2,700 bytes
_MOST_SOURCE: Final = 1_000


def _indexable(source: str) -> str:
    if len(source.encode()) > _MOST_SOURCE:
        raise Invalid(f"must have at most {_MOST_SOURCE} bytes")
    return source


class ReportedContact(ContactBody):
    """The same as posted; a URI as source may be longer than the name of a tool."""

    source: Annotated[str, Ident(_MOST_SOURCE), AfterValidator(_indexable)]


_REPORTED: TypeAdapter[ReportedContact] = TypeAdapter(ReportedContact)


def read_reported(event: CloudEvent, ears: Ears) -> NewContact:
    """The contact that an event reports, heard. Raises 422 `unknown-event-type`, or what is wrong with it."""
    if event.type != REPORTED:
        raise Problem(422, "unknown-event-type", "Unknown event type", f"Events of the type {REPORTED} are taken here.")
    data = event.json()
    if not isinstance(data, dict):
        raise invalid((pointer_to(event.within), "must be an object"))
    left_out = {name for name in _FILLED if data.get(name) is None}
    said = {name: getattr(event, _FILLED[name]) for name in left_out}
    whole = {name: value for name, value in (data | said).items() if value is not None or name not in left_out}
    try:
        body = checked(_REPORTED, whole, event.within)
    except Problem as problem:
        raise not_valid([_placed(event, error, left_out) for error in problem.errors or ()]) from None
    identity = hashlib.sha256(f"{event.source}\0{event.id}".encode()).digest()
    return read_contact(body, ears, identity)


def _placed(event: CloudEvent, error: Mapping[str, str], left_out: set[str]) -> Mapping[str, str]:
    # what the envelope filled is wrong in the envelope
    name = error["pointer"].removeprefix(pointer_to(event.within)).removeprefix("/")
    if name not in left_out:
        return error
    if error["message"] != "is required":
        return event.mistake(_FILLED[name], error["message"])
    return {**error, "message": f"is required here, or as the event's {_FILLED[name]}"}


async def take_events(desk: Desk, request: Request, ticket: Ticket | None) -> Answer:
    """One contact's answer, or `{"results": […]}` of a batch, in order."""
    refuse_encoded(request)
    mode, body = mode_of(header_of(request, b"content-type")), await request.body()
    if mode == "batched":

        def read(value: Any) -> Input[Book]:
            return input_of(read_reported(from_json(value), desk.ears))

        return await take_each(desk, request, ticket, array_of(body), read, show_contact)
    if mode == "structured":
        if not body:
            raise unreadable("A body is required.")
        return await desk.take_new(read_reported(from_json(strict_loads(body)), desk.ears), ticket)
    headers = request.scope["headers"]
    new = read_reported(from_binary(headers, body), desk.ears)
    return await desk.take_new(new, None if ticket is None else _with_headers(ticket, headers))


def _with_headers(ticket: Ticket, headers: list[tuple[bytes, bytes]]) -> Ticket:
    # in binary mode half of what is said stands in the headers: another event is another request
    said = hashlib.sha256(ticket.request)
    for name, value in sorted(one for one in headers if one[0].startswith(b"ce-")):
        said.update(b"%d:%s%d:%s" % (len(name), name, len(value), value))
    return replace(ticket, request=said.digest())


def reporting(desk: Desk) -> APIRouter:
    """The route of senders of events."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["contacts"])

    @router.post(
        "/events",
        status_code=202,
        summary="Contacts as CloudEvents 1.0.2: binary, structured or batched",
        openapi_extra=_DESCRIBED,
    )
    async def events(request: Request, _: Tool, ticket: Ticketed) -> Answer:
        return await take_events(desk, request, ticket)

    return router


_TEXT: Final = {"type": "string", "minLength": 1}
_DATA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["channel", "customer"],
    "description": "As POST /v1/contacts (ContactBody). `source`, `source_event_id` and `occurred_at` are those of the "
    "event (`source`, `id`, `time`) where they are left out.",
}
_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _TEXT,
        "source": {**_TEXT, "format": "uri-reference"},
        "type": {"const": REPORTED},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {**_TEXT, "default": "application/json"},
        "dataschema": {**_TEXT, "format": "uri"},
        "subject": _TEXT,
        "data": _DATA,
        "data_base64": {"type": "string", "contentEncoding": "base64", "description": "The same as JSON in Base64."},
    },
    "additionalProperties": {"type": ["string", "boolean", "integer", "null"], "description": "Extension attributes."},
}
_HEADERS: Final = [
    {
        "name": f"ce-{name}",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": f"Binary mode: {said}",
    }
    for name, said in (
        ("specversion", "1.0."),
        ("id", "the event's id, unique within its source."),
        ("source", "a URI reference."),
        ("type", f"{REPORTED}."),
        ("time", "when it happened."),
        ("subject", "of no meaning here."),
    )
]
_DESCRIBED: Final[dict[str, Any]] = {
    "parameters": _HEADERS,
    "requestBody": {
        "required": True,
        "content": {
            STRUCTURED: {"schema": _EVENT},
            BATCHED: {"schema": {"type": "array", "maxItems": MOST_ITEMS, "items": _EVENT}},
            "application/json": {"schema": _DATA},
        },
    },
    "responses": {
        "200": {"description": "The contact was there already; or, of a batch, `results` in order."},
        "202": {"description": "A contact is kept and was heard."},
    },
}
