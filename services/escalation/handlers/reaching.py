"""An executive's address that refuses mails or sends them back: remembered, passed over by others, trusted again."""

from __future__ import annotations

from services.escalation.domain.acts import Trusted
from services.escalation.domain.climbing import decide_undeliverable
from services.escalation.domain.escalation import Escalation
from services.escalation.domain.mail import MailOrder, MailOutcome, RecipientKind, mail_id
from services.escalation.domain.reach import Mark, refused
from services.escalation.handlers.raising import ladder_of, on_time, pass_over, stand
from services.escalation.store import Book
from shared.contracts.escalation import Undeliverable
from shared.refusal import Refusal
from shared.timers import Due
from shared.work import Kept, Work


def learn(book: Book, work: Work, order: MailOrder, outcome: MailOutcome) -> None:
    """What a mail server said of an executive's address. Whoever else waits for that person on a mail that has not
    gone out yet is passed on at once, each under the lock of its customer."""
    policy = book.policies.current
    person = policy.executive(order.recipient_id)
    if person is None or outcome.unsaid:
        return
    before = book.reach.mark(person.id)
    if outcome.state == "accepted":
        if before is not None and before.accepted_at is None:
            book.accepted.add(person.id)
        return
    mark = Mark(
        person.id,
        person.email.lower(),
        "came_back" if outcome.came_back else "refused",
        outcome.detail,
        work.now,
        work.now,
        escalation_id=order.escalation_id,
    )
    first = person.id not in book.reach.marked
    book.mark(refused(before, mark, policy))
    if first:
        for escalation_id, customer_id in book.not_mailed.get(person.id, ()):
            if escalation_id != order.escalation_id:
                work.set_timer("skip", escalation_id, customer_id, work.now)
    _tell(book, work, order, person.id)


def when_skip_due(book: Book, work: Work, due: Due) -> None:
    """The address of whoever is asked was marked before the mail went out: the next person is asked at once."""
    kept = book.escalations.get(due.subject_id)
    if kept is None:
        return
    on_time(book, work, kept)
    state = kept.now
    mailed = book.delivery.get(kept.id, {}).get("mailed", {})
    if state.status == "waiting" and state.executive_id in book.reach.marked and str(state.step.n) not in mailed:
        before = state.steps_made
        pass_over(book, work, kept)
        if kept.now.steps_made > before:
            book.withdraw(kept.id)
            stand(book, work, kept, before)


def cannot_reach(book: Book, work: Work, kept: Kept[Escalation], order: MailOrder) -> None:
    """The mail of an escalation cannot be delivered: the next person is asked at once."""
    on_time(book, work, kept)
    before = kept.now.steps_made
    for event in decide_undeliverable(kept.now, order.recipient_id, work.now, ladder_of(book, kept.now)):
        book.say_escalation(work, kept, event)
        if isinstance(event, Undeliverable):
            _tell(book, work, order, order.recipient_id)
    if kept.now.steps_made > before:
        pass_over(book, work, kept)
    stand(book, work, kept, before)


def trust(book: Book, work: Work, act: Trusted) -> Mark | Refusal:
    """A supervisor knows that the address works: from now on it is written to."""
    mark = book.reach.mark(act.executive_id)
    if mark is None:
        return Refusal("not-found", "Mails to this person are not known to come back.", 404)
    book.trusted[act.executive_id] = act.by
    return mark


def _tell(book: Book, work: Work, order: MailOrder, who: str) -> None:
    """Somebody can put an address right: the policy's supervisors, once for as long as it is marked; where there are
    none, whoever owns the complaint."""
    mark = book.reach.mark(who)
    about = mark.since.isoformat() if mark else order.escalation_id or order.id
    told: list[tuple[RecipientKind, str, str]] = [("address", one, about) for one in book.policies.current.supervisors]
    if not told and order.complaint_id and order.escalation_id:
        owner = book.complaint(order.complaint_id, order.customer_id).owner_id
        told = [("agent", owner, order.escalation_id)] if owner else []
    for kind, recipient, of in told:
        book.order(
            MailOrder(
                id=mail_id("undeliverable", of, who, recipient),
                kind="undeliverable",
                customer_id=order.customer_id,
                recipient_kind=kind,
                recipient_id=recipient,
                ordered_at=work.now,
                complaint_id=order.complaint_id,
                escalation_id=order.escalation_id,
                level=order.level,
                about_id=who,
            )
        )
