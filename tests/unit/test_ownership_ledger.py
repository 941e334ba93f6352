"""Whatever people and time do: one owner from the first on, without gap or overlap, and moved by a succession alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ownership import domain
from services.ownership.api.ledger import LEDGER_TYPES, ledger
from services.ownership.domain import Complaint, Story, acts, evolve, from_json, to_json
from services.ownership.domain.agents import Agent, People, shifts
from services.ownership.domain.manning import BY_POLICY
from shared.calendars import parse_week
from shared.contracts import ownership as said
from shared.contracts.envelope import dump, new_id
from shared.contracts.intake import ContactResponded
from shared.policy import Policy
from tests.service.ownership_world import MONDAY, captured

pytest_plugins = ["tests.service.ownership_world"]
ID = "01a21151-a75f-756d-b160-969bf8a3d754"
NAMES = ("a", "b", "c", "lead")
agent = st.sampled_from(NAMES)
MORNINGS = shifts("UTC", parse_week({"mon-fri": ["09:00-12:00"]}))


@dataclass
class Life:
    """One complaint and the people around it, as a history makes them."""

    policy: Policy
    now: datetime = MONDAY
    state: Complaint | None = None
    told: list[Any] = field(default_factory=list)
    people: dict[str, Agent] = field(default_factory=lambda: {"a": Agent("a", superior="lead"), "lead": Agent("lead")})

    def around(self) -> People:
        return People(self.people, [one for one in self.people.values() if one.active])

    def take(self, story: Story) -> None:
        domain.keep_manned(story, self.around(), self.policy, self.policy, self.now)
        self.state = story.state
        self.told += story.told

    def open(self, responder: str | None) -> None:
        contact = captured(at=self.now, responder_id=responder, conversation_id="conv")
        story = domain.decide_opening(contact, [], self.now, self.policy, complaint_id=ID, reference="C-00000")
        assert story is not None
        self.take(story)

    def act(self, act: acts.Act) -> None:
        assert self.state is not None
        around = domain.Around(
            (), self.policy, lambda _: self.policy, lambda: (new_id(), "C-00001"), people=self.around()
        )
        story, _ = domain.decide(self.state, act, self.now, self.policy, around)
        self.take(story)

    def respond(self, who: str, minutes_ago: int) -> None:
        assert self.state is not None
        at = self.now - timedelta(minutes=minutes_ago)
        response = ContactResponded(
            customer_id="c-1",
            contact_id=self.state.contacts[0],
            response_id=new_id(),
            responder_id=who,
            occurred_at=at,
            received_at=self.now,
            conversation_id="conv",
            first=True,
        )
        if domain.answered_by(response, [self.state]) is not None:
            self.take(domain.decide_response(self.state, response, self.now, self.policy))

    def contact(self, who: str | None, channel: str) -> None:
        assert self.state is not None
        contact = captured(at=self.now, responder_id=who, channel=channel, conversation_id="conv", complaint=False)
        if domain.joins(contact, [self.state]) is not None:
            self.take(domain.decide_joining(self.state, "conversation", contact, self.now, self.policy))

    def say_of(self, who: str, **changes: Any) -> None:
        assert self.state is not None
        self.people[who] = replace(self.people.get(who, Agent(who)), **changes)
        self.look()

    def be_away(self, who: str, hours: int) -> None:
        self.say_of(who, absences=((self.now, self.now + timedelta(hours=hours)),))

    def look(self) -> None:
        assert self.state is not None
        story = Story(self.state, people=self.around())
        domain.work_through(story, self.policy, self.now, self.now)
        self.take(story)

    def sleep(self, minutes: int) -> None:
        """Time goes by, and each moment that was asked for is worked through when it comes."""
        end = self.now + timedelta(minutes=minutes)
        while True:
            assert self.state is not None
            moments = (
                domain.next_moment(self.state),
                domain.next_look(self.state, self.around(), self.policy, self.now),
            )
            due = min((at for at in moments if at is not None), default=None)
            if due is None or due > end:
                self.now = end
                return
            self.now = max(self.now, due)
            before = len(self.told)
            self.look()
            assert len(self.told) > before or due == moments[1], "a moment that brings nothing comes again and again"

    def hand_over(self, who: str) -> None:
        """Asked by a supervisor and accepted by the successor, which the people may forbid."""
        self.act(_succeed(who, accepted=False))
        self.act(acts.AcceptSuccession(ID, who))

    def deputy(self, who: str, hours: int) -> None:
        self.act(acts.StartDeputy(ID, who, self.now + timedelta(hours=hours), "reason", "boss"))


def _succeed(who: str, *, accepted: bool) -> Any:
    return acts.Succeed(ID, who, "role_ended", "note", "boss", who if accepted else None)


deeds = st.one_of(
    st.builds(lambda who: ("act", acts.Claim(ID, who)), agent),
    st.builds(lambda who: ("act", acts.Update(ID, who, "text")), agent),
    st.builds(lambda who: ("act", acts.Answer(ID, who, "text", "upheld", "reasons")), agent),
    st.builds(lambda yes: ("act", acts.Confirm(ID, yes, "tool")), st.booleans()),
    st.builds(lambda who, yes: ("act", _succeed(who, accepted=yes)), agent, st.booleans()),
    st.builds(lambda who: ("hand_over", who), agent),
    st.builds(lambda who: ("act", acts.AcceptSuccession(ID, who)), agent),
    st.just(("act", acts.WithdrawSuccession(ID, "reason", "boss"))),
    st.just(("act", acts.EndDeputy(ID, "reason", "boss"))),
    st.builds(lambda who: ("act", acts.AskHelper(ID, "a", who, "question")), agent),
    st.just(("act", acts.Withdraw(ID, "a", "reason"))),
    st.builds(lambda who, hours: ("deputy", who, hours), agent, st.integers(1, 200)),
    st.builds(lambda who, ago: ("respond", who, ago), agent, st.integers(0, 300)),
    st.builds(lambda who, how: ("contact", who, how), st.none() | agent, st.sampled_from(["phone", "email"])),
    st.builds(lambda who, yes: ("say_of", who, {"active": yes}), agent, st.booleans()),
    st.builds(lambda who, yes: ("say_of", who, {"hours": MORNINGS if yes else None}), agent, st.booleans()),
    st.builds(lambda who: ("say_of", who, {"superior": "lead"}), st.sampled_from(["a", "b", "c"])),
    st.builds(lambda who, hours: ("be_away", who, hours), agent, st.integers(1, 300)),
)
history = st.lists(st.tuples(deeds, st.integers(0, 60 * 24 * 4)), min_size=10, max_size=40)


def lived(policy: Policy, responder: str | None, deeds: list[tuple[Any, int]]) -> Life:
    """A complaint that lived through it all."""
    life = Life(policy)
    life.open(responder)
    for (what, *how), later in deeds:
        life.sleep(later)
        if what == "say_of":
            life.say_of(how[0], **how[1])
        else:
            getattr(life, what)(*how)
    return life


def rows(life: Life) -> list[dict[str, Any]]:
    return [
        {
            "type": type(one.event).TYPE,
            "at": one.event.at,
            "by": one.by,
            "why": one.why,
            "data": one.event.model_dump(mode="json"),
        }
        for one in life.told
        if type(one.event).TYPE in LEDGER_TYPES
    ]


@settings(max_examples=500)
@given(st.none() | agent, history)
def test_owners_follow_each_other_without_gap_or_overlap(
    policy: Policy, responder: str | None, deeds: list[tuple[Any, int]]
) -> None:
    life = lived(policy, responder, deeds)
    items = ledger(rows(life))
    owners = [one for one in items if one["role"] == "owner"]
    assert [one["until"] for one in owners[:-1]] == [one["from"] for one in owners[1:]]
    assert all(one["until"] is None or one["from"] <= one["until"] for one in items)
    assert life.state is not None
    assert (owners[-1]["agent"]["id"] if owners else None) == life.state.owner_id
    assert not owners or owners[-1]["until"] is None
    # what moved it: the first word or a claim once, and then nothing but successions
    moved = [one.event for one in life.told if isinstance(one.event, (said.OwnerAssigned, said.OwnerSucceeded))]
    assert [one["agent"]["id"] for one in owners] == [getattr(e, "to_id", None) or e.owner_id for e in moved]
    assert all(isinstance(event, said.OwnerSucceeded) for event in moved[1:])
    assert all(one.from_id != one.to_id for one in moved[1:])


@settings(max_examples=300)
@given(st.none() | agent, history)
def test_deputies_come_and_go_and_never_two_at_once(
    policy: Policy, responder: str | None, deeds: list[tuple[Any, int]]
) -> None:
    life = lived(policy, responder, deeds)
    assert life.state is not None
    turns = [one for one in ledger(rows(life)) if one["role"] == "deputy"]
    assert all(one["until"] is not None for one in turns[:-1])
    assert all(turns[n]["until"] <= turns[n + 1]["from"] for n in range(len(turns) - 1))
    standing = turns[-1]["agent"]["id"] if turns and turns[-1]["until"] is None else None
    assert standing == (life.state.deputy.agent_id if life.state.deputy else None)
    state: Complaint | None = None
    for one in life.told:
        if isinstance(one.event, said.DeputyStarted):
            assert state is not None and one.event.deputy_id != state.owner_id and state.deputy is None
            assert one.event.until > one.event.at
        if isinstance(one.event, said.OwnerSucceeded):
            assert state is not None and state.deputy is None
        if isinstance(one.event, said.ComplaintEvent) and one.event.on_behalf_of:
            assert state is not None and state.deputy is not None
            assert (one.event.on_behalf_of, one.by) == (state.owner_id, state.deputy.agent_id)
        state = evolve(state, one.event)
    if life.state.status == "closed":
        assert life.state.deputy is None


@settings(max_examples=300)
@given(st.none() | agent, history)
def test_a_live_complaint_of_an_inactive_owner_always_asks_who_follows(
    policy: Policy, responder: str | None, deeds: list[tuple[Any, int]]
) -> None:
    life = lived(policy, responder, deeds)
    state = life.state
    assert state is not None
    if state.owner_id is None or state.status == "closed" or life.around().of(state.owner_id).active:
        return
    assert state.succession is not None
    runs = [c for c in state.clocks if c.kind == "succession" and c.cycle == state.cycle]
    assert runs and runs[-1].met_at is None and runs[-1].stopped_at is None
    could = life.around().stand_in(
        life.around().of(state.owner_id), policy.deputies.choose, life.now, locale=None, spread=ID
    )
    assert state.deputy or state.no_deputy_until or could is None


@settings(max_examples=200)
@given(st.none() | agent, history)
def test_a_complaint_and_its_people_are_the_fold_of_what_was_told(
    policy: Policy, responder: str | None, deeds: list[tuple[Any, int]]
) -> None:
    life = lived(policy, responder, deeds)
    state: Complaint | None = None
    for one in life.told:
        state = evolve(state, type(one.event).model_validate_json(dump(one.event)))
    assert state == life.state
    assert state is not None and from_json(orjson.loads(to_json(state))) == state


@settings(max_examples=100)
@given(st.none() | agent, history)
def test_states_from_before_deputies_and_helpers_had_more_to_say_still_load(
    policy: Policy, responder: str | None, deeds: list[tuple[Any, int]]
) -> None:
    state = lived(policy, responder, deeds).state
    assert state is not None
    raw = orjson.loads(to_json(state))
    for name in ("first_owner", "no_deputy_until"):
        del raw[name]
    for helper in raw["helpers"]:
        for name in ("due_at", "remind_at", "reminded", "timed_out_at"):
            del helper[name]
    if raw["deputy"]:
        del raw["deputy"]["because"]
    old = from_json(raw)
    assert (old.owner_id, old.status, old.clocks) == (state.owner_id, state.status, state.clocks)
    assert [one.state in ("asked", "replied") for one in old.helpers] == [True] * len(state.helpers)
    assert old.deputy is None or old.deputy.because == "asked"


@pytest.mark.parametrize("minutes", [0, 1, 59])
def test_what_the_policy_does_is_done_in_its_name(policy: Policy, minutes: int) -> None:
    life = lived(policy, "a", [(("be_away", "a", 5), minutes)])
    assert life.told[-1].by == BY_POLICY and life.state is not None and life.state.deputy is not None
    assert life.state.deputy.until == life.now + timedelta(hours=5)
