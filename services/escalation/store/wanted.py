"""Ids that a set of inputs names: what has to be read before the handlers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.escalation.domain.acts import ActionDone, Delivered, Forwarded, LinksRevoked, PromiseGiven, Trusted
from services.escalation.domain.answering import AnswerGiven
from services.escalation.domain.contact import heard_at
from services.escalation.domain.mail import MailOutcome
from services.escalation.domain.replying import BounceCame, ReplyCame
from shared.contracts import intake, ownership
from shared.timers import Due


@dataclass(slots=True)
class Wanted:
    """Ids that inputs name."""

    complaints: set[str] = field(default_factory=set)
    #: complaints all of whose contacts are read
    whole: set[str] = field(default_factory=set)
    #: complaints of which the contacts are read whose breach of a promise has reached an escalation
    raised: set[str] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)
    escalations: set[str] = field(default_factory=set)
    #: those of them whose complaint's other open ones are wanted too
    beside: set[str] = field(default_factory=set)
    promises: set[str] = field(default_factory=set)
    causes: set[str] = field(default_factory=set)
    #: when the contacts that are to be judged were heard: promises watched at no such time are left alone
    heard: list[datetime] = field(default_factory=list)
    #: causes of promises about to be made
    promised: set[str] = field(default_factory=set)
    mails: set[str] = field(default_factory=set)
    #: those of them that do not arrive
    failed: set[str] = field(default_factory=set)
    #: what is known of executives' addresses, whatever else
    reach: bool = False
    arrivals: set[str] = field(default_factory=set)
    #: promises for which contacts that came meanwhile are looked up
    look_back: set[str] = field(default_factory=set)
    #: somebody's ids were merged or taken apart: promises made under one are held against contacts under another
    across: bool = False
    #: complaints of which the escalations that have ended are wanted too
    answered: set[str] = field(default_factory=set)
    answers_after: int | None = None
    #: only answers that share pieces with these; None: whatever they are like
    sketch: set[str] | None = field(default_factory=set)

    def add(self, payload: Any) -> None:
        """Adds what one input names."""
        match payload:
            case intake.ContactCaptured():
                self.contacts.add(payload.contact_id)
                self._cause(payload.cause)
                self.heard.append(heard_at(payload.occurred_at, payload.received_at))
            case intake.CustomerMerged():
                self.across = True
            case ownership.ComplaintEvent():
                self._complaint(payload)
            case AnswerGiven():
                self.escalations.add(payload.escalation_id)
                self.promised |= {payload.promise.cause} if payload.promise else set()
                before = payload.seen if self.answers_after is None else min(self.answers_after, payload.seen)
                self.answers_after = before
                self._sketch(payload)
            case Delivered():
                self.escalations.add(payload.escalation_id)
                self.beside.add(payload.escalation_id)
            case Forwarded() | LinksRevoked():
                self.escalations.add(payload.escalation_id)
            case PromiseGiven():
                self.complaints |= {payload.complaint_id} if payload.complaint_id else set()
                self.promised.add(payload.wanted.cause)
            case ActionDone():
                self.promises.add(payload.promise_id)
            case ReplyCame():
                self.arrivals.add(payload.arrival_id)
                self.add(payload.said)
            case BounceCame():
                self.arrivals.add(payload.arrival_id)
                self.mails.add(payload.mail_id)
                self.failed.add(payload.mail_id)
            case MailOutcome():
                self.mails.add(payload.mail_id)
                self.failed |= {payload.mail_id} if payload.state == "permanent" else set()
            case Trusted():
                self.reach = True
            case Due():
                self._due(payload)

    def _sketch(self, given: AnswerGiven) -> None:
        if given.alike is None:
            self.sketch = None
        elif self.sketch is not None:
            self.sketch |= set(given.alike.sketch)

    def _complaint(self, event: ownership.ComplaintEvent) -> None:
        self.complaints.add(event.complaint_id)
        match event:
            case ownership.ComplaintOpened():
                self.contacts.add(event.contact_id)
                self.answered |= {event.follows} if event.follows else set()
            case ownership.ContactJoined():
                self.contacts.add(event.contact_id)
            case ownership.Reopened() | ownership.EscalationAsked(by="customer"):
                self.answered.add(event.complaint_id)
            case ownership.Classified():
                self.contacts |= set(event.contact_ids)
                self._cause(event.cause)
            case ownership.Closed(basis="not_a_complaint"):
                self.whole.add(event.complaint_id)
            case ownership.OwnerAssigned():
                self.raised.add(event.complaint_id)

    def _due(self, due: Due) -> None:
        if due.kind in ("ladder", "tell", "skip"):
            self.escalations.add(due.subject_id)
            return
        promise_id, _, contact_id = due.subject_id.partition("/")
        self.promises.add(promise_id)
        if due.kind == "look_back":
            self.look_back.add(promise_id)
        if contact_id:
            self.contacts.add(contact_id)

    def _cause(self, cause: str | None) -> None:
        if cause:
            self.causes.add(cause)


def want(payloads: Iterable[Any]) -> Wanted:
    """What these inputs need."""
    wanted = Wanted()
    for payload in payloads:
        wanted.add(payload)
    return wanted
