"""Who holds a complaint: its owner, helpers, deputies, successors."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from .complaint import ComplaintEvent


class OwnerAssigned(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.owner_assigned"

    owner_id: str
    because: Literal["first_responder", "claimed", "first_response", "same_owner"]


class EarlierResponseKnown(ComplaintEvent):
    """Somebody answered the customer before whoever became the owner; it is known only now, and moves nothing."""

    TYPE: ClassVar[str] = "complaint.earlier_response_known"

    responder_id: str
    responded_at: AwareDatetime
    owner_id: str
    contact_id: str
    response_id: str | None = None


class HelperAsked(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.helper_asked"

    n: int
    helper_id: str
    by_id: str
    #: when the question goes back to who asked, and when the helper is reminded before
    due_at: AwareDatetime | None = None
    remind_at: tuple[AwareDatetime, ...] = ()


class HelperReminded(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.helper_reminded"

    n: int
    helper_id: str
    due_at: AwareDatetime


class HelperTimedOut(ComplaintEvent):
    """The question goes back unanswered to whoever holds the complaint."""

    TYPE: ClassVar[str] = "complaint.helper_timed_out"

    n: int
    helper_id: str
    owner_id: str | None = None


class HelperReplied(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.helper_replied"

    n: int
    helper_id: str


class DeputyStarted(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.deputy_started"

    deputy_id: str
    until: AwareDatetime
    by_id: str
    #: asked for by a supervisor, or why the policy chose somebody
    because: Literal["asked", "inactive", "absent", "off_shift"] = "asked"


class DeputyEnded(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.deputy_ended"

    deputy_id: str
    because: Literal["until", "ended", "succession", "closed", "owner_back", "unavailable"]
    by_id: str
    #: the policy chooses nobody before then: a supervisor wanted it so
    none_until: AwareDatetime | None = None


class SuccessionAsked(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.succession_asked"

    from_id: str | None
    #: null while a supervisor has yet to name the successor
    to_id: str | None
    reason: str
    by_id: str


class SuccessionWithdrawn(ComplaintEvent):
    """What was asked is asked no more; the owner stays."""

    TYPE: ClassVar[str] = "complaint.succession_withdrawn"

    from_id: str | None
    to_id: str | None
    because: Literal["owner_active", "asked"]
    by_id: str


class OwnerSucceeded(ComplaintEvent):
    TYPE: ClassVar[str] = "complaint.owner_succeeded"

    from_id: str
    to_id: str
    reason: Literal["left_company", "role_ended", "conflict_of_interest", "customer_asked"]
    by_id: str
