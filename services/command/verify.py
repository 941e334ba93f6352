"""`verify`: are the books right? What was committed, what the topics hold, what is stored, what was due."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from shared.kafka import Connection

#: which topics each service reads
READS = {"ownership": ("complaint-loop.intake",), "escalation": ("complaint-loop.intake", "complaint-loop.ownership")}
#: a deadline this late has been missed by the timers, not just not yet reached
_LATE_SECONDS = 10
_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def verify(
        as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
        moving: Annotated[
            bool, typer.Option("--moving", help="events in flight and deadlines just due are no findings")
        ] = False,
    ) -> None:
        """Prove the books: audit chains, states, topics, owners, clocks, mails. Exit code 1 where they are wrong."""
        from services.command.settings import AllSettings
        from shared.settings import load

        settings = load(AllSettings)
        counts, findings = asyncio.run(_verify(settings, moving))
        if as_json:
            typer.echo(json.dumps({"right": not findings, "counts": counts, "findings": findings}))
        else:
            _print(counts, findings)
        raise typer.Exit(1 if findings else 0)


def _print(counts: dict[str, dict[str, int]], findings: list[str]) -> None:
    for service, figures in counts.items():
        typer.echo(f"{service}: {counted(figures)}")
    show_findings(findings, "The books are right.")


def counted(figures: Mapping[str, int]) -> str:
    """Figures in a line, for people."""
    return ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in figures.items())


def show_findings(findings: Sequence[str], right: str) -> None:
    """Prints what is wrong, the first of it in full; `right` where nothing is."""
    for finding in findings[:_SHOWN]:
        typer.echo(f"WRONG  {finding}")
    if len(findings) > _SHOWN:
        typer.echo(f"       and {len(findings) - _SHOWN} more")
    typer.echo(right if not findings else f"{len(findings)} findings.")


async def _verify(settings: Any, moving: bool) -> tuple[dict[str, dict[str, int]], list[str]]:
    from shared.contracts.registry import SERVICES
    from shared.db import make_engine
    from shared.kafka import Connection

    connection = Connection(settings.kafka_bootstrap_servers, settings.kafka_security())
    # as the user itself, not as a service's role: it looks at all schemas
    engine = make_engine(settings.database_url, size=1, name="complaint-loop-verify", whole_tables=True)
    counts: dict[str, dict[str, int]] = {}
    findings: list[str] = []
    try:
        for service in SERVICES:
            async with engine.connect() as conn:
                counts[service] = {}
                async for finding in _service(conn, connection, service, counts[service], moving):
                    findings.append(f"{service}: {finding}")
    finally:
        await engine.dispose()
    return counts, findings


async def _service(
    conn: AsyncConnection, connection: Connection, service: str, counts: dict[str, int], moving: bool
) -> Any:
    from importlib import import_module

    from shared.balance import balanced
    from shared.kafka import group_lag

    figures, found = await balanced(conn, connection, service)
    counts |= figures
    behind = await group_lag(connection, f"complaint-loop.{service}", READS[service]) if service in READS else 0
    if not moving:
        for name, number in (("unsent", figures["unsent"]), ("unread", behind)):
            if number:
                yield f"{number} events are in flight ({name})"
    else:
        counts["unread"] = behind
    for finding in found:
        yield finding
    async for finding in _waiting(conn, service, counts):
        yield finding
    module = import_module(f"services.{service}.verify")
    counts |= await module.counts(conn)
    async for finding in module.findings(conn):
        yield finding


async def _waiting(conn: AsyncConnection, service: str, counts: dict[str, int]) -> Any:
    from sqlalchemy import text

    late = await conn.scalar(
        text(f"select count(*) from {service}.timers where due_at < now() - make_interval(secs => :late)"),
        {"late": _LATE_SECONDS},
    )
    counts["parked"] = int(
        await conn.scalar(text(f"select count(*) from {service}.parked where state = 'parked'")) or 0
    )
    if late:
        yield f"{late} deadlines have come and were not acted on"
