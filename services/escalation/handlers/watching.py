"""The watch over promises: contacts are judged, breaches go back to the promiser, actions are chased."""

from __future__ import annotations

from datetime import datetime

from services.escalation.domain.climbing import Cause
from services.escalation.domain.complaint import Complaint
from services.escalation.domain.contact import Contact
from services.escalation.domain.escalation import Escalation
from services.escalation.domain.ladder import written_to
from services.escalation.domain.mail import MailOrder, RecipientKind, mail_id
from services.escalation.domain.promise import Action, Promise
from services.escalation.domain.promising import (
    chased,
    decide_judged,
    decide_kept,
    decide_missed,
    hurts,
    next_due,
)
from services.escalation.handlers.raising import joined, stand
from services.escalation.store import Book
from services.escalation.store.book import Breach, Watch
from shared.contracts.escalation import PromiseBroken, PromiseEvent
from shared.work import Kept, Work


def judge_anew(book: Book, work: Work, before: Contact, after: Contact) -> None:
    """What a contact, as it is judged now, means for the promises on the causes that it had and has.

    Promises to customers whose lock is held are judged here. Any other is judged under the lock of whom it was made
    to, by an errand that is due at once.
    """
    book.keep_contact(after)
    if after.heard_at is None:
        return  # intake's word is missing: it will come, and is judged with what is known by then
    causes = {cause for cause in (before.cause, after.cause) if cause}
    own = {kept.id: kept for kept in book.promises_on(after.customer_id, causes)}
    others = {watch.id: watch for watch in book.watches_on(causes)}
    for breach in book.breaches_by(after.id):
        if (kept := book.promises.get(breach.promise_id)) is not None:
            own[kept.id] = kept
        elif (watch := book.watches.get(breach.promise_id)) is not None:
            others[watch.id] = watch
    for kept in own.values():
        judge(book, work, kept, after)
    for watch in others.values():
        earlier = book.breach(watch.id, after.id)
        stands = earlier is not None and earlier.stands
        if hurts(watch, after, book.policies.current, book.kin.of(watch.customer_id)) != stands:
            work.set_timer("judge", f"{watch.id}/{after.id}", watch.customer_id, work.now)


def judge(book: Book, work: Work, kept: Kept[Promise], contact: Contact) -> None:
    """Breaks a promise by a contact, or takes such a breach back, under the lock of whom it was made to."""
    breach = book.breach(kept.id, contact.id)
    stands = breach is not None and breach.stands
    same = book.kin.of(kept.customer_id)
    for event in decide_judged(kept.now, contact, stands, work.now, book.policies.current, same):
        book.say_promise(work, kept, event)
        _note(book, work, kept, contact, breach, event)
        tend(book, work, kept)


def _note(
    book: Book, work: Work, kept: Kept[Promise], contact: Contact, breach: Breach | None, event: PromiseEvent
) -> None:
    if breach is None:
        breach = Breach(kept.id, contact.id, contact.customer_id, work.now)
        book.open_breach(breach)
    book.changed_breaches.add((kept.id, contact.id))
    if not isinstance(event, PromiseBroken):
        why = getattr(event, "because", "cause_changed")
        breach.taken_back = {"at": work.now, "by": contact.said_by or "ownership", "why": why}
        return
    breach.at, breach.taken_back = work.now, None
    if contact.customer_id in book.kin.of(kept.customer_id):
        carry(book, work, kept.now, book.contact(contact.id, contact.customer_id))
    else:
        work.set_timer("hurt", f"{kept.id}/{contact.id}", contact.customer_id, work.now)


