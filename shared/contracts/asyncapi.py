"""`asyncapi.yaml` (AsyncAPI 3.0): the topics, their events, their headers and schemas, from the registry."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

import yaml

from shared.contracts.envelope import CONTENT_TYPE, Event, full_type, topic_of
from shared.contracts.examples import example_of
from shared.contracts.registry import PUBLISHED
from shared.contracts.schemas_of import schema_of

_ABOUT = """\
CloudEvents 1.0.2 over Kafka in binary mode. The key is the customer's id, so that the events of one customer are in
order; `ce_sequence` counts the events of one subject from 1 without a gap. Every event comes at least once, a repeated
one with the same `ce_id`. Ignore types and fields that you do not know. No names, addresses or free text are here.
"""
_HEADERS: dict[str, tuple[str, str | None]] = {
    "ce_specversion": ("always 1.0", None),
    "ce_id": ("unique; the same when an event is delivered again", "uuid"),
    "ce_source": ("urn:complaint-loop:<service>", "uri"),
    "ce_type": ("complaintloop.<event>.v1", None),
    "ce_time": ("when it was said, RFC 3339 in UTC", "date-time"),
    "ce_subject": ("id of the contact, customer, complaint, escalation or promise that it is about", None),
    "ce_sequence": ("version of the subject, 1..n without a gap, as decimal text", None),
    "ce_correlationid": ("the same through everything that followed from one input", None),
    "ce_causationid": ("ce_id of the event that caused this one; absent where a request or the clock did", None),
    "content-type": ("always application/json", None),
}


def _headers() -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, (description, form) in _HEADERS.items():
        properties[name] = {"type": "string", "description": description, **({"format": form} if form else {})}
    return {
        "type": "object",
        "required": [name for name in _HEADERS if name != "ce_causationid"],
        "properties": properties,
    }


def _example_headers(event: type[Event]) -> dict[str, str]:
    service = next(name for name, events in PUBLISHED.items() if event in events)
    return {
        "ce_specversion": "1.0",
        "ce_id": "01a21184-4986-7226-8f35-8013cecf979f",
        "ce_source": f"urn:complaint-loop:{service}",
        "ce_type": full_type(event),
        "ce_time": "2026-03-02T09:00:00Z",
        "ce_subject": str(example_of(event)[event.SUBJECT]),
        "ce_sequence": "1",
        "ce_correlationid": "01a21184-46c1-7635-8eb4-3a3849d52bf5",
        "content-type": CONTENT_TYPE,
    }


def _message(event: type[Event]) -> dict[str, Any]:
    schema = schema_of(event)
    return {
        "name": full_type(event),
        "title": event.TYPE,
        **({"summary": schema["description"]} if "description" in schema else {}),
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema},
        "examples": [{"name": event.TYPE, "headers": _example_headers(event), "payload": example_of(event)}],
        "bindings": {"kafka": {"key": {"type": "string", "description": "the customer's id, UTF-8"}}},
    }


def _parked(service: str) -> dict[str, Any]:
    """The channel of what a service could not handle: records of others as they were, so no CloudEvents."""
    headers = {
        "parked-from": "topic/partition/offset of the record as it came",
        "parked-because": "why it could not be handled",
    }
    message = {
        "name": "parked",
        "title": "parked",
        "summary": "A record that could not be handled: its key and value as they were, unless they are too long.",
        "headers": {
            "type": "object",
            "required": list(headers),
            "properties": {name: {"type": "string", "description": about} for name, about in headers.items()},
        },
        "payload": {"description": "bytes of any kind"},
    }
    return {
        "address": f"{topic_of(service)}.parked",
        "description": f"What {service} could not handle; `complaint-loop parked` lists it, with the headers it had.",
        "messages": {"parked": message},
    }


def describe() -> dict[str, Any]:
    """The document as plain values."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for service, events in PUBLISHED.items():
        names = [event.TYPE for event in events]
        messages |= {event.TYPE: _message(event) for event in events}
        channels[service] = {
            "address": topic_of(service),
            "description": f"What {service} tells the others.",
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        }
        operations[f"publish-{service}"] = {"action": "send", "channel": {"$ref": f"#/channels/{service}"}}
    for service in PUBLISHED:
        channels[f"{service}-parked"] = _parked(service)
        operations[f"park-{service}"] = {"action": "send", "channel": {"$ref": f"#/channels/{service}-parked"}}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Complaint Loop", "version": version("complaint-loop"), "description": _ABOUT},
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": {"headers": _headers()}},
    }


@cache
def document() -> bytes:
    """The document as YAML."""
    return yaml.safe_dump(describe(), sort_keys=False, allow_unicode=True, width=110).encode()


def main() -> None:
    """Writes `asyncapi.yaml` into the folder it is called in: `python -m shared.contracts.asyncapi`."""
    from pathlib import Path

    Path("asyncapi.yaml").write_bytes(document())


if __name__ == "__main__":
    main()
