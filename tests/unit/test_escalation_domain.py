"""The ladder and what counts as an answer, as pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escalation.domain.climbing import (
    MOST_AT_ONCE,
    Cause,
    decide_forward,
    decide_join,
    decide_raise,
    decide_time,
)
from services.escalation.domain.complaint import Complaint
from services.escalation.domain.escalation import MOST_STEPS, Escalation, evolve
from services.escalation.domain.ladder import Ladder, delegator, known
from services.escalation.domain.presence import loud_at, present
from shared.contracts.escalation import EscalationRaised
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


def away(line: str, start: str, until: str) -> str:
    return line.replace("}\n", f", absences: [{{from: {start}, until: {until}}}]}}\n")


AWAY = ("2026-03-01", "2026-03-05")


def test_while_somebody_is_away_their_delegate_is_asked_in_their_place() -> None:
    policy = people(HEAD, VICE, away(CHIEF, *AWAY))
    state = raised(policy, level=3)
    assert (state.executive_id, state.instead_of, state.level) == ("vp", "ceo", 3)
    # the fifth of March is the last day of the absence: the step of the seventh is hers again
    state = played(state, [NOW + timedelta(days=5)], policy)
    assert [(s.executive_id, s.instead_of) for s in state.steps] == [("vp", "ceo")] * 3 + [("ceo", None)]


def test_a_rung_on_which_nobody_is_there_is_passed_over_and_named() -> None:
    policy = people(away(HEAD, *AWAY), away(VICE, *AWAY), CHIEF)
    (event,) = decide_raise("e", Complaint(id="k", customer_id="c"), Cause("asked", 1), NOW, policy)
    assert isinstance(event, EscalationRaised)
    assert (event.level, event.executive_id, event.passed_over) == (3, "ceo", ("head", "vp"))
    assert raised(policy, now=NOW + timedelta(days=4)).executive_id == "head"


def test_somebody_else_of_the_same_role_comes_before_the_next_rung() -> None:
    policy = people(away(HEAD, *AWAY), HEAD.replace("head,", "second,"), CHIEF)
    assert raised(policy).executive_id == "second"
    assert raised(policy, now=NOW + timedelta(days=4)).executive_id == "head"


def test_from_the_top_the_search_goes_down_and_nobody_is_left_unwritten() -> None:
    chief = away(CHIEF.replace("vp, coo", "coo"), *AWAY)
    state = raised(people(HEAD, VICE, chief), level=3)
    assert (state.executive_id, state.instead_of, state.level) == ("vp", "ceo", 3)
    everybody = people(away(HEAD, *AWAY), away(VICE, *AWAY), chief)
    assert [raised(everybody, level).executive_id for level in (1, 3)] == ["head", "ceo"]


def test_whom_a_reason_names_is_stood_in_for_while_away() -> None:
    policy = people(HEAD, VICE, away(CHIEF, *AWAY))
    state = raised(policy, level=2, executive_id="ceo")
    assert (state.executive_id, state.instead_of) == ("vp", "ceo")


def test_forwarding_to_somebody_away_asks_their_delegate() -> None:
    policy = people(HEAD, VICE, away(CHIEF, *AWAY))
    (event,) = decide_forward(raised(policy), "ceo", "boss", NOW, policy)  # type: ignore[misc]
    assert (event.executive_id, event.instead_of, event.due_at) == ("vp", "ceo", raised(policy).due_at)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("start", "until", "at", "there"),
    [
        ("2026-03-28", "2026-03-29", datetime(2026, 3, 27, 22, 59, tzinfo=UTC), True),
        ("2026-03-28", "2026-03-29", datetime(2026, 3, 27, 23, 0, tzinfo=UTC), False),
        ("2026-03-28", "2026-03-29", datetime(2026, 3, 29, 21, 59, tzinfo=UTC), False),  # summer time has begun
        ("2026-03-28", "2026-03-29", datetime(2026, 3, 29, 22, 0, tzinfo=UTC), True),
        ("2026-03-28T12:00", "2026-03-28T13:00", datetime(2026, 3, 28, 11, 30, tzinfo=UTC), False),
        ("2026-03-28T12:00", "2026-03-28T13:00", datetime(2026, 3, 28, 12, 0, tzinfo=UTC), True),
        ('"2026-03-28T12:00:00Z"', "2026-03-28T12:00:01-05:00", datetime(2026, 3, 28, 16, 0, tzinfo=UTC), False),
    ],
)
def test_absences_are_told_by_the_wall_clock_of_the_person(start: str, until: str, at: datetime, there: bool) -> None:
    policy = people(HEAD, away(CHIEF, start, until))
    assert present(policy.executives[-1], at) is there


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        ('["22:00-07:00"]', datetime(2026, 3, 2, 20, 59, tzinfo=UTC), None),
        ('["22:00-07:00"]', datetime(2026, 3, 2, 21, 0, tzinfo=UTC), datetime(2026, 3, 3, 6, 0, tzinfo=UTC)),
        ('["22:00-07:00"]', datetime(2026, 3, 28, 22, 0, tzinfo=UTC), datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),
        ('["12:00-13:00"]', datetime(2026, 3, 2, 11, 30, 5, tzinfo=UTC), datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        (
            '{fri: ["18:00-24:00"], sat-sun: ["00:00-24:00"], mon: ["00:00-08:00"]}',
            datetime(2026, 3, 6, 18, 0, tzinfo=UTC),
            datetime(2026, 3, 9, 7, 0, tzinfo=UTC),
        ),
    ],
)
def test_quiet_hours_end_on_the_wall_clock_of_the_person(quiet: str, at: datetime, until: datetime | None) -> None:
    policy = people(CHIEF.replace("}\n", f", quiet_hours: {quiet}}}\n"))
    assert loud_at(policy.executives[0], at) == (until or at)


def test_levels_of_people() -> None:
    ladder = Ladder(ALL, ALL)
    assert [ladder.level_of(one) for one in ("head", "vp", "ceo", "coo", "stranger")] == [1, 2, 3, 3, None]
    assert known(ALL, "coo") and not known(ALL, "stranger")
