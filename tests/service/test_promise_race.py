"""Contacts of everybody race against promises to everyone: each breaks each once, and nobody waits in a ring.

COMPLAINT_LOOP_LONG=1 races 100,000 contacts.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from services.escalation.domain.acts import PromiseGiven
from services.escalation.handlers import Promised, when
from shared.contracts.envelope import Event
from tests.service.escalation_world import World, contact, opened, owned, promised

pytest_plugins = ["tests.service.escalation_house"]
LONG = bool(os.environ.get("COMPLAINT_LOOP_LONG"))
CONTACTS, CUSTOMERS = (100_000, 5_000) if LONG else (1_200, 150)
CAUSES = ("router-drops", "billing-error")
#: consumers that hold sets of many customers, and sweepers beside them
CONSUMERS, SWEEPERS, SET = 4, 2, 60
WORDS = (
    "The cabinets are rebuilt by May and I read their logs each morning.",
    "Invoices are checked twice by people before they leave the house.",
    "Whoever is on duty calls back within the hour, in person, by name.",
)


async def test_contacts_of_everybody_race_against_promises_to_everyone(escalation: World) -> None:
    chance = random.Random(11)
    before = await _deadlocks(escalation)
    for n, cause in enumerate(CAUSES):
        await _promise(escalation, f"c-{n}", cause, WORDS[n])
    escalation.clock.advance(timedelta(minutes=1))
    said = _everything(chance, escalation.clock.now())
    sets = [said[start : start + SET] for start in range(0, len(said), SET)]
    left, done = iter(sets), asyncio.Event()

    async def consume(first: bool) -> None:
        for n, one in enumerate(left):
            await escalation.tell(*one)
            if first and n == 3:  # in the middle of it
                await _promise(escalation, "c-7", CAUSES[0], WORDS[2])

    async def sweep() -> None:
        while not done.is_set():
            await escalation.corridor.sweep(when)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await done.wait()

    sweepers = [asyncio.create_task(sweep()) for _ in range(SWEEPERS)]
    await asyncio.gather(*(consume(n == 0) for n in range(CONSUMERS)))
    await escalation.settle()
    await escalation.pass_time(timedelta(minutes=2))  # the look back
    done.set()
    await asyncio.gather(*sweepers)
    await escalation.settle()

    assert await _deadlocks(escalation) == before
    counted = await _counts(escalation)
    contacts = [event for event in said if type(event).__name__ == "ContactCaptured"]
    for cause, text_of in (*zip(CAUSES, WORDS[:2], strict=True), (CAUSES[0], WORDS[2])):
        hurting = sum(getattr(event, "cause", None) == cause for event in contacts)
        assert counted[text_of] == ("broken", hurting, hurting, hurting)
    assert await escalation.findings() == []


def _everything(chance: random.Random, at: datetime) -> Sequence[Event]:
    """Contacts of everybody, each with its complaint, mingled; some are heard of by ownership first."""
    found: list[Event] = []
    for n in range(CONTACTS):
        heard = contact(f"c-{chance.randrange(CUSTOMERS)}", at, cause=CAUSES[n % 2], contact_id=f"contact-{n}")
        tied: list[Event] = [opened(heard, f"k-{n}"), owned(complaint_id=f"k-{n}", customer=heard.customer_id)]
        found += [heard, *tied] if chance.random() < 0.5 else [*tied, heard]
    return found


async def _promise(world: World, customer: str, cause: str, words: str) -> None:
    wanted = promised(cause=cause, scope="everyone", text=words)
    assert isinstance(await world.act(customer, PromiseGiven("vp", customer, None, wanted)), Promised)


async def _deadlocks(world: World) -> int:
    """How often PostgreSQL had to break a ring, so far."""
    async with world.engine.connect() as conn:
        await conn.execute(text("select pg_stat_force_next_flush()"))
        query = "select deadlocks from pg_stat_database where datname = current_database()"
        return int((await conn.execute(text(query))).scalar_one())


async def _counts(world: World) -> dict[str, Any]:
    """By a promise's words: its status, how many broke it, how many escalations that reached, how many mails."""
    query = """
        select p.text, p.status, (select count(*) from escalation.breaches b where b.promise_id = p.id) as breaches,
            (select count(*) from escalation.contacts c where c.facts -> 'raised' ? p.id) as raised,
            (select count(*) from escalation.mails m where m.kind = 'breach' and m."order" ->> 'promise_id' = p.id
                and m."order" ->> 'recipient_id' = 'vp') as mails
        from escalation.promises p
    """
    async with world.engine.connect() as conn:
        return {row.text: tuple(row)[1:] for row in await conn.execute(text(query))}
