"""`due_sweep_5m_ratio`: what a sweep of deadlines costs among five million open complaints, against ten thousand."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateIndex

from deploy.bench.alone import on_postgres
from deploy.bench.ownership import DUE, LATER, Sweeping
from services.ownership.handlers import TIMER
from services.ownership.store.tables import complaints, timers_rows
from shared.db import make_engine

FEW, MANY = 10_000, 5_000_000
SWEEPS = 23

_ID = "('01a2' || lpad(to_hex(n * 16), 8, '0') || substr(md5(n::text), 1, 20))::uuid"
# their states are never read: what is measured is that they are never come by
_COMPLAINTS = f"""
    insert into ownership.complaints (id, reference, customer_id, status, owner_id, cause, departure_threat, opened_at,
        owed_at, version, chain, state)
    select {_ID}, 'X-' || n, 'x-' || n, 'open', 'agent-' || n % 400, 'cause-' || n % 40, false, now(),
        $1::timestamptz + n * interval '1 second', 1, '', '{{}}'
    from generate_series(1, $2::bigint) n
"""
_TIMERS = f"""
    insert into ownership.timers (kind, subject_id, customer_id, lock, due_at)
    select $3, {_ID}::text, 'x-' || n, n, $1::timestamptz + n * interval '1 second'
    from generate_series(1, $2::bigint) n
"""


def run() -> Iterator[dict[str, Any]]:
    """Yields the figure; starts a PostgreSQL of its own."""
    yield on_postgres(_measured)


async def _measured(url: str) -> dict[str, Any]:
    """A sweep among few, one among many, and so on in turn: whatever else the machine does hits both."""
    other = url.rpartition("/")[0] + "/few"
    conn = await asyncpg.connect(url)
    await conn.execute("create database few")
    await conn.close()
    engines = make_engine(other), make_engine(url)
    few, many = (Sweeping(engine, timedelta(hours=3)) for engine in engines)
    await few.begin(_open(other, FEW))
    await many.begin(_open(url, MANY))
    pairs = [(await few.once(), await many.once()) for _ in range(SWEEPS)][3:]
    for engine in engines:
        await engine.dispose()
    return {
        "figure": "due_sweep_5m_ratio",
        "value": round(statistics.median(slow / quick for quick, slow in pairs), 3),
        "unit": f"time of a sweep of {DUE} due among {MANY:,} open complaints, against {FEW:,}",
        "against": {
            "most": 1.3,
            "few_ms": round(statistics.median(quick for quick, _ in pairs), 2),
            "many_ms": round(statistics.median(slow for _, slow in pairs), 2),
        },
    }


def _open(url: str, many: int) -> Callable[[AsyncEngine], Awaitable[None]]:
    """So many open complaints with their deadlines. Indexes are made afterwards, all at once."""

    async def fill(engine: AsyncEngine) -> None:
        tables = (complaints, timers_rows)
        async with engine.begin() as conn:
            for table in tables:
                for index in table.indexes:
                    await conn.run_sync(index.drop)
        conn = await asyncpg.connect(url)  # without the limits that statements of services have
        await conn.execute("set maintenance_work_mem = '256MB'")
        await conn.execute("alter table ownership.complaints drop constraint pk_complaints")
        await conn.execute("alter table ownership.timers drop constraint pk_timers")
        await conn.execute(_COMPLAINTS, LATER, many)
        await conn.execute(_TIMERS, LATER, many, TIMER)
        await conn.execute("alter table ownership.complaints add constraint pk_complaints primary key (id)")
        await conn.execute("alter table ownership.timers add constraint pk_timers primary key (kind, subject_id)")
        for table in tables:
            for index in sorted(table.indexes, key=lambda one: str(one.name)):
                await conn.execute(str(CreateIndex(index).compile(dialect=dialect())))  # type: ignore[no-untyped-call]
        await conn.execute("vacuum analyze")
        await conn.execute("checkpoint")
        await conn.close()

    return fill


if __name__ == "__main__":
    import sys

    for figure in run():
        sys.stdout.write(f"{figure}\n")
