"""What intake would hear in a text; nothing is stored."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends

from services.intake.signals import Caller
from services.intake.store import reading
from shared.auth import Principal, requires
from shared.http import Answer, StrictRoute

from .bodies import SignalsBody
from .desk import Desk

Asker = Annotated[Principal, Depends(requires("intake", "agent", "supervisor", "admin"))]
_BREATH = 12


def hearing(desk: Desk) -> APIRouter:
    """The one route."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["signals"])

    @router.post("/signals", summary="What would be heard in these texts")
    async def signals(body: SignalsBody, _: Asker) -> Answer:
        whose = sorted({one.customer_id for one in body.items if one.customer_id is not None})
        async with desk.engine.connect() as conn:
            since = desk.clock.now() - desk.ears.repeat_within
            earlier = await reading.recent(conn, whose)
        heard = []
        for index, one in enumerate(body.items):
            if index % _BREATH == 0:
                await asyncio.sleep(0)
            before = [at for at in earlier.get(one.customer_id or "", ()) if at.occurred_at >= since]
            heard.append(desk.ears.hear(one.text, "", one.locale, Caller(), before))
        return Answer({"items": heard})

    return router
