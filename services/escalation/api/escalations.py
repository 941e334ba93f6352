"""Escalations over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Query

from services.escalation import handlers
from services.escalation.api.desk import Desk, not_found
from services.escalation.api.models import AnswerBody, CheckBody, DeliveredBody, ForwardBody, RevokeBody
from services.escalation.domain.acts import Checked, Delivered, Forwarded, LinksRevoked
from services.escalation.domain.answering import NOTHING_SAID, Alike, AnswerGiven, unknown_executive
from services.escalation.domain.ladder import known
from services.escalation.handlers import Done
from services.escalation.store import reading, shapes
from shared.auth import Principal, requires
from shared.fields import Id
from shared.http import Answer, Paged, StrictRoute, encode_cursor, refused
from shared.idempotency import Ticketed

log = structlog.get_logger()

_FORWARD = (
    "Whoever is away is stood in for by a delegate, as on the ladder: `addressee.instead_of` says so. The time to "
    "answer stays as it was."
)
_TOLD = (
    "Said by the owner of the complaint or their deputy, or by a supervisor for whoever told the customer; by anyone "
    "while nobody owns it."
)
Level = Annotated[int | None, Query(ge=0, le=1000)]
_READERS = ("executive", "supervisor", "agent", "integration", "admin", "service")
Answering = Annotated[Principal, Depends(requires("executive"))]
Telling = Annotated[Principal, Depends(requires("agent", "supervisor"))]
Forwarding = Annotated[Principal, Depends(requires("executive", "supervisor"))]
Revoking = Annotated[Principal, Depends(requires("supervisor", "admin"))]


def escalation_routes(desk: Desk) -> APIRouter:
    """`/v1/escalations` and what is done to one."""
    router = APIRouter(prefix="/v1/escalations", tags=["escalations"], route_class=StrictRoute)

    def shape(done: Done) -> dict[str, Any]:
        # without the words: what is kept for a repeated request must not outlive the customer's erasure
        return shapes.escalation(done.escalation, done.delivery, desk.policies, complaint=done.complaint)

    @router.get("", summary="Escalations, the newest first", dependencies=[Depends(requires(*_READERS))])
    async def list_escalations(
        page: Paged,
        status: Literal["waiting", "answered", "ended"] | None = None,
        level: Level = None,
        executive_id: Id | None = None,
        customer_id: Id | None = None,
        complaint_id: Id | None = None,
    ) -> Answer:
        after = page.after(str)
        async with desk.engine.connect() as conn:
            items = await reading.escalation_list(
                conn,
                desk.policies,
                limit=page.limit + 1,
                after=after[0] if after else None,
                status=status,
                level=level,
                executive_id=executive_id,
                customer_id=customer_id,
                complaint_id=complaint_id,
            )
        return paged(items, page.limit)

    @router.get("/{escalation_id}", summary="One escalation", dependencies=[Depends(requires(*_READERS))])
    async def get_escalation(escalation_id: Id) -> Answer:
        async with desk.engine.connect() as conn:
            found = await reading.escalation_of(conn, desk.policies, escalation_id)
        if found is None:
            raise not_found("escalation")
        return Answer(found)

    async def place(escalation_id: str) -> tuple[str, str]:
        async with desk.engine.connect() as conn:
            found = await reading.place_of_escalation(conn, escalation_id)
        if found is None:
            raise not_found("escalation")
        return found

    @router.post("/{escalation_id}/answer", status_code=202, summary="Answer in one's own words")
    async def give_answer(escalation_id: Id, body: AnswerBody, by: Answering, ticket: Ticketed) -> Answer:
        customer_id, complaint_id = await place(escalation_id)
        alike, seen = await desk.alike(complaint_id, body.text)
        stay = body.stay_question
        given = AnswerGiven(
            escalation_id=escalation_id,
            executive_id=body.executive_id,
            text=body.text,
            apology=body.apology,
            stay_asked=stay is not None,
            stay=stay.what_would_make_you_stay if stay else None,
            promise=body.promise.wanted() if body.promise else None,
            redress=body.redress,
            by=by.name,
            seen=seen,
            alike=alike,
        )
        return await desk.take(customer_id, given, handlers.answer, shape, ticket)

    @router.post("/{escalation_id}/answer/check", summary="Would these words be taken? Changes nothing")
    async def check_answer(escalation_id: Id, body: CheckBody, by: Answering, ticket: Ticketed) -> Answer:
        customer_id, complaint_id = await place(escalation_id)
        if not known(desk.policies.current, body.executive_id):
            raise refused(unknown_executive("/executive_id"))
        alike = (await desk.alike(complaint_id, body.text))[0] if body.text.strip() else NOTHING_SAID
        if ticket is None:
            return Answer(told_of(alike))
        return await desk.take(customer_id, Checked(alike), handlers.checked, told_of, ticket, status=200)

    @router.post(
        "/{escalation_id}/delivered",
        status_code=202,
        summary="The owner told the customer in person",
        description=_TOLD,
    )
    async def tell_delivered(escalation_id: Id, body: DeliveredBody, by: Telling, ticket: Ticketed) -> Answer:
        customer_id, _ = await place(escalation_id)
        seen_to = "supervisor" in by.scopes
        act = Delivered(escalation_id, body.agent_id, body.how, body.acknowledgement, by_supervisor=seen_to)
        return await desk.take(customer_id, act, handlers.delivered, shape, ticket)

    @router.post(
        "/{escalation_id}/forward",
        status_code=202,
        summary="Ask another executive; the clock goes on",
        description=_FORWARD,
    )
    async def forward(escalation_id: Id, body: ForwardBody, by: Forwarding, ticket: Ticketed) -> Answer:
        customer_id, _ = await place(escalation_id)
        act = Forwarded(escalation_id, body.to, body.by or by.name)
        return await desk.take(customer_id, act, handlers.forward, shape, ticket)

    @router.post(
        "/{escalation_id}/links/revoke", status_code=202, summary="The links that were mailed about it work no longer"
    )
    async def revoke_links(escalation_id: Id, body: RevokeBody, by: Revoking, ticket: Ticketed) -> Answer:
        customer_id, _ = await place(escalation_id)
        act = LinksRevoked(escalation_id, body.executive_id, body.by or by.name)
        log.info("links_revoked", escalation_id=escalation_id, executive_id=body.executive_id, by=act.by)
        return await desk.take(customer_id, act, handlers.revoke_links, shape, ticket)

    return router


def told_of(alike: Alike) -> dict[str, Any]:
    """What is told of words beforehand."""
    return {"acceptable": alike.acceptable, "likeness": alike.likeness, "because": list(alike.because)}


def paged(items: list[dict[str, Any]], limit: int) -> Answer:
    """A page of a list that was read one longer than asked for."""
    more = len(items) > limit
    shown = items[:limit]
    return Answer({"items": shown, "next": encode_cursor([shown[-1]["id"]]) if more else None})
