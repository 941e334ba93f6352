"""Calls and chats of which a tool tells that they were, and not what was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .shape import Contact, Endpoint

#: the option of tools that tell of calls
OPTION: Final[Mapping[str, str]] = {
    "calls_may_be_complaints": "yes: a call of which no words are known may be a complaint, and opens one"
}


def as_told(contact: Contact, endpoint: Endpoint, missing: str | None = None) -> Contact:
    """The contact, which says of itself what is `missing`. What may be a complaint opens one: so that not every call
    does, one without words is none, until its words come or an agent says so."""
    silent = not (contact.text or contact.subject)
    lacking = " and ".join(filter(None, (missing, "words" if silent else None)))
    told = replace(contact, attributes={**contact.attributes, "thin": lacking}) if lacking else contact
    if silent and endpoint.option("calls_may_be_complaints") != "yes":
        return replace(told, more={**told.more, "complaint": False})
    return told
