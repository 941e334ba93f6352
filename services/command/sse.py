"""A stream of server-sent events, read for as long as one likes: it joins again by itself and misses nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import orjson

from deploy.local.trouble import Trouble

_LONGEST_WAIT = 10.0
#: pings come every 15 seconds: a stream that is silent for three of them is dead
_SILENCE_SECONDS = 45.0


def items(client: httpx.Client, path: str, params: Mapping[str, Any], after: int | None) -> Iterator[dict[str, Any]]:
    """Items of a feed from `after` on, for ever. Raises Trouble where the server refuses."""
    last, wait = after, 0.2
    while True:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(last)} if last is not None else {})
        try:
            timeout = httpx.Timeout(10, read=_SILENCE_SECONDS)
            with client.stream("GET", path, params=dict(params), headers=headers, timeout=timeout) as answer:
                if answer.status_code in (429, 500, 502, 503, 504):
                    raise httpx.ReadError(f"answered {answer.status_code}")
                if answer.status_code != 200:
                    answer.read()
                    raise Trouble(_refusal(answer))
                for identity, data in _events(answer.iter_lines()):
                    if not identity:
                        break  # no item but a word of the server's: we read too slowly, and join again
                    last, wait = int(identity), 0.2
                    yield orjson.loads(data)
        except httpx.TransportError:
            pass  # joined again below, from where it ended
        time.sleep(wait * random.uniform(0.5, 1))
        wait = min(_LONGEST_WAIT, wait * 2)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """(id, data) of each event; comments and events without data are none."""
    identity: str = ""
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield identity, "\n".join(data)
            identity, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            identity = value
        elif name == "data":
            data.append(value)


def _refusal(answer: httpx.Response) -> str:
    try:
        detail = answer.json().get("detail") or answer.json().get("title")
    except (ValueError, AttributeError):
        detail = answer.reason_phrase
    return f"The feed is refused ({answer.status_code}): {detail}"
