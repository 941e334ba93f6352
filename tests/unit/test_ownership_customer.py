"""Everything that one customer's complaints can go through, acted out at random on the domain alone.

Whatever happens, each contact belongs to one complaint, no owner moves, nothing that was promised is lost by merging,
complaints that name each other do so both ways, and what is refused is what `allowed` does not name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import orjson
from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.ownership import domain
from services.ownership.domain import acts
from services.ownership.domain.merging import ENDS
from services.ownership.domain.refusing import allowed
from services.ownership.domain.state import Complaint
from services.ownership.domain.story import Heard, Story
from shared.contracts.envelope import dump
from shared.policy import Policy
from tests.service.ownership_world import MONDAY, captured

pytest_plugins = ["tests.service.ownership_world"]
#: refused for what another complaint, or the act itself, is like
_OF_OTHERS = frozenset({"merge-the-later", "first-contact-stays", "other-complaint-closed"})


@dataclass
class Customer:
    """One customer's complaints, kept as the handlers keep them."""

    policy: Policy
    now: datetime = MONDAY
    states: dict[str, Complaint] = field(default_factory=dict)
    folded: dict[str, Complaint] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)
    numbers: Any = field(default_factory=count)

    def fresh(self) -> tuple[str, str]:
        n = next(self.numbers)
        return f"k-{n:04}", f"C-{n:05}"

    def keep(self, story: Story) -> None:
        """Announces: each event is folded a second time from what is sent."""
        for told in story.told:
            name = told.after.id
            sent = type(told.event).model_validate_json(dump(told.event))
            self.folded[name] = domain.evolve(self.folded.get(name), sent)
            before = self.states.get(name)
            if before is not None and before.owner_id is not None:
                assert told.after.owner_id == before.owner_id, "no owner moves"
            self.states[name] = told.after
        for other in story.also:
            self.keep(other)

    def contact(self, conversation: str | None, cause: str | None, reference: int) -> None:
        """The customer says something, perhaps by the reference of any complaint of theirs."""
        states = list(self.states.values())
        named = (states[reference % len(states)].reference,) if states and reference >= 0 else ()
        agent = "agent-1" if next(self.numbers) % 2 else None
        told = {"conversation_id": conversation, "cause": cause, "references": named, "responder_id": agent}
        heard = captured(at=self.now, tier="standard" if next(self.numbers) % 3 else "gold", **told)
        self.heard[heard.contact_id] = Heard(self.now, conversation)
        found = domain.joins(heard, states)
        if found is not None:
            state, because = found
            self.keep(domain.decide_joining(state, because, heard, self.now, self.policy))
            return
        name, ref = self.fresh()
        opened = domain.decide_opening(heard, states, self.now, self.policy, complaint_id=name, reference=ref)
        assert opened is not None
        self.keep(opened)

    def sleep(self) -> None:
        """What has come due is told."""
        for state in list(self.states.values()):
            story = Story(state)
            domain.work_through(story, self.policy, self.now, self.now)
            self.keep(story)

    def act(self, act: acts.Act, route: str) -> None:
        """Somebody acts: done, or refused as it must be."""
        self.sleep()
        state = self.states[act.complaint_id]
        others = [one for one in self.states.values() if one.id != state.id]
        around = domain.Around(others, self.policy, lambda _: self.policy, self.fresh, heard=self.heard)
        story, refusal = domain.decide(state, act, self.now, self.policy, around)
        if refusal is None:
            event(f"{route}: done")
            assert route in allowed(state), route
            if isinstance(act, acts.Merge):
                _nothing_is_lost(state, story)
        else:
            event(f"{route}: {refusal.slug}")
            assert not story.also and refusal.members["allowed"] == allowed(state)
            assert (route in allowed(state)) == (refusal.slug in _OF_OTHERS), (route, refusal.slug)
        self.keep(story)

    def check(self) -> None:
        """What holds at any time."""
        assert self.folded == self.states
        counted = [one for state in self.states.values() for one in state.contacts]
        assert len(counted) == len(set(counted)) and set(counted) == self.heard.keys()
        for state in self.states.values():
            assert domain.from_json(orjson.loads(domain.to_json(state))) == state
            if state.merged_into is not None:
                assert state.id in self.states[state.merged_into].took_in and state.basis == "merged"
            if state.followed_by is not None:
                assert self.states[state.followed_by].follows == state.id
            for other in state.split_into:
                assert self.states[other].split_from == state.id
            if state.status == "closed":
                owed = {"follow_up"} if state.basis in ("accepted", "silent") else set()
                assert {clock.kind for clock in state.clocks if clock.running} <= owed


