"""Routes that know who asks before they read what is asked, and read it strictly."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from shared.http.problem import Problem, not_valid, pointer_to, unreadable
from shared.http.strict import strict_loads

#: how long a body may take from its first piece on: who sends a byte a minute holds what has come in memory
BODY_SECONDS = 60.0
_JSON = re.compile(r"application/(?:json|[A-Za-z0-9!#$&^_.+-]+\+json)", re.IGNORECASE | re.ASCII)
_UTF8 = re.compile(r"""\s*charset\s*=\s*("?)utf-?8\1\s*""", re.IGNORECASE | re.ASCII)


def header_of(request: Request, name: bytes) -> str | None:
    """The first header of this name (in lower case) as it came; None if there is none."""
    for one, value in request.scope["headers"]:
        if one == name:
            return str(value, "latin-1")
    return None


def refuse_encoded(request: Request) -> None:
    """Raises 415 for a body that is compressed: what a few bytes become is not found out here."""
    if (request.scope.get("state") or {}).get("encoded"):
        raise Problem(
            415,
            "unsupported-content-encoding",
            "The content encoding is not supported",
            "The body must not be compressed.",
            headers={"Accept-Encoding": "identity"},
        )


def media_type(request: Request) -> str:
    """The media type of the body without its parameters, in lower case; empty if not given. Raises 415 for one that
    is compressed."""
    refuse_encoded(request)
    return (header_of(request, b"content-type") or "").partition(";")[0].strip().lower()


def require_json(request: Request) -> None:
    """Raises 415 unless the body is declared as JSON in UTF-8."""
    refuse_encoded(request)
    declared = header_of(request, b"content-type") or ""
    if declared == "application/json":
        return
    kind, *parameters = declared.split(";")
    others = [p for p in parameters if p.strip().lower().startswith("charset")]
    if not _JSON.fullmatch(kind.strip()) or not all(_UTF8.fullmatch(p) for p in others):
        raise Problem(
            415,
            "unsupported-media-type",
            "The media type is not supported",
            "The body must be application/json, in UTF-8." if declared else "The Content-Type is missing.",
            headers={"Accept": "application/json"},
        )


async def read_json(request: Request) -> Any:
    """The body as JSON, for routes that take it as it comes; raises 415 or 400."""
    raw = await request.body()
    if not raw:
        raise Problem(400, "unreadable", "The request cannot be read", "A body is required.")
    require_json(request)
    return strict_loads(raw)


async def read_form(request: Request, most: int = 50) -> dict[str, str]:
    """A form of a page of ours (`application/x-www-form-urlencoded`, at most `most` fields); raises 415 or 400."""
    if media_type(request) != "application/x-www-form-urlencoded":
        raise Problem(
            415,
            "unsupported-media-type",
            "The media type is not supported",
            "The body must be application/x-www-form-urlencoded.",
            headers={"Accept": "application/x-www-form-urlencoded"},
        )
    try:
        raw = (await request.body()).decode("ascii")
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=most)
    except ValueError:
        raise unreadable("the form is not UTF-8, or has too many fields") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise unreadable("a field comes twice")
    if any("\x00" in text for pair in pairs for text in pair):
        raise unreadable("a field contains NUL")
    return fields


class StrictRequest(Request):
    """A request whose `json()` is `strict_loads`."""

    async def json(self) -> Any:
        return strict_loads(await self.body())

    async def body(self) -> bytes:
        # mostly the body comes in one piece: Starlette's stream of pieces costs more than reading what is in it
        if not hasattr(self, "_body"):
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._body = message.get("body", b"")
            if message.get("more_body"):
                self._body += await self._others()
        return self._body

    async def _others(self) -> bytes:
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(BODY_SECONDS):
                more = True
                while more:
                    message = await self.receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    pieces.append(message.get("body", b""))
                    more = message.get("more_body", False)
        except TimeoutError:
            headers = {"Connection": "close"}
            detail = f"A body must come within {BODY_SECONDS:g} seconds."
            raise Problem(408, "too-slow", "The body came too slowly", detail, headers=headers) from None
        return b"".join(pieces)


def _doors(dependant: Dependant) -> list[Callable[[Request], Awaitable[None]]]:
    found = [door for one in dependant.dependencies for door in _doors(one)]
    door = getattr(dependant.call, "before_body", None)
    return [*found, door] if door is not None else found


def _asked(dependant: Dependant) -> frozenset[str]:
    """The names that a route and what it depends on take from the query."""
    return frozenset(one.alias for one in dependant.query_params).union(*map(_asked, dependant.dependencies))


def _refuse_unasked(request: Request, asked: frozenset[str]) -> None:
    """Raises 422 for a name in the query that is not known: a filter with a slip in it would filter nothing."""
    unknown = [name for name in request.query_params if name not in asked]
    if unknown:
        message = f"is not known here; there are: {', '.join(sorted(asked))}" if asked else "is not known here"
        raise not_valid([{"pointer": pointer_to([name]), "message": message, "in": "query"} for name in unknown])


class StrictRoute(APIRoute):
    """`APIRouter(route_class=StrictRoute)`: credentials, then names in the query, media type, strict JSON, pydantic.

    A dependency with an async method `before_body(request)` is asked before the body is read, so that a stranger is
    told 401 and not what is wrong with the body.
    """

    #: what every path of this route begins with; set by `create_app`, empty while that is not known
    fixed_start: str = ""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # routes are tried in order, and most are not meant: comparing a prefix costs a tenth of the expression
        if self.fixed_start and not scope["path"].startswith(self.fixed_start) and not scope.get("root_path"):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        doors = _doors(self.dependant)
        # pages are opened from links in mails, to which others add what they like
        asked = _asked(self.dependant) if self.path.startswith("/v1/") else None
        takes_json = self.body_field is not None and type(self.body_field.field_info).__name__ not in ("Form", "File")

        async def strict(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive)
            for door in doors:
                await door(request)
            if asked is not None and request.scope["query_string"]:
                _refuse_unasked(request, asked)
            if takes_json and await request.body():
                require_json(request)
            return await handle(request)

        return strict


class RawRoute(StrictRoute):
    """For endpoints that take strangers' bytes as they are: path parameters and the request, and a Response back,
    without FastAPI's machinery, which costs more than the rest of the request. FastAPI still describes them."""

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[Any]], **options: Any) -> None:
        super().__init__(path, endpoint, **options)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await endpoint(**scope["path_params"], request=StrictRequest(scope, receive))
            await response(scope, receive, send)

        self.app = app
