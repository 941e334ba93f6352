"""64 connections that post contacts as fast as they are answered: wrk where it is installed, else a client of our own.

`python -m deploy.bench.load PORT SECONDS KEY [unstated] [PER_SECOND]` prints `{"per_second", "errors"}` of our own
client, which posts at an even rate where one is given. Every
contact is new, of one of twenty thousand customers of the run, in words of a few kinds, and has an Idempotency-Key of
its own. Its signals are stated by the caller, as tools with forms do, or left to be heard.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import cast

CONNECTIONS = 64
_STEADY_CONNECTIONS = 16
#: of one run; each run has its own, and some of them come back within it
_CUSTOMERS = 20_011
_TEXTS = (
    "Hello, my router has dropped the connection every evening this week. I restarted it twice, as your page says, "
    "and it comes back for an hour. Could somebody please look at the line?",
    "Thanks a lot, the new card arrived this morning and works.",
    "This is the third time I write about the same invoice. You charged me twice and nobody answers. If this is not "
    "put right by Friday I will cancel my contract and go somewhere else.",
    "Where can I see how much of my data volume is left for this month?",
    "The technician did not come although I took a day off for it. I waited from eight to five. Nobody called. "
    "I am really disappointed, and I would like to know who pays for this.",
    "Can you tell me the opening hours of your shop near the station on Saturdays?",
)


def bodies(stated: bool) -> list[tuple[bytes, bytes]]:
    """Contacts as (before, after) the customer's number, with `#` for their own."""
    found = []
    for number, text in enumerate(_TEXTS * 4):
        customer = {"id": "~", "name": "Li Wei", "email": "li@example.com", "tier": "gold", "region": "default"}
        body: dict[str, object] = {
            "source": "bench",
            "source_event_id": "#",
            "occurred_at": "2026-03-02T09:00:00Z",
            "channel": ("email", "phone", "chat")[number % 3],
            "customer": customer if number % 2 else {"id": "~"},
            "responder": {"id": f"agent-{number}"} if number % 3 else None,
            "conversation_id": "v-#",
            "subject": "About my contract",
            "text": text,
        }
        if stated:
            body |= {
                "complaint": number % 2 == 0,
                "departure_threat": False,
                "cause": "router-drops",
                "need": "must_have",
            }
        raw = json.dumps({name: value for name, value in body.items() if value is not None})
        found.append(raw)
    return [tuple(raw.encode().split(b"~")) for raw in found]  # type: ignore[misc]


def contact(number: int, run: str, stated: bool = True) -> bytes:
    """The contact of a number, of this run."""
    raw = _RAW[stated][number % len(_RAW[stated])]
    own = f"{run}-{number}".encode()
    customer = f"c-{run}-{number * 7919 % _CUSTOMERS}".encode()
    return raw[0].replace(b"#", own) + customer + raw[1].replace(b"#", own)


_RAW = {stated: bodies(stated) for stated in (True, False)}
_LUA = """
local before, after, n, run = {%(before)s}, {%(after)s}, 0, "%(run)s"
local headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer %(key)s"}
request = function()
  n = n + 1
  local i = n %% #before + 1
  local own = run .. "-" .. n
  headers["Idempotency-Key"] = own
  local body = before[i]:gsub("#", own) .. "c-" .. run .. "-" .. (n * 7919 %% %(customers)d) .. after[i]:gsub("#", own)
  return wrk.format("POST", "/v1/contacts", headers, body)
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.stderr:write(string.format('{"per_second": %%f, "errors": %%d, "p50_ms": %%f, "p99_ms": %%f}',
    summary.requests / (summary.duration / 1e6), e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


def drive(port: int, seconds: float, key: str, stated: bool = True) -> dict[str, float]:
    """Posts for so long; answers requests per second. Raises RuntimeError if any was refused."""
    if shutil.which("wrk"):
        found = _wrk(port, seconds, key, stated)
    else:
        words = [str(port), str(seconds), key, *([] if stated else ["unstated"])]
        command = [sys.executable, "-m", "deploy.bench.load", *words]
        found = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    if found["errors"]:
        raise RuntimeError(f"{found['errors']:.0f} requests were not taken")
    return found


def steady(port: int, seconds: float, key: str, per_second: float) -> subprocess.Popen[str]:
    """Begins to post at an even rate, in a process of its own; its output is what `drive` answers."""
    command = [sys.executable, "-m", "deploy.bench.load", str(port), str(seconds), key, str(per_second)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _wrk(port: int, seconds: float, key: str, stated: bool) -> dict[str, float]:
    def quoted(parts: list[bytes]) -> str:
        return ", ".join(json.dumps(part.decode()) for part in parts)

    script = _LUA % {
        "before": quoted([raw[0] for raw in _RAW[stated]]),
        "after": quoted([raw[1] for raw in _RAW[stated]]),
        "run": uuid.uuid4().hex[:8],
        "key": key,
        "customers": _CUSTOMERS,
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{round(seconds)}s", "-s", file.name]
        done = subprocess.run([*command, f"http://127.0.0.1:{port}"], capture_output=True, check=True, text=True)
    found: dict[str, float] = json.loads(done.stderr)
    return found


class _Client(asyncio.Protocol):
    """One connection: the next request leaves when the answer to the last is whole."""

    def __init__(self, posts: Iterator[bytes], end: float, seen: deque[bool], pause: float = 0.0) -> None:
        self._posts, self._end, self._seen = posts, end, seen
        #: seconds from one request to the next, where it is not as fast as they are answered
        self._pause, self._next = pause, time.perf_counter()
        self._answer = b""
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        self._post()

    def _post(self) -> None:
        self._transport.write(next(self._posts))

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self._seen.append(head.startswith((b"HTTP/1.1 202", b"HTTP/1.1 200")))
        self._answer = b""
        now = time.perf_counter()
        if now >= self._end:
            self._transport.close()
        elif self._pause:
            self._next = max(self._next + self._pause, now)
            asyncio.get_running_loop().call_later(self._next - now, self._post)
        else:
            self._post()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_result(None)


def posts(key: str, stated: bool) -> Iterator[bytes]:
    """Requests that post a contact each."""
    run = uuid.uuid4().hex[:8]
    head = (
        b"POST /v1/contacts HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: Bearer "
        + key.encode()
        + b"\r\nIdempotency-Key: %s-%d\r\nContent-Length: %d\r\n\r\n"
    )
    for number in count():
        body = contact(number, run, stated)
        yield head % (run.encode(), number, len(body)) + body


async def driven(port: int, seconds: float, requests: Iterator[bytes], per_second: float = 0) -> dict[str, float]:
    """Sends these requests for so long, over 64 connections as fast as they are answered, or over fewer, evenly;
    answers how many a second were taken, and how many not."""
    seen: deque[bool] = deque()
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    connections = _STEADY_CONNECTIONS if per_second else CONNECTIONS
    pause = connections / per_second if per_second else 0.0
    clients = []
    for _ in range(connections):
        made = await loop.create_connection(lambda: _Client(requests, began + seconds, seen, pause), "127.0.0.1", port)
        clients.append(made[1])
        await asyncio.sleep(pause / connections)
    await asyncio.gather(*(client.finished for client in clients))
    taken = sum(seen)
    return {"per_second": taken / (time.perf_counter() - began), "errors": len(seen) - taken}


if __name__ == "__main__":
    import uvloop

    port, seconds, key, *more = sys.argv[1:]
    rate = next((float(one) for one in more if one != "unstated"), 0.0)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        work = driven(int(port), float(seconds), posts(key, "unstated" not in more), rate)
        sys.stdout.write(json.dumps(runner.run(work)))
