"""An answer on its way to the customer: by mail, else told by the owner, who is reminded until they have done so."""

from __future__ import annotations

from dataclasses import replace

from services.escalation.domain.acts import Delivered
from services.escalation.domain.delivering import (
    ABOVE_AFTER,
    WRITER_AFTER,
    decide_delivered,
    decide_failed,
    decide_untold,
    not_theirs,
    untold_due,
)
from services.escalation.domain.escalation import Because, Escalation
from services.escalation.domain.mail import MailOrder, MailOutcome, mail_id
from services.escalation.handlers.answers import Done, done, not_found
from services.escalation.handlers.raising import raise_later
from services.escalation.handlers.telling import ask_owner_to_tell, owner_of, press, tell_above, tell_writer
from services.escalation.store import Book
from shared.refusal import Refusal
from shared.timers import Due
from shared.work import Kept, Work


def delivered(book: Book, work: Work, act: Delivered) -> Done | Refusal:
    """The owner, or who stands in for them, told the customer: that ends the escalation."""
    kept = book.escalations.get(act.escalation_id)
    if kept is None:
        return not_found()
    said, before = act.acknowledgement, kept.now
    decided = decide_delivered(kept.now, work.now, "owner", act.agent_id, True if said else None)
    if isinstance(decided, Refusal):
        return decided
    complaint = book.complaint(kept.now.complaint_id, kept.now.customer_id)
    if not act.by_supervisor and (refusal := not_theirs(kept.now, complaint, act.agent_id)):
        return refusal
    note = {"how": act.how, **({"acknowledgement": said} if said else {})}
    for event in decided:
        book.say_escalation(work, kept, event, by=act.agent_id, note=note)
    _watch(book, work, kept)
    raise_later(book, work, before)
    return done(book, kept)


def on_answer_mail(book: Book, work: Work, order: MailOrder, outcome: MailOutcome) -> None:
    """The mail that brings the answer has gone out, cannot, or came back."""
    kept = book.escalations.get(order.escalation_id or "")
    if kept is None or kept.now.answer is None or kept.now.answer.id != order.answer_id:
        return
    if outcome.state == "accepted":
        if kept.now.status == "answered" and kept.now.answer.failed is None:
            before = kept.now
            decided = decide_delivered(before, outcome.at, "mail")
            assert not isinstance(decided, Refusal)
            for event in decided:
                book.say_escalation(work, kept, event)
            raise_later(book, work, before)
        return
    went_out = outcome.came_back or kept.now.answer.through == "mail"
    owner_id = owner_of(book, kept.now)
    because: Because = "came_back" if went_out else "no_address" if outcome.no_address else "refused"
    for event in decide_failed(kept.now, because, owner_id, work.now):
        book.say_escalation(work, kept, event)
        ask_owner_to_tell(book, work, kept.now)
        press(book, work, kept.now)
        _watch(book, work, kept)


def given_up(book: Book, work: Work, order: MailOrder, outcome: MailOutcome) -> MailOutcome:
    """What became of the mail that brings an answer. One for which more trouble waits is not tried for days: after the
    time that an owner has to tell an answer, the owner tells this one, too."""
    kept = book.escalations.get(order.escalation_id or "")
    given = kept.now.answer if kept and kept.now.later else None
    within = book.policies.current.escalation.tell.within.delta
    if outcome.state != "temporary" or given is None or given.id != order.answer_id or work.now < given.at + within:
        return outcome
    return replace(outcome, state="permanent", retry_at=None)


def on_confirm_mail(book: Book, work: Work, order: MailOrder, outcome: MailOutcome) -> None:
    """The owner's own answer was refused by the customer's mail server, or came back: the owner hears of it, once for
    each of their answers. Where there is no address at all, their tool brought it, or nobody ever wrote."""
    if outcome.state != "permanent" or outcome.no_address or order.complaint_id is None:
        return
    owner = book.complaint(order.complaint_id, order.customer_id).owner_id
    if owner is None:
        return
    book.order(
        MailOrder(
            id=mail_id("tell", order.complaint_id, order.step, owner),
            kind="tell",
            customer_id=order.customer_id,
            recipient_kind="agent",
            recipient_id=owner,
            ordered_at=work.now,
            complaint_id=order.complaint_id,
            step=order.step,
            about_mail_id=order.id,
        )
    )


def when_tell_due(book: Book, work: Work, due: Due) -> None:
    """The owner has not said that the customer knows: they are reminded, then those above them, then the writer too.

    It never ends in silence. Whoever can't be reached is passed over to the next, at once.
    """
    kept = book.escalations.get(due.subject_id)
    if kept is None:
        return
    for event in decide_untold(kept.now, owner_of(book, kept.now), work.now, book.policies.current.escalation.tell):
        book.say_escalation(work, kept, event)
        _remind(book, work, kept.now)
    _watch(book, work, kept)


def _remind(book: Book, work: Work, state: Escalation) -> None:
    times, owner = state.answer.untold if state.answer else 0, owner_of(book, state)
    if owner is not None:
        ask_owner_to_tell(book, work, state)
    if times >= ABOVE_AFTER or owner is None:
        tell_above(book, work, state)
    if times >= WRITER_AFTER:
        tell_writer(book, work, state)


def on_tell_mail(book: Book, work: Work, order: MailOrder, outcome: MailOutcome) -> None:
    """Whoever was asked or reminded cannot be reached: the next one hears of it now."""
    kept = book.escalations.get(order.escalation_id or "")
    if outcome.state != "permanent" or kept is None or kept.now.status != "answered":
        return
    if order.recipient_kind == "agent":
        tell_above(book, work, kept.now)
    elif order.recipient_kind in ("address", "superior"):
        tell_writer(book, work, kept.now)


def _watch(book: Book, work: Work, kept: Kept[Escalation]) -> None:
    due = untold_due(kept.now, book.policies.current.escalation.tell)
    work.set_timer("tell", kept.id, kept.customer_id, due)
