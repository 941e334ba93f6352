"""The world of the stories."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import ManualClock
from shared.kafka import Connection
from tests.given import policy
from tests.world import World, world_at


@pytest.fixture
async def world(engine: AsyncEngine, database_url: str, topics: Connection, clock: ManualClock) -> AsyncIterator[World]:
    """An empty world on a Monday morning."""
    async with world_at(engine, database_url, topics, clock, policy()) as made:
        yield made
