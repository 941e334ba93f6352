"""How a service is put together: the parts that all three have in common, and the process that serves them.

A process takes any of the parts: `api` answers HTTP; `relay`, `consumer` and `timers` are loops (a service may have
more of its own). Nothing here knows what a service does.
"""

from __future__ import annotations

import asyncio
import gc
import resource
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Generic, TypeVar

import structlog
from fastapi import APIRouter, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.responses import Response

from shared.auth import KeyRing, fetch_from
from shared.auth.oidc import OidcDoor
from shared.clock import Clock
from shared.consumer import Consumer, Registry
from shared.contracts.envelope import topic_of
from shared.db import make_engine, role_of
from shared.faults import plan_from_environment
from shared.group import GroupCommit
from shared.http import StrictRoute, as_served, create_app
from shared.http.protocol import Limits
from shared.idempotency import KEPT_FOR, purge
from shared.inbox import parked_words
from shared.kafka import Connection, Producer, TopicReader
from shared.migrate import behind
from shared.outbox import Bell, Relay
from shared.policy import Policies, load_policy
from shared.retention import Part, Retention
from shared.runner import LedLoop, Listener, Loop, run
from shared.settings import Base
from shared.sign_in import sign_in_router
from shared.timers import Due
from shared.work import Book, Corridor, Input

log = structlog.get_logger()
#: files, connections to PostgreSQL, Kafka and other services
_OWN_DESCRIPTORS = 200
B = TypeVar("B", bound=Book)


@dataclass
class Assembly:
    """What a service brings into a process."""

    name: str
    routers: list[APIRouter] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    background: list[Callable[[asyncio.Event], Coroutine[Any, Any, None]]] = field(default_factory=list)
    on_stop: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    ready: Callable[[], Awaitable[list[str]]] | None = None


class Machinery(Generic[B]):
    """The corridor of one service and the loops that feed and empty it.

    `parts` says which loops run in this process; `topics` and `registry` are what the consumer reads; `when` turns a
    deadline that has come into an input.
    """

    def __init__(
        self,
        service: str,
        settings: Base,
        clock: Clock,
        store: Any,
        parts: frozenset[str],
        *,
        topics: Sequence[str] = (),
        registry: Registry | None = None,
        when: Callable[[Due], Input[Any]] | None = None,
    ) -> None:
        self.service, self.clock, self.parts = service, clock, parts
        self.connection = Connection(settings.kafka_bootstrap_servers, settings.kafka_security())
        role = role_of(service) if settings.database_roles else None
        self.engine: AsyncEngine = make_engine(
            settings.database_url, role=role, size=8, name=f"complaint-loop-{service}"
        )
        self.corridor: Corridor[Any] = Corridor(service, self.engine, clock, store)
        self.group: GroupCommit[Any] = GroupCommit(self.corridor)
        self.loops: list[Loop] = []
        self.on_stop: list[Callable[[], Awaitable[None]]] = []
        self._bells: dict[str, list[Bell]] = {}
        self._url, self._store = settings.database_url, store
        if "relay" in parts:
            self._add_relay(store)
        if "consumer" in parts and topics:
            self._add_consumer(store, list(topics), registry or {})
        if "timers" in parts:
            self._add_forgetting()
            if when is not None:
                self._add_timers(when)

    def bell(self, channel: str) -> Bell:
        """A bell that `work.ring(channel)`, in any process, rings here."""
        bell = Bell()
        self._bells.setdefault(channel, []).append(bell)
        return bell

    def retain(self, policies: Policies, parts: Sequence[Part]) -> None:
        """A loop that lets go of old words: those of the service's `parts`, and of what it has parked."""
        every = [*parts, parked_words(self._store.parked)]
        retention = Retention(self.service, self.engine, self.clock, policies, every)
        self.loops.append(Loop(f"{self.service}.retention", retention.run_once, tick=60))

    def led_loop(
        self, name: str, key: int, work: Callable[[AsyncConnection], Awaitable[int]], *, tick: float, bell: Bell
    ) -> Loop:
        """A loop that one process at a time runs, over a connection of its own."""
        led = LedLoop(self.engine, key, work)
        loop = Loop(name, led.run_once, tick=tick, bell=bell)
        self.loops.append(loop)
        self.on_stop.append(led.resign)
        return loop

    def assembly(self, routers: Sequence[APIRouter] = ()) -> Assembly:
        """What this service brings into the process, so far; its listener hears the bells asked for until now."""
        background: list[Callable[[asyncio.Event], Coroutine[Any, Any, None]]] = []
        if self._bells:
            background.append(Listener(self._url, self._bells).run)
        stops = [*self.on_stop, self.engine.dispose]
        return Assembly(self.service, list(routers), self.loops, background, stops, self.ready)

    async def ready(self) -> list[str]:
        """What is missing for this service to work; Kafka is not asked for, because a contact is taken without it."""
        try:
            async with asyncio.timeout(2), self.engine.connect() as conn:
                await conn.execute(text("select 1"))
                return [f"migrations of {self.service}"] if await behind(conn, self.service) else []
        except Exception as error:  # every reason is an answer here: it is named, and asked again
            log.warning("not_ready", service=self.service, error=type(error).__name__)
            return [f"the database for {self.service}"]

    def _add_relay(self, store: Any) -> None:
        producer = Producer(self.connection)
        relay = Relay(
            self.engine,
            store.events,
            store.unsent,
            source=f"urn:complaint-loop:{self.service}",
            topic=topic_of(self.service),
            producer=producer,
        )
        bell = self.bell(f"{self.service}_unsent")
        self.led_loop(f"{self.service}.relay", relay.lock_key, relay.run_once, tick=1.0, bell=bell)
        self.on_stop.append(producer.stop)

    def _add_consumer(self, store: Any, topics: list[str], registry: Registry) -> None:
        reader = TopicReader(self.connection, topic_of(self.service), topics)
        producer = Producer(self.connection)
        consumer: Consumer[Any] = Consumer(
            self.corridor, reader, registry, parked=store.parked, producer=producer, wait=0.5
        )
        # a poll waits by itself, so the loop asks again at once
        self.loops.append(Loop(f"{self.service}.consumer", _busy(consumer.run_once), tick=0.01))
        self.loops.append(Loop(f"{self.service}.parked", consumer.retry_parked, tick=1.0))
        self.on_stop += [consumer.stop, producer.stop]

    def _add_timers(self, when: Callable[[Due], Input[Any]]) -> None:
        async def sweep() -> int:
            return await self.corridor.sweep(when)

        self.loops.append(Loop(f"{self.service}.timers", sweep, tick=0.25))

    def _add_forgetting(self) -> None:
        async def forget() -> int:
            async with self.engine.begin() as conn:
                return await purge(conn, self.corridor.store.idempotency, self.clock.now() - KEPT_FOR)

        self.loops.append(Loop(f"{self.service}.forget", forget, tick=600))


