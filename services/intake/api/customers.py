"""Customers and the people who answer them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from services.intake.domain import Erase, NewProfile
from services.intake.handlers import on_erase, on_profile
from services.intake.store import Book, reading
from services.intake.store.keeping import customer_of
from shared.auth import Principal, requires
from shared.fields import Id
from shared.http import Answer, Problem, StrictRoute, refused
from shared.refusal import Refusal
from shared.work import Input

from . import view
from .bodies import ProfileBody
from .desk import Desk
from .reception import fields_of

Crm = Annotated[Principal, Depends(requires("intake", "integration", "admin"))]
Eraser = Annotated[Principal, Depends(requires("supervisor", "integration", "admin"))]
Reader = Annotated[Principal, Depends(requires("intake", "agent", "supervisor", "admin", "integration", "service"))]
PathId = Annotated[Id, Path()]


def _missing(what: str) -> Problem:
    return Problem(404, "not-found", "Not found", f"There is no such {what}.")


def people(desk: Desk) -> APIRouter:
    """Profiles, erasure, and names of those who answer."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["customers"])

    async def take(one: Input[Book]) -> Any:
        result = await desk.group.take_one(one)
        if isinstance(result, Refusal):
            raise refused(result)
        return result

    @router.put("/customers/{customer_id}", summary="What a CRM knows of a customer")
    async def put(customer_id: PathId, body: ProfileBody, _: Crm) -> Answer:
        new = NewProfile(customer_id, fields_of(body), body.occurred_at or desk.clock.now())
        return Answer(view.customer(await take(Input(customer_id, new, on_profile))))

    @router.get("/customers/{customer_id}", summary="A customer's profile")
    async def get(customer_id: PathId, _: Reader) -> Answer:
        async with desk.engine.connect() as conn:
            for row in await reading.customers_of(conn, [customer_id]):
                return Answer(view.customer(customer_of(row)))
            spoke = await reading.recent(conn, [customer_id])
        if not spoke:
            raise _missing("customer")
        return Answer(view.customer(Book(desk.ears).customer(customer_id)))

    @router.delete("/customers/{customer_id}", status_code=202, summary="Forget a customer")
    async def delete(customer_id: PathId, _: Eraser) -> Answer:
        erased_at = await take(Input(customer_id, Erase(customer_id), on_erase))
        return Answer({"customer_id": customer_id, "erased_at": erased_at}, 202)

    @router.get("/responders/{responder_id}", summary="Name and address of somebody who answered customers")
    async def responder(responder_id: PathId, _: Reader) -> Answer:
        async with desk.engine.connect() as conn:
            row = await reading.responder(conn, responder_id)
        if row is None:
            raise _missing("responder")
        return Answer({"id": row.id, "name": row.name, "email": row.email})

    return router
