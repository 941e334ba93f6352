"""`/`: what a supervisor watches. One page, a small script of our own on the browser's EventSource.

Nothing is fetched from elsewhere. It reads with the session of the sign-in link and changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.escalation.api.desk import Desk
from services.escalation.store import feed
from shared.auth import KeyRing, session_of
from shared.contracts.registry import PUBLISHED
from shared.http import StrictRoute

_FOLDER = Path(__file__).parent
#: EventSource hears named events only: the script is told all names
_TYPES = sorted(event.TYPE for service in ("ownership", "escalation") for event in PUBLISHED[service])
_SCRIPT = f"const TYPES = {json.dumps(_TYPES)};\n" + (_FOLDER / "supervisor.js").read_text(encoding="utf-8")
_STYLE = (_FOLDER / "supervisor.css").read_text(encoding="utf-8")
_PAGE = (_FOLDER / "supervisor.html").read_text(encoding="utf-8")
_CLOSED = (_FOLDER / "signed_out.html").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
    f"script-src 'sha256-{_digest(_SCRIPT)}'; style-src 'sha256-{_digest(_STYLE)}'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


#: items of the feed that are there when the page opens
_SHOWN = 100


def supervisor_page(desk: Desk) -> APIRouter:
    """The route of the page; without a session it says how to get one."""
    router = APIRouter(tags=["pages"], route_class=StrictRoute)
    open_page = _PAGE.replace("{{style}}", _STYLE).replace("{{script}}", _SCRIPT)
    closed_page = _CLOSED.replace("{{style}}", _STYLE)

    @router.get("/", summary="The supervisors' page", response_class=Response)
    async def show(request: Request) -> Response:
        ring: KeyRing = request.app.state.keyring
        if session_of(request, ring) is None:
            return Response(closed_page, 401, headers=_HEADERS, media_type="text/html")
        async with desk.engine.connect() as conn:
            after = max(0, await feed.head(conn) - _SHOWN)
        page = open_page.replace("{{after}}", str(after))
        return Response(page, headers=_HEADERS, media_type="text/html")

    return router
