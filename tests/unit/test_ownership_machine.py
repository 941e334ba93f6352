"""Any history of acts, contacts and time, two agents and three customers interleaved, against a small model.

The service's own handlers, without a database: what they keep goes through its stored form after every step. A process
may sleep through deadlines; contacts and responses may be heard of late; what was received may come again.
COMPLAINT_LOOP_LONG=1 walks a hundred times as far.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from services.ownership import domain
from services.ownership.domain import acts
from services.ownership.domain.clocks import FOLLOW_UP, SUCCESSION
from services.ownership.handlers import Done, on_act, on_contact, on_response
from shared.contracts.intake import ContactCaptured, ContactResponded
from shared.policy import parse_policy
from shared.refusal import Refusal
from tests.service.ownership_world import captured
from tests.unit.ownership_desk import BEGIN, Desk, proved
from tests.unit.ownership_model import POLICY, REOPEN_WITHIN, Case, Run

LONG = bool(os.environ.get("COMPLAINT_LOOP_LONG"))
_POLICY = parse_policy(POLICY)
agents = st.sampled_from(["agent-a", "agent-b"])
customers = st.sampled_from(["c-1", "c-2", "c-3"])
#: a few minutes, some hours, a week-end, a month
spans = st.one_of(st.integers(1, 90), st.integers(60, 900), st.integers(1000, 6000), st.integers(20_000, 50_000))


class Machine(RuleBasedStateMachine):
    cases = Bundle("cases")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(_POLICY)
        self.model: dict[str, Case] = {}
        self.heard: list[ContactCaptured | ContactResponded] = []

    @initialize(target=cases, responders=st.lists(st.none() | agents, min_size=3, max_size=3))
    def three_customers_complain(self, responders: list[str | None]) -> Any:
        opened = [
            self.contact(f"c-{n}", "router-drops", None, None, responder, "email", True, 0)
            for n, responder in enumerate(responders, 1)
        ]
        return multiple(*opened)

    # what customers say, and what is heard of answers elsewhere

    @rule(
        target=cases,
        customer=customers,
        cause=st.sampled_from(["router-drops", "billing-error", None]),
        conversation=st.sampled_from(["v-1", None]),
        named=st.none() | st.integers(0, 5),
        responder=st.none() | agents,
        channel=st.sampled_from(["phone", "email"]),
        complaint=st.sampled_from([True, None, False]),
        late=st.sampled_from([0, 0, 0, 20, 200]),
    )
    def contact(
        self,
        customer: str,
        cause: str | None,
        conversation: str | None,
        named: int | None,
        responder: str | None,
        channel: str,
        complaint: bool | None,
        late: int,
    ) -> Any:
        desk = self.desk
        minute = desk.minute - late
        references: tuple[str, ...] = ()
        if named is not None and named < len(self.model):
            references = (desk.book.complaints[list(self.model)[named]].now.reference,)
        told = captured(
            customer,
            at=desk.at(minute),
            received_at=desk.at(),
            contact_id=desk.new_id(),
            complaint=complaint,
            cause=cause,
            conversation_id=None if conversation is None else f"{conversation}-{customer}",
            references=references,
            responder_id=responder,
            channel=channel,
        )
        before = set(desk.book.complaints)
        desk.take(told, on_contact)
        self.heard.append(told)
        theirs = [one for one in self.model.values() if one.customer == customer]
        for one in theirs:
            if one.pause:
                one.work(minute, desk.minute)
            if one.pause:
                one.unpause(max(minute, one.pause[0]))
        (new,) = set(desk.book.complaints) - before or {None}
        joined = self._joined(theirs, told)
        assert (new is not None) == (joined is None and complaint is not False)
        if joined is not None:
            self._join(joined, told, minute)
        if new is None:
            return multiple()
        self.model[new] = self._opened(told, minute)
        return new

    def _joined(self, theirs: list[Case], told: ContactCaptured) -> Case | None:
        ids = {id(case): name for name, case in self.model.items()}
        live = [one for one in theirs if one.status != "closed"]
        calls = {name: kept.now.reference for name, kept in self.desk.book.complaints.items()}
        known = {name: kept.now.known_as for name, kept in self.desk.book.complaints.items()}
        for fits in (
            lambda one: bool({calls[ids[id(one)]], *known[ids[id(one)]]} & set(told.references)),
            lambda one: told.conversation_id in one.conversations,
            lambda one: told.cause is not None and one.cause == told.cause,
        ):
            if found := [one for one in live if fits(one)]:
                return max(found, key=lambda one: one.number)
        return None

    def _join(self, case: Case, told: ContactCaptured, minute: int) -> None:
        live = told.responder_id is not None and told.channel == "phone"
        if told.responder_id is not None:
            case.work(minute, self.desk.minute)
        case.contacts.append(told.contact_id)
        case.conversations |= {told.conversation_id} - {None}  # type: ignore[arg-type]
        if live:
            case.spoken(minute)
        if told.responder_id is not None and case.owner is None and case.status == "open":
            case.assign(told.responder_id)

    def _opened(self, told: ContactCaptured, minute: int) -> Case:
        case = Case(told.customer_id, told.cause, len(self.model), minute, owner=told.responder_id)
        case.is_complaint = told.complaint.value or None
        case.contacts, case.conversations = [told.contact_id], {told.conversation_id} - {None}  # type: ignore[arg-type]
        case.fresh(minute)
        if told.responder_id is not None and told.channel == "phone":
            case.end(case.owed("acknowledgement", "first_response"), "met")
        return case

    @rule(name=cases, agent=agents, late=st.sampled_from([0, 0, 15, 150]))
    def response(self, name: str, agent: str, late: int) -> None:
        desk, case = self.desk, self.model[name]
        if not case.contacts:
            return
        minute = max(desk.minute - late, case.first_contact)
        told = ContactResponded(
            customer_id=case.customer,
            contact_id=case.contacts[-1],
            response_id=desk.new_id(),
            responder_id=agent,
            occurred_at=desk.at(minute),
            received_at=desk.at(),
            first=False,
        )
        desk.take(told, on_response)
        if case.status != "closed":
            case.work(minute, desk.minute)
            if case.owner is None:
                case.assign(agent)
            case.spoken(minute)

    @rule(again=st.integers(0, 200))
    def the_same_contact_again(self, again: int) -> None:
        # the corridor's inbox keeps out what had no effect as well; here only what has become part of something
        known = [one for one in self.heard if any(one.contact_id in case.contacts for case in self.model.values())]
        if known:
            told = len(self.desk.said)
            self.desk.take(known[again % len(known)], on_contact)
            assert len(self.desk.said) == told

    # time

    @rule(span=spans)
    def time_passes(self, span: int) -> None:
        self.desk.minute += span
        self.desk.sweep()
        for case in self.model.values():
            case.work(self.desk.minute, self.desk.minute)

    @rule(span=spans)
    def the_process_sleeps(self, span: int) -> None:
        self.desk.minute += span

    # what people ask for

    def _ask(self, name: str, act: acts.Act, expected: Callable[[Case, int], bool]) -> None:
        case, now = self.model[name], self.desk.minute
        case.work(now, now)
        done = expected(case, now)
        result = self.desk.take(act, on_act)
        assert isinstance(result, Done if done else Refusal), result
        if isinstance(result, Refusal):
            assert result.status == 409
            assert result.members["state"]["status"] == case.status

    @rule(name=cases, agent=agents)
    def claim(self, name: str, agent: str) -> None:
        self._ask(name, acts.Claim(name, agent), lambda case, _: case.claim(agent))

    @rule(name=cases, agent=agents)
    def acknowledge(self, name: str, agent: str) -> None:
        self._ask(name, acts.Acknowledge(name, agent), lambda case, _: case.acknowledge())

    @rule(name=cases, agent=agents, later=st.none() | st.integers(1, 3000))
    def update(self, name: str, agent: str, later: int | None) -> None:
        by = None if later is None else self.desk.at(self.desk.minute + later)
        act = acts.Update(name, agent, "words", by)
        self._ask(name, act, lambda case, now: case.update(agent, now, None if later is None else now + later))

    @rule(name=cases, agent=agents)
    def answer(self, name: str, agent: str) -> None:
        act = acts.Answer(name, agent, "words", "upheld", "reasons")
        self._ask(name, act, lambda case, now: case.answer(agent, now))

    @rule(name=cases)
    def solved(self, name: str) -> None:
        self._ask(name, acts.Confirm(name, True, "tool"), lambda case, now: case.yes(now))

    @rule(target=cases, name=cases)
    def not_solved(self, name: str) -> Any:
        follows: list[bool] = []

        def expected(case: Case, now: int) -> bool:
            if case.status == "open":
                return False
            if case.status == "closed" and now > case.closed_at + REOPEN_WITHIN:
                follows.append(not case.followed)
                return not case.followed
            case.reopen(now)
            return True

        before = set(self.desk.book.complaints)
        self._ask(name, acts.Confirm(name, False, "tool"), expected)
        (new,) = set(self.desk.book.complaints) - before or {None}
        assert (new is not None) == (follows == [True])
        if new is None:
            return multiple()
        old, now = self.model[name], self.desk.minute
        old.followed = True
        case = Case(old.customer, old.cause, len(self.model), now, owner=old.owner, is_complaint=old.is_complaint)
        state = self.desk.book.complaints[new].now
        case.conversations, case.is_complaint = set(state.conversations), state.complaint
        case.contacts, case.first_contact = list(state.contacts), self._minute(state.first_contact_at)
        case.fresh(now)
        self.model[new] = case
        return new

    @rule(name=cases, agent=agents)
    def withdraw(self, name: str, agent: str) -> None:
        self._ask(name, acts.Withdraw(name, agent, "reason"), lambda case, now: case.withdraw(now))

    @rule(name=cases, agent=agents)
    def no_complaint(self, name: str, agent: str) -> None:
        act = acts.Classify(name, agent, {"complaint": False})
        self._ask(name, act, lambda case, now: case.no_complaint(now) or True)

    @rule(name=cases, agent=agents)
    def another_cause(self, name: str, agent: str) -> None:
        self._ask(name, acts.Classify(name, agent, {"cause": "other", "need": "attractor"}), lambda _case, _now: True)
        self.model[name].cause = "other"

    @rule(name=cases, agent=agents, span=spans)
    def pause(self, name: str, agent: str, span: int) -> None:
        act = acts.PauseClocks(name, agent, "reason", self.desk.at(self.desk.minute + span))
        self._ask(name, act, lambda case, now: case.halt(now, now + span))

    @rule(name=cases, agent=agents)
    def resume(self, name: str, agent: str) -> None:
        def expected(case: Case, now: int) -> bool:
            if case.pause is None:
                return False
            case.unpause(now)
            return True

        self._ask(name, acts.Resume(name, agent), expected)

    @rule(name=cases, agent=agents, span=spans)
    def deputy(self, name: str, agent: str, span: int) -> None:
        act = acts.StartDeputy(name, agent, self.desk.at(self.desk.minute + span), "reason", "boss")
        self._ask(name, act, lambda case, now: case.stand_in(agent, now + span))

    @rule(name=cases)
    def deputy_leaves(self, name: str) -> None:
        def expected(case: Case, _: int) -> bool:
            there, case.deputy = case.deputy is not None, None
            return there

        self._ask(name, acts.EndDeputy(name, "reason", "boss"), expected)

    @rule(name=cases, to=agents, accepted=st.booleans())
    def succession(self, name: str, to: str, accepted: bool) -> None:
        act = acts.Succeed(name, to, "role_ended", "note", "boss", to if accepted else None)
        self._ask(name, act, lambda case, _: case.succeed(to, accepted))

    @rule(name=cases, agent=agents)
    def successor_accepts(self, name: str, agent: str) -> None:
        self._ask(name, acts.AcceptSuccession(name, agent), lambda case, _: case.accept(agent))

    @rule(name=cases, agent=agents, by=st.sampled_from(["customer", "agent", "supervisor"]))
    def escalate(self, name: str, agent: str, by: Any) -> None:
        self._ask(name, acts.Escalate(name, by, agent, "reason"), lambda _case, _now: True)

    @rule(name=cases, agent=agents, helper=agents)
    def helper(self, name: str, agent: str, helper: str) -> None:
        act = acts.AskHelper(name, agent, helper, "question")
        self._ask(name, act, lambda case, _: case.status != "closed")

    # what must be true

    def _minute(self, at: datetime) -> int:
        return int((at - BEGIN).total_seconds() // 60)

    @invariant()
    def it_is_as_the_model_says(self) -> None:
        assert set(self.desk.book.complaints) == set(self.model)
        for name, case in self.model.items():
            state = self.desk.book.complaints[name].now
            deputy = state.deputy and (state.deputy.agent_id, self._minute(state.deputy.until))
            asked = state.succession.to_id if state.succession else None
            paused = state.pause and (self._minute(state.pause.since), self._minute(state.pause.until))
            assert (state.owner_id, state.status, state.basis, state.cycle) == (
                case.owner,
                case.status,
                case.basis,
                case.cycle,
            )
            assert (deputy, asked, paused) == (case.deputy, case.asked_to, case.pause)
            assert list(state.contacts) == case.contacts
            self._clocks(state, case)

    def _clocks(self, state: domain.Complaint, case: Case) -> None:
        latest: dict[tuple[str, int], Run] = {(run.kind, run.cycle): run for run in case.runs}
        found = {(c.kind, c.cycle): c for c in state.clocks if c.kind not in (SUCCESSION, FOLLOW_UP)}
        assert set(found) == set(latest)
        for key, clock in found.items():
            run = latest[key]
            told = (self._minute(clock.started_at), self._minute(clock.due_at), clock.breached_at is not None)
            assert told == (run.start, run.due, run.breached), (key, clock, run)
            assert (clock.met_at is not None, clock.stopped_at is not None) == (
                run.over == "met",
                run.over == "stopped",
            )
        breached = [c for c in state.clocks if c.breached_at and c.kind not in (SUCCESSION, FOLLOW_UP)]
        assert len(breached) == sum(run.breached for run in case.runs)

    def teardown(self) -> None:
        self.time_passes(200_000)
        proved(self.desk)


class TestMachine(Machine.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(
        max_examples=1000 if LONG else 100,
        stateful_step_count=150 if LONG else 60,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
