"""What intake and ownership tell, and what escalation does about it."""

from __future__ import annotations

from decimal import Decimal

from services.escalation.domain import contact as contacts
from services.escalation.domain.climbing import Cause, level_of
from services.escalation.domain.complaint import Complaint, alarming
from services.escalation.domain.mail import MailOrder, mail_id
from services.escalation.handlers.raising import agent_or_supervisors, answered_back, raise_or_join
from services.escalation.handlers.telling import ask_owner_to_tell
from services.escalation.handlers.watching import carry, judge_anew, tell_first_owner
from services.escalation.store import Book
from shared.contracts import ownership
from shared.contracts.escalation import Reason
from shared.contracts.intake import ContactCaptured, CustomerErased, CustomerMerged
from shared.policy import Policy
from shared.work import Work


def on_contact_captured(book: Book, work: Work, event: ContactCaptured) -> None:
    """A customer spoke: it may break a promise."""
    before = book.contact(event.contact_id, event.customer_id)
    judge_anew(book, work, before, contacts.captured(before, event))


def on_customer_merged(book: Book, work: Work, event: CustomerMerged) -> None:
    """Two ids are one person's, or are no longer: what was said under one is held against promises to the other."""
    if not book.kin.tell(event):
        return
    for promise_id, customer_id, contact_id in book.across:
        work.set_timer("judge", f"{promise_id}/{contact_id}", customer_id, work.now)


def on_customer_erased(book: Book, work: Work, event: CustomerErased) -> None:
    """Answers, promises and notes of this customer lose their words."""
    book.erased.add(event.customer_id)


def on_complaint(book: Book, work: Work, event: ownership.ComplaintEvent) -> Complaint:
    """What every event of a complaint does: it is learned from, and shown in the feed."""
    complaint = book.learn(event.complaint_id, event)
    waiting = book.waiting(complaint.id)
    book.show(event, complaint, waiting.now.level if waiting else None)
    return complaint


def on_opened(book: Book, work: Work, event: ownership.ComplaintOpened) -> None:
    """A complaint: its first contact is tied to it, and its value may be worth an executive at once."""
    complaint = on_complaint(book, work, event)
    if event.follows is None:
        _tie(book, work, event.contact_id, complaint, event.contact_customer_id)
    else:  # the contact stays with the complaint that this one follows
        answered_back(book, work, complaint, event.follows)
    if over_the_line(complaint, book.policies.current):
        _raise(book, work, complaint, "value_at_stake", event.contact_id)


def on_contact_joined(book: Book, work: Work, event: ownership.ContactJoined) -> None:
    """A further contact is tied to the complaint; if it broke a promise, that is now carried on. More may be at stake
    than was known."""
    policy = book.policies.current
    before = over_the_line(book.complaint(event.complaint_id, event.customer_id), policy)
    complaint = on_complaint(book, work, event)
    _tie(book, work, event.contact_id, complaint, event.contact_customer_id)
    if not before and over_the_line(complaint, policy):
        _raise(book, work, complaint, "value_at_stake", event.contact_id)


def on_owner(book: Book, work: Work, event: ownership.OwnerAssigned | ownership.OwnerSucceeded) -> None:
    """Whoever owns it now tells the customer what no mail could bring."""
    complaint = on_complaint(book, work, event)
    if isinstance(event, ownership.OwnerAssigned):
        tell_first_owner(book, work, complaint)
    for kept in book.answered(complaint.id):
        if kept.now.answer and kept.now.answer.failed:
            ask_owner_to_tell(book, work, kept.now)


def on_classified(book: Book, work: Work, event: ownership.Classified) -> None:
    """An agent said what it is: all its contacts are judged anew."""
    on_complaint(book, work, event)
    for contact_id in event.contact_ids:
        before = book.contact(contact_id, event.customer_id)
        judge_anew(book, work, before, contacts.classified(before, event))


def on_clock_breached(book: Book, work: Work, event: ownership.ClockBreached) -> None:
    """A missed clock; the claim clock means that nobody owns it. Of what executives owe the ladder knows more."""
    complaint = on_complaint(book, work, event)
    if event.kind == "executive_answer":
        return
    _raise(book, work, complaint, "unowned" if event.kind == "claim" else "clock_breached")


