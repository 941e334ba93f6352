"""Contacts of customers who spoke before are compared without keeping everybody else waiting."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count

import pytest

from services.intake import listening
from services.intake.api.bodies import CONTACT
from services.intake.api.reception import read_contact
from services.intake.domain import NewContact
from services.intake.listening import Ears
from services.intake.signals import Caller
from services.intake.store import Book
from shared.policy import Policies
from tests.service.intake_world import contact, example_policy

_TEXT = "My router drops the line every evening, and nobody calls me back."


@pytest.fixture
def book() -> Book:
    return Book(Ears(Policies.single(example_policy())))


def _new(book: Book, second: int, text: str = _TEXT, customer_id: str = "c-1") -> NewContact:
    body = contact(text=text, customer={"id": customer_id}, occurred_at=f"2026-03-02T09:00:{second:02}Z")
    return read_contact(CONTACT.validate_python(body), book.ears)


async def test_others_have_their_turns_between_long_texts(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    # every text takes a tenth of a second
    monkeypatch.setattr(listening, "perf_counter", map((0.1).__mul__, count()).__next__)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    waiting = asyncio.create_task(other())
    await book.compare([_new(book, second) for second in range(20)])
    waiting.cancel()
    assert len(book.compared) == 19
    assert turns >= 18


async def test_what_comes_earlier_in_the_same_set_counts(book: Book) -> None:
    first, again = _new(book, 1), _new(book, 2)
    other = _new(book, 3, customer_id="c-2")
    twin = replace(first, contact_id=again.contact_id[:-1] + "x")
    await book.compare([first, twin, again, other])
    assert set(book.compared) == {again.contact_id}
    assert book.compared[again.contact_id].repeat.of == first.contact_id


async def test_who_is_refused_is_compared_with_nothing(book: Book) -> None:
    book.confused.add("c-1")
    await book.compare([_new(book, 1), _new(book, 2)])
    assert book.compared == {}


_LEAVING = "This is the third time that it drops. I will cancel my contract and leave you."


def test_what_the_caller_states_is_not_heard_again() -> None:
    ears = Ears(Policies.single(example_policy()))
    stated = ears.hear(_LEAVING, "", None, Caller(complaint=False, departure_threat=False, cause="other"))
    assert (stated.complaint.value, stated.departure_threat.value, stated.cause.value) == (False, False, "other")
    assert stated.departure_threat.quote is None
    heard = ears.hear(_LEAVING, "", None, Caller())
    assert stated.repeat == heard.repeat
    # a threat that is stated is still quoted
    threat = ears.hear(_LEAVING, "", None, Caller(complaint=True, departure_threat=True, cause="other"))
    assert threat.departure_threat.quote == heard.departure_threat.quote is not None
