"""Hears by what agents corrected: looks for new corrections and builds another hearing beside the one in use."""

from __future__ import annotations

import asyncio
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.listening import Ears
from services.intake.store import corrections


class Learning:
    """One loop in every process that hears."""

    def __init__(self, engine: AsyncEngine, ears: Ears) -> None:
        self._engine, self._ears = engine, ears
        self._edition: tuple[int, datetime | None] = (0, None)

    async def run_once(self) -> int:
        """Learns if there is anything new; answers 0, since there is nothing more to do at once."""
        async with self._engine.connect() as conn:
            edition = await corrections.edition(conn)
            if edition == self._edition:
                return 0
            rows = await corrections.examples(conn)
        examples = [(row.cause, row.text, row.locale) for row in rows]
        # a second or so of work for a hundred causes: not while everybody waits
        await asyncio.to_thread(self._ears.learn, examples)
        self._edition = edition
        return 0
