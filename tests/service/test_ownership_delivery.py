"""However the same history is delivered - in other sets, interleaved otherwise, some of it again - it comes to the
same complaints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.envelope import Envelope, Event, new_id
from shared.contracts.intake import ContactResponded
from shared.policy import Policy
from tests.service.ownership_world import MONDAY, World, captured, enveloped, world_at

pytest_plugins = ["tests.service.ownership_world"]

contacts = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(["c-1", "c-2", "c-3"]),
        "cause": st.sampled_from(["router-drops", "billing-error", None]),
        "conversation": st.sampled_from(["v-1", "v-2", None]),
        "responder": st.sampled_from(["agent-1", "agent-2", None]),
        "channel": st.sampled_from(["phone", "email"]),
        "complaint": st.sampled_from([True, None, False]),
        "threat": st.sampled_from([None, None, "likely", "possible"]),
        "answered_by": st.sampled_from([None, None, "agent-1", "agent-3"]),
    }
)


def history(drawn: Sequence[dict[str, Any]]) -> list[Envelope]:
    """What intake would say, in order."""
    told: list[Event] = []
    for n, one in enumerate(drawn):
        at = MONDAY - timedelta(hours=len(drawn) - n)
        contact = captured(
            one["customer"],
            at=at,
            complaint=one["complaint"],
            threat=one["threat"],
            cause=one["cause"],
            conversation_id=one["conversation"],
            responder_id=one["responder"],
            channel=one["channel"],
        )
        told.append(contact)
        if one["answered_by"]:
            told.append(
                ContactResponded(
                    customer_id=contact.customer_id,
                    contact_id=contact.contact_id,
                    response_id=new_id(),
                    responder_id=one["answered_by"],
                    occurred_at=at + timedelta(minutes=10),
                    received_at=at + timedelta(minutes=10),
                    conversation_id=contact.conversation_id,
                    first=True,
                )
            )
    return [enveloped(event, MONDAY) for event in told]


#: when something was told, not when it was
TOLD_AT = ("opened_at", "age_seconds")
CLOCK_TOLD_AT = ("warned_at", "breached_at")


async def outcome(world: World, *, late: bool = False) -> list[Any]:
    """The customers' complaints, without what chance gave them; compared with a late one, without when it was told."""
    found: list[Any] = []
    for customer in ("c-1", "c-2", "c-3"):
        listed = await world.complaints(customer)
        number = {one["id"]: n for n, one in enumerate(listed)}
        for one in listed:
            one["repeat_of"] = number.get(one["repeat_of"])
            for clock in one["clocks"] if late else ():
                clock |= {name: clock[name] is not None for name in CLOCK_TOLD_AT}
            by_chance = ("id", "reference", "confirmation_url", *(TOLD_AT if late else ()))
            found.append({k: v for k, v in one.items() if k not in by_chance})
        told = await world.told(customer)
        found.append(sorted(told) if late else told)
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(contacts, min_size=1, max_size=8), data=st.data())
async def test_delivery_changes_nothing(
    database: str, policy: Policy, drawn: list[dict[str, Any]], data: st.DataObject
) -> None:
    told = history(drawn)
    async with world_at(database, policy, MONDAY) as world:
        await world.deliver(*told)
        plain = await outcome(world)
    # customers interleave freely, each customer's own order stays; some events come again, at any later place
    order = data.draw(st.permutations([envelope.customer_id for envelope in told]))
    queues = {name: [e for e in told if e.customer_id == name] for name in set(order)}
    shuffled = [queues[name].pop(0) for name in order]
    for again in data.draw(st.lists(st.sampled_from(told), max_size=4)):
        place = data.draw(st.integers(shuffled.index(again) + 1, len(shuffled)))
        shuffled.insert(place, again)
    async with world_at(database, policy, MONDAY) as world:
        while shuffled:
            size = data.draw(st.integers(1, 4))
            await world.deliver(*shuffled[:size])
            del shuffled[:size]
        assert await outcome(world) == plain
        assert await world.findings() == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(contacts, min_size=1, max_size=8), hours=st.integers(0, 20))
async def test_late_delivery_changes_nothing_but_when_it_is_told(
    database: str, policy: Policy, drawn: list[dict[str, Any]], hours: int
) -> None:
    told = history(drawn)
    end = MONDAY + timedelta(hours=hours)
    async with world_at(database, policy, MONDAY - timedelta(days=1)) as world:
        for envelope in told:  # as it happens
            world.clock.move_to(datetime.fromisoformat(orjson.loads(envelope.data)["received_at"]))
            await world.sweep()
            await world.deliver(envelope)
        world.clock.move_to(end)
        await world.sweep()
        in_time = await outcome(world, late=True)
    async with world_at(database, policy, end) as world:
        await world.deliver(*told)  # all of it at the end
        await world.sweep()
        assert await outcome(world, late=True) == in_time
        assert await world.findings() == []
