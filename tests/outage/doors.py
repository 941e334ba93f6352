"""Every POST route with a body that it would take, on things that exist: what malformed ones are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.escalation.mail.tokens import link_of
from services.intake.adapters.pieces.shape import Endpoint
from services.intake.hooks.switchboard import sealed_row
from services.intake.store import deliveries
from shared.auth import service_token, sign
from shared.db import make_engine, role_of
from tests.outage.system import System, until

_LATER = (datetime.now(UTC) + timedelta(days=3)).isoformat()
_MADE = {"source": "doors", "occurred_at": datetime.now(UTC).isoformat(), "channel": "chat", "cause": "router-drops"}
_BY = {"agent_id": "amir"}
_PROMISE: dict[str, Any] = {
    "text": "The line will hold.",
    "cause": "router-drops",
    "product": "fibre-1g",
    "scope": "customer",
    "actions": [{"what": "A new splitter", "owner": "field@example.com", "due_at": _LATER}],
    "watch_for": "90d",
}
#: acts on a complaint: (scope, path, body)
_ACTS: list[tuple[str, str, dict[str, Any]]] = [
    ("agent", "claim", _BY),
    ("agent", "acknowledgement", _BY),
    ("agent", "updates", _BY | {"text": "We look into it.", "next_update_by": _LATER}),
    ("agent", "classification", _BY | {"cause": "billing-error", "need": "must_have", "departure_threat": False}),
    ("agent", "answer", _BY | {"text": "Mended.", "outcome": "upheld", "reasons": "A fault.", "redress": "10 USD"}),
    ("agent", "confirmation", {"solved": True, "comment": "Thanks"}),
    ("agent", "withdrawal", _BY | {"reason": "A mistake"}),
    ("agent", "escalation", _BY | {"by": "customer", "reason": "Wants a manager"}),
    ("agent", "pause", _BY | {"reason": "Travels", "until": _LATER}),
    ("agent", "resume", _BY),
    ("agent", "helpers", _BY | {"helper": "berta", "question": "Which port?"}),
    ("agent", "helpers/{n}/reply", {"agent_id": "berta", "text": "The third."}),
    ("agent", "succession/acceptance", {"agent_id": "berta"}),
    ("agent", "follow-up", _BY | {"satisfied": True, "would_choose_again": False, "comment": "Slow"}),
    ("agent", "merge", _BY | {"into": "C-7F3K9", "reason": "The same fault"}),
    ("agent", "split", _BY | {"contacts": ["01a2117d-c6a2-76c9-8940-e7cea9f72bcd"], "reason": "Two faults"}),
    ("supervisor", "deputy", {"agent": "berta", "until": _LATER, "reason": "On leave", "by": "sue"}),
    ("supervisor", "deputy/end", {"reason": "Is back", "by": "sue"}),
    ("supervisor", "succession", {"to": "berta", "reason": "left_company", "note": "Moved on", "accepted_by": "berta"}),
    ("supervisor", "succession/withdrawal", {"reason": "She stays", "by": "sue"}),
]
#: deliveries of tools that carry their secret: here it is the key that opens all doors of intake
_TOOLS: dict[str, Any] = {
    "amazon-connect": {
        "detail-type": "Amazon Connect Contact Event",
        "detail": {
            "eventType": "CONNECTED_TO_AGENT",
            "contactId": "doors-call",
            "channel": "VOICE",
            "initiationMethod": "INBOUND",
            "initiationTimestamp": "2026-03-02T09:00:00Z",
            "customerEndpoint": {"address": "+442071838750"},
            "agentInfo": {"agentArn": "arn/agent/amir", "connectedToAgentTimestamp": "2026-03-02T09:01:00Z"},
        },
    },
    "freshdesk": {
        "freshdesk_webhook": {
            "triggered_event": "{ticket_action:created}",
            "ticket_id": 11,
            "ticket_subject": "Router",
            "ticket_description": "<p>It drops</p>",
            "requester_name": "Ola",
            "requester_email": "ola@example.org",
        }
    },
    "genesys-cloud": {
        "topicName": "v2.detail.events.conversation.doors.customer.start",
        "eventBody": {"conversationId": "doors", "eventTime": 1772442000000, "ani": "tel:+442071838750"},
    },
    "groove": {
        "id": "480",
        "agent_response": False,
        "body": "<p>It drops.</p>",
        "created_at": "2026-03-02 09:00:00 UTC",
        "links": {
            "author": {"href": "https://x/v1/customers/ola@example.org"},
            "ticket": {"href": "https://x/v1/tickets/9"},
        },
    },
    "salesforce": {
        "payload": {"Description": "It drops", "ContactId": "003B", "ChangeEventHeader": {"entityName": "Case"}}
    },
}


@dataclass(frozen=True, slots=True)
class Door:
    """One route. `path` is its template, `ids` what stands in it; a form has text values alone."""

    scope: str
    path: str
    ids: dict[str, str]
    body: Any
    form: bool = False

    @property
    def is_page(self) -> bool:
        """Made for people: its refusals may be pages too."""
        return not self.path.startswith("/v1/")


def contact(number: int) -> dict[str, Any]:
    """A contact with everything that a contact may have."""
    amount = {"amount": "1200.50", "currency": "EUR"}
    who = {"id": f"doors-{number}", "name": "Li Wei", "email": f"d{number}@example.com", "phone": "+4912345678"}
    return _MADE | {
        "source_event_id": f"event-{number}",
        "customer": who | {"tier": "gold", "region": "uk", "locale": "en", "lifetime_value": amount},
        "responder": {"id": "amir", "name": "Amir", "email": "amir@example.com"},
        "conversation_id": f"talk-{number}",
        "subject": "Router",
        "text": "My router drops. I will cancel.",
        "product": "fibre-1g",
        "need": "must_have",
        "complaint": True,
        "departure_threat": True,
        "remedy_sought": "A line that holds",
        "attributes": {"queue": "night", "waited": 3.5, "vip": True, "note": None},
    }


async def every_door(system: System) -> list[Door]:
    """Makes a complaint and an escalation for each route to act on, and describes them all."""
    async with system.client("intake") as client:
        answer = await client.post("/v1/contacts/batch", json=[contact(number) for number in range(len(_ACTS) + 8)])
        contact_id = answer.json()["results"][0]["contact_id"]
    await system.settled()
    made = "select {} from {} where customer_id like 'doors-%' order by length(customer_id), customer_id"
    complaints = [row[0] for row in await system.rows(made.format("id::text", "ownership.complaints"))]
    raised = await system.rows(made.format("id::text", "escalation.escalations"))
    assert len(complaints) == len(raised) == len(_ACTS) + 8
    escalations = iter([row[0] for row in raised])
    doors = [*_at_intake(contact_id), *_of_acts(complaints), *await _of_tools(system)]
    answer_body = {"executive_id": "vp", "text": "I have read every word.", "apology": True, "promise": _PROMISE}
    answer_body["stay_question"] = {"asked": True, "what_would_make_you_stay": "One person to call."}
    for scope, act, body in (
        ("executive", "answer", answer_body),
        ("executive", "answer/check", {"executive_id": "vp", "text": "I have read every word."}),
        ("agent", "delivered", {"agent_id": "amir", "how": "By phone"}),
        ("executive", "forward", {"to": "ceo", "by": "vp"}),
        ("supervisor", "links/revoke", {"executive_id": "vp", "by": "sue"}),
    ):
        ids = {"escalation_id": next(escalations)}
        doors.append(Door(scope, f"/v1/escalations/{{escalation_id}}/{act}", ids, body))
    # neighbours sign for themselves
    system.keys["service"] = service_token(system.env["COMPLAINT_LOOP_SECRET_KEY"], "intake", datetime.now(UTC))
    needed = {"before": _LATER, "customer_ids": ["doors-1"], "contact_ids": [contact_id]}
    doors.append(Door("service", "/v1/words/needed", {}, needed))
    doors.append(Door("supervisor", "/v1/unreachable/{executive_id}/trusted", {"executive_id": "vp"}, {"by": "sue"}))
    return doors + await _of_promises(system) + await _pages(system, complaints[-1])


def _at_intake(contact_id: str) -> Iterator[Door]:
    response = {"responder": {"id": "amir", "name": "Amir"}, "occurred_at": _MADE["occurred_at"], "text": "Hello"}
    yield Door("intake", "/v1/contacts", {}, contact(1_000))
    yield Door("intake", "/v1/contacts/batch", {}, [contact(1_001), contact(1_002)])
    ids = {"contact_id": contact_id}
    yield Door("intake", "/v1/contacts/{contact_id}/responses", ids, response | {"source_event_id": "response-1"})
    item = {"text": "My router drops", "locale": "en", "customer_id": "doors-1"}
    yield Door("intake", "/v1/signals", {}, {"items": [item, item]})
    profile = {"name": "Li Wei", "tier": "gold", "locale": "zh-CN", "occurred_at": _MADE["occurred_at"]}
    yield Door("intake", "/v1/customers/batch", {}, [profile | {"id": f"doors-{number}"} for number in (1, 2)])
    yield Door("intake", "/v1/customers/{customer_id}/merge", {"customer_id": "doors-1"}, {"into": "doors-2"})
    event = {"specversion": "1.0", "type": "complaintloop.contact.reported.v1", "source": "/doors", "id": "event-1"}
    yield Door("intake", "/v1/events", {}, event | {"time": _MADE["occurred_at"], "data": contact(1_003)})


def _of_acts(complaints: list[str]) -> Iterator[Door]:
    for complaint, (scope, act, body) in zip(complaints, _ACTS, strict=False):
        yield Door(scope, f"/v1/complaints/{{name}}/{act}", {"name": complaint, "n": "1"}, body)


async def _of_tools(system: System) -> list[Door]:
    url, secret_key = (system.env[f"COMPLAINT_LOOP_{name}"] for name in ("DATABASE_URL", "SECRET_KEY"))
    engine = make_engine(url, role=role_of("intake"), size=1, name="doors")
    async with engine.begin() as conn:
        for tool in _TOOLS:
            row = sealed_row(Endpoint(tool, "main", system.keys["intake"]), secret_key)
            await deliveries.set_endpoint(conn, row, datetime.now(UTC))
    await engine.dispose()
    path = "/v1/hooks/{tool}/{endpoint}"
    return [Door("intake", path, {"tool": tool, "endpoint": "main"}, body) for tool, body in _TOOLS.items()]


async def _of_promises(system: System) -> list[Door]:
    body = _PROMISE | {"made_by": "vp", "customer_id": "doors-1"}
    async with system.client("executive") as client:
        made = await client.post("/v1/promises", json=body)
    assert made.status_code == 202, made.text
    ids = {"promise_id": made.json()["id"], "n": "1"}
    done = {"by": "amir", "evidence": "A photograph"}
    return [
        Door("executive", "/v1/promises", {}, body),
        Door("agent", "/v1/promises/{promise_id}/actions/{n}/done", ids, done),
    ]


async def _pages(system: System, complaint: str) -> list[Door]:
    secret = system.env["COMPLAINT_LOOP_SECRET_KEY"]
    token = sign(secret, "confirmation", [complaint, "1"], datetime.now(UTC) + timedelta(days=1))
    asked = "select id from escalation.mails where kind = 'ask' and customer_id = 'doors-20'"
    (mail,) = await until(lambda: system.rows(asked), "the mail to the executive")
    link = link_of(secret, mail["id"])
    words = {"code": link.code, "text": "I have read every word.", "stay": "One person to call.", "apology": "yes"}
    return [
        Door("agent", "/c/{token}", {"token": token}, {"solved": "yes", "comment": "Thanks"}, form=True),
        Door("executive", "/e/{token}", {"token": link.token}, words | {"promise": "It will hold."}, form=True),
    ]
