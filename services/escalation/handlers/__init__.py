"""One function per event, command, deadline and mail outcome; the registries say which.

A handler gets the book (all that its input concerns, read under the customer's lock), decides, and announces. It does
no I/O and never commits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.escalation.handlers import events, staffing
from services.escalation.handlers.answers import Done, answer, checked, forward, revoke_links
from services.escalation.handlers.deadlines import DEADLINES, when
from services.escalation.handlers.delivering import delivered
from services.escalation.handlers.mails import on_mail_outcome
from services.escalation.handlers.promises import Promised, action_done, promise
from services.escalation.handlers.reaching import trust
from shared.contracts import ownership
from shared.contracts.envelope import Event, full_type
from shared.contracts.intake import ContactCaptured, ContactHeardAgain, CustomerErased, CustomerMerged

__all__ = [
    "DEADLINES",
    "REGISTRY",
    "Done",
    "Promised",
    "action_done",
    "answer",
    "checked",
    "delivered",
    "forward",
    "on_mail_outcome",
    "promise",
    "revoke_links",
    "trust",
    "when",
]

#: what does more than being learned and shown
_EVENTS: dict[type[Event], Callable[[Any, Any, Any], Any]] = {
    ContactCaptured: events.on_contact_captured,
    ContactHeardAgain: events.on_contact_captured,
    CustomerMerged: events.on_customer_merged,
    CustomerErased: events.on_customer_erased,
    ownership.ComplaintOpened: events.on_opened,
    ownership.ContactJoined: events.on_contact_joined,
    ownership.OwnerAssigned: events.on_owner,
    ownership.OwnerSucceeded: events.on_owner,
    ownership.Classified: events.on_classified,
    ownership.ClockBreached: events.on_clock_breached,
    ownership.ClockWarned: events.on_clock_warned,
    ownership.DepartureThreatened: events.on_departure_threatened,
    ownership.Repeated: events.on_repeated,
    ownership.EscalationAsked: events.on_escalation_asked,
    ownership.Answered: events.on_answered,
    ownership.Reopened: events.on_reopened,
    ownership.Closed: events.on_closed,
    ownership.FollowUpDue: events.on_follow_up_due,
    ownership.HelperAsked: staffing.on_helper_asked,
    ownership.HelperReminded: staffing.on_helper_reminded,
    ownership.HelperTimedOut: staffing.on_helper_timed_out,
    ownership.DeputyStarted: staffing.on_deputy_started,
    ownership.SuccessionAsked: staffing.on_succession_asked,
}

#: every event that is read, by its full type: all of ownership's are shown in the feed
REGISTRY: dict[str, tuple[type[Event], Callable[[Any, Any, Any], Any]]] = {
    full_type(event): (event, _EVENTS.get(event, events.on_complaint))
    for event in dict.fromkeys((*ownership.EVENTS, *_EVENTS))
}