def on_departure_threatened(book: Book, work: Work, event: ownership.DepartureThreatened) -> None:
    """The customer may leave. What is merely possible is put before people and escalates nothing."""
    complaint = on_complaint(book, work, event)
    if alarming(event):
        _raise(book, work, complaint, "departure_threat", event.contact_id)


def on_repeated(book: Book, work: Work, event: ownership.Repeated) -> None:
    """The same customer, the same cause, again."""
    _raise(book, work, on_complaint(book, work, event), "repeat")


def on_escalation_asked(book: Book, work: Work, event: ownership.EscalationAsked) -> None:
    """Somebody's word is enough; the customer's, after an executive has answered, goes back to that executive."""
    complaint = on_complaint(book, work, event)
    if event.by != "customer" or not answered_back(book, work, complaint):
        _raise(book, work, complaint, "asked")


def on_reopened(book: Book, work: Work, event: ownership.Reopened) -> None:
    """The customer is not satisfied: whoever answered above hears it from them. Merging is nobody's no."""
    complaint = on_complaint(book, work, event)
    if event.through != "merge":
        answered_back(book, work, complaint)


def on_answered(book: Book, work: Work, event: ownership.Answered) -> None:
    """The owner answered: the customer gets the words, and is asked whether it is solved."""
    complaint = on_complaint(book, work, event)
    book.order(_confirm(complaint, work, event.cycle, event.at.isoformat()))


def on_follow_up_due(book: Book, work: Work, event: ownership.FollowUpDue) -> None:
    """A customer whose complaint was closed is to be visited: whoever is to do it is told, else the supervisors."""
    complaint = on_complaint(book, work, event)
    for kind, recipient in agent_or_supervisors(book, event.agent_id):
        book.order(
            MailOrder(
                id=mail_id("visit", complaint.id, event.cycle, recipient),
                kind="visit",
                customer_id=complaint.customer_id,
                recipient_kind=kind,
                recipient_id=recipient,
                ordered_at=work.now,
                complaint_id=complaint.id,
                step=event.cycle,
                due_at=event.due_at,
            )
        )


def on_clock_warned(book: Book, work: Work, event: ownership.ClockWarned) -> None:
    """A customer who was asked and says nothing is reminded; other warnings are for the feed."""
    complaint = on_complaint(book, work, event)
    if event.kind == "confirmation":
        book.order(_confirm(complaint, work, event.cycle, event.due_at.isoformat(), event.percent))


def _confirm(complaint: Complaint, work: Work, cycle: int, *causes: str | int) -> MailOrder:
    return MailOrder(
        id=mail_id("confirm", complaint.id, cycle, *causes),
        kind="confirm",
        customer_id=complaint.customer_id,
        recipient_kind="customer",
        recipient_id=complaint.customer_id,
        ordered_at=work.now,
        complaint_id=complaint.id,
        step=cycle,
    )


def on_closed(book: Book, work: Work, event: ownership.Closed) -> None:
    """What was no complaint breaks no promise; a withdrawal takes nothing back, because the trouble happened."""
    complaint = on_complaint(book, work, event)
    if event.basis == "not_a_complaint":
        for before in book.contacts_of(complaint.id):
            judge_anew(book, work, before, contacts.dismissed(before, event.by_id))


def over_the_line(complaint: Complaint, policy: Policy) -> bool:
    """Whether more is at stake than the policy's line, in the same currency."""
    line, value = policy.escalation.value_at_stake_over, complaint.value
    return (
        line is not None
        and value is not None
        and value.currency == line.currency
        and Decimal(value.amount) > line.amount
    )


def _raise(book: Book, work: Work, complaint: Complaint, reason: Reason, contact_id: str | None = None) -> None:
    level = level_of(reason, book.policies.current)
    raise_or_join(book, work, complaint, Cause(reason, level, contact_id=contact_id))


def _tie(book: Book, work: Work, contact_id: str, complaint: Complaint, whose: str | None) -> None:
    before = book.contact(contact_id, whose or complaint.customer_id)
    after = book.keep_contact(before.model_copy(update={"complaint_id": complaint.id}))
    if len(book.kin.of(after.customer_id)) > 1:  # it may have been heard before that was known
        judge_anew(book, work, before, after)
        after = book.contact(contact_id, after.customer_id)
    for breach in book.breaches_by(contact_id):
        if breach.stands:
            promise = book.promise(breach.promise_id)
            if promise is not None:
                carry(book, work, promise, after)
                after = book.contact(contact_id, after.customer_id)
