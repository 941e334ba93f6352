"""Executives whom mails do not reach, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends

from services.escalation import handlers
from services.escalation.api.desk import Desk
from services.escalation.api.models import TrustedBody
from services.escalation.domain.acts import Trusted
from services.escalation.domain.reach import Mark
from services.escalation.store import shapes, unreachable
from shared.auth import Principal, requires
from shared.fields import Id
from shared.http import Answer, Paged, StrictRoute, encode_cursor
from shared.idempotency import Ticketed

log = structlog.get_logger()

_READERS = ("executive", "supervisor", "agent", "integration", "admin", "service")
_LISTED = (
    "An address that refused a mail, or sent one back, is passed over by every escalation: `undeliverable` in `steps`, "
    "and the next person is asked at once. It is tried again from `tried_from` on, each time after a longer wait "
    "(`mail_retry_after`), as soon as the policy has another address for the person, or somebody says that it works. "
    "A mail that was taken, and has not come back for a day (`trusted_from`), ends the matter."
)
_TRUST = "From now on; what was passed on meanwhile stays with whoever is asked."
Trusting = Annotated[Principal, Depends(requires("supervisor", "admin"))]


def unreachable_routes(desk: Desk) -> APIRouter:
    """`/v1/unreachable`."""
    router = APIRouter(prefix="/v1/unreachable", tags=["escalations"], route_class=StrictRoute)

    def shape(mark: Mark) -> dict[str, Any]:
        return shapes.unreachable(mark, desk.policies)

    @router.get(
        "",
        summary="Executives whom mails do not reach: who, why, since when",
        description=_LISTED,
        dependencies=[Depends(requires(*_READERS))],
    )
    async def list_unreachable(page: Paged) -> Answer:
        (after,) = page.after(int) or (0,)
        async with desk.engine.connect() as conn:
            marks = await unreachable.standing(conn, desk.policies, desk.corridor.clock.now())
        begin = min(max(after, 0), len(marks))
        end = begin + page.limit
        more = encode_cursor([end]) if end < len(marks) else None
        return Answer({"items": [shape(mark) for mark in marks[begin:end]], "next": more})

    @router.post("/{executive_id}/trusted", status_code=202, summary="This address works again", description=_TRUST)
    async def trust(executive_id: Id, body: TrustedBody, by: Trusting, ticket: Ticketed) -> Answer:
        act = Trusted(executive_id, body.by or by.name)
        log.info("address_trusted", executive_id=executive_id, by=act.by)
        # no customer's lock: the row is one person's
        return await desk.take(f"executive/{executive_id}", act, handlers.trust, shape, ticket)

    return router
