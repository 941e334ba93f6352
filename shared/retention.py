"""The loop that lets go of words as old as the policy keeps texts (`retention: {texts}`), a part at a time.

Ids, codes, times and chains stay: what is counted and proved from them is the same as before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import Clock
from shared.policy import Policies
from shared.timers import customer_lock
from shared.transaction import by_hand, transaction

#: things of one transaction, and transactions of one run and kind: nobody waits for those who forget
MOST, _TURNS = 500, 20
#: subjects of one transaction: each has dozens of events
_SUBJECTS = 100

#: forgets at most so many things of before a time; answers how many it was. Several at once must not meet
Aged = Callable[[AsyncConnection, datetime, int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a customer's lock protects, and what is over at a time that only the tables know.

    `find(conn, before, most)` answers (id, customer_id) of what has been over since before `before`;
    `forget(conn, before, ids)` asks once more, under the locks, and answers how many it has let go of.
    """

    find: Callable[[AsyncConnection, datetime, int], Awaitable[Sequence[tuple[str, str]]]]
    forget: Callable[[AsyncConnection, datetime, Sequence[str]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Own:
    """What has a way of its own: `forget(before, most)` answers how many things it has let go of."""

    forget: Callable[[datetime, int], Awaitable[int]]


Part = Aged | Subjects | Own


class Retention:
    """`run_once` forgets a part of what is over; any number may run side by side, and each thing is forgotten once."""

    def __init__(
        self,
        service: str,
        engine: AsyncEngine,
        clock: Clock,
        policies: Policies,
        parts: Sequence[Aged | Subjects | Own],
    ) -> None:
        self._service, self._engine, self._by_hand = service, engine, by_hand(engine)
        self._clock, self._policies, self._parts = clock, policies, parts

    async def run_once(self) -> int:
        """Answers how many things it was."""
        before = self._clock.now() - self._policies.current.retention.texts.delta
        gone = 0
        for part in self._parts:
            for _ in range(_TURNS):
                done = await self._once(part, before)
                gone += done
                if not done:
                    break
        return gone

    async def _once(self, part: Part, before: datetime) -> int:
        if isinstance(part, Own):
            return await part.forget(before, MOST)
        if isinstance(part, Subjects):
            return await self._subjects(part, before)
        async with self._engine.begin() as conn:
            return await part(conn, before, MOST)

    async def _subjects(self, part: Subjects, before: datetime) -> int:
        async with self._engine.connect() as conn:
            found = await part.find(conn, before, _SUBJECTS)
        if not found:
            return 0
        locks = {customer_lock(self._service, customer_id) for _, customer_id in found}
        # whoever is busy with a customer goes first: what is theirs is left for the next run
        async with transaction(self._by_hand, try_for=sorted(locks)) as (conn, free):
            ids = [one for one, customer_id in found if customer_lock(self._service, customer_id) in free]
            return await part.forget(conn, before, ids) if ids else 0
