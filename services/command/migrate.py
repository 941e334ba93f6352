"""`migrate`: brings the database up to date."""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def migrate(as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False) -> None:
        """Make or update the schemas of all services; safe to repeat, and beside another that does the same."""
        import asyncio
        import json

        from services.command.settings import DatabaseSettings
        from shared.migrate import migrate as bring_up_to_date
        from shared.settings import load

        settings = load(DatabaseSettings)
        done: list[str] = []

        def say(schema: str) -> None:
            done.append(schema)
            if not as_json:
                typer.echo(f"{schema}: up to date")

        asyncio.run(bring_up_to_date(settings.database_url, roles=settings.database_roles, say=say))
        if as_json:
            typer.echo(json.dumps({"up_to_date": done}))
