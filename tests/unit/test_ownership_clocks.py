"""The rules of clocks as properties over random histories; the domain alone, without a database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ownership import domain
from services.ownership.domain import acts
from services.ownership.domain.clocks import facts_of, start_of, started
from services.ownership.domain.reference import as_reference, candidates
from services.ownership.domain.state import Complaint
from services.ownership.domain.story import Story
from shared.calendars import point_at
from shared.contracts.envelope import dump, new_id
from shared.contracts.ownership import ClockBreached, ClockWarned
from shared.policy import Policy
from tests.service.ownership_world import MONDAY, captured

pytest_plugins = ["tests.service.ownership_world"]

ID = "01a21151-a75f-756d-b160-969bf8a3d754"
minutes = st.integers(0, 60 * 24 * 12)


def around(policy: Policy) -> domain.Around:
    """Nothing else of the customer's."""
    return domain.Around((), policy, lambda _: policy, lambda: (new_id(), "C-00001"))


def opened(policy: Policy, **fields: Any) -> Story:
    contact = captured(at=fields.pop("at", MONDAY), **fields)
    story = domain.decide_opening(contact, [], MONDAY, policy, complaint_id=ID, reference="C-00000")
    assert story is not None
    return story


deeds = st.one_of(
    st.just(("sleep", None)),
    st.builds(lambda agent: ("act", acts.Claim(ID, agent)), st.sampled_from(["a", "b"])),
    st.builds(lambda agent: ("act", acts.Acknowledge(ID, agent)), st.sampled_from(["a", "b"])),
    st.builds(lambda agent: ("act", acts.Update(ID, agent, "text")), st.sampled_from(["a", "b"])),
    st.just(("act", acts.Answer(ID, "a", "text", "upheld", "reasons"))),
    st.builds(lambda solved: ("act", acts.Confirm(ID, solved, "tool")), st.booleans()),
    st.builds(lambda hours: ("pause", hours), st.integers(1, 80)),
    st.just(("act", acts.Resume(ID, "a"))),
    st.just(("contact", None)),
    st.just(("act", acts.Withdraw(ID, "a", "reason"))),
)


def lived(
    policy: Policy, history: list[tuple[tuple[str, Any], int]], region: str = "zhejiang"
) -> tuple[Story, datetime]:
    """A complaint that lived through `history`: deeds, each so many minutes after the one before."""
    whole = opened(policy, region=region)
    now = MONDAY
    for (what, deed), later in history:
        now += timedelta(minutes=later)
        state = whole.state
        if what == "sleep":
            story = Story(state)
            domain.work_through(story, policy, now, now)
        elif what == "contact":
            contact = captured(at=now, complaint=False)
            story = domain.decide_customer_contact(state, contact, now, policy)
        else:
            act = acts.PauseClocks(ID, "a", "r", now + timedelta(hours=deed)) if what == "pause" else deed
            story, _ = domain.decide(state, act, now, policy, around(policy))
        whole.state = story.state
        whole.told += story.told
    return whole, now


histories = st.lists(st.tuples(deeds, minutes), max_size=14)


@settings(max_examples=200, deadline=None)
@given(history=histories)
def test_a_complaint_is_the_fold_of_what_was_sent(policy: Policy, history: list[Any]) -> None:
    story, _ = lived(policy, history)
    state: Complaint | None = None
    for told in story.told:
        state = domain.evolve(state, type(told.event).model_validate_json(dump(told.event)))
    assert state == story.state
    assert domain.from_json(orjson.loads(domain.to_json(story.state))) == story.state


@settings(max_examples=200, deadline=None)
@given(history=histories)
def test_each_warning_and_breach_once_a_run_and_in_order(policy: Policy, history: list[Any]) -> None:
    story, now = lived(policy, history)
    domain.work_through(story, policy, now, now)
    runs: dict[tuple[str, int], list[int]] = {}
    for told in story.told:
        event = told.event
        for change in getattr(event, "clocks", ()):
            if change.change == "started":
                runs[(change.kind, change.cycle)] = []
        if isinstance(event, (ClockWarned, ClockBreached)):
            percents = runs[(event.kind, event.cycle)]
            percents.append(event.percent)
            assert percents == sorted(set(percents)), "once each, in order"
            assert event.kind != "confirmation" or isinstance(event, ClockWarned)
    for clock in story.state.clocks:
        assert not (clock.met_at and clock.stopped_at)
        if clock.running and clock.kind != "confirmation" and story.state.pause is None:
            assert (clock.breached_at is not None) == (clock.due_at <= now)
    if story.state.status == "closed":
        assert not any(clock.running for clock in story.state.clocks if clock.kind != "follow_up")
        visit = story.state.running("follow_up")
        assert (visit is not None) == (story.state.basis in ("accepted", "silent"))
        assert (domain.next_moment(story.state) is None) == (visit is None or visit.breached_at is not None)


@settings(max_examples=150, deadline=None)
@given(history=histories)
def test_the_owner_stays(policy: Policy, history: list[Any]) -> None:
    story, _ = lived(policy, history)
    owners = [told.after.owner_id for told in story.told]
    first = next((owner for owner in owners if owner), None)
    assert all(owner == first for owner in owners[owners.index(first) :])
    if first is None:
        assert story.state.running("claim") or story.state.status == "closed"


@settings(max_examples=150, deadline=None)
@given(start=minutes, steps=st.lists(st.integers(1, 60 * 30), max_size=6))
def test_pausing_calendar_clocks_moves_nothing(policy: Policy, start: int, steps: list[int]) -> None:
    history = [(("pause", 3), start)] + [
        (("pause", 2) if n % 2 else ("contact", None), step) for n, step in enumerate(steps)
    ]
    before = opened(policy, region="uk").state
    story, _ = lived(policy, history, "uk")
    for old, new in zip(before.clocks, story.state.clocks, strict=False):
        if old.hours == "calendar":
            assert (new.due_at, new.paused_seconds) == (old.due_at, 0.0)
        else:
            assert new.due_at >= old.due_at


@settings(max_examples=300, deadline=None)
@given(start=minutes)
def test_warnings_are_parts_of_the_time_as_the_clock_counts(policy: Policy, start: int) -> None:
    calendar = policy.calendar("zhejiang")
    at = MONDAY + timedelta(minutes=start)
    for term in policy.terms(facts_of(opened(policy, region="zhejiang").state)):
        change = started(term, 1, at, calendar)
        assert change.due_at is not None
        for percent, when in change.warnings:
            expected = point_at(at, change.due_at, percent, term.hours, calendar)
            assert abs((when - expected).total_seconds()) < 0.001 and at <= when <= change.due_at


@pytest.mark.parametrize(
    ("occurred", "received", "starts"), [(0, 5, 0), (10, 5, 5), (-1441, 0, 0), (-1440, 0, -1440), (0, 0, 0)]
)
def test_where_clocks_start(occurred: int, received: int, starts: int) -> None:
    found = start_of(MONDAY + timedelta(minutes=occurred), MONDAY + timedelta(minutes=received), timedelta(days=1))
    assert found == MONDAY + timedelta(minutes=starts)


def test_references_are_short_distinct_and_readable() -> None:
    ids = [new_id() for _ in range(20_000)]
    first = {candidates(one)[0] for one in ids}
    assert len(first) > 19_950  # 20,000 among 33 million: a few meet, and take their second
    for one in ids[:200]:
        for reference in candidates(one):
            assert as_reference(reference.lower()) == reference
            assert not set(reference[2:]) & set("ILOU")
    assert as_reference("C-ILOU0") is None and as_reference("C-1234") is None
