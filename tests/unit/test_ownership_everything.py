"""Everything that can be done, merging, splitting, visits and absences among it, in any order: what must be true stays
true. The model of test_ownership_machine.py says what each act does; here nothing is foretold but that."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.ownership import domain
from services.ownership.domain import acts
from services.ownership.domain.agents import Agent, People
from services.ownership.domain.story import Heard
from services.ownership.handlers import TIMER, Done, on_act, on_contact, on_response, when_due
from shared.contracts.intake import ContactResponded
from shared.policy import parse_policy
from shared.refusal import Refusal
from shared.timers import Due
from tests.service.ownership_world import captured
from tests.unit.ownership_desk import Desk, proved
from tests.unit.ownership_model import POLICY

LONG = bool(os.environ.get("COMPLAINT_LOOP_LONG"))
_POLICY = parse_policy(POLICY + "follow_up: {standard: {after: 5d, by: superior}}\n")
AGENTS = ("agent-a", "agent-b", "agent-c")
agents = st.sampled_from(AGENTS)
customers = st.sampled_from(["c-1", "c-2", "c-3"])
numbers = st.integers(0, 40)
spans = st.one_of(st.integers(1, 90), st.integers(60, 900), st.integers(1000, 6000), st.integers(20_000, 50_000))
#: in groups, so that each is drawn as often as time passes
SAYING = ("acknowledge", "update", "classify", "threat", "no_complaint", "escalate", "pause", "resume")
RESOLVING = ("answer", "answer", "yes", "no", "no", "withdraw", "visit", "unhappy_visit")
LINKING = ("merge", "split")
STANDING_IN = ("claim", "deputy", "deputy_ends", "succeed", "ask_successor", "accept", "unask", "ask", "reply")


class Everything(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(_POLICY)
        self.owners: dict[str, str | None] = {}
        self.seen = 0

    @initialize()
    def everybody_complains(self) -> None:
        for n in (1, 2, 3, 1):
            self.contact(f"c-{n}", None, None, n, "agent-a" if n == 2 else None, "email", True, None)

    @rule(
        customer=customers,
        cause=st.sampled_from(["router-drops", "billing-error", None]),
        conversation=st.sampled_from(["v-1", "v-2", None]),
        named=numbers,
        responder=st.none() | agents,
        channel=st.sampled_from(["phone", "email"]),
        complaint=st.sampled_from([True, None, False]),
        threat=st.sampled_from([None, None, "certain", "possible"]),
    )
    def contact(
        self,
        customer: str,
        cause: str | None,
        conversation: str | None,
        named: int,
        responder: str | None,
        channel: str,
        complaint: bool | None,
        threat: str | None,
    ) -> None:
        desk, complaints = self.desk, list(self.desk.book.complaints.values())
        references = (complaints[named].now.reference,) if named < len(complaints) else ()
        told = captured(
            customer,
            at=desk.at(),
            contact_id=desk.new_id(),
            complaint=complaint,
            threat=threat,
            cause=cause,
            conversation_id=None if conversation is None else f"{conversation}-{customer}",
            references=references,
            responder_id=responder,
            channel=channel,
        )
        desk.book.heard[told.contact_id] = Heard(told.occurred_at, told.conversation_id)
        desk.take(told, on_contact)

    @rule(which=numbers, agent=agents, late=st.sampled_from([0, 0, 30, 3000]))
    def response(self, which: int, agent: str, late: int) -> None:
        state = self._one(which)
        if not state.contacts:
            return
        told = ContactResponded(
            customer_id=state.customer_id,
            contact_id=state.contacts[which % len(state.contacts)],
            response_id=self.desk.new_id(),
            responder_id=agent,
            occurred_at=self.desk.at() - timedelta(minutes=late),
            received_at=self.desk.at(),
            conversation_id=next(iter(state.conversations), None),
            first=False,
        )
        self.desk.take(told, on_response)

    @rule(span=spans)
    def time_passes(self, span: int) -> None:
        self.desk.minute += span
        self.desk.sweep()

    @rule(span=spans)
    def the_process_sleeps(self, span: int) -> None:
        self.desk.minute += span

    @rule(agent=agents, active=st.booleans(), absent=st.none() | spans, superior=st.none() | agents)
    def said_of(self, agent: str, active: bool, absent: int | None, superior: str | None) -> None:
        desk = self.desk
        now = desk.at()
        absences = () if absent is None else ((now, now + timedelta(minutes=absent)),)
        known = dict(desk.book.people.known)
        known[agent] = Agent(agent, active=active, superior=None if superior == agent else superior, absences=absences)
        desk.book.people = People(known, tuple(known.values()))
        for kept in list(desk.book.complaints.values()):
            desk.take(Due(TIMER, kept.id, kept.customer_id, now), when_due)

    @rule(which=numbers, other=numbers, agent=agents, helper=agents, span=spans, what=st.sampled_from(SAYING))
    def something_is_said(self, **given: Any) -> None:
        self._do(**given)

    @rule(which=numbers, other=numbers, agent=agents, helper=agents, span=spans, what=st.sampled_from(RESOLVING))
    def something_is_resolved(self, **given: Any) -> None:
        self._do(**given)

    @rule(which=numbers, other=numbers, agent=agents, helper=agents, span=spans, what=st.sampled_from(LINKING))
    def two_are_one_or_one_is_two(self, **given: Any) -> None:
        self._do(**given)

    @rule(which=numbers, other=numbers, agent=agents, helper=agents, span=spans, what=st.sampled_from(STANDING_IN))
    def somebody_holds_or_helps(self, **given: Any) -> None:
        self._do(**given)

    def _do(self, which: int, other: int, agent: str, helper: str, span: int, what: str) -> None:
        state = self._one(which)
        result = self.desk.take(self._act(what, state, other, agent, helper, span), on_act)
        assert isinstance(result, (Done, Refusal))
        if isinstance(result, Refusal):
            assert result.status in (404, 409, 422), result
            assert result.status != 409 or {"state", "allowed"} <= set(result.members), result

    def _act(self, what: str, state: domain.Complaint, other: int, agent: str, helper: str, span: int) -> acts.Act:
        name, until = state.id, self.desk.at(self.desk.minute + span)
        theirs = [one for one in self.desk.book.complaints.values() if one.customer_id == state.customer_id]
        into = theirs[other % len(theirs)].id
        contacts = tuple(one for n, one in enumerate(state.contacts) if (other >> n % 5) & 1) or ("nobody's",)
        made: dict[str, acts.Act] = {
            "claim": acts.Claim(name, agent),
            "acknowledge": acts.Acknowledge(name, agent),
            "update": acts.Update(name, agent, "words", until if other % 2 else None),
            "classify": acts.Classify(name, agent, {"cause": ("router-drops", "billing-error", None)[other % 3]}),
            "threat": acts.Classify(name, agent, {"departure_threat": bool(other % 2)}),
            "no_complaint": acts.Classify(name, agent, {"complaint": False}),
            "answer": acts.Answer(name, agent, "words", "upheld", "reasons"),
            "yes": acts.Confirm(name, True, "tool"),
            "no": acts.Confirm(name, False, "tool"),
            "withdraw": acts.Withdraw(name, agent, "reason"),
            "merge": acts.Merge(name, into, agent, "the same"),
            "split": acts.Split(name, contacts, agent, "two things"),
            "escalate": acts.Escalate(name, "agent", agent, "reason"),
            "pause": acts.PauseClocks(name, agent, "reason", until),
            "resume": acts.Resume(name, agent),
            "ask": acts.AskHelper(name, agent, helper, "question"),
            "reply": acts.HelperReply(name, 1 + other % 3, helper, "words"),
            "deputy": acts.StartDeputy(name, helper, until, "reason", "boss"),
            "deputy_ends": acts.EndDeputy(name, "reason", "boss"),
            "succeed": acts.Succeed(name, helper, "role_ended", "note", "boss", helper),
            "ask_successor": acts.Succeed(name, helper, "left_company", "note", "boss"),
            "accept": acts.AcceptSuccession(name, helper),
            "unask": acts.WithdrawSuccession(name, "reason", "boss"),
            "visit": acts.FollowUp(name, agent, True, True),
            "unhappy_visit": acts.FollowUp(name, agent, False, False),
        }
        return made[what]

    def _one(self, which: int) -> domain.Complaint:
        complaints = list(self.desk.book.complaints.values())
        return complaints[which % len(complaints)].now

    @invariant()
    def nobody_loses_what_they_hold(self) -> None:
        new, self.seen = self.desk.said[self.seen :], len(self.desk.said)
        succeeded = {one.subject for one in new if one.type == "complaintloop.complaint.owner_succeeded.v1"}
        held: list[str] = []
        for name, kept in self.desk.book.complaints.items():
            state = kept.now
            before = self.owners.get(name)
            assert before in (None, state.owner_id) or name in succeeded, "an owner changes only by succession"
            self.owners[name] = state.owner_id
            held += state.contacts
            assert state.deputy is None or state.deputy.agent_id != state.owner_id
            assert state.status != "closed" or (state.pause is None and state.deputy is None)
            moment, timer = domain.next_moment(state), self.desk.timers.get(name)
            assert moment is None or (timer is not None and timer <= moment), "its clocks would never be told"
        assert len(held) == len(set(held)), "a contact belongs to one complaint"
        opening = [one for one in new if one.type == "complaintloop.complaint.opened.v1"]
        assert len(self.desk.book.complaints) >= len(opening)

    def teardown(self) -> None:
        contacts = {one for kept in self.desk.book.complaints.values() for one in kept.now.contacts}
        self.time_passes(100_000)
        self.nobody_loses_what_they_hold()
        assert contacts == {one for kept in self.desk.book.complaints.values() for one in kept.now.contacts}
        proved(self.desk)


class TestEverything(Everything.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(
        max_examples=1000 if LONG else 60,
        stateful_step_count=150 if LONG else 60,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
