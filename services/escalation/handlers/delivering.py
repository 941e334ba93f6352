"""An answer on its way to the customer: by mail, else told by the owner, who is reminded until they have done so."""

from __future__ import annotations

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
from services.escalation.domain.ladder import written_to
from services.escalation.domain.mail import MailOrder, MailOutcome, RecipientKind
from services.escalation.handlers.answers import Done, done, not_found
from services.escalation.handlers.raising import mail_id
from services.escalation.store import Book
from shared.refusal import Refusal
from shared.timers import Due
from shared.work import Kept, Work


def delivered(book: Book, work: Work, act: Delivered) -> Done | Refusal:
    """The owner, or who stands in for them, told the customer: that ends the escalation."""
    kept = book.escalations.get(act.escalation_id)
    if kept is None:
        return not_found()
    said = act.acknowledgement
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
    return done(book, kept)


def on_answer_mail(book: Book, work: Work, order: MailOrder, outcome: MailOutcome) -> None:
    """The mail that brings the answer has gone out, cannot, or came back."""
    kept = book.escalations.get(order.escalation_id or "")
    if kept is None or kept.now.answer is None or kept.now.answer.id != order.answer_id:
        return
    if outcome.state == "accepted":
        if kept.now.status == "answered" and kept.now.answer.failed is None:
            decided = decide_delivered(kept.now, outcome.at, "mail")
            assert not isinstance(decided, Refusal)
            for event in decided:
                book.say_escalation(work, kept, event)
        return
    went_out = outcome.came_back or kept.now.answer.through == "mail"
    owner_id = _owner(book, kept.now)
    because: Because = "came_back" if went_out else "no_address" if outcome.no_address else "refused"
    for event in decide_failed(kept.now, because, owner_id, work.now):
        book.say_escalation(work, kept, event)
        ask_owner_to_tell(book, work, kept.now)
        _watch(book, work, kept)


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


def ask_owner_to_tell(book: Book, work: Work, state: Escalation) -> None:
    """No mail can bring the answer: the owner is asked to; without an owner, whoever becomes it."""
    owner = _owner(book, state)
    if owner is not None:
        _order(book, work, state, "agent", owner)


def when_tell_due(book: Book, work: Work, due: Due) -> None:
    """The owner has not said that the customer knows: they are reminded, then those above them, then the writer too.

    It never ends in silence. Whoever can't be reached is passed over to the next, at once.
    """
    kept = book.escalations.get(due.subject_id)
    if kept is None:
        return
    for event in decide_untold(kept.now, _owner(book, kept.now), work.now, book.policies.current.escalation.tell):
        book.say_escalation(work, kept, event)
        _remind(book, work, kept.now)
    _watch(book, work, kept)


def _remind(book: Book, work: Work, state: Escalation) -> None:
    times, owner = state.answer.untold if state.answer else 0, _owner(book, state)
    if owner is not None:
        _order(book, work, state, "agent", owner)
    if times >= ABOVE_AFTER or owner is None:
        _tell_above(book, work, state)
    if times >= WRITER_AFTER:
        _tell_writer(book, work, state)


def on_tell_mail(book: Book, work: Work, order: MailOrder, outcome: MailOutcome) -> None:
    """Whoever was asked or reminded cannot be reached: the next one hears of it now."""
    kept = book.escalations.get(order.escalation_id or "")
    if outcome.state != "permanent" or kept is None or kept.now.status != "answered":
        return
    if order.recipient_kind == "agent":
        _tell_above(book, work, kept.now)
    elif order.recipient_kind in ("address", "superior"):
        _tell_writer(book, work, kept.now)


def _tell_above(book: Book, work: Work, state: Escalation) -> None:
    """The supervisors of the policy; without them, the superior of whoever owns it; without an owner, the writer."""
    owner, supervisors = _owner(book, state), book.policies.current.supervisors
    for one in supervisors:
        _order(book, work, state, "address", one)
    if not supervisors and owner is not None:
        _order(book, work, state, "superior", owner)
    if not supervisors and owner is None:
        _tell_writer(book, work, state)


def _tell_writer(book: Book, work: Work, state: Escalation) -> None:
    if state.answer is not None:
        _order(book, work, state, "executive", written_to(book.policies.current, state.answer.executive_id))


def _watch(book: Book, work: Work, kept: Kept[Escalation]) -> None:
    due = untold_due(kept.now, book.policies.current.escalation.tell)
    work.set_timer("tell", kept.id, kept.customer_id, due)


def _owner(book: Book, state: Escalation) -> str | None:
    return book.complaint(state.complaint_id, state.customer_id).owner_id


def _order(book: Book, work: Work, state: Escalation, kind: RecipientKind, who: str) -> None:
    assert state.answer is not None
    times = state.answer.untold
    book.order(
        MailOrder(
            id=mail_id("tell", state.id, state.answer.id, kind, who, times),
            kind="tell",
            customer_id=state.customer_id,
            recipient_kind=kind,
            recipient_id=who,
            ordered_at=work.now,
            complaint_id=state.complaint_id,
            escalation_id=state.id,
            promise_id=state.answer.promise_id,
            step=times,
            level=state.level,
            answer_id=state.answer.id,
        )
    )
