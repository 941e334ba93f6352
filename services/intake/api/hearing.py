"""What intake would hear in a text; nothing is stored."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from services.intake.listening import Breath
from services.intake.signals import Caller, Earlier
from services.intake.store import reading
from shared.auth import Principal, requires
from shared.http import Answer, StrictRoute, to_json
from shared.idempotency import Ticketed
from shared.once import once

from .bodies import SignalsBody
from .desk import Desk

Asker = Annotated[Principal, Depends(requires("intake", "agent", "supervisor", "admin"))]


def hearing(desk: Desk) -> APIRouter:
    """The one route."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["signals"])

    @router.post("/signals", summary="What would be heard in these texts")
    async def signals(body: SignalsBody, _: Asker, ticket: Ticketed) -> Answer:
        return await once(desk.corridor, ticket, lambda: heard_in(body))

    async def heard_in(body: SignalsBody) -> bytes:
        whose = sorted({one.customer_id for one in body.items if one.customer_id is not None})
        since = desk.clock.now() - desk.ears.repeat_within
        earlier: dict[str, list[Earlier]] = {}
        if whose:
            async with desk.engine.connect() as conn:
                for row in await reading.recent(conn, whose):
                    if row.occurred_at >= since:
                        before = Earlier(row.id, row.text or "", row.cause, row.occurred_at)
                        earlier.setdefault(row.customer_id, []).append(before)
        heard, breath = [], Breath()
        for one in body.items:
            await breath.taken()
            heard.append(desk.ears.hear(one.text, "", one.locale, Caller(), earlier.get(one.customer_id or "", ())))
        return to_json({"items": heard})

    return router
