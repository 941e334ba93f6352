"""`migrate`: brings the database up to date."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Registers the command."""

    @app.command()
    def migrate() -> None:
        """Make or update the schemas of all services; safe to repeat, and beside another that does the same."""
        import asyncio

        from services.command.settings import DatabaseSettings
        from shared.migrate import migrate as bring_up_to_date
        from shared.settings import load

        settings = load(DatabaseSettings)
        told = asyncio.run(
            bring_up_to_date(
                settings.database_url,
                roles=settings.database_roles,
                say=lambda schema: typer.echo(f"{schema}: up to date"),
            )
        )
        assert told is None
