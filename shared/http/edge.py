"""The outermost layer, pure ASGI: request ids, limits, unreadable addresses, unexpected failures, counts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from time import perf_counter
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
import uuid_utils
from starlette.requests import ClientDisconnect

from shared.db import is_transient
from shared.http.counts import REQUESTS
from shared.http.problem import Problem

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger()

#: bytes of path and query together
MOST_ADDRESS = 8192
#: bytes of one query value, still encoded
MOST_QUERY_VALUE = 4096
#: how much of a refused body is read away, so that the client sees the refusal and not a reset connection
MOST_DRAINED = 64_000_000
DRAIN_SECONDS = 15.0

_SANE_ID = re.compile(rb"[A-Za-z0-9._~:/+=-]{1,100}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def request_id(scope: Scope) -> str:
    """The id of a request: the caller's `X-Request-Id` if it is sane, else a UUIDv7."""
    return str((scope.get("state") or {}).get("request_id", ""))


def too_large(limit: int) -> Problem:
    """413 with the limit in bytes."""
    return Problem(413, "too-large", "The body is too large", f"The limit is {limit} bytes.", limit=limit)


def unavailable() -> Problem:
    """503: something that the answer needs is away for the moment; the same request may succeed."""
    return Problem(
        503, "unavailable", "Not available for the moment", "Try again shortly.", headers={"Retry-After": "1"}
    )


