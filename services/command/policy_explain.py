"""`policy explain`: which terms a complaint would have and when they would be due; or how those of one came about."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from shared.policy import Facts, Policy


def terms_explained(policy: Policy, facts: Facts, at: datetime, kind: str | None) -> list[dict[str, Any]]:
    """Each kind of clock of `policy` for a complaint of these facts that begins at `at`: data and words."""
    from shared.calendars import explain
    from shared.contracts.envelope import rfc3339
    from shared.policy import chosen

    kinds = list(dict.fromkeys(clock.kind for _, clock in policy.clocks))
    told: list[dict[str, Any]] = []
    for one in kinds if kind is None else [kind]:
        choice = chosen(policy, facts, one)
        entry: dict[str, Any] = {"kind": one, "entry": None, "due_at": None, "words": [choice.words(policy.version)]}
        if choice.term is not None and facts.region is not None:
            counted = explain(at, choice.term.within, choice.term.hours, policy.calendar(facts.region))
            entry |= {
                "entry": choice.term.entry,
                "due_at": rfc3339(counted.due),
                "counted": counted.model_dump(mode="json"),
            }
            entry["words"] = [*entry["words"], *counted.words]
        told.append(entry)
    return told


def show_terms(told: list[dict[str, Any]], as_json: bool) -> None:
    """Prints them, a paragraph for each clock."""
    if as_json:
        typer.echo(json.dumps({"clocks": told}))
        return
    for one in told:
        typer.echo(f"{one['kind']}:")
        for words in one["words"]:
            typer.echo(f"  {words}")


def ask_service(complaint: str, kind: str | None, what_if: str | None, url: str | None) -> list[dict[str, Any]]:
    """What the service says of a complaint's clocks, under its own version or another."""
    from urllib.parse import quote

    import httpx

    from deploy.local.trouble import Trouble
    from services.command.reach import base_url, key_of

    asked = {name: value for name, value in (("clock", kind), ("what_if", what_if)) if value is not None}
    headers = {"Authorization": f"Bearer {key_of('agent')}"}
    with httpx.Client(base_url=base_url(url), headers=headers, timeout=30) as client:
        answer = client.get(f"/v1/complaints/{quote(complaint, safe='')}/explain", params=asked)
    body = answer.json()
    if answer.status_code != 200:
        known = body.get("versions") or body.get("clocks")
        there = f" There are: {', '.join(known)}." if known else ""
        raise Trouble(f"{body.get('detail') or body.get('title')}{there}")
    clocks: list[dict[str, Any]] = body["clocks"]
    return clocks
