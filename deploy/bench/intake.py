"""`intake_post_ratio`: durable contacts a second against bare FastAPI with the same model. `intake_batch_copy_ratio`:
contacts a second in batches against COPY of the same rows."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from deploy.bench import load
from deploy.local.parts import start_postgres
from shared.auth import digest_of, key_id_of, mint
from shared.migrate import migrate

SECRET_KEY = "bench" * 10
_ROUNDS = 3
_SECONDS = 8.0
_BATCHES = 20
_ITEMS = 1_000


def run() -> Iterator[dict[str, Any]]:
    """Yields both figures; starts a PostgreSQL of its own, and intake as it is served alone."""
    with intake_served() as (port, key, url):
        yield _posts(port, key, url)
        yield _batches(port, key, url)


@contextmanager
def intake_served() -> Iterator[tuple[int, str, str]]:
    """Intake's API in a process of its own, on a PostgreSQL of its own: its port, a key, and the database's URL."""
    with tempfile.TemporaryDirectory() as folder, start_postgres(Path(folder)) as postgres:
        key = mint().key
        asyncio.run(_prepared(postgres.url, key))
        with served("services.__main__", "serve", "intake", "--only", "api", url=postgres.url) as port:
            yield port, key, postgres.url


async def _prepared(url: str, key: str) -> None:
    """Tables, and a key that is limited by nothing."""
    await migrate(url)
    conn = await asyncpg.connect(url)
    await conn.execute(
        "insert into access.api_keys (id, name, scopes, digest, per_second) "
        "values ($1, 'bench', '{intake}', $2, 1000000)",
        key_id_of(key),
        digest_of(key),
    )
    await conn.close()


@contextmanager
def served(module: str, *words: str, url: str = "", listens: bool = True) -> Iterator[int]:
    """A server process on a free port; `{port}` among the words is it. What `listens` to nothing is not waited for."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    environment = {
        **os.environ,
        "COMPLAINT_LOOP_DATABASE_URL": url,
        "COMPLAINT_LOOP_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "COMPLAINT_LOOP_SECRET_KEY": SECRET_KEY,
        "COMPLAINT_LOOP_PORT": str(port),
    }
    command = [sys.executable, "-m", module, *(word.format(port=port) for word in words)]
    process = subprocess.Popen(command, env=environment)
    try:
        deadline = time.monotonic() + 30
        while listens:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{module} did not start") from None
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _posts(port: int, key: str, url: str) -> dict[str, Any]:
    ratios, durable, bare = [], [], []
    with served("deploy.bench.bare", "{port}") as other:
        load.drive(other, 2, key)
        load.drive(port, 3, key)
        asyncio.run(_analyzed(url))
        # one after the other, several times: the machine is warm and equally busy for both
        for _ in range(_ROUNDS):
            bare.append(load.drive(other, _SECONDS, key))
            durable.append(load.drive(port, _SECONDS, key))
            ratios.append(durable[-1]["per_second"] / bare[-1]["per_second"])
        heard = load.drive(port, _SECONDS, key, stated=False)
    middle = sorted(durable, key=lambda one: one["per_second"])[_ROUNDS // 2]
    return {
        "figure": "intake_post_ratio",
        "value": round(statistics.median(ratios), 3),
        "unit": f"of bare FastAPI's requests/s, {load.CONNECTIONS} connections, one worker each",
        "against": {
            "durable_per_s": round(middle["per_second"]),
            "bare_fastapi_per_s": round(statistics.median(one["per_second"] for one in bare)),
            "durable_per_s_where_signals_are_heard_in_the_text": round(heard["per_second"]),
            "durable_ms": {name: round(middle[f"{name}_ms"], 1) for name in ("p50", "p99") if f"{name}_ms" in middle},
        },
    }


def _batches(port: int, key: str, url: str) -> dict[str, Any]:
    rates = []
    with httpx.Client(timeout=60) as client:
        for turn in range(_ROUNDS):
            asyncio.run(_emptied(url))
            posted = [
                b"\n".join(load.contact(number, f"batch{turn}") for number in range(start, start + _ITEMS))
                for start in range(0, _BATCHES * _ITEMS, _ITEMS)
            ]
            headers = {"authorization": f"Bearer {key}", "content-type": "application/x-ndjson"}
            began = time.perf_counter()
            for body in posted:
                answer = client.post(f"http://127.0.0.1:{port}/v1/contacts/batch", content=body, headers=headers)
                answer.raise_for_status()
            rates.append(_BATCHES * _ITEMS / (time.perf_counter() - began))
            assert all("contact_id" in one for one in json.loads(answer.content)["results"])
    copied = asyncio.run(_copied(url))
    return {
        "figure": "intake_batch_copy_ratio",
        "value": round(max(rates) / copied["all"], 3),
        "unit": "of the contacts/s that COPY writes with the same rows in the same tables",
        "against": {
            "batch_contacts_per_s": round(max(rates)),
            "copy_contacts_per_s": round(copied["all"]),
            "copy_of_table_contacts_alone_per_s": round(copied["contacts"]),
        },
    }


_WRITTEN = ("contacts", "customers", "responders", "events", "unsent")


async def _emptied(url: str) -> None:
    conn = await asyncpg.connect(url)
    await conn.execute("truncate " + ", ".join(f"intake.{table}" for table in (*_WRITTEN, "idempotency")))
    await conn.execute("vacuum analyze")
    await conn.close()


async def _analyzed(url: str) -> None:
    # what autovacuum does by itself within a minute: plans of empty tables are no good for full ones
    conn = await asyncpg.connect(url)
    await conn.execute("vacuum analyze")
    await conn.close()


async def _copied(url: str) -> dict[str, float]:
    """Contacts a second that COPY writes: with all the rows that the last batches left, and those of one table."""
    conn = await asyncpg.connect(url)
    kept: dict[str, list[Any]] = {}
    for table in _WRITTEN:
        kept[table] = [tuple(row) for row in await conn.fetch(f"select * from intake.{table}")]
    names = {table: list((await conn.fetchrow(f"select * from intake.{table} limit 1") or {}).keys()) for table in kept}
    await conn.close()
    rates: dict[str, float] = {}
    for what, tables in (("all", _WRITTEN), ("contacts", ("contacts",))):
        best = 0.0
        for _ in range(_ROUNDS):
            await _emptied(url)
            conn = await asyncpg.connect(url)
            began = time.perf_counter()
            # as the batches do: a thousand contacts a transaction
            share = {table: -(-len(kept[table]) // _BATCHES) for table in tables}
            for turn in range(_BATCHES):
                async with conn.transaction():
                    for table in tables:
                        rows = kept[table][turn * share[table] : (turn + 1) * share[table]]
                        if rows:
                            await conn.copy_records_to_table(
                                table, schema_name="intake", records=rows, columns=names[table]
                            )
            best = max(best, len(kept["contacts"]) / (time.perf_counter() - began))
            await conn.close()
        rates[what] = best
    return rates


if __name__ == "__main__":
    for figure in run():
        sys.stdout.write(f"{json.dumps(figure)}\n")
        sys.stdout.flush()
