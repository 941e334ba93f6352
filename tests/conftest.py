"""The real parts that tests run on: one PostgreSQL and one Kafka a run, started when the first test asks for them.

`DATABASE_URL` and `KAFKA_BOOTSTRAP_SERVERS` (also with the prefix COMPLAINT_LOOP_) name others' instead; there every
test still has a database and topics of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.command.topics import declared
from shared import faults
from shared.clock import ManualClock
from shared.contracts import envelope
from shared.db import make_engine
from shared.kafka import Connection, create_topics
from shared.migrate import migrate
from tests.tally import Tally

_number = count(1)

# a broker that is away is what some tests are about: aiokafka says so a hundred times a second
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _given(name: str) -> str | None:
    return os.environ.get(name) or os.environ.get(f"COMPLAINT_LOOP_{name}")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL in which databases may be made."""
    if given := _given("DATABASE_URL"):
        yield given
        return
    from deploy.local.parts import start_postgres

    with start_postgres(tmp_path_factory.mktemp("postgres")) as postgres:
        yield postgres.url


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a Kafka."""
    if given := _given("KAFKA_BOOTSTRAP_SERVERS"):
        yield given
        return
    from deploy.local.parts import start_kafka

    with start_kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka.bootstrap_servers


async def _admin(server: str, statement: str) -> None:
    conn = await asyncpg.connect(server)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


def _apart(work: Coroutine[Any, Any, None]) -> None:
    # in a thread: asyncio.run would leave this one without the loop that pytest has given it
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database that every test's own is copied from."""
    name = f"complaint_loop_test_{os.getpid()}"
    _apart(_admin(postgres_server, f"create database {name}"))
    _apart(migrate(postgres_server.rpartition("/")[0] + f"/{name}"))
    yield name
    _apart(_admin(postgres_server, f"drop database if exists {name} with (force)"))


@pytest.fixture
async def database_url(postgres_server: str, template: str) -> AsyncIterator[str]:
    """A migrated, empty database for this test alone."""
    name = f"{template}_{next(_number)}"
    await _admin(postgres_server, f"create database {name} template {template}")
    yield postgres_server.rpartition("/")[0] + f"/{name}"
    await _admin(postgres_server, f"drop database if exists {name} with (force)")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to this test's database, as the user that owns it."""
    made = make_engine(database_url, size=12)
    yield made
    await made.dispose()


@pytest.fixture
async def topics(kafka_server: str, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """Topics of this test alone, as deploy/topics.yaml declares them: `topic_of` names them."""
    monkeypatch.setattr(envelope, "TOPIC_PREFIX", f"t{os.getpid()}-{next(_number)}.")
    connection = Connection(kafka_server, {})
    names = [envelope.topic_of(service) for service in ("intake", "ownership", "escalation")]
    config = declared(1)[0].config
    await create_topics(connection, [(name, 3, 1, config) for one in names for name in (one, f"{one}.parked")])
    return connection


@pytest.fixture
def clock() -> ManualClock:
    """A clock that only the test moves: Monday, 2 March 2026, 09:00 UTC."""
    return ManualClock()


@pytest.fixture(autouse=True)
def _no_faults_left() -> Iterator[None]:
    yield
    faults.clear()


@pytest.fixture
async def tally(engine: AsyncEngine, clock: ManualClock) -> Tally:
    """The machinery's own smallest service, empty."""
    made = Tally(engine, clock)
    await made.create()
    return made
