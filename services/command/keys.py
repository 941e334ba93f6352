"""`keys`: who may ask. A key is shown once, when it is made; only its digest is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.local.trouble import Trouble
from services.command.database import on_database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

app = typer.Typer(help="API keys and their scopes.", no_args_is_help=True)


async def store_key(conn: AsyncConnection, key: str, name: str, scopes: Sequence[str], per_second: int | None) -> bool:
    """Makes the database know a key; false where the same key is there, but revoked."""
    from sqlalchemy import select
    from sqlalchemy.dialects.postgresql import insert

    from shared.auth import api_keys, digest_of, key_id_of

    key_id = key_id_of(key)
    if key_id is None:
        return False
    row = {"id": key_id, "name": name, "scopes": list(scopes), "digest": digest_of(key), "per_second": per_second}
    await conn.execute(insert(api_keys).values(row).on_conflict_do_nothing())
    found = (await conn.execute(select(api_keys.c.digest, api_keys.c.revoked_at).where(api_keys.c.id == key_id))).one()
    return found.revoked_at is None and bytes(found.digest) == row["digest"]


#: what the column holds is far more than any installation answers
_MOST_PER_SECOND = 1_000_000
_LONGEST_NAME = 200


@app.command()
def create(
    name: Annotated[str, typer.Option(help="whose key it is; stands in timelines where no person is named")],
    scopes: Annotated[
        str, typer.Option(help="separated by commas: intake, agent, supervisor, executive, integration, admin")
    ],
    per_second: Annotated[
        int | None, typer.Option(min=1, max=_MOST_PER_SECOND, help="requests a second; without it 5,000")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Make a key and print it, once, alone on standard output."""
    import json

    from shared.auth import SCOPES, mint

    wanted = sorted({scope.strip() for scope in scopes.split(",") if scope.strip()})
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise typer.BadParameter(f"scopes are: {', '.join(sorted(SCOPES))}", param_hint="--scopes")
    name = name.strip()
    if not name:
        raise typer.BadParameter("a key needs a name", param_hint="--name")
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise typer.BadParameter(f"a name is one line of at most {_LONGEST_NAME} characters", param_hint="--name")
    new = mint()
    on_database(lambda conn: store_key(conn, new.key, name, wanted, per_second))
    typer.echo(json.dumps({"id": new.id, "key": new.key, "name": name, "scopes": wanted}) if as_json else new.key)


@app.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False) -> None:
    """List all keys ever made, without their secrets."""
    import json

    from sqlalchemy import select

    from shared.auth import api_keys
    from shared.contracts.envelope import rfc3339

    async def read(conn: AsyncConnection) -> Any:
        return (await conn.execute(select(api_keys).order_by(api_keys.c.created_at))).all()

    rows = on_database(read)
    if as_json:
        listed = [
            {
                "id": row.id,
                "name": row.name,
                "scopes": list(row.scopes),
                "per_second": row.per_second,
                "created_at": rfc3339(row.created_at),
                "revoked_at": rfc3339(row.revoked_at) if row.revoked_at else None,
            }
            for row in rows
        ]
        typer.echo(json.dumps({"items": listed}))
        return
    for row in rows:
        state = f"revoked {rfc3339(row.revoked_at)}" if row.revoked_at else f"made {rfc3339(row.created_at)}"
        typer.echo(f"{row.id}  {','.join(row.scopes):<24} {row.name}  ({state})")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="the id, as `keys list` shows it")],
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Revoke a key; it is refused within a second, everywhere."""
    import json

    from sqlalchemy import func, update

    from shared.auth import api_keys

    async def write(conn: AsyncConnection) -> Any:
        statement = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        return (await conn.execute(statement.values(revoked_at=func.now()))).rowcount

    if not on_database(write):
        raise Trouble("No key with this id is in use: `complaint-loop keys list` shows them.")
    typer.echo(json.dumps({"id": key_id, "revoked": True}) if as_json else f"{key_id}: revoked")
