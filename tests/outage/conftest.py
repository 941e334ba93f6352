"""One running system for all tests of outages: each leaves it settled for the next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.outage.system import System


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The parts, migrated, with topics and keys; no service runs yet."""
    system = System(tmp_path_factory.mktemp("outage"))
    yield system
    system.stop()


@pytest.fixture
async def system(house: System) -> AsyncIterator[System]:
    """The system, running and ready."""
    await house.start()
    yield house
