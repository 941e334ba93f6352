"""The sign-in link that `make run` prints: it starts a supervisor's session in the browser that opens it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from shared.auth import session_cookie, verify_sign_in
from shared.clock import Clock
from shared.http import Problem, StrictRoute
from shared.settings import Base


def sign_in_router(settings: Base, clock: Clock) -> APIRouter:
    """`GET /sign-in/{token}`: sets the session cookie and leads to the supervisors' page. Nothing else changes."""
    router = APIRouter(tags=["operation"], route_class=StrictRoute)
    secret = settings.secret_key.get_secret_value()

    @router.get("/sign-in/{token}", summary="Start a supervisor's session", response_class=Response)
    async def sign_in(token: str, request: Request) -> Response:
        name = verify_sign_in(secret, token, clock.now())
        if name is None:
            raise Problem(
                403,
                "sign-in-expired",
                "This sign-in link is not valid",
                "It is damaged or has expired. A new one is printed at every start, and by `complaint-loop sign-in`.",
            )
        answer = RedirectResponse("/", status_code=303)
        secure = settings.base_url.startswith("https://")
        answer.set_cookie(**session_cookie(secret, name, clock.now(), secure=secure))
        return answer

    return router