def failure(error: BaseException, instance: str, scope: Scope) -> Problem:
    """What the caller is told of an unexpected error, and the one log line that tells us the rest."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]  # streams run in task groups
    path = getattr(scope.get("route"), "path", "")
    if is_transient(error) or _timed_out(error):
        log.warning("request_unavailable", request_id=instance, route=path, error=type(error).__name__)
        return unavailable()
    if _unstorable(error):
        log.error("request_unstorable", request_id=instance, route=path, error=type(error).__name__)
        return Problem(422, "invalid", "The request is not valid", "A value lies outside of what can be stored.")
    # without the message: those of the database quote what the caller sent
    log.error(
        "request_failed",
        request_id=instance,
        method=scope.get("method"),
        route=path,
        error=type(error).__name__,
        at=_frames(error),
    )
    return Problem(500, "internal", "Something went wrong on our side", "The request id finds it in our logs.")


class BrokenOff(Exception):
    """The answer had begun when its source failed; ending the connection is the only way to tell the caller."""


# too long, out of range, not a time, not UTF-8, not a number or UUID, NUL in JSON
_UNSTORABLE = frozenset({"22001", "22003", "22007", "22008", "22021", "22P02", "22P05"})


def _layers(error: BaseException) -> Iterator[BaseException]:
    # SQLAlchemy's exception, its adapter's, the driver's
    one: BaseException | None = error
    for _ in range(4):
        if one is None:
            return
        yield one
        one = getattr(one, "orig", None) or one.__cause__


def _unstorable(error: BaseException) -> bool:
    # what checks here let through and PostgreSQL, or asyncpg encoding a parameter, did not: still the caller's input
    return any(getattr(one, "sqlstate", None) in _UNSTORABLE or _refused_by_asyncpg(one) for one in _layers(error))


def _timed_out(error: BaseException) -> bool:
    # query_canceled: the statement ran into its time limit
    return any(getattr(one, "sqlstate", None) == "57014" for one in _layers(error))


def _refused_by_asyncpg(error: BaseException) -> bool:
    return type(error).__name__ == "DataError" and type(error).__module__.startswith("asyncpg")


def _frames(error: BaseException) -> list[str]:
    # our own frames and the last one: where it happened, without the values that a traceback's last line quotes
    found: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if trace.tb_next is None or "site-packages" not in code.co_filename:
            found.append(f"{'/'.join(code.co_filename.split('/')[-3:])}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-12:]


class Edge:
    """Wraps the application; every answer leaves through it.

    A body over `max_body` bytes gets 413, by its Content-Length before it is read, or as soon as a chunked one has
    grown beyond it. HEAD is answered as GET without the body.
    """

    def __init__(self, app: App, max_body: int) -> None:
        self._app, self._max_body = app, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        given: bytes | None = None
        length: bytes | None = None
        streamed = expects = encoded = False
        for name, value in scope["headers"]:
            if name == b"content-length":
                length = value
            elif name == b"x-request-id":
                given = value
            elif name == b"transfer-encoding":
                streamed = True
            elif name == b"expect":
                expects = True
            elif name == b"content-encoding":
                encoded = value.strip().lower() not in (b"", b"identity")
        instance = given.decode() if given and _SANE_ID.fullmatch(given) else str(uuid_utils.uuid7())
        scope.setdefault("state", {})["request_id"] = instance
        if encoded:
            scope["state"]["encoded"] = True
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", instance.encode())]
            await send(message)

        refusal = _bad_address(scope)
        if refusal is not None:
            await refusal.response(instance)(scope, receive, answer)
        elif length is not None and (len(length) > 15 or not length.isdigit() or int(length) > self._max_body):
            await self._refuse_body(instance, answer, receive, expects)
        else:
            inner = receive
            if streamed:
                inner = self._limited(receive)
            outer: Send = answer
            if scope["method"] == "HEAD":
                scope, inner, outer = {**scope, "method": "GET"}, _without_body(receive), _head_only(answer)
            try:
                await self._app(scope, inner, outer)
            except ClientDisconnect:
                status = status or 499
            except Exception as error:
                problem = failure(error, instance, scope)
                if status:
                    raise BrokenOff from None
                await problem.response(instance)(scope, receive, answer)
        self._count(scope, status, perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        REQUESTS.note(method, getattr(scope.get("route"), "path", ""), status, seconds)

    async def _refuse_body(self, instance: str, send: Send, receive: Receive, expects: bool) -> None:
        # the whole answer first (it has a length), then what is left of the body is read away, then the connection ends
        response = too_large(self._max_body).response(instance)
        headers = [*response.raw_headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        if not expects:
            await _drain(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _limited(self, receive: Receive) -> Receive:
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self._max_body:
                    if message.get("more_body"):
                        await _drain(receive)
                    raise too_large(self._max_body)
            return message

        return limited


class Shortcuts:
    """What the server calls: routes that are asked so often that all layers but the edge are left out, else `app`.

    `direct` are they by method and path; `under` are those of POST whose path begins so and goes on with parameters of
    these names, one between two slashes each.
    """

    def __init__(
        self,
        app: App,
        max_body: int,
        direct: Mapping[tuple[str, str], App],
        under: Mapping[str, tuple[tuple[str, ...], App]],
    ) -> None:
        self._app = app
        self._edges = {key: Edge(one, max_body) for key, one in direct.items()}
        self._under = [(start, names, Edge(one, max_body)) for start, (names, one) in under.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        edge = None
        if scope["type"] == "http" and not scope.get("root_path"):
            edge = self._edges.get((scope["method"], scope["path"])) or self._by_start(scope)
        await (self._app if edge is None else edge)(scope, receive, send)

    def _by_start(self, scope: Scope) -> App | None:
        path = scope["path"]
        for start, names, edge in self._under:
            if path.startswith(start) and scope["method"] == "POST":
                values = path[len(start) :].split("/")
                if len(values) == len(names) and all(values):
                    scope["path_params"] = dict(zip(names, values, strict=True))
                    return edge
        return None


async def _drain(receive: Receive) -> None:
    left = MOST_DRAINED
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return


def _without_body(receive: Receive) -> Receive:
    # a stream (server-sent events) asked for with HEAD ends at once: its client seems to have left
    first = True

    async def once() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.disconnect"}

    return once


def _head_only(send: Send) -> Send:
    async def head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return head


def _bad_address(scope: Scope) -> Problem | None:
    query: bytes = scope.get("query_string", b"")
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    if len(path) + len(query) > MOST_ADDRESS:
        return Problem(414, "address-too-long", "The address is too long", f"The limit is {MOST_ADDRESS} bytes.")
    if b"%" in path or "\x00" in scope["path"]:
        refusal = _bad_text(path, "path")
        if refusal is not None:
            return refusal
    if not query:
        return None
    if len(query) > MOST_QUERY_VALUE and any(len(part) > MOST_QUERY_VALUE for part in query.split(b"&")):
        return Problem(
            414, "address-too-long", "The address is too long", f"A query value has at most {MOST_QUERY_VALUE} bytes."
        )
    return _bad_text(query, "query") if b"%" in query or not query.isascii() or b"\x00" in query else None


def _bad_text(encoded: bytes, where: str) -> Problem | None:
    plain = unquote_to_bytes(encoded)
    if b"\x00" in plain:
        return Problem(400, "unreadable", "The request cannot be read", f"The {where} contains NUL.")
    try:
        plain.decode()
    except UnicodeDecodeError:
        return Problem(400, "unreadable", "The request cannot be read", f"The {where} is not UTF-8.")
    return None
