"""`/e/{token}`: GET shows, POST with the mail's code acts; what was typed is kept, whatever was wrong with it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Request
from fastapi import Path as InPath
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from services.escalation import handlers
from services.escalation.api.desk import Desk
from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.promising import PromiseWanted
from services.escalation.mail.case import why_and_who
from services.escalation.mail.facts import Facts
from services.escalation.mail.gathering import Gathering
from services.escalation.mail.letter import Letter
from services.escalation.mail.plain import clean, line
from services.escalation.mail.tokens import hash_of, read_code
from services.escalation.mail.words import Away
from services.escalation.store import links, mails, reading
from services.escalation.web.phrases import BECAUSE, PAGE
from shared.http import StrictRoute, read_form
from shared.languages import language_of
from shared.policy import Executive
from shared.refusal import Refusal
from shared.work import Input

log = structlog.get_logger()

Token = Annotated[str, InPath(max_length=64)]
_MOST = 20_000
_MOST_OF = {"stay": _MOST, "redress": 2_000, "promise": _MOST}
_MOST_WORDS = 100_000
_MOST_EARLIER = 4_000
_TYPED = dict.fromkeys(("text", "stay", "redress", "promise", "apology", "code"), "")
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
#: the one script that may run: it keeps what is typed on the device, so that a reload loses nothing
_SCRIPT = hashlib.sha256(_TEMPLATES.get_template("draft.js").render().encode()).digest()
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    f"script-src 'sha256-{base64.b64encode(_SCRIPT).decode()}'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def executive_page(desk: Desk, known: Gathering) -> APIRouter:
    """The routes of the page."""
    router = APIRouter(tags=["pages"], route_class=StrictRoute)

    async def link_of(token: str) -> tuple[Any, Any, Executive] | None:
        now = desk.corridor.clock.now()
        async with desk.engine.connect() as conn:
            link = await links.find(conn, hash_of(token), now)
            order = (await mails.orders(conn, [link.mail_id])).get(link.mail_id) if link else None
        # whoever left the policy has no link any more
        person = desk.policies.current.executive(link.executive_id) if link and order else None
        return (link, order, person) if person else None

    async def page(order: Any, person: Executive, *, status: int = 200, **more: Any) -> Response:
        language = language_of(person.locale)
        away = False
        try:
            facts = await known.facts(order, person.time_zone)
        except Away as error:
            log.warning("page_waits", why=str(error))
            if not more:
                return _simple(language, "away", 503, {"Retry-After": "10"})
            # somebody has typed something: they are told what became of it all the same
            facts, away = await known.at_home(order, person.time_zone), True
        return _page(language, person.name, facts, status, {"away": away, **more})

    @router.get("/e/{token}", summary="The executive's page", response_class=Response)
    async def show(token: Token, request: Request) -> Response:
        found = await link_of(token)
        if found is None:
            return _simple(_asked_for(request), "gone", 404)
        return await page(*found[1:])

    @router.post("/e/{token}", summary="The executive's answer", response_class=Response)
    async def answer(token: Token, request: Request) -> Response:
        found = await link_of(token)
        if found is None:
            return _simple(_asked_for(request), "gone", 404)
        link, order, person = found
        form = await read_form(request)
        tried = "wrong"
        if code := read_code(form.get("code", "")[:20]):  # none at all guesses nothing
            async with desk.engine.begin() as conn:
                tried = await links.try_code(conn, hash_of(token), hash_of(code), desk.corridor.clock.now())
        if tried != "right":
            status = 429 if tried == "too_many" else 403
            return await page(order, person, status=status, typed=form, wrong=tried)
        text = form.get("text", "").strip()
        if len(text) > _MOST or any(len(form.get(name, "")) > most for name, most in _MOST_OF.items()):
            return await page(order, person, status=422, typed=form, wrong="too_long")
        result = await take(link, order, form, text)
        if isinstance(result, Refusal):
            return await page(order, person, status=result.status, typed=form, refusal=result)
        return await page(order, person, sent=True)

    async def take(link: Any, order: Any, form: Mapping[str, str], text: str) -> Any:
        alike, seen = await desk.alike(order.complaint_id, text)
        stay = form.get("stay", "").strip()
        promise = form.get("promise", "").strip()
        wanted = None
        if promise:
            async with desk.engine.connect() as conn:
                cause = (await _complaint(conn, order)).cause
            if cause is None:
                return Refusal("promise-without-cause", "The complaint has no cause yet that could be watched.", 422)
            wanted = PromiseWanted(promise, cause)
        given = AnswerGiven(
            escalation_id=link.escalation_id,
            executive_id=link.executive_id,
            text=text,
            apology=form.get("apology") == "yes",
            stay_asked=bool(stay),
            stay=stay or None,
            promise=wanted,
            redress=form.get("redress", "").strip() or None,
            seen=seen,
            alike=alike,
        )
        return await desk.corridor.take_one(Input(link.customer_id, given, handlers.answer))

    return router


async def _complaint(conn: Any, order: Any) -> Any:
    known = await reading.complaint_of(conn, order.complaint_id)
    assert known is not None  # an escalation is raised on what ownership told
    return known


def _reasons(refusal: Refusal | None) -> list[str]:
    return refusal.members.get("because", []) if refusal else []


def _asked_for(request: Request) -> str:
    return language_of(request.headers.get("accept-language", "")[:20].partition(",")[0])


def _simple(language: str, what: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    shown = _TEMPLATES.get_template("simple.html").render(language=language, words=PAGE[language], what=what)
    return Response(shown, status, headers={**_HEADERS, **(headers or {})}, media_type="text/html")


def _page(language: str, name: str, facts: Facts, status: int, more: Mapping[str, Any]) -> Response:
    letter = Letter(language, "")
    if not more["away"]:
        why_and_who(letter, facts, _MOST_WORDS)
    escalation = facts.escalation or {}
    refusal: Refusal | None = more.get("refusal")
    shown = _TEMPLATES.get_template("answer.html").render(
        language=language,
        words=PAGE[language],
        name=name,
        reference=facts.reference,
        due=facts.at(escalation.get("due_at")),
        leaving=bool(escalation.get("departure_threat")),
        waiting=facts.waiting,
        answer=escalation.get("answer"),
        cause=facts.cause,
        away=more["away"],
        blocks=letter.blocks,
        typed=_TYPED | dict(more.get("typed") or {}),
        wrong=more.get("wrong"),
        refusal=refusal,
        likeness=round(100 * refusal.members["likeness"]) if refusal and "likeness" in refusal.members else None,
        because=[BECAUSE[language][one] for one in _reasons(refusal) if one in BECAUSE[language]],
        earlier=refusal.members.get("earlier", "")[:_MOST_EARLIER] if refusal else "",
        sent=more.get("sent", False),
        clean=clean,
        line=line,
    )
    headers = _HEADERS | ({"Retry-After": "3600"} if status == 429 else {})
    return Response(shown, status, headers=headers, media_type="text/html")
