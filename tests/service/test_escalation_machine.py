"""Any history of contacts, promises, answers, mails and time, the two topics delayed against each other by any amount.

On a real database. What ought to come of it is worked out beside the service from what was said alone, never from the
order in which it was heard. COMPLAINT_LOOP_LONG=1 walks fifty times as far.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.escalation.domain.acts import ActionDone, Delivered, Forwarded, PromiseGiven
from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.promising import ActionWanted
from services.escalation.handlers import Done, Promised
from shared.clock import ManualClock
from shared.contracts import ownership
from shared.contracts.envelope import Event
from shared.contracts.intake import Verdict
from tests.service.escalation_house import emptied
from tests.service.escalation_world import (
    NINE,
    POLICY,
    World,
    breached,
    contact,
    of,
    opened,
    owned,
    promised,
    threatened,
)

pytest_plugins = ["tests.service.escalation_house"]
#: one is away for a week and stood in for, another is not to be disturbed at night
AWAY = "delegates: [vp], absences: [{from: 2026-03-04, until: 2026-03-10}]"
QUIET = 'delegates: [aide], quiet_hours: ["20:00-07:00"]'
PEOPLE = POLICY.replace("delegates: [vp]", AWAY).replace("delegates: [aide]", QUIET)
LONG = bool(os.environ.get("COMPLAINT_LOOP_LONG"))
CAUSES = ("router-drops", "billing-error")
WATCH = timedelta(days=180)
#: nothing comes at the same time as something else: who spoke first is then plain
TICK = timedelta(milliseconds=1)
customers = st.sampled_from(["c-1", "c-2"])
topics, causes = st.sampled_from(["intake", "ownership"]), st.sampled_from(CAUSES)
which = st.integers(0, 50)
#: minutes: a moment, some hours, a week, most of a watch
spans = st.one_of(st.integers(1, 90), st.integers(60, 900), st.integers(5_000, 20_000), st.just(200_000))


@dataclass
class Spoken:
    """A contact as it ought to be judged."""

    id: str
    customer: str
    complaint_id: str
    at: datetime
    cause: str | None
    complaint: bool | None

    def hurts(self, promise: Given) -> bool:
        """The rule, in words of the contract."""
        return (
            self.complaint is not False
            and self.cause == promise.cause
            and (promise.everyone or self.customer == promise.customer)
            and self.at > promise.made_at
            and (promise.watched_until is None or self.at <= promise.watched_until)
        )


@dataclass
class Given:
    """A promise as it was given."""

    id: str
    customer: str
    cause: str
    everyone: bool
    made_at: datetime
    open_actions: set[int]
    last_done: datetime | None = None

    @property
    def watched_until(self) -> datetime | None:
        if self.open_actions:
            return None
        return max(self.made_at + WATCH, self.last_done or self.made_at)


@dataclass
class Topics:
    """What each service has said of each customer and escalation has not heard."""

    waiting: dict[tuple[str, str], deque[Event]] = field(default_factory=dict)

    def say(self, topic: str, event: Event) -> None:
        self.waiting.setdefault((topic, event.customer_id), deque()).append(event)

    def take(self, topic: str, customer: str, most: int) -> list[Event]:
        left = self.waiting.get((topic, customer), deque())
        return [left.popleft() for _ in range(min(most, len(left)))]


class Machine(RuleBasedStateMachine):
    """Bound to an engine and a loop by `machine_on`."""

    engine: AsyncEngine
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(NINE)
        self.world: World = self.run(emptied(self.engine, self.clock, PEOPLE))
        self.topics = Topics()
        self.spoken: list[Spoken] = []
        self.open: list[tuple[str, str]] = []
        self.promises: list[Given] = []
        self.answered: dict[str, int] = {}

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    # what customers and agents say

    @rule(
        customer=customers,
        cause=st.sampled_from([*CAUSES, None]),
        complaint=st.sampled_from([True, True, None]),
        joins=st.none() | which,
    )
    def speak(self, customer: str, cause: str | None, complaint: bool | None, joins: int | None) -> None:
        self.clock.advance(TICK)
        n, at = len(self.spoken), self.clock.now()
        told: Any = {"received_at": at, "cause": cause, "complaint": Verdict(value=complaint, score=1)}
        heard = contact(customer, at, contact_id=f"contact-{n}", **told)
        theirs = [complaint_id for complaint_id, whose in self.open if whose == customer]
        if joins is not None and theirs:
            complaint_id = theirs[joins % len(theirs)]
            because: Any = {"contact_id": heard.contact_id, "because": "cause"}
            self.topics.say("ownership", of(ownership.ContactJoined, complaint_id, customer, **because))
        else:
            complaint_id = f"k-{n}x"
            self.open.append((complaint_id, customer))
            self.topics.say("ownership", opened(heard, complaint_id))
            self.topics.say("ownership", owned(f"agent-{n % 3}", complaint_id=complaint_id, customer=customer))
        self.topics.say("intake", heard)
        self.spoken.append(Spoken(heard.contact_id, customer, complaint_id, at, cause, complaint))

    @precondition(lambda self: self.open)
    @rule(one=which, what=st.sampled_from([*CAUSES, "no complaint", "a complaint", "dismissed"]))
    def judge(self, one: int, what: str) -> None:
        complaint_id, customer = self.open[one % len(self.open)]
        about = [spoken for spoken in self.spoken if spoken.complaint_id == complaint_id]
        told: dict[str, Any] = {"by_id": "agent-9"}
        if what == "dismissed":
            self.open.remove((complaint_id, customer))
            self.topics.say("ownership", of(ownership.Closed, complaint_id, customer, basis="not_a_complaint", **told))
        else:
            name, value = ("cause", what) if what in CAUSES else ("complaint", what == "a complaint")
            told |= {"changed": (name,), name: value, "contact_ids": tuple(spoken.id for spoken in about)}
            self.topics.say("ownership", of(ownership.Classified, complaint_id, customer, **told))
        for spoken in about:
            if what in CAUSES:
                spoken.cause = what
            else:
                spoken.complaint = what == "a complaint"

    @precondition(lambda self: self.open)
    @rule(one=which, what=st.sampled_from(["breached", "threatened", "asked", "repeated"]))
    def trouble(self, one: int, what: str) -> None:
        complaint_id, customer = self.open[one % len(self.open)]
        whose = {"complaint_id": complaint_id, "customer": customer}
        event: Any = {
            "breached": lambda: breached(**whose),
            "threatened": lambda: threatened(**whose),
            "asked": lambda: of(ownership.EscalationAsked, by="customer", **whose),
            "repeated": lambda: of(ownership.Repeated, repeat_of="k-0", **whose),
        }[what]()
        self.topics.say("ownership", event)

    # when it is heard, and what time does

    @rule(
        topic=st.sampled_from(["intake", "ownership"]), customer=customers, most=st.integers(1, 6), both=st.booleans()
    )
    def hear(self, topic: str, customer: str, most: int, both: bool) -> None:
        events = self.topics.take(topic, customer, most)
        if both:  # one set may hold several customers
            events += self.topics.take(topic, "c-2" if customer == "c-1" else "c-1", most)
        self.run(self.world.tell(*events))

    @rule(minutes=spans, awake=st.sampled_from([True, True, False]))
    def pass_time(self, minutes: int, awake: bool) -> None:
        self.clock.advance(timedelta(minutes=minutes))
        if awake:
            self.settle()

    # what executives do, and mail servers

    @rule(
        customer=customers, cause=st.sampled_from(CAUSES), everyone=st.booleans(), days=st.none() | st.integers(1, 250)
    )
    def promise(self, customer: str, cause: str, everyone: bool, days: int | None) -> None:
        self.clock.advance(TICK)
        scope: Any = "everyone" if everyone else "customer"
        actions = [] if days is None else [ActionWanted("Mend it", "ops", self.clock.now() + timedelta(days=days))]
        wanted = promised(*actions, text=_words(), cause=cause, scope=scope)
        made = self.run(self.world.act(customer, PromiseGiven("vp", customer, None, wanted)))
        assert isinstance(made, Promised)
        given = Given(made.promise.id, customer, cause, everyone, self.clock.now(), {1} if actions else set())
        self.promises.append(given)

    @precondition(lambda self: any(given.open_actions for given in self.promises))
    @rule(one=which)
    def act(self, one: int) -> None:
        open_ones = [given for given in self.promises if given.open_actions]
        given = open_ones[one % len(open_ones)]
        self.run(self.world.act(given.customer, ActionDone(given.id, 1, "ops", "done")))
        given.open_actions, given.last_done = set(), self.clock.now()

    @rule(one=which, how=st.sampled_from(["answer", "forward", "deliver"]))
    def executive(self, one: int, how: str) -> None:
        status = "answered" if how == "deliver" else "waiting"
        there = self.run(self.world.escalations(status=status))
        if not there:
            return
        found = there[one % len(there)]
        act: Any = {
            "answer": lambda: AnswerGiven(found["id"], "ceo", _words(), stay_asked=True, stay="a working line"),
            "forward": lambda: Forwarded(found["id"], "head" if one % 2 else "vp", "boss"),
            "deliver": lambda: Delivered(found["id"], "agent-1", "by phone"),
        }[how]()
        result = self.run(self.world.act(found["customer_id"], act))
        if how == "answer":
            assert isinstance(result, Done), result
            self.answered[found["id"]] = result.escalation.steps_made

    @rule(one=which, state=st.sampled_from(["accepted", "accepted", "temporary", "permanent"]))
    def mail(self, one: int, state: str) -> None:
        async def queued() -> list[str]:
            query = "select id from escalation.mails where state in ('queued', 'temporary') order by id"
            async with self.engine.connect() as conn:
                return [row.id for row in await conn.execute(text(query))]

        ids = self.run(queued())
        if ids:
            order = next(o for o in self.run(self.world.orders()) if o.id == ids[one % len(ids)])
            retry = {"retry_at": self.clock.now() + timedelta(minutes=5)} if state == "temporary" else {}
            self.run(self.world.mailed(order, state, **retry))

    # what must hold

    def settle(self) -> None:
        self.run(self.world.settle())
        self.check()

    def check(self) -> None:
        """Where every ladder stands, once nothing is due."""
        escalations = self.run(self.world.escalations())
        asked = {
            (order.escalation_id, order.step, order.recipient_id)
            for order in self.run(self.world.orders())
            if order.kind in ("ask", "breach") and order.step
        }
        for one in escalations:
            steps = one["steps"]
            if one["id"] in self.answered:
                assert one["status"] != "waiting" and steps[-1]["n"] == self.answered[one["id"]]
                continue
            assert one["status"] == "waiting" and one["due_at"] > self.clock.now()
            assert (one["id"], steps[-1]["n"], one["addressee"]["id"]) in asked
            assert one["standing_unanswered"] is False or one["level"] == 3
            for before, after in pairwise(steps):
                if before["n"] + 1 != after["n"]:
                    continue  # of repeats, states keep the latest
                assert after["at"] <= before["due_at"]
                if before["outcome"] == "unanswered":
                    assert after["at"] == before["due_at"]
                if before["outcome"] == "forwarded":
                    assert after["due_at"] == before["due_at"]

    def teardown(self) -> None:
        for topic, customer in sorted(self.topics.waiting):
            self.run(self.world.tell(*self.topics.take(topic, customer, 1_000)))
        self.settle()
        self.clock.advance(timedelta(minutes=2))  # the look back after promises to everyone
        self.settle()
        shown = {one["id"]: one for one in self.run(self.world.promises())}
        orders = self.run(self.world.orders())
        reasons: dict[str, set[str]] = {}
        for one in self.run(self.world.escalations()):
            reasons.setdefault(one["complaint_id"], set()).update(one["reasons"])
        for given in self.promises:
            found = shown[given.id]
            standing = {breach["contact_id"] for breach in found["breaches"] if breach["taken_back"] is None}
            wanted = {spoken.id for spoken in self.spoken if spoken.hurts(given)}
            assert standing == wanted, given
            over = given.watched_until is not None and given.watched_until <= self.clock.now()
            assert found["status"] == ("broken" if wanted else "kept" if over else "watching")
            for spoken in self.spoken:
                mails = [o for o in orders if (o.kind, o.promise_id, o.contact_id) == ("breach", given.id, spoken.id)]
                people = [order.recipient_id for order in mails]
                assert len(people) == len(set(people))
                if spoken.id in wanted:
                    assert "promise_broken" in reasons[spoken.complaint_id]
                    assert "vp" in people and any(person.startswith("agent-") for person in people)
        assert self.run(self.world.findings()) == []


def _words() -> str:
    return " ".join(uuid4().hex for _ in range(4))


@pytest.fixture
async def loop() -> asyncio.AbstractEventLoop:
    """The run's own loop, for a test that is not part of it."""
    return asyncio.get_running_loop()


def test_any_history_of_escalations_and_promises(
    escalation_engine: AsyncEngine, loop: asyncio.AbstractEventLoop
) -> None:
    bound = type("Bound", (Machine,), {"engine": escalation_engine, "loop": loop})
    examples, steps = (400, 60) if LONG else (10, 35)
    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # what fails is told as it came: making it smaller takes a database hours
            phases=(Phase.explicit, Phase.generate),
        ),
    )
