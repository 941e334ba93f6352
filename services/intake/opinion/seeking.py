"""The loop that asks for second opinions, after the contact was answered: what was heard here was told, and stands.

Everything about the cost is in the database, so that replicas share it and a start does not forget it. What fails for
the moment is asked again, twice; while the endpoint is away nobody is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain import PROFILE, Opinion
from services.intake.handlers import on_opinion
from services.intake.outside import LONGEST, NotNow
from services.intake.store import Book
from services.intake.store import opinions as kept
from shared.beside import beside
from shared.clock import Clock
from shared.policy import Policies
from shared.settings import Base
from shared.work import Corridor, Failed, Input

from .adviser import Adviser, Asked
from .masking import Known, leaks, mask
from .question import MOST_TEXT, Answer, Refused, request

log = structlog.get_logger()

#: asked at once, and how often one contact is asked about
_MOST: Final = 4
_ATTEMPTS: Final = 3
#: what is older is not worth knowing any more
_LATE: Final = timedelta(hours=6)
_PAUSE: Final = timedelta(seconds=10)
_LONGEST_PAUSE: Final = timedelta(minutes=10)


class SecondOpinions:
    """`run_once` answers how many contacts it dealt with."""

    def __init__(
        self, corridor: Corridor[Book], clock: Clock, policies: Policies, adviser: Adviser, settings: Base
    ) -> None:
        self._corridor, self._clock, self._policies, self._adviser = corridor, clock, policies, adviser
        self._calls, self._characters = settings.opinion_calls_per_day, settings.opinion_characters_per_day
        self._failures = 0
        self._not_before: datetime | None = None

    async def run_once(self, conn: AsyncConnection) -> int:
        """A few questions at once. Raises what the database raises."""
        now = self._clock.now()
        async with conn.begin():
            late = await kept.too_late(conn, now - _LATE)
            await kept.settle(conn, now.date(), late, "dropped")
        if self._not_before is not None and now < self._not_before < now + 2 * LONGEST:
            return 0
        async with conn.begin():
            rows = await kept.due(conn, now, _MOST)
        asking: list[tuple[Any, Asked]] = []
        for row in rows:
            async with conn.begin():
                asked = await self._question(conn, row, now)
            if asked is not None:
                asking.append((row, asked))
        async with beside() as start:
            answers = [start(self._answer(asked, now)) for _, asked in asking]
        for (row, asked), answer in zip(asking, answers, strict=True):
            await self._take(conn, row, asked, answer.result())
        return len(late) + len(rows)

    async def _question(self, conn: AsyncConnection, row: Any, now: datetime) -> Asked | None:
        """What is asked about a contact; None where it is not asked, which is settled."""
        day = now.date()
        if row.over:
            await kept.settle(conn, day, [row.contact_id], "dropped")
            return None
        text = row.posted["text"][:MOST_TEXT]
        known = known_of(row, await kept.staff(conn, row.contact_id, text))
        masked = mask(text, known)
        if leaks(masked.text, known):
            await kept.settle(conn, day, [row.contact_id], "unmasked")
            return None
        causes = [cause.code for cause in self._policies.current.causes]
        body = request(self._adviser.model, masked.text, causes)
        size = len(body.decode())
        if not await kept.reserve(conn, day, size, calls=self._calls, most=self._characters):
            await kept.settle(conn, day, [row.contact_id], "over_budget")
            return None
        return Asked(masked, causes, body)

    async def _answer(self, asked: Asked, now: datetime) -> Answer | Refused | NotNow:
        try:
            return await self._adviser.ask(asked, now)
        except (Refused, NotNow) as failure:
            return failure

    async def _take(self, conn: AsyncConnection, row: Any, asked: Asked, answer: Answer | Refused | NotNow) -> None:
        now = self._clock.now()
        if isinstance(answer, NotNow):
            await self._again(conn, row, answer, now)
            return
        self._failures, self._not_before = 0, None
        if isinstance(answer, Refused):
            log.warning("second_opinion_refused", contact_id=row.contact_id, why=str(answer))
            outcome = "refused"
        else:
            outcome = await self._apply(row, asked, answer)
        async with conn.begin():
            await kept.settle(conn, now.date(), [row.contact_id], outcome)

    async def _apply(self, row: Any, asked: Asked, answer: Answer) -> str:
        quote = None if answer.quote is None else asked.masked.original(*answer.quote)
        opinion = Opinion(
            row.contact_id,
            row.customer_id,
            self._adviser.model,
            answer.complaint,
            answer.departure_threat,
            answer.cause,
            quote,
        )
        one: Input[Book] = Input(row.customer_id, opinion, on_opinion, correlation_id=row.contact_id)
        (result,) = await self._corridor.take([one])
        if isinstance(result, Failed):
            return "failed"
        return {True: "lifted", False: "same"}.get(result, "dropped")

    async def _again(self, conn: AsyncConnection, row: Any, failure: NotNow, now: datetime) -> None:
        log.warning("second_opinion_failed", contact_id=row.contact_id, why=failure.why)
        pause = min(_LONGEST_PAUSE, _PAUSE * 2 ** min(self._failures, 6))
        pause = max(pause, failure.after or pause)
        self._failures, self._not_before = self._failures + 1, max(now + pause, self._not_before or now)
        async with conn.begin():
            if row.attempts + 1 >= _ATTEMPTS:
                await kept.settle(conn, now.date(), [row.contact_id], "failed")
            else:
                await kept.postpone(conn, row.contact_id, now + pause)


def known_of(row: Any, staff: Any) -> Known:
    """Everything that is known of the people of a contact: its customer, and whoever may be named in it."""
    posted: Mapping[str, Any] = row.posted
    profile = {name: getattr(row, f"known_{name}") for name in PROFILE}
    names: list[Any] = [profile["name"]]
    words: list[Any] = [row.customer_id, profile["email"], profile["phone"], profile["tier"], profile["region"]]
    for person in (posted.get("customer") or {}, posted.get("responder") or {}):
        names.append(person.get("name"))
        words += [person.get(name) for name in ("id", "email", "phone", "tier", "region")]
    for one in staff:
        names.append(one.name)
        words += [one.id, one.email]
    for value in (profile["lifetime_value"], (posted.get("customer") or {}).get("lifetime_value")):
        words.append((value or {}).get("amount"))
    words += [posted.get(name) for name in ("source_event_id", "conversation_id", "regarding")]
    words += [one for one in (posted.get("attributes") or {}).values() if isinstance(one, str) and _tells(one)]
    words += [word.partition("@")[0] for word in words if isinstance(word, str) and "@" in word]
    return Known([one for one in names if one], [str(one) for one in words if one])


def _tells(value: str) -> bool:
    """Whether an attribute may be somebody's: a queue's name is not."""
    return len(value) > 12 or "@" in value or any(letter.isdigit() for letter in value)
