"""What a tool says as it would have been posted: checked by the same models as everything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter

from services.intake.adapters.pieces.shape import Contact, Customer, Message, NotUnderstood, Response, Staff
from services.intake.api.bodies import CONTACT, MOST_TEXT, ResponseBody
from shared.http import Problem, checked

RESPONSE: TypeAdapter[ResponseBody] = TypeAdapter(ResponseBody)
M = TypeVar("M", bound=BaseModel)


def message_row(tool: str, message: Message, received_at: datetime) -> dict[str, Any]:
    """A message as it waits; raises NotUnderstood where it could not be posted."""
    if isinstance(message, Contact):
        contact = _read(CONTACT, _contact(tool, message))
        customer: str | None = contact.customer.id
        staff: str | None = None
        body = contact.model_dump_json(exclude_none=True)
    else:
        response = _read(RESPONSE, _response(message))
        customer, staff = message.customer_id, response.responder.id
        body = response.model_dump_json(exclude_none=True)
    return {
        "tool": tool,
        "conversation": message.conversation_id or message.event_id,
        "kind": "contact" if isinstance(message, Contact) else "response",
        "event_id": message.event_id,
        "occurred_at": message.occurred_at,
        "order": message.order,
        "received_at": received_at,
        "customer_id": customer,
        "staff_id": staff,
        "body": body.encode(),
    }


def _read(model: TypeAdapter[M], value: Mapping[str, Any]) -> M:
    try:
        return checked(model, value)
    except Problem as problem:
        raise NotUnderstood(f"what it says cannot be posted: {problem.detail}") from None


def _contact(tool: str, message: Contact) -> dict[str, Any]:
    attributes = {name[:100]: _short(value, 2_000) for name, value in list(message.attributes.items())[:49]}
    if message.attachments:
        attributes["attachments"] = _short(", ".join(message.attachments), 2_000)
    more = dict(message.more)
    customer = _given(
        **_person(message.customer), phone=_line(message.customer.phone), locale=_line(message.customer.locale, 100)
    )
    return more | _given(
        source=tool,
        source_event_id=message.event_id,
        occurred_at=message.occurred_at,
        channel=message.channel,
        customer=more.pop("customer", {}) | customer,
        responder=None if message.responder is None else _person(message.responder),
        conversation_id=message.conversation_id,
        subject=_line(message.subject, 1_000),
        text=_short(message.text, MOST_TEXT) or None,
        attributes=attributes or None,
    )


def _response(message: Response) -> dict[str, Any]:
    return _given(
        responder=_person(message.responder),
        occurred_at=message.occurred_at,
        source_event_id=message.event_id,
        text=_short(message.text, MOST_TEXT) or None,
    )


def _person(one: Customer | Staff) -> dict[str, Any]:
    return _given(id=one.id, name=_line(one.name), email=_line(one.email))


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _line(text: str | None, most: int = 320) -> str | None:
    # names and subjects are what somebody typed: what a line may not hold is left out
    return None if text is None else "".join(letter for letter in text if letter.isprintable()).strip()[:most] or None


def _short(value: Any, most: int) -> Any:
    return value[:most] if isinstance(value, str) else value
