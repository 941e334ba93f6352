"""Which words the neighbours have to keep a little longer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from services.ownership.store import aging
from shared.auth import Principal, requires
from shared.fields import Body, Id, Instant
from shared.http import Answer, StrictRoute

from .desk import Desk

Neighbour = Annotated[Principal, Depends(requires("service"))]
Ids = Annotated[list[Id], Field(max_length=1_000)]


class NeededBody(Body):
    """Contacts and their customers; `before`: what was closed earlier than that needs its words no more."""

    before: Instant
    customer_ids: Ids
    contact_ids: Ids


def needing(desk: Desk) -> APIRouter:
    """The one route."""
    router = APIRouter(route_class=StrictRoute, tags=["complaints"])

    @router.post("/v1/words/needed", summary="Contacts whose complaint is not over: intake keeps their words")
    async def needed(body: NeededBody, _: Neighbour) -> Answer:
        async with desk.engine.connect() as conn:
            found = await aging.needed(conn, body.customer_ids, body.contact_ids, body.before)
        return Answer({"contact_ids": found})

    return router
