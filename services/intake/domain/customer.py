"""A customer: who they are, what they are to the business, and as of when each of it was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from shared.contracts.intake import Amount, CustomerErased, CustomerMerged, CustomerProfiled

#: fields that leave this service in an event
_STANDING: Final = ("tier", "region", "locale", "lifetime_value")
#: all fields of a profile
PROFILE: Final = ("name", "email", "phone", *_STANDING)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a customer is to the business: the fold of what was announced."""

    tier: str | None = None
    region: str | None = None
    locale: str | None = None
    lifetime_value: Amount | None = None
    profiled_at: datetime | None = None
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """The fields of a customer that are known, each with the time as of which it was said."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    as_of: Mapping[str, datetime] = field(default_factory=dict)


def merged(profile: Profile, given: Mapping[str, Any], at: datetime) -> Profile:
    """The profile after somebody said `given` as of `at`: older word never undoes newer, field by field."""
    newer = {name: value for name, value in given.items() if at >= profile.as_of.get(name, at)}
    if not newer:
        return profile
    return Profile({**profile.fields, **newer}, {**profile.as_of, **dict.fromkeys(newer, at)})


def combined(profile: Profile, other: Profile) -> Profile:
    """What is known under either id of one person: of each field what was said last, be it that there is none. Of two
    words of the same moment either id keeps the same one."""
    newer = [name for name in other.as_of if name not in profile.as_of or _weight(other, name) > _weight(profile, name)]
    if not newer:
        return profile
    fields = {name: value for name, value in profile.fields.items() if name not in newer}
    fields |= {name: other.fields[name] for name in newer if other.fields.get(name) is not None}
    return Profile(fields, {**profile.as_of, **{name: other.as_of[name] for name in newer}})


def _weight(profile: Profile, name: str) -> tuple[datetime, str]:
    return profile.as_of[name], str(profile.fields.get(name) or "")


def profiled(customer_id: str, standing: Standing, profile: Profile, at: datetime) -> CustomerProfiled | None:
    """The event of a profile that says something new about the customer's standing; None if it does not."""
    said = {name: profile.fields.get(name) for name in _STANDING}
    if all(getattr(standing, name) == value for name, value in said.items()):
        return None
    return CustomerProfiled(customer_id=customer_id, occurred_at=at, **said)


def erase(customer_id: str, now: datetime) -> CustomerErased:
    """The event that every service obeys."""
    return CustomerErased(customer_id=customer_id, erased_at=now)


def merging(customer_id: str, merged_id: str, into_id: str | None, number: int, now: datetime) -> CustomerMerged:
    """The event that two ids are one person's, as it is told under one of them."""
    return CustomerMerged(customer_id=customer_id, merged_id=merged_id, into_id=into_id, number=number, at=now)


def evolve_customer(state: Standing | None, event: CustomerProfiled | CustomerMerged | CustomerErased) -> Standing:
    """Folds an event into what a customer is to the business: the same under another id."""
    before = state or Standing()
    if isinstance(event, CustomerMerged):
        return before
    if isinstance(event, CustomerErased):
        return Standing(erased_at=event.erased_at)
    return Standing(event.tier, event.region, event.locale, event.lifetime_value, event.occurred_at, before.erased_at)
