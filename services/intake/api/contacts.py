"""Contacts and responses: posting them, one or many, and asking for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AfterValidator

from services.intake.store import reading
from shared.auth import Principal, requires
from shared.fields import Invalid
from shared.http import Answer, Paged, StrictRoute, decode_cursor, encode_cursor
from shared.http.direct import DirectRoute
from shared.idempotency import Ticketed

from . import view
from .batch import batch_of, take_batch
from .bodies import ContactBody, ResponseBody
from .desk import Desk, no_such_contact

Tool = Annotated[Principal, Depends(requires("intake"))]
#: a response may be told by the tool, or by whoever answers
Answering = Annotated[Principal, Depends(requires("intake", "agent"))]
Reader = Annotated[Principal, Depends(requires("intake", "agent", "supervisor", "admin", "service"))]


def _plain(value: str) -> str:
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Invalid("has characters that are not allowed")
    return value


_PLAIN = AfterValidator(lambda v: v if v is None else _plain(v))
Filter = Annotated[str | None, Query(max_length=200), _PLAIN]
#: that of an event may be a long URI
SourceFilter = Annotated[str | None, Query(max_length=1_000), _PLAIN]
ContactId = Annotated[str, Path(max_length=100)]


def posting(desk: Desk) -> APIRouter:
    """Routes of tools."""
    router = APIRouter(prefix="/v1/contacts", route_class=StrictRoute, tags=["contacts"])

    async def post(body: ContactBody, _: Tool, ticket: Ticketed) -> Answer:
        return await desk.take(body, ticket)

    router.add_api_route(
        "",
        post,
        methods=["POST"],
        status_code=202,
        summary="A customer said something",
        route_class_override=DirectRoute,
    )

    @router.post("/batch", summary="Up to 1,000 contacts at once", openapi_extra=batch_of("ContactBody"))
    async def batch(request: Request, _: Tool, ticket: Ticketed) -> Answer:
        return await take_batch(desk, request, ticket)

    @router.post("/{contact_id}/responses", status_code=202, summary="A human answered the customer")
    async def respond(contact_id: ContactId, body: ResponseBody, _: Answering, ticket: Ticketed) -> Answer:
        return await desk.respond(contact_id, body, ticket)

    return router


def asking(desk: Desk) -> APIRouter:
    """Routes of readers."""
    router = APIRouter(prefix="/v1/contacts", route_class=StrictRoute, tags=["contacts"])

    @router.get("", summary="Contacts, latest received first")
    async def listed(
        _: Reader, page: Paged, customer_id: Filter = None, source: SourceFilter = None, conversation_id: Filter = None
    ) -> Answer:
        after = None if page.cursor is None else str(page.after(str)[0])  # type: ignore[index]
        if after is not None and not reading.is_id(after):
            decode_cursor("!")  # the refusal of a cursor that is none of ours
        async with desk.engine.connect() as conn:
            rows = await reading.listed(
                conn,
                customer_ids=None if customer_id is None else await reading.same_person(conn, customer_id),
                source=source,
                conversation_id=conversation_id,
                after=after,
                limit=page.limit + 1,
            )
            shown = rows[: page.limit]
            responses = await reading.responses_of(conn, [row.id for row in shown])
        more = len(rows) > page.limit
        items = [view.contact(row, responses.get(row.id, ())) for row in shown]
        return Answer({"items": items, "next": encode_cursor([shown[-1].id]) if more else None})

    @router.get(
        "/{contact_id}",
        summary="One contact",
        description="`signals.second_opinion` is there where an endpoint was asked: what that made of the text.",
    )
    async def one(contact_id: ContactId, _: Reader) -> Answer:
        contact_id = contact_id.lower()
        if not reading.is_id(contact_id):
            raise no_such_contact()
        async with desk.engine.connect() as conn:
            row = await reading.contact(conn, contact_id)
            if row is None:
                raise no_such_contact()
            responses = await reading.responses_of(conn, [contact_id])
        return Answer(view.contact(row, responses.get(contact_id, ())))

    return router
