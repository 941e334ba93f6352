"""The application that every service builds: strict, with one form of refusals, health, metrics and OpenAPI."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from opentelemetry import trace
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Match

from shared.http.direct import DirectRoute
from shared.http.edge import Edge, Shortcuts, request_id
from shared.http.problem import MEDIA_TYPE, Answer, Problem, described, not_valid
from shared.http.route import RawRoute, StrictRoute

log = structlog.get_logger()

Ready = Callable[[], Awaitable[list[str]] | list[str]]

_PROBING_SECONDS = 3.0
_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details. Never holds what was sent.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "example": "urn:complaint-loop:problem:invalid"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The id of the request, as in X-Request-Id."},
        "state": {"description": "With 409: the present state."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901", "example": "/customer/id"},
                    "message": {"type": "string"},
                    "in": {"type": "string", "enum": ["query", "path", "header", "cookie"]},
                },
            },
        },
    },
}
_REFUSED: dict[str, dict[str, Any]] = {
    code: {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for code, text in (("4XX", "Refused"), ("5XX", "Not done; safe to repeat with the same Idempotency-Key"))
}


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if isinstance(error, Problem):
        return error.response(request_id(request.scope))
    if error.status_code == 405:
        allowed = _allowed(request)
        headers = {"Allow": ", ".join(allowed)}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    status = HTTPStatus(error.status_code)
    slug = status.phrase.lower().replace(" ", "-").replace("'", "")
    detail = f"Allowed here: {headers['Allow']}." if "Allow" in headers else "Nothing is served at this path."
    if error.status_code not in (404, 405):
        detail = f"{status.description}."
    problem = Problem(status, slug, status.phrase, detail, headers=headers)
    return problem.response(request_id(request.scope))


def _allowed(request: Request) -> list[str]:
    found = {"OPTIONS"}
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes):
            found |= {method, "HEAD"} if method == "GET" else {method}
    return sorted(found)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    listed = error.errors()
    if listed and listed[0]["type"] == "missing" and tuple(listed[0]["loc"]) == ("body",):
        problem = Problem(400, "unreadable", "The request cannot be read", "A body is required.")
    elif listed and listed[0]["type"] == "json_invalid":
        problem = Problem(400, "unreadable", "The request cannot be read", "The body is not JSON.")
    else:
        problem = not_valid(described(listed))
    return problem.response(request_id(request.scope))


def _house(ready: Ready) -> APIRouter:
    router = APIRouter(tags=["operation"], route_class=StrictRoute)

    @router.get("/healthz", summary="Alive")
    async def healthz() -> Answer:
        return Answer({"status": "alive"})

    @router.get("/readyz", summary="Ready, or what is missing")
    async def readyz() -> Answer:
        missing = await _missing(ready)
        if missing:
            raise Problem(
                503,
                "not-ready",
                "Not ready",
                f"Missing: {', '.join(missing)}.",
                headers={"Retry-After": "1"},
                missing=missing,
            )
        return Answer({"status": "ready", "missing": []})

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})

    return router


async def _missing(ready: Ready) -> list[str]:
    try:
        async with asyncio.timeout(_PROBING_SECONDS):
            found = ready()
            return list(await found if inspect.isawaitable(found) else found)
    except TimeoutError:
        return [f"an answer of the checks within {_PROBING_SECONDS:.0f} s"]
    except Exception as error:
        log.error("readiness_failed", error=type(error).__name__)
        return [f"the checks ({type(error).__name__})"]


def create_app(
    *,
    title: str,
    version: str,
    routers: Iterable[APIRouter],
    ready: Ready,
    lifespan: Callable[[FastAPI], Any] | None = None,
    max_body: int = 5_000_000,
    description: str = "",
    tags: Sequence[dict[str, Any]] = (),
    docs: bool = False,
) -> FastAPI:
    """An application of `routers` (made with `route_class=StrictRoute`).

        `ready()` answers what is missing, empty when nothing is. `max_body` is in bytes. `docs` adds FastAPI's pages,
    which fetch their scripts from elsewhere. `requires` of shared.auth needs `app.state.keyring`.
    """
    direct: dict[tuple[str, str], Any] = {}
    under: dict[str, tuple[tuple[str, ...], Any]] = {}
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        openapi_tags=list(tags) or None,
        lifespan=lifespan,
        docs_url="/docs" if docs else None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"logs": False},
        middleware=[Middleware(Edge, max_body=max_body)],
        exception_handlers={HTTPException: _on_http, RequestValidationError: _on_invalid},
    )
    for router in [*routers, _house(ready)]:
        _take_routes(app, router)
        for route in router.routes:
            if isinstance(route, DirectRoute):
                direct |= {(method, route.path): _shortcut(app, route) for method in route.methods or ()}
            elif isinstance(route, RawRoute) and "POST" in (route.methods or ()):
                under[route.fixed_start] = (tuple(route.param_convertors), _shortcut(app, route))
    described_by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        return _with_headers(_with_problems(described_by_fastapi()), app)

    app.openapi = openapi  # type: ignore[method-assign]
    app.state.shortcuts = Shortcuts(app, max_body, direct, under)
    return app


def as_served(app: FastAPI) -> Any:
    """What the server is to call: the application, with the shortcuts around it.

    Where traces are collected, every request goes through FastAPI, which makes them.
    """
    traced = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    return app if traced else app.state.shortcuts


def _shortcut(app: FastAPI, route: DirectRoute | RawRoute) -> Any:
    """A route as the edge calls it: what the layers in between would put into the scope, and its refusals answered."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        scope["app"], scope["route"] = app, route
        try:
            await route.app(scope, receive, send)
        except HTTPException as error:
            await (await _on_http(Request(scope, receive), error))(scope, receive, send)

    return answer


def _take_routes(app: FastAPI, router: APIRouter) -> None:
    # FastAPI's include_router keeps the router as it is and matches each request twice, route by route: with forty
    # routes that costs more than the rest of the request. Plain routers hand their routes over instead.
    if not all(isinstance(route, StrictRoute) for route in router.routes):
        app.include_router(router)
        return
    for route in router.routes:
        assert isinstance(route, StrictRoute)
        route.fixed_start = route.path.partition("{")[0]
        app.router.routes.append(route)


def _with_headers(schema: dict[str, Any], app: FastAPI) -> dict[str, Any]:
    # dependencies read headers by themselves, which FastAPI cannot see; those that have a `header` are shown with it
    for route in app.router.routes:
        if not isinstance(route, APIRoute) or route.path_format not in schema["paths"]:
            continue
        for method in route.methods or ():
            operation = schema["paths"][route.path_format].get(method.lower())
            for header in _headers(route.dependant) if operation else ():
                known = operation.setdefault("parameters", [])
                if header not in known:
                    known.append(header)
    return schema


def _headers(dependant: Dependant) -> Iterator[dict[str, Any]]:
    for one in dependant.dependencies:
        yield from _headers(one)
    header = getattr(dependant.call, "header", None)
    if header is not None:
        yield header


def _with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    # every refusal has one form, also what FastAPI describes by itself as 422
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    for path in schema.get("paths", {}).values():
        for operation in path.values():
            answers = operation.setdefault("responses", {})
            if "HTTPValidationError" in str(answers.get("422")):
                del answers["422"]
            for code, answer in _REFUSED.items():
                answers.setdefault(code, answer)
    return schema
