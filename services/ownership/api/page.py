"""The customer's own page: GET shows, POST acts. Whoever has the link may say whether it is solved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.ownership.domain import Complaint
from services.ownership.domain.acts import Act, Confirm, Escalate, FollowUp
from services.ownership.domain.contacts import BY_CUSTOMER
from services.ownership.handlers import Done
from services.ownership.store import reading
from services.ownership.store.reading import Found
from shared.auth import verify
from shared.http import StrictRoute, read_form
from shared.languages import language_of
from shared.refusal import Refusal

from .desk import Desk
from .words import WORDS

MOST_COMMENT = 5_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
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
    """What a link is about: a complaint, or the one that it was merged into; and which answer of it."""

    found: Found
    cycle: int
    expired: bool

    @property
    def state(self) -> Complaint:
        return self.found.state

    @property
    def language(self) -> str:
        return language_of(self.state.locale)

    @property
    def body(self) -> str:
        """What the page says and asks, as things stand."""
        state = self.state
        if self.expired:
            return "expired"
        if self.cycle != state.cycle:
            return "open" if state.status == "open" else "replaced"
        if state.followed_by is not None:
            return "continued"
        # an open one is asked about too: an executive's own words may have come before the owner's answer
        if state.status != "closed" or state.basis == "silent":
            return "ask"
        if state.basis != "accepted":
            return "closed"
        visit = state.visit
        return "visit" if visit.asked_at is not None and visit.done_at is None else "thanks_yes"


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
        # a link that was good once is known by its signature: its customer is told in their own language
        genuine = payload or verify(desk.pages.secret, "confirmation", token, _LONG_AGO)
        if genuine is None or len(genuine) != 2 or not genuine[1].isdecimal():
            return None
        name, cycle = genuine[0], int(genuine[1])
        async with desk.engine.connect() as conn:
            found = await reading.find(conn, name)
            while found is not None and found.state.merged_into is not None:
                found = await reading.find(conn, found.state.merged_into)
                cycle = found.state.cycle if found is not None else 0
        return None if found is None else _Case(found, cycle, payload is None)

    def gone(request: Request) -> Response:
        language = language_of(request.headers.get("accept-language", "")[:100])
        return _shown(language, "gone", status=404)

    async def current(case: _Case, *, status: int = 200, **more: Any) -> Response:
        state, body, answer = case.state, case.body, None
        if body == "ask" and not more:
            async with desk.engine.connect() as conn:
                told = await reading.told(conn, state.id, ("complaint.answered",))
            answer = ((told[-1]["note"] if told else None) or {}).get("text")
        status = 410 if case.expired else status
        reference = state.reference
        if body == "continued" and state.followed_by is not None:
            async with desk.engine.connect() as conn:
                later = await reading.find(conn, state.followed_by)
            reference = later.state.reference if later is not None else reference
        return _shown(case.language, body, status=status, reference=reference, answer=answer, **more)

    @router.get("/c/{token}", summary="The customer's page", response_class=Response)
    async def show(token: Token, request: Request) -> Response:
        case = await case_of(token)
        return gone(request) if case is None else await current(case)

    @router.post("/c/{token}", summary="The customer's word", response_class=Response)
    async def say(token: Token, request: Request) -> Response:
        case = await case_of(token)
        if case is None:
            return gone(request)
        if case.expired:
            return await current(case)
        said = _Said(await read_form(request))
        if (wrong := said.wrong) is not None:
            return await current(case, status=422, wrong=wrong, said=said)
        result = await desk.take(said.act(case), case.state.customer_id)
        after = await case_of(token)
        if after is None:
            return gone(request)
        if isinstance(result, Refusal):
            return await current(after, status=409)
        assert isinstance(result, Done)
        if result.state.id != after.state.id:
            return _shown(case.language, "continued", reference=result.state.reference)
        if said.no:
            return _shown(case.language, "thanks_no", reference=after.state.reference)
        if said.of_visit:
            return _shown(case.language, "thanks_visit", reference=after.state.reference)
        return await current(after)

    return router


class _Said:
    """What came with a form: the word on the answer, or the answers to the two questions after a closing."""

    def __init__(self, form: dict[str, str]) -> None:
        self.solved, self.satisfied, self.again = (form.get(name) for name in ("solved", "satisfied", "again"))
        self.of_visit = "satisfied" in form or "again" in form
        comment = form.get("comment", "").strip()
        self.too_long = len(comment) > MOST_COMMENT
        self.comment = comment[:MOST_COMMENT]

    @property
    def wrong(self) -> str | None:
        """What keeps it from being taken, by the name of the words that say so."""
        given = (self.satisfied, self.again) if self.of_visit else (self.solved,)
        if any(one not in ("yes", "no") for one in given):
            return "choose_both" if self.of_visit else "choose"
        return "too_long" if self.too_long else None

    @property
    def no(self) -> bool:
        return (self.satisfied if self.of_visit else self.solved) == "no"

    def act(self, case: _Case) -> Act:
        """What the customer asks for by it."""
        state, comment = case.state, self.comment or None
        if self.of_visit:
            satisfied, again = self.satisfied == "yes", self.again == "yes"
            return FollowUp(state.id, BY_CUSTOMER, satisfied, again, "page", comment, case.cycle)
        if self.no and state.status == "open" and case.cycle == state.cycle:
            # there is no answer of the owner's to reopen from: the no goes back up
            reason = comment or "The customer says that it is not solved."
            return Escalate(state.id, "customer", BY_CUSTOMER, reason)
        return Confirm(state.id, not self.no, "page", comment, case.cycle)
