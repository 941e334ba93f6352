"""`parked`: what a service could not handle, kept until somebody decides: looked at, retried or dropped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.local.trouble import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncConnection

app = typer.Typer(help="Records that a service could not handle.", no_args_is_help=True)
_SHOWN_BYTES = 4_000
_WAIT_SECONDS = 15.0


class State(StrEnum):
    """What has become of a record."""

    parked = "parked"
    retry = "retry"
    retried = "retried"
    dropped = "dropped"


Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="as `parked list` shows them: ownership:12")]
Json = Annotated[bool, typer.Option("--json", help="for machines")]


def _identity(text: str) -> tuple[str, int]:
    from shared.contracts.registry import SERVICES

    service, _, number = text.partition(":")
    if service not in SERVICES or not number.isascii() or not number.isdigit() or int(number) >= 2**63:
        raise typer.BadParameter(f"an id looks like ownership:12 (services: {', '.join(SERVICES)})", param_hint="ID")
    return service, int(number)


def _each(services: Sequence[str], work: Callable[[str, AsyncConnection, Table], Awaitable[Any]]) -> list[Any]:
    """Runs `work(service, conn, parked)` in one transaction for each service, as that service's role."""
    import asyncio

    from services.command.database import in_transaction
    from services.command.settings import DatabaseSettings
    from shared.db import service_metadata
    from shared.inbox import parked_table
    from shared.settings import load

    settings = load(DatabaseSettings)

    async def done(service: str) -> Any:
        parked = parked_table(service_metadata(service))
        return await in_transaction(
            settings, lambda conn: work(service, conn, parked), name="complaint-loop-parked", service=service
        )

    async def run() -> list[Any]:
        return [await done(service) for service in services]

    return asyncio.run(run())


def _described(service: str, row: Any) -> dict[str, Any]:
    from shared.contracts.envelope import rfc3339

    return {
        "id": f"{service}:{row.id}",
        "service": service,
        "state": row.state,
        "parked_at": rfc3339(row.parked_at),
        "origin": row.origin,
        "partition": row.partition,
        "offset": row.offset,
        "reason": row.reason,
        "attempts": row.attempts,
    }


@app.command("list")
def list_parked(
    service: Annotated[str | None, typer.Option(help="intake, ownership or escalation; without it, all")] = None,
    state: Annotated[State, typer.Option(help="what has become of them")] = State.parked,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="the newest so many of each service")] = 200,
    as_json: Json = False,
) -> None:
    """List what is parked, newest first, and why."""
    import json

    from sqlalchemy import select

    from shared.contracts.registry import SERVICES

    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"services: {', '.join(SERVICES)}", param_hint="--service")

    async def read(name: str, conn: AsyncConnection, parked: Table) -> list[dict[str, Any]]:
        # not the payload: a list must stay small whatever was sent
        columns = [column for column in parked.c if column.name not in ("value", "headers", "key")]
        found = select(*columns).where(parked.c.state == str(state)).order_by(parked.c.id.desc()).limit(limit)
        return [_described(name, row) for row in (await conn.execute(found)).all()]

    listed = [one for part in _each([service] if service else list(SERVICES), read) for one in part]
    if as_json:
        typer.echo(json.dumps({"items": listed}))
    elif not listed:
        typer.echo(f"Nothing is {state}.")
    for one in [] if as_json else listed:
        where = f"{one['origin']}/{one['partition']}/{one['offset']}"
        typer.echo(f"{one['id']:<16} {one['parked_at']}  {where:<36} {one['reason']}")


@app.command()
def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="as `parked list` shows it")],
    as_json: Annotated[bool, typer.Option("--json", help="on one line")] = False,
) -> None:
    """Show one record with its headers and its content, as JSON."""
    import json

    from sqlalchemy import select

    service, number = _identity(identity)

    async def read(_: str, conn: AsyncConnection, parked: Table) -> Any:
        return (await conn.execute(select(parked).where(parked.c.id == number))).one_or_none()

    (row,) = _each([service], read)
    if row is None:
        raise Trouble(f"There is no {identity}.")
    shown = _described(service, row) | {
        "key": _readable(row.key),
        "headers": {name: _readable(bytes.fromhex(raw)) for name, raw in row.headers},
        "value": _readable(row.value),
        "value_bytes": None if row.value is None else len(row.value),
    }
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=None if as_json else 1))


def _readable(raw: bytes | None) -> str | None:
    """Bytes as text where they are text; what a terminal would obey is escaped."""
    if raw is None:
        return None
    text = raw[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _move(ids: list[str], to: State, among: tuple[State, ...]) -> list[str]:
    """Moves records to a state; answers the ids of those that were in one of `among`."""
    from sqlalchemy import update

    wanted: dict[str, list[int]] = {}
    for service, number in map(_identity, ids):
        wanted.setdefault(service, []).append(number)

    async def write(service: str, conn: AsyncConnection, parked: Table) -> list[str]:
        statement = update(parked).where(parked.c.id.in_(wanted[service]), parked.c.state.in_([str(s) for s in among]))
        moved = await conn.execute(statement.values(state=str(to)).returning(parked.c.id))
        return [f"{service}:{row.id}" for row in moved.all()]

    return [one for part in _each(list(wanted), write) for one in part]


@app.command()
def retry(ids: Ids, as_json: Json = False) -> None:
    """Have the service take records once more, and wait for what becomes of them."""
    import json
    import time

    moved = _move(ids, State.retry, (State.parked, State.dropped))
    fates = {one: f"is not there to be {State.retried}" for one in ids if one not in moved}
    end = time.monotonic() + _WAIT_SECONDS
    while moved and (now := _fates(moved)) and any(fate[0] == State.retry for fate in now.values()):
        if time.monotonic() > end:
            break
        time.sleep(0.3)
    for one, (state, reason) in (_fates(moved) if moved else {}).items():
        fates[one] = {"retried": "done", "retry": "waits: the service's consumer is not running"}.get(
            state, f"parked again: {reason}"
        )
    if as_json:
        typer.echo(json.dumps({"items": [{"id": one, "fate": fate} for one, fate in fates.items()]}))
    else:
        for one, fate in fates.items():
            typer.echo(f"{one}: {fate}")
    if any(fate != "done" for fate in fates.values()):
        raise typer.Exit(1)


def _fates(ids: list[str]) -> dict[str, tuple[str, str]]:
    from sqlalchemy import select

    wanted: dict[str, list[int]] = {}
    for service, number in map(_identity, ids):
        wanted.setdefault(service, []).append(number)

    async def read(service: str, conn: AsyncConnection, parked: Table) -> dict[str, tuple[str, str]]:
        found = select(parked.c.id, parked.c.state, parked.c.reason).where(parked.c.id.in_(wanted[service]))
        return {f"{service}:{row.id}": (row.state, row.reason) for row in (await conn.execute(found)).all()}

    return {one: fate for part in _each(list(wanted), read) for one, fate in part.items()}


@app.command()
def drop(ids: Ids, as_json: Json = False) -> None:
    """Give records up: they stay on record as dropped."""
    import json

    moved = _move(ids, State.dropped, (State.parked, State.retry))
    if as_json:
        typer.echo(json.dumps({"dropped": moved}))
    else:
        for one in moved:
            typer.echo(f"{one}: dropped")
    missing = [one for one in ids if one not in moved]
    if missing:
        raise Trouble(f"Not parked: {', '.join(missing)}.")
