"""The door of contact-center tools: genuine or not, then kept, then answered; what it says is found out later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import APIRouter
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from services.intake.adapters import TOOLS
from services.intake.adapters.pieces.shape import Adapter, Endpoint, Refused, Reply, Request, Verdict
from services.intake.hooks.receiving import delivery_row
from services.intake.hooks.sealed import UnreadableSecret
from services.intake.hooks.switchboard import Switchboard
from shared.clock import Clock
from shared.group import GroupCommit
from shared.http import Problem, RawRoute

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HookDoor:
    """What the door works with. `shelf` joins deliveries into transactions."""

    switchboard: Switchboard
    shelf: GroupCommit[Any]
    clock: Clock
    base_url: str

    async def take(self, tool: str, endpoint_id: str, http: HttpRequest) -> Response:
        """A request of a tool. Raises 404, 405 or 401."""
        adapter = TOOLS.get(tool)
        if adapter is None:
            raise Problem(
                404, "not-found", "Not found", f"There is no such tool; there are {', '.join(sorted(TOOLS))}."
            )
        try:
            endpoint = await self.switchboard.find(tool, endpoint_id)
        except UnreadableSecret:
            log.error("endpoint_unreadable", tool=tool)
            raise Problem(
                503, "unavailable", "Not available", "The endpoint's secret cannot be read: it has to be added again."
            ) from None
        if endpoint is None:
            raise Problem(404, "not-found", "Not found", "There is no such endpoint: `complaint-loop hooks add`.")
        request = await self._request(endpoint, http)
        if request.method != "POST":
            return self._greeted(adapter, endpoint, request)
        verdict = _verdict(adapter, request, endpoint)
        if isinstance(verdict, Refused):
            raise Problem(401, "unauthorized", "Not known", verdict.why, headers={"WWW-Authenticate": "Signature"})
        if isinstance(verdict, Reply):
            return _response(verdict)
        await self.shelf.take_one(delivery_row(adapter, endpoint, request))  # type: ignore[arg-type]
        return _response(adapter.accepted)

    async def _request(self, endpoint: Endpoint, http: HttpRequest) -> Request:
        headers: dict[str, str] = {}
        for name, value in http.scope["headers"]:
            headers.setdefault(name.decode("latin-1"), "".join(filter(str.isprintable, value.decode("latin-1"))))
        path = (http.scope.get("raw_path") or http.scope["path"].encode()).decode("latin-1").partition("?")[0]
        own = f"{http.scope['scheme']}://{headers.get('host', '')}{path}"
        urls = (endpoint.url,) if endpoint.url else tuple({f"{self.base_url}{path}": None, own: None})
        query = http.scope["query_string"].decode("latin-1")
        return Request(http.method, urls, query, headers, await http.body(), self.clock.now())

    def _greeted(self, adapter: Adapter, endpoint: Endpoint, request: Request) -> Response:
        if adapter.greet is None:
            raise Problem(405, "method-not-allowed", "Method Not Allowed", headers={"Allow": "POST"})
        return _response(adapter.greet(request, endpoint, request.received_at))


def _verdict(adapter: Adapter, request: Request, endpoint: Endpoint) -> Verdict:
    try:
        return adapter.verify(request, endpoint, request.received_at)
    except Exception as error:  # whatever a stranger's bytes do to a check: they have not passed it
        log.error("check_failed", tool=endpoint.tool, error=type(error).__name__)
        return Refused("The request could not be checked.")


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers), media_type=reply.media_type)


def hooks(door: HookDoor) -> APIRouter:
    """The one route, and its greeting."""
    router = APIRouter(prefix="/v1/hooks", route_class=RawRoute, tags=["hooks"])

    @router.post(
        "/{tool}/{endpoint}",
        summary="What a contact-center tool sends natively",
        response_class=Response,
        openapi_extra={"requestBody": {"content": {"*/*": {"schema": {}}}, "description": "As the tool sends it."}},
    )
    async def deliver(tool: str, endpoint: str, request: HttpRequest) -> Response:
        return await door.take(tool, endpoint, request)

    @router.get("/{tool}/{endpoint}", summary="A tool looks whether anybody is there", response_class=Response)
    async def greet(tool: str, endpoint: str, request: HttpRequest) -> Response:
        return await door.take(tool, endpoint, request)

    return router
