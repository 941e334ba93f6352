"""Deadlines that have come, and errands: what must be done under another customer's lock."""

from __future__ import annotations

from services.escalation.handlers.delivering import when_tell_due
from services.escalation.handlers.raising import on_time, stand
from services.escalation.handlers.reaching import when_skip_due
from services.escalation.handlers.watching import carry, judge, tend
from services.escalation.store import Book
from shared.timers import Due
from shared.work import Input, Work


def when(due: Due) -> Input[Book]:
    """The input that a deadline is."""
    return Input(due.customer_id, due, DEADLINES[due.kind])


def when_ladder_due(book: Book, work: Work, due: Due) -> None:
    """A level's time ran out, perhaps several while nobody looked: the ladder goes to where time says."""
    kept = book.escalations.get(due.subject_id)
    if kept is None:
        return
    on_time(book, work, kept)
    stand(book, work, kept, kept.now.steps_made)


def when_promise_due(book: Book, work: Work, due: Due) -> None:
    """An action is to be chased or was missed, or the watch is over."""
    kept = book.promises.get(due.subject_id)
    if kept is not None:
        tend(book, work, kept)


def when_judge_due(book: Book, work: Work, due: Due) -> None:
    """Another customer's contact may have broken a promise to everyone, or does no longer."""
    promise_id, _, contact_id = due.subject_id.partition("/")
    kept, contact = book.promises.get(promise_id), book.contacts.get(contact_id)
    if kept is not None and contact is not None:
        judge(book, work, kept, contact)


def when_hurt_due(book: Book, work: Work, due: Due) -> None:
    """A promise to everyone, made to somebody else, was broken by this customer's contact."""
    promise_id, _, contact_id = due.subject_id.partition("/")
    breach, contact = book.breach(promise_id, contact_id), book.contacts.get(contact_id)
    promise = book.promise(promise_id)
    if breach is not None and breach.stands and contact is not None and promise is not None:
        carry(book, work, promise, contact)


def when_look_back_due(book: Book, work: Work, due: Due) -> None:
    """What other customers said while a promise to everyone was not yet to be seen."""
    for contact_id in book.heard_since.get(due.subject_id, ()):
        work.set_timer("judge", f"{due.subject_id}/{contact_id}", due.customer_id, work.now)


#: handlers by the kind of deadline
DEADLINES = {
    "ladder": when_ladder_due,
    "tell": when_tell_due,
    "skip": when_skip_due,
    "promise": when_promise_due,
    "judge": when_judge_due,
    "hurt": when_hurt_due,
    "look_back": when_look_back_due,
}
