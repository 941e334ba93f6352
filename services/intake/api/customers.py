"""Customers and the people who answer them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request

from services.intake.domain import Carried, Erase, Merge, NewProfile, Profile
from services.intake.handlers import on_carried, on_erase, on_merge, on_profile
from services.intake.store import Book, changing, reading
from services.intake.store.keeping import customer_of
from shared.auth import Principal, requires
from shared.fields import Id
from shared.http import Answer, Problem, StrictRoute, checked, invalid, media_type, refused, to_json
from shared.idempotency import Ticketed
from shared.once import once
from shared.refusal import Refusal
from shared.work import Failed, Input

from . import view
from .batch import batch_of, items_of, take_each
from .bodies import PROFILE, MergeBody, ProfileBody
from .desk import Desk
from .reception import fields_of

Crm = Annotated[Principal, Depends(requires("intake", "integration", "admin"))]
Eraser = Annotated[Principal, Depends(requires("supervisor", "integration", "admin"))]
Reader = Annotated[Principal, Depends(requires("intake", "agent", "supervisor", "admin", "integration", "service"))]
Forgetter = Annotated[Principal, Depends(requires("supervisor", "admin"))]
PathId = Annotated[Id, Path()]


_MERGING = (
    "What is known under either id is known under both, also what is learned later, and whoever erases one erases "
    "both. Contacts and complaints stay under the id that they came with, and so do their owners; both are listed "
    "under either. From then on a contact under one joins or repeats what is open under the other, and breaks promises "
    "made to it. `into: null` takes the two apart."
)


def _learned(result: Any) -> bytes:
    return to_json({"customer_id": result.kept.id})


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

    def profile_of(customer_id: str, body: ProfileBody) -> Input[Book]:
        new = NewProfile(customer_id, fields_of(body), body.occurred_at or desk.clock.now())
        return Input(customer_id, new, on_profile)

    def item_of(value: Any) -> Input[Book]:
        item = checked(PROFILE, value)
        return profile_of(item.id, item)

    @router.post("/customers/batch", summary="Up to 1,000 profiles at once", openapi_extra=batch_of("ProfileBody"))
    async def batch(request: Request, _: Crm, ticket: Ticketed) -> Answer:
        items = items_of(await request.body(), media_type(request))
        return await take_each(desk, request, ticket, items, item_of, _learned)

    @router.post("/customers/{customer_id}/merge", summary="Two ids of one person", description=_MERGING)
    async def merge(customer_id: PathId, body: MergeBody, _: Crm, ticket: Ticketed) -> Answer:
        if body.into == customer_id:
            raise invalid(("/into", "must be another id"))

        async def merged() -> bytes:
            # with the lock of the other one as well, so that two who merge each other's ids do not both succeed
            both: list[Input[Book]] = [Input(customer_id, Merge(customer_id, body.into), on_merge)]
            if body.into is not None:
                both.append(Input(body.into, Carried(body.into, Profile()), on_carried))
            result = (await desk.corridor.take(both))[0]
            if isinstance(result, Failed):
                raise result.error
            if isinstance(result, Refusal):
                raise refused(result)
            # without words and names: the answer is kept for repeated requests
            return to_json({"id": customer_id, "merged_into": result.merged_into})

        return await once(desk.corridor, ticket, merged)

    @router.put("/customers/{customer_id}", summary="What a CRM knows of a customer")
    async def put(customer_id: PathId, body: ProfileBody, _: Crm) -> Answer:
        return Answer(view.customer(await take(profile_of(customer_id, body))))

    @router.get("/customers/{customer_id}", summary="A customer's profile")
    async def get(customer_id: PathId, _: Reader) -> Answer:
        async with desk.engine.connect() as conn:
            ids = await reading.same_person(conn, customer_id)
            for row in await reading.customers_of(conn, [customer_id]):
                return Answer({**view.customer(customer_of(row)), "ids": ids})
            spoke = await reading.recent(conn, [customer_id])
        if not spoke:
            raise _missing("customer")
        return Answer({**view.customer(Book(desk.ears).customer(customer_id)), "ids": ids})

    @router.delete("/customers/{customer_id}", status_code=202, summary="Forget a customer")
    async def delete(customer_id: PathId, _: Eraser) -> Answer:
        async with desk.engine.connect() as conn:
            ids = await reading.same_person(conn, customer_id)
        erased_at = await take(Input(customer_id, Erase(customer_id), on_erase))
        for other in ids:
            if other != customer_id:
                await desk.group.take_one(Input(other, Erase(other), on_erase))
        return Answer({"customer_id": customer_id, "erased_at": erased_at}, 202)

    @router.get("/responders/{responder_id}", summary="Name and address of somebody who answered customers")
    async def responder(responder_id: PathId, _: Reader) -> Answer:
        async with desk.engine.connect() as conn:
            row = await reading.responder(conn, responder_id)
        if row is None:
            raise _missing("responder")
        return Answer({"id": row.id, "name": row.name, "email": row.email})

    @router.delete("/responders/{responder_id}", summary="Forget name and address of somebody who answered customers")
    async def forget_responder(responder_id: PathId, _: Forgetter) -> Answer:
        async with desk.engine.begin() as conn:
            if not await changing.forget_responder(conn, responder_id, desk.clock.now()):
                raise _missing("responder")
        return Answer({"id": responder_id, "name": None, "email": None})

    return router
