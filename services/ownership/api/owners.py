"""How much people hold, and who holds more than the policy wants. It is shown, and nothing is taken from anybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.ownership.store import loads, reading
from shared.http import Answer, Paged, StrictRoute, encode_cursor

from . import view
from .asking import PathId, Reader
from .desk import Desk


def owners(desk: Desk) -> APIRouter:
    """`/v1/owners`."""
    router = APIRouter(prefix="/v1/owners", route_class=StrictRoute, tags=["agents"])

    def limit() -> int:
        return desk.pages.policies.current.workload.open_at_most

    @router.get("/{owner_id}/workload", summary="How much somebody holds")
    async def workload(owner_id: PathId, _: Reader) -> Answer:
        async with desk.engine.connect() as conn:
            counted = await loads.workload(conn, owner_id, desk.clock.now())
            names = await reading.names_of(conn, [owner_id])
        most = limit()
        return Answer({"owner": view.agent(owner_id, names), **counted, "limit": most, "over": counted["open"] > most})

    @router.get("", summary="Who holds how much, by id; over=true: more open than the policy's limit")
    async def listed(_: Reader, page: Paged, over: Annotated[bool | None, Query()] = None) -> Answer:
        (after,) = page.after(str) or (None,)
        most = limit()
        async with desk.engine.connect() as conn:
            rows = await loads.owners(conn, desk.clock.now(), after, page.limit + 1, over=over, most=most)
        items = [_shown(row, most) for row in rows[: page.limit]]
        more = len(rows) > page.limit
        return Answer({"items": items, "next": encode_cursor([items[-1]["owner"]["id"]]) if more else None})

    return router


def _shown(row: Any, most: int) -> dict[str, Any]:
    counted = {name: row[name] for name in ("open", "answered", "overdue", "deputised", "departure_threats")}
    owner = {"id": row["owner_id"], "name": row["name"]}
    return {"owner": owner, "active": row["active"], **counted, "limit": most, "over": row["open"] > most}
