"""`webhook_ratio`: signed webhooks a second against posts of the same contacts. What was taken is understood and posted
by the loops in a process of their own, as `make run` has it, while more comes.

`python -m deploy.bench.hooks PORT SECONDS KEY|-` is the client: with a key it posts, without it sends webhooks.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from itertools import count
from typing import Any

import asyncpg

from deploy.bench import load
from deploy.bench.intake import SECRET_KEY, intake_served, served
from services.intake.adapters.pieces.shape import Endpoint
from services.intake.hooks.switchboard import sealed_row
from services.intake.store import deliveries
from shared.clock import SystemClock
from shared.db import make_engine

_ROUNDS = 3
_SECONDS = 6.0
_KEY = b"the key of a bench, of 32 bytes."
_ENDPOINT = Endpoint("standard-webhooks", "bench", "whsec_" + base64.b64encode(_KEY).decode())


def run() -> Iterator[dict[str, Any]]:
    """Yields the figure; starts a PostgreSQL of its own, intake's API, and its loops for hooks."""
    with intake_served() as (port, key, url):
        asyncio.run(_added(url))
        yield _measured(port, key, url)


def _measured(port: int, key: str, url: str) -> dict[str, Any]:
    _drive(port, 2, key)
    _drive(port, 2, "-")
    posted, hooked, ratios = [], [], []
    with _loops(url):
        for _ in range(_ROUNDS):
            posted.append(_drive(port, _SECONDS, key))
            hooked.append(_drive(port, _SECONDS, "-"))
            ratios.append(hooked[-1] / posted[-1])
            asyncio.run(_understood(url))
    return {
        "figure": "webhook_ratio",
        "value": round(statistics.median(ratios), 3),
        "unit": f"of the posts/s of the same contacts, {load.CONNECTIONS} connections, loops in a process beside",
        "against": {
            "webhooks_per_s": round(statistics.median(hooked)),
            "posts_per_s": round(statistics.median(posted)),
        },
    }


def _drive(port: int, seconds: float, key: str) -> float:
    command = [sys.executable, "-m", "deploy.bench.hooks", str(port), str(seconds), key]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    if found["errors"]:
        raise RuntimeError(f"{found['errors']} requests were not taken")
    return float(found["per_second"])


def webhooks() -> Iterator[bytes]:
    """Requests that carry the contacts of `load.posts`, signed."""
    run = uuid.uuid4().hex[:8]
    for number in count():
        body = b'{"type":"contact.reported","timestamp":"2026-03-02T09:00:00Z","data":%s}' % load.contact(number, run)
        message_id, sent = b"msg_%s_%d" % (run.encode(), number), b"%d" % time.time()
        signature = base64.b64encode(hmac.digest(_KEY, b"%s.%s.%s" % (message_id, sent, body), "sha256"))
        yield (
            b"POST /v1/hooks/standard-webhooks/bench HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            b"webhook-id: %s\r\nwebhook-timestamp: %s\r\nwebhook-signature: v1,%s\r\nContent-Length: %d\r\n\r\n%s"
        ) % (message_id, sent, signature, len(body), body)


async def _added(url: str) -> None:
    engine = make_engine(url, size=1)
    async with engine.begin() as conn:
        await deliveries.set_endpoint(conn, sealed_row(_ENDPOINT, SECRET_KEY), SystemClock().now())
    await engine.dispose()


def _loops(url: str) -> Any:
    return served("services.__main__", "serve", "intake", "--only", "hooks", url=url, listens=False)


async def _understood(url: str) -> None:
    """Waits until all that came is posted, so that every round begins with empty hands."""
    conn = await asyncpg.connect(url)
    waiting = (
        "select (select count(*) from intake.deliveries where state = 'new') + (select count(*) from intake.messages)"
    )
    for _ in range(600):
        if not await conn.fetchval(waiting):
            break
        await asyncio.sleep(0.2)
    else:
        raise RuntimeError("what came is not understood within two minutes")
    await conn.close()


if __name__ == "__main__":
    import uvloop

    port, seconds, key = sys.argv[1:]
    requests = webhooks() if key == "-" else load.posts(key, stated=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.write(json.dumps(runner.run(load.driven(int(port), float(seconds), requests))))
