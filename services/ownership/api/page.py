"""The customer's own page: GET shows, POST acts. Whoever has the link may say whether it is solved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.ownership.domain.acts import Confirm, Escalate
from services.ownership.store import reading
from services.ownership.store.reading import Found
from shared.auth import verify
from shared.http import StrictRoute, read_form
from shared.languages import language_of
from shared.refusal import Refusal

from .desk import Desk
from .words import WORDS

MOST_COMMENT = 5_000
Token = Annotated[str, Path(max_length=4096)]

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FilePath(__file__).parents[1] / "web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """What a link is about."""

    found: Found
    cycle: int
    language: str


def _shown(language: str, body: str, *, status: int = 200, reference: str = "", **more: Any) -> Response:
    page = (
        _templates()
        .get_template("page.html")
        .render(lang=language, words=WORDS[language], body=body, reference=reference, most=MOST_COMMENT, **more)
    )
    return Response(page, status, headers=_HEADERS, media_type="text/html")


def customer_page(desk: Desk) -> APIRouter:
    """`/c/{token}`."""
    router = APIRouter(route_class=StrictRoute, tags=["pages"])

    async def case_of(token: str) -> _Case | None:
        payload = verify(desk.pages.secret, "confirmation", token, desk.clock.now())
        if payload is None or len(payload) != 2 or not payload[1].isdecimal():
            return None
        async with desk.engine.connect() as conn:
            found = await reading.find(conn, payload[0])
        return None if found is None else _Case(found, int(payload[1]), language_of(found.state.locale))

    def gone(request: Request) -> Response:
        language = language_of(request.headers.get("accept-language", "")[:100])
        return _shown(language, "gone", status=404)

    async def current(case: _Case) -> Response:
        state = case.found.state
        # an open one is asked about too: an executive's own words may have come before the owner's answer
        asked = state.status in ("open", "answered") or state.basis == "silent"
        if case.cycle == state.cycle and asked:
            async with desk.engine.connect() as conn:
                told = await reading.told(conn, state.id, ("complaint.answered",))
            note = (told[-1]["note"] if told else None) or {}
            return _shown(case.language, "ask", reference=state.reference, answer=note.get("text"))
        return _shown(case.language, _body_of(state.status, state.basis), reference=state.reference)

    @router.get("/c/{token}", summary="The customer's page", response_class=Response)
    async def show(token: Token, request: Request) -> Response:
        case = await case_of(token)
        return gone(request) if case is None else await current(case)

    @router.post("/c/{token}", summary="The customer's word", response_class=Response)
    async def say(token: Token, request: Request) -> Response:
        case = await case_of(token)
        if case is None:
            return gone(request)
        form = await read_form(request)
        solved, comment = form.get("solved"), form.get("comment", "").strip()
        state = case.found.state
        if solved not in ("yes", "no") or len(comment) > MOST_COMMENT:
            wrong = "choose" if solved not in ("yes", "no") else "too_long"
            return _shown(
                case.language,
                "ask",
                status=422,
                reference=state.reference,
                answer=None,
                wrong=wrong,
                comment=comment[:MOST_COMMENT],
                solved=solved,
            )
        act: Confirm | Escalate = Confirm(state.id, solved == "yes", "page", comment or None, case.cycle)
        if solved == "no" and state.status == "open" and case.cycle == state.cycle:
            # there is no answer of the owner's to reopen from: the no goes back up
            act = Escalate(state.id, "customer", "customer", comment or "The customer says that it is not solved.")
        result = await desk.take(act, state.customer_id)
        if isinstance(result, Refusal):
            again = await case_of(token)
            if again is None:
                return gone(request)
            latest = again.found.state
            body = _body_of(latest.status, latest.basis)
            return _shown(case.language, body, status=409, reference=latest.reference)
        return _shown(case.language, "thanks_yes" if solved == "yes" else "thanks_no", reference=state.reference)

    return router


def _body_of(status: str, basis: str | None) -> str:
    if status == "closed":
        return "thanks_yes" if basis == "accepted" else "closed"
    return "open" if status == "open" else "replaced"
