"""A ladder left alone for a year: the number, the times and the addressees of all mails are what the policy says."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import ManualClock
from tests.service.escalation_house import emptied
from tests.service.escalation_world import NINE, World, breached, contact, opened, owned
from tests.service.mail_house import MailServer, Neighbours, room_of

pytest_plugins = ["tests.service.escalation_house", "tests.service.mail_house"]
DAY = timedelta(days=1)
MADRID = ZoneInfo("Europe/Madrid")
POLICY = """
version: v1
regions:
  default: {time_zone: UTC, hours: {mon-sun: ["00:00-24:00"]}, holidays: null}
escalation:
  ladder:
    - {level: 1, role: head_of_care, answer_within: 4h}
    - {level: 2, role: vice_president, answer_within: 8h}
    - {level: 3, role: chief_executive, answer_within: 1d, repeat_every: RHYTHM}
executives:
  - {id: head, name: Hana Head, email: head@example.com, role: head_of_care}
  - {id: vp, name: Victor Vice, email: vp@example.com, role: vice_president, quiet_hours: ["12:00-14:00"]}
  - id: ceo
    name: Ana Ruiz
    email: ceo@example.com
    role: chief_executive
    time_zone: Europe/Madrid
    delegates: [coo]
    absences: [{from: 2026-08-01, until: 2026-08-21}, {from: 2026-12-24, until: 2027-01-02}]
  - {id: coo, name: Cem Oz, email: coo@example.com, role: operations, time_zone: Europe/Madrid}
"""


#: every day under `make faults`
RHYTHM = 1 if os.environ.get("COMPLAINT_LOOP_LONG") else 5


def expected() -> list[tuple[datetime, str]]:
    """Written down from the policy alone: four hours, eight, a day, then on the rhythm at her wall clock's hour."""
    found = [(NINE, "head@example.com"), (NINE + timedelta(hours=5), "vp@example.com")]  # an hour late: quiet hours
    wall = datetime(2026, 3, 2, 22, 0, tzinfo=MADRID)  # 21:00 UTC, twelve hours after it was raised
    while (at := wall.astimezone(UTC)) <= NINE + 365 * DAY:
        away = datetime(2026, 8, 1, tzinfo=MADRID) <= wall < datetime(2026, 8, 22, tzinfo=MADRID)
        away = away or datetime(2026, 12, 24, tzinfo=MADRID) <= wall < datetime(2027, 1, 3, tzinfo=MADRID)
        found.append((at, "coo@example.com" if away else "ceo@example.com"))
        wall += DAY * (
            RHYTHM if len(found) > 3 else 1
        )  # on the wall: clocks that are changed change the instant, not the hour
    return found


async def test_a_year_alone(escalation_engine: AsyncEngine, clock: ManualClock, mail_server: MailServer) -> None:
    world = await emptied(escalation_engine, clock, POLICY.replace("RHYTHM", f"{RHYTHM}d"))
    room = room_of(world, mail_server, Neighbours())
    await world.tell(opened(contact(cause=None)), owned(), breached())
    came: list[tuple[datetime, str]] = []
    while world.clock.now() <= NINE + 365 * DAY:
        await world.settle()
        while await room.run_once():
            pass
        came += [(world.clock.now(), address) for address, _ in mail_server.taken[len(came) :]]
        world.clock.move_to(await _next(world))
    assert came == expected()
    assert len(came) == 4 + 363 // RHYTHM
    one = await world.escalation()
    assert one["standing_unanswered"] is True and one["times_repeated"] == len(came) - 3
    assert (await world.events()).count("escalation.stood_unanswered") == 1
    assert await world.findings() == []
    assert len({message["Message-ID"] for _, message in mail_server.taken}) == len(came)


async def _next(world: World) -> datetime:
    """The next time at which anything happens by itself."""
    due = "select least((select min(due_at) from escalation.timers), (select min(next_at) from escalation.mails))"
    async with world.engine.connect() as conn:
        found: datetime = (await conn.execute(text(due))).scalar_one()
    return found
