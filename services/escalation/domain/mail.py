"""Mails as the domain sees them: who must be told what, and what became of it. No addresses, no customer's words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid5

from services.escalation.domain.presence import loud_at
from shared.policy import Policy

#: what a mail says: `ask` an executive for an answer (also on a climb or a repeat), bring the `answer` to the
#: customer, `confirm` with the customer whether it is solved, have the owner `tell` an answer in person, tell owner
#: and promiser of a `breach`, `chase` a promised action, tell supervisors that somebody is `undeliverable`,
#: ask whoever is to make it for a `visit` after a closing, put a `question` to a helper and tell the owner that it is
#: `unanswered`, tell a `deputy` for whom they act, ask for a `succession`, tell whoever replied by mail that the reply
#: was `refused`
MailKind = Literal[
    "ask",
    "answer",
    "confirm",
    "tell",
    "breach",
    "chase",
    "undeliverable",
    "visit",
    "question",
    "unanswered",
    "deputy",
    "succession",
    "refused",
]
#: why a question comes a second time
AGAIN: Final = "again"
#: a `superior` is named by the agent whose superior it is
RecipientKind = Literal["executive", "customer", "agent", "superior", "address"]


_MAILS: Final = UUID("0b9f4a52-6d0e-5c1c-9a8e-3f8f5a5f6c11")


def mail_id(*causes: str | int) -> str:
    """The id of a mail, from what caused it: the same cause again is the same mail."""
    return str(uuid5(_MAILS, "/".join(str(cause) for cause in causes)))


@dataclass(frozen=True, slots=True)
class MailOrder:
    """One mail that a decision asks for.

    `id` is derived from what caused it (escalation, step, recipient), so that ordering the same mail twice is one
    mail, and its Message-ID is the same at every attempt.
    """

    id: str
    kind: MailKind
    customer_id: str
    recipient_kind: RecipientKind
    recipient_id: str
    ordered_at: datetime
    complaint_id: str | None = None
    escalation_id: str | None = None
    promise_id: str | None = None
    #: position in the escalation's steps, the action's n, …
    step: int = 0
    level: int = 0
    #: until when the recipient is asked to answer
    due_at: datetime | None = None
    answer_id: str | None = None
    #: the end of the recipient's quiet hours, where it waits for that
    not_before: datetime | None = None
    #: the contact whose words it shows besides the complaint's first: the threat, the breach
    contact_id: str | None = None
    #: of a `refused` reply: the mail that was replied to, whose link still works; why, as a code (of a `question`: that
    #: it is a reminder); likeness in percent
    about_mail_id: str | None = None
    #: who cannot be reached
    about_id: str | None = None
    why: str | None = None
    likeness: int | None = None


def heeding_quiet(order: MailOrder, policy: Policy) -> MailOrder:
    """The order, to be handed over after an executive's quiet hours.

    Not if that would be past the time until which they are asked to answer: nobody's time runs out on a mail that we
    held back. Clocks know nothing of it.
    """
    person = policy.executive(order.recipient_id) if order.recipient_kind == "executive" else None
    after = loud_at(person, order.ordered_at) if person else order.ordered_at
    if after == order.ordered_at or (order.due_at is not None and order.ordered_at < order.due_at <= after):
        return order
    return replace(order, not_before=after)


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """What became of one attempt: `permanent` also where there is no address to write to (`no_address`), `withdrawn`
    where what it asks for was done meanwhile. What `came_back` was accepted before, and bounced."""

    mail_id: str
    state: Literal["accepted", "temporary", "permanent", "unknown", "withdrawn"]
    at: datetime
    detail: str = ""
    no_address: bool = False
    retry_at: datetime | None = None
    came_back: bool = False
    #: no mail server said so of the address: there was nothing to send, or nowhere to send it to
    unsaid: bool = False
