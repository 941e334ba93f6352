"""`prepare`: what has to be true before the services start; `run` does it in a process that ends afterwards."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from services.command.settings import AllSettings

_LINK_SECONDS = 30 * 86400


def add_to(app: typer.Typer) -> None:
    """Registers the command, which is for `run` alone."""

    @app.command(hidden=True)
    def prepare(
        check: Annotated[bool, typer.Option("--check", help="only look at the settings and the policy")] = False,
        wait: Annotated[
            bool, typer.Option("--wait", help="then wait for {database_url, kafka_bootstrap_servers} as a line of JSON")
        ] = False,
    ) -> None:
        """Check settings and policy, migrate, create topics, make keys; prints them as JSON."""
        import asyncio
        import json

        from services.command.settings import AllSettings, load_each, settings_of
        from shared.contracts.registry import SERVICES
        from shared.policy import load_policy

        settings = load_each([AllSettings, *(settings_of(service) for service in SERVICES)])[0]
        assert isinstance(settings, AllSettings)
        load_policy(settings.policy_file)
        if wait:
            line = sys.stdin.readline()
            if not line:
                return  # whoever started us has changed their mind
            settings = settings.model_copy(update=json.loads(line))
        if not check:
            typer.echo(json.dumps(asyncio.run(_prepare(settings))))


async def _prepare(settings: AllSettings) -> dict[str, Any]:
    import asyncio

    from services.command.topics import create_missing
    from shared.auth import sign_in_token
    from shared.clock import SystemClock
    from shared.migrate import migrate

    _, (_, differ) = await asyncio.gather(
        migrate(settings.database_url, roles=settings.database_roles), create_missing(settings)
    )
    for sentence in differ:
        sys.stderr.write(f"{sentence}\n")
    secret = settings.secret_key.get_secret_value()
    return {
        "sign_in_token": sign_in_token(secret, "supervisor", SystemClock().now(), seconds=_LINK_SECONDS),
        "keys": await _keys(settings),
    }


async def _keys(settings: AllSettings) -> dict[str, str]:
    """A key for each scope, the same after every start; a new one in place of one that was revoked."""
    import json

    from deploy.local.folder import write_secretly
    from services.command.database import in_transaction
    from services.command.keys import store_key
    from shared.auth import SCOPES, mint

    path = settings.local_dir / "keys.json"
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        known = {}
    kept = {scope: str(known.get(scope) or mint().key) for scope in sorted(SCOPES)}

    async def store(conn: AsyncConnection) -> None:
        for scope, key in kept.items():
            if not await store_key(conn, key, f"local {scope}", [scope], None):
                kept[scope] = mint().key
                await store_key(conn, kept[scope], f"local {scope}", [scope], None)
        # written before they are committed: a key that is in the database alone is lost, the other way round it
        # is stored again at the next start
        write_secretly(path, json.dumps(kept, indent=1) + "\n")

    await in_transaction(settings, store, name="complaint-loop-keys")
    return kept
