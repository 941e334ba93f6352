"""Promises over HTTP."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path

from services.escalation import handlers
from services.escalation.api.desk import Desk, not_found
from services.escalation.api.escalations import paged
from services.escalation.api.models import DoneBody, NewPromise
from services.escalation.domain.acts import ActionDone, PromiseGiven
from services.escalation.handlers import Promised
from services.escalation.store import reading, shapes
from shared.auth import Principal, requires
from shared.fields import Id
from shared.http import Answer, Paged, StrictRoute
from shared.idempotency import Ticketed

_READERS = ("executive", "supervisor", "agent", "integration", "admin", "service")
#: how long an event takes from ownership to here at most, where nothing is wrong
_ON_ITS_WAY_SECONDS, _LOOK_EVERY_SECONDS = 2.0, 0.05
Number = Annotated[int, Path(ge=1, le=1000)]
_ABOUT = (
    "The watch begins now and lasts `watch_for`, else as long as the policy says. A promise without actions is taken, "
    "and told with `nothing_changes`. The words of one that was broken are refused (`canned-answer`)."
)
Promising = Annotated[Principal, Depends(requires("executive"))]
Doing = Annotated[Principal, Depends(requires("agent", "supervisor", "executive"))]


def promise_routes(desk: Desk) -> APIRouter:
    """`/v1/promises` and the actions of one."""
    router = APIRouter(prefix="/v1/promises", tags=["promises"], route_class=StrictRoute)

    def shape(done: Promised) -> dict[str, Any]:
        # without the words, as for escalations; breaches are read with the promise
        return shapes.promise(done.promise, None, {}, [], spoken=False)

    @router.get("", summary="Promises, the newest first", dependencies=[Depends(requires(*_READERS))])
    async def list_promises(
        page: Paged,
        status: Literal["watching", "kept", "broken"] | None = None,
        cause: Id | None = None,
        customer_id: Id | None = None,
        made_by: Id | None = None,
        complaint_id: Id | None = None,
    ) -> Answer:
        after = page.after(str)
        async with desk.engine.connect() as conn:
            items = await reading.promise_list(
                conn,
                limit=page.limit + 1,
                after=after[0] if after else None,
                status=status,
                cause=cause,
                customer_id=customer_id,
                made_by=made_by,
                complaint_id=complaint_id,
            )
        return paged(items, page.limit)

    @router.get("/{promise_id}", summary="One promise", dependencies=[Depends(requires(*_READERS))])
    async def get_promise(promise_id: Id) -> Answer:
        async with desk.engine.connect() as conn:
            found = await reading.promise_of(conn, promise_id)
        if found is None:
            raise not_found("promise")
        return Answer(found)

    @router.post("", status_code=202, summary="Promise something without an escalation", description=_ABOUT)
    async def make_promise(body: NewPromise, by: Promising, ticket: Ticketed) -> Answer:
        if body.complaint_id is not None:
            await heard_of(desk, body.complaint_id)
        given = PromiseGiven(body.made_by, body.customer_id, body.complaint_id, body.wanted())
        return await desk.take(body.customer_id, given, handlers.promise, shape, ticket)

    @router.post("/{promise_id}/actions/{n}/done", summary="A promised action is done")
    async def action_done(promise_id: Id, n: Number, body: DoneBody, by: Doing, ticket: Ticketed) -> Answer:
        async with desk.engine.connect() as conn:
            customer_id = await reading.customer_of_promise(conn, promise_id)
        if customer_id is None:
            raise not_found("promise")
        act = ActionDone(promise_id, n, body.by, body.evidence)
        return await desk.take(customer_id, act, handlers.action_done, shape, ticket, status=200)

    return router


async def heard_of(desk: Desk, complaint_id: str) -> None:
    """Waits a moment for a complaint that ownership shows already, and whose event is still on its way here."""
    end = time.monotonic() + _ON_ITS_WAY_SECONDS
    while time.monotonic() < end:
        async with desk.engine.connect() as conn:
            if await reading.complaint_of(conn, complaint_id) is not None:
                return
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
