"""What became of a mail, and what follows from it."""

from __future__ import annotations

from services.escalation.domain.climbing import decide_undeliverable
from services.escalation.domain.ladder import written_to
from services.escalation.domain.mail import MailOrder, MailOutcome, RecipientKind
from services.escalation.handlers.delivering import on_answer_mail, on_confirm_mail, on_tell_mail
from services.escalation.handlers.raising import ladder_of, mail_id, on_time, stand
from services.escalation.handlers.watching import chase_order
from services.escalation.store import Book
from shared.contracts.escalation import Undeliverable
from shared.work import Work


def on_mail_outcome(book: Book, work: Work, outcome: MailOutcome) -> None:
    """One attempt is over. What is to be tried again changes nothing here: the ladder goes on meanwhile."""
    book.outcomes.append(outcome)
    order = book.ordered.get(outcome.mail_id)
    if order is None or outcome.state not in ("accepted", "permanent"):
        return
    if order.kind in ("ask", "breach", "refused") and order.recipient_kind == "executive":
        _executive(book, work, order, outcome)
    elif order.kind == "answer":
        on_answer_mail(book, work, order, outcome)
    elif order.kind == "confirm":
        on_confirm_mail(book, work, order, outcome)
    elif order.kind == "tell":
        on_tell_mail(book, work, order, outcome)
    elif order.kind == "chase" and outcome.state == "permanent":
        _through_promiser(book, work, order)


def _executive(book: Book, work: Work, order: MailOrder, outcome: MailOutcome) -> None:
    kept = book.escalations.get(order.escalation_id or "")
    if kept is None:
        return
    if outcome.state == "accepted":
        if order.step:
            present = {str(step.n) for step in kept.now.steps}
            mailed = book.delivery.get(kept.id, {}).get("mailed", {})
            mailed = {n: at for n, at in mailed.items() if n in present}
            book.note_delivery(kept.id, mailed={**mailed, str(order.step): outcome.at})
        return
    on_time(book, work, kept)
    before = kept.now.steps_made
    for event in decide_undeliverable(kept.now, order.recipient_id, work.now, ladder_of(book, kept.now)):
        book.say_escalation(work, kept, event)
        if isinstance(event, Undeliverable):
            _tell_supervisors(book, work, event)
    stand(book, work, kept, before)


def _tell_supervisors(book: Book, work: Work, event: Undeliverable) -> None:
    """Somebody can put an address right: the policy's supervisors, or whoever owns the complaint."""
    told: list[tuple[RecipientKind, str]] = [("address", one) for one in book.policies.current.supervisors]
    owner = book.complaint(event.complaint_id, event.customer_id).owner_id
    if not told and owner:
        told = [("agent", owner)]
    for kind, recipient in told:
        book.order(
            MailOrder(
                id=mail_id("undeliverable", event.escalation_id, event.executive_id, recipient),
                kind="undeliverable",
                customer_id=event.customer_id,
                recipient_kind=kind,
                recipient_id=recipient,
                ordered_at=work.now,
                complaint_id=event.complaint_id,
                escalation_id=event.escalation_id,
                level=event.level,
                about_id=event.executive_id,
            )
        )


def _through_promiser(book: Book, work: Work, order: MailOrder) -> None:
    kept = book.promises.get(order.promise_id or "")
    by = written_to(book.policies.current, kept.now.made_by) if kept else None
    if kept is None or by is None or order.recipient_id == by:
        return
    action = kept.now.action(order.step)
    if action is not None and action.done_at is None:
        book.order(chase_order(kept.now, action.n, order.ordered_at, "executive", by, action.due_at, work.now))
