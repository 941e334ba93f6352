"""The loop that lets go of words as old as the policy keeps texts (`retention: {texts}`)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.store import aging
from shared.clock import Clock
from shared.policy import Policies

#: rows of one transaction, and transactions of one run: nobody waits for those who forget
_MOST, _TURNS = 500, 20


class Retention:
    """Ids, codes and times stay: what is counted and proved from them is the same as before."""

    def __init__(self, engine: AsyncEngine, clock: Clock, policies: Policies) -> None:
        self._engine, self._clock, self._policies = engine, clock, policies

    async def run_once(self) -> int:
        """Forgets a part of what is over; answers how many contacts and responses it was."""
        before = self._clock.now() - self._policies.current.retention.texts.delta
        gone = 0
        for _ in range(_TURNS):
            async with self._engine.begin() as conn:
                done = await aging.forget(conn, before, _MOST)
            gone += done
            if not done:
                break
        return gone
