"""The ladder and what counts as an answer, as pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.domain.climbing import MOST_AT_ONCE, Cause, decide_join, decide_raise, decide_time
from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import MOST_STEPS, Escalation, evolve
from services.escalation.domain.ladder import Ladder, delegator, known
from shared.policy import Policy, parse_policy

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LADDER = """
version: v1
escalation:
  ladder:
    - {level: 1, role: head_of_care, answer_within: 4h}
    - {level: 2, role: vice_president, answer_within: 8h}
    - {level: 3, role: chief_executive, answer_within: 1d, repeat_every: 2d}
"""
HEAD = "  - {id: head, name: Hana, email: head@example.com, role: head_of_care}\n"
VICE = "  - {id: vp, name: Victor, email: vp@example.com, role: vice_president, delegates: [aide]}\n"
CHIEF = (
    "  - {id: ceo, name: Ana, email: ceo@example.com, role: chief_executive, time_zone: Europe/Madrid,"
    " delegates: [vp, coo]}\n"
)


def people(*lines: str) -> Policy:
    return parse_policy(LADDER + "executives:\n" + "".join(lines))


ALL = people(HEAD, VICE, CHIEF)


def raised(policy: Policy = ALL, level: int = 1, now: datetime = NOW, **cause: Any) -> Escalation:
    complaint = Complaint(id="k", customer_id="c")
    (event,) = decide_raise("e", complaint, Cause("asked", level, **cause), now, policy)
    return evolve(None, event)


def played(state: Escalation, times: list[datetime], policy: Policy = ALL) -> Escalation:
    for now in times:
        for event in decide_time(state, now, Ladder(policy, policy)):
            state = evolve(state, event)
    return state


@given(st.lists(st.integers(min_value=1, max_value=60), max_size=12))
def test_the_ladder_stands_where_time_says_however_often_it_is_looked_at(hours: list[int]) -> None:
    times = [NOW + timedelta(hours=sum(hours[: n + 1])) for n in range(len(hours))]
    seen_often, seen_once = played(raised(), times), played(raised(), times[-1:])
    assert seen_often == seen_once
    starts = [step.at for step in seen_once.steps]
    assert starts[1:] == [step.due_at for step in seen_once.steps[:-1]]


def test_the_top_repeats_on_its_own_rhythm() -> None:
    state = played(raised(level=3), [NOW + timedelta(days=7)])
    assert [(step.at - NOW).days for step in state.steps] == [0, 1, 3, 5, 7]
    assert state.standing_unanswered and state.times == 4


def test_days_keep_the_wall_time_of_the_person() -> None:
    before_summer_time = datetime(2026, 3, 28, 9, tzinfo=UTC)
    state = raised(level=3, now=before_summer_time)
    assert state.due_at == datetime(2026, 3, 29, 8, tzinfo=UTC)


def test_rungs_without_a_person_are_passed_over() -> None:
    policy = people(HEAD, CHIEF)
    assert raised(policy, 2).executive_id == "ceo"
    assert played(raised(policy), [NOW + timedelta(hours=4)], policy).executive_id == "ceo"
    assert raised(people(HEAD), 3).executive_id == "head"
    all_left = parse_policy("version: v2\nexecutives:\n  - {id: x, name: X, email: x@example.com, role: founder}\n")
    assert [(post.level, post.executive.id) for post in Ladder(ALL, all_left).posts] == [(3, "x")]


def test_a_year_at_the_top_is_worked_through_in_bounded_pieces() -> None:
    state = raised(level=3)
    ladder = Ladder(ALL, ALL)
    year = NOW + timedelta(days=2 * MOST_AT_ONCE + 400)
    events = decide_time(state, year, ladder)
    assert MOST_AT_ONCE <= len(events) <= MOST_AT_ONCE + 1
    state = played(state, [year, year, year])
    assert state.due_at > year and len(state.steps) <= MOST_STEPS
    assert state.steps[0].n == 1 and state.steps[-1].n == state.steps_made


def test_a_reason_with_a_name_goes_to_that_person() -> None:
    state = raised(level=2, executive_id="aide")
    assert state.executive_id == "vp"
    state = raised(level=2, executive_id="ceo")
    assert (state.executive_id, state.level) == ("ceo", 2)
    (joined,) = decide_join(raised(), Cause("promise_broken", 3, executive_id="ceo"), NOW, Ladder(ALL, ALL))
    assert joined.lifted and joined.executive_id == "ceo"  # type: ignore[attr-defined]


def test_a_lower_reason_joins_without_moving_anybody() -> None:
    state = raised(level=2)
    (joined,) = decide_join(state, Cause("unowned", 1), NOW + timedelta(hours=1), Ladder(ALL, ALL))
    after = evolve(state, joined)
    assert (after.executive_id, after.due_at, after.reasons) == ("vp", state.due_at, ("asked", "unowned"))
    assert decide_join(after, Cause("unowned", 1), NOW, Ladder(ALL, ALL)) == []


@pytest.mark.parametrize(
    ("who", "asked", "for_whom"),
    [
        ("vp", "vp", None),
        ("aide", "vp", "vp"),
        ("vp", "ceo", "ceo"),
        ("ceo", "vp", None),
        ("aide", "ceo", "vp"),
        ("coo", "head", "ceo"),
    ],
)
def test_delegates_are_named_as_such(who: str, asked: str, for_whom: str | None) -> None:
    assert delegator(ALL, who, asked) == for_whom


def test_levels_of_people() -> None:
    ladder = Ladder(ALL, ALL)
    assert [ladder.level_of(one) for one in ("head", "vp", "ceo", "coo", "stranger")] == [1, 2, 3, 3, None]
    assert known(ALL, "coo") and not known(ALL, "stranger")