def _busy(run_once: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
    async def work() -> int:
        await run_once()
        return 1

    return work


def open_policies(settings: Base, clock: Clock) -> Policies:
    """The policy of this installation and all its former versions; raises PolicyError."""
    policy = load_policy(settings.policy_file)

    async def read() -> Policies:
        engine = make_engine(settings.database_url, size=1)
        try:
            return await Policies.open(engine, policy, clock.now())
        finally:
            await engine.dispose()

    return asyncio.run(read())


def keyring(settings: Base, clock: Clock, engine: AsyncEngine) -> KeyRing:
    """Who may ask: the keys of this installation."""
    doors: list[OidcDoor] = []
    if settings.oidc_issuer and settings.oidc_audience:
        doors.append(OidcDoor(settings.oidc_issuer, settings.oidc_audience, settings.oidc_scope_claim, clock))
    return KeyRing(fetch_from(engine), clock, secret_key=settings.secret_key.get_secret_value(), doors=doors)


def application(assemblies: Sequence[Assembly], ring: KeyRing, settings: Base, *, lifespan: Any = None) -> FastAPI:
    """One application of several services, under the same paths as when each has a port of its own."""
    from shared.contracts.asyncapi import document

    async def ready() -> list[str]:
        answers = await asyncio.gather(*(one.ready() for one in assemblies if one.ready is not None))
        return [missing for answer in answers for missing in answer]

    described = APIRouter(tags=["operation"], route_class=StrictRoute)

    @described.get("/asyncapi.yaml", summary="The topics and their events", response_class=Response)
    async def asyncapi() -> Response:
        return Response(document(), media_type="application/yaml")

    app = create_app(
        title="Complaint Loop",
        version=version("complaint-loop"),
        description="Every complaint has one owner until the customer says it is solved.",
        routers=[
            *(router for one in assemblies for router in one.routers),
            described,
            sign_in_router(settings, ring.clock),
        ],
        ready=ready,
        lifespan=lifespan,
    )
    app.state.keyring = ring
    return app


def serve(assemblies: Sequence[Assembly], settings: Base, ring: KeyRing) -> None:
    """Runs everything until SIGTERM or SIGINT."""
    import uvloop

    plan_from_environment()
    app = application(assemblies, ring, settings) if any(one.routers for one in assemblies) else None
    # requests leave hundreds of objects each that count references alone lets go: looked through every 700, they cost a
    # seventh of the work
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            run(
                app=None if app is None else as_served(app),
                host=settings.host,
                port=settings.port,
                loops=[loop for one in assemblies for loop in one.loops],
                background=[work for one in assemblies for work in one.background],
                on_stop=[stop for one in assemblies for stop in one.on_stop],
                limits=Limits(settings.header_seconds, _connections(settings.connections)),
            )
        )


def _connections(wanted: int) -> int:
    """How many may be open: as many as there are descriptors for, besides those that the process needs itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted + _OWN_DESCRIPTORS:
        most = wanted + _OWN_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, wanted + _OWN_DESCRIPTORS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return max(1, min(wanted, most - _OWN_DESCRIPTORS))
    return wanted
