"""When a contact was heard, what it is about, and when people are chased, as pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.domain.contact import heard_at
from services.escalation.domain.promise import Promise, evolve
from services.escalation.domain.promising import chased, decide_kept, decide_missed, next_due
from shared.contracts.escalation import PromisedAction, PromiseMade

MADE = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def made(*due: datetime) -> Promise:
    return evolve(
        None,
        PromiseMade(
            customer_id="c",
            promise_id="p",
            at=MADE,
            reference="P-22222",
            made_by="vp",
            complaint_id=None,
            cause="router-drops",
            scope="customer",
            actions=tuple(PromisedAction(n=n, owner_id="ops", due_at=at) for n, at in enumerate(due, 1)),
            watch_until=MADE + 180 * DAY,
            made_at=MADE,
        ),
    )


@pytest.mark.parametrize(
    ("occurred", "received", "heard"),
    [
        (MADE, MADE + DAY, MADE + timedelta(seconds=0.999999)),
        (MADE, MADE + timedelta(seconds=0.3), MADE + timedelta(seconds=0.3)),
        (MADE + timedelta(seconds=0.5), MADE + DAY, MADE + timedelta(seconds=0.5)),
        (MADE + DAY, MADE + timedelta(seconds=2), MADE + timedelta(seconds=2)),
    ],
)
def test_when_a_contact_was_heard(occurred: datetime, received: datetime, heard: datetime) -> None:
    assert heard_at(occurred, received) == heard


def test_an_action_is_chased_before_at_and_after_its_time() -> None:
    promise = made(MADE + 10 * DAY)
    (action,) = promise.actions
    times, now = [], MADE
    for _ in range(4):
        _, now = chased(promise, action, 3 * DAY, now)
        times.append((now - MADE).days)
    assert times == [7, 10, 13, 16]


def test_an_action_that_is_due_soon_is_chased_halfway() -> None:
    promise = made(MADE + DAY)
    assert chased(promise, promise.actions[0], 3 * DAY, MADE) == (None, MADE + DAY / 2)


@given(st.integers(min_value=-40, max_value=400), st.integers(min_value=0, max_value=500))
def test_a_promise_that_waits_for_time_has_a_next_time(due_days: int, now_days: int) -> None:
    promise = made(MADE + due_days * DAY)
    now = MADE + now_days * DAY
    for event in decide_missed(promise, now):
        promise = evolve(promise, event)
    following = next_due(promise, 3 * DAY, now)
    assert following is not None and following > now
    assert decide_kept(promise, now) == [] and decide_missed(promise, now) == []


def test_without_actions_it_is_kept_when_the_watch_ends_and_then_nothing_is_due() -> None:
    promise = made()
    assert next_due(promise, 3 * DAY, MADE) == promise.watch_until
    assert decide_kept(promise, promise.watch_until - timedelta(seconds=1)) == []
    (kept,) = decide_kept(promise, promise.watch_until + DAY)
    promise = evolve(promise, kept)
    assert (promise.status, promise.kept_at) == ("kept", promise.watch_until)
    assert next_due(promise, 3 * DAY, MADE) is None
