"""The loop that keeps the ids of one person alike: what is learned under one is carried to the other.

What concerns another id is done under that id's own lock, as an input of its own: the id is the partition key.
"""

from __future__ import annotations

from services.intake.domain import Carried, Merge, Profile
from services.intake.handlers import on_carried, on_merge
from services.intake.store import Book, reading
from services.intake.store.keeping import customer_of
from shared.work import Corridor, Input

#: pairs of one look
_MOST = 200


class Merging:
    """Rung when two ids become one person's, or one of them is known better."""

    def __init__(self, corridor: Corridor[Book]) -> None:
        self._corridor = corridor

    async def run_once(self) -> int:
        """Carries profiles both ways, and tells of pairs that nobody was told of; answers how many pairs. Several at
        once do no harm."""
        async with self._corridor.engine.connect() as conn:
            untold = await reading.untold(conn, _MOST)
            pairs = await reading.unlike(conn, _MOST)
            ids = sorted({one for pair in pairs for one in pair})
            known = {row.id: customer_of(row).profile for row in await reading.customers_of(conn, ids)}
        inputs: list[Input[Book]] = [Input(one, Merge(one, into), on_merge) for one, into in untold]
        for one, other in pairs:
            for to, of in ((one, other), (other, one)):
                inputs.append(Input(to, Carried(to, known.get(of, Profile())), on_carried))
        for number in range(0, len(inputs), _MOST):
            await self._corridor.take(inputs[number : number + _MOST])
        return len(pairs) + len(untold)
