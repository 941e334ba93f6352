"""Twilio's TaskRouter: the same event as a form, in a stream, in Flex's report on its workers, and as its SDK hands it
on. All of them become fields in snake case.

https://www.twilio.com/docs/taskrouter/api/event/reference
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .body import any_json, at, listed, moment, needed, word
from .shape import Endpoint, NotUnderstood, Response, Staff

_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def in_snake_case(fields: Mapping[str, Any]) -> dict[str, Any]:
    """WorkerSid as worker_sid."""
    return {_SNAKE.sub("_", name).lower(): value for name, value in fields.items()}


def inner(given: Any) -> Any:
    """JSON within a field of a form; nothing where it is none."""
    if not isinstance(given, str):
        return given
    try:
        return any_json(given.encode())
    except NotUnderstood:
        return None


def in_json(event: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, fields) of what Flex reports on a worker, and of a reservation or task as the SDK knows it."""
    if at(event, "object") == "WFMWorkerChange":
        for record in listed(at(event, "records")):
            for channel in listed(at(record, "channels")):
                for held in listed(at(channel, "reservations")):
                    fields = {
                        "task_sid": at(held, "task_sid"),
                        "timestamp": at(held, "date_reservation_status_updated"),
                        "worker_sid": at(record, "worker", "sid"),
                        "reservation_sid": at(held, "sid"),
                    }
                    yield f"reservation.{at(held, 'status')}", fields
    elif at(event, "task", "sid") and at(event, "reservation_status"):
        fields = {
            "task_sid": at(event, "task", "sid"),
            "task_attributes": at(event, "task", "attributes"),
            "timestamp": at(event, "date_updated"),
            "worker_sid": at(event, "worker_sid"),
            "reservation_sid": at(event, "sid"),
        }
        yield f"reservation.{at(event, 'reservation_status')}", fields


@dataclass(frozen=True, slots=True)
class Task:
    """What a task is about: a conversation, a call, or neither."""

    sid: str
    chat: str | None
    call: str | None
    attributes: Any

    @property
    def conversation_id(self) -> str:
        """What its messages have in common."""
        return self.chat or self.call or self.sid

    @property
    def outbound(self) -> bool:
        """Whether we began it."""
        return (self.attribute("direction") or "").lower().startswith("outbound")

    @property
    def customer_id(self) -> str | None:
        """Who the customer is, where Flex Insights is told."""
        return word(at(self.attributes, "customers", "customer_id"))

    def attribute(self, *names: str) -> str | None:
        """The first of these attributes that is there."""
        return next(filter(None, (word(at(self.attributes, name)) for name in names)), None)


def task_of(fields: Mapping[str, Any]) -> Task:
    """The task of an event; raises NotUnderstood."""
    attributes = inner(fields.get("task_attributes"))
    chat = word(at(attributes, "conversationSid")) or word(at(attributes, "channelSid"))
    call = word(at(attributes, "call_sid")) or word(at(attributes, "callSid"))
    return Task(needed(fields.get("task_sid"), "the task"), chat, call, attributes)


def began(fields: Mapping[str, Any]) -> datetime:
    """When the task came to be: every event tells its age; raises NotUnderstood."""
    age = word(fields.get("task_age")) or "0"
    return _happened(fields) - timedelta(seconds=int(age) if age.isdecimal() and len(age) < 8 else 0)


def _happened(fields: Mapping[str, Any]) -> datetime:
    return moment(fields.get("timestamp_ms") or fields.get("timestamp"), "Timestamp")


def accepted(fields: Mapping[str, Any], task: Task, endpoint: Endpoint) -> Response:
    """The worker who accepted; raises NotUnderstood."""
    attributes = inner(fields.get("worker_attributes"))
    name = word(at(attributes, "full_name")) or word(fields.get("worker_name"))
    worker_id = needed(fields.get("worker_sid"), "the worker")
    uri = word(at(attributes, "contact_uri")) or ""
    if endpoint.option("staff") == "identity" and uri.startswith("client:"):
        worker_id = uri.removeprefix("client:")
    return Response(
        event_id=needed(fields.get("reservation_sid"), "the reservation"),
        occurred_at=_happened(fields),
        conversation_id=task.conversation_id,
        responder=Staff(worker_id, name, word(at(attributes, "email"))),
    )