def _nothing_is_lost(gone: Complaint, story: Story) -> None:
    (survivor,) = story.also
    resumed = next((told.after for told in story.told if told.after.pause is None), gone)
    for clock in resumed.clocks if gone.status == "open" else ():
        if clock.running and clock.kind not in ENDS and clock.kind != "claim":
            kept = survivor.state.running(clock.kind)
            assert kept is not None and kept.due_at <= clock.due_at, clock.kind
            assert kept.due_at < clock.due_at or clock.breached_at is None or kept.breached_at is not None


places = st.integers(0, 9)
said = st.tuples(
    st.just("contact"),
    st.sampled_from([None, "v-1", "v-2", "v-3"]),
    st.sampled_from([None, "router-drops", "billing-error"]),
    st.integers(-3, 3),
)
slept = st.tuples(st.just("sleep"), st.sampled_from([1, 50, 600, 7_200, 57_600, 131_040]), places, places)
_WHAT = (
    "claim acknowledgement updates classification pause resume answer answer yes no no follow-up withdrawal "
    "merge merge split split"
)
done = st.tuples(
    st.sampled_from(_WHAT.split(" ")),
    places,
    places,
    st.booleans(),
)


def _made(customer: Customer, what: str, first: int, second: int, flag: bool) -> tuple[acts.Act, str] | None:
    names = sorted(customer.states)
    if not names:
        return None
    name, other = names[first % len(names)], names[second % len(names)]
    state = customer.states[name]
    cause = [None, "router-drops", "billing-error"][second % 3]
    until = customer.now + timedelta(hours=3 + second)
    match what:
        case "claim":
            return acts.Claim(name, "agent-2"), what
        case "acknowledgement":
            return acts.Acknowledge(name, "agent-1"), what
        case "updates":
            return acts.Update(name, "agent-1", "Soon."), what
        case "classification":
            return acts.Classify(name, "agent-1", {"cause": cause} if flag else {"complaint": False}), what
        case "pause":
            return acts.PauseClocks(name, "agent-1", "reason", until), what
        case "resume":
            return acts.Resume(name, "agent-1"), what
        case "answer":
            return acts.Answer(name, "agent-1", "text", "upheld", "reasons"), what
        case "no" if state.status != "open":  # an open one may be said yes to
            return acts.Confirm(name, False, "tool"), "confirmation"
        case "yes" if state.status != "closed":  # a closed one may be said no to
            return acts.Confirm(name, True, "tool"), "confirmation"
        case "follow-up":
            return acts.FollowUp(name, "agent-1", flag, flag), what
        case "withdrawal":
            return acts.Withdraw(name, "agent-1", "reason"), what
        case "merge" if other != name:
            return acts.Merge(name, other, "agent-1", "reason"), what
        case "split" if moved := state.contacts[1 + second % 2 :]:
            return acts.Split(name, moved, "agent-1", "reason", cause), what
    return None


@settings(max_examples=150, deadline=None)
@given(history=st.lists(st.one_of(said, slept, done, done), min_size=15, max_size=40))
def test_a_customers_complaints_stay_accounted_for(policy: Policy, history: list[Any]) -> None:
    customer = Customer(policy)
    for what, first, second, third in history:
        customer.now += timedelta(minutes=7)
        if what == "contact":
            customer.contact(first, second, third)
        elif what == "sleep":
            customer.now += timedelta(minutes=first)
            customer.sleep()
        elif (made := _made(customer, what, first, second, third)) is not None:
            customer.act(*made)
        customer.check()


def test_a_complaint_that_was_stored_before_it_could_be_merged_is_read(policy: Policy) -> None:
    customer = Customer(policy)
    customer.contact("v-1", "router-drops", -1)
    (state,) = customer.states.values()
    stored = orjson.loads(domain.to_json(state))
    for name in ("took_in", "merged_into", "known_as", "split_into", "split_from", "follows", "followed_by", "about"):
        del stored[name]
    assert domain.from_json(stored) == state
