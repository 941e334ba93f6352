"""Names of agents: events carry ids alone, so intake is asked for the names of those who became owners."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ownership.store.tables import agents
from shared.auth import service_token
from shared.clock import Clock

log = structlog.get_logger()

#: how many are asked for at once, and how long an agent that intake does not know is left alone
_AT_ONCE = 20
_ASK_AGAIN = timedelta(minutes=1)


class Names:
    """Fills in names that are missing. `run_once` answers how many it found."""

    def __init__(self, engine: AsyncEngine, clock: Clock, client: httpx.AsyncClient, secret_key: str) -> None:
        self._engine, self._clock, self._client, self._secret_key = engine, clock, client, secret_key

    async def run_once(self) -> int:
        """Asks for up to twenty names. Intake away: they are asked for again a minute later."""
        now = self._clock.now()
        async with self._engine.begin() as conn:
            waiting = (
                select(agents.c.id)
                .where(agents.c.name.is_(None), or_(agents.c.asked_at.is_(None), agents.c.asked_at < now - _ASK_AGAIN))
                .limit(_AT_ONCE)
                .with_for_update(skip_locked=True)
            )
            ids = list((await conn.execute(waiting)).scalars())
            if not ids:
                return 0
            await conn.execute(update(agents).where(agents.c.id.in_(ids)).values(asked_at=now))
        found = [await self._ask(agent_id, now) for agent_id in ids]
        known = [one for one in found if one is not None]
        async with self._engine.begin() as conn:
            for one in known:
                await conn.execute(
                    update(agents)
                    .where(agents.c.id == one["id"], agents.c.name.is_(None), agents.c.asked_at == now)
                    .values(name=one["name"], email=func.coalesce(agents.c.email, one.get("email")))
                )
        return len(known)

    async def _ask(self, agent_id: str, now: datetime) -> dict[str, Any] | None:
        token = service_token(self._secret_key, "ownership", now)
        try:
            path = f"/v1/responders/{quote(agent_id, safe='')}"
            answer = await self._client.get(path, headers={"Authorization": f"Bearer {token}"})
        except httpx.HTTPError as error:
            log.info("name_not_asked", error=type(error).__name__)
            return None
        if answer.status_code != 200:
            return None
        body = answer.json()
        return body | {"id": agent_id} if body.get("name") else None

    async def stop(self) -> None:
        """Lets go of the connections."""
        await self._client.aclose()
