"""What can be read: complaints, their timelines and owners, how a due time came about, who holds how much."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ownership.store import reading
from services.ownership.store.reading import Filters, Found
from shared.auth import Principal, requires
from shared.contracts.ownership import Basis
from shared.fields import Id, Invalid
from shared.http import Answer, Page, Paged, Problem, StrictRoute, decode_cursor, encode_cursor
from shared.http.page import MOST_CURSOR
from shared.policy import Policy, PolicyError, proposed, version_named

from . import view
from .desk import Desk, no_such_complaint
from .doing import Name
from .explaining import EXPLAIN_TYPES, explained, supposed
from .explaining_executives import policies_of
from .ledger import whole_ledger

Reader = Annotated[Principal, Depends(requires("agent", "supervisor", "executive", "integration", "admin", "service"))]
#: closings that somebody of ours decided: who, and why, is shown with them
DECIDED: Final = ("withdrawn", "not_a_complaint", "merged")


def _plain(value: str | None) -> str | None:
    if value is not None and ("\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise Invalid("has characters that are not allowed")
    return value


_PLAIN: Final = AfterValidator(_plain)
Filter = Annotated[str | None, Query(max_length=200), _PLAIN]
PathId = Annotated[Id, Path()]


async def _views(desk: Desk, conn: AsyncConnection, found: list[Found]) -> list[dict[str, object]]:
    wanted = [agent_id for one in found for agent_id in view.agents_of(one.state)]
    names = await reading.names_of(conn, wanted) if wanted else {}
    decided = [one.state.id for one in found if one.state.basis in DECIDED]
    closings = await reading.closings(conn, decided) if decided else {}
    now = desk.clock.now()
    views = [view.listed(one, names, desk.pages, now) for one in found]
    # in what is read alone: the answers to acts are kept, and would outlive an erasure
    return [{**one, "closing": closings.get(str(one["id"]))} for one in views]


async def _page(desk: Desk, filters: Filters, page: Page) -> Answer:
    (after,) = page.after(str) or (None,)
    if after is not None and not reading.is_id(after):
        decode_cursor("!")  # the refusal of a cursor that is none of ours
    async with desk.reads.connect() as conn:
        found = list(await reading.listed(conn, filters, desk.clock.now(), after, page.limit + 1))
        items = await _views(desk, conn, found[: page.limit])
    more = len(found) > page.limit
    return Answer({"items": items, "next": encode_cursor([found[page.limit - 1].state.id]) if more else None})


def complaints(desk: Desk) -> APIRouter:
    """Lists and single complaints."""
    router = APIRouter(route_class=StrictRoute, tags=["complaints"])

    @router.get("/v1/complaints", summary="Complaints, latest opened first")
    async def listed(
        _: Reader,
        page: Paged,
        status: Annotated[Literal["open", "answered", "closed"] | None, Query()] = None,
        owner_id: Filter = None,
        customer_id: Filter = None,
        cause: Filter = None,
        overdue: Annotated[bool | None, Query()] = None,
        unowned: Annotated[bool | None, Query()] = None,
        basis: Annotated[Basis | None, Query(description="of a closing")] = None,
        succession_asked: Annotated[bool | None, Query(description="who follows the owner is undecided")] = None,
    ) -> Answer:
        asked = Filters(status, owner_id, customer_id, cause, overdue, unowned, basis, succession_asked)
        return await _page(desk, asked, page)

    @router.get("/v1/complaints/{name}", summary="One complaint, by id or reference")
    async def one(name: Name, _: Reader) -> Answer:
        async with desk.reads.connect() as conn:
            found = await reading.find(conn, name)
            if found is None:
                raise no_such_complaint()
            return Answer((await _views(desk, conn, [found]))[0])

    @router.get("/v1/complaints/{name}/timeline", summary="Everything that happened, in order")
    async def timeline(name: Name, _: Reader, page: Paged) -> Answer:
        complaint_id, _customer = await desk.where_is(name)
        (after,) = page.after(int) or (0,)
        async with desk.engine.connect() as conn:
            items, more = await reading.timeline(conn, complaint_id, min(max(after, 0), 2**31 - 1), page.limit)
        return Answer({"items": items, "next": None if more is None else encode_cursor([more])})

    @router.get("/v1/complaints/{name}/ownership", summary="Who held it, from when until when, and why")
    async def ownership(
        name: Name,
        _: Reader,
        limit: Annotated[int | None, Query(ge=1, le=200, description="all without it")] = None,
        cursor: Annotated[str | None, Query(max_length=MOST_CURSOR)] = None,
    ) -> Answer:
        complaint_id, _customer = await desk.where_is(name)
        (start,) = Page(cursor=cursor or None).after(int) or (0,)
        async with desk.engine.connect() as conn:
            whole = await whole_ledger(conn, complaint_id)
        # whole where nobody asks for less: owners without a gap are seen in one piece
        items = whole["items"][max(start, 0) :]
        shown = items[:limit]
        following = encode_cursor([max(start, 0) + len(shown)]) if len(shown) < len(items) else None
        return Answer({**whole, "items": shown, "next": following})

    @router.get("/v1/complaints/{name}/explain", summary="How a due time came about")
    async def explain(
        name: Name,
        _: Reader,
        clock: Annotated[str | None, Query(max_length=500, description="a kind of clock; all without it")] = None,
        what_if: Annotated[
            str | None,
            Query(
                max_length=500,
                description="a version of the policy, in force or proposed (`complaint-loop policy propose FILE`): "
                "answers what would be due, had the complaint been opened under it",
            ),
            _PLAIN,
        ] = None,
    ) -> Answer:
        found = await _found(desk, name)
        async with desk.engine.connect() as conn:
            told = await reading.told(conn, found.state.id, EXPLAIN_TYPES)
            await desk.pages.policies.learn(conn, [found.state.policy_version, *policies_of(told)])
            other = None if what_if is None else await _version(conn, what_if)
        if other is not None:
            return Answer(supposed(found.state, desk.pages.policies, other, told, clock))
        return Answer(explained(found.state, desk.pages.policies, told, clock))

    return router


def customers(desk: Desk) -> APIRouter:
    """What a customer went through."""
    router = APIRouter(route_class=StrictRoute, tags=["complaints"])

    @router.get("/v1/customers/{customer_id}/history", summary="A customer's complaints, latest first")
    async def history(customer_id: PathId, _: Reader, page: Paged) -> Answer:
        return await _page(desk, Filters(customer_id=customer_id), page)

    return router


async def _version(conn: AsyncConnection, version: str) -> Policy:
    try:
        found = await version_named(conn, version)
    except PolicyError:
        detail = "This version was written for another release and cannot be read by this one."
        raise Problem(409, "policy-version-unreadable", "Version cannot be read", detail) from None
    if found is None:
        detail = "There is no such version; `complaint-loop policy propose FILE` makes one known."
        raise Problem(404, "no-such-policy-version", "No such version", detail, versions=await proposed(conn))
    return found


async def _found(desk: Desk, name: str) -> Found:
    async with desk.engine.connect() as conn:
        found = await reading.find(conn, name)
    if found is None:
        raise no_such_complaint()
    return found
