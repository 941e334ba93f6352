"""What stories begin with: a policy, agents, and what customers say, as a tool posts it."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from shared.policy import Policy, parse_policy

#: doors that never close, so that hours are hours; a ladder of three; nobody is spared a mail
POLICY = """
version: story
regions:
  default: {time_zone: UTC, hours: {mon-sun: ["00:00-24:00"]}, holidays: null}
causes:
  - {code: router-drops, product: fibre-1g, words: {en: [router, drops]}}
  - {code: billing-error, words: {en: [invoice]}}
clocks:
  - {kind: claim, within: 15m, hours: calendar}
  - {kind: acknowledgement, within: 1h, hours: calendar}
  - {kind: first_response, within: 4h, hours: calendar}
  - {kind: next_update, within: 2d, hours: calendar}
  - {kind: final_answer, within: 5d, hours: calendar}
escalation:
  reasons: {clock_breached: 1, unowned: 1, asked: 1, repeat: 2, departure_threat: 2, value_at_stake: 3}
  ladder:
    - {level: 1, role: head_of_care, answer_within: 4h}
    - {level: 2, role: vice_president, answer_within: 8h}
    - {level: 3, role: chief_executive, answer_within: 1d, repeat_every: 1d}
  mail_budget: {per_minute: 1000, per_hour: 10000}
executives:
  - {id: head, name: Hana Head, email: head@company.example, role: head_of_care, time_zone: UTC}
  - {id: vp, name: Victor Vice, email: vp@company.example, role: vice_president, time_zone: UTC}
  - {id: ceo, name: Ana Ruiz, email: ceo@company.example, role: chief_executive, time_zone: UTC}
promises: {watch_for: 180d, chase_before: 3d}
"""

MIA = {"id": "mia", "name": "Mia Berg", "email": "mia@company.example"}
NOOR = {"id": "noor", "name": "Noor", "email": "noor@company.example"}


def policy(text: str = POLICY) -> Policy:
    """The policy of the stories, or one that is written out."""
    return parse_policy(text)


def contact(customer: str, words: str, at: datetime, **more: Any) -> dict[str, Any]:
    """Somebody phones, at `at`; any field may be given otherwise."""
    return {
        "source": "story",
        "source_event_id": secrets.token_hex(8),
        "occurred_at": at.isoformat(),
        "channel": "phone",
        "customer": {"id": customer, "name": customer.title(), "email": f"{customer}@customer.example"},
        "text": words,
    } | more
