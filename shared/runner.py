"""API and loops in one process: started together, stopped in order, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import asyncpg
import structlog
import uvicorn
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db import is_transient
from shared.http.protocol import Limits, Protocol, close_late
from shared.kafka import KafkaError, StalledError
from shared.outbox import Bell, try_lead

log = structlog.get_logger()


class Loop:
    """A loop is `run_once() -> count` plus a ticker: work until there is none, then wait for a bell or a tick."""

    def __init__(
        self, name: str, run_once: Callable[[], Awaitable[int]], *, tick: float, bell: Bell | None = None
    ) -> None:
        self.name, self._run_once, self._tick, self._bell = name, run_once, tick, bell or Bell()

    async def run(self, stopping: asyncio.Event) -> None:
        """Runs until `stopping`; a failure is named, waited out and tried again."""
        failures = 0
        while not stopping.is_set():
            try:
                worked = await self._run_once()
                failures = 0
            except StalledError:
                raise
            except Exception as error:
                failures += 1
                level = log.warning if is_transient(error) or isinstance(error, KafkaError) else log.error
                level(
                    "loop_failed",
                    loop=self.name,
                    error=type(error).__name__,
                    detail=_first_line(error),
                    failures=failures,
                )
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(10.0, 0.2 * 2 ** min(failures, 6)) * random.uniform(0.5, 1)):
                        await stopping.wait()
                continue
            if not worked and not stopping.is_set():
                await self._bell.wait(self._tick)

    def wake(self) -> None:
        """Ends the present wait."""
        self._bell.ring()


def _first_line(error: Exception) -> str:
    # SQLAlchemy's messages carry the statement and its parameters after the first line: those may be a customer's words
    return str(error).split("\n", 1)[0][:200]


class LedLoop:
    """A loop that only the leader runs: it holds a session lock on a connection of its own, and works over it."""

    def __init__(self, engine: AsyncEngine, key: int, work: Callable[[AsyncConnection], Awaitable[int]]) -> None:
        self._engine, self._key, self._work = engine, key, work
        self._conn: AsyncConnection | None = None

    async def run_once(self) -> int:
        """Leads if nobody else does, and works; 0 while another process leads."""
        if self._conn is None:
            conn = await self._engine.connect()
            try:
                led = await try_lead(conn, self._key)
            except BaseException:
                await conn.invalidate()
                await conn.close()
                raise
            if not led:
                await conn.close()
                await asyncio.sleep(0.5)
                return 0
            self._conn = conn
        try:
            return await self._work(self._conn)
        except BaseException:
            await self.resign()
            raise

    async def resign(self) -> None:
        """Gives the leadership up: the lock goes with the connection."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(Exception):
                await conn.invalidate()
            with contextlib.suppress(Exception):
                await conn.close()


class Listener:
    """Hears other processes' commits (LISTEN) and rings the bells of this one; joins again when the connection ends."""

    def __init__(self, url: str, bells: dict[str, list[Bell]]) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._bells = bells

    async def run(self, stopping: asyncio.Event) -> None:
        """Listens until `stopping`."""
        while not stopping.is_set():
            conn = None
            try:
                conn = await asyncpg.connect(self._url, timeout=5)
                lost = asyncio.Event()
                conn.add_termination_listener(lambda _, lost=lost: lost.set())
                for channel in self._bells:
                    await conn.add_listener(channel, self._heard)
                await _either(stopping, lost)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await stopping.wait()
            finally:
                if conn is not None:
                    with contextlib.suppress(Exception):
                        await conn.close(timeout=1)

    def _heard(self, _conn: Any, _pid: int, channel: str, _payload: object) -> None:
        for bell in self._bells[channel]:
            bell.ring()


async def _either(first: asyncio.Event, second: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(first.wait()), asyncio.ensure_future(second.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: the runner stops it in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, of which one is enough to see who dawdles."""
        if counter % 10 == 0:
            close_late(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)


async def run(
    *,
    app: Any | None,
    host: str,
    port: int,
    loops: list[Loop],
    background: list[Callable[[asyncio.Event], Coroutine[Any, Any, None]]],
    on_stop: list[Callable[[], Awaitable[None]]],
    grace: float = 15,
    limits: Limits | None = None,
) -> None:
    """Serves `app` (if any) and runs the loops until SIGTERM or SIGINT; then stops taking, finishes, and leaves."""
    stopping = asyncio.Event()
    running = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(name, stopping.set)
    server: _Server | None = None
    tasks: list[asyncio.Task[Any]] = []
    if app is not None:
        server = _Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_level="warning",
                access_log=False,
                lifespan="on",
                http=type("Protocol", (Protocol,), {"limits": limits or Limits()}),
                ws="none",
                proxy_headers=False,  # nobody's address is asked for
                server_header=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=5,
                h11_max_incomplete_event_size=65_536,
                backlog=2048,
            )
        )
        tasks.append(asyncio.create_task(server.serve(), name="http"))
    tasks += [asyncio.create_task(loop.run(stopping), name=loop.name) for loop in loops]
    tasks += [asyncio.create_task(work(stopping)) for work in background]
    watch = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait([watch, *tasks], return_when=asyncio.FIRST_COMPLETED)
    failed = next((t for t in done if t is not watch and not t.cancelled() and t.exception()), None)
    stopping.set()
    if server is not None:
        server.should_exit = True
    for loop in loops:
        loop.wake()
    _, late = await asyncio.wait(tasks, timeout=grace) if tasks else (set(), set())
    for task in late:
        log.warning("stopped_late", task=task.get_name())
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for stop in on_stop:
        with contextlib.suppress(Exception):
            await stop()
    if failed is not None:
        error = failed.exception()
        assert error is not None
        raise error