def carry(book: Book, work: Work, promise: Promise | Watch, contact: Contact) -> None:
    """A breach goes straight back to the one who promised, once, as soon as its complaint is known.

    The escalation is that of the complaint that hurts now; the promiser and whoever owned the complaint then are
    written to.
    """
    if contact.complaint_id is None or promise.id in contact.raised:
        return
    book.keep_contact(contact.model_copy(update={"raised": (*contact.raised, promise.id)}))
    complaint = book.complaint(contact.complaint_id, contact.customer_id)
    cause = Cause(
        "promise_broken",
        promise.level,
        contact_id=contact.id,
        promise_id=promise.id,
        executive_id=promise.made_by,
    )
    kept, before = joined(book, work, complaint, cause)
    state = kept.now
    asked = state.steps_made > before
    stand(book, work, kept, state.steps_made)  # a person newly asked gets one mail, not two: that of the breach
    promiser = written_to(book.policies.current, promise.made_by)
    if asked and state.executive_id != promiser:
        _write(book, work, promise, contact, kept, "executive", state.executive_id, state.step.n)
    step = state.step.n if asked and state.executive_id == promiser else 0
    _write(book, work, promise, contact, kept, "executive", promiser, step)
    if (owner := _original_owner(book, promise) or complaint.first_owner_id) is not None:
        _write(book, work, promise, contact, kept, "agent", owner, 0)


def tell_first_owner(book: Book, work: Work, complaint: Complaint) -> None:
    """A promise was broken before anybody owned the complaint, and its own had none: whoever owns this now hears."""
    owner = complaint.first_owner_id
    kept = book.waiting(complaint.id) or next(iter(book.answered(complaint.id)), None)
    if owner is None or kept is None:
        return
    for contact in book.contacts_of(complaint.id):
        for promise_id in contact.raised:
            promise, breach = book.promise(promise_id), book.breach(promise_id, contact.id)
            if promise is None or breach is None or not breach.stands:
                continue
            if _original_owner(book, promise) in (None, owner):
                _write(book, work, promise, contact, kept, "agent", owner, 0)


def _original_owner(book: Book, promise: Promise | Watch) -> str | None:
    then = book.complaints.get(promise.complaint_id) if promise.complaint_id else None
    return then.first_owner_id if then else None


def _write(
    book: Book,
    work: Work,
    promise: Promise | Watch,
    contact: Contact,
    kept: Kept[Escalation],
    kind: RecipientKind,
    who: str,
    step: int,
) -> None:
    book.order(
        MailOrder(
            id=mail_id("breach", promise.id, contact.id, who),
            kind="breach",
            customer_id=contact.customer_id,
            recipient_kind=kind,
            recipient_id=who,
            ordered_at=work.now,
            complaint_id=kept.now.complaint_id,
            escalation_id=kept.id,
            promise_id=promise.id,
            step=step,
            level=promise.level,
            due_at=kept.now.due_at if step else None,
            contact_id=contact.id,
        )
    )


def tend(book: Book, work: Work, kept: Kept[Promise]) -> None:
    """Everything that time has brought for a promise, and its next deadline."""
    before = book.policies.current.promises.chase_before.delta
    for event in [*decide_missed(kept.now, work.now), *decide_kept(kept.now, work.now)]:
        book.say_promise(work, kept, event)
    for action in kept.now.actions:
        if action.done_at is None:
            last, _ = chased(kept.now, action, before, work.now)
            if last is not None:
                _chase(book, work, kept.now, action, last)
    work.set_timer("promise", kept.id, kept.customer_id, next_due(kept.now, before, work.now))


def _chase(book: Book, work: Work, promise: Promise, action: Action, at: datetime) -> None:
    words = book.words[promise.id].actions.get(str(action.n), {})
    owner = str(words.get("owner") or action.owner_id or written_to(book.policies.current, promise.made_by))
    kind: RecipientKind = "agent"
    if book.policies.current.executive(owner) is not None:
        kind = "executive"
    elif "@" in owner:
        kind = "address"
    book.order(chase_order(promise, action.n, at, kind, owner, action.due_at, work.now))


def chase_order(
    promise: Promise, n: int, at: datetime, kind: RecipientKind, who: str, due_at: datetime, now: datetime
) -> MailOrder:
    """The mail that reminds somebody of what was promised; `at` tells the reminders of one action apart."""
    return MailOrder(
        id=mail_id("chase", promise.id, n, at.isoformat(), who),
        kind="chase",
        customer_id=promise.customer_id,
        recipient_kind=kind,
        recipient_id=who,
        ordered_at=now,
        complaint_id=promise.complaint_id,
        promise_id=promise.id,
        step=n,
        level=promise.level,
        due_at=due_at,
    )
