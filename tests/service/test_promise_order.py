"""However the two topics are delayed against each other, the same promises and escalations come of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation.domain.acts import PromiseGiven
from shared.clock import ManualClock
from shared.contracts import ownership
from shared.contracts.envelope import Event
from shared.contracts.intake import Verdict
from tests.service.escalation_house import emptied
from tests.service.escalation_world import NINE, contact, of, opened, owned, promised

pytest_plugins = ["tests.service.escalation_house"]

CAUSES = ("router-drops", "billing-error", None)


@dataclass(frozen=True)
class Told:
    """One contact: whose, when, about what, and what an agent says of it later."""

    customer: str
    minutes: int
    cause: str | None
    complaint: bool | None
    named: str | None = None
    dismissed: bool = False


contacts = st.builds(
    Told,
    customer=st.sampled_from(["c-1", "c-2"]),
    minutes=st.sampled_from([-60, 60, 90]),
    cause=st.sampled_from(CAUSES),
    complaint=st.sampled_from([True, None, False]),
    named=st.sampled_from([None, None, "router-drops", "billing-error"]),
    dismissed=st.sampled_from([False, False, False, True]),
)


def topics(told: list[Told]) -> tuple[list[Event], list[Event]]:
    """What intake and ownership say of these contacts, each in its own order."""
    intake: list[Event] = []
    ownership_says: list[Event] = [opened(contact(contact_id="contact-first")), owned()]
    for n, one in enumerate(told):
        heard = contact(
            one.customer,
            NINE + timedelta(minutes=one.minutes),
            contact_id=f"contact-{n}",
            cause=one.cause,
            complaint=Verdict(value=one.complaint, score=1),
        )
        intake.append(heard)
        if one.complaint is False:
            continue
        ownership_says.append(opened(heard, f"k-{n}x"))
        about: dict[str, Any] = {"by_id": "agent-7", "contact_ids": (heard.contact_id,)}
        if one.named:
            ownership_says.append(
                of(ownership.Classified, f"k-{n}x", one.customer, changed=("cause",), cause=one.named, **about)
            )
        if one.dismissed:
            ownership_says.append(
                of(ownership.Closed, f"k-{n}x", one.customer, basis="not_a_complaint", by_id="agent-7")
            )
    return intake, ownership_says


async def outcome(engine: AsyncEngine, told: list[Told], scope: str, order: list[bool], size: int) -> Any:
    """Plays one interleaving, in sets of `size`: True takes intake's next event, False ownership's."""
    world = await emptied(engine, ManualClock(NINE))
    intake, says = topics(told)
    await world.tell(*says[:2])
    await world.act("c-1", PromiseGiven("vp", "c-1", "k-1", replace(promised(), scope=scope)))  # type: ignore[arg-type]
    world.clock.advance(timedelta(hours=3))
    waiting: list[Event] = []
    left = {True: intake, False: says[2:]}
    for first in [*order, *([True] * len(intake)), *([False] * len(says))]:
        if left[first]:
            waiting.append(left[first].pop(0))
        if len(waiting) >= size:
            await world.tell(*waiting)
            waiting = []
            await world.settle()
    await world.tell(*waiting)
    await world.settle()
    promise = await world.promise()
    standing = {breach["contact_id"] for breach in promise["breaches"] if breach["taken_back"] is None}
    raised = {one["complaint_id"] for one in await world.escalations() if "promise_broken" in one["reasons"]}
    assert await world.findings() == []
    return promise["status"], standing, raised


@pytest.fixture
async def loop() -> asyncio.AbstractEventLoop:
    """The run's own loop, for a test that is not part of it."""
    return asyncio.get_running_loop()


@pytest.mark.parametrize("scope", ["customer", "everyone"])
def test_any_order_of_the_topics_gives_the_same(
    escalation_engine: AsyncEngine, loop: asyncio.AbstractEventLoop, scope: str
) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(contacts, min_size=1, max_size=4),
        st.lists(st.booleans(), max_size=12),
        st.sampled_from([1, 3, 100]),
    )
    def same(told: list[Told], order: list[bool], size: int) -> None:
        expected = loop.run_until_complete(outcome(escalation_engine, told, scope, [True] * 20, 1))
        found = loop.run_until_complete(outcome(escalation_engine, told, scope, order, size))
        assert found[:2] == expected[:2]
        settled = {f"k-{n}x" for n, one in enumerate(told) if not one.named and not one.dismissed}
        # what an agent took back before it was known had no chance to hurt; all else reaches the same people
        assert found[2] & settled == expected[2] & settled
        assert {f"k-{contact_id.removeprefix('contact-')}x" for contact_id in found[1]} <= found[2]

    same()
