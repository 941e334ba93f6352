"""`replay`: ownership made anew from its topic or its journal, proved, and held against what is stored."""

from __future__ import annotations

import asyncio
import enum
import json
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.local.trouble import Trouble
from services.command.verify import counted, show_findings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from services.command.settings import AllSettings

_OWN = "ownership"


class Origin(enum.StrEnum):
    """Where events are read from."""

    topic = "topic"
    journal = "journal"


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def replay(
        origin: Annotated[
            Origin, typer.Option("--from", help="the topic, or the service's own journal")
        ] = Origin.topic,
        into: Annotated[
            str, typer.Option(help="the schema that it is made in; it must be empty")
        ] = "ownership_replayed",
        replace: Annotated[bool, typer.Option("--replace", help="drop what an earlier replay has left there")] = False,
        keep: Annotated[
            bool, typer.Option("--keep", help="leave the schema when all is right, to look into it")
        ] = False,
        moving: Annotated[bool, typer.Option("--moving", help="what goes on meanwhile is no finding")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    ) -> None:
        """Make ownership's complaints anew from what it said, prove them, and compare them with what is stored.

        With `--into ownership` it restores them for good, into tables that are empty: after the loss of a database,
        with nothing served meanwhile. What was said at home (reasons, comments) and what supervisors said of agents is
        on no topic and does not come back. Exit code 1 where something is not as it should be.
        """
        from services.command.settings import AllSettings
        from shared.settings import load

        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", into) or into in ("public", "access", "intake", "escalation"):
            raise typer.BadParameter("is no name for it: small letters, digits and _, and no schema of others")
        if into == _OWN and (origin is Origin.journal or replace):
            raise typer.BadParameter(
                "ownership's own tables are restored from the topic, and only where they are empty"
            )
        counts, findings = asyncio.run(replayed(load(AllSettings), origin, into, replace, keep, moving))
        if as_json:
            typer.echo(json.dumps({"right": not findings, "into": into, "counts": counts, "findings": findings}))
        else:
            typer.echo(counted(counts))
            show_findings(findings, "Made anew, it is the same.")
        raise typer.Exit(1 if findings else 0)


async def replayed(
    settings: AllSettings,
    origin: Origin = Origin.topic,
    into: str = "ownership_replayed",
    replace: bool = False,
    keep: bool = False,
    moving: bool = False,
) -> tuple[dict[str, int], list[str]]:
    """Counts and findings of one replay; what was made is dropped again where all is right, unless it is to be kept."""
    from sqlalchemy import text

    from services.ownership.replay import compared
    from shared.db import make_engine
    from shared.kafka import Connection
    from shared.replay import NotEmptyError

    connection = Connection(settings.kafka_bootstrap_servers, settings.kafka_security())
    engine = make_engine(settings.database_url, size=2, name="complaint-loop-replay", whole_tables=True)
    try:
        async with engine.begin() as conn:
            await conn.execute(text("set local statement_timeout = 0"))
            try:
                counts, findings = await made_anew(conn, connection, origin, into, replace=replace)
            except NotEmptyError as error:
                way = (
                    "only a lost database is restored" if into == _OWN else "name another with --into, or --replace it"
                )
                raise Trouble(f"{error}: {way}.") from None
            if into != _OWN:
                async with engine.connect() as live:
                    found = await compared(live, conn, moving=moving)
                counts |= found[0]
                findings += found[1]
                if not findings and not keep:
                    await conn.execute(text(f'drop schema "{into}" cascade'))
        return counts, findings
    finally:
        await engine.dispose()


async def made_anew(
    conn: AsyncConnection, connection: Any, origin: Origin, into: str, *, replace: bool = False
) -> tuple[dict[str, int], list[str]]:
    """Reads the events into schema `into`, folds them and proves the result, all on this connection."""
    from services.ownership import replay, verify
    from shared.contracts.envelope import topic_of
    from shared.replay import from_journal, from_topic, prepared, tables_in

    conn = await prepared(conn, replay.metadata, into, replace=replace)
    tables = tables_in(replay.metadata, into)
    if origin is Origin.topic:
        counts = await from_topic(conn, tables["events"], connection, topic_of(_OWN), replay.SOURCE)
    else:
        counts = await from_journal(conn, tables["events"], _OWN, into)
    folded, findings = await replay.rebuilt(conn, tables)
    counts |= folded
    findings += [finding async for finding in verify.findings(conn)]
    return counts, list(dict.fromkeys(findings))
